"""YAML, strictly: a tree of nodes with positions. Scalars keep their written text; whoever reads them decides.

Only what flow files need: one document, text keys, anchors within the file. No tags, no `<<`, no recursion, no
duplicate keys, no tabs, at most 10,000 nodes after aliases and 1 MiB.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from pamosnik.flows.problems import Problem, Severity

MAX_BYTES = 1 << 20
MAX_NODES = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A place; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    value: str
    plain: bool
    """Written without quotes and not as a block."""
    mark: Mark
    comment_follows: bool = False
    """A ` #` stands behind it on its line."""
    in_brackets: bool = False
    """An item of a list in `[ ]`."""
    raw_backslash: bool = False
    """Holds a backslash and an n, and is not in double quotes."""


@dataclass(frozen=True, slots=True)
class Sequence:
    items: "tuple[Node, ...]"
    mark: Mark


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: "tuple[tuple[Scalar, Node], ...]"
    mark: Mark
    in_braces: bool = False


Node = Scalar | Sequence | Mapping

_PLAIN_WORDS = (
    (
        "mapping values are not allowed",
        "yaml-colon",
        "a text with `: ` in it needs quotes",
        'Write it like: send: "Hours: 9 to 17"',
    ),
    (
        "cannot start any token",
        "yaml-character",
        "a text that begins with @ % * & ! { [ ` needs quotes",
        'Put it in double quotes, like "@anna".',
    ),
    (
        "undefined alias",
        "yaml-alias",
        "`*name` means a part marked with `&name`, and there is none; a text that begins with * needs quotes",
        'Put the text in double quotes, like "*sale*".',
    ),
    (
        "did not find expected key",
        "yaml-indentation",
        "this line does not fit the lines around it",
        "Check the spaces at its beginning, and the quotes of the line above.",
    ),
    (
        "did not find expected '-' indicator",
        "yaml-indentation",
        "this line does not fit the list around it",
        "Give it as many spaces as the other `-` lines of the list have.",
    ),
    (
        "found unexpected end of stream",
        "yaml-quotes",
        "a quote is opened and never closed",
        "Close it with the same quote.",
    ),
    (
        "expected ',' or",
        "yaml-brackets",
        "a bracket is opened and not closed, or a comma is missing",
        "Put texts inside [ ] and { } in double quotes.",
    ),
)


class _Refused(Exception):
    def __init__(self, mark: Mark, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.mark, self.code, self.message, self.hint = mark, code, message, hint


def read(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of one file, and what is wrong with its YAML. None when there is no tree."""
    try:
        if len(text.encode("utf-8", "replace")) > MAX_BYTES:
            raise _Refused(Mark(1, 1), "too-big", "the file is over 1 MiB", "Split it into several files.")
        return _Reader(text).read(), []
    except RecursionError:
        return None, [
            _problem(file, _Refused(Mark(1, 1), "too-deep", "brackets or lists are nested too deeply"))
        ]
    except _Refused as refused:
        return None, [_problem(file, refused)]
    except yaml.MarkedYAMLError as error:
        return None, [_problem(file, _in_plain_words(error, text))]
    except yaml.YAMLError:
        strange = next((n for n, line in enumerate(text.split("\n"), 1) if _CONTROL.search(line)), 1)
        message = "the file holds characters that YAML does not allow"
        return None, [_problem(file, _Refused(Mark(strange, 1), "yaml", message))]


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_NO_BREAK_SPACES = ("\u00a0", "\u2007", "\u202f")
_NO_BREAK = re.compile(r"^ *[\u00a0\u2007\u202f]")
_TAB = re.compile(r"^ *\t")


def _problem(file: str, refused: _Refused) -> Problem:
    mark = refused.mark
    return Problem(file, mark.line, mark.column, Severity.ERROR, refused.code, refused.message, refused.hint)


def _no_break_space(mark: Mark) -> _Refused:
    return _Refused(
        mark,
        "no-break-space",
        "the line begins with a no-break space; it looks like a space and is none",
        "Delete the beginning of the line and type ordinary spaces.",
    )


