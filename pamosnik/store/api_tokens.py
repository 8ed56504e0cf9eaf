"""Tokens of the API: each belongs to one account. Only the hash is here; who made one has the token."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms, optional_instant


@dataclass(frozen=True, slots=True)
class ApiToken:
    id: str
    account_id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    """None: never."""


_TOKEN = "token_id, account_id, name, created_at, last_used_at"  # noqa: S105 - column names


def _token(row: tuple[str, str, str, int, int | None]) -> ApiToken:
    return ApiToken(row[0], row[1], row[2], instant(row[3]), optional_instant(row[4]))


def insert(conn: Connection, token: ApiToken, token_hash: bytes) -> None:
    conn.execute(
        "INSERT INTO api_tokens (token_id, account_id, name, token_hash, created_at) VALUES (?,?,?,?,?)",
        (token.id, token.account_id, token.name, token_hash, ms(token.created_at)),
    )


def by_hash(conn: Connection, token_hash: bytes) -> ApiToken | None:
    """The token that a request brought; None when it is unknown or was revoked."""
    row = conn.execute(
        f"SELECT {_TOKEN} FROM api_tokens WHERE token_hash=?",  # noqa: S608 - column names
        (token_hash,),
    ).fetchone()
    return None if row is None else _token(row)


def of_account(conn: Connection, account_id: str) -> list[ApiToken]:
    """The oldest first."""
    rows = conn.execute(
        f"SELECT {_TOKEN} FROM api_tokens WHERE account_id=? ORDER BY created_at, token_id",  # noqa: S608
        (account_id,),
    )
    return [_token(row) for row in rows]


def used(conn: Connection, token_id: str, now: datetime, *, noted_before: datetime) -> None:
    """Notes its last use, unless one was noted from `noted_before` on."""
    conn.execute(
        "UPDATE api_tokens SET last_used_at=?1 WHERE token_id=?2 AND coalesce(last_used_at, 0)<?3",
        (ms(now), token_id, ms(noted_before)),
    )


def revoke(conn: Connection, account_id: str, token_id: str) -> bool:
    """It opens nothing from this commit on; False when the account has no such token."""
    gone = conn.execute("DELETE FROM api_tokens WHERE account_id=? AND token_id=?", (account_id, token_id))
    return bool(gone.rowcount)
