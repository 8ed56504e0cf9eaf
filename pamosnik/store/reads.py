"""Lists for people and scripts: newest first, one account at a time. Rows leave as plain tuples of columns."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.store import outbox
from pamosnik.store.times import ms

AFTER_ALL = "~"
"""Sorts after every id."""
EVENT_COLUMNS = (
    "e.event_id, e.kind, e.username, e.igsid, coalesce(e.text, e.changed), e.occurred_at, e.received_at, e.verdict,"
    " e.flow_id, e.reason,"
    " e.run_id, e.trace, e.comment_id, e.mid, e.seen_times, c.username,"
    " (SELECT username FROM contacts p WHERE p.connection_id=e.connection_id AND p.igsid=e.igsid), e.recovered"
)


def events(
    conn: Connection,
    account_id: str,
    *,
    limit: int | None,
    since: datetime | None = None,
    before: str | None = None,
) -> list[tuple[Any, ...]]:
    """What came in, the latest arrival first; `before`: only what came before the event of this id."""
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {EVENT_COLUMNS} FROM events e JOIN connections c USING (connection_id)"  # noqa: S608 - column names
        " WHERE e.account_id=? AND e.event_id<? AND (? IS NULL OR e.received_at>=?)"
        " ORDER BY e.event_id DESC LIMIT ?",
        (account_id, before or AFTER_ALL, ms(since), ms(since), -1 if limit is None else limit),
    ).fetchall()
    return rows


def event(conn: Connection, account_id: str, event_id: str) -> tuple[Any, ...] | None:
    """One by Pamosnik's id."""
    row: tuple[Any, ...] | None = conn.execute(
        f"SELECT {EVENT_COLUMNS} FROM events e JOIN connections c USING (connection_id)"  # noqa: S608 - column names
        " WHERE e.event_id=? AND e.account_id=?",
        (event_id, account_id),
    ).fetchone()
    return row


def beside(conn: Connection, event_id: str, *, older: bool) -> str | None:
    """The event of the same person that came before or after this one; receipts and what flows did are left out."""
    sign, order = ("<", "DESC") if older else (">", "ASC")
    row = conn.execute(
        "SELECT o.event_id FROM events e JOIN events o ON o.connection_id=e.connection_id AND o.igsid=e.igsid"  # noqa: S608
        f" WHERE e.event_id=? AND o.event_id{sign}e.event_id AND o.kind NOT IN ('seen', 'tag_added', 'field_set')"
        f" ORDER BY o.event_id {order} LIMIT 1",
        (event_id,),
    ).fetchone()
    return None if row is None else str(row[0])


_NOTHING_BETWEEN = (
    "NOT EXISTS (SELECT 1 FROM turns b WHERE b.run_id=t.run_id AND b.turn>s.turn AND +b.turn<=t.turn"
    " AND b.stimulus<>'EffectSettled')"
)
_ITS_RUNS = (
    "SELECT r.run_id FROM events v JOIN contacts p ON p.connection_id=v.connection_id AND p.igsid=v.igsid"
    " JOIN runs r ON r.contact_id=p.contact_id WHERE v.event_id=:event"
    " UNION SELECT r.run_id FROM events v JOIN contact_ids i ON i.connection_id=v.connection_id AND i.igsid=v.igsid"
    " JOIN runs r ON r.contact_id=i.contact_id WHERE v.event_id=:event"
)
"""Those of the person whose event it is: it has turns in no other's, and turns are found by their runs."""
_TURNS_OF_EVENT = (
    "SELECT t.run_id, t.turn FROM turns s CROSS JOIN turns t ON s.run_id=t.run_id AND s.turn<=t.turn"  # noqa: S608 - no values
    f" WHERE s.run_id IN ({_ITS_RUNS}) AND s.event_id=:event AND {_NOTHING_BETWEEN}"
)
"""Its own turns, and those that went on with what they had asked for: a profile, a webhook."""


