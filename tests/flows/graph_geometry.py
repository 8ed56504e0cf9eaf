"""What must hold of every picture, looked for in its numbers."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from pamosnik.flows.graph.drawing import Drawing, Edge, Line, Node, Point
from pamosnik.flows.graph.frames import TAIL
from pamosnik.flows.graph.measure import width
from pamosnik.flows.graph.outline import BUBBLES

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""
_TOUCH = 0.3
"""Places are rounded to a tenth."""


def faults(drawing: Drawing) -> list[str]:
    """Everything that a person would not want to see, in words."""
    return [
        *_outside(drawing),
        *_texts_over_texts(drawing),
        *_texts_out_of_nodes(drawing),
        *_nodes_over_nodes(drawing),
        *_edges_through_nodes(drawing),
        *_crossings(drawing),
    ]


def text_box(line: Line) -> Rect:
    wide = width(line.text, line.size, bold=line.bold)
    before = 0.5 if line.centred else 1.0 if line.leftward else 0.0
    left = line.x - wide * before
    return left, line.y - line.size * 0.8, left + wide, line.y + line.size * 0.2


def _box(node: Node) -> Rect:
    return node.x, node.y, node.right, node.bottom


def _tail(node: Node) -> Rect:
    return node.x - TAIL, node.y + 14, node.x, node.y + 24


def _outside(drawing: Drawing) -> Iterator[str]:
    rects = [*map(text_box, drawing.lines()), *map(_box, drawing.nodes), *map(_tail, drawing.nodes)]
    rects += [(x, y, x, y) for edge in drawing.edges for x, y in edge.points]
    whole = (0.0, 0.0, drawing.width, drawing.height)
    yield from (f"outside: {rect}" for rect in rects if not _within(rect, whole))


def _texts_over_texts(drawing: Drawing) -> Iterator[str]:
    boxes = sorted(((text_box(line), line.text) for line in drawing.lines()), key=lambda one: one[0][1])
    yield from (f"text over text: {a!r} and {b!r}" for a, b in _overlaps(boxes))


def _texts_out_of_nodes(drawing: Drawing) -> Iterator[str]:
    for node in drawing.nodes:
        for line in node.lines:
            if not _within(text_box(line), _box(node)):
                yield f"text leaves its node: {line.text!r} in {node.path}"
        for button in node.buttons:
            pill = (button.x, button.y, button.x + button.w, button.y + button.h)
            if not (_within(pill, _box(node)) and _within(text_box(button.line), pill)):
                yield f"a pill or its text leaves its place: {button.line.text!r} in {node.path}"
    for node in drawing.nodes:
        pills = sorted(
            (((b.x, b.y, b.x + b.w, b.y + b.h), b.path) for b in node.buttons), key=lambda one: one[0][1]
        )
        yield from (f"pill over pill: {a} and {b}" for a, b in _overlaps(pills))


def _nodes_over_nodes(drawing: Drawing) -> Iterator[str]:
    boxes = sorted(((_box(node), node.path) for node in drawing.nodes), key=lambda one: one[0][1])
    yield from (f"node over node: {a} and {b}" for a, b in _overlaps(boxes))


def _overlaps(boxes: list[tuple[Rect, str]]) -> Iterator[tuple[str, str]]:
    """`boxes` from top to bottom."""
    for number, (one, name) in enumerate(boxes):
        for other, other_name in boxes[number + 1 :]:
            if other[1] >= one[3] - _TOUCH:
                break
            if one[0] < other[2] - _TOUCH and other[0] < one[2] - _TOUCH and other[3] > one[1] + _TOUCH:
                yield name, other_name


def _within(inner: Rect, outer: Rect) -> bool:
    return (
        inner[0] >= outer[0] - _TOUCH
        and inner[1] >= outer[1] - _TOUCH
        and inner[2] <= outer[2] + _TOUCH
        and inner[3] <= outer[3] + _TOUCH
    )


def _edges_through_nodes(drawing: Drawing) -> Iterator[str]:
    boxes = [(_box(node), node.path) for node in drawing.nodes]
    boxes += [(_tail(node), f"the tail of {node.path}") for node in drawing.nodes if node.shape in BUBBLES]
    for edge in drawing.edges:
        for left, top, right, bottom in _segments(edge):
            for box, path in boxes:
                if (
                    left < box[2] - _TOUCH
                    and right > box[0] + _TOUCH
                    and top < box[3] - _TOUCH
                    and bottom > box[1] + _TOUCH
                ):
                    yield f"{edge.start} → {edge.end} runs through {path}"


def _segments(edge: Edge) -> Iterator[Rect]:
    for (x1, y1), (x2, y2) in pairwise(edge.points):
        assert abs(x1 - x2) < _TOUCH or abs(y1 - y2) < _TOUCH, "lines run straight up, down or aside"
        yield min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _crossings(drawing: Drawing) -> Iterator[str]:
    """Lines meet only where they begin or end at the same node or meeting point, and cross nowhere."""
    for one, other in combinations(drawing.edges, 2):
        if not _near(one.points, other.points):
            continue
        related = {(one.flow, one.start), (one.flow, one.end)} & {
            (other.flow, other.start),
            (other.flow, other.end),
        }
        for a in _segments(one):
            for b in _segments(other):
                if _cross(a, b) or (not related and _touch(a, b)):
                    yield f"{one.start} → {one.end} crosses {other.start} → {other.end}"


def _near(one: tuple[Point, ...], other: tuple[Point, ...]) -> bool:
    return max(min(y for _, y in one), min(y for _, y in other)) <= min(
        max(y for _, y in one), max(y for _, y in other)
    )


def _cross(a: Rect, b: Rect) -> bool:
    """One upright and one level segment, each going on beyond the other on both sides."""
    for upright, level in ((a, b), (b, a)):
        if (
            level[0] + 1 < upright[0] < level[2] - 1
            and level[0] + 1 < upright[2] < level[2] - 1
            and upright[1] + 1 < level[1] < upright[3] - 1
            and abs(upright[0] - upright[2]) < _TOUCH
        ):
            return True
    return False


def _touch(a: Rect, b: Rect) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]
