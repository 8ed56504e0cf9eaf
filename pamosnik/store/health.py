"""What storage refuses at the moment, said once: in the log here, and by whoever shows `problem`."""

import logging
import time
from collections.abc import Callable

from pamosnik.errors import StorageRefused

SAY_AGAIN_S = 600.0
"""A disk may stay full for days, and the log may be on it."""

log = logging.getLogger(__name__)


class StorageHealth:
    """The last refusal, until something is stored again. Told by the writer's thread and by the loops that read."""

    def __init__(self) -> None:
        self.problem: StorageRefused | None = None
        """None: nothing is refused."""
        self.tell: Callable[[StorageRefused | None], None] = lambda _: None
        """Called with each change, from any thread."""
        self._since = 0.0
        self._said: dict[str, float] = {}
        self._silent = True

    def refused(self, error: StorageRefused) -> None:
        now = time.monotonic()
        if self.problem is None:
            self._since = now
        self.problem = error
        self.tell(error)
        if now - self._said.get(error.message, -SAY_AGAIN_S) < SAY_AGAIN_S:
            return
        self._said[error.message] = now
        self._silent = False
        log.error(
            "%s %s Until then nothing is acknowledged or sent.",
            error.message,
            error.hint or "",
            extra={"action": "storage.refused"},
        )

    def works(self) -> None:
        """Something was stored."""
        if self.problem is None:
            return
        self.problem = None
        self.tell(None)
        if self._silent:
            return
        self._silent = True
        log.warning(
            "Storing works again, after %d seconds",
            time.monotonic() - self._since,
            extra={"action": "storage.works"},
        )
