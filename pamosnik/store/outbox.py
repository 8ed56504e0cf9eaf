"""The outbox: what leaves the machine, in order, each item once.

A lane is a queue of its own: a person's messages, or the public replies to them under a comment. Within a lane items
leave in the order they were made; an item of uncertain outcome holds its lane for an hour at most.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.ids import new_id
from pamosnik.model.outbox import (
    ITEM_TRANSITIONS,
    HeldFor,
    ItemKind,
    ItemStatus,
    OutboxItem,
    OutMessage,
    Quota,
)
from pamosnik.store import attempts, deletions
from pamosnik.store.outbox_rows import COLUMNS, NEVER_TOO_LATE, content_json, item_of
from pamosnik.store.runs import ImpossibleTransitionError
from pamosnik.store.times import instant, ms, optional_instant

UNKNOWN_HOLDS_LANE = timedelta(hours=1)
BY_OWNER = "owner:"
"""How the source begins of what the owner wrote by hand."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """What a turn hands to the outbox."""

    account_id: str
    connection_id: str
    contact_id: str
    source: str
    """The run, or the event when no run speaks; of what the owner wrote `BY_OWNER` and the form."""
    turn: int
    ordinal: int
    run_id: str | None
    flow_id: str | None
    step: str | None
    kind: ItemKind
    lane: str
    content: OutMessage
    igsid: str
    due_at: datetime
    deadline: datetime | None
    comment_id: str | None = None
    held_for: HeldFor | None = None
    depends_on: str | None = None
    reason: str | None = None
    live: bool = False
    task: Mapping[str, str] | None = None


def add(conn: Connection, item: NewItem, now: datetime) -> str:
    """Puts an item in; returns its id. Doing it again for the same turn and ordinal changes nothing.

    It is in doubt when its run is, or the event that it answers without a run.
    """
    status = ItemStatus.QUEUED if item.held_for is None else ItemStatus.HELD
    row = conn.execute(
        "INSERT INTO outbox (item_id, account_id, connection_id, contact_id, source, turn, ordinal, run_id, flow_id,"
        " step, kind, lane, status, held_for, depends_on, content, igsid, comment_id, due_at, deadline, reason,"
        " live, created_at, task, doubt_from) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        " coalesce((SELECT doubt_from FROM runs WHERE run_id=?), (SELECT doubt_from FROM events WHERE event_id=?)))"
        " ON CONFLICT (source, turn, ordinal) DO UPDATE SET ordinal=excluded.ordinal RETURNING item_id",
        (
            new_id(now),
            item.account_id,
            item.connection_id,
            item.contact_id,
            item.source,
            item.turn,
            item.ordinal,
            item.run_id,
            item.flow_id,
            item.step,
            item.kind.value,
            item.lane,
            status.value,
            None if item.held_for is None else item.held_for.value,
            item.depends_on,
            content_json(item.content),
            item.igsid,
            item.comment_id,
            ms(item.due_at),
            NEVER_TOO_LATE if item.deadline is None else ms(item.deadline),
            item.reason,
            int(item.live),
            ms(now),
            None if item.task is None else json.dumps(dict(item.task), ensure_ascii=False),
            item.run_id,
            item.source,
        ),
    ).fetchone()
    return str(row[0])


def load(conn: Connection, item_id: str) -> OutboxItem | None:
    """One item by Pamosnik's id."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE item_id=?",  # noqa: S608 - column names
        (item_id,),
    ).fetchone()
    return None if row is None else item_of(row)


def find(conn: Connection, account_id: str, what: str) -> OutboxItem | None:
    """The item that Pamosnik's id, or Meta's id of what it became, names in this account."""
    # One after the other: the first two have an index, and together they would read the whole queue.
    for named in ("item_id=upper(:what)", "message_id=:what", "comment_id=:what"):
        row = conn.execute(
            f"SELECT {COLUMNS} FROM outbox WHERE account_id=:account AND {named}"  # noqa: S608 - column names
            " ORDER BY status IN ('queued','held','unknown') DESC, kind='private_reply' DESC, seq DESC LIMIT 1",
            {"account": account_id, "what": what},
        ).fetchone()
        if row is not None:
            return item_of(row)
    return None