def _in_plain_words(error: yaml.MarkedYAMLError, text: str) -> _Refused:
    place = error.problem_mark or error.context_mark
    mark = Mark(1, 1) if place is None else Mark(place.line + 1, place.column + 1)
    lines = text.split("\n")
    if mark.line <= len(lines) and _TAB.match(lines[mark.line - 1]):
        hint = "Replace each tab by two spaces."
        return _Refused(mark, "tab", "the line is indented with a tab; YAML takes spaces only", hint)
    if mark.line <= len(lines) and _NO_BREAK.match(lines[mark.line - 1]):
        return _no_break_space(mark)
    said = f"{error.context or ''} {error.problem or ''}"
    for sign, code, message, hint in _PLAIN_WORDS:
        if sign in said:
            return _Refused(mark, code, message, hint)
    return _Refused(mark, "yaml", f"this is not YAML: {error.problem}", "Check quotes and indentation here.")


class _Reader:
    """Builds the tree from parser events; aliases stand for the finished node they name."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open: set[str] = set()
        self._count = 0

    def read(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused(_mark(event), "documents", "a second document begins here (`---`)")
                root = self._node(next(self._events), in_brackets=False)
        if isinstance(root, Scalar) and root.plain and not root.value:
            return None
        return root

    def _node(self, event: yaml.Event, *, in_brackets: bool) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if not isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent):
            raise _Refused(_mark(event), "yaml", "a value is expected here")
        before = self._count
        self._tick(1, event)
        if event.tag is not None:
            raise _Refused(
                _mark(event), "tag", f"`{event.tag}` is a YAML tag", "A text that begins with ! needs quotes."
            )
        if event.anchor is not None:
            self._open.add(event.anchor)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, in_brackets=in_brackets)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event)
        else:
            node = self._mapping(event)
        if event.anchor is not None:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _tick(self, nodes: int, event: yaml.Event) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise _Refused(_mark(event), "too-many", f"more than {MAX_NODES:,} values, aliases counted out")

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor in self._open:
            raise _Refused(_mark(event), "recursion", f"`*{event.anchor}` stands inside what it names")
        if event.anchor not in self._anchors:
            raise _Refused(_mark(event), "yaml-alias", _PLAIN_WORDS[2][2], _PLAIN_WORDS[2][3])
        node, size = self._anchors[event.anchor]
        self._tick(size, event)
        return node

    def _scalar(self, event: yaml.ScalarEvent, *, in_brackets: bool) -> Scalar:
        end = event.end_mark
        assert end is not None
        rest = self._lines[end.line][end.column :] if end.line < len(self._lines) else ""
        plain = event.style is None or event.style == ""
        if plain and event.value.startswith(_NO_BREAK_SPACES):
            raise _no_break_space(_mark(event))
        return Scalar(
            value=event.value,
            plain=plain,
            mark=_mark(event),
            comment_follows=plain and bool(re.match(r"\s+#", rest)),
            in_brackets=in_brackets,
            raw_backslash="\\n" in event.value and event.style != '"',
        )

    def _sequence(self, event: yaml.SequenceStartEvent) -> Sequence:
        items: list[Node] = []
        while not isinstance(following := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(following, in_brackets=bool(event.flow_style)))
        return Sequence(tuple(items), _mark(event))

    def _mapping(self, event: yaml.MappingStartEvent) -> Mapping:
        entries: list[tuple[Scalar, Node]] = []
        known: dict[str, Mark] = {}
        while not isinstance(following := next(self._events), yaml.MappingEndEvent):
            key = self._node(following, in_brackets=False)
            if not isinstance(key, Scalar):
                raise _Refused(
                    key.mark,
                    "yaml-key",
                    "a key must be a word",
                    "A text that begins with { or [ needs quotes.",
                )
            if key.value == "<<" and key.plain:
                raise _Refused(key.mark, "merge-key", "`<<` is not part of the flow language")
            if key.value in known:
                raise _Refused(
                    key.mark,
                    "duplicate-key",
                    f"`{key.value}` stands here twice; it stands first in line {known[key.value].line}",
                )
            known[key.value] = key.mark
            entries.append((key, self._node(next(self._events), in_brackets=False)))
        return Mapping(tuple(entries), _mark(event), in_braces=bool(event.flow_style))


def _mark(event: yaml.Event) -> Mark:
    assert event.start_mark is not None
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)
