"""Putting rows of an export in, and how far that has come.

The audit says it, so that a kill at any moment leaves no doubt: `import begun` names the file by its digest, and
`import` ends it. In between the account has connections that take nothing, and nothing is applied.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.store import accounts, deletions

_BEGUN, _DONE = "import begun", "import"
Row = Mapping[str, object]
"""Column → value."""

_HERE = "EXISTS (SELECT 1 FROM contacts WHERE contact_id=:contact_id)"
_ONLY_WHERE = {
    "contact_ids": _HERE,
    "contact_tags": _HERE,
    "contact_fields": _HERE,
    "given_codes": _HERE,
    "starts": _HERE,
    "variants": f"(:contact_id='' OR {_HERE})",
    "consents": f"(:contact_id IS NULL OR ({_HERE} AND NOT EXISTS (SELECT 1 FROM consents"  # noqa: S608
    " WHERE contact_id=:contact_id AND what=:what AND how=:how AND at=:at)))",
}
"""Of a person only while the person is here: they may be forgotten while an import goes on."""

NUMBERED = {"consents": "consent_id", "flow_history": "id"}
"""Tables whose rows are numbered for the whole home: they get new numbers, in the order in which they come."""


def begun(conn: Connection, account_id: str, digest: str, now: datetime) -> None:
    accounts.audit(conn, account_id, actor="command", action=_BEGUN, subject=digest, now=now)


def done(conn: Connection, account_id: str, digest: str, now: datetime) -> None:
    accounts.audit(conn, account_id, actor="command", action=_DONE, subject=digest, now=now)


def unfinished(conn: Connection, account_id: str) -> str | None:
    """The digest of the file whose import was begun and is not over. None also where its connections are gone: then
    it was taken back."""
    last = conn.execute(
        "SELECT action, subject FROM audit WHERE account_id=? AND action IN (?,?) ORDER BY id DESC LIMIT 1",
        (account_id, _BEGUN, _DONE),
    ).fetchone()
    if last is None or last[0] == _DONE:
        return None
    here = conn.execute("SELECT 1 FROM connections WHERE account_id=? LIMIT 1", (account_id,)).fetchone()
    return None if here is None else str(last[1])


def require_none(conn: Connection, account_id: str) -> None:
    """Raises `PamosnikError` while an import into the account is not over: what is done now would get in its way."""
    if unfinished(conn, account_id) is not None:
        raise PamosnikError(
            "An import into this account has begun and is not finished.",
            hint="With the same file it goes on where it stopped. Try: pamosnik import FILE",
        )


def require_going(conn: Connection, account_id: str, digest: str) -> None:
    """Raises `PamosnikError` when the import of that file was ended from elsewhere."""
    deleted = conn.execute(
        "SELECT 1 FROM connections WHERE account_id=:id"  # noqa: S608 - our own condition
        f" AND (connection_id IN {deletions.BEING_DELETED} OR account_id IN {deletions.BEING_DELETED}) LIMIT 1",
        {"id": account_id},
    ).fetchone()
    if deleted is not None or unfinished(conn, account_id) != digest:
        raise PamosnikError(
            "The import was ended from elsewhere: its connections are gone or being deleted, or another process has"
            " finished it.",
            hint="Try: pamosnik connections list",
        )


def holding(conn: Connection, account_id: str, tables: Iterable[str]) -> list[str]:
    """Which of these tables have rows of the account."""
    return [
        table
        for table in tables
        if conn.execute(f"SELECT 1 FROM {table} WHERE account_id=? LIMIT 1", (account_id,)).fetchone()  # noqa: S608
    ]


def owner(conn: Connection, table: str, key: str, value: str) -> str | None:
    """Whose row with this id is; None: nobody has one. Looks into every account of the home."""
    row = conn.execute(f"SELECT account_id FROM {table} WHERE {key}=?", (value,)).fetchone()  # noqa: S608
    return None if row is None else str(row[0])


def put(conn: Connection, table: str, rows: Sequence[Row], key: Sequence[str]) -> None:
    """Adds what is not there yet, by the table's `key`; what is there stays. All rows have the same columns."""
    if not rows:
        return
    names = tuple(name for name in rows[0] if name != NUMBERED.get(table))
    conflict = "" if table in NUMBERED else f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
    conn.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(f':{name}' for name in names)}"
        f" WHERE {_ONLY_WHERE.get(table, 'true')}{conflict}",
        rows,
    )


def empty(conn: Connection, table: str) -> None:
    """For a database that is thrown away."""
    conn.execute(f"DELETE FROM {table}")  # noqa: S608


def moved_in(
    conn: Connection, connection_id: str, *, status: str, reason: str | None, delete_after_ms: int | None
) -> None:
    """All that belongs to the connection is here."""
    conn.execute(
        "UPDATE connections SET status=?, reason=?, delete_after=? WHERE connection_id=?",
        (status, reason, delete_after_ms, connection_id),
    )


def set_timezone(conn: Connection, account_id: str, timezone: str) -> None:
    conn.execute("UPDATE accounts SET timezone=? WHERE account_id=?", (timezone, account_id))
