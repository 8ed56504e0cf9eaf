"""A flow file as somebody wrote it: a tree that keeps comments, quotes, marks and blank lines, in the author's words.

`source` reads what a file says; this reads how it looks. Comments hang on the entry they belong to, so that they go
where it goes: those on lines of their own above it, the one beside it, and those below the last entry of a list or
mapping, which are told by how far they stand from the left. `layout` prints such a tree.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import yaml

BLANK = ""
"""Among comments: an empty line."""
_BLOCK = "|>"
_COMMENT = re.compile(r"(?P<gap>[ \t]*)(?P<text>#[^\n]*)")
_HEADER = re.compile(r"(?P<style>[|>])(?P<signs>[-+1-9]*)(?P<comment>[^\S\n]+#.*)?\s*")


@dataclass(slots=True)
class Scalar:
    """A text as it is written, quotes included. Of a block under `|` or `>` the lines, without their indentation."""

    written: str
    value: str
    style: str = ""
    """`"`, `'`, `|`, `>`; empty for one without quotes."""
    anchor: str | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        return self.style in _BLOCK and bool(self.style)

    @property
    def keeps_blank_lines(self) -> bool:
        """A block under `|+`: the empty lines behind it are part of it."""
        return self.is_block and "+" in self.written.partition("#")[0]


@dataclass(slots=True)
class Alias:
    name: str


@dataclass(slots=True)
class Entry:
    """One key with its value, or one item of a list."""

    key: "Scalar | Alias | None"
    value: "Node"
    before: list[str] = field(default_factory=list)
    """Comments and empty lines above it."""
    beside: str = ""
    """The comment on its line, with the spaces before it."""


@dataclass(slots=True)
class Collection:
    entries: list[Entry]
    is_mapping: bool
    in_brackets: bool = False
    """On one line, in { } or [ ]. Those that went over several lines become lines without brackets."""
    is_pair: bool = False
    """One key of a list in [ ], without { } of its own."""
    below: list[str] = field(default_factory=list)
    """Comments behind the last entry."""
    anchor: str | None = None


Node = Scalar | Alias | Collection


@dataclass(slots=True)
class File:
    head: list[str]
    """What stands above `---`."""
    has_marker: bool
    root: Collection


@dataclass(frozen=True, slots=True)
class Comment:
    index: int
    line: int
    column: int
    text: str
    gap: str
    """Spaces before it."""


def read(text: str) -> File:
    """The tree of a file that `source` has read without an error."""
    return _Builder(text).file()


def comments(text: str) -> list[Comment]:
    """Every comment of a file but those on the first line of a block under `|`, which belong to that line."""
    begins = [0, *(match.end() for match in re.finditer("\n", text))]
    found: list[Comment] = []
    covered = 0
    for start, end in _tokens(text):
        for match in _COMMENT.finditer(text, covered, max(start, covered)):
            line = bisect_right(begins, match.start("text")) - 1
            column = match.start("text") - begins[line]
            found.append(Comment(match.start("text"), line, column, match["text"].rstrip(), match["gap"]))
        covered = max(covered, end)
    return found


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        yield token.start_mark.index, token.end_mark.index
    yield len(text), len(text)


class _Builder:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._comments = comments(text)
        self._next = 0
        self._events = list(yaml.parse(text, Loader=yaml.CSafeLoader))
        self._at = 0
        self._line = -1
        """The line that was read last."""

    def file(self) -> File:
        self._take()
        start = self._take()
        assert isinstance(start, yaml.DocumentStartEvent)
        head: list[str] = []
        if start.explicit:
            marker = _end(start).index - len("---")
            head = self._above(self._comments_before(marker), None)
            directives = [line for line in self._text[:marker].split("\n") if line.startswith("%")]
            head += directives
        root = self._node(self._take(), -1)
        rest = self._above(self._comments_before(len(self._text) + 1), None)
        assert isinstance(root, Collection)
        root.below += rest
        return File(head, bool(start.explicit), root)

    def _take(self) -> yaml.Event:
        self._at += 1
        return self._events[self._at - 1]

    def _peek(self) -> yaml.Event:
        return self._events[self._at]

    def _node(self, event: yaml.Event, column: int) -> Node:
        """`column`: of the list or mapping that it stands in."""
        if isinstance(event, yaml.AliasEvent):
            self._line = _start(event).line
            return Alias(str(event.anchor))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, column)
        assert isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)
        if event.flow_style:
            return self._bracketed(event)
        return self._block(event, column)

    # --- texts -----------------------------------------------------------------------------------------

    def _scalar(self, event: yaml.ScalarEvent, column: int) -> Scalar:
        start, end = _start(event), _end(event)
        self._line = start.line if event.style in tuple(_BLOCK) else end.line
        written = self._text[start.index : end.index]
        if event.anchor is not None:
            written = written.removeprefix(f"&{event.anchor}").lstrip()
        found = Scalar(written, event.value, event.style or "", event.anchor)
        if found.is_block:
            _as_block(found, column)
        return found

    # --- lists and mappings ------------------------------------------------------------------------------

    def _block(self, event: yaml.CollectionStartEvent, column: int) -> Collection:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        found = Collection([], is_mapping, anchor=event.anchor)
        here = self._column(event, is_mapping=is_mapping)
        while not isinstance(self._peek(), yaml.CollectionEndEvent):
            begins = _start(self._peek())
            above = self._above(self._comments_before(begins.index), begins.line)
            found.entries.append(self._entry(found, above, here))
        self._take()
        # A list may stand as far left as its key: what stands there, too, belongs to the next key.
        found.below = self._above(self._comments_from(here + 1 if here == column else here))
        return found

    def _column(self, event: yaml.CollectionStartEvent, *, is_mapping: bool) -> int:
        """Of its keys, or of its dashes."""
        if is_mapping:
            return _start(self._peek()).column
        end = _end(event)
        return end.column if self._text[end.index] == "-" else end.column - 1

    def _entry(self, within: Collection, above: list[str], column: int) -> Entry:
        key = self._node(self._take(), column) if within.is_mapping else None
        assert not isinstance(key, Collection)
        entry = Entry(key, Scalar("", ""), above)
        event = self._take()
        header = self._line
        if isinstance(event, yaml.CollectionStartEvent) and not event.flow_style:
            entry.beside = self._beside(header) if key is not None else ""
            entry.value = self._node(event, column)
        else:
            # Between a key and its text comments have no place: they go above both.
            above += [one.text for one in self._comments_before(_start(event).index)]
            entry.value = self._node(event, column)
            if not (isinstance(entry.value, Scalar) and entry.value.is_block):
                _put_beside(entry, self._beside(self._line), behind_comma=column < 0)
        return entry

    def _bracketed(self, event: yaml.CollectionStartEvent) -> Collection:
        start = _start(event)
        found = Collection([], isinstance(event, yaml.MappingStartEvent), anchor=event.anchor)
        found.is_pair = found.is_mapping and self._text[_end(event).index - 1] != "{"
        self._line = start.line
        while True:
            begins = _start(self._peek())
            above = self._above(self._comments_before(begins.index), begins.line)
            if isinstance(self._peek(), yaml.CollectionEndEvent):
                break
            found.entries.append(self._entry(found, above, -1))
        found.below = [one for one in above if one != BLANK]
        self._line = _end(self._take()).line
        found.in_brackets = not found.entries or (start.line == self._line and not found.is_pair)
        return found

    # --- comments ----------------------------------------------------------------------------------------

    def _comments_before(self, index: int) -> list[Comment]:
        first = self._next
        while self._next < len(self._comments) and self._comments[self._next].index < index:
            self._next += 1
        return self._comments[first : self._next]

    def _comments_from(self, column: int) -> list[Comment]:
        """The next ones as far as they stand so far from the left, up to the next key or item."""
        end = _start(self._peek()).index
        first = self._next
        while self._next < len(self._comments):
            one = self._comments[self._next]
            if one.index >= end or one.column < column:
                break
            self._next += 1
        return self._comments[first : self._next]

    def _beside(self, line: int) -> str:
        """The comment on this line, at two spaces at least."""
        if self._next == len(self._comments):
            return ""
        one = self._comments[self._next]
        if one.line != line or one.index > _start(self._peek()).index:
            return ""
        self._next += 1
        gap = "  " if len(one.gap) < 2 or "\t" in one.gap else one.gap
        return f"{gap}{one.text}"

    def _above(self, found: list[Comment], line: int | None = None) -> list[str]:
        """Comments, with the empty lines above them and above the line that follows them."""
        above: list[str] = []
        for one in found:
            above += [BLANK] * self._is_after_blank(one.line) + [one.text]
            self._line = one.line
        if line is not None:
            above += [BLANK] * self._is_after_blank(line)
        return above

    def _is_after_blank(self, line: int) -> bool:
        return line - 1 > self._line and not self._lines[line - 1].strip()


def _put_beside(entry: Entry, comment: str, *, behind_comma: bool) -> None:
    """Without its comma a plain text before a comment would look like one that lacks its quotes."""
    if comment and behind_comma and isinstance(entry.value, Scalar) and not entry.value.style:
        entry.before.append(comment.strip())
    else:
        entry.beside = comment


def lift_comments(found: Collection) -> None:
    """Comments that have no place inside what is printed on the line of an entry go above it."""
    for entry in found.entries:
        if isinstance(entry.value, Collection):
            lift_comments(entry.value)
            _lift(entry, entry.value)


def _lift(entry: Entry, value: Collection) -> None:
    if not value.entries:
        entry.before += value.below
        value.below = []
    elif entry.key is None and not value.in_brackets:
        first = value.entries[0]
        entry.before += [one for one in (entry.beside.strip(), *first.before) if one != BLANK]
        entry.beside, first.before = "", []


def _as_block(found: Scalar, column: int) -> None:
    """Splits a block into its first line and its lines."""
    header, *lines = found.written.split("\n")
    match = _HEADER.fullmatch(header)
    assert match is not None
    signs = match["signs"]
    content = [line for line in lines if line.strip(" ")]
    digits = re.sub(r"[-+]", "", signs)
    indent = max(column, 0) + int(digits) if digits else min(_indent(line) for line in content[:1] or [""])
    cut = [line[indent:] if line.strip(" ") or len(line) > indent else "" for line in lines]
    if lines and not lines[-1].strip(" "):
        cut.pop()
    ends_without = not found.value.endswith("\n") and "-" not in signs and bool(content)
    if "+" not in signs or ends_without:
        while cut and not cut[-1]:
            cut.pop()
    chomp = "-" if ends_without else re.sub(r"\d", "", signs)
    found.lines = cut
    comment = match["comment"] or ""
    gap = re.sub(r"^\s(?=#)", "  ", comment)
    found.written = f"{match['style']}{'2' if digits else ''}{chomp}{gap}".rstrip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


class _Mark(Protocol):
    """A place in the text; all three count from 0."""

    index: int
    line: int
    column: int


def _start(event: yaml.Event) -> _Mark:
    assert event.start_mark is not None
    return event.start_mark


def _end(event: yaml.Event) -> _Mark:
    assert event.end_mark is not None
    return event.end_mark
