"""Prints a written tree in the one canonical layout: two spaces a level, lists below their key, words untouched."""

import re

from pamosnik.flows.written import BLANK, Alias, Collection, Entry, File, Node, Scalar

_SPACES = 2
_READ_OTHERWISE = re.compile(
    r"(?i:yes|no|on|off)|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?",
)
"""What older YAML takes for a boolean or a number of minutes, and flow files take for text."""


def print_file(file: File) -> str:
    printer = _Printer()
    printer.comments(file.head, 0)
    if file.has_marker:
        printer.line(0, "---")
    if file.root.in_brackets:
        printer.line(0, inline(file.root))
        printer.comments(file.root.below, 0)
    else:
        printer.collection(file.root, 0)
    return printer.text()


class _Printer:
    def __init__(self) -> None:
        self._out: list[str] = []
        self._holds = False
        """An empty line here would become a part of the text above."""

    def text(self) -> str:
        while self._out and self._out[-1] == BLANK and not self._holds:
            self._out.pop()
        return "\n".join(self._out) + "\n"

    def line(self, indent: int, text: str) -> None:
        self._out.append(f"{' ' * indent}{text}" if text else "")
        self._holds = False

    def comments(self, found: list[str], indent: int) -> None:
        for one in found:
            if one != BLANK:
                self.line(indent, one)
            elif self._out and self._out[-1] != BLANK and not self._holds:
                self._out.append(BLANK)

    def collection(self, found: Collection, indent: int) -> None:
        for number, entry in enumerate(found.entries):
            above = entry.before
            self.comments(above[1:] if number == 0 and above[:1] == [BLANK] else above, indent)
            self._entry(entry, indent)
        self.comments(found.below, indent)

    def _entry(self, entry: Entry, indent: int) -> None:
        head = "-" if entry.key is None else f"{_key(entry.key)}:"
        value = entry.value
        if isinstance(value, Collection) and not value.in_brackets:
            self._block(entry, value, head, indent)
            return
        first, *rest = _lines(value)
        if isinstance(value, Scalar) and value.is_block:
            self.line(indent, f"{head} {first}")
            self._out += [f"{' ' * (indent + _SPACES)}{line}" if line else "" for line in rest]
            self._holds = value.keeps_blank_lines
            return
        written = f"{head} {first}" if first else head
        for more in rest:
            self.line(indent, written)
            indent, written = indent + _SPACES if written.startswith(head) else indent, more
        self.line(indent, f"{written}{entry.beside}")

    def _block(self, entry: Entry, value: Collection, head: str, indent: int) -> None:
        mark = f" &{value.anchor}" if value.anchor else ""
        if entry.key is not None or mark:
            self.line(indent, f"{head}{mark}{entry.beside}")
            self.collection(value, indent + _SPACES)
            return
        begins = len(self._out)
        self.collection(value, indent + _SPACES)
        self._out[begins] = f"{' ' * indent}- {self._out[begins].lstrip(' ')}"


def _key(key: Scalar | Alias) -> str:
    if isinstance(key, Alias):
        return f"*{key.name} "
    return f"{_mark(key)}{key.written}"


def _lines(value: Node) -> list[str]:
    match value:
        case Alias(name):
            return [f"*{name}"]
        case Collection():
            return [inline(value)]
        case Scalar():
            first, *rest = f"{_mark(value)}{_quoted(value)}".split("\n")
            lines = (first, *(line.lstrip(" \t") for line in rest))
            return [*(_trimmed(line, value.style) for line in lines), *value.lines]


def _trimmed(line: str, style: str) -> str:
    """Spaces at the end of a line in a text over several lines say nothing, unless a backslash stands before them."""
    kept = line.rstrip(" \t")
    escaped = style == '"' and (len(kept) - len(kept.rstrip("\\"))) % 2 == 1
    return line[: len(kept) + 1] if escaped else kept


def _quoted(value: Scalar) -> str:
    """A text that another program would take for something else gets quotes."""
    if not value.style and _READ_OTHERWISE.fullmatch(value.written):
        return f'"{value.written}"'
    return value.written


def _mark(value: Scalar) -> str:
    return f"&{value.anchor} " if value.anchor else ""


def inline(node: Node) -> str:
    """A value on one line."""
    if not isinstance(node, Collection):
        return _lines(node)[0]
    mark = f"&{node.anchor} " if node.anchor else ""
    parts = [_inline_entry(entry) for entry in node.entries]
    inside = ", ".join(parts)
    if node.is_pair:
        return inside
    if not node.is_mapping:
        return f"{mark}[{inside}]"
    return f"{mark}{{ {inside} }}" if parts else f"{mark}{{}}"


def _inline_entry(entry: Entry) -> str:
    value = inline(entry.value)
    if entry.key is None:
        return value
    return f"{_key(entry.key)}: {value}" if value else _key(entry.key)