def is_there(conn: Connection, account_id: str, item_id: str) -> bool:
    """Whether the account has an item of this id."""
    row = conn.execute("SELECT 1 FROM outbox WHERE item_id=? AND account_id=?", (item_id, account_id))
    return row.fetchone() is not None


def claimable(
    conn: Connection,
    connection_id: str,
    quota: Quota,
    now: datetime,
    limit: int,
    *,
    private_replies_wait: bool = False,
) -> list[OutboxItem]:
    """Items that may leave now, as far as time and order within their lane say: earliest deadline first.

    `private_replies_wait`: Meta's hour has no room for private replies; the person's answers in other conversations
    do not wait for it.
    """
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox AS o WHERE status='queued' AND connection_id=:connection AND kind=:kind"  # noqa: S608
        " AND live=:live AND due_at<=:now"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.lane=o.lane AND e.seq<o.seq"
        " AND e.status IN ('queued','held','sending','unknown')"
        " AND (e.status<>'unknown' OR e.first_attempt_at>:unknown_since)"
        # What waits for an answer must not hold up the private reply to another comment.
        " AND NOT (o.kind='private_reply' AND e.status='held' AND e.held_for='answer')"
        # What the owner writes does not wait for what flows have yet to say.
        " AND NOT (o.source GLOB 'owner:*' AND e.source NOT GLOB 'owner:*' AND e.status IN ('queued','held'))"
        " AND NOT (:overtake AND o.kind='message' AND e.source<>o.source AND e.status IN ('queued','held')"
        " AND (e.kind='private_reply' OR EXISTS (SELECT 1 FROM outbox AS p WHERE p.source=e.source"
        " AND p.kind='private_reply' AND p.status='queued'))))"
        " ORDER BY deadline, seq LIMIT :limit",
        {
            "connection": connection_id,
            "kind": quota.kind.value,
            "live": int(quota.live),
            "now": ms(now),
            "unknown_since": ms(now - UNKNOWN_HOLDS_LANE),
            "overtake": private_replies_wait,
            "limit": limit,
        },
    )
    return [item_of(row) for row in rows]


def move(
    conn: Connection,
    item: OutboxItem,
    status: ItemStatus,
    *,
    now: datetime,
    reason: str | None = None,
    due_at: datetime | None = None,
    held_for: HeldFor | None = None,
    message_id: str | None = None,
    uncertain: bool | None = None,
    plain: bool | None = None,
    forget_wire: bool = False,
) -> None:
    """Changes an item's status. Refuses what the transition table, or a change since it was read, does not allow."""
    if status not in ITEM_TRANSITIONS[item.status]:
        raise ImpossibleTransitionError(f"outbox item {item.id} cannot go from {item.status} to {status}")
    settled = status in (ItemStatus.SENT, ItemStatus.EXPIRED, ItemStatus.FAILED, ItemStatus.CANCELLED)
    changed = conn.execute(
        "UPDATE outbox SET status=:status, reason=:reason, due_at=coalesce(:due_at, due_at), held_for=:held_for,"
        " message_id=coalesce(:message_id, message_id), uncertain=coalesce(:uncertain, uncertain),"
        " plain=coalesce(:plain, plain), wire=iif(:forget_wire, NULL, wire), settled_at=:settled_at"
        " WHERE item_id=:item AND status=:before",
        {
            "status": status.value,
            "reason": reason,
            "due_at": ms(due_at),
            "held_for": None if held_for is None else held_for.value,
            "message_id": message_id,
            "uncertain": None if uncertain is None else int(uncertain),
            "plain": None if plain is None else int(plain),
            "forget_wire": int(forget_wire),
            "settled_at": ms(now) if settled else None,
            "item": item.id,
            "before": item.status.value,
        },
    ).rowcount
    if changed != 1:
        raise ImpossibleTransitionError(f"outbox item {item.id} is not {item.status} any more")


