"""One canonical way to write a flow file, in the author's words. What a file means and its comments never change."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import cast

from pamosnik.flows import layout, schema, source, written
from pamosnik.flows.key_order import put_in_order
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import Reader
from pamosnik.flows.written import BLANK, Collection, Entry, File

_FOR_EDITORS = re.compile(r"#\s*(yaml-language-server|vim?|-\*-|yamllint)\b")
"""Lines that count only at the top of the file."""


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str


@dataclass(frozen=True, slots=True)
class LeftAsItIs:
    """What would have changed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    problems: tuple[Problem, ...]


def formatted(text: str, name: str) -> Formatted | LeftAsItIs | Unreadable:
    """A flow file in canonical layout. `name`: what problems call it.

    Whether the file can be read is all that counts here: what it says about other files may be wrong.
    """
    before, problems = _meaning(text, name)
    errors = tuple(sorted(p for p in problems if p.severity is Severity.ERROR))
    if errors:
        return Unreadable(errors)
    made = _made(text)
    after, new_problems = _meaning(made, name)
    if before != after:
        return LeftAsItIs("its meaning would have changed")
    if Counter(one.code for one in new_problems) - Counter(one.code for one in problems):
        return LeftAsItIs("validate would have found more in it")
    if _comments(text) != _comments(made):
        return LeftAsItIs("a comment would have been lost")
    return Formatted(made)


def _made(text: str) -> str:
    tree = written.read(text)
    header = _header(tree.root)
    put_in_order(tree)
    written.lift_comments(tree.root)
    space_out(tree)
    tree.head += header[:-1] if tree.has_marker and header[-1:] == [BLANK] else header
    return layout.print_file(tree)


def _meaning(text: str, name: str) -> tuple[object, list[Problem]]:
    """Everything that a file says, and in which order its flows stand."""
    node, problems = source.read(text, name)
    if not isinstance(node, source.Mapping):
        if not problems:
            problems = [
                Problem(
                    name, 1, 1, Severity.ERROR, "empty-file", "a flow file begins with `version: 1`", None
                )
            ]
        return None, problems
    reader = Reader(name)
    found = cast("dict[str, object]", reader.entries(schema.FILE, node, ""))
    return (found, _order(found)), [*problems, *reader.problems]


def _order(found: object) -> object:
    """The names in every mapping whose keys the author chose, in their order; two equal dicts may differ in it."""
    flows = cast("dict[str, object]", found).get("flows", {})
    return list(cast("dict[str, object]", flows))


def _comments(text: str) -> Counter[str]:
    return Counter(one.text for one in written.comments(text))


def _header(root: Collection) -> list[str]:
    """Takes off what stands above the first key and is about the whole file."""
    if not root.entries:
        return []
    above = root.entries[0].before
    last = max((number for number, one in enumerate(above) if one == BLANK and number > 0), default=-1)
    for number, one in enumerate(above):
        if _FOR_EDITORS.match(one):
            last = max(last, number)
    if root.in_brackets:
        last = len(above) - 1
    root.entries[0].before = above[last + 1 :]
    return above[: last + 1]


def space_out(tree: File) -> None:
    """An empty line between flows, and around the parts of a file that take several lines."""
    entries = tree.root.entries
    for number, entry in enumerate(entries[1:], 1):
        if _is_long(entry) or _is_long(entries[number - 1]):
            _blank_above(entry)
    for entry in entries:
        if entry.key is not None and getattr(entry.key, "value", "") == "flows" and _is_long(entry):
            assert isinstance(entry.value, Collection)
            for flow in entry.value.entries[1:]:
                _blank_above(flow)


def _is_long(entry: Entry) -> bool:
    return isinstance(entry.value, Collection) and not entry.value.in_brackets


def _blank_above(entry: Entry) -> None:
    if BLANK not in entry.before:
        entry.before.insert(0, BLANK)
