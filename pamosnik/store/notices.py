"""What needs the owner: each thing once, until it is mended."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms

DATA_DELETED = "data_deleted"
"""Nothing is left to do about it: it goes with the next connection, or after a while."""
SIGNATURE_REFUSED = "signature_refused"
"""Told aside: one delivery was refused, and none has fitted since the start. It may have been a stranger's."""
ASIDE = frozenset({SIGNATURE_REFUSED})
"""Shown to whoever looks; nothing is wrong because of them, and nobody is mailed."""
CLOCK_WRONG = "clock_wrong"
"""Of the machine: what goes by its clock alone does not know what is old."""


@dataclass(frozen=True, slots=True)
class Notice:
    account_id: str
    """'' when it concerns the whole installation."""
    connection_id: str
    code: str
    message: str
    fix: str
    since: datetime
    step: int
    """How grave it is: what grows graver is told again."""


_COLUMNS = "account_id, connection_id, code, message, fix, since, step"


def _notice(row: tuple[str, str, str, str, str, int, int]) -> Notice:
    return Notice(*row[:5], since=instant(row[5]), step=row[6])


def raise_notice(
    conn: Connection,
    account_id: str,
    connection_id: str,
    code: str,
    message: str,
    fix: str,
    now: datetime,
    *,
    step: int = 0,
) -> bool:
    """True when it is new. An open notice keeps its `since`."""
    known = since(conn, account_id, connection_id, code)
    conn.execute(
        "INSERT INTO notices (account_id, connection_id, code, message, fix, since, step) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET message=excluded.message, fix=excluded.fix, step=excluded.step",
        (account_id, connection_id, code, message, fix, ms(now), step),
    )
    return known is None


def since(conn: Connection, account_id: str, connection_id: str, code: str) -> datetime | None:
    """Since when this is known and not mended; None: it is not."""
    known = conn.execute(
        "SELECT since FROM notices WHERE account_id=? AND connection_id=? AND code=?",
        (account_id, connection_id, code),
    ).fetchone()
    return None if known is None else instant(known[0])


def settle(conn: Connection, account_id: str, connection_id: str, code: str | None = None) -> None:
    """The thing is mended; without `code` everything of the connection is."""
    conn.execute(
        "DELETE FROM notices WHERE account_id=? AND connection_id=? AND (? IS NULL OR code=?)",
        (account_id, connection_id, code, code),
    )


def settle_everywhere(conn: Connection, code: str, account_id: str | None = None) -> None:
    """The thing is mended for all connections, of all accounts or of one."""
    conn.execute(
        "DELETE FROM notices WHERE code=:code AND :account IN (account_id, '*')",
        {"code": code, "account": account_id or "*"},
    )


def every(conn: Connection) -> list[Notice]:
    """Open notices of all accounts, the oldest first."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM notices ORDER BY since")  # noqa: S608 - column names
    return [_notice(row) for row in rows]


def forget(conn: Connection, code: str, before: datetime) -> None:
    """What was only to be told, and has been shown long enough."""
    conn.execute("DELETE FROM notices WHERE code=? AND since<?", (code, ms(before)))


def of_account(conn: Connection, account_id: str) -> list[Notice]:
    """Open notices of the account, and those that concern the whole installation; the oldest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM notices WHERE account_id IN (?, '') ORDER BY since",  # noqa: S608 - column names
        (account_id,),
    )
    return [_notice(row) for row in rows]
