"""What goes out, where it ended, and what it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.instagram.limits import PRIVATE_REPLIES_PER_HOUR
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.outbox.pacing import Caution
from pamosnik.outbox.policy import PAUSED
from pamosnik.services.reading import forecast
from pamosnik.services.reading.holding import Holds
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.outbox_rows import NEVER_TOO_LATE
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import instant, ms

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
    holds: Holds | None
    """Why it has not left yet; None: it has come to its end."""
    too_late: bool
    """It waits, and as things stand it will not make it."""
    contact: str
    """The person's id of ours."""
    made_at: datetime
    step: str | None

    @property
    def who(self) -> str:
        """For people."""
        return f"@{self.username}" if self.username else self.igsid

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
        now,
        ms(now + forecast.SOON),
    )
    return [_item(row, outside) for row in found]


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """What was found among some of the items."""

    items: list[Item]
    before: str | None
    """Where to look further; None: there is nothing more."""
    since: datetime | None
    """When the oldest item was made that was looked at; None: all were."""


LOOKS_THROUGH = 20_000
"""Items in one go: what a rare state is looked for in takes no longer than any other list."""


def in_state(
    conn: Connection,
    account: Account,
    status: ItemStatus | None,
    *,
    now: datetime,
    limit: int,
    before: str | None = None,
) -> LookedThrough:
    """The latest made of this state, or of any. `before`: from the part before."""
    end = None if status is None else reads.queue_place(conn, account.id, LOOKS_THROUGH, before=before)
    place = None if end is None else end[0]
    asked = QueueFilter(status=None if status is None else status.value, before=before, not_before=place)
    found = newest(conn, account, asked, now=now, limit=limit + 1)
    if len(found) > limit:
        return LookedThrough(found[:limit], found[limit - 1].id, None)
    return LookedThrough(found, place, None if end is None else instant(end[1]))


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
    now: datetime
    soon: int
    """As in the column `deadline`: what is too late by then has little time left."""


def _item(row: tuple[Any, ...], outside: _Outside) -> Item:
    status = ItemStatus(row[6])
    holds, waits_for = _held_up(row, status, outside)
    return Item(
        id=row[0],
        kind=row[1],
        action=row[19],
        username=row[2],
        igsid=row[3],
        comment_id=row[4],
        flow=row[5],
        status=status.value,
        due_at=instant(row[7]),
        deadline=None if row[8] == NEVER_TOO_LATE else instant(row[8]),
        attempts=row[9],
        reason=row[10] or waits_for,
        expected_at=outside.leaves.get(row[0]),
        message_id=row[11],
        connection=row[12],
        run=row[13],
        holds=holds,
        too_late=_too_late(row, status, outside),
        contact=row[21],
        made_at=instant(row[22]),
        step=row[23],
    )


def _too_late(row: tuple[Any, ...], status: ItemStatus, outside: _Outside) -> bool:
    """As `forecast.will_expire` counts them."""
    if row[0] in outside.leaves:
        return outside.leaves[row[0]] is None
    if status not in (ItemStatus.QUEUED, ItemStatus.HELD) or row[1] == ItemKind.SENDER_ACTION:
        return False
    paced = status is ItemStatus.QUEUED and row[1] == ItemKind.PRIVATE_REPLY
    return not paced and row[8] <= outside.soon


def _held_up(row: tuple[Any, ...], status: ItemStatus, outside: _Outside) -> tuple[Holds | None, str | None]:
    """Why it has not left yet, and that in words where it has no reason of its own."""
    match status:
        case ItemStatus.HELD:
            return Holds(row[20] or Holds.LATER), None
        case ItemStatus.SENDING:
            return Holds.SENDING, None
        case ItemStatus.UNKNOWN:
            return Holds.UNKNOWN, None
        case ItemStatus.QUEUED:
            return _waits_for(row, outside)
        case _:
            return None, None


def _waits_for(row: tuple[Any, ...], outside: _Outside) -> tuple[Holds, str | None]:
    """Why something queued does not leave yet, as far as the database shows it."""
    item_id, kind, before, connection, rests_until, rests_because, connection_id = row[0], row[1], *row[14:19]
    if connection != ConnectionStatus.ACTIVE.value:
        return Holds.LOGIN, "waits until you log in again: pamosnik connect"
    if rests_until is not None:
        until = local_minute(instant(rests_until), outside.zone)
        return Holds.REST, f"sending rests until {until}: {rests_because}"
    if before == ItemStatus.UNKNOWN.value:
        return Holds.BEFORE, "waits until it is known whether the message before it arrived, at most an hour"
    if before is not None:
        return Holds.BEFORE, f"waits for the message before it, which is {before}"
    if (rest := outside.rests.get((connection_id, kind))) is not None:
        until = local_minute(rest[0], outside.zone)
        return Holds.REST, f"this kind of message rests until {until}: {rest[1]}"
    if row[10] == PAUSED:
        return Holds.PAUSED, None
    if item_id in outside.leaves:
        return Holds.HOUR, _waits_for_the_hour(item_id, connection_id, outside)
    if outside.unanswered.get(connection_id, 0) >= Caution.ROW:
        return Holds.SILENT, "Instagram does not answer; one message at a time is tried"
    return (Holds.LATER if instant(row[7]) > outside.now else Holds.NOW), None


def _waits_for_the_hour(item_id: str, connection_id: str, outside: _Outside) -> str:
    at = outside.leaves[item_id]
    when = "will be too late" if at is None else f"leaves at about {local_minute(at, outside.zone)}"
    if (percent := outside.slowed.get(connection_id)) is not None:
        return f"Meta's usage headers say {percent} %, so private replies leave more slowly; {when}"
    return f"waits for Meta's limit of {PRIVATE_REPLIES_PER_HOUR} private replies an hour; {when}"
