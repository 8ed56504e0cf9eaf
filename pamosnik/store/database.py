"""Opening the database, and the only way to write to it.

A write is a function. `Database.write(fn)` runs it inside one BEGIN IMMEDIATE transaction and returns when the
changes are on disk. A plain BEGIN that reads first and writes later would fail at once with "database is
locked" whenever another connection committed in between, whatever the busy timeout.

The daemon writes through one `GroupWriter` thread: it takes whatever functions have queued up, runs each under
its own savepoint in one transaction, commits once (one disk flush for all of them) and then lets all callers
go on. An exception in one function undoes that function only. When COMMIT fails, or SQLite ends the transaction
by itself (disk full), every function of the group fails: nobody is told that something is stored that is not.

A damaged page ends the writer: its group is undone, and it refuses everything from then on.
"""

import asyncio
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, assert_never

from pamosnik import _sqlite
from pamosnik._sqlite import Code, Connection
from pamosnik.errors import DatabaseDamaged, HomeError, StorageRefused
from pamosnik.store import backup_files, migrations
from pamosnik.store.trouble import Trouble

T = TypeVar("T")

APPLICATION_ID = 0x50414D4F
"""Written into the file's header: tells our databases from other programs' files."""

BUSY_TIMEOUT_S = 5.0
BUSY_TIMEOUT_STOPPING_S = 0.5
WAL_BYTES_KEPT = 32 << 20
"""What the log beside the database is cut back to when all of it is in the database."""
QUICK_LOOK_S = 0.3
"""How long a start, or a command, may look for damage before it goes on: enough for some 200 MB."""
_STEPS_BETWEEN_QUESTIONS = 10_000
"""Of SQLite's machine, before it asks whether to go on."""
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
        """Runs `fn` in one transaction; returns when its changes are durable. An exception undoes all of it.

        Raises `HomeError` when disk, file or a lock refuses.
        """
        conn = self.connection
        with told_in_words(self.path):
            conn.execute("BEGIN IMMEDIATE")
            try:
                result = fn(conn)
                conn.execute("COMMIT")
            except BaseException:
                _undo(conn)
                raise
        return result

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one consistent snapshot. Raises `HomeError` when disk, file or a lock refuses."""
        with told_in_words(self.path):
            self.connection.execute("BEGIN")
            try:
                return fn(self.connection)
            finally:
                _undo(self.connection)

    def in_words(self) -> AbstractContextManager[None]:
        """For reading on `connection` itself: raises `HomeError` when disk, file or a lock refuses."""
        return told_in_words(self.path)

    def wal_bytes(self) -> int:
        """Size of the log beside the database; it grows while another program keeps an old state open."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except OSError:
            return 0

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


@contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """Inside, what SQLite says of disk, file or lock becomes a `HomeError`; a mistake in a statement stays."""
    try:
        yield
    except _sqlite.Error as error:
        if _sqlite.code_of(error) is None:
            raise
        raise storage_error(path, error) from error


def storage_error(path: Path, error: BaseException) -> StorageRefused | DatabaseDamaged:
    """An SQLite error that the machine's owner has to act on, in words. `DatabaseDamaged`: trying again is no use."""
    code, name = _sqlite.code_of(error), _sqlite.name_of(error)
    match code:
        case Code.FULL:
            return StorageRefused(
                f"The disk that holds {path} is full; nothing of this change was stored.",
                hint=f"Free some space; the daemon goes on by itself. Try: df -h {path.parent}",
            )
        case Code.BUSY | Code.LOCKED | Code.PROTOCOL:
            return StorageRefused(
                f"The database {path} was locked by another program for {BUSY_TIMEOUT_S:g} seconds.",
                hint=f"Close the other program and try again. Try: fuser -v {path}",
            )
        case Code.READONLY | Code.PERM | Code.CANTOPEN:
            return StorageRefused(
                f"The database {path} cannot be written ({name}).",
                hint=f"Try: ls -ld {path.parent} {path} (both must belong to you, on a disk that can be written)",
            )
        case Code.IOERR:
            return StorageRefused(
                f"The disk that holds {path} failed ({name}).",
                hint=f"Look at the disk and the system's log; the daemon goes on by itself. Try: df -h {path.parent}",
            )
        case Code.CORRUPT | Code.NOTADB:
            return DatabaseDamaged(
                f"The database {path} is damaged ({name}); it was left as it is.", hint=way_back(path)
            )
        case None:
            return StorageRefused(f"The database {path} cannot be used: {error}.", hint="Try again.")
        case _:
            assert_never(code)


def way_back(path: Path) -> str:
    """What to do when the database is lost: the newest backup, if there is one."""
    backups = backup_files.found(path.parent)
    if not backups:
        return (
            f"There is no backup in {backup_files.folder_of(path.parent)}. With one from elsewhere, try:"
            " pamosnik backup verify FILE, then: pamosnik restore FILE"
        )
    return f"Try: pamosnik backup verify, then: pamosnik restore {shlex.quote(str(backups[0]))}"


