"""From outlines to one drawing: flows one below the other, a heading over each, the legend last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pamosnik.flows.graph.blocks import Block, Builder
from pamosnik.flows.graph.drawing import Bar, Drawing, Edge, Line, Node, Sample
from pamosnik.flows.graph.loops import lines_back
from pamosnik.flows.graph.measure import runs_leftward, width, wrap
from pamosnik.flows.graph.outline import Item, Outline, Pace
from pamosnik.flows.graph.words import Vocabulary

MARGIN = 28.0
_TITLE, _ID, _LEGEND = 18.0, 11.5, 11.5
_LEAST = 500.0
"""Width of the narrowest picture: titles and the legend need room."""
_BETWEEN = 56.0
"""Between two flows."""


@dataclass(slots=True)
class _Placed:
    """One flow, its nodes and edges in coordinates of its own."""

    outline: Outline
    nodes: list[Node]
    edges: list[Edge]
    x1: float
    x2: float
    height: float


def draw(outlines: Sequence[Outline]) -> Drawing:
    """One picture of all of them, in their order."""
    placed = [_placed(outline) for outline in outlines]
    language = outlines[0].language if outlines else "en"
    inner = max((one.x2 - one.x1 for one in placed), default=0.0)
    room = max(inner, _LEAST)
    y = MARGIN
    headings: list[Line] = []
    nodes: list[Node] = []
    edges: list[Edge] = []
    for number, one in enumerate(placed):
        y += _BETWEEN if number else 0
        for line in _heading(one.outline, room, y):
            headings.append(line)
            y = line.y
        y += 20
        dx = MARGIN + (room - (one.x2 - one.x1)) / 2 - one.x1
        nodes += [_moved_node(node, dx, y) for node in one.nodes]
        edges += [_moved_edge(edge, dx, y) for edge in one.edges]
        y += one.height
    legend, samples, y = _legend(Vocabulary(language), room, y + 34)
    return Drawing(
        width=round(room + 2 * MARGIN, 1),
        height=round(y + MARGIN, 1),
        title=" · ".join(outline.title for outline in outlines),
        language=language,
        headings=tuple(headings),
        nodes=tuple(nodes),
        edges=tuple(edges),
        legend=tuple(legend),
        samples=tuple(samples),
    )


def _placed(outline: Outline) -> _Placed:
    targets = frozenset(item.back for item in _all(outline.items) if item.back is not None)
    block = Builder(outline.flow, targets).steps(outline.items, "do", tail=True)
    nodes: list[Node] = []
    edges: list[Edge] = []
    waiting: list[tuple[float, float, Block]] = [(0.0, 0.0, block)]
    while waiting:
        dx, dy, one = waiting.pop()
        nodes += [_moved_node(node, dx, dy) for node in one.nodes]
        edges += [_moved_edge(edge, dx, dy) for edge in one.edges]
        waiting += [(dx + x, dy + y, inner) for x, y, inner in one.inner]
    nodes.sort(key=lambda node: (node.y, node.x))
    edges.sort(key=lambda edge: (edge.points, edge.end))
    back = lines_back(outline.flow, nodes, edges)
    drawn = {edge.start for edge in back}
    nodes = [replace(n, jump=n.back) if n.back is not None and n.path not in drawn else n for n in nodes]
    edges += back
    xs = [x for edge in edges for x, _ in edge.points] + [x for node in nodes for x in (node.x, node.right)]
    return _Placed(outline, nodes, edges, min(xs), max(xs), block.height)


def _all(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        for way in item.ways:
            yield from _all(way.steps)


def _heading(outline: Outline, room: float, y: float) -> Iterator[Line]:
    for text in wrap(outline.title, room, _TITLE, lines=3, bold=True):
        y += 22
        yield _left(text, room, y, _TITLE, "title", bold=True, whole=outline.title)
    if outline.flow != outline.title:
        for text in wrap(outline.flow, room, _ID, lines=2):
            y += 17
            yield _left(text, room, y, _ID, "note")


def _left(
    text: str, room: float, y: float, size: float, role: str, *, bold: bool = False, whole: str = ""
) -> Line:
    leftward = runs_leftward(whole or text)
    return Line(MARGIN + (room if leftward else 0), y, text, size, role, bold=bold, leftward=leftward)


def _legend(say: Vocabulary, room: float, y: float) -> tuple[list[Line], list[Sample], float]:
    lines: list[Line] = []
    samples: list[Sample] = []
    x = MARGIN
    for pace in Pace:
        text = say(pace.value)
        wide = 40 + width(text, _LEGEND)
        if x > MARGIN and x + wide > MARGIN + room:
            x, y = MARGIN, y + 20
        samples.append(Sample(pace, x, x + 32, y - 4))
        lines.append(Line(x + 40, y, text, _LEGEND, "legend"))
        x += wide + 22
    return lines, samples, y


def _moved_line(line: Line, dx: float, dy: float) -> Line:
    return replace(line, x=round(line.x + dx, 1), y=round(line.y + dy, 1))


def _moved_node(node: Node, dx: float, dy: float) -> Node:
    return replace(
        node,
        x=round(node.x + dx, 1),
        y=round(node.y + dy, 1),
        w=round(node.w, 1),
        h=round(node.h, 1),
        lines=tuple(_moved_line(line, dx, dy) for line in node.lines),
        bar=None if node.bar is None else _moved_bar(node.bar, dx, dy),
        buttons=tuple(
            replace(
                button,
                x=round(button.x + dx, 1),
                y=round(button.y + dy, 1),
                w=round(button.w, 1),
                line=_moved_line(button.line, dx, dy),
            )
            for button in node.buttons
        ),
    )


def _moved_bar(bar: Bar, dx: float, dy: float) -> Bar:
    return replace(bar, x=round(bar.x + dx, 1), y=round(bar.y + dy, 1))


def _moved_edge(edge: Edge, dx: float, dy: float) -> Edge:
    return replace(edge, points=tuple((round(x + dx, 1), round(y + dy, 1)) for x, y in edge.points))
