"""A drawing as one SVG file: no script, no font, nothing from elsewhere; light, dark and printed.

Colours stand in classes, not in variables: viewers that are no browsers know no variables. Every node has an `id`,
the flow's and its path, and `data-flow` and `data-path`, so a page that shows the picture can find it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape

from pamosnik.flows.graph.drawing import Bar, Button, Drawing, Edge, Line, Node, Point
from pamosnik.flows.graph.measure import clean
from pamosnik.flows.graph.outline import Pace, Shape
from pamosnik.flows.graph.svg_shapes import n, outside, rect
from pamosnik.flows.graph.words import Vocabulary

_BAR_HEIGHT = 4.0
_RADIUS = 7.0
"""Of the corners of lines."""

_LIGHT = {
    "page": "#ffffff",
    "ink": "#1c2430",
    "soft": "#5b6675",
    "line": "#5b6675",
    "starts": "#e5efe4",
    "gate": "#f3f0e6",
    "message": "#e7f0fc",
    "public": "#ffffff",
    "question": "#efe8fb",
    "wait": "#fdf3d8",
    "choose": "#fdeadf",
    "act": "#eceff2",
    "person": "#fbe4ea",
    "data": "#f5f6f8",
    "goal": "#dff3e8",
    "pill": "#ffffff",
    "tap": "#2563b8",
    "edge": "#44505e",
    "lost": "#b3261e",
}
_DARK = {
    "page": "#14181e",
    "ink": "#e8edf3",
    "soft": "#a3afbd",
    "line": "#8a97a6",
    "starts": "#22382a",
    "gate": "#35311f",
    "message": "#1d3350",
    "public": "#14181e",
    "question": "#33284e",
    "wait": "#453a17",
    "choose": "#4a3022",
    "act": "#2a3139",
    "person": "#4c2632",
    "data": "#20262d",
    "goal": "#1b4030",
    "pill": "#14181e",
    "tap": "#86b8f5",
    "edge": "#b4c0cd",
    "lost": "#f2867d",
}
_PRINT = {**_LIGHT, "soft": "#3c4551", "line": "#2a323c", "edge": "#1c2430", "tap": "#123f7d"}
_ONE_PAGE = 1700.0
"""No higher than this, a picture is printed on one page, about as small as the widest; others run over several."""
_DASHES = {Pace.PERSON: "7 4", Pace.TIME: "1.5 4.5"}


def render(drawing: Drawing, *, places: Mapping[str, str] | None = None) -> str:
    """`places`: flow → address of its picture, for flows that are drawn elsewhere."""
    style = f"<style>{_style(one_page=drawing.height <= _ONE_PAGE)}</style>"
    return "\n".join(_parts(drawing, places or {}, style)) + "\n"


def render_inline(drawing: Drawing) -> str:
    """For a page that has `style_sheet`. Without links: a page tells the picture as one image, and they would stand
    in it unseen."""
    unlinked = replace(drawing, nodes=tuple(replace(node, jump=None) for node in drawing.nodes))
    return "\n".join(_parts(unlinked, {}, "")) + "\n"


def style_sheet() -> str:
    """Of all pictures that `render_inline` makes."""
    bars = {mode: _bars(colours) for mode, colours in (("light", _LIGHT), ("dark", _DARK))}
    dark = f"@media (prefers-color-scheme:dark){{{bars['dark']}}}"
    return f"{_style(one_page=True)}{bars['light']}{dark}.pamosnik-flow .t-count{{font-weight:bold}}\n"


def _bars(of: Mapping[str, str]) -> str:
    return (
        f".pamosnik-flow .bar{{fill:{of['line']};opacity:.3}}.pamosnik-flow .share{{fill:{of['tap']}}}"
        f".pamosnik-flow .lost-most .box{{stroke:{of['lost']};stroke-width:2.6}}"
    )


def _parts(drawing: Drawing, places: Mapping[str, str], style: str) -> Iterator[str]:
    say = Vocabulary(drawing.language)
    title = _text(drawing.title)
    mark = _text(f"f-{drawing.nodes[0].flow}" if drawing.nodes else "f")
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="pamosnik-flow" role="img" '
        f'width="{n(drawing.width)}" height="{n(drawing.height)}" '
        f'viewBox="0 0 {n(drawing.width)} {n(drawing.height)}" aria-labelledby="{mark}-title {mark}-desc">'
    )
    yield f'<title id="{mark}-title">{title}</title>'
    yield f'<desc id="{mark}-desc">{_text(say("picture", what=drawing.title))}</desc>'
    if style:
        yield style
    yield from (_marker(kind) for kind in ("", "tap"))
    yield f'<rect class="page" width="{n(drawing.width)}" height="{n(drawing.height)}"/>'
    yield from (_line(line) for line in drawing.headings)
    yield '<g class="edges">'
    yield from (_edge(edge) for edge in drawing.edges)
    yield "</g>"
    here = _firsts(drawing)
    for node in drawing.nodes:
        yield from _node(node, here, places)
    yield '<g class="legend">'
    for sample in drawing.samples:
        yield f'<path class="edge by-{sample.pace.value}" d="M{n(sample.x1)} {n(sample.y)}H{n(sample.x2)}"/>'
    yield from (_line(line) for line in drawing.legend)
    yield "</g>"
    yield "</svg>"


def _style(*, one_page: bool) -> str:
    fixed = (
        ".pamosnik-flow text{font-family:sans-serif}"
        ".pamosnik-flow .edge{fill:none;stroke-width:1.6}"
        ".pamosnik-flow .t-head,.pamosnik-flow .t-title{font-weight:bold}"
        ".pamosnik-flow .box{stroke-width:1.3}"
        ".pamosnik-flow .thin{fill:none;stroke-width:1.3}"
        ".pamosnik-flow .question .box,.pamosnik-flow .starts .box{stroke-width:2.2}"
        ".pamosnik-flow .public .box{stroke-dasharray:3 2}"
        ".pamosnik-flow .leads .pill{stroke-width:1.8}"
        ".pamosnik-flow a{text-decoration:none}"
    )
    dashes = "".join(
        f".pamosnik-flow .by-{pace.value}{{stroke-dasharray:{dash}}}" for pace, dash in _DASHES.items()
    )
    round_dots = f".pamosnik-flow .by-{Pace.TIME.value}{{stroke-linecap:round;stroke-width:2.2}}"
    dark = "@media (prefers-color-scheme:dark){" + _colours(_DARK) + "}"
    highest = "max-height:100vh;" if one_page else ""
    page = f"svg.pamosnik-flow{{max-width:100%;{highest}height:auto}}"
    printed = "@media print{" + page + _colours(_PRINT) + "}"
    return fixed + dashes + round_dots + _colours(_LIGHT) + dark + printed


def _colours(of: Mapping[str, str]) -> str:
    rules = {
        ".page": f"fill:{of['page']}",
        "text": f"fill:{of['ink']}",
        ".t-head,.pamosnik-flow .t-note,.pamosnik-flow .t-label,.pamosnik-flow .t-legend": f"fill:{of['soft']}",
        ".edge": f"stroke:{of['edge']}",
        ".arrow": f"fill:{of['edge']}",
        ".edge.by-person": f"stroke:{of['tap']}",
        ".arrow.tap": f"fill:{of['tap']}",
        ".box": f"fill:{of['data']};stroke:{of['line']}",
        ".thin": f"stroke:{of['line']}",
        ".solid": f"fill:{of['line']}",
        ".pill": f"fill:{of['pill']};stroke:{of['line']}",
        ".leads .pill,.pamosnik-flow .tapped .pill": f"stroke:{of['tap']}",
        ".leads text,.pamosnik-flow .tapped text": f"fill:{of['tap']}",
        ".stop .box": f"fill:{of['ink']};stroke:{of['ink']}",
        ".stop text": f"fill:{of['page']}",
    }
    shapes = ("starts", "gate", "message", "public", "question", "wait", "choose", "act", "person", "goal")
    rules[".await .box"] = f"fill:{of['question']};stroke:{of['line']}"
    rules |= {f".{shape} .box": f"fill:{of[shape]};stroke:{of['line']}" for shape in shapes}
    return "".join(f".pamosnik-flow {place}{{{rule}}}" for place, rule in rules.items())


def _marker(kind: str) -> str:
    return (
        f'<marker id="f-arrow{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="arrow {kind}" d="M0 0L10 5L0 10Z"/></marker>'
    )


def _edge(edge: Edge) -> str:
    kind = "tap" if edge.pace is Pace.PERSON else ""
    arrow = f' marker-end="url(#f-arrow{kind})"' if edge.arrow else ""
    back = " back" if edge.back else ""
    return (
        f'<path class="edge by-{edge.pace.value}{back}" d="{_path(edge.points)}"{arrow} '
        f'data-flow="{_text(edge.flow)}" data-from="{_text(edge.start)}" data-to="{_text(edge.end)}"/>'
    )


def _path(points: tuple[Point, ...]) -> str:
    """Straight lines with rounded corners."""
    first, *rest = points
    made = [f"M{n(first[0])} {n(first[1])}"]
    before = first
    for number, point in enumerate(rest):
        after = rest[number + 1] if number + 1 < len(rest) else None
        if after is not None:
            begin, end = _towards(point, before), _towards(point, after)
            made.append(f"L{n(begin[0])} {n(begin[1])}Q{n(point[0])} {n(point[1])} {n(end[0])} {n(end[1])}")
        else:
            made.append(f"L{n(point[0])} {n(point[1])}")
        before = point
    return "".join(made)


def _towards(corner: Point, other: Point) -> Point:
    """A little away from a corner; at most half way to the next one."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    share = min(_RADIUS, length / 2) / length if length else 0.0
    return corner[0] + dx * share, corner[1] + dy * share


