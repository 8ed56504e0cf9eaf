"""What apply would change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pamosnik.flows.compile import version_of
from pamosnik.flows.load import Loaded


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """Applied, and in none of these files."""


SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.CHANGED: "~",
    ChangeKind.REMOVED: "-",
    ChangeKind.UNCHANGED: "=",
    ChangeKind.KEPT: "=",
}


@dataclass(frozen=True, slots=True)
class Change:
    flow_id: str
    kind: ChangeKind
    title: str
    version: str | None
    people: int
    """In it now. They finish the version they began."""


@dataclass(frozen=True, slots=True)
class CodesChange:
    """How many codes a pool gets and loses."""

    pool: str
    new: int
    gone: int


@dataclass(frozen=True, slots=True)
class Plan:
    changes: tuple[Change, ...]
    settings_changed: bool
    codes: tuple[CodesChange, ...] = ()
    """Pools that stay as they are left out."""

    @property
    def is_empty(self) -> bool:
        """Nothing would change."""
        still = (ChangeKind.UNCHANGED, ChangeKind.KEPT)
        changed = self.settings_changed or self.codes
        return not changed and all(change.kind in still for change in self.changes)


def plan(
    loaded: Loaded,
    applied: Mapping[str, tuple[str, str]],
    *,
    applied_settings: Mapping[str, object],
    in_flight: Mapping[str, int],
    codes: tuple[CodesChange, ...] = (),
    prune: bool,
) -> Plan:
    """`applied`: flow id → (version, title)."""
    changes = []
    renamed: list[str] = []
    for flow in loaded.flows:
        before = str(flow.body.get("was", flow.id)) if flow.id not in applied else flow.id
        renamed.append(before)
        version = version_of(flow.body)
        known = applied.get(before)
        if known is None:
            kind = ChangeKind.ADDED
        elif known[0] == version and before == flow.id:
            kind = ChangeKind.UNCHANGED
        else:
            kind = ChangeKind.CHANGED
        title = str(flow.body.get("title", flow.id))
        changes.append(Change(flow.id, kind, title, version, in_flight.get(before, 0)))
    for flow_id, (old, title) in applied.items():
        if flow_id not in renamed:
            kind = ChangeKind.REMOVED if prune else ChangeKind.KEPT
            changes.append(Change(flow_id, kind, title, old, in_flight.get(flow_id, 0)))
    settings_changed = _canonical(loaded.settings) != _canonical(applied_settings)
    return Plan(tuple(changes), settings_changed, codes)


def _canonical(settings: Mapping[str, object]) -> str:
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)


def lines(plan: Plan) -> Sequence[str]:
    """The plan for people, one line per flow."""
    shown = []
    for change in plan.changes:
        ends = change.people and change.kind in (ChangeKind.CHANGED, ChangeKind.REMOVED)
        people = f"  ({change.people} in it, they finish their version)" if ends else ""
        kept = "  (in no file, stays)" if change.kind is ChangeKind.KEPT else ""
        shown.append(f"{SIGNS[change.kind]} {change.flow_id}  {change.title}{people}{kept}")
    if plan.settings_changed:
        shown.append("~ settings")
    for pool in plan.codes:
        counts = ((pool.new, "new"), (pool.gone, "withdrawn"))
        told = ", ".join(f"{count} {what}" for count, what in counts if count)
        shown.append(f"~ codes {pool.pool}  {told}")
    return shown
