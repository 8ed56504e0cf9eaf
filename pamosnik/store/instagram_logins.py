"""Logins with Instagram that are under way: each has an address for one connection and half an hour. Only the hash of
its token is here, and what came of it, for whoever waits."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.consents import How
from pamosnik.store.times import ms


@dataclass(frozen=True, slots=True)
class InstagramLogin:
    account_id: str
    how: How
    """Where it was begun: at the page or on the command line."""
    connection_id: str | None
    """What it connected: it is used up. None: not yet."""
    problem: str | None
    """Why the last try failed; None: none has."""


def add(
    conn: Connection, token_hash: bytes, account_id: str, how: How, *, now: datetime, expires_at: datetime
) -> None:
    conn.execute(
        "INSERT INTO instagram_logins (token_hash, account_id, how, made_at, expires_at) VALUES (?,?,?,?,?)",
        (token_hash, account_id, how.value, ms(now), ms(expires_at)),
    )


def find(conn: Connection, token_hash: bytes, now: datetime) -> InstagramLogin | None:
    """None when there is none, or its time is over. One that is used up is found."""
    row = conn.execute(
        "SELECT account_id, how, connection_id, problem FROM instagram_logins WHERE token_hash=? AND expires_at>?",
        (token_hash, ms(now)),
    ).fetchone()
    return None if row is None else InstagramLogin(row[0], How(row[1]), row[2], row[3])


def connected(conn: Connection, token_hash: bytes, connection_id: str) -> None:
    """It is used up."""
    conn.execute(
        "UPDATE instagram_logins SET connection_id=?, problem=NULL WHERE token_hash=?",
        (connection_id, token_hash),
    )


def failed(conn: Connection, token_hash: bytes, problem: str) -> None:
    """It can be tried again, unless it is used up."""
    conn.execute(
        "UPDATE instagram_logins SET problem=? WHERE token_hash=? AND connection_id IS NULL",
        (problem, token_hash),
    )


def drop(conn: Connection, account_id: str) -> None:
    """None of the account's goes on."""
    conn.execute("DELETE FROM instagram_logins WHERE account_id=?", (account_id,))


def forget_ended(conn: Connection, now: datetime) -> None:
    conn.execute("DELETE FROM instagram_logins WHERE expires_at<=?", (ms(now),))