def start_attempt(conn: Connection, item: OutboxItem, wire: str, now: datetime) -> None:
    """`queued` → `sending`, and the attempt that counts against Meta's hourly limits. Commit, then send."""
    move(conn, item, ItemStatus.SENDING, now=now)
    conn.execute(
        "UPDATE outbox SET attempts=attempts+1, wire=coalesce(wire, :wire), last_attempt_at=:now,"
        " first_attempt_at=coalesce(first_attempt_at, :now), look_at=NULL, looks=0, not_there_at=NULL"
        " WHERE item_id=:item",
        {"wire": wire, "now": ms(now), "item": item.id},
    )
    attempts.add(conn, item, now)


def presume_sent(conn: Connection, item: OutboxItem, now: datetime) -> None:
    """`queued` → `sending` without a request: a database that is lost may have sent it. Evidence has to tell."""
    move(conn, item, ItemStatus.SENDING, now=now)
    conn.execute(
        "UPDATE outbox SET last_attempt_at=:now, first_attempt_at=coalesce(first_attempt_at, :now), look_at=NULL,"
        " looks=0, not_there_at=NULL WHERE item_id=:item",
        {"now": ms(now), "item": item.id},
    )


def no_doubt(conn: Connection, item_id: str) -> None:
    """It is certain that it did not leave, or somebody has decided that it shall."""
    conn.execute("UPDATE outbox SET doubt_from=NULL WHERE item_id=?", (item_id,))


def doubt_open(conn: Connection, since: datetime) -> int:
    """A backup was restored: whatever waited in it may have left since. Returns how many items that are."""
    return int(
        conn.execute(
            "UPDATE outbox SET doubt_from=? WHERE status IN ('queued','held','sending','unknown')",
            (ms(since),),
        ).rowcount
    )


def waiting(conn: Connection, connection_id: str, quota: Quota) -> list[tuple[str, datetime]]:
    """(id, deadline) of what is queued, the earliest deadline first."""
    rows = conn.execute(
        "SELECT item_id, deadline FROM outbox WHERE connection_id=? AND kind=? AND live=? AND status='queued'"
        " ORDER BY deadline, seq",
        (connection_id, quota.kind.value, int(quota.live)),
    )
    return [(item_id, instant(deadline)) for item_id, deadline in rows]


def interrupted(conn: Connection) -> list[OutboxItem]:
    """Items whose request may have left when the process ended. Only for the start of the daemon."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE status='sending'"  # noqa: S608 - column names
    )
    return [item_of(row) for row in rows]


def too_late(conn: Connection, now: datetime, limit: int) -> list[OutboxItem]:
    """Items whose deadline has passed while they waited."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE status IN ('queued','held') AND deadline<=?"  # noqa: S608
        f" AND {deletions.UNTOUCHED} ORDER BY deadline LIMIT ?",
        (ms(now), limit),
    )
    return [item_of(row) for row in rows]


def waiting_on(conn: Connection, item_id: str) -> list[OutboxItem]:
    """Held items that this private reply must be accepted for; they are the same person's, which an index finds."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE contact_id=(SELECT contact_id FROM outbox WHERE item_id=:item)"  # noqa: S608
        " AND depends_on=:item AND status='held' AND held_for='private_reply' ORDER BY seq",
        {"item": item_id},
    )
    return [item_of(row) for row in rows]


def open_of_run(conn: Connection, run_id: str, kind: ItemKind | None = None) -> list[OutboxItem]:
    """A run's items that have not reached their end, in order."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE run_id=? AND status IN ('queued','held','sending','unknown')"  # noqa: S608
        " AND (? IS NULL OR kind=?) ORDER BY seq",
        (run_id, kind, kind),
    )
    return [item_of(row) for row in rows]


