"""Attempts that are counted: logins that failed, and mails that were asked for. Their subject is a hash alone."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import ms

LOGIN = "login"
MAIL = "mail"


def count(conn: Connection, what: str, subject: bytes, since: datetime) -> tuple[int, int]:
    """Attempts of this kind since then: about this subject, and in all."""
    row = conn.execute(
        "SELECT coalesce(sum(email_hash=?), 0), count(*) FROM login_attempts WHERE what=? AND at>?",
        (subject, what, ms(since)),
    ).fetchone()
    return row[0], row[1]


def note(conn: Connection, what: str, subject: bytes, now: datetime, account_id: str = "") -> int:
    """Counts one, before its outcome is known: many at once must not slip through. `account_id`: '' when no account
    is meant. Returns its number, for `forgive`."""
    row = conn.execute(
        "INSERT INTO login_attempts (account_id, what, email_hash, at) VALUES (?,?,?,?) RETURNING id",
        (account_id, what, subject, ms(now)),
    ).fetchone()
    return int(row[0])


def forgive(conn: Connection, number: int) -> None:
    """It was no failure."""
    conn.execute("DELETE FROM login_attempts WHERE id=?", (number,))


def forget(conn: Connection, until: datetime) -> None:
    conn.execute("DELETE FROM login_attempts WHERE at<=?", (ms(until),))
