"""Progress bars: where somebody waits before a terminal."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pamosnik import terminal


def has_bars() -> bool:
    """Whether a bar would be seen."""
    return sys.stderr.isatty() and not os.environ.get("PAMOSNIK_QUIET")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Gives what is to be told (done, all). Without a terminal, or with --quiet, nothing shows."""
    if not has_bars():
        yield lambda _done, _all: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.console(aside=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, everything: bar.update(task, completed=done, total=everything)
