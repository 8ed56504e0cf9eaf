"""Opening the database, and the only way to write to it.

A write is a function. `Database.write(fn)` runs it inside one BEGIN IMMEDIATE transaction and returns when the
changes are on disk. A plain BEGIN that reads first and writes later would fail at once with "database is
locked" whenever another connection committed in between, whatever the busy timeout.

The daemon writes through one `GroupWriter` thread: it takes whatever functions have queued up, runs each under
its own savepoint in one transaction, commits once (one disk flush for all of them) and then lets all callers
go on. An exception in one function undoes that function only. When COMMIT fails, or SQLite ends the transaction
by itself (disk full), every function of the group fails: nobody is told that something is stored that is not.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError
from pamosnik.store import migrations

T = TypeVar("T")

APPLICATION_ID = 0x50414D4F
"""Written into the file's header: tells our databases from other programs' files."""

BUSY_TIMEOUT_S = 5.0
URGENT_AT_MOST = 200
GROUP_AT_MOST = 50
BESIDE_URGENT = 10
"""Functions in one transaction: bounds how long the first of them waits, and a webhook that comes meanwhile."""


class Database:
    """A database file and the connection this thread of work uses. Not for several threads at once."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self.connection = connection

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` in one transaction; returns when its changes are durable. An exception undoes all of it."""
        conn = self.connection
        conn.execute("BEGIN IMMEDIATE")
        try:
            result = fn(conn)
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise
        try:
            conn.execute("COMMIT")
        except _sqlite.Error as error:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            raise storage_error(self.path, error) from error
        return result

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one consistent snapshot."""
        self.connection.execute("BEGIN")
        try:
            return fn(self.connection)
        finally:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def rebuild(conn: Connection) -> None:
    """Writes the whole file anew from the rows that are in it. Outside of any transaction; takes as long as it takes.

    `secure_delete` overwrites rows that are deleted, but not what stays behind in a page when SQLite splits it and
    moves rows to another one: those copies of rows outlive them.
    """
    # A copy in memory, as everywhere else, might be too large.
    conn.execute("PRAGMA temp_store=FILE")
    try:
        conn.execute("VACUUM")
    finally:
        conn.execute("PRAGMA temp_store=MEMORY")


def empty_wal(conn: Connection) -> bool:
    """Writes the WAL into the file and empties it: until then it holds pages as they were before a deletion.

    Outside of any transaction. False when another program is reading or writing: it has to be tried again.
    """
    # While it waits for readers, nobody can write.
    conn.execute("PRAGMA busy_timeout=50")
    try:
        busy, _, _ = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        conn.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
    return not busy


def storage_error(path: Path, error: Exception) -> HomeError:
    """An SQLite error that the machine's owner has to act on, in words."""
    text = str(error)
    if "full" in text:
        return HomeError(
            f"The disk that holds {path} is full; nothing of this change was stored.",
            hint="Free some space; Pamosnik goes on by itself.",
        )
    if "locked" in text or "busy" in text:
        return HomeError(
            f"The database {path} was locked by another program for {BUSY_TIMEOUT_S:g} seconds.",
            hint="Close the other program and try again.",
        )
    return HomeError(
        f"The database {path} cannot be used: {text}.",
        hint="Restore the newest backup, or move the file away and keep it for rescue.",
    )


def connect(path: Path) -> Connection:
    """A connection with the pragmas that hold for every connection. The file's folder must exist."""
    conn = _sqlite.connect(str(path), isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)
    if path.stat().st_size == 0:
        # Only counts before the first table is made; on a database that has tables it would write each time.
        conn.execute("PRAGMA auto_vacuum=INCREMENTAL")
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")
    conn.execute("PRAGMA secure_delete=ON")
    conn.execute("PRAGMA temp_store=MEMORY")
    return conn


def open_database(path: Path, *, migrate: bool = False) -> Database:
    """Opens an existing database; with `migrate` makes it or brings it up to date first.

    Refuses a file that is not ours, a newer one, a broken one, and without `migrate` an older one. The caller
    of `migrate` holds the home's lock: two processes migrating at once are not guarded against here.
    """
    if not migrate and (not path.exists() or path.stat().st_size == 0):
        raise HomeError(f"There is no database at {path}.", hint="Try: pamosnik init")
    if not path.exists():
        path.touch(mode=0o600)
    conn: Connection | None = None
    try:
        conn = connect(path)
        if migrate and _is_blank(conn):
            conn.execute(f"PRAGMA application_id={APPLICATION_ID}")
        _require_ours(conn, path)
        migrations.require_not_newer(conn, path)
        if migrate:
            migrations.apply(conn, path)
        migrations.require_current(conn, path)
    except _sqlite.Error as error:
        if conn is not None:
            conn.close()
        raise storage_error(path, error) from error
    except BaseException:
        if conn is not None:
            conn.close()
        raise
    return Database(path, conn)


def _is_blank(conn: Connection) -> bool:
    """Whether the file is nobody's yet: just made, or its making was broken off before it got its mark."""
    (mark,) = conn.execute("PRAGMA application_id").fetchone()
    (tables,) = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(mark == 0 and tables == 0)


def _require_ours(conn: Connection, path: Path) -> None:
    found = conn.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID:
        raise HomeError(
            f"{path} is an SQLite file of another program.",
            hint="Set PAMOSNIK_HOME to the folder that holds Pamosnik's own database, or to a new one.",
        )


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


class GroupWriter:
    """The daemon's only writer: a thread that commits groups of functions. Start it, then `await write(fn)`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._urgent: deque[_Job] = deque()
        self._waiting: deque[_Job] = deque()
        self._alone: deque[_Job] = deque()
        self._closing = False
        self._news = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="pamosnik-writer", daemon=True)
        self._thread.start()

    async def write(self, fn: Callable[[Connection], T], *, urgent: bool = False) -> T:
        """Returns when the changes of `fn` are durable. Cancelling the await does not undo them.

        `urgent`: somebody outside waits for it, so it goes before what is not.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        with self._news:
            (self._urgent if urgent else self._waiting).append(_Job(fn, future))
            self._news.notify()
        return await future

    async def alone(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` outside of any transaction while all others wait: for what SQLite allows in none."""
        future: asyncio.Future[T] = self._loop.create_future()
        with self._news:
            self._alone.append(_Job(fn, future, alone=True))
            self._news.notify()
        return await future

    async def close(self) -> None:
        """Finishes what was handed in, then ends the thread."""
        with self._news:
            self._closing = True
            self._news.notify()
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while group := self._next_group():
            if group[0].alone:
                self._run_alone(group[0])
            else:
                self._commit(group)
            self._loop.call_soon_threadsafe(_deliver, group)

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
        try:
            job.result = job.fn(self._database.connection)
        except _sqlite.Error as error:
            job.error = storage_error(self._database.path, error)
        except BaseException as error:  # noqa: BLE001 - it is told to whoever waits for the result
            job.error = error

    def _commit(self, group: list[_Job]) -> None:
        conn = self._database.connection
        try:
            conn.execute("BEGIN IMMEDIATE")
            for job in group:
                self._run_one(conn, job)
            conn.execute("COMMIT")
        except _sqlite.Error as error:
            # COMMIT failed, or SQLite ended the transaction inside a function: nothing of this group is stored.
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            failure = storage_error(self._database.path, error)
            for job in group:
                job.error = job.error or failure

    def _run_one(self, conn: Connection, job: _Job) -> None:
        conn.execute("SAVEPOINT job")
        try:
            job.result = job.fn(conn)
        except BaseException as error:
            job.error = error
            if not conn.in_transaction:
                raise _sqlite.OperationalError(f"the transaction ended early: {error}") from error
            conn.execute("ROLLBACK TO job")
        conn.execute("RELEASE job")


def _deliver(group: list[_Job]) -> None:
    for job in group:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
