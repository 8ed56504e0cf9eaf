"""How long a changing command waits while somebody else writes to the database.

After a deletion the daemon writes the file anew, and nobody else can write meanwhile: a command waits for that, and
says so. What no Pamosnik is doing is refused soon: another program may hold its lock for ever.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pamosnik.config import Config

TOLD_AFTER_S = 2.0
REBUILT_WITHIN_S = 300
"""Enough for some 25 GB."""
WAITS = (
    "The daemon is busy with the database: after a deletion it writes the file anew, about 11 seconds for each GB."
    f" This command waits for it, up to {REBUILT_WITHIN_S // 60} minutes. Ctrl-C ends it, with nothing half done."
)


class Patience:
    """What `Database.wait_while` takes, for one command."""

    def __init__(self, settings: "Config", tell: Callable[[str], None]) -> None:
        """`tell` hears once that the command waits."""
        self._settings = settings
        self._tell = tell
        self._told = False

    def __call__(self, waited_s: float) -> bool:
        from pamosnik.store.refusals import BUSY_TIMEOUT_S

        if waited_s < TOLD_AFTER_S:
            return True
        if not self._pamosnik_writes():
            return waited_s < BUSY_TIMEOUT_S
        if not self._told:
            self._tell(WAITS)
        self._told = True
        return waited_s < REBUILT_WITHIN_S

    def _pamosnik_writes(self) -> bool:
        """A daemon, or a command in its place, and storage refuses it nothing: it is not locked out itself."""
        from pamosnik.services import home

        return home.daemon_running(self._settings.home) and home.refused_storage(self._settings) is None
