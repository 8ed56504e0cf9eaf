"""A login that is of no use any more: sending stops for its connection, and its owner hears why, in one wording."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store import connections, notices
from pamosnik.store.connections import Connected, ConnectionStatus

NEEDS_LOGIN = "needs_login"
EXPIRING = "token_expiring"
LADDER = (14, 7, 3, 1)
"""Days before the end at which the owner is warned (again)."""
AT_ITS_END = len(LADDER) + 1
"""The step after all rungs, however the end was heard of."""
APP_REMOVED = "app_removed"
AT_REMOVAL = AT_ITS_END + 1
KEY_LOST = "The key that opened its login is lost."


def ended(conn: Connection, connection_id: str, reason: str, now: datetime) -> None:
    """Instagram says that the login has ended; whoever heard it first tells."""
    _stop(
        conn,
        connection_id,
        reason,
        message=f"The login of {_username(conn, connection_id)} has ended: {reason}.",
        fix="Run `pamosnik connect` and log in again.",
        now=now,
    )


def unreadable(conn: Connection, connection_id: str, reason: str, now: datetime) -> None:
    """The stored token does not open. `reason` is a sentence."""
    _stop(
        conn,
        connection_id,
        reason,
        message=f"The stored login of {_username(conn, connection_id)} cannot be read: {reason}",
        fix="Put back the master.key that belongs to this database. If it is lost: `pamosnik keys rotate --lost-key`,"
        " then `pamosnik connect` again.",
        now=now,
    )


def opens_again(conn: Connection, connected: Connected) -> None:
    """The stored token opens after all, or Instagram takes it after all: sending goes on."""
    connections.set_status(conn, connected.id, ConnectionStatus.ACTIVE, None)
    notices.settle(conn, connected.account_id, connected.id, NEEDS_LOGIN)


def lost(conn: Connection, connection_id: str, now: datetime) -> None:
    """The key of its token is lost: the token goes, everything else of the connection stays."""
    connections.lose_token(conn, connection_id)
    _stop(
        conn,
        connection_id,
        KEY_LOST,
        message=f"The stored login of {_username(conn, connection_id)} was lost with its key.",
        fix="Run `pamosnik connect` and log in again.",
        now=now,
    )


def moved(conn: Connection, connection_id: str, reason: str, now: datetime) -> None:
    """Its data came with an import, which holds no logins."""
    _stop(
        conn,
        connection_id,
        reason,
        message=f"{_username(conn, connection_id)} came with an import and has no login yet.",
        fix="Run `pamosnik connect` and log in.",
        now=now,
    )


def _username(conn: Connection, connection_id: str) -> str:
    return connections.load(conn, connection_id).username


def _stop(
    conn: Connection, connection_id: str, reason: str, *, message: str, fix: str, now: datetime
) -> None:
    connected = connections.load(conn, connection_id)
    if connected.status is ConnectionStatus.DISCONNECTED:
        return  # its owner knows better
    account_id = connected.account_id
    connections.set_status(conn, connection_id, ConnectionStatus.NEEDS_LOGIN, reason)
    # That it was coming to its end is no news any more.
    notices.settle(conn, account_id, connection_id, EXPIRING)
    notices.raise_notice(conn, account_id, connection_id, NEEDS_LOGIN, message, fix, now, step=AT_ITS_END)
