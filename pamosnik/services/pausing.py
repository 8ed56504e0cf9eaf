"""Pausing flows: a paused flow starts nobody, whoever is in it goes on, and `apply` does not undo it."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pamosnik._sqlite import Connection
from pamosnik.flows.bodies import options, steps
from pamosnik.services import flow_history
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import accounts, applying
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import By
from pamosnik.store.flows import AppliedFlow


@dataclass(frozen=True, slots=True)
class Paused:
    """How a flow stands after `pause` or `resume`."""

    flow: AppliedFlow
    changed: bool
    """False: it was so already."""
    people: int
    """In it now; they go on."""
    led_to_by: tuple[str, ...]
    """Flows with a `run:` to it: who comes there goes no further while it is paused."""

    def as_json(self) -> Shape:
        return {
            "flow": self.flow.flow_id,
            "title": self.flow.title,
            **state_json(self.flow),
            "changed": self.changed,
            "people": self.people,
        }


def state_json(flow: AppliedFlow) -> Shape:
    """Whether it starts anybody, and who keeps it from doing so."""
    return {
        "state": "paused" if flow.starts_nobody else "live",
        "paused_at": iso(flow.paused_at),
        "paused_by": flow.paused_by,
        "paused_in_file": flow.paused_in_file,
    }


def pause(conn: Connection, account_id: str, flow_ids: Sequence[str], by: By) -> list[Paused]:
    """All of them or, if one is not applied, none. Raises `NotFound`."""
    return _set(conn, account_id, flow_ids, by, paused=True)


def resume(conn: Connection, account_id: str, flow_ids: Sequence[str], by: By) -> list[Paused]:
    """Likewise. What a file pauses stays paused: look at the answer."""
    return _set(conn, account_id, flow_ids, by, paused=False)


def _set(conn: Connection, account_id: str, flow_ids: Sequence[str], by: By, *, paused: bool) -> list[Paused]:
    word = "pause" if paused else "resume"
    wanted = list(dict.fromkeys(flow_ids))
    changed = set()
    for flow_id in wanted:
        flow = flow_history.applied_flow(conn, account_id, flow_id, word)
        if (flow.paused_at is not None) != paused:
            applying.set_pause(conn, account_id, flow, by, paused=paused)
            accounts.audit(
                conn, account_id, actor=by.actor, action=f"flows {word}", subject=flow_id, now=by.now
            )
            changed.add(flow_id)
    return _as_they_are(conn, account_id, wanted, changed)


def as_it_is(conn: Connection, account_id: str, flow_id: str) -> Paused:
    """Before anything is changed, to say what it would mean. Raises `NotFound`."""
    flow_history.applied_flow(conn, account_id, flow_id, "pause")
    (found,) = _as_they_are(conn, account_id, [flow_id], frozenset())
    return found


def _as_they_are(
    conn: Connection, account_id: str, wanted: Sequence[str], changed: Collection[str]
) -> list[Paused]:
    """Applied flows, in the order in which they are wanted."""
    applied = {one.flow_id: one for one in flow_store.applied(conn, account_id)}
    people = flow_store.in_flight(conn, account_id)
    return [
        Paused(
            applied[flow_id],
            flow_id in changed,
            people.get(flow_id, 0),
            _leading_to(list(applied.values()), flow_id),
        )
        for flow_id in wanted
    ]


def _leading_to(applied: Sequence[AppliedFlow], flow_id: str) -> tuple[str, ...]:
    return tuple(flow.flow_id for flow in applied if flow.flow_id != flow_id and _leads(flow, flow_id))


def _leads(flow: AppliedFlow, flow_id: str) -> bool:
    for step in steps(flow.flow_id, json.loads(flow.body)):
        if step.raw.get("run") == flow_id:
            return True
        if any(option.get("run") == flow_id for _, _, option in options(step.raw, step.path)):
            return True
    return False
