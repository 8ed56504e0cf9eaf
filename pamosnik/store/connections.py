"""Connected Instagram accounts. The token is sealed before it comes here and opened after it leaves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import Quota
from pamosnik.store import deletions
from pamosnik.store.times import instant, ms, optional_instant


class ConnectionStatus(StrEnum):
    ACTIVE = "active"
    NEEDS_LOGIN = "needs_login"
    BLOCKED = "blocked"
    DISCONNECTED = "disconnected"


class PrivateReplyButtons(StrEnum):
    """Whether Instagram takes buttons in private replies of this account."""

    UNTRIED = "untried"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection, without its token."""

    id: str
    account_id: str
    ig_id: str
    asid: str | None
    username: str
    status: ConnectionStatus
    reason: str | None
    scopes: tuple[str, ...]
    token_expires_at: datetime | None
    connected_at: datetime
    private_reply_buttons: PrivateReplyButtons
    rest_until: datetime | None
    rest_reason: str | None
    token_issued_at: datetime | None
    token_refresh_at: datetime | None
    """When the token is refreshed next; None: there is none."""
    read_until: datetime | None
    """Conversations and comments were read up to then; None: never."""
    delete_after: datetime | None
    """From then on its data is deleted; None: it stays."""


_COLUMNS = (
    "connection_id, account_id, ig_id, asid, username, status, reason, scopes, token_expires_at, connected_at,"
    " private_reply_buttons, rest_until, rest_reason, token_issued_at, token_refresh_at, read_until,"
    " delete_after"
)


def _connected(r: tuple[Any, ...]) -> Connected:
    return Connected(
        id=r[0],
        account_id=r[1],
        ig_id=r[2],
        asid=r[3],
        username=r[4],
        status=ConnectionStatus(r[5]),
        reason=r[6],
        scopes=tuple(json.loads(r[7])),
        token_expires_at=optional_instant(r[8]),
        connected_at=instant(r[9]),
        private_reply_buttons=PrivateReplyButtons(r[10]),
        rest_until=optional_instant(r[11]),
        rest_reason=r[12],
        token_issued_at=optional_instant(r[13]),
        token_refresh_at=optional_instant(r[14]),
        read_until=optional_instant(r[15]),
        delete_after=optional_instant(r[16]),
    )


def by_ig_id(conn: Connection, ig_id: str) -> Connected | None:
    """The connection a webhook's `entry.id` names; None also for disconnected ones."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE ig_id=? AND status<>'disconnected'",  # noqa: S608 - column names
        (ig_id,),
    ).fetchone()
    return None if row is None else _connected(row)


def known(conn: Connection, ig_id: str) -> Connected | None:
    """The connection of this Instagram account, also a disconnected one whose data is still here."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE ig_id=?",  # noqa: S608 - column names
        (ig_id,),
    ).fetchone()
    return None if row is None else _connected(row)


def named(conn: Connection, user_id: str) -> Connected | None:
    """The connection of the Instagram account that has this id, its own or the one for this app; of any account, also
    a disconnected one. For Meta's signed requests."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE :id IN (asid, ig_id) ORDER BY ig_id=:id",  # noqa: S608
        {"id": user_id},
    ).fetchone()
    return None if row is None else _connected(row)


def load(conn: Connection, connection_id: str) -> Connected:
    """One connection; it must exist."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE connection_id=?",  # noqa: S608 - column names
        (connection_id,),
    ).fetchone()
    return _connected(row)


def exists(conn: Connection, connection_id: str) -> bool:
    """Whether it has not been deleted."""
    row = conn.execute("SELECT 1 FROM connections WHERE connection_id=?", (connection_id,)).fetchone()
    return row is not None


def of_account(conn: Connection, account_id: str) -> list[Connected]:
    """An account's connections, the oldest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE account_id=? ORDER BY connected_at",  # noqa: S608 - column names
        (account_id,),
    )
    return [_connected(row) for row in rows]


def every(conn: Connection) -> list[Connected]:
    """Of all accounts, the oldest first. For the machine's owner, never for a page."""
    rows = conn.execute(f"SELECT {_COLUMNS} FROM connections ORDER BY connected_at")  # noqa: S608 - column names
    return [_connected(row) for row in rows]


def sending(conn: Connection, now: datetime) -> list[tuple[Connected, bytes]]:
    """Connections that may send now, with their sealed tokens."""
    rows = conn.execute(
        f"SELECT token_sealed, {_COLUMNS} FROM connections WHERE status='active' AND token_sealed IS NOT NULL"  # noqa: S608
        " AND (rest_until IS NULL OR rest_until<=?)",
        (ms(now),),
    )
    return [(_connected(row[1:]), row[0]) for row in rows]


@dataclass(frozen=True, slots=True, repr=False)
class SealedLogin:
    """A connection's sealed token, and the wrapped key of its account that opens it. Either may be gone."""

    token: bytes | None
    wrapped_key: bytes | None


