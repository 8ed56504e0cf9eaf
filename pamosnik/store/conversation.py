"""What a person and the business said to each other, the newest first, in parts. Rows leave as plain tuples.

Ids of events and of outbox items are told apart by time alike, so one id says where a part of both begins.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.store import outbox
from pamosnik.store.times import ms, optional_instant

_AFTER_ALL = "~"
_BY_HAND = f"source GLOB '{outbox.BY_OWNER}*'"
_HAPPENED = "coalesce(e.occurred_at, e.received_at)"
_EVENT = (
    "e.event_id, e.kind, coalesce(e.occurred_at, e.received_at), e.text, e.title, e.mid, e.comment_id, e.media_id,"
    " e.story_id, e.ref, e.ad_id,"
    " e.emoji, e.reply_to_mid, e.attachments, e.verdict, p.caption, p.permalink,"
    " EXISTS (SELECT 1 FROM events d WHERE d.connection_id=e.connection_id AND d.dedup_key='d:' || e.mid)"
)
_ITEM = (
    "item_id, kind, coalesce(last_attempt_at, created_at), status, content, plain, flow_id, reason, message_id,"
    f" comment_id, {_BY_HAND}, json_extract(task, '$.action'), json_extract(task, '$.message'),"
    " json_extract(task, '$.emoji')"
)


def came_in(
    conn: Connection, connection_id: str, igsid: str, *, before: str | None, limit: int
) -> list[tuple[Any, ...]]:
    """What one id of a person's did, and what the owner wrote to them from the phone. Not what says nothing by
    itself: receipts, deletions, announcements of messages, echoes of our own."""
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {_EVENT} FROM events e LEFT JOIN posts p"  # noqa: S608 - column names
        " ON p.connection_id=e.connection_id AND p.media_id=e.media_id"
        " WHERE e.connection_id=? AND e.igsid=? AND e.event_id<?"
        " AND e.kind NOT IN ('seen','deletion','tag_added','field_set','handover') AND e.verdict<>'duplicate'"
        " AND NOT (e.verdict IN ('own','test') AND e.kind<>'reaction') AND NOT (e.kind='edit' AND e.text IS NULL)"
        " ORDER BY e.event_id DESC LIMIT ?",
        (connection_id, igsid, before or _AFTER_ALL, limit),
    ).fetchall()
    return rows


def went_out(
    conn: Connection, connection_id: str, contact_id: str, *, before: str | None, limit: int
) -> list[tuple[Any, ...]]:
    """What Pamosnik said or did to them, or is about to: not the sign of typing."""
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT {_ITEM} FROM outbox WHERE contact_id=? AND connection_id=? AND item_id<?"  # noqa: S608 - column names
        " AND kind NOT IN ('call','email','lookup') AND json_extract(task, '$.action') IS NOT 'typing_on'"
        " ORDER BY seq DESC LIMIT ?",
        (contact_id, connection_id, before or _AFTER_ALL, limit),
    ).fetchall()
    return rows


def own_below(conn: Connection, connection_id: str, comment_ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """(event, comment it answers, when, text) of what the owner replied in public in the Instagram app, the oldest
    first: the account's own comments that are none of Pamosnik's replies."""
    marks = ",".join("?" * len(comment_ids))
    rows: list[tuple[Any, ...]] = conn.execute(
        f"SELECT e.event_id, e.parent_id, {_HAPPENED}, e.text FROM events e"  # noqa: S608 - marks alone
        f" WHERE e.connection_id=? AND e.parent_id IN ({marks}) AND e.kind='comment' AND e.verdict='own'"
        " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.connection_id=e.connection_id"
        " AND o.message_id=e.comment_id) ORDER BY e.event_id",
        (connection_id, *comment_ids),
    ).fetchall()
    return rows


def seen_at(conn: Connection, connection_id: str, igsid: str) -> datetime | None:
    """When they looked at the conversation last, as far as Instagram told."""
    row = conn.execute(
        f"SELECT {_HAPPENED} FROM events e WHERE connection_id=? AND igsid=? AND kind='seen'"  # noqa: S608 - column names
        " ORDER BY event_id DESC LIMIT 1",
        (connection_id, igsid),
    ).fetchone()
    return None if row is None else optional_instant(row[0])


def last_words(conn: Connection, connection_id: str, igsid: str) -> tuple[str, str | None] | None:
    """(kind, text) of what they wrote or commented last."""
    row = conn.execute(
        "SELECT kind, text FROM events WHERE connection_id=? AND igsid=?"
        " AND kind IN ('message','story_reply','story_mention','shared_post','postback','comment','live_comment')"
        " AND verdict NOT IN ('own','test') ORDER BY event_id DESC LIMIT 1",
        (connection_id, igsid),
    ).fetchone()
    return None if row is None else (str(row[0]), row[1])


def comments(conn: Connection, connection_id: str, igsid: str, limit: int) -> list[str]:
    """Ids of the events that tell their latest comments."""
    rows = conn.execute(
        "SELECT event_id FROM events WHERE connection_id=? AND igsid=? AND kind IN ('comment','live_comment')"
        " AND verdict NOT IN ('own','test') ORDER BY event_id DESC LIMIT ?",
        (connection_id, igsid, limit),
    )
    return [event_id for (event_id,) in rows]


# --- who waits for a human -------------------------------------------------------------------------------


_A_TURN = (
    "(e.kind IN ('message','story_reply','story_mention','shared_post','postback')"
    " OR (e.kind='echo' AND e.verdict='noted'))"
)
"""A message of theirs, or one that the owner wrote from the phone."""


def waiting(conn: Connection, account_id: str, *, paused_after: datetime, limit: int) -> list[str]:
    """Ids of people who wait for a human: nobody has answered their latest message by hand, and they wrote it before
    the end of the pause that they are in, or were in until then."""
    rows = conn.execute(
        "WITH resting AS (SELECT contact_id, connection_id, igsid, paused_until, paused_by FROM contacts"  # noqa: S608
        " WHERE account_id=:account AND paused_until>:after AND forget_at IS NULL"
        " ORDER BY paused_until DESC LIMIT :limit)"
        " SELECT contact_id FROM resting r WHERE EXISTS (SELECT 1 FROM"
        f" (SELECT e.kind, e.verdict, {_HAPPENED} AS at FROM events e WHERE e.connection_id=r.connection_id"
        " AND e.igsid IN (SELECT r.igsid UNION ALL SELECT i.igsid FROM contact_ids i WHERE i.contact_id=r.contact_id)"
        f" AND {_A_TURN} ORDER BY e.event_id DESC LIMIT 1) newest"
        " WHERE newest.kind<>'echo' AND newest.at<r.paused_until"
        " AND (r.paused_by='hand_over' OR newest.verdict IN ('handed_over','paused','pending'))"
        " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.contact_id=r.contact_id"
        f" AND o.connection_id=r.connection_id AND o.{_BY_HAND} AND o.created_at>=newest.at"
        " AND o.kind IN ('message','private_reply') AND o.status NOT IN ('failed','expired','cancelled')))",
        {"account": account_id, "after": ms(paused_after), "limit": limit},
    )
    return [contact_id for (contact_id,) in rows]


def turns_of_talk(
    conn: Connection, connection_id: str, igsid: str, limit: int
) -> list[tuple[str, str, int, str | None]]:
    """(kind, verdict, when, text) of their latest messages and of what the owner wrote from the phone."""
    rows = conn.execute(
        f"SELECT kind, verdict, {_HAPPENED}, text FROM events e WHERE connection_id=? AND igsid=?"  # noqa: S608
        # A sum: for a bare parameter as the limit SQLite would prepare the statement anew with every person.
        f" AND {_A_TURN} ORDER BY event_id DESC LIMIT ?+0",
        (connection_id, igsid, limit),
    )
    return list(rows.fetchall())


def last_by_hand(conn: Connection, connection_id: str, contact_id: str) -> datetime | None:
    """When the owner wrote to them last on the page, as far as it was not refused."""
    row = conn.execute(
        f"SELECT created_at FROM outbox WHERE contact_id=? AND connection_id=? AND {_BY_HAND}"  # noqa: S608 - no values
        " AND kind IN ('message','private_reply') AND status IN ('queued','held','sending','sent','unknown')"
        " ORDER BY seq DESC LIMIT 1",
        (contact_id, connection_id),
    ).fetchone()
    return None if row is None else optional_instant(row[0])
