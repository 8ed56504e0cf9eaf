"""YAML, strictly: a tree of nodes with positions. Scalars keep their written text; whoever reads them decides.

Only what flow files need: one document, text keys, anchors within the file. No tags, no `<<`, no recursion, no
duplicate keys, no tabs, at most 1 MiB, 100,000 values, and 10,000 by aliases.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.yaml_words import ALIAS, in_plain_words, mended, quoted

MAX_BYTES = 1 << 20
TOO_BIG = ("too-big", "the file is over 1 MiB", "Split it into several files.")
_LINE_SEPARATOR = re.compile("[\u0085\u2028\u2029]")
MAX_VALUES = 100_000
MAX_BY_ALIASES = 10_000
MAX_DEPTH = 100
"""Lists and mappings inside one another. Flows of people have a dozen; whoever reads a tree may rely on it."""


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
    dropped: "tuple[Node, ...]" = ()
    """Keys that stood there before, with their values."""


Node = Scalar | Sequence | Mapping


class _Refused(Exception):
    def __init__(self, mark: Mark, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.mark, self.code, self.message, self.hint = mark, code, message, hint


def read(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The tree of one file as far as it can be read, and what is wrong with its YAML. None when there is no tree.

    A line that lacks only quotes is read as if it had them.
    """
    root, refused = _read(text)
    last = 0
    told: list[_Refused] = []
    while root is None and refused and refused[-1].mark.line > last:
        last = refused[-1].mark.line
        with_quotes = mended(text, last, refused[-1].code) if last <= text.count("\n") + 1 else None
        if with_quotes is None:
            break
        told.append(refused[-1])
        text = with_quotes
        root, refused = _read(text)
    return root, [_problem(file, one) for one in (*told, *refused)]


def _read(text: str) -> tuple[Node | None, list[_Refused]]:
    """What stopped the reading comes last."""
    reader = _Reader(text)
    root: Node | None = None
    refused: list[_Refused] = reader.problems
    try:
        if len(text.encode("utf-8", "replace")) > MAX_BYTES:
            raise _Refused(Mark(1, 1), *TOO_BIG)
        _refuse_line_separators(text)
        root = reader.read()
    except _Refused as stopped:
        refused.append(stopped)
    except yaml.YAMLError as error:
        refused.append(_said(error, text))
    return root, refused


def _refuse_line_separators(text: str) -> None:
    """The parser would count lines at signs that no editor shows as one."""
    found = _LINE_SEPARATOR.search(text)
    if found is not None:
        before = text[: found.start()]
        mark = Mark(before.count("\n") + 1, found.start() - before.rfind("\n"))
        message = (
            f"an invisible sign (U+{ord(found[0]):04X}) stands here, which separates lines in some programs"
        )
        raise _Refused(mark, "line-separator", message, "Delete it; for a new line press Enter.")


