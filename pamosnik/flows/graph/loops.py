"""Lines back: a free lane for every `again`, found once everything else has its place.

A line leaves the node at its side, runs up where nothing is, and comes to the earlier step from the same side. It is
drawn only where it touches nothing; otherwise the words in the node, which name the step, and a link have to do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from pamosnik.flows.graph.drawing import Edge, Node
from pamosnik.flows.graph.frames import TAIL
from pamosnik.flows.graph.outline import BUBBLES, Pace

_AIR = 12.0
"""Between a lane and what it passes."""


@dataclass(frozen=True, slots=True)
class _Rect:
    x1: float
    y1: float
    x2: float
    y2: float

    def mirrored(self) -> "_Rect":
        return _Rect(-self.x2, self.y1, -self.x1, self.y2)


def lines_back(flow: str, nodes: Iterable[Node], edges: Iterable[Edge]) -> list[Edge]:
    """The lines that can be drawn, the shortest first."""
    by_path = {node.path: node for node in nodes}
    obstacles = [(node.path, _room_of(node)) for node in by_path.values()]
    obstacles += [("", rect) for edge in edges for rect in _segments(edge)]
    wanted = [(node, by_path[node.back]) for node in by_path.values() if node.back is not None]
    found: list[Edge] = []
    for node, target in sorted(wanted, key=lambda pair: (pair[0].y - pair[1].y, pair[0].path)):
        drawn = _shortest(flow, node, target, obstacles)
        if drawn is not None:
            found.append(drawn)
            obstacles += [("", rect) for rect in _segments(drawn)]
    return found


def _room_of(node: Node) -> _Rect:
    return _Rect(node.x - (TAIL if node.shape in BUBBLES else 0), node.y, node.right, node.bottom)


def _segments(edge: Edge) -> Iterable[_Rect]:
    for (x1, y1), (x2, y2) in pairwise(edge.points):
        yield _Rect(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _shortest(flow: str, node: Node, target: Node, obstacles: list[tuple[str, _Rect]]) -> Edge | None:
    best: Edge | None = None
    high, low = min(node.y, target.y) - _AIR, max(node.bottom, target.bottom) + _AIR
    obstacles = [(path, rect) for path, rect in obstacles if rect.y1 < low and rect.y2 > high]
    for sign in (1.0, -1.0):
        # From the left a bubble is reached below its tail.
        shares = (0.75, 0.62, 0.88) if sign < 0 and target.shape in BUBBLES else (0.5, 0.3, 0.7)
        for share in shares:
            y1, y2 = node.y + node.h / 2, target.y + target.h * share
            begin1, begin2 = (node.right, target.right) if sign > 0 else (-node.x, -target.x)
            lane = _lane((begin1, y1), (begin2, y2), (node.path, target.path), obstacles, sign)
            if lane is None:
                continue
            x = sign * lane
            points = ((sign * begin1, y1), (x, y1), (x, y2), (sign * begin2, y2))
            if best is None or _length(points) < _length(best.points):
                best = Edge(flow, node.path, target.path, Pace.AT_ONCE, points, arrow=True, back=True)
            break
    return best


def _length(points: tuple[tuple[float, float], ...]) -> float:
    return sum(abs(x1 - x2) + abs(y1 - y2) for (x1, y1), (x2, y2) in pairwise(points))


def _lane(
    begin: tuple[float, float],
    end: tuple[float, float],
    ends: tuple[str, str],
    obstacles: list[tuple[str, _Rect]],
    sign: float,
) -> float | None:
    """The nearest x to the right at which a line can run; everything is mirrored for the left."""
    (x1, y1), (x2, y2) = begin, end
    rects = [(path, rect if sign > 0 else rect.mirrored()) for path, rect in obstacles]
    others = [rect for path, rect in rects if path not in ends]
    limit = min(_reach(x1, y1, others), _reach(x2, y2, others)) - _AIR
    low, high = min(y1, y2) - _AIR, max(y1, y2) + _AIR
    taken = sorted((rect.x1, rect.x2) for _, rect in rects if rect.y1 < high and rect.y2 > low)
    x = max(x1, x2) + 14.0
    for left, right in taken:
        if right + _AIR > x and left - _AIR < x:
            x = right + _AIR
    return x if x <= limit else None


def _reach(x: float, y: float, rects: list[_Rect]) -> float:
    """How far a line to the right runs before it meets something."""
    return min((rect.x1 for rect in rects if rect.y1 - 5 < y < rect.y2 + 5 and rect.x2 > x - 1), default=1e9)
