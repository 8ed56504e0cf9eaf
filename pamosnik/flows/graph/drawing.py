"""A finished picture: everything with its place, in units of a CSS pixel, y downwards from the top left corner."""

from collections.abc import Iterator
from dataclasses import dataclass

from pamosnik.flows.graph.outline import Pace, Shape


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. `x` is where it begins: its right edge where it is read from the right."""

    x: float
    y: float
    """Of the base line."""
    text: str
    size: float
    role: str
    """`head`, `text`, `note`, `count`, `pill`, `label`, `title` or `legend`."""
    bold: bool = False
    centred: bool = False
    """`x` is its middle."""
    leftward: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A pill on a message."""

    path: str
    x: float
    y: float
    w: float
    h: float
    line: Line
    url: str | None
    leads: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """How many of those who came in came to a step, as a length."""

    x: float
    y: float
    w: float
    """Of all of them."""
    share: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Node:
    flow: str
    path: str
    shape: Shape
    x: float
    y: float
    w: float
    h: float
    lines: tuple[Line, ...]
    buttons: tuple[Button, ...]
    full: str
    """What it says, uncut."""
    jump: str | None = None
    """The flow that goes on, or the step that an `again` goes back to without a line."""
    back: str | None = None
    bar: Bar | None = None
    lost_most: bool = False
    """Nowhere else did so many go no further."""

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another. Where several meet, the first ends at the meeting point, without an arrow."""

    flow: str
    start: str
    """Path of the node or pill it leaves."""
    end: str
    """Path of the node it leads to, or of the meeting point: the node's path and `~`."""
    pace: Pace
    points: tuple[Point, ...]
    arrow: bool
    back: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A line of the legend: how ways of this pace look."""

    pace: Pace
    x1: float
    x2: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    title: str
    language: str
    headings: tuple[Line, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    legend: tuple[Line, ...]
    samples: tuple[Sample, ...]

    def lines(self) -> Iterator[Line]:
        yield from self.headings
        for node in self.nodes:
            yield from node.lines
            yield from (button.line for button in node.buttons)
        yield from self.legend
