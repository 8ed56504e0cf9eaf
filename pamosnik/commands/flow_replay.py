"""`flows diff --replay`: the recorded events, played with the flows of the files."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.common import now, say
from pamosnik.errors import Again, UsageError

if TYPE_CHECKING:
    from pamosnik.commands.common import Home
    from pamosnik.rehearsal.replay.record import Record
    from pamosnik.rehearsal.replay.report import Replay
    from pamosnik.services.flows import Proposal

_THE_FIRST_DAY = datetime(2010, 10, 6, tzinfo=UTC)
"""Of Instagram: nothing is older."""

Length = Annotated[
    str | None,
    typer.Option("--replay", help="Play what was recorded so long, like 30d, with the new flows as well."),
]
Everybody = Annotated[bool, typer.Option("--all", help="Of a replay show everybody.")]


def length(written: str | None, *, everybody: bool) -> timedelta | None:
    """Of `--replay`; None: no replay is asked for. Raises `UsageError`."""
    if written is None:
        if everybody:
            raise UsageError("--all shows everybody of a replay.", again=Again(("--replay", "30d")))
        return None
    from pamosnik.flows.durations import seconds

    found = seconds(written)
    if not found:
        raise UsageError(f"--replay {written} is no length of time.", again=Again(("--replay", "30d")))
    return timedelta(seconds=found)


def read(home: "Home", long: timedelta) -> "Record":
    """The record of that long until now, read in one moment: the home is not kept waiting by what comes after."""
    from pamosnik.rehearsal.replay import record
    from pamosnik.services.home import is_public

    until = now()
    since = max(until - long, _THE_FIRST_DAY)
    tracks_links = is_public(home.settings)
    try:
        return record.read(home, home.account.id, since, until, tracks_links=tracks_links)
    except record.TooLong as error:
        fits = f"{max(int(error.fits / timedelta(hours=1)), 1)}h"
        raise UsageError(
            f"{error.events:,} events are more than are replayed at once ({record.MOST:,}).",
            again=Again(("--replay", fits)),
        ) from error


def play(record: "Record", proposal: "Proposal") -> "Replay":
    """In memory: nothing of it is written anywhere."""
    from pamosnik.rehearsal.replay import running

    with _progress(2 * len(record.events)) as step:
        return running.run(record, proposal, step)


def as_json(replay: "Replay") -> dict[str, object]:
    from pamosnik.rehearsal.replay import shapes

    return shapes.as_json(replay)


def show(replay: "Replay", *, everybody: bool, full: bool) -> None:
    """`full`: texts whole; else as long as the terminal is wide."""
    import shutil

    from pamosnik.rehearsal.replay.report import lines

    say("")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 200
    width = 0 if full else width
    for line in lines(replay, width=width, everybody=everybody):
        say(line)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[], None]]:
    """A bar where somebody waits before a terminal."""
    if not sys.stderr.isatty() or os.environ.get("PAMOSNIK_QUIET") or not steps:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Replay"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.console(aside=True), transient=True) as bar:
        task = bar.add_task("replay", total=steps)
        yield lambda: bar.advance(task)
