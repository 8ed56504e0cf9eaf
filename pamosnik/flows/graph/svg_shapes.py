"""What nodes look like in SVG: told apart by their shapes, so also in print and by people who see few colours."""

from collections.abc import Iterator

from pamosnik.flows.graph.drawing import Node, Point
from pamosnik.flows.graph.frames import TAIL
from pamosnik.flows.graph.outline import Shape


def n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def rect(kind: str, x: float, y: float, w: float, h: float, radius: float) -> str:
    return f'<rect class="{kind}" x="{n(x)}" y="{n(y)}" width="{n(w)}" height="{n(h)}" rx="{n(radius)}"/>'


def outside(node: Node) -> Iterator[str]:
    """The shape of a node, and the small sign in it."""
    x, y, w, h = node.x, node.y, node.w, node.h
    middle = y + h / 2
    match node.shape:
        case Shape.STARTS:
            yield rect("box", x, y, w, h, 16)
        case Shape.GATE:
            yield _cornered(x, y, w, h, 12, h / 2)
        case Shape.CHOOSE:
            yield _cornered(x, y, w, h, 16, h / 2)
        case Shape.STOP:
            yield _cornered(x, y, w, h, 8, 8)
        case Shape.MESSAGE | Shape.PUBLIC:
            yield _bubble(x, y, w, h)
        case Shape.QUESTION:
            yield _bubble(x, y, w, h)
            yield _circle("thin", x + w - 13, y + 12, 7)
            yield _thin(
                f"M{n(x + w - 15.5)} {n(y + 10.5)}q0 -2.5 2.5 -2.5t2.5 2.2q0 1.3 -1.6 2.1t-1 1.4m0 1.8v.4"
            )
        case Shape.WAIT | Shape.AWAIT:
            yield rect("box", x, y, w, h, min(h / 2, 22))
        case Shape.ACT:
            yield rect("box", x, y, w, h, 2)
            yield _thin(f"M{n(x + 5)} {n(y)}v{n(h)}M{n(x + w - 5)} {n(y)}v{n(h)}")
        case Shape.PERSON:
            yield rect("box", x, y, w, h, 3)
        case Shape.DATA:
            yield rect("box", x, y, w, h, 4)
        case Shape.AGAIN:
            yield rect("box", x, y, w, h, 9)
        case Shape.GOAL:
            notch, point = (x + 9, middle), (x + w, middle)
            yield _polygon((x, y), (x + w - 9, y), point, (x + w - 9, y + h), (x, y + h), notch)
        case Shape.JUMP:
            yield _polygon((x, y), (x + w - 14, y), (x + w, middle), (x + w - 14, y + h), (x, y + h))
        case Shape.END:
            yield _circle("box", x + w / 2, middle, w / 2 - 1)
            yield _circle("solid", x + w / 2, middle, w / 2 - 4.5)
        case Shape.TAP:
            yield rect("pill", x, y, w, h, h / 2)
        case Shape.LABEL:
            pass
    yield from _sign(node)


def _sign(node: Node) -> Iterator[str]:
    """The small sign before the first line of text."""
    first = next((line for line in node.lines if line.role == "text"), None)
    if first is None:
        return
    x, y = (first.x + 6 if first.leftward else first.x - 20), first.y - 5
    match node.shape:
        case Shape.WAIT:
            yield _circle("thin", x + 7, y, 6.5)
            yield _thin(f"M{n(x + 7)} {n(y - 4)}v4l3 2")
        case Shape.PERSON | Shape.AWAIT:
            yield _circle("thin", x + 7, y - 3, 3)
            yield _thin(f"M{n(x + 1)} {n(y + 6)}q0 -5.5 6 -5.5t6 5.5z")
        case Shape.AGAIN:
            yield _thin(f"M{n(x + 12)} {n(y + 2)}a5.2 5.2 0 1 1 -1.5 -5.6m.6 -2.6v3.4h-3.4")
        case Shape.GOAL:
            yield f'<path class="solid" d="M{n(x + 8)} {n(y + 5)}v-10l7 2.5l-6 2.5v5z"/>'
        case _:
            pass


def _circle(kind: str, x: float, y: float, radius: float) -> str:
    return f'<circle class="{kind}" cx="{n(x)}" cy="{n(y)}" r="{n(radius)}"/>'


def _thin(path: str) -> str:
    return f'<path class="thin" d="{path}"/>'


def _polygon(*points: Point) -> str:
    return f'<polygon class="box" points="{" ".join(f"{n(x)},{n(y)}" for x, y in points)}"/>'


def _cornered(x: float, y: float, w: float, h: float, across: float, down: float) -> str:
    """A rectangle with its corners cut off; cut off to the middle of its height, it ends in points."""
    upper = (x + across, y), (x + w - across, y), (x + w, y + down)
    lower = (x + w, y + h - down), (x + w - across, y + h), (x + across, y + h), (x, y + h - down)
    return _polygon(*upper, *lower, (x, y + down))


def _bubble(x: float, y: float, w: float, h: float) -> str:
    """A speech bubble: its tail at the upper left, where no way comes in."""
    return (
        f'<path class="box" d="M{n(x + 12)} {n(y)}h{n(w - 24)}q12 0 12 12v{n(h - 24)}q0 12 -12 12'
        f'h{n(24 - w)}q-12 0 -12 -12v{n(36 - h)}l{n(-TAIL)} -9l{n(TAIL)} -1v-2q0 -12 12 -12z"/>'
    )
