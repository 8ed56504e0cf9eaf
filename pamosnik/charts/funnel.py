"""How many are left from stage to stage: a table whose bars show the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pamosnik.charts.words import number, share


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    n: int


def funnel(caption: str, stages: Sequence[Stage]) -> str:
    """A `<table>`. Shares are of the first stage. The bars repeat what stands beside them, so that nobody has to hear
    them."""
    first = stages[0].n
    rows = "".join(_row(one, first) for one in stages)
    return (
        f'<table class="funnel"><caption class="quiet">{escape(caption)}</caption><thead><tr>'
        '<th scope="col">Stage</th><th scope="col" class="n">Number</th><th scope="col" class="n">Share</th>'
        f'<td class="long"></td></tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(stage: Stage, first: int) -> str:
    wide = min(100 * stage.n / first, 100) if first else 0
    bar = (
        '<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="room" width="100" height="1"/><rect class="s1" width="{wide:.1f}" height="1"/></svg>'
    )
    return (
        f'<tr><th scope="row">{escape(stage.name)}</th><td class="n">{number(stage.n)}</td>'
        f'<td class="n">{escape(share(stage.n, first))}</td><td class="long">{bar}</td></tr>'
    )
