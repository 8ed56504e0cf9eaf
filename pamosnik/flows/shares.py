"""`split` and `add`: do the shares make a whole, and is what is counted a number?"""

from collections.abc import Iterator, Mapping
from typing import cast

from pamosnik.flows.bodies import Placed, steps
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem
from pamosnik.flows.reader import KEY

Raw = Mapping[str, object]


def check(outcome: Outcome) -> list[Problem]:
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        for step in steps(flow_id, outcome.flows[flow_id]):
            if step.raw["do"] == "split" and step.path not in outcome.broken:
                found += _whole(outcome, step)
            for name in cast("Raw", step.raw.get("add", {})):
                found += _number(outcome, f"{step.path}.{name}{KEY}", name)
    return found


def _whole(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    ways = cast("list[Raw]", step.raw.get("split", []))
    total = sum(cast("int", way["share"]) for way in ways)
    if len(ways) == 1:
        message, hint = "a `split` needs at least two ways", "Add one, or take the `split` out."
        yield outcome.problem(step.path, "bad-shares", message, hint)
    elif total != 100:
        message = f"the shares of this `split` add up to {total}, and have to add up to 100"
        yield outcome.problem(step.path, "bad-shares", message, "Change one of them.")
    elif not any("do" in way for way in ways):
        message, hint = "no way of this `split` does anything", "Give at least one of them a `do:`."
        yield outcome.problem(step.path, "empty-split", message, hint)


def _number(outcome: Outcome, place: str, name: str) -> Iterator[Problem]:
    fields = cast("Mapping[str, Raw]", outcome.settings.get("fields", {}))
    spec: Raw = {} if f"fields.{name}" in outcome.broken else fields.get(name, {})
    kind = str(spec.get("type", "number"))
    if kind != "number":
        message = f"`add` counts numbers, and `{name}` is {'an' if kind == 'email' else 'a'} {kind}"
        hint = f"Declare `{name}` as number, or use `set`."
        yield outcome.problem(place, "wrong-field", message, hint)
