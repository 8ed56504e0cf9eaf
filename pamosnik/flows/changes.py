"""`tag_added` and `field_set`: what another flow does starts a flow. Is there another, and may it write then?"""

from collections.abc import Iterator, Mapping
from typing import cast

from pamosnik.flows.bodies import branches, given_tags, steps, triggers
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.schema_steps import UNREAD

Raw = Mapping[str, object]

KINDS = {"tag_added": "tag", "field_set": "field"}
"""Trigger → the key under which it names what it waits for."""


def set_fields(step: Raw) -> Iterator[str]:
    """Fields that a step sets, the answers of people and services included."""
    for key in ("set", "add", "save"):
        yield from cast("Raw", step.get(key, {}))
    if "save_as" in step:
        yield str(step["save_as"])


def waiting(outcome: Outcome) -> Mapping[tuple[str, str], list[str]]:
    """(Trigger, tag or field) → flows that wait for it."""
    found: dict[tuple[str, str], list[str]] = {}
    for flow_id, body in outcome.flows.items():
        for trigger in triggers(body):
            for name in _names(trigger):
                found.setdefault((str(trigger["trigger"]), name), []).append(flow_id)
    return found


def _names(trigger: Raw) -> list[str]:
    return cast("list[str]", trigger.get(KINDS.get(str(trigger["trigger"]), ""), []))


def check(outcome: Outcome) -> list[Problem]:
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        for number, trigger in enumerate(triggers(body)):
            place = f"{flow_id}:when.{number}"
            for position, name in enumerate(_names(trigger)):
                here = f"{place}.{KINDS[str(trigger['trigger'])]}.{position}"
                if trigger["trigger"] == "tag_added":
                    found += _never_given(outcome, flow_id, here, name)
                elif name in cast("Raw", outcome.settings.get("fields", {})):
                    found += _never_set(outcome, flow_id, here, name)
                elif not outcome.may_be_lost(name):
                    found.append(_undeclared(outcome, here, name))
        found += _window(outcome, flow_id, body)
    return found


def _undeclared(outcome: Outcome, place: str, name: str) -> Problem:
    fields = list(cast("Raw", outcome.settings.get("fields", {})))
    hint = near(name, fields) or f"Add it at the top: fields: {{{name}: text}}"
    return outcome.problem(place, "unknown-field", f"the field `{name}` is not declared", hint)


_ONLY_OTHERS = "A flow does not start itself, and commands start none."


def _never_given(outcome: Outcome, flow_id: str, place: str, name: str) -> Iterator[Problem]:
    given = {tag for other, body in _others(outcome, flow_id) for tag in given_tags(other, body)}
    if name not in given and not outcome.may_be_lost(name):
        message, hint = f"no other flow gives the tag `{name}`", near(name, sorted(given)) or _ONLY_OTHERS
        yield outcome.problem(place, "tag-never-given", message, hint, Severity.WARNING)


def _never_set(outcome: Outcome, flow_id: str, place: str, name: str) -> Iterator[Problem]:
    known = {
        field
        for other, body in _others(outcome, flow_id)
        for step in steps(other, body)
        for field in set_fields(step.raw)
    }
    if name not in known and not outcome.may_be_lost(name):
        message, hint = f"no other flow sets the field `{name}`", near(name, sorted(known)) or _ONLY_OTHERS
        yield outcome.problem(place, "field-never-set", message, hint, Severity.WARNING)


def _others(outcome: Outcome, flow_id: str) -> Iterator[tuple[str, Raw]]:
    return ((other, body) for other, body in outcome.flows.items() if other != flow_id)


def _window(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """Nobody has written when such a flow begins, so nobody knows whether they may be written to."""
    number = next((n for n, one in enumerate(triggers(body)) if one["trigger"] in KINDS), None)
    if number is None or _asks_for_window(cast("list[Raw]", body.get("only_if", []))):
        return
    if _writes(cast("list[Raw]", body.get("do", []))):
        yield outcome.problem(
            f"{flow_id}:when.{number}",
            "window-needed",
            "when this starts the flow, its messages reach people only whose 24-hour window is open; for others they"
            " are passed over",
            "If it should not begin without them: only_if: window_open",
            Severity.WARNING,
        )


def _asks_for_window(conditions: list[Raw]) -> bool:
    return any(one["if"] == "window_open" and one["value"] is True for one in conditions)


def _writes(raw: list[Raw]) -> bool:
    """Whether a message may be sent before the person does something, and without asking for the window."""
    for step in raw:
        if step["do"] in ("send", "ask") or (step["do"] == "give_code" and "text" in step):
            return True
        if step["do"] == UNREAD:
            return False
        if step["do"] == "choose":
            for branch in cast("list[Raw]", step.get("choose", [])):
                inner = cast("list[Raw]", branch.get("do", branch.get("else", [])))
                if not _asks_for_window(cast("list[Raw]", branch.get("if", []))) and _writes(inner):
                    return True
        elif any(_writes(inner) for _, inner in branches(step, "")):
            return True
    return False
