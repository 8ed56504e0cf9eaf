"""Attempts that are counted: logins that failed, and mails that were asked for. Their subject is a hash alone."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms

LOGIN = "login"
MAIL = "mail"


def counted(
    conn: Connection, what: str, subject: bytes | None, at_most: int, since: datetime
) -> datetime | None:
    """When the oldest of the newest `at_most` attempts was, if there are so many since then: about this subject, or
    with None in all. None: there are fewer."""
    row = conn.execute(
        "SELECT at FROM login_attempts WHERE what=:what AND (:subject IS NULL OR email_hash=:subject) AND at>:since"
        " ORDER BY at DESC LIMIT 1 OFFSET :before",
        {"what": what, "subject": subject, "since": ms(since), "before": at_most - 1},
    ).fetchone()
    return None if row is None else instant(row[0])


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
