"""A strict reader of the part of Mermaid's flowchart notation that pictures of flows use.

It knows less than Mermaid does, and refuses whatever Mermaid could read in two ways: an unquoted text, a sign that is
not written as its number, an id that is a word of the notation.
"""

import re
from dataclasses import dataclass, field

_ID = r"[A-Za-z][A-Za-z0-9_]*"
_TEXT = r"\"((?:[^\"#;`<>&\[\]{}|\\*_~^$%@+\n\x00-\x1f]|#\d+;|<br/>)*)\""
_SHAPES = (
    (r"\(\[", r"\]\)"),
    (r"\{\{", r"\}\}"),
    (r"\[\[", r"\]\]"),
    (r"\(\(", r"\)\)"),
    (r"\(", r"\)"),
    (r"\{", r"\}"),
    (r"\[", r"\]"),
    (">", r"\]"),
)
_NODES = tuple(
    re.compile(rf"({_ID}){opening}{_TEXT}{closing}(?::::({_ID}))?") for opening, closing in _SHAPES
)
_EDGE = re.compile(rf"({_ID}) (-->|-\.->)(?:\|{_TEXT}\|)? ({_ID})")
_BOX = re.compile(rf"subgraph ({_ID})\[{_TEXT}\]")
_CLASS = re.compile(rf"classDef ({_ID}) [a-z-]+:[#\w ]+(?:,[a-z-]+:[#\w ]+)*")
_LISTED = re.compile(r"(?:^|<br/>)\s*(?:\d+[.)]|[-=])\s*")
_WORDS = {
    "end",
    "subgraph",
    "graph",
    "flowchart",
    "style",
    "class",
    "click",
    "default",
    "direction",
    "linkStyle",
}


class BadMermaid(ValueError):
    """A line that is not in the notation."""


@dataclass(slots=True)
class Chart:
    nodes: dict[str, str] = field(default_factory=dict)
    """Id → its text, with the numbers read."""
    edges: list[tuple[str, str, str, str]] = field(default_factory=list)
    """From, arrow, label, to."""
    boxes: list[str] = field(default_factory=list)


def read(text: str) -> Chart:
    """Raises `BadMermaid` with the line."""
    first, *lines = text.rstrip("\n").split("\n")
    if first != "flowchart TD":
        raise BadMermaid(first)
    chart, classes, used, depth = Chart(), set[str](), set[str](), 0
    for line in map(str.strip, lines):
        if (box := _BOX.fullmatch(line)) is not None:
            chart.boxes.append(_plain(box[2]))
            depth += 1
        elif line == "end":
            depth -= 1
        elif (styled := _CLASS.fullmatch(line)) is not None:
            classes.add(styled[1])
        elif (edge := _EDGE.fullmatch(line)) is not None:
            chart.edges.append((edge[1], edge[2], _plain(edge[3] or ""), edge[4]))
        else:
            _node(line, chart, used)
    ends = {edge[0] for edge in chart.edges} | {edge[3] for edge in chart.edges}
    if depth or not used <= classes or not ends <= set(chart.nodes) or _WORDS & set(chart.nodes):
        raise BadMermaid("a box that is not closed, or an id or class that is none")
    return chart


def _node(line: str, chart: Chart, used: set[str]) -> None:
    found = next((match for match in (one.fullmatch(line) for one in _NODES) if match is not None), None)
    if found is None or found[1] in chart.nodes:
        raise BadMermaid(line)
    if _LISTED.search(found[2]):
        raise BadMermaid(f"would become a list or heading: {line}")
    chart.nodes[found[1]] = _plain(found[2])
    used |= {found[3]} if found[3] else set()


def _plain(text: str) -> str:
    return re.sub(r"#(\d+);", lambda number: chr(int(number[1])), text.replace("<br/>", "\n"))
