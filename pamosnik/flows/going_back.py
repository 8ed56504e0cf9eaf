"""`again`: where it leads, and whether that is a step which everybody who comes to it has behind them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pamosnik.flows.bodies import branches, steps
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem
from pamosnik.flows.reach import never_goes_on

Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StepList:
    """A list of steps, and how ways lead out of it."""

    steps: list[Raw]
    owner: str | None
    """The step that it stands in; None: the flow's own."""
    leads_on: bool
    """Whether the step after the owner follows; behind a button or chip nothing does."""


@dataclass(frozen=True, slots=True)
class Map:
    """Where everything stands in a flow."""

    ids: Mapping[str, str]
    """`id` → path of the step."""
    lists: Mapping[str, StepList]
    """By their paths."""


def map_of(flow_id: str, body: Raw) -> Map:
    return Map(_ids(flow_id, body), _lists(flow_id, body))


def _lists(flow_id: str, body: Raw) -> Mapping[str, StepList]:
    found = {f"{flow_id}:do": StepList(cast("list[Raw]", body.get("do", [])), None, leads_on=False)}
    for step in steps(flow_id, body):
        for path, inner in branches(step.raw, step.path):
            found[path] = StepList(inner, step.path, leads_on=not _by_tap(step.path, path))
    return found


def _by_tap(step: str, path: str) -> bool:
    return path.removeprefix(f"{step}.").partition(".")[0] in ("buttons", "chips", "cards")


def _ids(flow_id: str, body: Raw) -> Mapping[str, str]:
    return {str(step.raw["id"]): step.path for step in steps(flow_id, body) if "id" in step.raw}


def check(outcome: Outcome) -> list[Problem]:
    """Ways back that lead nowhere, or not back."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        known = _ids(flow_id, body)
        before = _Before(outcome)
        before.walk(cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", frozenset())
        for step in steps(flow_id, body):
            if "again" in step.raw:
                behind = before.seen.get(step.path)
                found += _target(outcome, step.path, str(step.raw["again"]), known, behind)
    return found


def _target(
    outcome: Outcome, path: str, wanted: str, known: Mapping[str, str], behind: frozenset[str] | None
) -> Iterator[Problem]:
    if wanted not in known:
        if not outcome.may_be_lost(wanted):
            message = f"no step of this flow has the id `{wanted}`"
            hint = near(wanted, list(known)) or f"Write `id: {wanted}` beside the step it goes back to."
            yield outcome.problem(f"{path}.again", "unknown-id", message, hint)
    elif behind is not None and wanted not in behind:
        place = outcome.places.get(known[wanted])
        line = "" if place is None else f" (line {place[1].line})"
        message = (
            f"`again` goes back only, and the step `{wanted}`{line} is not before this one on any way here"
        )
        hint = "Go back to a step that stands before it, or go on in another flow with `run:`."
        yield outcome.problem(f"{path}.again", "not-before", message, hint)


class _Before:
    """Notes for each `again` the ids of the steps that somebody may have behind them there."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.seen: dict[str, frozenset[str]] = {}

    def walk(self, raw: list[Raw], path: str, before: frozenset[str]) -> frozenset[str]:
        """What may be behind somebody at the end of the list; a list that never ends has nothing behind it."""
        for number, step in enumerate(raw):
            here = f"{path}.{number}"
            if step["do"] == "again":
                self.seen[here] = before
            before |= {str(step["id"])} if "id" in step else frozenset()
            behind = before
            for inner_path, inner in branches(step, here):
                after = self.walk(inner, inner_path, before)
                if not _by_tap(here, inner_path):
                    behind |= after
            if never_goes_on(self.outcome, here, step):
                return frozenset()
            before = behind
        return before
