"""Results for people: a line for each test, the conversation of each that fails, the ways that no test goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from pamosnik.flows.written_tests import Place
from pamosnik.rehearsal.screen import clean
from pamosnik.rehearsal.testing.coverage import Coverage
from pamosnik.rehearsal.testing.result import Failure, Result
from pamosnik.rehearsal.testing.transcript import Kind, Line, transcript

_INDENT = 6
_WHO = 28
"""Columns that are left to who says something."""
_COLOURS: Mapping[Kind, str] = {
    Kind.TIME: "bright_black",
    Kind.NOTE: "bright_black",
    Kind.PERSON: "green",
    Kind.SHOP: "cyan",
}
_WAYS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Row:
    """A text that goes on in further lines where it began."""

    head: Text
    width: int
    """Columns of the head; a longer one stands on a line of its own."""
    text: Text


def result(console: Console, one: Result, texts: Mapping[str, str], zone: ZoneInfo) -> None:
    """`texts`: file → what stands in it."""
    word, colour = ("ok", "green") if one.passed else ("FAIL", "bold red")
    _print(console, _Row(Text(word, style=colour), _INDENT, Text(clean(one.test.title))), 0)
    if not one.passed:
        failed(console, one, texts, zone)


def failed(console: Console, one: Result, texts: Mapping[str, str], zone: ZoneInfo) -> None:
    """The conversation as far as it went, and what is not so."""
    console.print()
    lines = transcript(one, zone)
    width = min(_WHO, max((len(line.who) for line in lines), default=0)) + 4
    for line in lines:
        _print(console, _line(line, width))
    if lines:
        console.print()
    for number, (place, of_line) in enumerate(groupby(one.failures, key=lambda failure: failure.place)):
        if number:
            console.print()
        _print(console, _place(place, texts))
        for failure in of_line:
            for row in _failure(failure):
                _print(console, row)
    console.print()


def _line(line: Line, width: int) -> _Row:
    colour = _COLOURS[line.kind]
    if line.kind is Kind.TIME:
        return _plain(line.text, colour)
    if line.kind is Kind.NOTE:
        return _Row(Text("  ·", style=colour), 4, Text(line.text, style=colour))
    return _Row(Text(f"  {line.who}", style=colour), width, Text(line.text))


def _place(place: Place, texts: Mapping[str, str]) -> _Row:
    """With what stands there."""
    written = texts.get(place.file, "").split("\n")
    source = written[place.line - 1].strip() if 0 < place.line <= len(written) else ""
    return _plain(f"{place}   {clean(source)}".rstrip(), "bold")


def _failure(one: Failure) -> Iterator[_Row]:
    if one.expected is None:
        yield _plain(clean(_sentence(one.got)), "red")
    else:
        yield _Row(Text("expected"), 10, Text(clean(one.expected)))
        yield _Row(Text("got"), 10, Text(clean(one.got), style="red"))
    if one.hint is not None:
        yield _plain(clean(_sentence(one.hint)))


def covered(console: Console, found: Coverage, *, everything: bool) -> None:
    """How many ways the tests go, and which none goes."""
    if not found.of:
        return
    _print(console, _plain(f"{len(found.reached)} of {found.of} ways through the flows are tested."), 0)
    if found.missed:
        _print(console, _plain("No test goes:"), 0)
    shown = found.missed if everything else found.missed[:_WAYS_SHOWN]
    for way in shown:
        _print(console, _plain(f"{way.file}:{way.line}  {clean(f'{way.flow}: {way.what}')}"), 2)
    if len(shown) < len(found.missed):
        _print(console, _plain(f"and {len(found.missed) - len(shown)} more; --all lists them"), 2)


def _plain(text: str, style: str = "") -> _Row:
    return _Row(Text(), 0, Text(text, style=style))


def _print(console: Console, row: _Row, indent: int = _INDENT) -> None:
    start = indent + row.width
    head = Text(" " * indent) + row.head
    if row.head.cell_len >= row.width > 0:
        console.print(head)
        head = Text()
    for line in row.text.wrap(console, max(20, console.width - start)):
        line.rstrip()
        head.pad_right(max(0, start - head.cell_len))
        console.print(head + line if line else Text(), soft_wrap=True)
        head = Text()


def _sentence(text: str) -> str:
    ended = text if text[-1:] in (".", "?", "!") or ": " in text else f"{text}."
    return f"{ended[:1].upper()}{ended[1:]}"