def look_for_damage(path: Path, go_on: Callable[[], bool]) -> bool:
    """Looks through the pages of an existing database; whether it came to the end before `go_on` said no.

    Finds broken pages and broken chains of pages; not a changed letter inside a text. Writes nothing.
    Raises `DatabaseDamaged`.
    """
    with told_in_words(path):
        conn = _sqlite.connect(str(path), isolation_level=None, timeout=BUSY_TIMEOUT_S)
        try:
            conn.set_progress_handler(lambda: int(not go_on()), _STEPS_BETWEEN_QUESTIONS)
            (found,) = conn.execute("PRAGMA quick_check(1)").fetchone()
        except _sqlite.OperationalError as error:
            if _sqlite.was_interrupted(error):
                return False
            raise
        finally:
            conn.close()
    if found != "ok":
        what = " ".join(found.replace("*** in database main ***", "").split())
        raise DatabaseDamaged(
            f"The database {path} is damaged ({what}); it was left as it is.", hint=way_back(path)
        )
    return True


def look_quickly(path: Path) -> bool:
    """`look_for_damage` for `QUICK_LOOK_S` at most."""
    until = time.monotonic() + QUICK_LOOK_S
    return look_for_damage(path, lambda: time.monotonic() < until)


def require_there(path: Path) -> None:
    """Refuses a database that is missing, or empty although there was one."""
    if _size(path):
        return
    _require_not_emptied(path)
    backups = backup_files.found(path.parent)
    hint = "Try: pamosnik init"
    if backups:
        hint += f", or with the data of the newest backup: pamosnik restore {shlex.quote(str(backups[0]))}"
    raise HomeError(f"There is no database at {path}.", hint=hint)


def _require_not_emptied(path: Path) -> None:
    """An empty file with a backup or a -wal beside it was a database once. SQLite would make a new one of it."""
    was_there = backup_files.found(path.parent) or _size(path.with_name(f"{path.name}-wal"))
    if path.exists() and not _size(path) and was_there:
        raise DatabaseDamaged(f"The database {path} is empty; it was left as it is.", hint=way_back(path))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _undo(conn: Connection) -> None:
    """Ends the transaction, unless SQLite has ended it by itself."""
    if conn.in_transaction:
        with suppress(_sqlite.Error):
            conn.execute("ROLLBACK")


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
    conn.execute(f"PRAGMA journal_size_limit={WAL_BYTES_KEPT}")
    conn.execute("PRAGMA temp_store=MEMORY")
    return conn


def open_database(path: Path, *, migrate: bool = False, any_version: bool = False) -> Database:
    """Opens an existing database; with `migrate` makes it or brings it up to date first.

    Refuses a file that is not ours, a newer one, a broken one, and an older one but with `migrate` or `any_version`.
    The caller of `migrate` holds the home's lock: two processes migrating at once are not guarded against here.
    """
    if migrate:
        _require_not_emptied(path)
    else:
        require_there(path)
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
        if not any_version:
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


class _EndedEarly(Exception):
    """SQLite ended the transaction by itself inside a function; the cause says why."""


class GroupWriter:
    """The daemon's only writer: a thread that commits groups of functions. Start it, then `await write(fn)`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._urgent: deque[_Job] = deque()
        self._waiting: deque[_Job] = deque()
        self._alone: deque[_Job] = deque()
        self._closing = self._hurried = self._running_alone = False
        self.trouble = Trouble()
        """What storage refuses at the moment; whoever reads tells it, too."""
        self.damage: DatabaseDamaged | None = None
        """Set for good when a damaged page was met; nothing is written any more."""
        self.damaged = asyncio.Event()
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

    def met_damage(self, error: BaseException) -> None:
        """Somebody who only reads has met an error; damage ends the writer, too. Called in the loop's thread."""
        told = error if isinstance(error, HomeError) else storage_error(self._database.path, error)
        if isinstance(told, DatabaseDamaged):
            self.damage = self.damage or told
            self.damaged.set()

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
            if group[0].alone:
                self._run_alone(group[0])
            elif not self._commit(group) and self._hurried:
                group += self._all_that_waits()
            self._loop.call_soon_threadsafe(self._deliver, group)

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
            if self.damage is not None:
                raise self.damage
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
            assert self.trouble.problem is not None
            self._urgent.clear()
            self._waiting.clear()
        for job in waiting:
            job.error = self.trouble.problem
        return waiting

    def _commit(self, group: list[_Job]) -> bool:
        """Whether the group is stored. Each job holds its result or error afterwards."""
        conn = self._database.connection
        before = conn.total_changes
        try:
            if self.damage is not None:
                raise self.damage
            if self._hurried:
                conn.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_STOPPING_S * 1000:.0f}")
            conn.execute("BEGIN IMMEDIATE")
            for job in group:
                self._run_one(conn, job)
            conn.execute("COMMIT")
        except (_sqlite.Error, _EndedEarly, DatabaseDamaged) as error:
            # COMMIT failed, SQLite ended the transaction inside a function, or a page is damaged: nothing is stored.
            _undo(conn)
            failure = self._told(error)
            for job in group:
                job.error = job.error or failure
        refused = next((job.error for job in group if isinstance(job.error, StorageRefused)), None)
        if refused is not None:
            self.trouble.refused(refused)
        elif conn.total_changes != before:
            self.trouble.over()
        return refused is None

    def _told(self, error: BaseException) -> HomeError:
        """In words; damage is the end of all writing."""
        told: HomeError
        if isinstance(error, DatabaseDamaged):
            told = error
        else:
            told = storage_error(self._database.path, error.__cause__ or error)
        if isinstance(told, DatabaseDamaged):
            self.damage = told
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
        if self.damage is not None:
            self.damaged.set()
        for job in group:
            if job.future.cancelled():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
