"""Outlines as Mermaid flowcharts, which GitHub, GitLab and many editors draw in place.

Mermaid puts everything where it likes, so only nodes and ways are said. Every text is quoted, and every sign that
means something there (to Mermaid, to Markdown or to HTML) is written as its number, so a text can neither end its
quotes nor become a list or a tag. Ids are made of the flow's id and the path, and stay as long as these do.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pamosnik.flows.graph.measure import clean, cut
from pamosnik.flows.graph.outline import Item, Outline, Pace, Shape, Way
from pamosnik.flows.graph.words import Vocabulary

_SIGNS = re.compile(r"[^A-Za-z0-9 .,:!?'()/=-]")
"""What is written as its number, if it is ASCII."""
_LIST = re.compile(r"\d+[.)]|-|=")
"""What at the beginning of a line would make it a list or a heading."""
_ENDING = {
    Shape.STARTS: ('(["', '"])'),
    Shape.GATE: ('{{"', '"}}'),
    Shape.MESSAGE: ('("', '")'),
    Shape.PUBLIC: ('("', '")'),
    Shape.QUESTION: ('("', '")'),
    Shape.WAIT: ('(["', '"])'),
    Shape.AWAIT: ('(["', '"])'),
    Shape.CHOOSE: ('{"', '"}'),
    Shape.ACT: ('[["', '"]]'),
    Shape.PERSON: ('["', '"]'),
    Shape.DATA: ('["', '"]'),
    Shape.GOAL: ('>"', '"]'),
    Shape.JUMP: ('>"', '"]'),
    Shape.AGAIN: ('["', '"]'),
    Shape.STOP: ('["', '"]'),
    Shape.END: ('(("', '"))'),
}
"""How a shape opens and closes."""
_ARROWS = {Pace.AT_ONCE: "-->", Pace.PERSON: "-.->", Pace.TIME: "-.->"}
_CLASSES = {
    Shape.MESSAGE: "message",
    Shape.PUBLIC: "public",
    Shape.QUESTION: "question",
    Shape.WAIT: "wait",
    Shape.AWAIT: "question",
    Shape.PERSON: "person",
    Shape.STARTS: "starts",
}
_STYLES = (
    "classDef starts fill:#e5efe4,stroke:#5b6675,color:#1c2430,stroke-width:2px",
    "classDef message fill:#e7f0fc,stroke:#5b6675,color:#1c2430",
    "classDef public fill:#ffffff,stroke:#5b6675,color:#1c2430,stroke-dasharray:3 2",
    "classDef question fill:#efe8fb,stroke:#5b6675,color:#1c2430,stroke-width:2px",
    "classDef wait fill:#fdf3d8,stroke:#5b6675,color:#1c2430",
    "classDef person fill:#fbe4ea,stroke:#5b6675,color:#1c2430",
)
_LINES, _ROOM, _SIZE = 6, 300.0, 13.0


@dataclass(frozen=True, slots=True)
class _From:
    """A way that still has to lead somewhere."""

    node: str
    pace: Pace
    words: str = ""


def render(outlines: Sequence[Outline]) -> str:
    """One flowchart; several flows stand in boxes of their own."""
    return "\n".join(_parts(outlines)) + "\n"


def _parts(outlines: Sequence[Outline]) -> Iterator[str]:
    yield "flowchart TD"
    writers: list[_Writer] = []
    taken: set[str] = set()
    for outline in outlines:
        slug = _slug(outline.flow, taken)
        taken.add(slug)
        writer = _Writer(outline, slug)
        writer.write()
        writers.append(writer)
    for writer in writers:
        if len(writers) == 1:
            yield from (f"  {line}" for line in writer.lines)
            continue
        yield f'  subgraph {writer.slug}["{_escaped(writer.outline.title)}"]'
        yield from (f"    {line}" for line in writer.lines)
        yield "  end"
    yield from (f"  {style}" for style in _STYLES)


def _slug(flow: str, taken: set[str]) -> str:
    """`f_price_list`; letters that Mermaid might not take are written as their numbers."""
    slug = "f_" + "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in flow)
    slug = slug.replace("_2d_", "_").replace("_5f_", "_")
    number, made = 1, slug
    while made in taken:
        number += 1
        made = f"{slug}_{number}"
    return made


class _Writer:
    def __init__(self, outline: Outline, slug: str) -> None:
        self.outline = outline
        self.slug = slug
        self.say = Vocabulary(outline.language)
        self.lines: list[str] = []

    def write(self) -> None:
        left = self._list(self.outline.items, [], tail=True)
        self._end("do.end", left)

    def _id(self, path: str) -> str:
        return f"{self.slug}__{path.replace('.', '_')}"

    def _end(self, path: str, left: list[_From]) -> None:
        if left:
            self._node(Item(path, Shape.END, text=self.say("the_end")))
            self._lead(left, path)

    def _list(self, items: Sequence[Item], before: list[_From], *, tail: bool) -> list[_From]:
        """Writes the steps; returns the ways that lead on. `tail`: nothing follows."""
        for number, item in enumerate(items):
            self._node(item)
            self._lead(before, item.path)
            before = self._ways(item, last=tail and number + 1 == len(items))
        return before

    def _ways(self, item: Item, *, last: bool) -> list[_From]:
        here = self._id(item.path)
        left: list[_From] = []
        if item.onward is not None and item.goes_on(last=last):
            left.append(_From(here, item.onward, self._onward(item)))
        for way in item.ways:
            before = [_From(here, way.pace, self._words(way))]
            after = self._list(way.steps, before, tail=last or not way.joins)
            if way.joins:
                left += after
            else:
                self._end(f"{way.path}.end", after)
        if item.back is not None:
            self.lines.append(f"{here} -->|{_quoted(self.say('back'))}| {self._id(item.back)}")
        return left

    def _onward(self, item: Item) -> str:
        if item.onward_label or item.onward is Pace.AT_ONCE:
            return item.onward_label
        return self.say("answers") if item.shape is Shape.QUESTION else ""

    def _words(self, way: Way) -> str:
        return f"{self.say('taps')}: {way.label}" if way.tap else way.label

    def _lead(self, ways: list[_From], path: str) -> None:
        for way in ways:
            words = f"|{_quoted(way.words)}|" if way.words else ""
            self.lines.append(f"{way.node} {_ARROWS[way.pace]}{words} {self._id(path)}")

    def _node(self, item: Item) -> None:
        opening, closing = _ENDING[item.shape]
        pills = " ".join(
            f"[{cut(pill.label, _ROOM, _SIZE)}{' ↗' if pill.url else ''}]" for pill in item.pills
        )
        text = "\n".join(filter(None, (item.head, *_first(item.text), *item.rows, *item.notes, pills)))
        kind = f":::{_CLASSES[item.shape]}" if item.shape in _CLASSES else ""
        self.lines.append(f"{self._id(item.path)}{opening}{_escaped(text)}{closing}{kind}")


def _first(text: str) -> Iterator[str]:
    """The first lines, each cut where it gets long."""
    lines = [line for line in clean(text).split("\n") if line.strip()]
    for line in lines[:_LINES]:
        yield cut(line, _ROOM * 2, _SIZE)
    if len(lines) > _LINES:
        yield "…"


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Without any sign that Mermaid, Markdown or HTML reads; letters of every script stay."""
    lines = (_line(" ".join(line.split())) for line in clean(text).split("\n"))
    return "<br/>".join(line for line in lines if line)


def _line(text: str) -> str:
    listed = _LIST.match(text)
    if listed is None:
        return _SIGNS.sub(_number, text)
    sign = listed.end() - 1
    return f"{text[:sign]}{_code(text[sign])}{_SIGNS.sub(_number, text[sign + 1 :])}"


def _number(found: re.Match[str]) -> str:
    return _code(found[0]) if found[0].isascii() else found[0]


def _code(char: str) -> str:
    return f"#{ord(char)};"
