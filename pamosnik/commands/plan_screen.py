"""Plans on a terminal: the lines of `flows.plan_lines`, coloured where colours are wanted."""

import os
import textwrap
from typing import TYPE_CHECKING

from pamosnik import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pamosnik.flows.plan import Plan
    from pamosnik.flows.plan_lines import Said


def show_plan(
    plan: "Plan",
    *,
    full: bool = False,
    beside: "Iterable[Said]" = (),
    aside: bool = False,
    counted: bool = True,
) -> None:
    """`beside`: what else is to be known of it. `aside`: on stderr, beside an answer in JSON; silent with --quiet.
    `counted`: with the counts at the end."""
    from rich.text import Text

    from pamosnik.flows.plan_lines import Said, Tone, lines, summary

    if aside and os.environ.get("PAMOSNIK_QUIET"):
        return
    styles = {
        Tone.NEW: "green",
        Tone.CHANGED: "yellow",
        Tone.GONE: "red",
        Tone.STILL: "dim",
        Tone.TITLE: "bold",
    }
    console = terminal.console(aside=aside)
    counts = [Said(summary(plan), Tone.TITLE)] if counted else []
    for said in (*lines(plan, full=full), *beside, *counts):
        text, style = terminal.one_line(said.text), styles.get(said.tone, "")
        if said.tone is Tone.PLAIN and console.is_terminal:
            text = _wrapped(text, console.width)
        # What was written stays whole, for pipes and for copying; the terminal breaks it where it must.
        console.print(Text(text, style=style), soft_wrap=True)


def _wrapped(text: str, width: int) -> str:
    """A sentence on several lines, as far in as its first."""
    inside = len(text) - len(text.lstrip())
    return textwrap.fill(text, max(width, 40), subsequent_indent=" " * (inside + 2))
