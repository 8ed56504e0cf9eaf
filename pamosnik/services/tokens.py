"""The life of a connection's token: refreshed long before it ends, and the owner warned in steps when that fails.

A long-lived token lasts 60 days and is dead for good when nobody refreshes it in that time; it must be a day old
first. Tokens copied from the dashboard were seen to end within hours: the first refresh comes as early as it may.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik import unsaid
from pamosnik._sqlite import Connection
from pamosnik.errors import NeedsAuthorisation, NotFound, PamosnikError
from pamosnik.instagram import errors, reading
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import OutcomeKind
from pamosnik.security import vault
from pamosnik.security.vault import Keys
from pamosnik.services import credentials, logins, removal, sending
from pamosnik.store import accounts, connections, notices
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.database import Rows

FIRST_REFRESH = timedelta(hours=24)
EVERY = timedelta(days=7)
AGAIN = timedelta(hours=1)
"""After a refresh that Instagram did not answer; with the next rung of the ladder near, still soon enough."""
REFUSED_AGAIN = timedelta(hours=24)
_EXPIRED = "190/463"
"""As reasons show it. No such token was ever taken again."""


@dataclass(frozen=True, slots=True, repr=False)
class Refreshed:
    """A new token. Its repr shows nothing."""

    token: str
    lasts: timedelta


def read(answer: Answer) -> Refreshed | None:
    """The token in Meta's answer; None when there is none."""
    token, seconds = answer.body.get("access_token"), answer.body.get("expires_in")
    if answer.outcome.kind is not OutcomeKind.SENT or not isinstance(token, str) or not token:
        return None
    lasts = timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else timedelta(days=60)
    return Refreshed(unsaid.keep(token), lasts)


def due(conn: Connection, now: datetime) -> list[Connected]:
    """Connections whose token is to be refreshed now."""
    return [
        connected
        for connected in connections.with_tokens(conn)
        if connected.token_refresh_at is None or connected.token_refresh_at <= now
    ]


def keep(conn: Connection, connected: Connected, keys: Keys, fresh: Refreshed, now: datetime) -> None:
    """The fresh token takes the place of the old one; warnings about its end are over.

    Sealed here, inside the write: the account's key may have been rotated since Instagram was asked.
    """
    data_key = credentials.data_key(conn, keys, connected.account_id)
    connections.put_token(
        conn,
        connected.id,
        vault.seal_token(data_key, fresh.token, account_id=connected.account_id, ig_id=connected.ig_id),
        expires_at=now + fresh.lasts,
        refresh_at=now + min(EVERY, max(fresh.lasts / 2, FIRST_REFRESH)),
        now=now,
    )
    notices.settle(conn, connected.account_id, connected.id, logins.EXPIRING)


def failed(conn: Connection, connected: Connected, answer: Answer, now: datetime) -> None:
    """No new token. A login that has ended stops the connection; everything else is tried again.

    `now`: when the call was made."""
    outcome = answer.outcome
    if errors.app_removed(outcome):
        removal.app_removed(conn, connected.id, asked_at=now, now=now)
        return
    if connections.load(conn, connected.id).status is ConnectionStatus.DISCONNECTED:
        return
    if outcome.kind is OutcomeKind.LOGIN:
        logins.ended(conn, connected.id, outcome.reason, now)
        return
    refused = outcome.kind in (OutcomeKind.PERMANENT, OutcomeKind.CONFIGURATION)
    connections.refresh_token_at(conn, connected.id, now + (REFUSED_AGAIN if refused else AGAIN))


def refused(conn: Connection, now: datetime) -> list[Connected]:
    """Connections whose token Instagram refused before its time: it may take it again. Not those that Instagram
    called expired, nor those whose token does not open: they wait for another key."""
    return [
        connected
        for connected in connections.refused_logins(conn, now)
        if connected.reason not in (vault.WRONG_MASTER_KEY, vault.WRONG_ACCOUNT_KEY)
        and _EXPIRED not in (connected.reason or "")
    ]


async def ask_again(instagram: Instagram, connected: Connected, token: str, now: datetime) -> Answer:
    """With what is due: a token that is read with, and not refreshed, would be refused again at once."""
    due_since = connected.token_refresh_at
    return await (instagram.me(token) if due_since is None or due_since > now else instagram.refresh(token))


