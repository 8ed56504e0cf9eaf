"""Rows of the outbox that are no messages: calls, mails, look-ups."""

import json
from collections.abc import Mapping
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import ItemKind, ItemStatus, OutboxItem
from pamosnik.store import deletions, outbox
from pamosnik.store.outbox_rows import COLUMNS, item_of
from pamosnik.store.times import ms, optional_instant

_QUEUED = f"status='queued' AND kind IN ('call','email','lookup') AND {deletions.UNTOUCHED}"


def due(conn: Connection, kind: ItemKind, now: datetime, limit: int) -> list[OutboxItem]:
    """Errands that may leave now, those that have waited longest first."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE {_QUEUED} AND kind=? AND due_at<=?"  # noqa: S608
        " ORDER BY due_at, seq LIMIT ?",
        (kind.value, ms(now), limit),
    )
    return [item_of(row) for row in rows]


def next_due(conn: Connection, kind: ItemKind) -> datetime | None:
    """When the next errand of this kind may leave."""
    (due,) = conn.execute(
        f"SELECT min(due_at) FROM outbox WHERE {_QUEUED} AND kind=?",  # noqa: S608
        (kind.value,),
    ).fetchone()
    return optional_instant(due)


def start(conn: Connection, item: OutboxItem, now: datetime) -> None:
    """`queued` → `sending`. Commit, then let it leave."""
    outbox.move(conn, item, ItemStatus.SENDING, now=now)
    conn.execute(
        "UPDATE outbox SET attempts=attempts+1, last_attempt_at=:now,"
        " first_attempt_at=coalesce(first_attempt_at, :now) WHERE item_id=:item",
        {"now": ms(now), "item": item.id},
    )


def keep_result(conn: Connection, item_id: str, result: Mapping[str, str | None]) -> None:
    """What an errand brought back, for the step that asked."""
    conn.execute(
        "UPDATE outbox SET result=? WHERE item_id=?",
        (json.dumps(dict(result), ensure_ascii=False), item_id),
    )


def of_event(conn: Connection, event_id: str) -> OutboxItem | None:
    """The look-up that this event's turn has asked for."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE source=? AND kind='lookup'",  # noqa: S608 - column names
        (event_id,),
    ).fetchone()
    return None if row is None else item_of(row)


def before_a_flow(conn: Connection, contact_id: str) -> list[OutboxItem]:
    """Look-ups under way that decide which flow an event of this person starts."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE contact_id=? AND kind='lookup' AND run_id IS NULL"  # noqa: S608
        " AND status IN ('queued','sending') ORDER BY seq",
        (contact_id,),
    )
    return [item_of(row) for row in rows]


def of_wait(conn: Connection, run_id: str, wait_id: str) -> OutboxItem | None:
    """The errand whose result ends this wait."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE run_id=? AND json_extract(task, '$.wait')=?",  # noqa: S608
        (run_id, wait_id),
    ).fetchone()
    return None if row is None else item_of(row)
