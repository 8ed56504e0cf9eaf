"""Settling messages whose fate is unknown: what a look showed, written down; and what the owner decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import ItemKind, ItemStatus, OutboxItem
from pamosnik.outbox import settling
from pamosnik.outbox.settling import Arrived, NoEvidence, NotThere, Seen, View
from pamosnik.services import effects
from pamosnik.services.numbers import day_of
from pamosnik.store import accounts, contacts, evidence, outbox
from pamosnik.store.notices import Notice

NOBODY_KNOWS = (
    "nobody can tell whether it arrived; look at the conversation, then say it with"
    " pamosnik queue settle --sent, --resend or --drop"
)

UNKNOWN_MESSAGES = "unknown_messages"


def left_to_owners(conn: Connection) -> list[Notice]:
    """For each account with messages whose fate nobody but the owner can tell. The more, the graver."""
    return [
        Notice(
            account_id,
            "",
            UNKNOWN_MESSAGES,
            f"{n} {'message has' if n == 1 else 'messages have'} an unknown fate, and nothing Instagram shows settles"
            " it.",
            "Look at `pamosnik queue list --open`, then: pamosnik queue settle ID --sent|--resend|--drop",
            since,
            step=n,
        )
        for account_id, n, since in evidence.left_unknown(conn)
    ]


def told_by_webhook(conn: Connection, item: OutboxItem) -> View | None:
    """Public replies come back as comments of the account itself: no question to Instagram is needed then."""
    if item.kind is not ItemKind.COMMENT_REPLY:
        return None
    own = tuple(Seen(comment_id, True, at, text) for comment_id, text, at in evidence.own_replies(conn, item))
    found = _judged(conn, item, View(own))
    return View(own) if isinstance(found, Arrived) else None


def looked(conn: Connection, item_id: str, view: View, now: datetime) -> None:
    """Writes down what one look at Instagram showed. Does nothing when the item was settled meanwhile."""
    item = outbox.load(conn, item_id)
    if item is None or item.status is not ItemStatus.UNKNOWN:
        return
    attempted_at = item.last_attempt_at or now
    match _judged(conn, item, view):
        case Arrived(id=message_id):
            delivered(conn, item, message_id, "settled: Instagram shows it", now)
        case NotThere():
            if settling.absence_proven(attempted_at, item.not_there_at, now):
                again(conn, item, "settled: Instagram shows that it did not arrive; sent again", now)
                return
            counts = now >= attempted_at + settling.ABSENCE_COUNTS_FROM
            first = item.not_there_at or (now if counts else None)
            _look_again(conn, item, first, now)
        case NoEvidence():
            _look_again(conn, item, item.not_there_at, now)
        case unreachable:
            assert_never(unreachable)


def _judged(conn: Connection, item: OutboxItem, view: View) -> settling.Evidence:
    reply = item.kind is ItemKind.COMMENT_REPLY
    known = evidence.known_replies(conn, item) if reply else evidence.known_messages(conn, item)
    same = [twin for twin in evidence.twins(conn, item) if settling.look_alike(twin.content, item.content)]
    attempted_at = min(at for at in (item.first_attempt_at or item.due_at, item.doubt_from) if at is not None)
    return settling.judge(item, view, attempted_at=attempted_at, known=known, twins=len(same))


def _look_again(conn: Connection, item: OutboxItem, not_there_at: datetime | None, now: datetime) -> None:
    attempted_at = item.last_attempt_at or now
    looks = item.looks + 1
    at = settling.next_look(looks, attempted_at, now)
    if not_there_at is not None and item.not_there_at is None:
        at = now + settling.SECOND_LOOK_AFTER
    reason = NOBODY_KNOWS if at is None else None
    evidence.look_for(conn, item.id, at, looks=looks, not_there_at=not_there_at, reason=reason)


def again(conn: Connection, item: OutboxItem, reason: str, now: datetime) -> None:
    """Back into the queue, byte for byte as before."""
    outbox.move(conn, item, ItemStatus.QUEUED, now=now, due_at=now, reason=reason, uncertain=True)
    outbox.no_doubt(conn, item.id)


def delivered(conn: Connection, item: OutboxItem, message_id: str | None, reason: str, now: datetime) -> None:
    """It arrived after all."""
    account = accounts.load(conn, item.account_id)
    assert account is not None
    effects.delivered(
        conn, item, message_id=message_id, reason=reason, day=day_of(now, account.timezone), now=now
    )


def private_due(conn: Connection, connection_id: str, now: datetime) -> list[OutboxItem]:
    """Private replies of unknown fate whose time to be repeated has come."""
    return [
        item
        for item in evidence.unknown_private(conn, connection_id)
        if settling.private_reply_again(item, item.last_attempt_at or now, now)
    ]


def repeat_private(conn: Connection, connection_id: str, now: datetime) -> None:
    """Repeats them byte for byte."""
    for item in private_due(conn, connection_id, now):
        again(conn, item, "no evidence: sent again, for Instagram takes one private reply only", now)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item whose next look is due, and the ids under which Instagram may know the person."""

    item: OutboxItem
    igsids: frozenset[str]


def due(conn: Connection, connection_id: str, now: datetime, limit: int) -> Sequence[Wanted]:
    """Items whose next look is due, the longest waiting first."""
    return [
        Wanted(item, contacts.igsids(conn, item.contact_id))
        for item in evidence.to_look_for(conn, connection_id, now, limit)
    ]
