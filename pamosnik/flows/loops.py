"""Flows that lead to themselves: without any wait a run would never rest, without an answer it would never end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from pamosnik.flows import changes
from pamosnik.flows.bodies import Raw, branches
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.schema_steps import UNREAD


class Before(IntEnum):
    """What must happen before the steps of a branch."""

    NOTHING = 0
    TIME = 1
    """Nobody answers."""
    ANSWER = 2
    """The person taps or writes something."""


_TAPPED = (".buttons.", ".chips.", ".choices.", ".cards.", ".if_not_understood.")
_SILENT = (".if_no_answer", ".if_not")
_ENDS = ("stop", "opt_out", "forget_me", "run", UNREAD)


def before(branch: str, step: str) -> Before:
    """`branch`: path of a list of steps within the step."""
    inside = branch.removeprefix(step)
    if any(sign in f"{inside}." for sign in _TAPPED):
        return Before.ANSWER
    return Before.TIME if inside in _SILENT else Before.NOTHING


@dataclass(frozen=True, slots=True)
class _Lead:
    """A step that another flow begins with, reached without an answer of the person."""

    flow_id: str
    place: str
    by: Before
    step: str = "run"
    """Its verb: `run`, or one that gives a tag or sets a field for which the other flow waits."""


def check(outcome: Outcome) -> list[Problem]:
    waiting = changes.waiting(outcome)
    leads = {
        flow_id: list(_leads(waiting, cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", Before.NOTHING))
        for flow_id, body in outcome.flows.items()
    }
    found = [
        _said(outcome, flow_id, ring) for flow_id in sorted(outcome.here) for ring in _rings(flow_id, leads)
    ]
    return list(dict.fromkeys(found))


def _said(outcome: Outcome, flow_id: str, ring: list[_Lead]) -> Problem:
    by = max(lead.by for lead in ring)
    first = ring[0]
    way = f": {_way(outcome, flow_id, ring)}" if len(ring) > 1 else ""
    if by is Before.NOTHING:
        message = f"the flow `{flow_id}` starts itself again and never waits, an endless loop{way}"
        hint = f"Put an `ask` before the `{first.step}`, so that the person decides, or take it out."
        return outcome.problem(first.place, "loop", message, hint)
    message = f"the flow `{flow_id}` begins again and again, although the person does not answer{way}"
    if any(lead.step != "run" for lead in ring):
        hint = (
            f"Put an `ask` or a button before the `{first.step}`, so that the person decides, or take it out."
        )
        return outcome.problem(first.place, "loop", message, hint)
    hint = "Put an `ask` or a button before the `run:`, or end the `wait` with if_window_closed: stop."
    return outcome.problem(first.place, "endless", message, hint, Severity.WARNING)


def _way(outcome: Outcome, flow_id: str, ring: list[_Lead]) -> str:
    """`a` (line 7, `run`) → `b` (more.yaml:12, `tag`) → `a`."""
    here = outcome.places.get(ring[0].place, ("", None))[0]
    parts = []
    for at, lead in zip([flow_id, *(lead.flow_id for lead in ring)], ring, strict=False):
        file, mark = outcome.places.get(lead.place, ("", None))
        line = "applied" if mark is None else f"line {mark.line}" if file == here else f"{file}:{mark.line}"
        parts.append(f"`{at}` ({line}, `{lead.step}`)")
    return " → ".join([*parts, f"`{flow_id}`"])


def _rings(flow_id: str, leads: Mapping[str, list[_Lead]]) -> Iterator[list[_Lead]]:
    """The ways out of a flow that come back to it, each as that on which the least happens."""
    for first in leads.get(flow_id, []):
        ways: dict[str, list[_Lead]] = {first.flow_id: [first]}
        open_flows = [first.flow_id]
        while open_flows:
            here = open_flows.pop(0)
            for lead in leads.get(here, []) if here != flow_id else []:
                way = [*ways[here], lead]
                known = ways.get(lead.flow_id)
                if known is None or _least(way) < _least(known):
                    ways[lead.flow_id] = way
                    open_flows.append(lead.flow_id)
        if flow_id in ways:
            yield ways[flow_id]


def _least(way: list[_Lead]) -> Before:
    return max(lead.by for lead in way)


def _leads(
    waiting: Mapping[tuple[str, str], list[str]], raw: list[Raw], path: str, by: Before
) -> Iterator[_Lead]:
    """The steps of a list that begin other flows, as far as somebody reaches them who does nothing."""
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        kind = step["do"]
        if kind == "run":
            yield _Lead(str(step.get("run")), here, by)
        for change in _changes(step):
            for flow_id in waiting.get(change, []):
                if flow_id != path.partition(":")[0]:
                    yield _Lead(flow_id, here, by, str(kind))
        silent = False
        for inner_path, inner in branches(step, here):
            needs = before(inner_path, here)
            if needs is not Before.ANSWER:
                yield from _leads(waiting, inner, inner_path, max(by, needs))
            silent = silent or needs is Before.TIME
        if kind in _ENDS or (kind == "wait" and step.get("if_window_closed") in ("stop", "tell_me")):
            return
        if kind == "wait_for" and "tag" in step:
            continue  # the person may have it already
        if kind in ("ask", "wait_for") and not silent:
            return
        if kind in ("ask", "wait_for", "wait", "hand_over"):
            by = Before.TIME


def _changes(step: Raw) -> Iterator[tuple[str, str]]:
    """What a step does without an answer for which a flow may wait."""
    for tag in cast("list[str]", step["tag"]) if step["do"] == "tag" and "tag" in step else []:
        yield "tag_added", tag
    if step["do"] != "ask":
        for name in changes.set_fields(step):
            yield "field_set", name