def asked_again(conn: Connection, connected: Connected, answer: Answer, keys: Keys, now: datetime) -> bool:
    """What Instagram says to a token that it had refused; True: it takes it, and what waited goes out.

    `now`: when the call was made."""
    if errors.app_removed(answer.outcome):
        removal.app_removed(conn, connected.id, asked_at=now, now=now)
        return False
    fresh = read(answer)
    taken = fresh is not None or reading.text(answer.body.get("user_id")) == connected.ig_id
    still = connections.load(conn, connected.id).status is ConnectionStatus.NEEDS_LOGIN
    if answer.outcome.kind is not OutcomeKind.SENT or not taken or not still:
        return False
    if fresh is not None:
        keep(conn, connected, keys, fresh, now)
    logins.opens_again(conn, connected)
    sending.release_held(conn, connected.id, now)
    return True


def warn(conn: Connection, now: datetime) -> None:
    """Tells owners of tokens that come to their end, in the words of the nearest rung."""
    for connected in connections.with_tokens(conn):
        if connected.token_expires_at is None:
            continue
        left = connected.token_expires_at - now
        rung = next((days for days in reversed(logins.LADDER) if left <= timedelta(days=days)), None)
        if rung is None:
            continue
        when = (
            "has ended" if left <= timedelta() else f"ends in {max(left.days, 1)} day{'s' * (left.days > 1)}"
        )
        notices.raise_notice(
            conn,
            connected.account_id,
            connected.id,
            logins.EXPIRING,
            f"The login of {connected.username} {when} and could not be refreshed.",
            "Run `pamosnik connect` and log in again.",
            now,
            # Each rung is told, and the end.
            step=logins.LADDER.index(rung) + 1 if left > timedelta() else logins.AT_ITS_END,
        )


def active(conn: Connection, account_id: str, name: str | None) -> list[Connected]:
    """The account's connections whose login can be refreshed; one by username or Instagram id. Raises `NotFound`."""
    found = [one for one in connections.with_tokens(conn) if one.account_id == account_id]
    if name is not None:
        wanted = name.removeprefix("@").casefold()
        found = [one for one in found if wanted in (one.username.casefold(), one.ig_id)]
    stopped = [
        one.username
        for one in connections.of_account(conn, account_id)
        if one.status in (ConnectionStatus.NEEDS_LOGIN, ConnectionStatus.DISCONNECTED)
    ]
    if not found and stopped:
        raise NeedsAuthorisation(
            f"The login of {', '.join(stopped)} has ended and cannot be refreshed.",
            hint="Try: pamosnik connect",
        )
    if not found:
        raise NotFound(
            "No login can be refreshed." if name is None else f"{name} has no login that could be refreshed.",
            hint="Try: pamosnik connections list",
        )
    return found


def _token(rows: Rows, keys: Keys, connected: Connected) -> str:
    try:
        return rows.read(lambda conn: credentials.token(conn, keys, connected))
    except vault.Unreadable:
        # The keys may have been rotated since this snapshot was taken.
        return rows.read(lambda conn: credentials.token(conn, keys, connected))


async def refresh_now(
    rows: Rows, instagram: Instagram, keys: Keys, connected: Connected, now: datetime
) -> None:
    """Asks for a new token and stores it. Raises `NeedsAuthorisation`, or `PamosnikError` when it may work later."""
    answer = await instagram.refresh(_token(rows, keys, connected))
    fresh = read(answer)
    if fresh is not None:

        def renew(conn: Connection) -> None:
            keep(conn, connected, keys, fresh, now)
            accounts.audit(
                conn,
                connected.account_id,
                actor="command",
                action="login refreshed",
                subject=connected.id,
                now=now,
            )

        rows.write(renew)
        return
    rows.write(lambda conn: failed(conn, connected, answer, now))
    reason = f"The login of {connected.username} was not refreshed: {answer.outcome.reason}."
    if answer.outcome.kind is OutcomeKind.LOGIN:
        raise NeedsAuthorisation(reason, hint="Try: pamosnik connect")
    raise PamosnikError(reason, hint="A login must be a day old. The daemon tries again by itself.")
