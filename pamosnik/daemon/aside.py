"""Reading beside the event loop: what may take longer runs in a thread and on a connection of its own, so that
webhooks are taken in and messages leave meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pamosnik._sqlite import Connection
from pamosnik.store.database import open_database
from pamosnik.store.walls import Walled

_ASKED_EVERY = 10_000
"""Steps of SQLite's machine: a fraction of a millisecond."""
T = TypeVar("T")


class Aside:
    """One thread: reads wait for one another, nothing else waits for them."""

    def __init__(self, path: Path) -> None:
        self._database = open_database(path)
        self._own = Walled(self._database)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pamosnik-reads")
        self._ended = False
        # SQLite asks now and then; an interruption from outside would miss what lies between two statements.
        self._database.connection.set_progress_handler(lambda: self._ended, _ASKED_EVERY)

    async def read(self, account_id: str, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one snapshot of the account's rows. Raises `HomeError` as `Database.read`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._own.read, account_id, fn)

    def __enter__(self) -> "Aside":
        return self

    def __exit__(self, *_exc: object) -> None:
        """A read that is under way is broken off: nobody waits for it any more."""
        self._ended = True
        self._thread.shutdown(cancel_futures=True)
        self._database.close()
