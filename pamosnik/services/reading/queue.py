"""What goes out, where it ended, and what it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.instagram.limits import PRIVATE_REPLIES_PER_HOUR
from pamosnik.model.outbox import ItemStatus
from pamosnik.outbox.pacing import Caution
from pamosnik.services.reading import forecast
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.outbox_rows import NEVER_TOO_LATE
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import instant

EVERYTHING = QueueFilter()


@dataclass(frozen=True, slots=True)
class Item:
    """What goes out, or went."""

    id: str
    kind: str
    action: str | None
    """What a reaction or a deed under a comment does."""
    username: str | None
    igsid: str
    comment_id: str | None
    flow: str | None
    status: str
    due_at: datetime
    deadline: datetime | None
    attempts: int
    reason: str | None
    """Its own, or what it waits for."""
    expected_at: datetime | None
    """When it leaves at Meta's pace, where that is later."""
    message_id: str | None
    connection: str
    run: str | None

    def shape(self) -> Shape:
        return {
            "id": self.id,
            "kind": self.kind,
            "action": self.action,
            "to": {"username": self.username, "igsid": self.igsid, "comment_id": self.comment_id},
            "flow": self.flow,
            "status": self.status,
            "due_at": iso(self.due_at),
            "deadline": iso(self.deadline),
            "attempts": self.attempts,
            "reason": self.reason,
            "expected_at": iso(self.expected_at),
            "message_id": self.message_id,
            "connection": self.connection,
            "run": self.run,
        }


def newest(
    conn: Connection,
    account: Account,
    wanted: QueueFilter = EVERYTHING,
    *,
    now: datetime,
    limit: int | None = None,
) -> list[Item]:
    """The latest made first. What waits without a reason of its own says what it waits for."""
    found = reads.queue(conn, account.id, wanted, limit=limit, now=now)
    connected = connections.of_account(conn, account.id)
    outside = _Outside(
        account.timezone,
        forecast.leaving(conn, connected, now),
        {
            (one.id, quota.value): rest
            for one in connected
            for quota, rest in connections.quota_rests(conn, one.id).items()
            if rest[0] > now
        },
        forecast.slowed(conn, connected, now),
        reads.unanswered_lately(conn, account.id, now),
    )
    return [_item(row, outside) for row in found]


@dataclass(frozen=True, slots=True)
class _Outside:
    """What holds items up from outside the queue."""

    zone: str
    leaves: Mapping[str, datetime | None]
    """Private replies that wait for Meta's hour: when each leaves, None: never in time."""
    rests: Mapping[tuple[str, str], tuple[datetime, str]]
    """Connection and kind of message → until when that kind rests, and why."""
    slowed: Mapping[str, int]
    """Connection → percent of Meta's usage headers, where they slow private replies down."""
    unanswered: Mapping[str, int]
    """Connection → attempts that came to nothing certain lately."""


def _item(row: tuple[Any, ...], outside: _Outside) -> Item:
    waiting = row[6] == ItemStatus.QUEUED.value
    return Item(
        id=row[0],
        kind=row[1],
        action=row[19],
        username=row[2],
        igsid=row[3],
        comment_id=row[4],
        flow=row[5],
        status=row[6],
        due_at=instant(row[7]),
        deadline=None if row[8] == NEVER_TOO_LATE else instant(row[8]),
        attempts=row[9],
        reason=row[10] or (_waits_for(row[0], row[1], *row[14:19], outside=outside) if waiting else None),
        expected_at=outside.leaves.get(row[0]),
        message_id=row[11],
        connection=row[12],
        run=row[13],
    )


def _waits_for(
    item_id: str,
    kind: str,
    before: str | None,
    connection: str,
    rests_until: int | None,
    rests_because: str | None,
    connection_id: str,
    *,
    outside: _Outside,
) -> str | None:
    """Why something queued does not leave yet, as far as the database shows it."""
    if connection != ConnectionStatus.ACTIVE.value:
        return "waits until you log in again: pamosnik connect"
    if rests_until is not None:
        return f"sending rests until {local_minute(instant(rests_until), outside.zone)}: {rests_because}"
    if before == ItemStatus.UNKNOWN.value:
        return "waits until it is known whether the message before it arrived, at most an hour"
    if before is not None:
        return f"waits for the message before it, which is {before}"
    if (rest := outside.rests.get((connection_id, kind))) is not None:
        return f"this kind of message rests until {local_minute(rest[0], outside.zone)}: {rest[1]}"
    if item_id in outside.leaves:
        at = outside.leaves[item_id]
        when = "will be too late" if at is None else f"leaves at about {local_minute(at, outside.zone)}"
        if (percent := outside.slowed.get(connection_id)) is not None:
            return f"Meta's usage headers say {percent} %, so private replies leave more slowly; {when}"
        return f"waits for Meta's limit of {PRIVATE_REPLIES_PER_HOUR} private replies an hour; {when}"
    if outside.unanswered.get(connection_id, 0) >= Caution.ROW:
        return "Instagram does not answer; one message at a time is tried"
    return None
