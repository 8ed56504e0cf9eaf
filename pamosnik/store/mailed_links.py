"""Links that are mailed to an account's holder: of one use and short life. Only the hash of the token is here."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pamosnik._sqlite import Connection
from pamosnik.store.times import ms


class Purpose(Enum):
    """What a link allows."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - no password
    CONFIRM_EMAIL = "confirm_email"


@dataclass(frozen=True, slots=True)
class MailedLink:
    account_id: str
    purpose: Purpose
    email: str
    """Where the mail went; with `CONFIRM_EMAIL` the address that is to be the account's."""


def add(
    conn: Connection, token_hash: bytes, link: MailedLink, *, now: datetime, expires_at: datetime
) -> None:
    conn.execute(
        "INSERT INTO mailed_links (token_hash, account_id, purpose, email, made_at, expires_at) VALUES (?,?,?,?,?,?)",
        (token_hash, link.account_id, link.purpose.value, link.email, ms(now), ms(expires_at)),
    )


def find(conn: Connection, token_hash: bytes, purpose: Purpose, now: datetime) -> MailedLink | None:
    """None when there is no such link, it is used up, or its time is over."""
    row = conn.execute(
        "SELECT account_id, email FROM mailed_links WHERE token_hash=? AND purpose=? AND expires_at>?",
        (token_hash, purpose.value, ms(now)),
    ).fetchone()
    return None if row is None else MailedLink(row[0], purpose, row[1])


def waiting(conn: Connection, account_id: str, purpose: Purpose, now: datetime) -> str | None:
    """Where the newest link that can still be used went; None without one."""
    row = conn.execute(
        "SELECT email FROM mailed_links WHERE account_id=? AND purpose=? AND expires_at>?"
        " ORDER BY made_at DESC LIMIT 1",
        (account_id, purpose.value, ms(now)),
    ).fetchone()
    return None if row is None else str(row[0])


def drop(conn: Connection, account_id: str, purpose: Purpose) -> None:
    """Those of the account are used up, all of them."""
    conn.execute("DELETE FROM mailed_links WHERE account_id=? AND purpose=?", (account_id, purpose.value))


def forget_ended(conn: Connection, now: datetime) -> None:
    conn.execute("DELETE FROM mailed_links WHERE expires_at<=?", (ms(now),))
