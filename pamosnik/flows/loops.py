"""Flows that lead to themselves: without any wait a run would never rest, without an answer it would never end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from pamosnik.flows.check import Outcome, Raw, branches
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
    """A `run:` that is reached without an answer of the person."""

    flow_id: str
    place: str
    by: Before


def check(outcome: Outcome) -> list[Problem]:
    leads = {
        flow_id: list(_leads(cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", Before.NOTHING))
        for flow_id, body in outcome.flows.items()
    }
    found = [
        _said(outcome, flow_id, lead) for flow_id in sorted(outcome.here) for lead in _back_to(flow_id, leads)
    ]
    return list(dict.fromkeys(found))


def _said(outcome: Outcome, flow_id: str, lead: _Lead) -> Problem:
    if lead.by is Before.NOTHING:
        message = f"the flow `{flow_id}` starts itself again and never waits"
        hint = "Put an `ask` before the `run:`, so that the person decides, or take it out."
        return outcome.problem(lead.place, "loop", message, hint)
    message = f"the flow `{flow_id}` begins again and again, although the person does not answer"
    hint = "Put an `ask` or a button before the `run:`, or end the `wait` with if_window_closed: stop."
    return outcome.problem(lead.place, "endless", message, hint, Severity.WARNING)


def _back_to(flow_id: str, leads: Mapping[str, list[_Lead]]) -> Iterator[_Lead]:
    """The ways out of a flow that come back to it, each with the least that happens on them."""
    for first in leads.get(flow_id, []):
        least: dict[str, Before] = {first.flow_id: first.by}
        open_flows = [first.flow_id]
        while open_flows:
            here = open_flows.pop(0)
            for lead in leads.get(here, []) if here != flow_id else []:
                by = max(least[here], lead.by)
                if by < least.get(lead.flow_id, Before.ANSWER):
                    least[lead.flow_id] = by
                    open_flows.append(lead.flow_id)
        if flow_id in least:
            yield _Lead(first.flow_id, first.place, least[flow_id])


def _leads(raw: list[Raw], path: str, by: Before) -> Iterator[_Lead]:
    """The `run:` steps of a list that somebody reaches who does nothing."""
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        kind = step["do"]
        if kind == "run":
            yield _Lead(str(step.get("run")), here, by)
        silent = False
        for inner_path, inner in branches(step, here):
            needs = before(inner_path, here)
            if needs is not Before.ANSWER:
                yield from _leads(inner, inner_path, max(by, needs))
            silent = silent or needs is Before.TIME
        if kind in _ENDS or (kind == "wait" and step.get("if_window_closed") in ("stop", "tell_me")):
            return
        if kind in ("ask", "wait_for") and not silent:
            return
        if kind in ("ask", "wait_for", "wait", "hand_over"):
            by = Before.TIME