def _firsts(drawing: Drawing) -> Mapping[str, str]:
    """Flow → the id of its first node."""
    return {node.flow: _id(node.flow, node.path) for node in reversed(drawing.nodes)}


def _id(flow: str, path: str) -> str:
    return f"f-{flow}.{path}"


def _node(node: Node, here: Mapping[str, str], places: Mapping[str, str]) -> Iterator[str]:
    address = _address(node, here, places)
    shape = "tapped" if node.shape is Shape.TAP else node.shape.value
    if node.lost_most:
        shape += " lost-most"
    yield (
        f'<g class="node {shape}" id="{_text(_id(node.flow, node.path))}" data-flow="{_text(node.flow)}" '
        f'data-path="{_text(node.path)}">'
    )
    if node.full:
        yield f"<title>{_text(node.full)}</title>"
    if address is not None:
        yield f'<a href="{_text(address)}">'
    yield from outside(node)
    if node.bar is not None:
        yield from _bar(node.bar)
    yield from (_line(line) for line in node.lines)
    yield from (part for button in node.buttons for part in _button(button))
    if address is not None:
        yield "</a>"
    yield "</g>"


def _bar(bar: Bar) -> Iterator[str]:
    yield rect("bar", bar.x, bar.y, bar.w, _BAR_HEIGHT, _BAR_HEIGHT / 2)
    yield rect("share", bar.x, bar.y, bar.w * bar.share, _BAR_HEIGHT, _BAR_HEIGHT / 2)


def _address(node: Node, here: Mapping[str, str], places: Mapping[str, str]) -> str | None:
    if node.jump is None:
        return None
    if node.shape is Shape.AGAIN:
        return f"#{_id(node.flow, node.jump)}"
    if node.jump in here:
        return f"#{here[node.jump]}"
    return places.get(node.jump)


def _button(button: Button) -> Iterator[str]:
    yield f'<g class="{"leads" if button.leads else "button"}" data-path="{_text(button.path)}">'
    if button.url is not None:
        yield f"<title>{_text(button.url)}</title>"
    yield rect("pill", button.x, button.y, button.w, button.h, button.h / 2)
    yield _line(button.line)
    yield "</g>"


def _line(line: Line) -> str:
    anchor = ' text-anchor="middle"' if line.centred else ""
    direction = ' direction="rtl"' if line.leftward else ""
    place = f'x="{n(line.x)}" y="{n(line.y)}" font-size="{n(line.size)}"'
    return f'<text class="t-{line.role}" {place}{anchor}{direction}>{_text(line.text)}</text>'


def _text(text: str) -> str:
    return escape(clean(text))
