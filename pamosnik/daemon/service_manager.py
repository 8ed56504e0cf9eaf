"""What the service manager that started the daemon is told: systemd's notification protocol (sd_notify).

One datagram each, to the socket that it named in the environment. Without one, nothing is told to anybody.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping

log = logging.getLogger(__name__)

STUCK_AFTER_S = 600.0
"""So long the database may be at one piece of work: a big one is rebuilt after a deletion. Then nobody says any more
that the daemon is alive, and its manager starts it anew."""

_PINGS = 3
"""So many within the time after which the manager gives up on who says nothing."""


class ServiceManager:
    """`environ` loses what is meant for this process alone: no program that we start speaks in our name."""

    def __init__(
        self, environ: MutableMapping[str, str], *, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = _address(environ.pop("NOTIFY_SOCKET", ""))
        self._within_s = _within_s(environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", ""))
        self._steady = steady
        self._stored_at = steady()
        self._where = self._told = ""

    def ready(self, address: str) -> None:
        """Connections are accepted, at this address."""
        self._where = self._told = f"Listening on {address}"
        self._tell("READY=1", f"STATUS={self._told}")

    def stopping(self) -> None:
        self._tell("STOPPING=1", "STATUS=Stopping")

    def stored(self, problem: str | None) -> None:
        """The database has answered, though perhaps that it refuses. Called about every second."""
        self._stored_at = self._steady()
        status = self._where if problem is None else " ".join(problem.split())
        if status != self._told:
            self._told = status
            self._tell(f"STATUS={status}")

    async def watch(self) -> None:
        """Says that the daemon is alive, as long as its loop turns and the database answers in time. Returns at once
        where nobody wants to know."""
        if self._within_s is None or self._address is None:
            return
        while True:
            if self._steady() - self._stored_at < STUCK_AFTER_S:
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self._within_s / _PINGS)

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            log.debug("The service manager could not be told", extra={"action": "manager.not_told"})


def _address(text: str) -> str | None:
    """Of the socket; `@` stands for one that has no file. None: nobody is to be told."""
    if text.startswith("@"):
        return f"\0{text[1:]}"
    return text if text.startswith("/") else None


def _within_s(microseconds: str, pid: str) -> float | None:
    """None: nobody watches, or it is another process. The one file's bootloader is watched in its program's place."""
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if pid and pid not in {str(os.getpid()), str(os.getppid())}:
        return None
    return int(microseconds) / 1_000_000
