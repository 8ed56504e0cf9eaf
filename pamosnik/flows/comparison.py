"""What changes inside a flow: the lines that go and the ones that come, each with a little around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from pamosnik.flows.normal import Raw
from pamosnik.flows.readable import flow_lines

AROUND = 1
"""Unchanged lines that are shown before and after changed ones."""


class Sign(StrEnum):
    GONE = "-"
    NEW = "+"
    SAME = " "
    LEFT_OUT = "…"


@dataclass(frozen=True, slots=True)
class Line:
    sign: Sign
    text: str


def compared(before: Raw, after: Raw) -> tuple[Line, ...]:
    """Empty where both are the same."""
    return tuple(_compared(flow_lines(before), flow_lines(after)))


def _compared(old: list[str], new: list[str]) -> Iterator[Line]:
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(AROUND)
    for number, group in enumerate(groups):
        if number:
            yield Line(Sign.LEFT_OUT, "")
        for what, old_from, old_to, new_from, new_to in group:
            if what == "equal":
                yield from (Line(Sign.SAME, text) for text in old[old_from:old_to])
                continue
            yield from (Line(Sign.GONE, text) for text in old[old_from:old_to])
            yield from (Line(Sign.NEW, text) for text in new[new_from:new_to])
