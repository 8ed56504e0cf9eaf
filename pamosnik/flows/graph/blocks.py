"""Blocks: a step with everything that hangs on it, or a list of steps, laid out in coordinates of its own.

A flow is nested as it is written, and so is its picture. A way comes into a block at (0, 0), leaves it at its bottom,
and everything in between stays inside the block. Blocks stand below or beside one another and never overlap, so no
two lines have to cross: what leaves a step on the left goes to the left. Where many ways leave one step, they stand
in rows; a line at their left leads to them, and one at their right leads on from them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pamosnik.flows.graph.drawing import Edge, Node, Point
from pamosnik.flows.graph.frames import HALF, WIDE, fits_one_row, frame, label
from pamosnik.flows.graph.outline import Item, Pace, Shape, Way

MOST = 1040.0
"""Ways that would be wider together stand in several rows."""
GAP = 26.0
"""Between columns, and between a node and the next."""
_NEAR = 18.0
"""Between small nodes."""
_LEVEL = 8.0
"""Between two lines that run side by side."""
_TURN = 14.0
"""From a node to the first line that turns off."""
_DASHES = 8.0
"""More where a line is dashed, or no dash would be seen."""
_STRAIGHT = 24.0
"""Nearer than that to its place a column moves into line."""
_MIDDLE = 72.0
"""Likewise the middle one of an odd number."""
_SMALL = (Shape.DATA, Shape.GOAL, Shape.END)


@dataclass(frozen=True, slots=True)
class Out:
    """Where a way leaves a block."""

    start: str
    pace: Pace


@dataclass(slots=True)
class Block:
    left: float = 0.0
    """How far it reaches to the left of the way; likewise `right`."""
    right: float = 0.0
    height: float = 0.0
    spine: float = 0.0
    """So far down the next step may begin, if it is no wider than a node; below `height` anything may."""
    clear: float = 0.0
    """Above this lines turn off to the side, so the next step stands below it."""
    out: Out | None = None
    entry: str | None = None
    """The first node; None: there is none."""
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    inner: list[tuple[float, float, "Block"]] = field(default_factory=list)

    def put(self, x: float, y: float, block: "Block") -> None:
        self.inner.append((x, y, block))
        self.left = max(self.left, block.left - x)
        self.right = max(self.right, block.right + x)
        self.height = max(self.height, y + block.height)


@dataclass(slots=True)
class _Column:
    """A way with its steps. `bare`: it leaves from its pill, so no words stand over it."""

    way: Way
    block: Block
    bare: bool
    port: float = 0.0
    x: float = 0.0
    slot: float = 0.0
    """Its room in a row: the same for all where that wastes little, so that rows stand like a grid."""

    @property
    def width(self) -> float:
        return self.block.left + self.block.right


class Builder:
    """Blocks of one flow. `targets`: the steps that an `again` goes back to; they need air at their sides."""

    def __init__(self, flow: str, targets: frozenset[str]) -> None:
        self.flow = flow
        self.targets = targets

    def steps(self, items: Sequence[Item], path: str, *, tail: bool) -> Block:
        """A list of steps. `tail`: nothing follows, so it closes with the sign of the end."""
        block = Block()
        for number, item in enumerate(items):
            self._append(block, item, self._unit(item, last=tail and number + 1 == len(items)))
        if tail and (block.out is not None or not items):
            end = Item(f"{path}.end", Shape.END, onward=None)
            self._append(block, end, self._unit(end, last=True))
        block.height = max(block.height, block.spine)
        return block

    def _append(self, block: Block, item: Item, unit: Block) -> None:
        y = 0.0
        if block.entry is not None:
            y = max(block.spine + (_NEAR if item.shape in _SMALL else GAP), block.clear)
            lane = item.back is not None or item.path in self.targets
            if lane or unit.right > HALF or unit.left > HALF or block.out is None:
                y = max(y, block.height + GAP)
        if block.out is not None:
            y += 0 if block.out.pace is Pace.AT_ONCE else _DASHES
            block.edges.append(self._edge(block.out, item.path, ((0, block.spine), (0, y))))
        block.entry = block.entry or item.path
        block.put(0, y, unit)
        block.spine, block.clear = y + unit.spine, y + unit.clear
        block.out = unit.out

    def _edge(self, out: Out, end: str, points: tuple[Point, ...], *, arrow: bool = True) -> Edge:
        return Edge(self.flow, out.start, end, out.pace, points, arrow)

    def _unit(self, item: Item, *, last: bool) -> Block:
        """One step. `last`: no step follows, so its ways do not meet again."""
        taps = any(way.tap for way in item.ways)
        straight = item.goes_on(last=last)
        if not item.ways:
            made = frame(self.flow, item, direct=False, follows=straight)
            return _of_node(made.node, Out(item.path, item.onward) if item.onward is not None else None)
        steps = [self.steps(w.steps, w.path, tail=last or not w.joins) for w in item.ways]
        room = sum(block.left + block.right + GAP for block in steps)
        if len(steps) > 1 and (room > MOST or (taps and not fits_one_row(item))):
            if item.ways[-1].bare:
                return self._rows(_straightened(item), steps[:-1], straight=True)
            return self._rows(item, steps, straight=straight)
        return self._fan(item, steps, straight=straight)

    def _column(self, way: Way, steps: Block, *, bare: bool) -> _Column:
        """The steps of a way, below the words that say when it is taken."""
        if bare:
            return _Column(way, steps, bare)
        head = label(self.flow, way.path, way.label, tap=way.tap)
        block = _of_node(head, Out(way.path, way.pace))
        if steps.entry is not None:
            y = head.h + _NEAR
            block.edges.append(self._edge(Out(way.path, way.pace), steps.entry, ((0, head.h), (0, y))))
            block.put(0, y, steps)
            block.out = steps.out
            block.spine = y + steps.spine
        return _Column(way, block, bare)

    def _fan(self, item: Item, steps: list[Block], *, straight: bool) -> Block:
        """Ways side by side, each from its own pill or place; those of a `choose` from one line."""
        shared = item.shape is Shape.CHOOSE
        made = frame(self.flow, item, direct=not shared, follows=straight)
        unit = _of_node(made.node, None)
        columns = [
            self._column(way, block, bare=way.tap) for way, block in zip(item.ways, steps, strict=True)
        ]
        for column, port in zip(columns, made.ports or (0.0,) * len(columns), strict=True):
            column.port = port
        meets = any(column.block.out is not None for column in columns)
        name = self._onward_name(item) if straight else None
        reach = max(14.0, 0.0 if name is None else name.x + name.w) if meets else HALF
        _place(columns, reach + GAP if straight else None)
        levels = _levels(columns)
        top = made.node.h + 2 * _TURN + _LEVEL * max(levels)
        for column, level in zip(columns, levels, strict=True):
            turn = made.node.h + _TURN + _LEVEL * level
            unit.edges.append(self._lead(item, column, ((column.port, made.node.h), turn), top))
            unit.put(column.x, top, column.block)
        if not straight and not meets:
            unit.spine = unit.height
            return unit
        if not meets:
            self._beside(unit, item, made.node.h, top, name)
            return unit
        joint = unit.height + _TURN
        for column in columns:
            self._join(
                unit, item, column, ((column.x, top + column.block.spine), (column.x, joint), (0.0, joint))
            )
        if straight:
            self._straight(unit, item, made.node.h, top, joint, name)
        unit.height = unit.spine = joint
        unit.out = Out(f"{item.path}~", Pace.AT_ONCE)
        return unit

    def _beside(self, unit: Block, item: Item, bottom: float, top: float, name: Node | None) -> None:
        """Nothing leads back from the ways: the steps straight on stand beside them."""
        unit.out, unit.spine, unit.clear = Out(item.path, item.onward or Pace.AT_ONCE), bottom, top
        if name is not None:
            unit.edges.append(self._edge(unit.out, name.path, ((0, bottom), (0, top)), arrow=False))
            unit.put(0, top, _of_node(name, None))
            unit.out, unit.spine = Out(name.path, unit.out.pace), top + name.h

    def _onward_name(self, item: Item) -> Node | None:
        return (
            label(self.flow, f"{item.path}.onward", item.onward_label, tap=False)
            if item.onward_label
            else None
        )

    def _straight(
        self, unit: Block, item: Item, begin: float, y: float, joint: float, name: Node | None
    ) -> None:
        """The way straight on from a node to where the others meet it, with its name in between."""
        out = Out(item.path, item.onward or Pace.AT_ONCE)
        if name is not None:
            unit.edges.append(self._edge(out, name.path, ((0, begin), (0, y)), arrow=False))
            unit.put(0, y, _of_node(name, None))
            out, begin = Out(name.path, out.pace), y + name.h
        unit.edges.append(self._edge(out, f"{item.path}~", ((0, begin), (0, joint)), arrow=False))

    def _join(self, unit: Block, item: Item, column: _Column, points: tuple[Point, ...]) -> None:
        """From the end of a way to where it meets others; what waits there waits no more once it turns off."""
        out = column.block.out
        if out is None:
            return
        if out.pace is not Pace.AT_ONCE and points[1] != points[-1]:
            unit.edges.append(self._edge(out, f"{item.path}~", points[:2], arrow=False))
            out, points = Out(out.start, Pace.AT_ONCE), points[1:]
        unit.edges.append(self._edge(out, f"{item.path}~", _turning(points), arrow=False))

    def _lead(
        self, item: Item, column: _Column, turn: tuple[Point, float], top: float, *, aside: float = 0.0
    ) -> Edge:
        """From a node or pill down to a line that turns off, and to the head of a column.

        `aside`: it runs down so far to the right of where it begins.
        """
        (x, y), level = turn
        down: tuple[Point, ...] = ((x, y), (x, level))
        if aside and level > y + _TURN:
            down = ((x, y), (x, y + _TURN), (x + aside, y + _TURN), (x + aside, level))
        points = _turning((*down, (column.x, level), (column.x, top)))
        way = column.way
        if column.bare:
            end = column.block.entry
            return Edge(self.flow, way.path, end or f"{item.path}~", way.pace, points, arrow=end is not None)
        return Edge(self.flow, item.path, way.path, way.pace, points, arrow=False)

    def _rows(self, item: Item, steps: list[Block], *, straight: bool) -> Block:
        """Many ways: in rows, those of one pace together; the line to the last rows runs leftmost."""
        made = frame(self.flow, item, direct=False, follows=straight)
        unit = _of_node(made.node, None)
        columns = [self._column(way, block, bare=False) for way, block in zip(item.ways, steps, strict=True)]
        paces = list(dict.fromkeys(column.way.pace for column in columns))
        single = not straight and len(paces) == 1
        begin = 0.0 if single else _TURN + 10 * (len(paces) - 1)
        beside = straight and len(paces) == 1 and not item.onward_label
        beside = beside and all(column.block.out is None for column in columns)
        aside = HALF + _TURN - begin if beside else 0.0
        y = made.node.h
        exits: list[tuple[_Column, float, float]] = []
        for number, pace in enumerate(paces):
            lane = begin - 10 * number
            alike = [column for column in columns if column.way.pace is pace]
            widest = max(column.width for column in alike)
            for column in alike:
                column.slot = widest if widest < 1.5 * WIDE else column.width
            for row in _in_rows(alike, MOST - aside):
                x = begin + aside + GAP
                top, bottom = y + 2 * _TURN, y
                for column in row:
                    column.x = x + column.block.left + (column.slot - column.width) / 2
                    x += column.slot + GAP
                    begins = ((lane, made.node.h), y + _TURN)
                    unit.edges.append(self._lead(item, column, begins, top, aside=aside))
                    unit.put(column.x, top, column.block)
                    bottom = max(bottom, top + column.block.height)
                y = bottom + _TURN
                leaving = [column for column in row if column.block.out is not None]
                exits += [(column, top + column.block.spine, y) for column in leaving]
                y += _TURN if leaving else 0
        if beside:
            self._beside(unit, item, made.node.h, made.node.h + 2 * _TURN, None)
            return unit
        return self._close_rows(unit, item, y, exits, straight=straight)

    def _close_rows(
        self,
        unit: Block,
        item: Item,
        y: float,
        exits: list[tuple[_Column, float, float]],
        *,
        straight: bool,
    ) -> Block:
        name = self._onward_name(item) if straight else None
        joint = y + _TURN
        collector = unit.right + _TURN
        for column, bottom, level in exits:
            down = ((collector, level), (collector, joint), (0.0, joint))
            self._join(unit, item, column, ((column.x, bottom), (column.x, level), *down))
            unit.right = max(unit.right, collector)
        if straight:
            self._straight(unit, item, unit.nodes[0].h, y, joint, None)
        if name is not None:
            unit.put(-name.w / 2 - 8, unit.nodes[0].h + 5, _of_node(name, None))
        unit.height = unit.spine = joint
        if straight or exits:
            unit.out = Out(f"{item.path}~", Pace.AT_ONCE)
        return unit


def _straightened(item: Item) -> Item:
    """With its last way, which has no steps, as the way straight on: below rows it would run all around them."""
    *ways, last = item.ways
    return replace(item, ways=tuple(ways), onward=last.pace, onward_label=last.label)


def _of_node(node: Node, out: Out | None) -> Block:
    return Block(-node.x, node.right, node.h, node.h, out=out, entry=node.path, nodes=[node])


def _place(columns: list[_Column], begin: float | None) -> None:
    """Side by side from `begin`; None: in the middle below the places they leave from."""
    x = begin or 0.0
    for column in columns:
        column.x = x + column.block.left
        x += column.width + GAP
    if begin is None:
        ports = [column.port for column in columns]
        shift = (min(ports) + max(ports) - columns[0].x - columns[-1].x) / 2
        for column in columns:
            column.x += shift
        bend = _bend(columns)
        for column in columns:
            column.x -= bend


def _bend(columns: list[_Column]) -> float:
    """How far from straight a line is that shall run straight down, because it nearly does."""
    bends = [column.x - column.port for column in columns]
    if len(bends) % 2 and abs(bends[len(bends) // 2]) < _MIDDLE:
        return bends[len(bends) // 2]
    if len({column.port for column in columns}) > 1:
        return 0.0
    nearest = min(bends, key=abs)
    return nearest if abs(nearest) < _STRAIGHT else 0.0


def _levels(columns: list[_Column]) -> list[int]:
    """How far down each line turns off, so that none crosses another: the outer ones of a side first."""
    if len({column.port for column in columns}) == 1:
        return [0] * len(columns)
    rightward = [n for n, column in enumerate(columns) if column.x > column.port + 0.05]
    leftward = [n for n, column in enumerate(columns) if column.x < column.port - 0.05]
    levels = [0] * len(columns)
    for level, number in enumerate(reversed(rightward)):
        levels[number] = level
    for level, number in enumerate(leftward):
        levels[number] = level
    return levels


def _turning(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Without points that lie on the way anyhow."""
    kept = [points[0]]
    for point in points[1:]:
        if abs(point[0] - kept[-1][0]) < 0.05 and len(kept) > 1 and abs(kept[-1][0] - kept[-2][0]) < 0.05:
            kept[-1] = point
        elif point != kept[-1]:
            kept.append(point)
    return tuple(kept)


def _in_rows(columns: list[_Column], room: float) -> Iterator[list[_Column]]:
    """As few rows as the room allows, filled evenly."""
    few, more = divmod(len(columns), _rows_needed(columns, room))
    begin = 0
    while begin < len(columns):
        part = columns[begin : begin + few + (1 if more > 0 else 0)]
        yield from [part] if _rows_needed(part, room) == 1 else [[column] for column in part]
        begin, more = begin + len(part), more - 1


def _rows_needed(columns: list[_Column], room: float) -> int:
    rows, wide = 1, 0.0
    for column in columns:
        if wide and wide + column.slot > room:
            rows, wide = rows + 1, 0.0
        wide += column.slot + GAP
    return rows