def sealed_login(conn: Connection, connection_id: str) -> SealedLogin:
    """Both as of one moment: a rotation of the keys changes them together."""
    row = conn.execute(
        "SELECT token_sealed, wrapped_key FROM connections LEFT JOIN account_keys USING (account_id)"
        " WHERE connection_id=?",
        (connection_id,),
    ).fetchone()
    return SealedLogin(None, None) if row is None else SealedLogin(row[0], row[1])


def first_of_each_account(conn: Connection) -> list[Connected]:
    """One connection per account: where deliveries that name no account are shown."""
    seen: dict[str, Connected] = {}
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE status<>'disconnected' ORDER BY connected_at"  # noqa: S608
    )
    for row in rows:
        connected = _connected(row)
        seen.setdefault(connected.account_id, connected)
    return list(seen.values())


@dataclass(frozen=True, slots=True)
class NewConnection:
    id: str
    account_id: str
    ig_id: str
    asid: str | None
    username: str
    scopes: tuple[str, ...]
    token_sealed: bytes
    token_expires_at: datetime | None
    token_refresh_at: datetime
    subscribed_fields: tuple[str, ...]


def put(conn: Connection, new: NewConnection, now: datetime) -> None:
    """Connects, or replaces the token of what is known already: `connected_at` stays then, and nothing is deleted.

    What came with an import and never had a token here is connected from now on: what happened elsewhere until then
    is not answered once more.
    """
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, asid, username, status, scopes, token_sealed,"
        " token_expires_at, connected_at, subscribed_fields, token_issued_at, token_refresh_at)"
        " VALUES (?,?,?,?,?,'active',?,?,?,?,?,?,?)"
        " ON CONFLICT (ig_id) DO UPDATE SET"
        " asid=excluded.asid, username=excluded.username, status='active', reason=NULL, scopes=excluded.scopes,"
        " token_sealed=excluded.token_sealed, token_expires_at=excluded.token_expires_at,"
        " subscribed_fields=excluded.subscribed_fields, rest_until=NULL, rest_reason=NULL,"
        " delete_after=NULL,"
        " connected_at=iif(connections.token_issued_at IS NULL, excluded.connected_at, connections.connected_at),"
        " token_issued_at=excluded.token_issued_at, token_refresh_at=excluded.token_refresh_at",
        (
            new.id,
            new.account_id,
            new.ig_id,
            new.asid,
            new.username,
            json.dumps(new.scopes),
            new.token_sealed,
            ms(new.token_expires_at),
            ms(now),
            json.dumps(new.subscribed_fields),
            ms(now),
            ms(new.token_refresh_at),
        ),
    )
    conn.execute("DELETE FROM rests WHERE connection_id=?", (new.id,))
    conn.execute("DELETE FROM usage WHERE connection_id=?", (new.id,))


def put_token(
    conn: Connection,
    connection_id: str,
    sealed: bytes,
    *,
    expires_at: datetime,
    refresh_at: datetime,
    now: datetime,
) -> None:
    """A refreshed token takes the place of the one before; a connection that was disconnected meanwhile gets none."""
    conn.execute(
        "UPDATE connections SET token_sealed=?, token_expires_at=?, token_issued_at=?, token_refresh_at=?"
        " WHERE connection_id=? AND status<>'disconnected'",
        (sealed, ms(expires_at), ms(now), ms(refresh_at), connection_id),
    )


def sealed_tokens(conn: Connection, account_id: str) -> list[tuple[Connected, bytes]]:
    """The account's connections that have a token, in use or not."""
    rows = conn.execute(
        f"SELECT token_sealed, {_COLUMNS} FROM connections WHERE account_id=? AND token_sealed IS NOT NULL"  # noqa: S608
        " ORDER BY connected_at",
        (account_id,),
    )
    return [(_connected(row[1:]), row[0]) for row in rows]


def sealed_token(conn: Connection, connection_id: str) -> bytes | None:
    row = conn.execute(
        "SELECT token_sealed FROM connections WHERE connection_id=?", (connection_id,)
    ).fetchone()
    return None if row is None else row[0]


def put_sealed(conn: Connection, connection_id: str, sealed: bytes) -> None:
    """The same token, sealed under another key."""
    conn.execute("UPDATE connections SET token_sealed=? WHERE connection_id=?", (sealed, connection_id))


def lose_token(conn: Connection, connection_id: str) -> None:
    """Nobody can open it any more."""
    conn.execute(
        "UPDATE connections SET token_sealed=NULL, token_expires_at=NULL, token_refresh_at=NULL"
        " WHERE connection_id=?",
        (connection_id,),
    )


def read_until(conn: Connection, connection_id: str) -> datetime | None:
    """How far catching up has read; None: not yet, or there is no such connection."""
    row = conn.execute(
        "SELECT read_until FROM connections WHERE connection_id=?", (connection_id,)
    ).fetchone()
    return None if row is None else optional_instant(row[0])


def was_read(conn: Connection, connection_id: str, until: datetime) -> None:
    """Everything of this connection up to then is known."""
    conn.execute("UPDATE connections SET read_until=? WHERE connection_id=?", (ms(until), connection_id))


def refresh_token_at(conn: Connection, connection_id: str, at: datetime) -> None:
    """The next try."""
    conn.execute("UPDATE connections SET token_refresh_at=? WHERE connection_id=?", (ms(at), connection_id))


