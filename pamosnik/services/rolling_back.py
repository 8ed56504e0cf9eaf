"""Rolling back: an earlier version of one flow becomes the one that is applied, and `apply` leaves it so."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound, PamosnikError, PlanOutdated, UsageError
from pamosnik.flows.outcome import Outcome, Unset
from pamosnik.flows.plan import Applied, Change, ChangeKind, Plan
from pamosnik.flows.recheck import Misfit, misfits
from pamosnik.services import broadcasts, flow_history, flow_plans, flows
from pamosnik.services.library import Library
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import accounts, applying
from pamosnik.store import flow_history as history_store
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import By
from pamosnik.store.flows import AppliedFlow, NewFlow, Version

SHORT = 8
"""Characters of a version that people read and type."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the rules have to know of where the flows run."""

    can_mail: bool
    is_public: bool
    unset: Unset
    """What is wrong with a variable of the environment."""
    now: datetime


@dataclass(frozen=True, slots=True)
class RollBack:
    """What rolling a flow back would do."""

    flow_id: str
    version: Version
    title: str
    applied: AppliedFlow | None
    """As it is now; None: it was taken out, and comes back."""
    plan: Plan
    problems: tuple[Misfit, ...]
    revision: int
    """Of what was applied then."""

    @property
    def is_there(self) -> bool:
        """The version is the one that is applied."""
        return self.applied is not None and self.applied.version == self.version.version


def propose(
    conn: Connection, account_id: str, flow_id: str, version: str | None, machine: Machine
) -> RollBack:
    """Changes nothing. `version`: its first characters; None: the version before this one. Raises `NotFound`,
    `UsageError` when several versions begin so, `PamosnikError` when there is none before."""
    applied = {flow.flow_id: flow for flow in flow_store.applied(conn, account_id)}
    versions = flow_store.versions(conn, account_id, flow_id)
    if not versions:
        raise flow_history.unknown(conn, account_id, flow_id, "rollback")
    here = applied.get(flow_id)
    if version is None:
        chosen = _before(conn, account_id, flow_id, here, versions)
    else:
        chosen = _named(flow_id, version, versions)
    body = {key: value for key, value in json.loads(chosen.body).items() if key != "tests"}
    title = str(body.get("title", flow_id))
    before = None
    if here is not None:
        before = Applied(here.version, here.title, json.loads(here.body))
    bodies = {**{one.flow_id: json.loads(one.body) for one in applied.values()}, flow_id: body}
    outcome = _outcome(conn, account_id, bodies, machine)
    plan = Plan((_change(conn, account_id, flow_id, chosen, title, body, before),), settings=())
    return RollBack(
        flow_id,
        chosen,
        title,
        here,
        flows.with_people(conn, account_id, plan),
        tuple(misfits(outcome, [flow_id])),
        flow_store.revision(conn, account_id),
    )


def headline(proposal: RollBack, shown: Callable[[object], str]) -> str:
    """`shown`: an instant of the JSON contract for people."""
    version, first = proposal.version.version[:SHORT], shown(iso(proposal.version.first_applied_at))
    paused = " It is paused, and stays so." if proposal.plan.changes[0].is_paused else ""
    if proposal.applied is None:
        return f"{proposal.flow_id} was taken out; it comes back as {version}, first applied {first}.{paused}"
    now = proposal.applied.version[:SHORT]
    return f"{proposal.flow_id} goes from {now} back to {version}, first applied {first}.{paused}"


def as_json(proposal: RollBack) -> Shape:
    """A flow's part of `flows diff`, and what speaks against it."""
    return {
        **flow_plans.change_json(proposal.plan.changes[0]),
        "first_applied_at": iso(proposal.version.first_applied_at),
        "problems": [
            {"place": one.path, "step": one.step, "code": one.code, "message": one.message, "hint": one.hint}
            for one in proposal.problems
        ],
    }


def _change(
    conn: Connection,
    account_id: str,
    flow_id: str,
    version: Version,
    title: str,
    body: Mapping[str, object],
    before: Applied | None,
) -> Change:
    kind = ChangeKind.ADDED if before is None else ChangeKind.CHANGED
    if before is not None and before.version == version.version:
        kind = ChangeKind.UNCHANGED
    people = flow_store.in_flight(conn, account_id).get(flow_id, 0)
    return Change(flow_id, kind, title, version.version, people, before=before, after=body)


def _outcome(
    conn: Connection, account_id: str, bodies: Mapping[str, Mapping[str, object]], machine: Machine
) -> Outcome:
    """What would be applied, for the rules of files."""
    return Outcome(
        flows=bodies,
        settings=json.loads(flow_store.settings(conn, account_id)),
        here=frozenset(),
        places={},
        applied=frozenset(bodies),
        connected=flows.usernames(conn, account_id),
        can_mail=machine.can_mail,
        now=machine.now,
        is_public=machine.is_public,
        unset=machine.unset,
    )


def _before(
    conn: Connection, account_id: str, flow_id: str, here: AppliedFlow | None, versions: list[Version]
) -> Version:
    """The version before the one that is applied; of a flow that was taken out, its last; of one that is rolled back
    already, the one that it was rolled back to."""
    kept = {one.version: one for one in versions}
    been = [
        entry.version
        for entry in history_store.of_this_flow(conn, account_id, flow_id)
        if entry.version in kept
    ]
    if here is None:
        return kept[been[0]] if been else versions[0]
    if here.rolled_back_at is not None:
        return kept[here.version]
    earlier = [one for one in been if one != here.version]
    if not earlier:
        raise PamosnikError(
            f"{flow_id} has no earlier version.", hint=f"Try: pamosnik flows history {flow_id}"
        )
    return kept[earlier[0]]


def _named(flow_id: str, written: str, versions: list[Version]) -> Version:
    fitting = [one for one in versions if one.version.startswith(written.casefold())]
    if len(fitting) == 1 and written:
        return fitting[0]
    listed = ", ".join(one.version[:SHORT] for one in fitting or versions)
    if not fitting:
        raise NotFound(
            f"{flow_id} has no version {written}.",
            hint=f"It has: {listed}. Try: pamosnik flows history {flow_id}",
        )
    if len({one.version[:SHORT] for one in fitting}) < len(fitting):
        listed = ", ".join(one.version for one in fitting)
    raise UsageError(
        f"{len(fitting)} versions of {flow_id} begin with {written!r}.",
        hint=f"They are: {listed}. Try: pamosnik flows history {flow_id}",
    )


def roll_back(conn: Connection, account_id: str, proposal: RollBack, by: By) -> None:
    """Makes this version the one that is applied. People in flight finish the version they began.

    Raises `PlanOutdated`, and changes nothing, when something else has been applied since.
    """
    if flow_store.revision(conn, account_id) != proposal.revision:
        raise PlanOutdated(
            "Nothing was rolled back: the applied flows have changed since this plan was made.",
            hint=f"Look at it again. Try: pamosnik flows rollback {proposal.flow_id} --dry-run",
        )
    version = proposal.version
    applying.put_back(conn, account_id, proposal.flow_id, version.version, proposal.title, by)
    new = NewFlow(proposal.flow_id, version.version, proposal.title, version.body, version.timezone)
    flows.next_posts(conn, account_id, [new], [], by.now)
    broadcasts.plan(conn, Library(), account_id, by.now)
    accounts.audit(
        conn, account_id, actor=by.actor, action="flows rollback", subject=proposal.flow_id, now=by.now
    )
