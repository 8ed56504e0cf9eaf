"""Sessions of the status page, and browsers that have logged in before. Only hashes of their tokens are here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms


@dataclass(frozen=True, slots=True)
class Session:
    """A login at the status page."""

    id: str
    """What it is called where sessions are listed and ended; it opens nothing."""
    account_id: str
    browser: str
    """Like `Firefox on Android`; empty when it did not tell."""
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


_SESSION = "session_id, account_id, browser, created_at, last_seen_at, expires_at"


def _session(row: tuple[str, str, str, int, int, int]) -> Session:
    return Session(row[0], row[1], row[2], instant(row[3]), instant(row[4]), instant(row[5]))


def open_session(conn: Connection, token_hash: bytes, session: Session) -> None:
    conn.execute(
        "INSERT INTO sessions (token_hash, session_id, account_id, browser, created_at, last_seen_at, expires_at)"
        " VALUES (?,?,?,?,?,?,?)",
        (
            token_hash,
            session.id,
            session.account_id,
            session.browser,
            ms(session.created_at),
            ms(session.last_seen_at),
            ms(session.expires_at),
        ),
    )


def by_token(conn: Connection, token_hash: bytes, now: datetime) -> Session | None:
    """The session that a cookie opens; None when it is unknown or over."""
    row = conn.execute(
        f"SELECT {_SESSION} FROM sessions WHERE token_hash=? AND expires_at>?",  # noqa: S608 - column names
        (token_hash, ms(now)),
    ).fetchone()
    return None if row is None else _session(row)


def of_account(conn: Connection, account_id: str, now: datetime) -> list[Session]:
    """Those that are open, the one seen last first."""
    rows = conn.execute(
        f"SELECT {_SESSION} FROM sessions WHERE account_id=? AND expires_at>?"  # noqa: S608 - column names
        " ORDER BY last_seen_at DESC, session_id DESC",
        (account_id, ms(now)),
    )
    return [_session(row) for row in rows]


def seen(conn: Connection, session_id: str, now: datetime, expires_at: datetime) -> None:
    conn.execute(
        "UPDATE sessions SET last_seen_at=?, expires_at=? WHERE session_id=?",
        (ms(now), ms(expires_at), session_id),
    )


def renew(conn: Connection, account_id: str, session_id: str, token_hash: bytes) -> None:
    """Another token opens it from now on; whoever has the old one is out."""
    conn.execute(
        "UPDATE sessions SET token_hash=? WHERE account_id=? AND session_id=?",
        (token_hash, account_id, session_id),
    )


def close_by_token(conn: Connection, token_hash: bytes) -> None:
    """Whosever it is: whoever has the cookie may end it."""
    conn.execute("DELETE FROM sessions WHERE token_hash=?", (token_hash,))


def keep_newest(conn: Connection, account_id: str, at_most: int) -> None:
    """Ends those of the account that were seen longest ago."""
    conn.execute(
        "DELETE FROM sessions WHERE account_id=:account AND session_id NOT IN (SELECT session_id FROM sessions"
        " WHERE account_id=:account ORDER BY last_seen_at DESC, session_id DESC LIMIT :at_most)",
        {"account": account_id, "at_most": at_most},
    )


def close(conn: Connection, account_id: str, session_id: str) -> bool:
    """Ends one; False when the account has no such session."""
    ended = conn.execute("DELETE FROM sessions WHERE account_id=? AND session_id=?", (account_id, session_id))
    return bool(ended.rowcount)


def close_all(conn: Connection, account_id: str, *, but: str | None = None) -> int:
    """Ends the account's sessions, but for the one named; how many."""
    ended = conn.execute("DELETE FROM sessions WHERE account_id=? AND session_id IS NOT ?", (account_id, but))
    return int(ended.rowcount)


def forget_ended(conn: Connection, now: datetime) -> None:
    conn.execute("DELETE FROM sessions WHERE expires_at<=?", (ms(now),))


# --- browsers that logged in before ----------------------------------------------------------------------


def know_browser(conn: Connection, token_hash: bytes, account_id: str, now: datetime) -> None:
    """Somebody logged in with it."""
    conn.execute(
        "INSERT INTO known_browsers (token_hash, account_id, made_at, last_used_at) VALUES (?,?,?,?)"
        " ON CONFLICT (token_hash) DO UPDATE SET account_id=excluded.account_id, last_used_at=excluded.last_used_at",
        (token_hash, account_id, ms(now), ms(now)),
    )


def browser_account(conn: Connection, token_hash: bytes) -> str | None:
    """Which account was logged in to with this browser; None: a stranger's."""
    row = conn.execute("SELECT account_id FROM known_browsers WHERE token_hash=?", (token_hash,)).fetchone()
    return None if row is None else str(row[0])


def keep_browsers(conn: Connection, account_id: str, at_most: int) -> None:
    """Those of the account that were used longest ago are strangers' again."""
    conn.execute(
        "DELETE FROM known_browsers WHERE account_id=:account AND token_hash NOT IN (SELECT token_hash"
        " FROM known_browsers WHERE account_id=:account ORDER BY last_used_at DESC LIMIT :at_most)",
        {"account": account_id, "at_most": at_most},
    )


def forget_browsers(conn: Connection, account_id: str) -> None:
    """All of the account: they are strangers' again."""
    conn.execute("DELETE FROM known_browsers WHERE account_id=?", (account_id,))


def forget_unused_browsers(conn: Connection, now: datetime, unused_for: timedelta) -> None:
    conn.execute("DELETE FROM known_browsers WHERE last_used_at<=?", (ms(now - unused_for),))
