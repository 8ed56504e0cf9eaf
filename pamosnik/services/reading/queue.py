"""What goes out, where it ended, and what it waits for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.instagram.limits import PRIVATE_REPLIES_PER_HOUR
from pamosnik.model.outbox import ItemStatus
from pamosnik.services.reading import standing
from pamosnik.services.reading.holding import Holds
from pamosnik.services.reading.standing import Facts, Outside
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store.accounts import Account
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
    around = standing.outside(conn, account, now)
    return [_item(row, around) for row in reads.queue(conn, account.id, wanted, limit=limit, now=now)]


def some(
    conn: Connection, account: Account, ids: Collection[str], around: Outside, now: datetime
) -> list[Item]:
    """Those with these ids, the latest made first."""
    wanted = QueueFilter(item_ids=frozenset(ids))
    return [_item(row, around) for row in reads.queue(conn, account.id, wanted, limit=None, now=now)]


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


def _item(row: tuple[Any, ...], around: Outside) -> Item:
    facts = Facts._make((*row[:2], *row[6:9], row[10], *row[14:17], row[18], row[20]))
    holds = standing.holds(facts, around)
    return Item(
        id=row[0],
        kind=row[1],
        action=row[19],
        username=row[2],
        igsid=row[3],
        comment_id=row[4],
        flow=row[5],
        status=ItemStatus(row[6]).value,
        due_at=instant(row[7]),
        deadline=None if row[8] == NEVER_TOO_LATE else instant(row[8]),
        attempts=row[9],
        reason=row[10] or _waits_for(facts, holds, row[17], around),
        expected_at=around.leaves.get(row[0]),
        message_id=row[11],
        connection=row[12],
        run=row[13],
        holds=holds,
        too_late=standing.too_late(facts, around),
        contact=row[21],
        made_at=instant(row[22]),
        step=row[23],
    )


def _waits_for(facts: Facts, holds: Holds | None, rests_because: str | None, around: Outside) -> str | None:
    """In words, where something queued has no reason of its own."""
    if facts.status != ItemStatus.QUEUED:
        return None
    match holds:
        case Holds.LOGIN:
            return "waits until you log in again: pamosnik connect"
        case Holds.REST:
            return _rests(facts, rests_because, around)
        case Holds.BEFORE if facts.before == ItemStatus.UNKNOWN:
            return "waits until it is known whether the message before it arrived, at most an hour"
        case Holds.BEFORE:
            return f"waits for the message before it, which is {facts.before}"
        case Holds.HOUR:
            return _waits_for_the_hour(facts, around)
        case Holds.SILENT:
            return "Instagram does not answer; one message at a time is tried"
        case _:
            return None


def _rests(facts: Facts, because: str | None, around: Outside) -> str:
    if facts.rests_until is not None:
        until = local_minute(instant(facts.rests_until), around.zone)
        return f"sending rests until {until}: {because}"
    kind_until, kind_because = around.rests[facts.connection_id, facts.kind]
    return f"this kind of message rests until {local_minute(kind_until, around.zone)}: {kind_because}"


def _waits_for_the_hour(facts: Facts, around: Outside) -> str:
    at = around.leaves[facts.id]
    when = "will be too late" if at is None else f"leaves at about {local_minute(at, around.zone)}"
    if (percent := around.slowed.get(facts.connection_id)) is not None:
        return f"Meta's usage headers say {percent} %, so private replies leave more slowly; {when}"
    return f"waits for Meta's limit of {PRIVATE_REPLIES_PER_HOUR} private replies an hour; {when}"
