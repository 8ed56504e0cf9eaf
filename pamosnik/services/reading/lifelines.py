"""How each connection is: its login, what Instagram told it last, and how much of Meta's limits is used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.instagram.limits import PRIVATE_REPLIES_PER_HOUR
from pamosnik.model.event import EventKind
from pamosnik.model.outbox import Quota
from pamosnik.outbox.pacing import COUNTS_FOR, HOUR
from pamosnik.services.numbers import day_of
from pamosnik.services.reading.statistics import last_days
from pamosnik.store import attempts, connections, reads, stats
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.times import instant

EVENTS_LOOKED_AT = 1000
DAYS_LOOKED_AT = 30

FIELDS: Mapping[str, tuple[str, Sequence[EventKind]]] = {
    "comments": ("Comments", (EventKind.COMMENT,)),
    "messages": (
        "Messages",
        (
            EventKind.MESSAGE,
            EventKind.STORY_REPLY,
            EventKind.STORY_MENTION,
            EventKind.SHARED_POST,
            EventKind.ECHO,
            EventKind.EDIT,
            EventKind.DELETION,
        ),
    ),
    "messaging_postbacks": ("Buttons and menu", (EventKind.POSTBACK,)),
    "message_reactions": ("Reactions", (EventKind.REACTION,)),
    "messaging_seen": ("Read receipts", (EventKind.SEEN,)),
    "messaging_referral": ("Links and ads", (EventKind.REFERRAL,)),
    "live_comments": ("Comments on live videos", (EventKind.LIVE_COMMENT,)),
}
"""Webhook field of Meta's → what it is called, and the events that come by it. What everybody has stands first."""

_KINDS: Mapping[Quota, str] = {
    Quota.PRIVATE_REPLY: "private replies",
    Quota.LIVE_PRIVATE_REPLY: "private replies during live videos",
    Quota.MESSAGE: "messages",
    Quota.COMMENT_REPLY: "public replies",
    Quota.COMMENT_ACTION: "hiding and liking comments",
    Quota.SENDER_ACTION: "reactions and typing",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """The last webhook of a field."""

    field: str
    name: str
    at: datetime | None
    """None: it is not among the newest events."""
    day: str | None
    """YYYY-MM-DD of the account, where only the day is known; None: nothing for `DAYS_LOOKED_AT` days."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What Meta's usage headers said last of a kind of message, at most an hour ago."""

    kind: str
    """For people."""
    percent: int
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Lifeline:
    connected: Connected
    days_left: int | None
    """Of the login; None: it has none."""
    heard: Sequence[Heard]
    """One for each of `FIELDS`."""
    private_replies: int
    """That count against Meta's hour now."""
    private_replies_limit: int
    usage: Sequence[Usage]

    @property
    def is_active(self) -> bool:
        return self.connected.status is ConnectionStatus.ACTIVE


def of_account(
    conn: Connection, account: Account, connected: Sequence[Connected], now: datetime
) -> list[Lifeline]:
    heard = {
        (connection_id, kind): instant(at)
        for connection_id, kind, at in reads.last_heard(conn, account.id, limit=EVENTS_LOOKED_AT)
    }
    days = last_days(day_of(now, account.timezone), DAYS_LOOKED_AT).each() if connected else []
    on_day = {
        (connection_id, kind): day for connection_id, kind, day in stats.last_received(conn, account.id, days)
    }
    return [_lifeline(conn, one, heard, on_day, now) for one in connected]


def _lifeline(
    conn: Connection,
    one: Connected,
    heard: Mapping[tuple[str, str], datetime],
    on_day: Mapping[tuple[str, str], str],
    now: datetime,
) -> Lifeline:
    used, _ = attempts.counted(conn, one.id, Quota.PRIVATE_REPLY, now - COUNTS_FOR)
    return Lifeline(
        connected=one,
        days_left=None if one.token_expires_at is None else max((one.token_expires_at - now).days, 0),
        heard=[
            Heard(
                field,
                name,
                max((heard[one.id, kind] for kind in kinds if (one.id, kind) in heard), default=None),
                max((on_day[one.id, kind] for kind in kinds if (one.id, kind) in on_day), default=None),
            )
            for field, (name, kinds) in FIELDS.items()
        ],
        private_replies=used,
        private_replies_limit=PRIVATE_REPLIES_PER_HOUR,
        usage=[
            Usage(_KINDS[quota], percent, at)
            for quota, (percent, at) in connections.usage(conn, one.id).items()
            if now - at < HOUR
        ],
    )
