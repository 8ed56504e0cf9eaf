"""Broadcasts: when each flow's next one is planned, and what became of those that began."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.store import deletions
from pamosnik.store.times import instant, ms, optional_instant


@dataclass(frozen=True, slots=True)
class Planned:
    """The next broadcast of a flow on a connection."""

    account_id: str
    connection_id: str
    flow_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One that began, or whose time passed without it."""

    id: str
    account_id: str
    connection_id: str
    flow_id: str
    version: str
    planned_at: datetime
    began_at: datetime
    triggers: tuple[int, ...]
    """Which schedules of the flow began it, by number: their audiences together."""
    looked_until: str
    """Contacts up to this id have been looked at."""
    reached: int
    skipped: Mapping[str, int]
    """Why → how many people of the audience."""
    reason: str | None
    """Why it did not take place, or ended early."""
    finished_at: datetime | None


_PLANNED = "account_id, connection_id, flow_id, due_at"
_BROADCAST = (
    "broadcast_id, account_id, connection_id, flow_id, version, planned_at, began_at, triggers, looked_until,"
    " reached, skipped, reason, finished_at"
)


# --- what is to come -------------------------------------------------------------------------------------


def timing(conn: Connection, connection_id: str, flow_id: str) -> str | None:
    """What the next broadcast was planned by; None when none was."""
    row = conn.execute(
        "SELECT timing FROM schedules WHERE connection_id=? AND flow_id=?", (connection_id, flow_id)
    ).fetchone()
    return None if row is None else str(row[0])


def due_at(conn: Connection, connection_id: str, flow_id: str) -> datetime | None:
    row = conn.execute(
        "SELECT due_at FROM schedules WHERE connection_id=? AND flow_id=?", (connection_id, flow_id)
    ).fetchone()
    return None if row is None else optional_instant(row[0])


def plan(
    conn: Connection,
    account_id: str,
    connection_id: str,
    flow_id: str,
    timing: str,
    due_at: datetime | None,
) -> None:
    """None: nothing comes any more."""
    conn.execute(
        "INSERT INTO schedules (account_id, connection_id, flow_id, timing, due_at) VALUES (?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET timing=excluded.timing, due_at=excluded.due_at",
        (account_id, connection_id, flow_id, timing, ms(due_at)),
    )


def keep_only(conn: Connection, account_id: str, keep: Collection[tuple[str, str]]) -> None:
    """Forgets the plans of all other (connection, flow)."""
    rows = conn.execute(
        "SELECT connection_id, flow_id FROM schedules WHERE account_id=?", (account_id,)
    ).fetchall()
    conn.executemany(
        "DELETE FROM schedules WHERE connection_id=? AND flow_id=?", [key for key in rows if key not in keep]
    )


def move_on(conn: Connection, planned: Planned, due_at: datetime | None) -> None:
    conn.execute(
        "UPDATE schedules SET due_at=? WHERE connection_id=? AND flow_id=?",
        (ms(due_at), planned.connection_id, planned.flow_id),
    )


def due(conn: Connection, now: datetime, too_late: datetime) -> list[Planned]:
    """Whose time has come. Those of a connection that cannot send wait until `too_late` has overtaken them."""
    rows = conn.execute(
        f"SELECT {_PLANNED} FROM schedules WHERE due_at<=:now AND {deletions.UNTOUCHED} AND (due_at<:late"  # noqa: S608
        " OR connection_id IN (SELECT connection_id FROM connections WHERE status='active')) ORDER BY due_at",
        {"now": ms(now), "late": ms(too_late)},
    )
    return [Planned(row[0], row[1], row[2], instant(row[3])) for row in rows]


def next_due(conn: Connection) -> datetime | None:
    """When the next broadcast is planned."""
    (due_at,) = conn.execute(f"SELECT min(due_at) FROM schedules WHERE {deletions.UNTOUCHED}").fetchone()  # noqa: S608
    return optional_instant(due_at)


def planned(conn: Connection, account_id: str) -> list[Planned]:
    """What is to come, the next first."""
    rows = conn.execute(
        f"SELECT {_PLANNED} FROM schedules WHERE account_id=? AND due_at IS NOT NULL ORDER BY due_at",  # noqa: S608
        (account_id,),
    )
    return [Planned(row[0], row[1], row[2], instant(row[3])) for row in rows]


# --- what began ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    id: str
    version: str
    planned_at: datetime
    triggers: Sequence[int] = ()
    reason: str | None = None
    """Why it does not take place; then it is over at once."""


