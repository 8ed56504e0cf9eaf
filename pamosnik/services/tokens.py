"""The life of a connection's token: refreshed long before it ends, and the owner warned in steps when that fails.

A long-lived token lasts 60 days and is dead for good when nobody refreshes it in that time; it must be a day old
first. Tokens copied from the dashboard were seen to end within hours: the first refresh comes as early as it may.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.instagram.client import Answer
from pamosnik.model.outbox import OutcomeKind
from pamosnik.security import vault
from pamosnik.store import connections, notices
from pamosnik.store.connections import Connected, ConnectionStatus

FIRST_REFRESH = timedelta(hours=24)
EVERY = timedelta(days=7)
AGAIN = timedelta(hours=1)
"""After a refresh that Instagram did not answer; with the next rung of the ladder near, still soon enough."""
REFUSED_AGAIN = timedelta(hours=24)
LADDER = (14, 7, 3, 1)
"""Days before the end at which the owner is warned (again)."""

_EXPIRING = "token_expiring"


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
    return Refreshed(token, lasts)


def due(conn: Connection, now: datetime) -> list[Connected]:
    """Connections whose token is to be refreshed now."""
    return [
        connected
        for connected in connections.with_tokens(conn)
        if connected.token_refresh_at is None or connected.token_refresh_at <= now
    ]


def keep(conn: Connection, connected: Connected, data_key: bytes, fresh: Refreshed, now: datetime) -> None:
    """The fresh token takes the place of the old one; warnings about its end are over."""
    connections.put_token(
        conn,
        connected.id,
        vault.seal_token(data_key, fresh.token, account_id=connected.account_id, ig_id=connected.ig_id),
        expires_at=now + fresh.lasts,
        refresh_at=now + min(EVERY, max(fresh.lasts / 2, FIRST_REFRESH)),
        now=now,
    )
    notices.settle(conn, connected.account_id, connected.id, _EXPIRING)


def failed(conn: Connection, connected: Connected, answer: Answer, now: datetime) -> None:
    """No new token. A login that has ended stops the connection; everything else is tried again."""
    outcome = answer.outcome
    if outcome.kind is OutcomeKind.LOGIN:
        connections.set_status(conn, connected.id, ConnectionStatus.NEEDS_LOGIN, outcome.reason)
        notices.raise_notice(
            conn,
            connected.account_id,
            connected.id,
            "needs_login",
            f"The login of {connected.username} has ended: {outcome.reason}.",
            "Run `pamosnik connect` and log in again.",
            now,
        )
        return
    refused = outcome.kind in (OutcomeKind.PERMANENT, OutcomeKind.CONFIGURATION)
    connections.refresh_token_at(conn, connected.id, now + (REFUSED_AGAIN if refused else AGAIN))


def warn(conn: Connection, now: datetime) -> None:
    """Tells owners of tokens that come to their end, in the words of the nearest rung."""
    for connected in connections.with_tokens(conn):
        if connected.token_expires_at is None:
            continue
        left = connected.token_expires_at - now
        rung = next((days for days in reversed(LADDER) if left <= timedelta(days=days)), None)
        if rung is None:
            continue
        when = (
            "has ended" if left <= timedelta() else f"ends in {max(left.days, 1)} day{'s' * (left.days > 1)}"
        )
        notices.raise_notice(
            conn,
            connected.account_id,
            connected.id,
            _EXPIRING,
            f"The login of {connected.username} {when} and could not be refreshed.",
            "Run `pamosnik connect` and log in again.",
            now,
        )
