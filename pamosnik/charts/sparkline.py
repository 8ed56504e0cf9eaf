"""A line as small as a word, to stand beside its number."""

from collections.abc import Sequence
from html import escape

from pamosnik.charts.words import number

_WIDE, _HIGH = 100.0, 20.0


def sparkline(name: str, values: Sequence[int]) -> str:
    """`values`: one for each day, at least one. Their number stands beside it: here is only the course."""
    most = max(values)
    step = _WIDE / max(len(values) - 1, 1)
    # A single day is a line, too: of a point nothing would be seen.
    drawn = values if len(values) > 1 else [*values, *values]
    points = " ".join(
        f"{at * step:.1f},{_HIGH - _HIGH * value / max(most, 1):.1f}" for at, value in enumerate(drawn)
    )
    days = "1 day" if len(values) == 1 else f"{len(values)} days"
    told = f"{name} per day for {days}: at most {number(most)}, on the last {number(values[-1])}"
    return (
        f'<svg class="spark" role="img" viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" preserveAspectRatio="none">'
        f'<title>{escape(told)}</title><polyline points="{points}"/></svg>'
    )
