"""What the owner may do with an outbox item: try again, call off, or say what became of it.

Each verb returns the item's id.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound, PamosnikError
from pamosnik.model.outbox import ItemStatus, OutboxItem
from pamosnik.services import sending, settling
from pamosnik.store import accounts, outbox
from pamosnik.store.accounts import Account


class Fate(StrEnum):
    """What the owner says of an item whose fate is unknown."""

    SENT = "sent"
    """It arrived."""
    RESEND = "resend"
    """It did not arrive: send it."""
    DROP = "drop"
    """Leave it."""


def settle(conn: Connection, account: Account, what: str, fate: Fate, *, actor: str, now: datetime) -> str:
    """Ends the uncertainty about an item. Raises `NotFound`, and `PamosnikError` when it is not unknown."""
    item = named(conn, account, what)
    if item.status is not ItemStatus.UNKNOWN:
        raise PamosnikError(
            f"{item.id} is {item.status.value}, not unknown: there is nothing to settle.",
            hint="Try: pamosnik queue list --open",
        )
    fates: Mapping[Fate, Callable[[], None]] = {
        Fate.SENT: lambda: settling.delivered(
            conn, item, item.message_id, "settled by the owner: it arrived", now
        ),
        Fate.RESEND: lambda: settling.again(conn, item, "settled by the owner: sent again", now),
        Fate.DROP: lambda: sending.end(conn, item, ItemStatus.CANCELLED, "dropped by the owner", now),
    }
    fates[fate]()
    return _done(conn, account, item, actor, f"queue settle --{fate.value}", now)


def retry(conn: Connection, account: Account, what: str, *, actor: str, now: datetime) -> str:
    """Puts back what failed, expired or was cancelled, as long as it can still arrive in time."""
    item = named(conn, account, what)
    if item.status is ItemStatus.UNKNOWN:
        raise PamosnikError(
            f"{item.id} may have arrived already.",
            hint=f"Look at the conversation first. Try: pamosnik queue settle {item.id} --resend",
        )
    if item.status not in (ItemStatus.FAILED, ItemStatus.EXPIRED, ItemStatus.CANCELLED):
        raise PamosnikError(
            f"{item.id} is {item.status.value}; there is nothing to try again.",
            hint="Try: pamosnik queue list",
        )
    if item.deadline is not None and item.deadline <= now:
        raise PamosnikError(
            f"{item.id} is too late: {item.reason or 'its time is over'}.",
            hint="A message can reach this person again when they write.",
        )
    outbox.move(conn, item, ItemStatus.QUEUED, now=now, due_at=now, reason="tried again by the owner")
    return _done(conn, account, item, actor, "queue retry", now)


def cancel(conn: Connection, account: Account, what: str, *, actor: str, now: datetime) -> str:
    """Calls off what has not left yet."""
    item = named(conn, account, what)
    if item.status not in (ItemStatus.QUEUED, ItemStatus.HELD):
        hint = f"Try: pamosnik queue settle {item.id} --drop" if item.status is ItemStatus.UNKNOWN else None
        raise PamosnikError(f"{item.id} is {item.status.value} and cannot be called off.", hint=hint)
    sending.end(conn, item, ItemStatus.CANCELLED, "cancelled by the owner", now)
    return _done(conn, account, item, actor, "queue cancel", now)


def named(conn: Connection, account: Account, what: str) -> OutboxItem:
    """By Pamosnik's id, or Meta's of the message it became."""
    item = outbox.find(conn, account.id, what)
    if item is None:
        raise NotFound(f"No queue item is known by {what}.", hint="Try: pamosnik queue list")
    return item


def _done(
    conn: Connection, account: Account, item: OutboxItem, actor: str, action: str, now: datetime
) -> str:
    accounts.audit(conn, account.id, actor=actor, action=action, subject=item.id, now=now)
    return item.id