def still_to_leave(conn: Connection, run_id: str, step: str) -> bool:
    """Whether the message that this step of a run sent last has not left yet."""
    row = conn.execute(
        "SELECT status FROM outbox WHERE run_id=? AND step=? AND kind IN ('message','private_reply')"
        " ORDER BY seq DESC LIMIT 1",
        (run_id, step),
    ).fetchone()
    return row is not None and row[0] in (ItemStatus.QUEUED.value, ItemStatus.HELD.value)


def open_public_replies(conn: Connection, comment_id: str, contact_id: str) -> list[OutboxItem]:
    """Public replies to this person under this comment that have not reached their end, in order."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE lane=?"  # noqa: S608 - column names
        " AND status IN ('queued','held','sending','unknown') ORDER BY seq",
        (comment_lane(comment_id, contact_id),),
    )
    return [item_of(row) for row in rows]


def depend_on(conn: Connection, item: OutboxItem, private_item: str) -> None:
    """A public reply made before its run had a private message now waits for that one."""
    conn.execute("UPDATE outbox SET depends_on=? WHERE item_id=?", (private_item, item.id))


def open_of_person(conn: Connection, contact_id: str) -> list[OutboxItem]:
    """A person's messages and private replies that have not reached their end, in order."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE lane=? AND status IN ('queued','held','sending','unknown') ORDER BY seq",  # noqa: S608
        (person_lane(contact_id),),
    )
    return [item_of(row) for row in rows]


def cancel_for_person(conn: Connection, contact_id: str, reason: str, now: datetime) -> None:
    """Nothing that concerns a person and waits leaves any more, whatever kind it is."""
    conn.execute(
        "UPDATE outbox SET status='cancelled', reason=?, held_for=NULL, settled_at=?"
        " WHERE contact_id=? AND status IN ('queued','held')",
        (reason, ms(now), contact_id),
    )


def perhaps_delivered(conn: Connection, contact_id: str) -> list[OutboxItem]:
    """A person's messages that Instagram may have without our knowing their id, in order: under way, unknown, about
    to be repeated; then those of runs and of the owner that other evidence than their id tells as delivered."""
    values = {"lane": person_lane(contact_id), "contact": contact_id}
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE lane=:lane"  # noqa: S608 - column names
        # As the index of open lanes has it.
        " AND status IN ('queued','held','sending','unknown')"
        " AND (status IN ('sending','unknown') OR (status='queued' AND uncertain=1))"
        " AND message_id IS NULL ORDER BY seq",
        values,
    ).fetchall()
    rows += conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE contact_id=:contact AND (run_id IS NOT NULL OR source GLOB 'owner:*')"  # noqa: S608
        " AND lane=:lane AND status='sent' AND message_id IS NULL ORDER BY seq",
        values,
    ).fetchall()
    return [item_of(row) for row in rows]


def person_lane(contact_id: str) -> str:
    """The lane of a person's messages."""
    return f"p:{contact_id}"


def comment_lane(comment_id: str, contact_id: str) -> str:
    """The lane of the public replies to one person under a comment."""
    return f"c:{comment_id}:{contact_id}"


def prolong(conn: Connection, contact_id: str, window_until: datetime) -> None:
    """The person wrote: messages to them may go until the window closes."""
    conn.execute(
        "UPDATE outbox SET deadline=max(deadline, :until) WHERE lane=:lane AND kind='message'"
        " AND status IN ('queued','held') AND deadline<:never",
        {"until": ms(window_until), "lane": person_lane(contact_id), "never": NEVER_TOO_LATE},
    )