def with_tokens(conn: Connection) -> list[Connected]:
    """Connections of active accounts whose token is in use."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE status='active' AND token_sealed IS NOT NULL"  # noqa: S608
        " ORDER BY connected_at"
    )
    return [_connected(row) for row in rows]


def refused_logins(conn: Connection, now: datetime) -> list[Connected]:
    """Connections that stopped although they have a token that has not come to its end."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE status='needs_login' AND token_sealed IS NOT NULL"  # noqa: S608
        " AND token_expires_at>? ORDER BY connected_at",
        (ms(now),),
    )
    return [_connected(row) for row in rows]


def set_status(conn: Connection, connection_id: str, status: ConnectionStatus, reason: str | None) -> None:
    """What is disconnected stays so, whatever late answers say: only connecting (`put`) ends that."""
    conn.execute(
        "UPDATE connections SET status=?, reason=? WHERE connection_id=? AND status<>'disconnected'",
        (status.value, reason, connection_id),
    )


def disconnect(conn: Connection, connection_id: str, reason: str, delete_after: datetime) -> None:
    """Destroys the token; from `delete_after` on the connection's data is deleted."""
    conn.execute(
        "UPDATE connections SET status='disconnected', reason=?, token_sealed=NULL, token_expires_at=NULL,"
        " token_refresh_at=NULL, rest_until=NULL, rest_reason=NULL, delete_after=? WHERE connection_id=?",
        (reason, ms(delete_after), connection_id),
    )


def to_delete(conn: Connection, now: datetime) -> list[Connected]:
    """Connections whose data is to be deleted from now on, and whose deletion has not begun."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM connections WHERE delete_after<=? AND {deletions.UNTOUCHED}"  # noqa: S608
        " ORDER BY delete_after",
        (ms(now),),
    )
    return [_connected(row) for row in rows]


def rest(conn: Connection, connection_id: str, until: datetime, reason: str) -> None:
    """Nothing leaves for this connection before then; a longer rest is not shortened."""
    conn.execute(
        "UPDATE connections SET rest_reason=iif(coalesce(rest_until, 0)<:until, :reason, rest_reason),"
        " rest_until=max(coalesce(rest_until, 0), :until) WHERE connection_id=:connection",
        {"until": ms(until), "reason": reason, "connection": connection_id},
    )


def rest_all(conn: Connection, until: datetime, reason: str) -> None:
    """Nothing leaves for any connection before then: a limit of the app they share."""
    for (connection_id,) in conn.execute("SELECT connection_id FROM connections").fetchall():
        rest(conn, connection_id, until, reason)


def rest_quota(conn: Connection, connection: Connected, quota: Quota, until: datetime, reason: str) -> None:
    """Nothing of this kind leaves for this connection before then."""
    conn.execute(
        "INSERT OR REPLACE INTO rests (account_id, connection_id, quota, until, reason) VALUES (?,?,?,?,?)",
        (connection.account_id, connection.id, quota.value, ms(until), reason),
    )


def quota_rest_over(conn: Connection, connection_id: str, quota: Quota, now: datetime) -> None:
    """One of this kind was accepted after its rest."""
    conn.execute(
        "DELETE FROM rests WHERE connection_id=? AND quota=? AND until<=?",
        (connection_id, quota.value, ms(now)),
    )


def quota_rests(conn: Connection, connection_id: str) -> Mapping[Quota, tuple[datetime, str]]:
    """Kind → until when it rests, or did if none was accepted since, and why."""
    rows = conn.execute("SELECT quota, until, reason FROM rests WHERE connection_id=?", (connection_id,))
    return {Quota(quota): (instant(until), reason) for quota, until, reason in rows}


def heard_usage(conn: Connection, connection: Connected, quota: Quota, percent: int, now: datetime) -> None:
    """What Meta's usage headers said last of this kind."""
    conn.execute(
        "INSERT OR REPLACE INTO usage (account_id, connection_id, quota, percent, heard_at) VALUES (?,?,?,?,?)",
        (connection.account_id, connection.id, quota.value, percent, ms(now)),
    )


def usage(conn: Connection, connection_id: str) -> Mapping[Quota, tuple[int, datetime]]:
    """Kind → percent of Meta's usage headers, and when they said so; without kinds that never had a high one."""
    rows = conn.execute("SELECT quota, percent, heard_at FROM usage WHERE connection_id=?", (connection_id,))
    return {Quota(quota): (percent, instant(heard_at)) for quota, percent, heard_at in rows}


def next_rest_over(conn: Connection, now: datetime) -> datetime | None:
    """When the next resting connection may send again."""
    (until,) = conn.execute(
        "SELECT min(rest_until) FROM connections WHERE rest_until>?", (ms(now),)
    ).fetchone()
    return optional_instant(until)


def learn_buttons(conn: Connection, connection_id: str, buttons: PrivateReplyButtons) -> None:
    """Remembers whether Instagram takes buttons in this account's private replies."""
    conn.execute(
        "UPDATE connections SET private_reply_buttons=? WHERE connection_id=?", (buttons.value, connection_id)
    )
