"""A served page, read as it stands: its elements, and the numbers in its tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_EMPTY = frozenset({"meta", "link", "input", "br", "img", "hr", "rect", "polyline", "path", "line", "meter"})
_NUMBER = re.compile(r"\d[\d,]*")


@dataclass
class Element:
    tag: str
    attributes: Mapping[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag != "svg":
                yield from child._texts()
                yield " " if child.tag in ("td", "th", "p", "li", "dt", "dd", "br") else ""

    def every(self, tag: str, *, of_class: str | None = None) -> Iterator["Element"]:
        """In the order in which they are written."""
        for child in self.children:
            if isinstance(child, Element):
                classes = child.attributes.get("class", "").split()
                if child.tag == tag and (of_class is None or of_class in classes):
                    yield child
                yield from child.every(tag, of_class=of_class)

    def behind(self, heading: str) -> "Element":
        """What stands between this heading and the next."""
        found = Element("section", {})
        inside = False
        for one in self._flat():
            if isinstance(one, Element) and one.tag in ("h2", "h3"):
                inside = one.text == heading
            elif inside:
                found.children.append(one)
        return found

    def _flat(self) -> Iterator["Element | str"]:
        """The blocks of a page, whatever they are wrapped in."""
        for child in self.children:
            if isinstance(child, Element) and child.tag in ("html", "body", "main", "section", "div"):
                yield from child._flat()
            else:
                yield child


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in _EMPTY:
            return
        while len(self._open) > 1 and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read(html: str) -> Element:
    reader = _Reader()
    reader.feed(html)
    return reader.root


def number(text: str) -> int:
    """The first that stands there."""
    found = _NUMBER.search(text)
    assert found is not None, text
    return int(found[0].replace(",", ""))


@dataclass(frozen=True, slots=True)
class Row:
    first: Element
    """What the row is about."""
    numbers: Mapping[str, int]
    """By the head of the column, in small letters; what holds none is left out."""


def rows(table: Element) -> Sequence[Row]:
    heads = [head.text.lower() for head in next(table.every("thead")).every("th")]
    found = []
    for line in next(table.every("tbody")).every("tr"):
        cells = [one for one in line.children if isinstance(one, Element) and one.tag in ("td", "th")]
        counted = {
            head: number(cell.text)
            for head, cell in zip(heads[1:], cells[1:], strict=False)
            if _NUMBER.search(cell.text)
        }
        found.append(Row(cells[0], counted))
    return found
