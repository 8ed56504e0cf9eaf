"""Steps that nobody reaches, steps too deep to be read, and messages that are taken back before they left."""

from collections.abc import Iterator, Mapping
from typing import cast

from pamosnik.flows.bodies import Placed, branches, falls_through, steps, ways_of
from pamosnik.flows.loops import Before, before
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity

Raw = Mapping[str, object]

NESTING = 2
"""Levels of steps within steps that people can still read."""
_LISTS = ("do", "if_no_answer", "if_not", "if_empty", "if_it_fails", "then", "else")
_ENDS = ("stop", "run", "opt_out")


def check(outcome: Outcome) -> list[Problem]:
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        for step in steps(flow_id, body):
            found += _behind(outcome, step)
            found += _same_conditions(outcome, step)
        found += _too_deep(outcome, flow_id, body)
        found += _taken_back(outcome, cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", None)
    return found


def _behind(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    if step.last or not never_goes_on(outcome, step.path, step.raw):
        return
    parent, _, number = step.path.rpartition(".")
    kind = step.raw["do"]
    if kind in _ENDS:
        message = f"nobody can reach this step: `{kind}` above it ends the way"
        hint = f"Move `{kind}` to the end, or delete what follows."
    else:
        way = {"split": "way", "ask": "answer"}.get(str(kind), "branch")
        message = f"nobody can reach this step: every {way} of the `{kind}` above ends with `stop` or `run`"
        hint = f"Take the `stop` out of one {way}, or delete what follows."
    yield outcome.problem(f"{parent}.{int(number) + 1}", "unreachable", message, hint)


def never_goes_on(outcome: Outcome, path: str, raw: Raw) -> bool:
    """Whether no way leads from this step to the one after it."""
    if raw["do"] in _ENDS:
        return True
    if path in outcome.broken or f"{path}.{raw['do']}" in outcome.broken:
        return False
    if raw["do"] == "ask":
        return _every_answer_ends(outcome, path, raw)
    ways = ways_of(raw)
    if not ways or falls_through(raw):
        return False
    lists = dict(branches(raw, path))
    return len(lists) == len(ways) and all(_ends(outcome, *inner) for inner in lists.items())


def _every_answer_ends(outcome: Outcome, path: str, ask: Raw) -> bool:
    """Also wrong answers, and none at all, which ends the run unless the flow says otherwise."""
    choices = cast("list[Raw]", ask.get("choices", []))
    if not choices or "optional" in ask or "accept" in ask:
        return False
    if "then" not in cast("Raw", ask.get("if_not_understood", {})):
        return False
    lists = dict(branches(ask, path))
    return all("do" in choice or "run" in choice for choice in choices) and all(
        _ends(outcome, *inner) for inner in lists.items()
    )


def _ends(outcome: Outcome, path: str, raw: list[Raw]) -> bool:
    return any(never_goes_on(outcome, f"{path}.{number}", step) for number, step in enumerate(raw))


def _same_conditions(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    seen: list[object] = []
    for number, branch in enumerate(cast("list[Raw]", step.raw.get("choose", []))):
        if "if" not in branch or f"{step.path}.choose.{number}.if" in outcome.broken:
            continue
        if branch["if"] in seen:
            yield outcome.problem(
                f"{step.path}.choose.{number}",
                "unreachable",
                "nobody can reach this branch: one above it has the same condition and comes first",
                "Change one of the two conditions, or put both lists of steps into one branch.",
            )
        seen.append(branch["if"])


def _too_deep(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """Once per flow, at the first step that is too deep to be read."""
    for step in steps(flow_id, body):
        lists = sum(part in _LISTS for part in step.path.partition(":")[2].split("."))
        if lists - 1 > NESTING:
            message = f"this step stands {lists - 1} levels deep"
            hint = "Make a flow of the inner steps and go there with `run:`."
            yield outcome.problem(step.path, "deep-nesting", message, hint, Severity.NOTE)
            return


def _taken_back(outcome: Outcome, raw: list[Raw], path: str, fresh: str | None) -> Iterator[Problem]:
    """Messages right before an `opt_out`. `fresh`: the last one on the way here that had no time to leave."""
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        kind = step["do"]
        if kind == "opt_out" and fresh is not None:
            message = "this message is not sent: the `opt_out` after it drops what has not left yet"
            hint = "`opt_out` says `says.stopped` itself; write your words there."
            yield outcome.problem(fresh, "taken-back", message, hint, Severity.WARNING)
        for inner_path, inner in branches(step, here):
            at_once = before(inner_path, here) is Before.NOTHING
            yield from _taken_back(outcome, inner, inner_path, fresh if at_once else None)
        if kind in ("send", "give_code"):
            fresh = here
        elif kind in ("ask", "forget_me", "wait", "wait_for", "hand_over"):
            fresh = None