def find_events(conn: Connection, account_id: str, what: str) -> list[tuple[Any, ...]]:
    """Events that an id names: of the event, its run, a queue item, a message, a comment, a person; the latest first.

    What people did comes before echoes, receipts and deletions: that is what somebody asks about. ULIDs are known in
    either case.
    """
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {EVENT_COLUMNS} FROM events e JOIN connections c USING (connection_id)"  # noqa: S608 - column names
        " WHERE e.account_id=:account AND (e.event_id=:ulid OR e.mid=:what OR e.comment_id=:what OR e.igsid=:what"
        " OR e.run_id=:ulid OR e.igsid IN (SELECT igsid FROM contacts WHERE account_id=:account AND username=:name)"
        " OR e.event_id IN (SELECT s.event_id FROM outbox o JOIN turns t ON t.run_id=o.source AND t.turn=o.turn"
        " JOIN turns s ON s.run_id=t.run_id AND s.turn<=t.turn"
        f" WHERE o.account_id=:account AND (o.item_id=:ulid OR o.message_id=:what) AND {_NOTHING_BETWEEN}))"
        " ORDER BY e.kind IN ('echo', 'seen', 'deletion', 'edit', 'reaction', 'tag_added', 'field_set'),"
        " e.event_id DESC LIMIT 20",
        {
            "account": account_id,
            "what": what,
            "ulid": what.upper(),
            "name": what.removeprefix("@"),
        },
    ).fetchall()
    return rows


_ITEMS_OF_EVENT = (
    f"SELECT item_id FROM outbox WHERE (source, turn) IN ({_TURNS_OF_EVENT})"  # noqa: S608 - no values
    " UNION SELECT item_id FROM outbox WHERE source=:event"
    " UNION SELECT o.item_id FROM events v JOIN contacts p ON p.connection_id=v.connection_id AND p.igsid=v.igsid"
    " JOIN outbox o ON o.contact_id=p.contact_id WHERE v.event_id=:event"
    f" AND o.source GLOB '{outbox.BY_OWNER}*' AND o.comment_id IN (v.comment_id, v.parent_id)"
)
"""What its turns put into the outbox, the answer to a safety word, and the owner's own answers to a comment."""


RUN_COLUMNS = (
    "r.run_id, r.flow_id, r.version, p.username, p.igsid, r.status, r.step, r.started_at, r.finished_at, r.reason,"
    " c.username, (SELECT min(due_at) FROM waits w WHERE w.run_id=r.run_id), r.contact_id"
)


def runs(
    conn: Connection,
    account_id: str,
    *,
    limit: int | None,
    what: str | None = None,
    since: datetime | None = None,
    before: str | None = None,
) -> list[tuple[Any, ...]]:
    """Runs, the latest first; with `what` those that an id names: of the run, its contact, or what started it; with
    `before` those older than the run of this id."""
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {RUN_COLUMNS} FROM runs r JOIN contacts p USING (contact_id)"  # noqa: S608 - column names
        " JOIN connections c ON c.connection_id=r.connection_id WHERE r.account_id=:account AND r.run_id<:before"
        " AND (:since IS NULL OR r.started_at>=:since)"
        " AND (:what IS NULL OR r.run_id=upper(:what) OR r.contact_id=upper(:what) OR r.comment_id=:what"
        " OR p.igsid=:what OR p.username=:name OR r.run_id IN (SELECT run_id FROM events WHERE account_id=:account"
        " AND (event_id=upper(:what) OR mid=:what OR comment_id=:what))"
        " OR r.run_id IN (SELECT run_id FROM outbox WHERE account_id=:account"
        " AND (item_id=upper(:what) OR message_id=:what)))"
        " ORDER BY r.run_id DESC LIMIT :limit",
        {
            "account": account_id,
            "since": ms(since),
            "before": before or AFTER_ALL,
            "what": what,
            "name": None if what is None else what.removeprefix("@"),
            "limit": -1 if limit is None else limit,
        },
    ).fetchall()
    return rows


def run(conn: Connection, account_id: str, run_id: str) -> tuple[Any, ...] | None:
    """One by its id."""
    row: tuple[Any, ...] | None = conn.execute(
        f"SELECT {RUN_COLUMNS} FROM runs r JOIN contacts p USING (contact_id)"  # noqa: S608 - column names
        " JOIN connections c ON c.connection_id=r.connection_id WHERE r.run_id=? AND r.account_id=?",
        (run_id, account_id),
    ).fetchone()
    return row


