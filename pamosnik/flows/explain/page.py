"""The shape of an explanation, and how it stands on a page: plain text that Markdown reads as well."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence or several, and what belongs under them."""

    text: str
    items: tuple["Item", ...] = ()
    number: str | None = None
    """How it is called: 3, 3a, 3a.1. None: it is told, and nobody has to point at it."""
    path: str | None = None
    """Of a step, as `runs` and `stats` name it."""


@dataclass(frozen=True, slots=True)
class Part:
    lead: str
    items: tuple[Item, ...]
    kind: str
    """For scripts: `rules`, `starts`, `only_if`, `steps`, `notes`."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One flow."""

    flow: str
    title: str | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Page:
    language: str
    title: str
    general: str
    """Heading of `head`."""
    head: tuple[Item, ...]
    flows: tuple[Explained, ...]


def lines(page: Page, width: int) -> Iterator[str]:
    yield f"# {page.title}"
    yield ""
    yield f"## {page.general}"
    yield ""
    yield from _items(page.head, "", width)
    for flow in page.flows:
        yield ""
        yield f"## {flow.flow}" if flow.title is None else f"## {flow.flow}: {flow.title}"
        for part in flow.parts:
            yield ""
            if part.lead:
                yield from wrapped(part.lead, "", "", width)
            if part.lead and part.items:
                yield ""
            yield from _items(part.items, "", width)


def _items(items: Sequence[Item], indent: str, width: int) -> Iterator[str]:
    for item in items:
        top = item.number is not None and item.number.isdecimal()
        mark = f"{item.number}. " if top else "- "
        text = item.text if top or item.number is None else f"{item.number}. {item.text}"
        inner = indent + " " * len(mark)
        yield from wrapped(text, indent + mark, inner, width)
        yield from _items(item.items, inner, width)


def wrapped(text: str, first: str, rest: str, width: int) -> Iterator[str]:
    """Lines no wider than that; words are never broken, and line breaks stay where somebody wrote them."""
    begin = first
    for line in text.split("\n"):
        here, columns, empty = begin, _wide(begin), True
        for word in line.split(" "):
            if not empty and columns + 1 + _wide(word) > width:
                yield here.rstrip(" ")
                here, columns, empty = rest, _wide(rest), True
            here += word if empty else f" {word}"
            columns += _wide(word) + (not empty)
            empty = False
        yield here.rstrip(" ")
        begin = rest


def _wide(text: str) -> int:
    """Columns on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