def dropped(node: Node) -> Iterator[str]:
    """Every word of the entries that stand in a tree twice, and of which the second is not part of it."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from dropped(item)
    elif isinstance(node, Mapping):
        for twice in node.dropped:
            yield from _words(twice)
        for _, value in node.entries:
            yield from dropped(value)


def _words(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.value
    for part in () if isinstance(node, Scalar) else _parts(node):
        yield from _words(part)


def _parts(node: Sequence | Mapping) -> Iterator[Node]:
    if isinstance(node, Sequence):
        yield from node.items
    else:
        yield from (part for entry in node.entries for part in entry)


_NO_BREAK_SPACES = ("\u00a0", "\u2007", "\u202f")
NO_BREAK = re.compile(r"[\u00a0\u2007\u202f]")
_NO_BREAK_BEFORE = re.compile(r"^ *(?:- *)*(?=[\u00a0\u2007\u202f])")
NO_SPACE = (
    "this is a no-break space; it looks like a space and is none",
    "Delete it and type an ordinary space; there may be more of them in the line.",
)


def _problem(file: str, refused: _Refused) -> Problem:
    mark = refused.mark
    return Problem(file, mark.line, mark.column, Severity.ERROR, refused.code, refused.message, refused.hint)


def _no_break_space(mark: Mark) -> _Refused:
    return _Refused(mark, "no-break-space", *NO_SPACE)


def _said(error: yaml.YAMLError, text: str) -> _Refused:
    said = in_plain_words(error, text)
    lines = text.split("\n")
    before = _NO_BREAK_BEFORE.match(lines[said.line - 1]) if said.line <= len(lines) else None
    if before is not None:
        return _no_break_space(Mark(said.line, before.end() + 1))
    return _Refused(Mark(said.line, said.column), said.code, said.message, said.hint)


class _Reader:
    """Builds the tree from parser events; aliases stand for the finished node they name."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        """Name → the node, of how many values it is, and how deep."""
        self._open: set[str] = set()
        self._unused: dict[str, Mark] = {}
        """Anchors before plain texts that no alias names: `&Co rocks`."""
        self._count = 0
        self._by_aliases = 0
        self._depth = 0
        self._deepest = 0
        self.problems: list[_Refused] = []
        """What is wrong and hinders nobody to read on."""

    def read(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "a second document begins here (`---`)"
                    hint = "Put it into a file of its own, or take the `---` out."
                    raise _Refused(_mark(event), "documents", message, hint)
                root = self._node(next(self._events), in_brackets=False)
        for anchor, mark in self._unused.items():
            message = f"in YAML `&{anchor}` is a mark and no part of the text; a text that begins with & needs quotes"
            rest = self._lines[mark.line - 1][mark.column - 1 :]
            hint = f"Write it like: {quoted(rest.split(' #')[0].rstrip(' ,]}'))}"
            self.problems.append(_Refused(mark, "yaml-character", message, hint))
        if isinstance(root, Scalar) and root.plain and not root.value:
            return None
        return root

    def _node(self, event: yaml.Event, *, in_brackets: bool) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if not isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent):
            raise _Refused(_mark(event), "yaml", "a value is expected here")
        before, deepest = self._count, self._deepest
        self._count += 1
        self._enter(event, 1)
        self._depth += 1
        self._deepest = self._depth
        if self._count > MAX_VALUES:
            message = f"the file has more than {MAX_VALUES:,} values"
            raise _Refused(_mark(event), "too-many", message, "Split it into several files.")
        if event.tag is not None:
            message = "a text that begins with ! needs quotes (in YAML it is a tag, and flow files have none)"
            self.problems.append(_Refused(_mark(event), "tag", message, 'Write it like: "!new"'))
        if event.anchor is not None:
            self._open.add(event.anchor)
            if isinstance(event, yaml.ScalarEvent) and not event.style:
                self._unused[event.anchor] = _mark(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, in_brackets=in_brackets)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event)
        else:
            node = self._mapping(event)
        if event.anchor is not None:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = (node, self._count - before, self._deepest - self._depth + 1)
        self._depth -= 1
        self._deepest = max(deepest, self._deepest)
        return node

    def _enter(self, event: yaml.Event, levels: int) -> None:
        if self._depth + levels > MAX_DEPTH:
            message = f"brackets or lists are nested more than {MAX_DEPTH} levels deep here"
            raise _Refused(_mark(event), "too-deep", message)
        self._deepest = max(self._deepest, self._depth + levels)

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor in self._open:
            raise _Refused(_mark(event), "recursion", f"`*{event.anchor}` stands inside what it names")
        if event.anchor not in self._anchors:
            raise _Refused(_mark(event), "yaml-alias", *ALIAS)
        self._unused.pop(event.anchor, None)
        node, size, levels = self._anchors[event.anchor]
        self._enter(event, levels)
        self._count += size
        self._by_aliases += size
        if self._by_aliases > MAX_BY_ALIASES:
            raise _Refused(
                _mark(event),
                "too-many",
                f"what the aliases of this file, like this `*{event.anchor}`, stand for is more than"
                f" {MAX_BY_ALIASES:,} values",
                "Write fewer of them, or split the file into several.",
            )
        return node

    def _scalar(self, event: yaml.ScalarEvent, *, in_brackets: bool) -> Scalar:
        end = event.end_mark
        assert end is not None
        rest = self._lines[end.line][end.column :] if end.line < len(self._lines) else ""
        plain = event.style is None or event.style == ""
        if plain and event.value.startswith(_NO_BREAK_SPACES):
            raise _no_break_space(_mark(event))
        if "\0" in event.value:
            message = 'this text holds "\\0" (NUL), which no message can carry'
            self.problems.append(_Refused(_mark(event), "nul", message, "Take it out."))
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
        twice: list[Node] = []
        while not isinstance(following := next(self._events), yaml.MappingEndEvent):
            key = self._node(following, in_brackets=False)
            if not isinstance(key, Scalar):
                raise _Refused(
                    key.mark,
                    "yaml-key",
                    "a key must be a word",
                    "A text that begins with { or [ needs quotes.",
                )
            value = self._node(next(self._events), in_brackets=False)
            if key.value == "<<" and key.plain:
                message, hint = "`<<` is not part of the flow language", "Write the lines out."
                self.problems.append(_Refused(key.mark, "merge-key", message, hint))
            elif key.value in known:
                message = f"`{key.value}` stands here twice; it stands first in line {known[key.value].line}"
                self.problems.append(_Refused(key.mark, "duplicate-key", message, "Keep one of the two."))
            else:
                known[key.value] = key.mark
                entries.append((key, value))
                continue
            twice += [key, value]
        return Mapping(tuple(entries), _mark(event), in_braces=bool(event.flow_style), dropped=tuple(twice))


def _mark(event: yaml.Event) -> Mark:
    assert event.start_mark is not None
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)
