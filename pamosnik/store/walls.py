"""The wall between accounts, in one place: what a page, the API or a command reads and writes for one account passes
through here, whatever the statement says.

Reading: on a walled connection every table's name means a view of the same name that holds the account's rows alone.
SQLite looks for a name among the temporary ones first, so no statement has to know; one that names the table behind
the view (`main.events`) is refused. Statements keep their plans: `+account_id` is compared in rows that were found by
something else, and nothing is ever looked for by it.

Writing: while a function writes for an account, triggers refuse every row that is another's or nobody's, or that
hangs on another's connection, person, run or message. What the function reads meanwhile has no wall, so it looks up
ids from outside within the account. A refusal is a mistake of ours, and nothing of the transaction is stored.

A table without the account (a search index, say) can be neither read nor written here before somebody decides whose
its rows are.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pamosnik._sqlite import Action, Authorized, Connection
from pamosnik.store.database import Database

SEEN_BY_ALL = ("notices", "alerts")
"""Tables with rows that concern the whole installation: their account is ''. Every account sees them, none writes."""
_NAMED_BY = {
    "connection_id": "connections",
    "contact_id": "contacts",
    "run_id": "runs",
    "item_id": "outbox",
    "event_id": "events",
}
"""Column → the table whose rows it names, with or without a foreign key."""
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

T = TypeVar("T")


class Walled:
    """A connection for reading, on which each function sees one account's rows."""

    def __init__(self, database: Database) -> None:
        """Takes the connection over: outside of `read` it shows no row at all."""
        self._database = database
        conn = database.connection
        conn.execute("CREATE TEMP TABLE reading_for (account_id TEXT NOT NULL)")
        for table, has_rowid in _tables(conn):
            conn.execute(_view(table, has_rowid=has_rowid))
            conn.execute(f'CREATE TEMP VIEW {table} AS SELECT * FROM temp."{_own(table)}"')  # noqa: S608
        conn.set_authorizer(_only_through_views)

    def read(self, account_id: str, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` on one consistent snapshot of the account's rows. Raises `HomeError` as `Database.read`."""

        def as_account(conn: Connection) -> T:
            # Undone with the transaction, which is never committed.
            conn.execute("INSERT INTO reading_for VALUES (?)", (account_id,))
            return fn(conn)

        return self._database.read(as_account)


def tables(conn: Connection) -> list[str]:
    """All tables; each carries the account."""
    return [table for table, _ in _tables(conn)]


def _tables(conn: Connection) -> list[tuple[str, bool]]:
    """Name, and whether it has a rowid."""
    rows = conn.execute(
        "SELECT name, wr FROM pragma_table_list WHERE schema='main' AND type<>'view'"
        " AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name<>'_sqlite_migrations' ORDER BY name"
    )
    return [(name, not without_rowid) for name, without_rowid in rows]


def _own(table: str) -> str:
    """The view that alone may read the table. No part of a statement has this name by chance, as a `WITH` may have
    the table's: SQLite tells us the name only."""
    return f"own rows of {table}"


def _view(table: str, *, has_rowid: bool) -> str:
    rowid = "rowid AS rowid, " if has_rowid else ""
    mine = "+account_id=(SELECT account_id FROM temp.reading_for)"
    if table in SEEN_BY_ALL:
        mine = f"({mine} OR account_id='')"
    return f'CREATE TEMP VIEW "{_own(table)}" AS SELECT {rowid}* FROM main.{table} WHERE {mine}'  # noqa: S608


_HARMLESS = (Action.SELECT, Action.FUNCTION, Action.RECURSIVE)


def _only_through_views(
    action: int, table: str | None, _column: str | None, schema: str | None, view: str | None
) -> Authorized:
    """SQLite asks this while it prepares a statement. `view`: the one that wants it; None: the statement itself."""
    match action:
        case Action.READ:
            allowed = schema == "temp" or (table is not None and view == _own(table))
        case Action.INSERT:
            allowed = (schema, table) == ("temp", "reading_for")
        case Action.TRANSACTION:
            # A commit would keep the account for whoever reads next. In `table` is what is done: SQLite's order.
            allowed = table != "COMMIT"
        case _:
            allowed = action in _HARMLESS
    return Authorized.OK if allowed else Authorized.DENY


@contextmanager
def writing_for(conn: Connection, account_id: str) -> Iterator[None]:
    """Inside a transaction: refuses, with `IntegrityError`, every change of what is not the account's.

    Takes some five milliseconds: for what somebody asks for, not for every turn.
    """
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
    """A row that REPLACE removes meets them, too: `recursive_triggers` is on. So does one that a cascade deletes."""
    for table, names in _naming_columns(conn).items():
        refuse = f"BEGIN SELECT RAISE(ABORT, 'a row of {table} is not of this account'); END"
        before = f"OLD.account_id<>'{account_id}'"
        after = " OR ".join([f"NEW.account_id<>'{account_id}'", *_hanging_on_others(names, account_id)])
        yield f"BEFORE INSERT ON main.{table} WHEN {after} {refuse}"
        yield f"BEFORE UPDATE ON main.{table} WHEN {before} OR {after} {refuse}"
        yield f"BEFORE DELETE ON main.{table} WHEN {before} {refuse}"


def _naming_columns(conn: Connection) -> dict[str, list[str]]:
    """Table → its columns that name a row of another table."""
    found: dict[str, list[str]] = {table: [] for table in tables(conn)}
    marks = ",".join("?" * len(_NAMED_BY))
    for table, column in conn.execute(
        "SELECT m.name, c.name FROM main.sqlite_master m JOIN pragma_table_info(m.name) c"  # noqa: S608 - marks alone
        f" WHERE m.type='table' AND c.name IN ({marks})",
        tuple(_NAMED_BY),
    ):
        if table in found and _NAMED_BY[column] != table:
            found[table].append(column)
    return found


def _hanging_on_others(columns: list[str], account_id: str) -> list[str]:
    return [
        f"EXISTS (SELECT 1 FROM main.{_NAMED_BY[column]}"  # noqa: S608
        f" WHERE {column}=NEW.{column} AND account_id<>'{account_id}')"
        for column in columns
    ]
