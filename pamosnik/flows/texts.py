"""Texts with variables: `{name|stand-in}`; `{{` is a brace."""

import re

from pamosnik.model.text import Text, Variable

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
