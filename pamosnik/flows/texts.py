"""Texts with variables: `{name|stand-in}`; `{{` is a brace."""

import re
from collections.abc import Mapping
from typing import cast

from pamosnik.model.text import Text, Variable

_KNOWN_LENGTH = {"today": "2026-12-24", "now": "09:00"}
_A_DATE = "2026-12-24"

_PART = re.compile(r"\{\{|\}\}|\{([^{}|]*)(?:\|([^{}]*))?\}|\{")


class BadVariable(ValueError):
    """A brace that is opened and not closed, or holds no name. `place` counts characters from 0."""

    def __init__(self, place: int) -> None:
        super().__init__("a brace is opened and not closed")
        self.place = place


def parse_text(written: str) -> Text:
    """The parts of a text. Raises `BadVariable`."""
    parts: list[str | Variable] = []
    plain = ""
    end = 0
    for found in _PART.finditer(written):
        plain += written[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            plain += found[0][0]
        elif found[1] is None or not found[1].strip():
            raise BadVariable(found.start())
        else:
            if plain:
                parts.append(plain)
                plain = ""
            parts.append(Variable(found[1].strip(), None if found[2] is None else found[2].strip()))
    plain += written[end:]
    if plain or not parts:
        parts.append(plain)
    return Text(tuple(parts))


def with_facts(written: str, facts: Mapping[str, str]) -> str:
    """A sentence that is the same for everybody, with the facts in it filled in."""
    try:
        parts = parse_text(written).parts
    except BadVariable:
        return written
    return "".join(part if isinstance(part, str) else _as_a_fact(part, facts) for part in parts)


def _as_a_fact(variable: Variable, facts: Mapping[str, str]) -> str:
    found = facts.get(variable.name, variable.stand_in)
    return f"{{{variable.name}}}" if found is None else found


def longest(written: str, settings: Mapping[str, object]) -> str:
    """The text with the longest that its variables surely can stand for.

    Facts, dates and choices are known, and so are stand-ins. Of what people write nothing is known: it is shortened.
    """
    try:
        parts = parse_text(written).parts
    except BadVariable:
        return written
    return "".join(part if isinstance(part, str) else _longest_of(part, settings) for part in parts)


def _longest_of(variable: Variable, settings: Mapping[str, object]) -> str:
    facts = cast("Mapping[str, str]", settings.get("facts", {}))
    if variable.name in facts:
        return facts[variable.name]
    field = cast("Mapping[str, Mapping[str, object]]", settings.get("fields", {})).get(variable.name, {})
    candidates = [variable.stand_in or "", _KNOWN_LENGTH.get(variable.name, "")]
    if field.get("type") == "date":
        candidates.append(_A_DATE)
    elif field.get("type") == "choice":
        candidates += cast("list[str]", field.get("choices", []))
    return max(candidates, key=lambda one: len(one.encode()))


def variables(written: str) -> tuple[str, ...]:
    """Names of the variables in a text."""
    try:
        parts = parse_text(written).parts
    except BadVariable:
        return ()
    return tuple(part.name for part in parts if isinstance(part, Variable))
