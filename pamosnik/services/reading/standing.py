"""Where each thing in the queue stands: what it waits for, and whether it will make it. One rule for a single item,
for the list and for how many there are of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.outbox.pacing import Caution
from pamosnik.outbox.policy import PAUSED
from pamosnik.services.reading import forecast
from pamosnik.services.reading.holding import Holds
from pamosnik.store import connections, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.times import ms


class Facts(NamedTuple):
    """What the rule looks at, as `reads.open_items` has it."""

    id: str
    kind: str
    status: str
    due_at: int
    deadline: int
    reason: str | None
    before: str | None
    """The status of what leaves before it in its lane; None: it is the first."""
    connection_status: str
    rests_until: int | None
    """Of the connection; None: it does not rest."""
    connection_id: str
    held_for: str | None


class Placed(NamedTuple):
    """Something that has not left yet."""

    id: str
    connection: str
    """Its username."""
    holds: Holds
    too_late: bool
    due_at: int | None
    """As in the column; None: it does not leave by itself."""
    expected_at: datetime | None
    """When it leaves at Meta's pace, where that is later."""


@dataclass(frozen=True, slots=True)
class Outside:
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
    now: int
    """As in the columns; so is `soon`: what is too late by then has little time left."""
    soon: int


def outside(conn: Connection, account: Account, now: datetime) -> Outside:
    connected = connections.of_account(conn, account.id)
    return Outside(
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
        ms(now),
        ms(now + forecast.SOON),
    )


def placed(
    conn: Connection, account: Account, around: Outside, now: datetime, *, before: str | None = None
) -> list[Placed]:
    """All that has not left yet, the latest made first; `before`: what was made before the item of this id."""
    found = []
    for name, *row in reads.open_items(conn, account.id, now, before=before):
        facts = Facts._make(row)
        held_up = holds(facts, around)
        assert held_up is not None
        due_at = facts.due_at if facts.status == ItemStatus.QUEUED else None
        late = too_late(facts, around)
        found.append(Placed(facts.id, name, held_up, late, due_at, around.leaves.get(facts.id)))
    return found


def too_late(facts: Facts, around: Outside) -> bool:
    """It waits, and as things stand it will not make it: as `forecast.will_expire` counts them."""
    if facts.id in around.leaves:
        return around.leaves[facts.id] is None
    if facts.status not in (ItemStatus.QUEUED, ItemStatus.HELD) or facts.kind == ItemKind.SENDER_ACTION:
        return False
    paced = facts.status == ItemStatus.QUEUED and facts.kind == ItemKind.PRIVATE_REPLY
    return not paced and facts.deadline <= around.soon


def holds(facts: Facts, around: Outside) -> Holds | None:
    """Why it has not left yet; None: it has come to its end."""
    match facts.status:
        case ItemStatus.HELD:
            return Holds(facts.held_for or Holds.LATER)
        case ItemStatus.SENDING:
            return Holds.SENDING
        case ItemStatus.UNKNOWN:
            return Holds.UNKNOWN
        case ItemStatus.QUEUED:
            return _queued(facts, around)
        case _:
            return None


def _queued(facts: Facts, around: Outside) -> Holds:
    """Why something queued does not leave yet, as far as the database shows it."""
    if facts.connection_status != ConnectionStatus.ACTIVE:
        return Holds.LOGIN
    if facts.rests_until is not None:
        return Holds.REST
    if facts.before is not None:
        return Holds.BEFORE
    if (facts.connection_id, facts.kind) in around.rests:
        return Holds.REST
    if facts.reason == PAUSED:
        return Holds.PAUSED
    if facts.id in around.leaves:
        return Holds.HOUR
    if around.unanswered.get(facts.connection_id, 0) >= Caution.ROW:
        return Holds.SILENT
    return Holds.LATER if facts.due_at > around.now else Holds.NOW
