"""How large a node is, and where its text stands in it: x counts from the way that comes in, y from the top."""

from collections.abc import Iterator
from dataclasses import dataclass

from pamosnik.flows.graph.drawing import Bar, Button, Line, Node
from pamosnik.flows.graph.measure import ELLIPSIS, cut, runs_leftward, width, wrap
from pamosnik.flows.graph.outline import Item, Pill, Shape

WIDE = 232.0
"""Of a message; half of it on either side of the way."""
HALF = WIDE / 2
ROW_ROOM = 430.0
"""Pills stay in one row up to this width."""
PILLS_IN_A_ROW = 4
_PAD = 11.0
_HEAD, _TEXT, _NOTE, _COUNT, _PILL, _LABEL = 10.0, 13.0, 10.5, 11.5, 12.0, 11.5
_PILL_HEIGHT, _PILL_GAP, _PILL_PAD = 22.0, 6.0, 10.0
_OFF = 24.0
"""So far a row of pills may stand off the middle of its node."""
PORT_GAP = 20.0
"""Between the places at which ways leave a node."""

_TEXT_LINES = {Shape.STARTS: 14, Shape.GATE: 10, Shape.MESSAGE: 5, Shape.QUESTION: 5}
_FULL_WIDTH = (Shape.STARTS, Shape.MESSAGE, Shape.QUESTION, Shape.PUBLIC, Shape.GATE)
_SIDE = {
    Shape.CHOOSE: 20.0,
    Shape.GATE: 16.0,
    Shape.WAIT: 12.0,
    Shape.AWAIT: 12.0,
    Shape.JUMP: 16.0,
    Shape.AGAIN: 10.0,
    Shape.GOAL: 14.0,
}
"""What a shape needs on either side beyond a rectangle."""
_ICON = {Shape.WAIT: 20.0, Shape.AWAIT: 20.0, Shape.PERSON: 20.0, Shape.AGAIN: 18.0, Shape.GOAL: 14.0}
"""Room for a sign before the text."""
_POINT = 12.0
"""So much further left the text of a jump begins: only its right side is pointed."""
_DOT = 16.0
TAIL = 8.0
"""How far the tail of a bubble reaches out to the left."""
_LEAST = 29.0
"""Height of the lowest node with words."""
_BAR = 8.0
"""So much higher is a node with a bar."""
LABEL_ROOM = 200.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A node of a size, with nothing decided about its place."""

    node: Node
    """As if the way came in at (0, 0)."""
    ports: tuple[float, ...] = ()
    """Where its ways leave, in their order; empty: all of them in its middle."""


def label(flow: str, path: str, text: str, *, tap: bool) -> Node:
    """Words on an edge, or the label of a button there."""
    if tap:
        said = cut(text, LABEL_ROOM - 2 * _PILL_PAD, _PILL)
        wide = width(said, _PILL) + 2 * _PILL_PAD
        line = Line(0, 15, said, _PILL, "pill", centred=True, leftward=runs_leftward(said))
        return Node(flow, path, Shape.TAP, -wide / 2, 0, wide, _PILL_HEIGHT, (line,), (), text)
    said_lines = wrap(text, LABEL_ROOM, _LABEL, lines=5) or (ELLIPSIS,)
    wide = max(width(one, _LABEL) for one in said_lines) + 8
    leftward = runs_leftward(text)
    lines = tuple(
        Line(0, 12 + 14 * number, one, _LABEL, "label", centred=True, leftward=leftward)
        for number, one in enumerate(said_lines)
    )
    return Node(flow, path, Shape.LABEL, -wide / 2, 0, wide, 14.0 * len(lines) + 3, lines, (), text)


def frame(flow: str, item: Item, *, direct: bool, follows: bool) -> Frame:
    """`direct`: ways leave from the node's own pills and ports. `follows`: the next step is reached straight."""
    if item.shape is Shape.END:
        node = Node(flow, item.path, Shape.END, -_DOT / 2, 0, _DOT, _DOT, (), (), item.full)
        return Frame(node)
    in_row = direct and any(way.tap for way in item.ways)
    row = _row_width(item.pills) if in_row else 0.0
    ports = [way for way in item.ways if not way.tap] if direct else []
    extra = PORT_GAP * len(ports)
    if in_row and follows:
        left, right = -HALF, max(HALF, 14 + row + extra + (14 if ports else 0) + _PAD)
    elif in_row:
        half = max(HALF, (row + extra) / 2 + abs(_off_middle(item)) + _PAD)
        left, right = -half, half
    else:
        half = _half(item, ports=len(ports))
        left, right = -half, half
    return _filled(flow, item, left, right, in_row=in_row, follows=follows, direct=direct)


def _half(item: Item, *, ports: int) -> float:
    least = 2 * (16 + PORT_GAP * ports) if ports else 0.0
    if item.shape in _FULL_WIDTH:
        return max(WIDE, least) / 2
    texts = [width(item.head, _HEAD, bold=True), width(" · ".join(item.notes), _NOTE)]
    texts += [width(line, _TEXT) + _ICON.get(item.shape, 0) for line in item.text.split("\n")]
    texts.append(width(item.counted, _COUNT, bold=True))
    wanted = max(texts) + 1 + 2 * (_PAD + _SIDE.get(item.shape, 0))
    return max(min(wanted, WIDE), least, 56.0) / 2


def _row_width(pills: tuple[Pill, ...]) -> float:
    return sum(pill_width(pill) + _PILL_GAP for pill in pills) - _PILL_GAP