def runs_of_person(conn: Connection, contact_id: str, limit: int) -> list[tuple[Any, ...]]:
    """Their latest runs."""
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {RUN_COLUMNS} FROM runs r JOIN contacts p USING (contact_id)"  # noqa: S608 - column names
        " JOIN connections c ON c.connection_id=r.connection_id WHERE r.contact_id=? ORDER BY r.run_id DESC LIMIT ?",
        (contact_id, limit),
    ).fetchall()
    return rows


def turns(conn: Connection, run_id: str) -> list[tuple[Any, ...]]:
    """(turn, stimulus, event id, trace, at) of a run, in order."""
    rows: list[tuple[Any, ...]] = conn.execute(
        "SELECT turn, stimulus, event_id, trace, at FROM turns WHERE run_id=? ORDER BY turn", (run_id,)
    ).fetchall()
    return rows


def went_on(conn: Connection, event_id: str) -> list[str]:
    """The traces of the turns of an event after the first, in order."""
    rows: list[tuple[str, int, str]] = conn.execute(
        "SELECT DISTINCT t.run_id, t.turn, t.trace FROM turns s CROSS JOIN turns t"  # noqa: S608 - no values
        f" ON s.run_id=t.run_id AND t.turn>=s.turn WHERE s.run_id IN ({_ITS_RUNS}) AND s.event_id=:event"
        f" AND t.event_id IS NOT :event AND {_NOTHING_BETWEEN}"
        " ORDER BY t.run_id, t.turn",
        {"event": event_id},
    ).fetchall()
    return [trace for _, _, trace in rows]


def turns_of(conn: Connection, event_id: str) -> list[str]:
    """The traces of the turns that an event began."""
    rows: list[tuple[str]] = conn.execute(
        f"SELECT trace FROM turns WHERE run_id IN ({_ITS_RUNS}) AND event_id=:event ORDER BY run_id, turn",  # noqa: S608
        {"event": event_id},
    ).fetchall()
    return [trace for (trace,) in rows]


def links(
    conn: Connection, account_id: str, *, run_id: str | None = None, event_id: str | None = None
) -> list[tuple[Any, ...]]:
    """(name, address, step, clicks, first click, last click) of the tracked links that a run sent, or the turns of an
    event; in the order they were sent."""
    of_run = "" if run_id is None else " AND run_id=:run"
    of_event = "" if event_id is None else f" AND item_id IN ({_ITEMS_OF_EVENT})"
    rows: list[tuple[Any, ...]] = conn.execute(
        "SELECT name, address, step, clicks, first_click_at, last_click_at FROM links"  # noqa: S608 - no values
        f" WHERE account_id=:account{of_run}{of_event} ORDER BY made_at, rowid",
        {"account": account_id, "run": run_id, "event": event_id},
    ).fetchall()
    return rows


LATELY = timedelta(minutes=5)
_BEFORE = (
    "CASE WHEN o.status='queued' THEN (SELECT e.status FROM outbox e WHERE e.lane=o.lane AND e.seq<o.seq"
    " AND e.status IN ('queued','held','sending','unknown') ORDER BY e.seq LIMIT 1) END"
)
_RESTS = "iif(c.rest_until>:now, c.rest_until, NULL)"
QUEUE_COLUMNS = (
    "o.item_id, o.kind, p.username, o.igsid, o.comment_id, o.flow_id, o.status, o.due_at, o.deadline, o.attempts,"
    " o.reason, o.message_id, c.username, o.run_id,"
    f" {_BEFORE}, c.status, {_RESTS}, c.rest_reason, o.connection_id,"
    " CASE WHEN o.kind IN ('sender_action','comment_action') THEN json_extract(o.task, '$.action') END,"
    " o.held_for, o.contact_id, o.created_at, o.step"
)
"""From the 15th on: the status of what leaves before it in its lane, the connection's status, until when it rests and
why, its id; what a reaction or a deed under a comment does; what a held one waits for."""
_SEQ_OF = "SELECT b.seq FROM outbox b WHERE"
_OPEN_ITEM = "o.status IN ('queued','held','sending','unknown')"
"""As the index of open items has it."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which items are asked for; None: all."""

    open_only: bool = False
    status: str | None = None
    run_id: str | None = None
    event_id: str | None = None
    """What the turns of this event put in."""
    item_id: str | None = None
    item_ids: frozenset[str] | None = None
    """These alone."""
    since: datetime | None = None
    before: str | None = None
    """Only what was made before the item of this id; nothing when there is no such item."""
    not_before: str | None = None
    """Only that item and what was made after it."""


