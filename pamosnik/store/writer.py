"""The daemon's only writer: one thread that commits groups of functions.

It takes whatever functions have queued up, runs each under its own savepoint in one transaction, commits once (one
disk flush for all of them) and then lets all callers go on. An exception in one function undoes that function only.
When COMMIT fails, or SQLite ends the transaction by itself (disk full), every function of the group fails: nobody is
told that something is stored that is not.

A damaged page ends the writer: its group is undone, and it refuses everything from then on. So does an exception that
nothing here expects: it is a mistake of ours, and nobody may wait for ever because of it.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.errors import DatabaseDamaged, HomeError, StorageRefused
from pamosnik.store.database import Database, undo
from pamosnik.store.health import StorageHealth
from pamosnik.store.refusals import storage_error, told_in_words

BUSY_TIMEOUT_STOPPING_S = 0.5
URGENT_AT_MOST = 200
GROUP_AT_MOST = 50
BESIDE_URGENT = 10
"""Functions in one transaction: bounds how long the first of them waits, and a webhook that comes meanwhile."""
NOTED_WITHIN_S = 0.25

T = TypeVar("T")
log = logging.getLogger(__name__)


class _Job:
    __slots__ = ("alone", "error", "fn", "future", "result")

    def __init__(
        self, fn: Callable[[Connection], Any], future: "asyncio.Future[Any]", *, alone: bool = False
    ) -> None:
        self.fn = fn
        self.future = future
        self.alone = alone
        self.result: Any = None
        self.error: BaseException | None = None


class _EndedEarly(Exception):
    """SQLite ended the transaction by itself inside a function; the cause says why."""


class GroupWriter:
    """Started by its making, in a running loop. `await write(fn)`, and `await close()` at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._urgent: deque[_Job] = deque()
        self._waiting: deque[_Job] = deque()
        self._alone: deque[_Job] = deque()
        self._closing = self._hurried = self._running_alone = False
        self.storage = StorageHealth()
        """What storage refuses at the moment; whoever reads tells it, too."""
        self.failure: BaseException | None = None
        """Why nothing is written any more: `DatabaseDamaged`, or a mistake of ours. Set for good."""
        self.failed = asyncio.Event()
        self.on_commit: Callable[[float], None] = lambda _: None
        """Hears in the writer's thread how many seconds a transaction took that was committed."""
        self._busy_since: float | None = None
        self._news = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="pamosnik-writer", daemon=True)
        self._thread.start()

    async def write(self, fn: Callable[[Connection], T], *, urgent: bool = False) -> T:
        """Returns when the changes of `fn` are durable. Cancelling the await does not undo them.

        `urgent`: somebody outside waits for it, so it goes before what is not.
        """
        return await self.begin(fn, urgent=urgent)

    def begin(self, fn: Callable[[Connection], T], *, urgent: bool = False) -> "asyncio.Future[T]":
        """`write` for whoever does not wait for it, or not for long. Called in the loop's thread."""
        future: asyncio.Future[T] = self._loop.create_future()
        with self._news:
            (self._urgent if urgent else self._waiting).append(_Job(fn, future))
            self._news.notify()
        return future

    async def note(
        self, fn: Callable[[Connection], object], *, then: Callable[[], None] = lambda: None
    ) -> None:
        """`write` of what no answer has to wait for: returns after `NOTED_WITHIN_S` at the latest, and it is written
        all the same. `then` is called once it is; what storage refuses is told by `storage` and forgotten.
        """
        written = self.begin(fn)
        written.add_done_callback(partial(self._noted, then=then))
        await asyncio.wait((written,), timeout=NOTED_WITHIN_S)

    def _noted(self, written: "asyncio.Future[object]", then: Callable[[], None]) -> None:
        error = asyncio.CancelledError() if written.cancelled() else written.exception()
        if error is None:
            then()
        elif isinstance(error, StorageRefused):
            self.storage.refused(error)
        elif isinstance(error, Exception) and self.failure is None:
            log.error("Something could not be noted", exc_info=error, extra={"action": "writer.not_noted"})

    def busy_for(self) -> float:
        """For how many seconds it has been at one and the same transaction, or at what runs alone."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def met_damage(self, error: BaseException) -> None:
        """Somebody who only reads has met an error; damage ends the writer, too. Called in the loop's thread."""
        told = error if isinstance(error, HomeError) else storage_error(self._database.path, error)
        if isinstance(told, DatabaseDamaged):
            self.failure = self.failure or told
            self.failed.set()

    async def alone(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` outside of any transaction while all others wait: for what SQLite allows in none."""
        future: asyncio.Future[T] = self._loop.create_future()
        with self._news:
            self._alone.append(_Job(fn, future, alone=True))
            self._news.notify()
        return await future

    def hurry(self) -> None:
        """The end is near: from the next transaction on nobody waits long for another program's lock."""
        self._hurried = True
        if self._running_alone:
            self._database.connection.interrupt()

    async def close(self) -> None:
        """Finishes what was handed in, then ends the thread. What storage refuses now fails at once."""
        with self._news:
            self._closing = True
            self._news.notify()
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while group := self._next_group():
            self._busy_since = time.monotonic()
            try:
                self._run(group)
            except BaseException as error:
                # Nobody may wait for ever, whatever it is. What was committed before it came is told as failed, too:
                # better than the reverse.
                self.failure = self.failure or error
                _fail(group, self.failure)
                undo(self._database.connection)
                log.exception("The writer failed", extra={"action": "writer.failed"})
            self._busy_since = None
            self._loop.call_soon_threadsafe(self._deliver, group)

    def _run(self, group: list[_Job]) -> None:
        """Each job holds its result or error afterwards; jobs may be added to the group."""
        if self.failure is not None:
            _fail(group, self.failure)
        elif group[0].alone:
            self._run_alone(group[0])
        elif not self._commit(group) and self._hurried:
            group += self._all_that_waits()

    def _next_group(self) -> list[_Job]:
        """What goes into one transaction; empty when there is nothing left to do."""
        with self._news:
            while not (self._urgent or self._waiting or self._alone or self._closing):
                self._news.wait()
            if self._alone and not self._urgent:
                return [self._alone.popleft()]
            room = BESIDE_URGENT if self._urgent else GROUP_AT_MOST
            group = [self._urgent.popleft() for _ in range(min(len(self._urgent), URGENT_AT_MOST))]
            group += [self._waiting.popleft() for _ in range(min(len(self._waiting), room))]
        return group

    def _run_alone(self, job: _Job) -> None:
        self._running_alone = True
        try:
            if self._hurried:
                raise asyncio.CancelledError
            job.result = job.fn(self._database.connection)
        except (_sqlite.Error, DatabaseDamaged) as error:
            # The end need not wait for it: it is done at the next start.
            job.error = asyncio.CancelledError() if self._hurried else self._told(error)
        except BaseException as error:  # noqa: BLE001 - it is told to whoever waits for the result
            job.error = error
        finally:
            self._running_alone = False

    def _all_that_waits(self) -> list[_Job]:
        """For the end: what would each wait for a lock in vain."""
        with self._news:
            waiting = [*self._urgent, *self._waiting]
            assert self.storage.problem is not None
            self._urgent.clear()
            self._waiting.clear()
        _fail(waiting, self.storage.problem)
        return waiting

    def _commit(self, group: list[_Job]) -> bool:
        """Whether the group is stored."""
        conn = self._database.connection
        before, begun = conn.total_changes, time.monotonic()
        try:
            if self._hurried:
                conn.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_STOPPING_S * 1000:.0f}")
            conn.execute("BEGIN IMMEDIATE")
            for job in group:
                self._run_one(conn, job)
            conn.execute("COMMIT")
            self.on_commit(time.monotonic() - begun)
        except (_sqlite.Error, _EndedEarly, DatabaseDamaged) as error:
            # COMMIT failed, SQLite ended the transaction inside a function, or a page is damaged: nothing is stored.
            undo(conn)
            _fail(group, self._told(error))
        refused = next((job.error for job in group if isinstance(job.error, StorageRefused)), None)
        if refused is not None:
            self.storage.refused(refused)
        elif conn.total_changes != before:
            self.storage.works()
        return refused is None

    def _told(self, error: BaseException) -> HomeError:
        """In words; damage is the end of all writing."""
        told: HomeError
        if isinstance(error, DatabaseDamaged):
            told = error
        else:
            told = storage_error(self._database.path, error.__cause__ or error)
        if isinstance(told, DatabaseDamaged):
            self.failure = told
        return told

    def _run_one(self, conn: Connection, job: _Job) -> None:
        conn.execute("SAVEPOINT job")
        try:
            with told_in_words(self._database.path):
                job.result = job.fn(conn)
        except DatabaseDamaged:
            raise
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who is waiting for it
            job.error = error
            if not conn.in_transaction:
                raise _EndedEarly from (error.__cause__ or error)
            conn.execute("ROLLBACK TO job")
        conn.execute("RELEASE job")

    def _deliver(self, group: list[_Job]) -> None:
        if self.failure is not None:
            self.failed.set()
        for job in group:
            if job.future.cancelled():
                continue
            if isinstance(job.error, StopIteration):
                # A future does not take it, and everybody behind it would wait for ever.
                job.future.set_exception(RuntimeError("StopIteration in a write"))
            elif job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)


def _fail(jobs: Iterable[_Job], error: BaseException) -> None:
    """A job that has failed already keeps its own error."""
    for job in jobs:
        job.error = job.error or error
