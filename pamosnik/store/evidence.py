"""Messages of unknown fate: when evidence is looked for, and what is known that a look can be compared with."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import OutboxItem
from pamosnik.store.outbox_rows import COLUMNS, item_of
from pamosnik.store.times import instant, ms, optional_instant


def look_for(
    conn: Connection,
    item_id: str,
    at: datetime | None,
    *,
    looks: int,
    not_there_at: datetime | None,
    reason: str | None = None,
) -> None:
    """When evidence of an unknown item is looked for next; None: no more. A reason replaces the one before."""
    conn.execute(
        "UPDATE outbox SET look_at=?, looks=?, not_there_at=?, reason=coalesce(?, reason)"
        " WHERE item_id=? AND status='unknown'",
        (ms(at), looks, ms(not_there_at), reason, item_id),
    )


def to_look_for(conn: Connection, connection_id: str, now: datetime, limit: int) -> list[OutboxItem]:
    """Unknown items of a connection whose next look is due, the longest waiting first."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE status='unknown' AND look_at<=? AND connection_id=?"  # noqa: S608
        " ORDER BY look_at, seq LIMIT ?",
        (ms(now), connection_id, limit),
    )
    return [item_of(row) for row in rows]


def next_look(conn: Connection) -> datetime | None:
    """When the next look is due."""
    (at,) = conn.execute("SELECT min(look_at) FROM outbox WHERE status='unknown'").fetchone()
    return optional_instant(at)


def known_messages(conn: Connection, item: OutboxItem) -> dict[str, datetime]:
    """Ids of what this person and the business wrote to each other, with the time since when we know them."""
    rows = conn.execute(
        "SELECT mid, received_at FROM events WHERE connection_id=:connection AND mid IS NOT NULL"
        " AND igsid IN (SELECT igsid FROM contacts WHERE contact_id=:contact"
        " UNION SELECT igsid FROM contact_ids WHERE contact_id=:contact)"
        # A pending echo waits for the very verdict that is looked for here; and that somebody has seen a message, or
        # reacted to it, says nothing of whose it is.
        " AND NOT (kind='echo' AND verdict='pending') AND kind NOT IN ('seen','reaction')"
        " UNION ALL SELECT message_id, first_attempt_at FROM outbox WHERE contact_id=:contact"
        " AND message_id IS NOT NULL",
        {"connection": item.connection_id, "contact": item.contact_id},
    )
    return {mid: instant(at) for mid, at in rows}


def known_replies(conn: Connection, item: OutboxItem) -> dict[str, datetime]:
    """Comment ids of the public replies that other items under the same comment became."""
    rows = conn.execute(
        "SELECT message_id, first_attempt_at FROM outbox WHERE comment_id=? AND connection_id=?"
        " AND kind='comment_reply' AND message_id IS NOT NULL",
        (item.comment_id, item.connection_id),
    )
    return {comment_id: instant(at) for comment_id, at in rows}


def own_replies(conn: Connection, item: OutboxItem) -> list[tuple[str, str | None, datetime]]:
    """(comment id, text, arrived at) of the account's own comments under the same comment, told by webhooks."""
    rows = conn.execute(
        "SELECT comment_id, text, received_at FROM events WHERE connection_id=? AND parent_id=? AND verdict='own'"
        " AND comment_id IS NOT NULL",
        (item.connection_id, item.comment_id),
    )
    return [(comment_id, text, instant(at)) for comment_id, text, at in rows]


def twins(conn: Connection, item: OutboxItem) -> list[OutboxItem]:
    """Other items of the same lane whose fate is unknown, or that are under way."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE lane=(SELECT lane FROM outbox WHERE item_id=:item)"  # noqa: S608
        " AND item_id<>:item AND status IN ('unknown','sending') ORDER BY seq",
        {"item": item.id},
    )
    return [item_of(row) for row in rows]


def left_unknown(conn: Connection) -> list[tuple[str, int, datetime]]:
    """(account, how many, since) of messages of unknown fate that no look will settle any more."""
    rows = conn.execute(
        "SELECT account_id, count(*), min(last_attempt_at) FROM outbox WHERE status='unknown' AND look_at IS NULL"
        " GROUP BY account_id"
    )
    return [(account_id, n, instant(since)) for account_id, n, since in rows]


def unknown_private(conn: Connection, connection_id: str) -> list[OutboxItem]:
    """Private replies of unknown fate."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE status='unknown' AND kind='private_reply' AND connection_id=?"  # noqa: S608
        " AND look_at IS NOT NULL",
        (connection_id,),
    )
    return [item_of(row) for row in rows]