def queue(
    conn: Connection, account_id: str, wanted: QueueFilter, *, limit: int | None, now: datetime
) -> list[tuple[Any, ...]]:
    """What is going out, and what went; the latest made first. Look-ups that were answered are nothing to see."""
    asked = [
        (wanted.open_only, _OPEN_ITEM),
        (wanted.status is not None, "o.status=:status"),
        (wanted.run_id is not None, "o.run_id=:run"),
        (wanted.item_id is not None, "o.item_id=:item"),
        (wanted.since is not None, "o.created_at>=:since"),
        (wanted.before is not None, f"o.seq<({_SEQ_OF} b.item_id=:before AND b.account_id=:account)"),
        (
            wanted.not_before is not None,
            f"o.seq>=({_SEQ_OF} b.item_id=:not_before AND b.account_id=:account)",
        ),
        (wanted.event_id is not None, f"o.item_id IN ({_ITEMS_OF_EVENT})"),
    ]
    marks = {f"item{number}": item_id for number, item_id in enumerate(sorted(wanted.item_ids or ()))}
    if wanted.item_ids is not None:
        asked.append((True, f"o.item_id IN ({', '.join(f':{mark}' for mark in marks)})"))
    conditions = "".join(f" AND {condition}" for is_asked, condition in asked if is_asked)
    # What is open or named is found by its own index, not by looking through all that has left; the plus says so.
    named = any(one is not None for one in (wanted.item_ids, wanted.item_id, wanted.run_id, wanted.event_id))
    whose = "+o.account_id" if named else "o.account_id"
    order = "+o.seq" if wanted.open_only or named else "o.seq"
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {QUEUE_COLUMNS} FROM outbox o JOIN contacts p USING (contact_id)"  # noqa: S608 - no values
        f" JOIN connections c ON c.connection_id=o.connection_id WHERE {whose}=:account"
        f" AND NOT (o.kind='lookup' AND o.status='sent'){conditions} ORDER BY {order} DESC LIMIT :limit",
        {
            **marks,
            "account": account_id,
            "status": wanted.status,
            "run": wanted.run_id,
            "item": wanted.item_id,
            "before": wanted.before,
            "not_before": wanted.not_before,
            "event": wanted.event_id,
            "since": ms(wanted.since),
            "now": ms(now),
            "limit": -1 if limit is None else limit,
        },
    ).fetchall()
    return rows


def open_items(
    conn: Connection, account_id: str, now: datetime, *, before: str | None = None
) -> list[tuple[Any, ...]]:
    """(connection's name, id, kind, status, due, deadline, reason, status of what leaves before it, the connection's
    status, its rest, its id, what it is held for) of all that has not come to its end, the latest made first;
    `before`: what was made before the item of this id."""
    older = "" if before is None else f" AND o.seq<({_SEQ_OF} b.item_id=:before AND b.account_id=:account)"
    rows: list[tuple[Any, ...]] = conn.execute(
        "SELECT c.username, o.item_id, o.kind, o.status, o.due_at, o.deadline, o.reason,"  # noqa: S608 - no values
        f" {_BEFORE}, c.status, {_RESTS}, o.connection_id, o.held_for FROM outbox o"
        f" JOIN connections c USING (connection_id) WHERE o.account_id=:account AND {_OPEN_ITEM}{older}"
        " ORDER BY +o.seq DESC",
        {"account": account_id, "now": ms(now), "before": before},
    ).fetchall()
    return rows


def queue_place(
    conn: Connection, account_id: str, number: int, *, before: str | None = None
) -> tuple[str, int] | None:
    """(id, made at) of the item so many places behind the newest, or behind the one with the id `before`; None: the
    list ends earlier."""
    row = conn.execute(
        "SELECT o.item_id, o.created_at FROM outbox o WHERE o.account_id=:account AND (:before IS NULL"  # noqa: S608
        f" OR o.seq<({_SEQ_OF} b.item_id=:before AND b.account_id=:account))"
        " ORDER BY o.seq DESC LIMIT 1 OFFSET :number",
        {"account": account_id, "before": before, "number": number},
    ).fetchone()
    return None if row is None else (str(row[0]), int(row[1]))


