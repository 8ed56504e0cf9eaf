"""A bar for each day, of one series or of several that stand on one another, with the numbers as a table below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from pamosnik.charts.words import day, number, span

_WIDE, _HIGH = 1000.0, 100.0
"""Of the picture's own measure: it is stretched to the room that there is."""
_GAP = 0.18
"""Share of a day's room that stays free."""
_LEAST_HIGH = 1.2
"""Of what is more than nothing: beside a day on which a post went round, the others must not look empty."""


_MIDDLE_FROM = 6
"""Days: with more of them, the one in the middle is named below."""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[int]
    """One for each day."""


def per_day(title: str, days: Sequence[str], series: Sequence[Series]) -> str:
    """A `<figure>`. `days`: YYYY-MM-DD, at least one; `series`: at most three, the first stands below."""
    sums = [sum(one.values[at] for one in series) for at in range(len(days))]
    top = _top(max(sums))
    return "".join(
        (
            '<figure class="chart">',
            f"<figcaption><b>{escape(title)}</b>{_legend(series) if len(series) > 1 else ''}</figcaption>",
            f'<div class="plot">{_scale(top)}',
            f'<svg class="bars" role="img" viewBox="0 0 {_n(_WIDE)} {_n(_HIGH)}" preserveAspectRatio="none">',
            f"<title>{escape(title)}, {span(days[0], days[-1])}</title>",
            f"<desc>{escape(_told(days, sums))} {escape(_each(series))}</desc>",
            f'<path class="lines" d="M0 0H{_n(_WIDE)}M0 {_n(_HIGH / 2)}H{_n(_WIDE)}"/>',
            *_columns(days, series, sums, top),
            "</svg>",
            f'<p class="axis">{_axis(days)}</p></div>',
            f'<p class="quiet">{escape(_told(days, sums))}</p>',
            _table(title, days, series),
            "</figure>",
        )
    )


def _top(most: int) -> int:
    """Where the scale ends: the next number above that is round, and whose half is whole."""
    size = 1
    while True:
        for step in (2, 4, 6, 8, 10):
            if step * size >= most:
                return step * size
        size *= 10


def _scale(top: int) -> str:
    """The table has the numbers: nobody has to hear it."""
    marks = "".join(f"<span>{number(n)}</span>" for n in (top, top // 2, 0))
    return f'<p class="scale" aria-hidden="true">{marks}</p>'


def _axis(days: Sequence[str]) -> str:
    """The first day, the last, and one in the middle where there is room between."""
    middle = [days[len(days) // 2]] if len(days) > _MIDDLE_FROM else []
    return "".join(f"<span>{day(one)}</span>" for one in dict.fromkeys((days[0], *middle, days[-1])))


def _told(days: Sequence[str], sums: Sequence[int]) -> str:
    """In a sentence."""
    most = max(sums)
    if not most:
        return "Nothing yet."
    return f"{number(sum(sums))} in all, most on {day(days[sums.index(most)])}: {number(most)}."


def _each(series: Sequence[Series]) -> str:
    return " ".join(f"{one.name}: {number(sum(one.values))}." for one in series)


def _legend(series: Sequence[Series]) -> str:
    entries = "".join(
        f'<li><svg viewBox="0 0 1 1" aria-hidden="true"><rect class="s{place}" width="1" height="1"/></svg>'
        f"{escape(one.name)}</li>"
        for place, one in enumerate(series, 1)
    )
    return f'<ul class="legend">{entries}</ul>'


def _columns(days: Sequence[str], series: Sequence[Series], sums: Sequence[int], top: int) -> Iterator[str]:
    room = _WIDE / len(days)
    for at, name in enumerate(days):
        left, y = at * room, _HIGH
        for place, one in enumerate(series, 1):
            high = max(_HIGH * one.values[at] / top, _LEAST_HIGH) if one.values[at] else 0.0
            y = max(y - high, 0.0)
            if high:
                yield (
                    f'<rect class="s{place}" x="{_n(left + room * _GAP / 2)}" y="{_n(y)}"'
                    f' width="{_n(room * (1 - _GAP))}" height="{_n(high)}"/>'
                )
        yield (
            f'<rect class="hit" x="{_n(left)}" width="{_n(room)}" height="{_n(_HIGH)}">'
            f"<title>{escape(_one_day(name, at, series, sums))}</title></rect>"
        )


def _one_day(name: str, at: int, series: Sequence[Series], sums: Sequence[int]) -> str:
    if len(series) == 1:
        return f"{day(name)}: {number(sums[at])}"
    return f"{day(name)}: " + ", ".join(f"{number(one.values[at])} {one.name.lower()}" for one in series)


def _table(title: str, days: Sequence[str], series: Sequence[Series]) -> str:
    """The newest day first: that is what people look for."""
    heads = "".join(f'<th scope="col" class="n">{escape(one.name)}</th>' for one in series)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(f'<td class="n">{number(one.values[at])}</td>' for one in series)
        + "</tr>"
        for at, name in reversed(list(enumerate(days)))
    )
    return (
        f"<details><summary>{escape(title)}: the numbers</summary><table><thead><tr>"
        f'<th scope="col">Day</th>{heads}</tr></thead><tbody>{rows}</tbody></table></details>'
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