def by_message_id(conn: Connection, connection_id: str, message_id: str) -> OutboxItem | None:
    """The item that Meta gave this message or comment id."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE message_id=? AND connection_id=?",  # noqa: S608 - column names
        (message_id, connection_id),
    ).fetchone()
    return None if row is None else item_of(row)


def tell_run(conn: Connection, item_id: str) -> None:
    """Its run has to hear how this item ended."""
    conn.execute("UPDATE outbox SET told=0 WHERE item_id=? AND run_id IS NOT NULL", (item_id,))


def untold(conn: Connection, limit: int) -> list[str]:
    """Items whose end their run has yet to hear of, oldest first."""
    return [
        i
        for (i,) in conn.execute(
            f"SELECT item_id FROM outbox WHERE told=0 AND {deletions.UNTOUCHED} ORDER BY seq LIMIT ?",  # noqa: S608
            (limit,),
        )
    ]


def told(conn: Connection, item_id: str) -> None:
    conn.execute("UPDATE outbox SET told=1 WHERE item_id=?", (item_id,))


def next_due(conn: Connection) -> datetime | None:
    """When the next queued message may leave."""
    (due,) = conn.execute(
        "SELECT min(due_at) FROM outbox WHERE status='queued' AND kind NOT IN ('call','email','lookup')"
    ).fetchone()
    return optional_instant(due)


def next_deadline(conn: Connection) -> datetime | None:
    """When the next waiting item will be too late."""
    (deadline,) = conn.execute(
        "SELECT min(deadline) FROM outbox WHERE status IN ('queued','held') AND deadline<?"  # noqa: S608
        f" AND {deletions.UNTOUCHED}",
        (NEVER_TOO_LATE,),
    ).fetchone()
    return optional_instant(deadline)


def note_message_id(conn: Connection, item_id: str, message_id: str) -> None:
    """The echo of an item that is being sent: a crash now finds it delivered."""
    conn.execute(
        "UPDATE outbox SET message_id=? WHERE item_id=? AND message_id IS NULL", (message_id, item_id)
    )


def put_off(conn: Connection, item_id: str, until: datetime, reason: str) -> None:
    """A queued item that may not leave before `until`."""
    conn.execute("UPDATE outbox SET due_at=?, reason=? WHERE item_id=?", (ms(until), reason, item_id))


def hold_for_login(conn: Connection, connection_id: str, reason: str) -> None:
    """Every message of this connection that could leave waits for its owner; `due_at` stays."""
    conn.execute(
        "UPDATE outbox SET status='held', held_for='login', reason=? WHERE connection_id=? AND status='queued'"
        " AND kind NOT IN ('call','email','lookup')",
        (reason, connection_id),
    )


def under_way(conn: Connection, connection_id: str, since: datetime) -> bool:
    """Whether a request of this connection that left after `since` has no outcome yet."""
    row = conn.execute(
        # The first condition is that of `outbox_open_lanes`: no need to read what has left.
        "SELECT 1 FROM outbox WHERE status IN ('queued','held','sending','unknown') AND status='sending'"
        " AND connection_id=? AND last_attempt_at>? LIMIT 1",
        (connection_id, ms(since)),
    ).fetchone()
    return row is not None


def held_for_owner(conn: Connection, connection_id: str) -> list[OutboxItem]:
    """Items that wait for the owner, in order."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE connection_id=? AND status='held' AND held_for='login' ORDER BY seq",  # noqa: S608
        (connection_id,),
    )
    return [item_of(row) for row in rows]


def failed_lately(conn: Connection, connection_id: str, account_id: str, reason: str, since: datetime) -> int:
    """How many of the account's newest items failed since then for a reason, in this connection."""
    row = conn.execute(
        "SELECT count(*) FROM (SELECT * FROM outbox WHERE account_id=? ORDER BY seq DESC LIMIT 500)"
        " WHERE connection_id=? AND status='failed' AND reason=? AND settled_at>?",
        (account_id, connection_id, reason, ms(since)),
    ).fetchone()
    return int(row[0])


def sent_ids(conn: Connection, connection_id: str, message_ids: Sequence[str]) -> frozenset[str]:
    """Which of these messages and comments Pamosnik itself has sent."""
    marks = ",".join("?" * len(message_ids))
    rows = conn.execute(
        f"SELECT message_id FROM outbox WHERE message_id IN ({marks}) AND connection_id=?",  # noqa: S608
        (*message_ids, connection_id),
    )
    return frozenset(message_id for (message_id,) in rows)
