"""Flows that were rolled back while their files say something else: `apply` leaves them so unless told not to."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pamosnik.engine.clock_times import on_the_clock
from pamosnik.flows.compile import version_of
from pamosnik.flows.load import FlowSource, Loaded
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.plan import Plan, RolledBack, renames
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.recheck import misfits
from pamosnik.store.flows import AppliedFlow

_Flows = Mapping[str, AppliedFlow]
"""Id, of a flow that gets another one the new, → the flow that is rolled back."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Flows that are rolled back, as files have it."""

    differs: _Flows
    """The files say something else or, with `--prune`, nothing at all."""
    stays: _Flows
    """Those of them that stay as they are."""
    agreed: frozenset[str]
    """The files say the same: these count as rolled back no longer."""


def leave(
    loaded: Loaded,
    applied: Sequence[AppliedFlow],
    around: Outcome,
    *,
    prune: bool,
    over: bool | Collection[str],
    file: str,
) -> tuple[Loaded, Marks]:
    """What the files say, but for the flows that stay rolled back; the rules are asked of the outcome. `around`: what
    stays beside the files. `over`: flows, or all, that need not stay so. `file`: for problems of flows in no file."""
    ids = {one.flow_id: one for one in applied}
    former = renames(loaded.flows, ids)
    new = {old: flow_id for flow_id, old in former.items()}
    rolled = {new.get(key, key): one for key, one in ids.items() if one.rolled_back_at is not None}
    written = {flow.id: version_of(flow.body) for flow in loaded.flows}
    differs = {
        flow_id: one
        for flow_id, one in rolled.items()
        if (written[flow_id] != one.version if flow_id in written else prune)
    }
    stays = {} if over is True else {key: one for key, one in differs.items() if key not in (over or ())}
    marks = Marks(differs, stays, frozenset(rolled.keys() & written.keys() - differs.keys()))
    if not stays or loaded.has_errors:
        return loaded, marks
    bodies = {
        **{key: body for key, body in around.flows.items() if key not in new},
        **{flow.id: flow.body for flow in loaded.flows},
        **{flow_id: _body(one) for flow_id, one in stays.items()},
    }
    problems = _misfits(loaded, replace(around, flows=bodies, settings=loaded.settings), stays, file)
    flows = tuple(_left(flow, stays.get(flow.id)) for flow in loaded.flows)
    return replace(loaded.with_problems(problems), flows=flows), marks


def _misfits(loaded: Loaded, outcome: Outcome, stays: _Flows, file: str) -> Iterator[Problem]:
    places = {flow.id: (flow.file, flow.line) for flow in loaded.flows}
    for one in misfits(outcome, list(stays)):
        written_in, line = places.get(one.flow_id, (file, 1))
        message = (
            f"`{one.flow_id}` stays rolled back, and in that version {one.place} does not fit: {one.message}"
        )
        hint = "Put back what it needs, or apply what the file says: --over-rollback"
        yield Problem(written_in, line, 1, Severity.ERROR, one.code, message, hint)


def _body(flow: AppliedFlow) -> Mapping[str, object]:
    return {key: value for key, value in json.loads(flow.body).items() if key != "tests"}


def _left(flow: FlowSource, rolled_back: AppliedFlow | None) -> FlowSource:
    if rolled_back is None:
        return flow
    was = {"was": flow.body["was"]} if "was" in flow.body else {}
    return replace(flow, body={**json.loads(rolled_back.body), **was})


def told(plan: Plan, marks: Marks, zone: str) -> Plan:
    """The plan, with the flows that are rolled back named as such."""
    changes = [
        replace(
            change,
            rolled_back=_rolled_back(marks.differs[change.flow_id], change.flow_id in marks.stays, zone),
        )
        if change.flow_id in marks.differs
        else change
        for change in plan.changes
    ]
    return replace(plan, changes=tuple(changes))


def _rolled_back(flow: AppliedFlow, stays: bool, zone: str) -> RolledBack:
    since = flow.rolled_back_at
    assert isinstance(since, datetime)
    return RolledBack(since, on_the_clock(since, zone), stays)
