"""Bringing an older database up to date, where somebody waits: which commands do it, and what they say meanwhile."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from pamosnik.commands.bars import has_bars, progress_bar
from pamosnik.commands.common import note

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.store.migrations import Told

SAID_EVERY_S = 10.0
"""Without a terminal."""

CHANGING = frozenset(
    (
        *("accounts create", "accounts passwd", "accounts sessions revoke", "accounts set"),
        *("api-token create", "api-token revoke", "connect", "connections refresh", "connections test"),
        *("contacts export", "contacts forget", "contacts note", "contacts pause", "contacts resume"),
        *("contacts set", "contacts tag", "contacts untag", "delete-account", "disconnect", "events replay"),
        *("export", "flows apply", "flows pause", "flows resume", "flows rollback", "import", "keys rotate"),
        *("queue cancel", "queue retry", "queue settle", "retention run", "runs cancel"),
    )
)
"""Commands that write to the database: they bring an older one up to date first. Others only say what to do."""

COMMAND: ContextVar[tuple[str, ...]] = ContextVar("command", default=())
"""The words of the command that runs, what is given to it included."""


def changes() -> bool:
    """Whether the command that runs is one of `CHANGING`, and shall change something."""
    words = COMMAND.get()
    return "--dry-run" not in words and any(" ".join(words[:count]) in CHANGING for count in (1, 2, 3))


def bring_up_to_date(settings: "Config") -> None:
    """With a word to whoever waits. Raises `HomeError`."""
    from pamosnik.services import upgrading

    with progress() as tell:
        done = upgrading.bring_up_to_date(settings, tell)
    if done is not None:
        note(
            f"The database was brought from version {done.version} to {upgrading.NEWEST}; as it was it lies in"
            f" {done.kept}"
        )


@contextmanager
def progress() -> Iterator["Told"]:
    """A bar on a terminal, from the first step on: mostly there is none. Else a line every ten seconds."""
    if not has_bars():
        yield _Lines()
        return
    with ExitStack() as bar:
        shown: list[Told] = []

        def tell(done: int, steps: int) -> None:
            if not shown:
                shown.append(bar.enter_context(progress_bar("Upgrade")))
            shown[0](done, steps)

        yield tell


class _Lines:
    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, done: int, steps: int) -> None:
        if time.monotonic() - self._said_at >= SAID_EVERY_S and done < steps:
            self._said_at = time.monotonic()
            note(f"Bringing the database up to date: step {done + 1} of {steps}.")
