"""What flows and settings of all files say together: who would clash, what never stops, what is missing."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import cast

from pamosnik.flows import changes, check_tests, clashes, loops, reach
from pamosnik.flows.bodies import Raw, given_tags, steps
from pamosnik.flows.check import VARIABLES
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import KEY
from pamosnik.flows.texts import variables


def check(outcome: Outcome) -> list[Problem]:
    """All problems that a flow alone cannot show."""
    return [
        *clashes.check(outcome),
        *loops.check(outcome),
        *changes.check(outcome),
        *reach.check(outcome),
        *check_tests.check(outcome),
        *_tags(outcome),
        *_former_ids(outcome),
        *_settings(outcome),
        *_hours(outcome),
    ]


def _tags(outcome: Outcome) -> list[Problem]:
    """A tag that is asked for and that no flow gives."""
    given = {tag for flow_id, body in outcome.flows.items() for tag in given_tags(flow_id, body)}
    found = []
    for flow_id in sorted(outcome.here):
        for path, tag in _asked_tags(flow_id, outcome.flows[flow_id]):
            if tag not in given and not outcome.may_be_lost(tag):
                hint = near(tag, sorted(given)) or "Nothing gives it but the command `contacts tag`."
                message = f"no flow gives the tag `{tag}`"
                found.append(outcome.problem(path, "tag-never-given", message, hint, Severity.WARNING))
    return found


def _asked_tags(flow_id: str, body: Raw) -> Iterator[tuple[str, str]]:
    yield from _tags_in(f"{flow_id}:only_if", cast("list[Raw]", body.get("only_if", [])))
    for number, trigger in enumerate(cast("list[Raw]", body.get("when", []))):
        yield from _tags_in(
            f"{flow_id}:when.{number}.audience", cast("list[Raw]", trigger.get("audience", []))
        )
    for step in steps(flow_id, body):
        if step.raw["do"] == "choose":
            for number, branch in enumerate(cast("list[Raw]", step.raw.get("choose", []))):
                place = f"{step.path}.choose.{number}.if"
                yield from _tags_in(place, cast("list[Raw]", branch.get("if", [])))


def _tags_in(path: str, raw: list[Raw]) -> Iterator[tuple[str, str]]:
    for number, condition in enumerate(raw):
        if condition["if"] in ("has_tag", "has_not_tag"):
            yield f"{path}.{number}", str(condition["value"])
        elif condition["if"] in ("any", "all", "none"):
            yield from _tags_in(f"{path}.{number}", cast("list[Raw]", condition["value"]))


def _former_ids(outcome: Outcome) -> Iterator[Problem]:
    """`was` names a flow that is gone; while that one is still there, nothing can follow."""
    taken: dict[str, str] = {}
    for flow_id in sorted(outcome.here):
        was = cast("str | None", outcome.flows[flow_id].get("was"))
        if was is None:
            continue
        message = None
        if was in outcome.here:
            message = f"the flow `{was}` stands in these files, too: so it was not renamed to `{flow_id}`"
        elif {was, flow_id} <= outcome.applied:
            message = f"the flow `{was}` is still applied beside `{flow_id}`"
        elif was in taken:
            message = f"`{taken[was]}` was `{was}` already"
        taken.setdefault(was, flow_id)
        if message is not None:
            yield outcome.problem(f"{flow_id}:was", "was-still-there", message, "Take `was:` out.")


_NAMED = {"facts": "a fact", "fields": "a field", "codes": "a pool of codes"}
"""Names of these mean one thing each. The first that stands in the files is blamed."""


def _two_meanings(outcome: Outcome) -> Iterator[Problem]:
    names = {kind: set(cast("Raw", outcome.settings.get(kind, {}))) for kind in _NAMED}
    for one, other in combinations(_NAMED, 2):
        for name in sorted(names[one] & names[other]):
            message = f"`{name}` is {_NAMED[other]} and {_NAMED[one]}"
            here = one if f"{one}.{name}" in outcome.places else other
            hint = "Take another name for one of them."
            yield outcome.problem(f"{here}.{name}{KEY}", "name-taken", message, hint)


def _hours(outcome: Outcome) -> Iterator[Problem]:
    """Hours that say nothing, or end where they begin."""
    for name, entries in cast("Mapping[str, list[Raw]]", outcome.settings.get("hours", {})).items():
        for number, entry in enumerate(entries):
            place = f"hours.{name}.{number}"
            if place not in outcome.places or place in outcome.broken:
                continue
            if not entry:
                message = f"the hours `{name}` say neither days nor times"
                yield outcome.problem(place, "empty-hours", message, "Write it like: { days: mon to fri }")
            elif "from" in entry and entry["from"] == entry.get("to"):
                message = "these hours end where they begin"
                hint = "For the whole day leave `from` and `to` out."
                yield outcome.problem(f"{place}.to", "empty-hours", message, hint)


def _only_facts(outcome: Outcome) -> Iterator[Problem]:
    """Sentences that are the same for everybody: nothing but facts can be filled in."""
    facts = cast("Raw", outcome.settings.get("facts", {}))
    says = cast("Mapping[str, str]", outcome.settings.get("says", {}))
    written = {f"says.{name}": text for name, text in says.items()}
    if isinstance(own := outcome.settings.get("disclosure"), str):
        written["disclosure"] = own
    for place, text in written.items():
        for name in variables(text) if place in outcome.places else ():
            if name not in facts and not outcome.may_be_lost(name):
                message = f"`{{{name}}}` cannot be filled in here: this sentence is the same for everybody"
                hint = near(name, facts) or "Only facts may stand here; for a brace itself write {{."
                problem = outcome.problem(place, "only-facts", message, hint)
                yield outcome.moved(problem, rf"\{{\s*{re.escape(name)}\s*[|}}]")


def _is_open_choice(spec: Raw) -> bool:
    return spec.get("type") == "choice" and "choices" not in spec


def _settings(outcome: Outcome) -> list[Problem]:
    """Names that mean two things, and a disclosure that was turned off."""
    found = []
    facts = cast("Raw", outcome.settings.get("facts", {}))
    fields = cast("Raw", outcome.settings.get("fields", {}))
    pools = cast("Raw", outcome.settings.get("codes", {}))
    for kind, names in (("fields", fields), ("facts", facts), ("codes", pools)):
        for name in names:
            if name in VARIABLES:
                message = f"`{name}` is the name of a variable already"
                found.append(
                    outcome.problem(f"{kind}.{name}{KEY}", "name-taken", message, "Take another name.")
                )
    found += _two_meanings(outcome)
    found += _only_facts(outcome)
    for name, spec in fields.items():
        if _is_open_choice(cast("Raw", spec)) and f"fields.{name}" not in outcome.broken:
            message = f"the field `{name}` is a choice and has no `choices`"
            hint = f"Write it like: {name}: {{ type: choice, choices: [small, large] }}"
            found.append(outcome.problem(f"fields.{name}", "choices-missing", message, hint))
    if outcome.settings.get("disclosure") is False and "disclosure" in outcome.places:
        found.append(
            outcome.problem(
                "disclosure",
                "no-disclosure",
                "people are not told that a machine writes; some countries demand it",
                None,
                Severity.WARNING,
            )
        )
    return found
