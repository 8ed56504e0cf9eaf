"""Deletions of a connection's data: what is under way, and the receipts that stay. A receipt names nobody.

A deletion has the id of its connection, which means nothing outside of this database.
"""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms, optional_instant

BEING_DELETED = "(SELECT deletion_id FROM deletions WHERE ended_at IS NULL)"
UNTOUCHED = f"connection_id NOT IN {BEING_DELETED}"
"""Part of every question for work: what is being deleted gets no turn any more."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many rows of a connection are gone, and when."""

    id: str
    account_id: str
    cause: str
    began_at: datetime
    people: int
    events: int
    runs: int
    messages: int
    ended_at: datetime | None
    """None: still under way."""


_COLUMNS = "deletion_id, account_id, cause, began_at, people, events, runs, messages, ended_at"


def begin(conn: Connection, deletion_id: str, account_id: str, cause: str, now: datetime) -> None:
    """From this commit on nothing works on the connection's data any more."""
    conn.execute(
        "INSERT INTO deletions (deletion_id, account_id, cause, began_at) VALUES (?,?,?,?)",
        (deletion_id, account_id, cause, ms(now)),
    )


def load(conn: Connection, deletion_id: str) -> Receipt | None:
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE deletion_id=?",  # noqa: S608 - column names
        (deletion_id,),
    ).fetchone()
    return None if row is None else _receipt(row)


def under_way(conn: Connection) -> list[Receipt]:
    """Deletions that were begun and have not come to their end, the oldest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE ended_at IS NULL ORDER BY began_at"  # noqa: S608
    )
    return [_receipt(row) for row in rows]


def _receipt(r: tuple[str, str, str, int, int, int, int, int, int | None]) -> Receipt:
    return Receipt(
        id=r[0],
        account_id=r[1],
        cause=r[2],
        began_at=instant(r[3]),
        people=r[4],
        events=r[5],
        runs=r[6],
        messages=r[7],
        ended_at=optional_instant(r[8]),
    )


def count(
    conn: Connection, deletion_id: str, *, people: int = 0, events: int = 0, runs: int = 0, messages: int = 0
) -> None:
    """Adds what a chunk deleted, in the chunk's transaction."""
    conn.execute(
        "UPDATE deletions SET people=people+?, events=events+?, runs=runs+?, messages=messages+?"
        " WHERE deletion_id=?",
        (people, events, runs, messages, deletion_id),
    )


def end(conn: Connection, deletion_id: str, now: datetime) -> None:
    """Everything is gone, from the file and its WAL, too."""
    conn.execute("UPDATE deletions SET ended_at=? WHERE deletion_id=?", (ms(now), deletion_id))
