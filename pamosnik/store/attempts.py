"""Requests that count against Meta's hourly limits, each when it left."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import OutboxItem, Quota
from pamosnik.store.times import instant, ms, optional_instant


def add(conn: Connection, item: OutboxItem, now: datetime) -> None:
    """It is about to leave."""
    conn.execute(
        "INSERT INTO attempts (account_id, connection_id, kind, at) VALUES (?,?,?,?)",
        (item.account_id, item.connection_id, item.quota.value, ms(now)),
    )


def answered(conn: Connection, item: OutboxItem, now: datetime) -> None:
    """Meta has counted it by now at the latest."""
    conn.execute(
        "UPDATE attempts SET at=:now WHERE id=(SELECT id FROM attempts WHERE connection_id=:connection AND kind=:kind"
        " AND at=:at LIMIT 1)",
        {
            "now": ms(now),
            "connection": item.connection_id,
            "kind": item.quota.value,
            "at": ms(item.last_attempt_at),
        },
    )


def counted(
    conn: Connection, connection_id: str, quota: Quota, since: datetime
) -> tuple[int, datetime | None]:
    """How many requests that count against a quota left after `since`, and when the earliest of them did."""
    n, earliest = conn.execute(
        "SELECT count(*), min(at) FROM attempts WHERE connection_id=? AND kind=? AND at>?",
        (connection_id, quota.value, ms(since)),
    ).fetchone()
    return n, optional_instant(earliest)


def times(conn: Connection, connection_id: str, quota: Quota, since: datetime) -> list[datetime]:
    """When requests that count against a quota left after `since`, the earliest first."""
    rows = conn.execute(
        "SELECT at FROM attempts WHERE connection_id=? AND kind=? AND at>? ORDER BY at",
        (connection_id, quota.value, ms(since)),
    )
    return [instant(at) for (at,) in rows]


def forget(conn: Connection, before: datetime) -> int:
    """Drops attempts that no limit looks at any more."""
    return int(conn.execute("DELETE FROM attempts WHERE at<?", (ms(before),)).rowcount)


def none_ahead(conn: Connection, now: datetime) -> None:
    """Attempts noted while the clock was ahead count as made now: Meta's hour is kept, and is over in an hour."""
    conn.execute("UPDATE attempts SET at=:now WHERE at>:now", {"now": ms(now)})
