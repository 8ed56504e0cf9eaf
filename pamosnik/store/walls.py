"""The wall between accounts, in one place: what a page, the API or a command reads and writes for one account passes
through here, whatever the statement says.

Reading: on a walled connection every table's name means a view of the same name that holds the account's rows alone.
SQLite looks for a name among the temporary ones first, so no statement has to know.

Writing: while a function writes for an account, triggers refuse every row that is another's, or hangs on another's
connection, person or run. It is a mistake of ours then, and nothing of the transaction is stored.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pamosnik._sqlite import Connection
from pamosnik.store.database import Database

OF_ALL = ("notices", "alerts")
"""Tables with rows that concern the whole installation: their account is ''."""
_PARENTS = ("connections", "contacts", "runs")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

T = TypeVar("T")


class Walled:
    """A connection for reading, on which each function sees one account's rows."""

    def __init__(self, database: Database) -> None:
        """Takes the connection over: outside of `read` it shows no row at all."""
        self._database = database
        conn = database.connection
        conn.execute("CREATE TEMP TABLE reading_for (account_id TEXT NOT NULL)")
        for table in tables(conn):
            conn.execute(_view(conn, table))

    def read(self, account_id: str, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one consistent snapshot of the account's rows. Raises `HomeError` as `Database.read`."""

        def as_account(conn: Connection) -> T:
            # Undone with the transaction, which is never committed.
            conn.execute("INSERT INTO reading_for VALUES (?)", (account_id,))
            return fn(conn)

        return self._database.read(as_account)


def tables(conn: Connection) -> list[str]:
    """All tables; each carries the account."""
    rows = conn.execute(
        "SELECT name FROM main.sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        " AND name<>'_sqlite_migrations' ORDER BY name"
    )
    return [name for (name,) in rows]


def _view(conn: Connection, table: str) -> str:
    (without_rowid,) = conn.execute(
        "SELECT wr FROM pragma_table_list WHERE schema='main' AND name=?", (table,)
    ).fetchone()
    rowid = "" if without_rowid else "rowid AS rowid, "
    mine = "account_id=(SELECT account_id FROM temp.reading_for)"
    if table in OF_ALL:
        mine = f"({mine} OR account_id='')"
    return f"CREATE TEMP VIEW {table} AS SELECT {rowid}* FROM main.{table} WHERE {mine}"  # noqa: S608


@contextmanager
def writing_for(conn: Connection, account_id: str) -> Iterator[None]:
    """Inside a transaction: refuses, with `IntegrityError`, every change of what is not the account's."""
    if _ID.fullmatch(account_id) is None:
        raise ValueError("no id of an account")
    guards = list(_guards(conn, account_id))
    for number, guard in enumerate(guards):
        conn.execute(f"CREATE TEMP TRIGGER wall_{number} {guard}")
    try:
        yield
    finally:
        # After an error the transaction, or its savepoint, is undone and has taken them along.
        for number in range(len(guards)):
            conn.execute(f"DROP TRIGGER IF EXISTS temp.wall_{number}")


def write_for(account_id: str, fn: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """`fn`, for `Database.write` or the daemon's writer, within the account's walls."""

    def walled(conn: Connection) -> T:
        with writing_for(conn, account_id):
            return fn(conn)

    return walled


def _guards(conn: Connection, account_id: str) -> Iterator[str]:
    for table in tables(conn):
        allowed = f"('{account_id}', '')" if table in OF_ALL else f"('{account_id}')"
        refuse = f"BEGIN SELECT RAISE(ABORT, 'a row of {table} is not of this account'); END"
        yield f"BEFORE DELETE ON main.{table} WHEN OLD.account_id NOT IN {allowed} {refuse}"
        yield f"BEFORE UPDATE ON main.{table} WHEN OLD.account_id NOT IN {allowed} {refuse}"
        foreign = [f"NEW.account_id NOT IN {allowed}"]
        foreign += [
            f"(NEW.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.{parent}"  # noqa: S608
            f" WHERE {column}=NEW.{column} AND account_id='{account_id}'))"
            for parent, column in _parents(conn, table)
        ]
        yield f"BEFORE INSERT ON main.{table} WHEN {' OR '.join(foreign)} {refuse}"
        yield f"AFTER UPDATE ON main.{table} WHEN {' OR '.join(foreign)} {refuse}"


def _parents(conn: Connection, table: str) -> list[tuple[str, str]]:
    """(parent, column) of the foreign keys that lead to rows of an account."""
    rows = conn.execute('SELECT "table", "from" FROM pragma_foreign_key_list(?)', (table,))
    return [(parent, column) for parent, column in rows if parent in _PARENTS]
