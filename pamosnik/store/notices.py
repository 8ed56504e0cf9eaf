"""What needs the owner: each thing once, until it is mended."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms

DATA_DELETED = "data_deleted"
"""Nothing is left to do about it: it goes with the next connection, or after a while."""


@dataclass(frozen=True, slots=True)
class Notice:
    code: str
    message: str
    fix: str
    since: datetime
    connection_id: str


def raise_notice(
    conn: Connection, account_id: str, connection_id: str, code: str, message: str, fix: str, now: datetime
) -> bool:
    """True when it is new. An open notice keeps its `since`."""
    known = is_open(conn, account_id, connection_id, code)
    conn.execute(
        "INSERT INTO notices (account_id, connection_id, code, message, fix, since) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET message=excluded.message, fix=excluded.fix",
        (account_id, connection_id, code, message, fix, ms(now)),
    )
    return not known


def is_open(conn: Connection, account_id: str, connection_id: str, code: str) -> bool:
    """Whether this is known and not mended."""
    known = conn.execute(
        "SELECT 1 FROM notices WHERE account_id=? AND connection_id=? AND code=?",
        (account_id, connection_id, code),
    ).fetchone()
    return known is not None


def settle(conn: Connection, account_id: str, connection_id: str, code: str | None = None) -> None:
    """The thing is mended; without `code` everything of the connection is."""
    conn.execute(
        "DELETE FROM notices WHERE account_id=? AND connection_id=? AND (? IS NULL OR code=?)",
        (account_id, connection_id, code, code),
    )


def settle_everywhere(conn: Connection, account_id: str, code: str) -> None:
    """The thing is mended for all connections of the account."""
    conn.execute("DELETE FROM notices WHERE account_id=? AND code=?", (account_id, code))


def forget(conn: Connection, code: str, before: datetime) -> None:
    """What was only to be told, and has been shown long enough."""
    conn.execute("DELETE FROM notices WHERE code=? AND since<?", (code, ms(before)))


def of_account(conn: Connection, account_id: str) -> list[Notice]:
    """Open notices of the account, and those that concern the whole installation; the oldest first."""
    rows = conn.execute(
        "SELECT code, message, fix, since, connection_id FROM notices WHERE account_id IN (?, '') ORDER BY since",
        (account_id,),
    )
    return [Notice(r[0], r[1], r[2], instant(r[3]), r[4]) for r in rows]
