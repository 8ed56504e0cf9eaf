"""Reading beside the event loop: what may take longer runs in threads and on connections of their own, so that
webhooks are taken in and messages leave meanwhile."""

import asyncio
import contextlib
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pamosnik._sqlite import Connection
from pamosnik.store.database import open_database
from pamosnik.store.walls import Walled

AT_ONCE = 3
_ASKED_EVERY = 10_000
"""Steps of SQLite's machine: a fraction of a millisecond."""
T = TypeVar("T")


class Aside:
    """A few reads at once, so that a page comes while somebody downloads everything; further ones wait for these."""

    def __init__(self, path: Path) -> None:
        self._ended = False
        self._open = contextlib.ExitStack()
        self._free: queue.LifoQueue[Walled] = queue.LifoQueue()
        """The one that was used last has what is asked for often at hand."""
        with contextlib.ExitStack() as opening:
            for _ in range(AT_ONCE):
                database = opening.enter_context(open_database(path))
                # SQLite asks now and then; an interruption from outside would miss what lies between two statements.
                database.connection.set_progress_handler(lambda: self._ended, _ASKED_EVERY)
                self._free.put(Walled(database))
            self._open = opening.pop_all()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pamosnik-reads")

    async def read(self, account_id: str, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one snapshot of the account's rows. Raises `HomeError` as `Database.read`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, account_id, fn)

    def _read(self, account_id: str, fn: Callable[[Connection], T]) -> T:
        # There are as many as threads: one is free.
        own = self._free.get_nowait()
        try:
            return own.read(account_id, fn)
        finally:
            self._free.put(own)

    def __enter__(self) -> "Aside":
        return self

    def __exit__(self, *_exc: object) -> None:
        """Reads that are under way are broken off: nobody waits for them any more."""
        self._ended = True
        self._threads.shutdown(cancel_futures=True)
        self._open.close()
