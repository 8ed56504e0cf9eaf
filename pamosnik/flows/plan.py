"""What apply would change: flows, their order, and the settings they share."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pamosnik.flows.comparison import Line, compared
from pamosnik.flows.compile import version_of
from pamosnik.flows.load import FlowSource, Loaded
from pamosnik.flows.normal import Raw
from pamosnik.flows.order import Move, merged, moves
from pamosnik.flows.settings_changes import SettingChange, setting_changes
from pamosnik.flows.standing import Standing, what_happens


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    """Another id, and the same flow."""
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """Applied, and in none of these files."""


SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.CHANGED: "~",
    ChangeKind.RENAMED: "~",
    ChangeKind.REMOVED: "-",
    ChangeKind.UNCHANGED: "=",
    ChangeKind.KEPT: "=",
}
_STILL = (ChangeKind.UNCHANGED, ChangeKind.KEPT)


@dataclass(frozen=True, slots=True)
class Applied:
    """A flow that is applied: its version, and its normal form."""

    version: str
    title: str
    body: Raw
    paused: bool = False
    """By command, which lasts until `flows resume`."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Of a flow of which the files say something else."""

    since: datetime
    told: str
    """That instant for people."""
    stays: bool
    """It is left as it is."""


@dataclass(frozen=True, slots=True)
class Change:
    flow_id: str
    kind: ChangeKind
    title: str
    version: str
    """Afterwards; of a flow that goes or is in no file, the one that is applied."""
    people: int
    """In it now. They finish the version they began."""
    was: str | None = None
    """The id that it has until then."""
    before: Applied | None = None
    """What is applied now; None: nothing."""
    after: Raw | None = None
    """What the files say; None: nothing."""
    standing: tuple[Standing, ...] = ()
    """Where those people are; told of flows that change, go or get another id."""
    led_from: tuple[str, ...] = ()
    """Of a flow that goes: flows in which people are whose version goes on in it with `run:`."""
    rolled_back: RolledBack | None = None
    comes_back_paused: bool = False
    """It was taken out while it was paused."""

    @property
    def changes(self) -> bool:
        return self.kind not in _STILL

    @property
    def lines(self) -> tuple[Line, ...]:
        """What changes inside it."""
        if self.kind is not ChangeKind.CHANGED or self.before is None or self.after is None:
            return ()
        return compared(self.before.body, self.after)

    @property
    def is_paused(self) -> bool:
        """By command, which no apply ends."""
        return self.comes_back_paused or (self.before is not None and self.before.paused)

    @property
    def what_happens(self) -> list[str]:
        """To the people in it, in sentences."""
        if not self.changes or (self.before is None and self.was is None):
            return []
        return what_happens(
            people=self.people,
            standing=self.standing,
            before=None if self.before is None else self.before.body,
            after=self.after,
            renamed=self.was is not None,
            changed=self.kind is not ChangeKind.RENAMED,
            paused=self.is_paused,
            led_from=self.led_from,
        )


@dataclass(frozen=True, slots=True)
class CodesChange:
    """How many codes a pool gets and loses."""

    pool: str
    new: int
    gone: int


@dataclass(frozen=True, slots=True)
class Plan:
    changes: tuple[Change, ...]
    settings: tuple[SettingChange, ...]
    codes: tuple[CodesChange, ...] = ()
    """Pools that stay as they are left out."""
    order: tuple[str, ...] = ()
    """All flows that are applied afterwards."""
    moved: tuple[Move, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing would change."""
        return not (
            self.settings or self.codes or self.moved or any(change.changes for change in self.changes)
        )

    @property
    def renamed(self) -> Mapping[str, str]:
        """New id → the one before."""
        return {change.flow_id: change.was for change in self.changes if change.was is not None}

    @property
    def counts(self) -> Mapping[ChangeKind, int]:
        """How many flows of each kind, those that there are."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in ChangeKind if found[kind]}


def plan(
    loaded: Loaded,
    applied: Mapping[str, Applied],
    *,
    applied_settings: Raw,
    in_flight: Mapping[str, int],
    codes: tuple[CodesChange, ...] = (),
    prune: bool,
    taken_out: Collection[str] = (),
    stays: Collection[str] = (),
) -> Plan:
    """`applied`: by id, in order; `in_flight`: people in each; `taken_out`: ids of flows that were applied once;
    `stays`: not taken out, although in no file."""
    former = renames(loaded.flows, applied, taken_out)
    changes = [_of_file(flow, former.get(flow.id), applied, in_flight) for flow in loaded.flows]
    gone = {*former.values(), *(flow.id for flow in loaded.flows)}
    for flow_id, known in applied.items():
        if flow_id not in gone:
            kind = ChangeKind.REMOVED if prune and flow_id not in stays else ChangeKind.KEPT
            people = in_flight.get(flow_id, 0)
            changes.append(Change(flow_id, kind, known.title, known.version, people, before=known))
    removed = {change.flow_id for change in changes if change.kind is ChangeKind.REMOVED}
    new_ids = {old: new for new, old in former.items()}
    before = [new_ids.get(flow_id, flow_id) for flow_id in applied if flow_id not in removed]
    order = merged(before, [flow.id for flow in loaded.flows])
    return Plan(
        tuple(changes),
        tuple(setting_changes(applied_settings, loaded.settings)),
        codes,
        order=order,
        moved=moves(before, order),
    )


def renames(
    flows: Sequence[FlowSource], applied: Collection[str], taken_out: Collection[str] = ()
) -> Mapping[str, str]:
    """New id → the one that its `was` names, where there still is something to rename."""
    ids = {flow.id for flow in flows}
    found: dict[str, str] = {}
    for flow in flows:
        was = flow.body.get("was")
        free = isinstance(was, str) and was not in ids and was not in found.values()
        if free and flow.id not in applied and (was in applied or was in taken_out):
            found[flow.id] = str(was)
    return found


def _of_file(
    flow: FlowSource, was: str | None, applied: Mapping[str, Applied], in_flight: Mapping[str, int]
) -> Change:
    known, version = applied.get(was or flow.id), version_of(flow.body)
    if known is None:
        kind = ChangeKind.ADDED
    elif known.version != version:
        kind = ChangeKind.CHANGED
    else:
        kind = ChangeKind.UNCHANGED if was is None else ChangeKind.RENAMED
    return Change(
        flow.id,
        kind,
        title=str(flow.body.get("title", flow.id)),
        version=version,
        people=in_flight.get(was or flow.id, 0),
        was=was,
        before=known,
        after=flow.body,
    )