def begin(conn: Connection, planned: Planned, new: NewBroadcast, now: datetime) -> None:
    """One flow has one broadcast at one instant, whatever the clock does: a second one is not begun."""
    conn.execute(
        "INSERT INTO broadcasts (broadcast_id, account_id, connection_id, flow_id, version, planned_at, began_at,"
        " triggers, reason, finished_at) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (
            new.id,
            planned.account_id,
            planned.connection_id,
            planned.flow_id,
            new.version,
            ms(new.planned_at),
            ms(now),
            json.dumps(list(new.triggers)),
            new.reason,
            None if new.reason is None else ms(now),
        ),
    )


def under_way(conn: Connection) -> list[str]:
    """Ids of those whose audience has not been looked at as a whole, the oldest first."""
    rows = conn.execute(
        f"SELECT broadcast_id FROM broadcasts WHERE finished_at IS NULL AND {deletions.UNTOUCHED}"  # noqa: S608
        " ORDER BY broadcast_id"
    )
    return [broadcast_id for (broadcast_id,) in rows]


def load(conn: Connection, broadcast_id: str) -> Broadcast | None:
    row = conn.execute(
        f"SELECT {_BROADCAST} FROM broadcasts WHERE broadcast_id=?",  # noqa: S608 - column names
        (broadcast_id,),
    ).fetchone()
    return None if row is None else _broadcast(row)


def latest(
    conn: Connection, account_id: str, *, flow_id: str | None = None, limit: int = 10
) -> list[Broadcast]:
    """The newest first."""
    rows = conn.execute(
        f"SELECT {_BROADCAST} FROM broadcasts WHERE account_id=:account AND (:flow IS NULL OR flow_id=:flow)"  # noqa: S608
        " ORDER BY planned_at DESC, broadcast_id DESC LIMIT :limit",
        {"account": account_id, "flow": flow_id, "limit": limit},
    )
    return [_broadcast(row) for row in rows]


def _broadcast(r: tuple[Any, ...]) -> Broadcast:
    return Broadcast(
        id=r[0],
        account_id=r[1],
        connection_id=r[2],
        flow_id=r[3],
        version=r[4],
        planned_at=instant(r[5]),
        began_at=instant(r[6]),
        triggers=tuple(json.loads(r[7])),
        looked_until=r[8],
        reached=r[9],
        skipped=json.loads(r[10]),
        reason=r[11],
        finished_at=optional_instant(r[12]),
    )


def audience(conn: Connection, broadcast: Broadcast, limit: int) -> list[str]:
    """Ids of the next contacts to look at; who came after it began is none of them."""
    rows = conn.execute(
        # The plus: in the order of the ids, not by an index of the connection and then all of them sorted.
        "SELECT contact_id FROM contacts WHERE contact_id>? AND +connection_id=? AND created_at<=?"
        " ORDER BY contact_id LIMIT ?",
        (broadcast.looked_until, broadcast.connection_id, ms(broadcast.began_at), limit),
    )
    return [contact_id for (contact_id,) in rows]


def note(
    conn: Connection, broadcast: Broadcast, *, looked_until: str, reached: int, skipped: Mapping[str, int]
) -> None:
    """How far it has come."""
    words = {*broadcast.skipped, *skipped}
    together = {word: broadcast.skipped.get(word, 0) + skipped.get(word, 0) for word in sorted(words)}
    conn.execute(
        "UPDATE broadcasts SET looked_until=?, reached=reached+?, skipped=? WHERE broadcast_id=?",
        (looked_until, reached, json.dumps(together), broadcast.id),
    )


def finish(conn: Connection, broadcast_id: str, now: datetime, reason: str | None = None) -> None:
    conn.execute(
        "UPDATE broadcasts SET finished_at=?, reason=? WHERE broadcast_id=?", (ms(now), reason, broadcast_id)
    )


def waiting_messages(conn: Connection, connection_id: str, now: datetime, most: int) -> int:
    """Messages that could leave now and have not yet, counted up to `most`."""
    row = conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE connection_id=? AND kind='message' AND status='queued'"
        " AND due_at<=? LIMIT ?)",
        (connection_id, ms(now), most),
    ).fetchone()
    return int(row[0])


def plan_anew(conn: Connection, now: datetime) -> None:
    """Whatever is planned counts no more and nothing goes on: a restored backup does not know what has gone out since
    it was made."""
    conn.execute("UPDATE schedules SET timing='', due_at=NULL")
    conn.execute(
        "UPDATE broadcasts SET finished_at=?, reason='a backup was restored' WHERE finished_at IS NULL",
        (ms(now),),
    )
