"""A bar for each day, of one series or of several that stand on one another, with the numbers as a table below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from pamosnik.charts.words import day, number

_WIDE, _HIGH = 1000.0, 100.0
"""Of the picture's own measure: it is stretched to the room that there is."""
_GAP = 0.18
"""Share of a day's room that stays free."""


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[int]
    """One for each day."""


def per_day(title: str, days: Sequence[str], series: Sequence[Series]) -> str:
    """A `<figure>`. `days`: YYYY-MM-DD, at least one; `series`: at most three, the first stands below."""
    sums = [sum(one.values[at] for one in series) for at in range(len(days))]
    most = max(sums)
    return "".join(
        (
            '<figure class="chart">',
            f"<figcaption><b>{escape(title)}</b>{_legend(series) if len(series) > 1 else ''}</figcaption>",
            f'<svg class="bars" role="img" viewBox="0 0 {_n(_WIDE)} {_n(_HIGH)}" preserveAspectRatio="none">',
            f"<title>{escape(title)}, {day(days[0])} to {day(days[-1])}</title>",
            f"<desc>{escape(_told(days, sums))} {escape(_each(series))}</desc>",
            *_columns(days, series, sums, max(most, 1)),
            "</svg>",
            f'<p class="axis"><span>{day(days[0])}</span><span>{day(days[-1])}</span></p>',
            f'<p class="quiet">{escape(_told(days, sums))}</p>',
            _table(title, days, series),
            "</figure>",
        )
    )


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


def _columns(days: Sequence[str], series: Sequence[Series], sums: Sequence[int], most: int) -> Iterator[str]:
    room = _WIDE / len(days)
    for at, name in enumerate(days):
        left, y = at * room, _HIGH
        for place, one in enumerate(series, 1):
            high = _HIGH * one.values[at] / most
            y -= high
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
