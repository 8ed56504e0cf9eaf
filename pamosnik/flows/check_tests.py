"""Do tests in flow files name what exists? Whether they pass, only playing them shows."""

from collections.abc import Iterator
from typing import cast

from pamosnik.flows.bodies import Raw
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem
from pamosnik.flows.reader import KEY


def check(outcome: Outcome) -> list[Problem]:
    of_flows = {
        f"{flow_id}:tests": cast("list[Raw]", outcome.flows[flow_id].get("tests", []))
        for flow_id in sorted(outcome.here)
    }
    found: list[Problem] = []
    for path, tests in {**of_flows, **outcome.tests}.items():
        for number, test in enumerate(tests):
            found += _test(outcome, f"{path}.{number}", test)
    return found


def _test(outcome: Outcome, path: str, test: Raw) -> Iterator[Problem]:
    yield from _fields(outcome, f"{path}.person.fields", cast("Raw", test.get("person", {})).get("fields"))
    for number, step in enumerate(cast("list[Raw]", test.get("steps", []))):
        here = f"{path}.steps.{number}.{step['step']}"
        if step["step"] == "person":
            yield from _fields(outcome, f"{here}.fields", step.get("fields"))
        if step["step"] == "expect":
            yield from _fields(outcome, f"{here}.field", step.get("field"))
            yield from _webhooks(outcome, f"{here}.called", cast("list[str]", step.get("called", [])))


def _fields(outcome: Outcome, path: str, named: object) -> Iterator[Problem]:
    known = list(cast("Raw", outcome.settings.get("fields", {})))
    for name in cast("Raw", named or {}):
        if name not in known and not outcome.may_be_lost(name):
            hint = near(name, known) or f"Add it at the top: fields: {{{name}: text}}"
            message = f"the field `{name}` is not declared"
            yield outcome.problem(f"{path}.{name}{KEY}", "unknown-field", message, hint)


def _webhooks(outcome: Outcome, path: str, named: list[str]) -> Iterator[Problem]:
    known = list(cast("Raw", outcome.settings.get("webhooks", {})))
    for number, name in enumerate(named):
        if name not in known and not outcome.may_be_lost(name):
            message = f"there is no webhook `{name}`"
            yield outcome.problem(f"{path}.{number}", "unknown-webhook", message, near(name, known))
