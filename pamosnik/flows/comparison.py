"""What changes inside a flow: the lines that go and the ones that come, each with a little around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from pamosnik.flows.as_written import flow_file
from pamosnik.flows.normal import Raw

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


_NOT_PART_OF_IT = ("tests", "was")


def flow_lines(body: Raw) -> list[str]:
    """A flow as a person would write it. Flows of different versions differ in a line."""
    shown = {key: value for key, value in body.items() if key not in _NOT_PART_OF_IT}
    # Without the settings: what a question accepts is written out, for another type of its field changes it.
    _, _, flow = flow_file([("flow", shown)], {}).partition("\n  flow:\n")
    return [line.removeprefix(" " * 4) for line in flow.rstrip("\n").split("\n")]


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