def unanswered_lately(conn: Connection, account_id: str, now: datetime) -> dict[str, int]:
    """Connection → how many of its attempts came to nothing certain in the last minutes."""
    rows = conn.execute(
        "SELECT connection_id, count(*) FROM outbox WHERE account_id=? AND status='unknown'"  # noqa: S608
        f" AND {_OPEN} AND last_attempt_at>? GROUP BY connection_id",
        (account_id, ms(now - LATELY)),
    )
    return dict(rows.fetchall())


_OPEN = "status IN ('queued', 'held', 'sending', 'unknown')"
"""Said beside what is asked, it leads to the index of the few items that have not reached their end."""


def queue_counts(conn: Connection, account_id: str) -> dict[str, int]:
    """Status → items that have not reached their end."""
    rows = conn.execute(
        "SELECT status, count(*) FROM outbox WHERE account_id=? AND status IN ('queued','held','sending','unknown')"
        " GROUP BY status",
        (account_id,),
    )
    return dict(rows.fetchall())


def queue_times(conn: Connection, account_id: str) -> tuple[int | None, int | None]:
    """When the first and the last queued item are due."""
    row = conn.execute(
        f"SELECT min(due_at), max(due_at) FROM outbox WHERE account_id=? AND status='queued' AND {_OPEN}",  # noqa: S608
        (account_id,),
    ).fetchone()
    return row[0], row[1]


def queue_expiring(conn: Connection, account_id: str, before: datetime, *, but_not: str) -> int:
    """Waiting items whose deadline comes before then, queued ones of one kind left out; nobody misses a reaction or
    the sign of typing."""
    row = conn.execute(
        "SELECT count(*) FROM outbox WHERE account_id=? AND status IN ('queued','held') AND deadline<=?"  # noqa: S608
        f" AND NOT (status='queued' AND kind=?) AND kind<>'sender_action' AND {_OPEN}",
        (account_id, ms(before), but_not),
    ).fetchone()
    return int(row[0])


def event_counts(conn: Connection, account_id: str) -> tuple[int | None, int]:
    """When the last event arrived, and how many wait for their turn."""
    last = conn.execute(
        "SELECT received_at FROM events WHERE account_id=? AND by_run IS NULL ORDER BY event_id DESC LIMIT 1",
        (account_id,),
    ).fetchone()
    waiting = conn.execute(
        # By the index of what waits: by the account's, all of its events would be looked at.
        "SELECT count(*) FROM events WHERE verdict='pending' AND +account_id=?",
        (account_id,),
    ).fetchone()
    return (None if last is None else last[0]), int(waiting[0])


def last_heard(conn: Connection, account_id: str, *, limit: int) -> list[tuple[str, str, int]]:
    """(connection id, kind, when it arrived) of the latest webhook of each kind, among so many events, the newest."""
    rows: list[tuple[str, str, int]] = conn.execute(
        "SELECT connection_id, kind, max(received_at) FROM (SELECT connection_id, kind, received_at, recovered,"
        " by_run FROM events WHERE account_id=? ORDER BY event_id DESC LIMIT ?) WHERE recovered=0"
        " AND by_run IS NULL GROUP BY 1, 2",
        (account_id, limit),
    ).fetchall()
    return rows


# --- what there is ---------------------------------------------------------------------------------------


def stored(conn: Connection, account_id: str, connection_id: str | None = None) -> dict[str, int]:
    """How many rows of what people ask for: of one connection, or of all of the account."""
    counted = {"people": "contacts", "events": "events", "runs": "runs", "messages": "outbox"}
    of = {"account": account_id, "connection": connection_id}
    where = "account_id=:account AND (:connection IS NULL OR connection_id=:connection)"
    return {
        name: int(conn.execute(f"SELECT count(*) FROM {table} WHERE {where}", of).fetchone()[0])  # noqa: S608
        for name, table in counted.items()
    }


def called(conn: Connection, contact_id: str) -> str:
    """A person's username or, while it is not known, their Instagram id."""
    row = conn.execute(
        "SELECT coalesce('@' || username, igsid) FROM contacts WHERE contact_id=?", (contact_id,)
    ).fetchone()
    return "somebody" if row is None else str(row[0])