def _off_middle(item: Item) -> float:
    """How far a row of pills moves so that the middle way of an odd number begins in the middle of the node."""
    taps = [way.path for way in item.ways if way.tap]
    if len(taps) % 2 == 0:
        return 0.0
    x = -_row_width(item.pills) / 2
    for pill in item.pills:
        middle = x + pill_width(pill) / 2
        if pill.path == taps[len(taps) // 2]:
            return -middle if abs(middle) < _OFF else 0.0
        x += pill_width(pill) + _PILL_GAP
    return 0.0


def pill_width(pill: Pill) -> float:
    return width(_pill_text(pill), _PILL) + 2 * _PILL_PAD


def _pill_text(pill: Pill) -> str:
    said = cut(pill.label, WIDE - 50, _PILL)
    return f"{said} ↗" if pill.url is not None else said


def fits_one_row(item: Item) -> bool:
    """Whether ways can leave straight from the pills."""
    return len(item.pills) <= PILLS_IN_A_ROW and _row_width(item.pills) <= ROW_ROOM


def _filled(
    flow: str, item: Item, left: float, right: float, *, in_row: bool, follows: bool, direct: bool
) -> Frame:
    room = right - left - 2 * (_PAD + _SIDE.get(item.shape, 0.0))
    start = left + (right - left - room) / 2 - (_POINT if item.shape is Shape.JUMP else 0)
    lines, y = _texts(item, start, room)
    bar = None
    if item.figures is not None and item.figures.share is not None:
        bar = Bar(start, y - 2, room, min(item.figures.share, 1.0))
        y += _BAR
    buttons: tuple[Button, ...] = ()
    if item.pills:
        x = (14.0 if follows else _off_middle(item) - _row_width(item.pills) / 2) if in_row else start
        buttons = tuple(_buttons(item.pills, x, y - 2, None if in_row else room))
        y = buttons[-1].y + _PILL_HEIGHT + 8
    shown = (flow, item.path, item.shape, left, 0, right - left, y, tuple(lines), buttons)
    most = item.figures is not None and item.figures.lost_most
    node = Node(*shown, item.full, item.jump, item.back, bar, most)
    return Frame(node, tuple(_ports(item, node)) if direct else ())


def _texts(item: Item, start: float, room: float) -> tuple[list[Line], float]:
    """The lines of a node, and where they end."""
    lines: list[Line] = []
    y = 7.0
    if item.head:
        y += 10
        beside_sign = room - (12 if item.shape is Shape.QUESTION else 0)
        head = cut(item.head, beside_sign, _HEAD, bold=True)
        lines.append(_line(start, room, y, head, _HEAD, "head", bold=True))
        y += 4
    icon = _ICON.get(item.shape, 0.0)
    said = [(line, item.text) for line in wrap(item.text, room - icon, _TEXT, lines=_most_lines(item))]
    said += [(cut(row, room, _TEXT), row) for row in item.rows]
    for text, whole in said:
        y += 17
        lines.append(_line(start, room, y - 2, text, _TEXT, "text", icon=icon, whole=whole))
    notes = " · ".join(item.notes)
    for note in wrap(notes, room, _NOTE, lines=3):
        y += 14
        lines.append(_line(start, room, y - 1, note, _NOTE, "note", whole=notes))
    for number, counted in enumerate(wrap(item.counted, room, _COUNT, lines=2, bold=True)):
        y += 15 if number else 17
        lines.append(_line(start, room, y - 1, counted, _COUNT, "count", bold=True))
    return lines, max(y + 8, _LEAST)


def _most_lines(item: Item) -> int:
    return _TEXT_LINES.get(item.shape, 4)


def _line(
    x: float,
    room: float,
    y: float,
    text: str,
    size: float,
    role: str,
    *,
    bold: bool = False,
    icon: float = 0.0,
    whole: str = "",
) -> Line:
    """`whole`: the text of which this is a line; all of its lines are read from the same side."""
    leftward = runs_leftward(whole or text)
    start = x + room - icon if leftward else x + icon
    return Line(start, y, text, size, role, bold=bold, leftward=leftward)


def _buttons(pills: tuple[Pill, ...], x: float, y: float, room: float | None) -> Iterator[Button]:
    """`room`: where a new row begins; None: all in one."""
    begin = x
    for pill in pills:
        wide = pill_width(pill) if room is None else min(pill_width(pill), room)
        if room is not None and x > begin and x + wide > begin + room:
            x, y = begin, y + _PILL_HEIGHT + _PILL_GAP
        said = _pill_text(pill) if room is None else cut(_pill_text(pill), room - 2 * _PILL_PAD, _PILL)
        line = Line(x + wide / 2, y + 15, said, _PILL, "pill", centred=True, leftward=runs_leftward(said))
        yield Button(pill.path, x, y, wide, _PILL_HEIGHT, line, pill.url, pill.leads)
        x += wide + _PILL_GAP


def _ports(item: Item, node: Node) -> Iterator[float]:
    """In the order of the ways: pills first, then places at the right of the node's lower edge."""
    of_pills = {button.path: button.x + button.w / 2 for button in node.buttons}
    taps = any(way.tap for way in item.ways)
    free = max(button.x + button.w for button in node.buttons) if taps else 0.0
    for way in item.ways:
        if way.tap:
            yield of_pills[way.path]
        else:
            free += PORT_GAP
            yield min(free, node.right - 14)
