"""Opening the database, and writing to it in transactions.

A write is a function. `Database.write(fn)` runs it inside one BEGIN IMMEDIATE transaction and returns when the
changes are on disk. A plain BEGIN that reads first and writes later would fail at once with "database is
locked" whenever another connection committed in between, whatever the busy timeout.

The daemon writes through `writer.GroupWriter`.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from pamosnik import _sqlite
from pamosnik._sqlite import Code, Connection
from pamosnik.errors import HomeError
from pamosnik.model.words import fold
from pamosnik.store import migrations
from pamosnik.store.damage import require_not_emptied, require_there
from pamosnik.store.refusals import BUSY_TIMEOUT_S, locked, storage_error, told_in_words

APPLICATION_ID = 0x50414D4F
"""Written into the file's header: tells our databases from other programs' files."""

WAL_BYTES_KEPT = 32 << 20
"""What the log beside the database is cut back to when all of it is in the database."""

STATEMENTS_KEPT = 1_000
"""Prepared ones of a connection: more than it has use for. Once all places are taken, pysqlite3 gives away that which
was used least, the newest one: statements that follow one another push each other out for ever."""

LOOK_AGAIN_S = 0.2
"""So often whoever waits for another's lock is asked whether to go on; and so soon Ctrl-C is heard."""

T = TypeVar("T")
Patient = Callable[[float], bool]
"""Told for how many seconds a lock has been waited for; whether to wait on."""


class Rows(Protocol):
    """What is read and written in transactions: a database, or what one account sees of it."""

    def read(self, fn: Callable[[Connection], T]) -> T: ...

    def write(self, fn: Callable[[Connection], T]) -> T: ...


class Database:
    """A database file and the connection this thread of work uses. Not for several threads at once."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self.connection = connection
        self._patient: Patient | None = None

    def wait_while(self, patient: Patient | None) -> None:
        """From now on `write` waits for another's lock as long as `patient` says; without it for `BUSY_TIMEOUT_S`."""
        self._patient = patient

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` in one transaction; returns when its changes are durable. An exception undoes all of it.

        Raises `HomeError` when disk, file or a lock refuses.
        """
        conn = self.connection
        with told_in_words(self.path):
            self._begin()
            try:
                result = fn(conn)
                conn.execute("COMMIT")
            except BaseException:
                undo(conn)
                raise
        return result

    def _begin(self) -> None:
        if self._patient is None:
            self.connection.execute("BEGIN IMMEDIATE")
            return
        began = time.monotonic()
        # While SQLite waits by itself no signal is heard.
        self.connection.execute(f"PRAGMA busy_timeout={LOOK_AGAIN_S * 1000:.0f}")
        try:
            while not _has_begun(self.connection):
                waited_s = time.monotonic() - began
                if not self._patient(waited_s):
                    raise locked(self.path, waited_s)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one consistent snapshot. Raises `HomeError` when disk, file or a lock refuses."""
        with told_in_words(self.path):
            self.connection.execute("BEGIN")
            try:
                return fn(self.connection)
            finally:
                undo(self.connection)

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


def _has_begun(conn: Connection) -> bool:
    """False: another holds the lock."""
    try:
        conn.execute("BEGIN IMMEDIATE")
    except _sqlite.OperationalError as error:
        if _sqlite.code_of(error) is not Code.BUSY:
            raise
        return False
    return True


def attempt(conn: Connection, fn: Callable[[], T], *, stays: Callable[[T], bool]) -> T:
    """Runs `fn` inside a transaction that is under way; what it wrote is undone unless it `stays`, and when it
    raises what is no fault of the database's."""
    conn.execute("SAVEPOINT attempt")
    try:
        result = fn()
    except Exception as error:
        if _sqlite.code_of(error) is None:
            conn.execute("ROLLBACK TO attempt")
            conn.execute("RELEASE attempt")
        raise
    if not stays(result):
        conn.execute("ROLLBACK TO attempt")
    conn.execute("RELEASE attempt")
    return result


def undo(conn: Connection) -> None:
    """Ends the transaction, unless SQLite has ended it by itself."""
    if conn.in_transaction:
        with suppress(_sqlite.Error):
            conn.execute("ROLLBACK")


def connect(path: Path) -> Connection:
    """A connection with the pragmas that hold for every connection. The file's folder must exist."""
    conn = _sqlite.connect(
        str(path),
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_S,
        cached_statements=STATEMENTS_KEPT,
    )
    if path.stat().st_size == 0:
        # Only counts before the first table is made; on a database that has tables it would write each time.
        conn.execute("PRAGMA auto_vacuum=INCREMENTAL")
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")
    conn.execute("PRAGMA secure_delete=ON")
    # So that a row that REPLACE removes meets the walls between accounts, too.
    conn.execute("PRAGMA recursive_triggers=ON")
    conn.execute(f"PRAGMA journal_size_limit={WAL_BYTES_KEPT}")
    conn.execute("PRAGMA temp_store=MEMORY")
    _knows_words(conn)
    return conn


def open_database(
    path: Path,
    *,
    migrate: bool = False,
    any_version: bool = False,
    tell: migrations.Told = lambda _done, _steps: None,
) -> Database:
    """Opens an existing database; with `migrate` makes it or brings it up to date first.

    Refuses a file that is not ours, a newer one, a broken one, and an older one but with `migrate` or `any_version`.
    `tell` hears how far `migrate` is. The caller of `migrate` holds the home's lock: two processes migrating at once
    are not guarded against here.
    """
    if migrate:
        require_not_emptied(path)
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
            migrations.apply(conn, path, tell)
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


def open_in_memory(*, empty: bool = False) -> Database:
    """A database with all tables that is on no disk, not even for a moment; with `empty` without any."""
    conn = _sqlite.connect(":memory:", isolation_level=None, cached_statements=STATEMENTS_KEPT)
    conn.execute("PRAGMA foreign_keys=ON")
    conn.execute("PRAGMA recursive_triggers=ON")  # what REPLACE removes is taken from its month, too
    conn.execute("PRAGMA temp_store=MEMORY")
    _knows_words(conn)
    for migration in () if empty else migrations.MIGRATIONS:
        migration(conn)
    return Database(Path(":memory:"), conn)


def _knows_words(conn: Connection) -> None:
    """`folded(text)` in a statement is the text as words are compared."""
    conn.create_function("folded", 1, lambda text: None if text is None else fold(text), deterministic=True)


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
