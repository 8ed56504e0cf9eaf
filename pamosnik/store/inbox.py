"""The inbox: one row for each thing Meta told us, however often it was delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.ids import earliest, new_id
from pamosnik.model.decision import Check
from pamosnik.model.event import Attachment, Event, EventKind, Incoming, Verdict
from pamosnik.store import deletions, tombstones
from pamosnik.store.times import instant, ms, optional_instant

_INCOMING = (
    "dedup_key, kind, occurred_at, igsid, username, text, mid, payload, title, comment_id, parent_id,"
    " media_id, ad_id, story_id, ref, emoji, reply_to_mid, attachments, verdict, reason, recovered, changed, by_run"
)
_EVENT = f"event_id, account_id, connection_id, received_at, attempts, {_INCOMING}, decided_at"


def add(
    conn: Connection,
    *,
    account_id: str,
    connection_id: str,
    incoming: Incoming,
    now: datetime,
    told_again: bool = True,
) -> tuple[str, bool] | None:
    """Stores one item; returns its event's id and whether it is new. None: it is about somebody who was forgotten
    since, and is not kept.

    A repetition makes no second row: it raises `seen_times`, and adds the payload when the row had none (a tap
    that was first recovered from the conversation, where payloads are not told). Not `told_again`: what is there
    already may have come from this very delivery, which was taken in before a crash.
    """
    kept = tombstones.kept(conn, connection_id, incoming)
    if kept is None:
        return None
    incoming = kept
    event_id = new_id(now)
    attachments = [[a.type, a.url, a.media_id] for a in incoming.attachments]
    row = conn.execute(
        f"INSERT INTO events (event_id, account_id, connection_id, received_at, {_INCOMING})"  # noqa: S608 - column names
        " VALUES (?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        f" ON CONFLICT (connection_id, dedup_key) DO UPDATE SET seen_times = seen_times + {int(told_again)},"
        " payload = coalesce(payload, excluded.payload), title = coalesce(title, excluded.title)"
        " RETURNING event_id",
        (
            event_id,
            account_id,
            connection_id,
            ms(now),
            incoming.key,
            incoming.kind.value,
            ms(incoming.occurred_at),
            incoming.igsid,
            incoming.username,
            incoming.text,
            incoming.mid,
            incoming.payload,
            incoming.title,
            incoming.comment_id,
            incoming.parent_id,
            incoming.media_id,
            incoming.ad_id,
            incoming.story_id,
            incoming.ref,
            incoming.emoji,
            incoming.reply_to_mid,
            json.dumps(attachments) if attachments else None,
            incoming.verdict.value,
            incoming.reason,
            int(incoming.recovered),
            incoming.changed,
            incoming.by_run,
        ),
    ).fetchone()
    return row[0], row[0] == event_id


def told_since(conn: Connection, account_id: str, since: datetime) -> bool:
    """Whether one of the account's newest events was told by a webhook since then."""
    row = conn.execute(
        "SELECT 1 FROM (SELECT * FROM events WHERE account_id=? ORDER BY event_id DESC LIMIT 200)"
        " WHERE recovered=0 AND by_run IS NULL AND received_at>? LIMIT 1",
        (account_id, ms(since)),
    ).fetchone()
    return row is not None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in, as far as it shows that it came."""

    event_id: str
    kind: EventKind
    verdict: Verdict
    text: str | None
    payload: str | None
    flow_id: str | None
    recovered: bool
    """It was read at Instagram: no webhook told it."""


def newest_id(conn: Connection, account_id: str) -> str:
    """Of the event that came in last; empty before the first."""
    row = conn.execute("SELECT max(event_id) FROM events WHERE account_id=?", (account_id,)).fetchone()
    return row[0] or ""


def arrived_after(conn: Connection, connection_id: str, event_id: str) -> list[Arrival]:
    """What came in after this event, at most 500 of them, the oldest first."""
    rows = conn.execute(
        "SELECT event_id, kind, verdict, text, payload, flow_id, recovered FROM events"
        " WHERE account_id=(SELECT account_id FROM connections WHERE connection_id=?1) AND event_id>?2"
        " AND connection_id=?1 AND by_run IS NULL ORDER BY event_id LIMIT 500",
        (connection_id, event_id),
    )
    return [Arrival(r[0], EventKind(r[1]), Verdict(r[2]), r[3], r[4], r[5], bool(r[6])) for r in rows]


def pending(conn: Connection, limit: int) -> list[str]:
    """Ids of events without a verdict: the oldest arrivals, in the order in which they happened."""
    rows = conn.execute(
        "SELECT coalesce(occurred_at, received_at), event_id FROM events WHERE verdict = 'pending'"  # noqa: S608
        f" AND {deletions.UNTOUCHED}"
        " ORDER BY event_id LIMIT ?",
        (limit,),
    ).fetchall()
    # Meta promises no order, least of all within a batch.
    return [event_id for _, event_id in sorted(rows)]


def load(conn: Connection, event_id: str) -> Event | None:
    """One event by Pamosnik's id."""
    row = conn.execute(
        f"SELECT {_EVENT}, (SELECT ig_id FROM connections c WHERE c.connection_id = events.connection_id)"  # noqa: S608
        " FROM events WHERE event_id = ?",
        (event_id,),
    ).fetchone()
    return None if row is None else event_of(row)


def told_as(conn: Connection, account_id: str, meta_id: str) -> str | None:
    """The event of a comment or message, or of the echo of a message of ours, by Meta's id of it."""
    row = conn.execute(
        "SELECT event_id FROM events WHERE dedup_key IN ('c:' || :id, 'm:' || :id, 'o:' || :id) AND connection_id IN"
        " (SELECT connection_id FROM connections WHERE account_id=:account) ORDER BY dedup_key LIMIT 1",
        {"id": meta_id, "account": account_id},
    ).fetchone()
    return None if row is None else str(row[0])


_ANSWERABLE = (
    Verdict.STARTED,
    Verdict.RESUMED,
    Verdict.NO_MATCH,
    Verdict.FILTERED,
    Verdict.PENDING,
    Verdict.ERROR,
)


def comments_since(
    conn: Connection, account_id: str, connection_id: str, since: datetime
) -> list[tuple[datetime, str, str, str | None, str | None]]:
    """(when, person, text, post, comment it answers) of the comments under posts that flows were asked about: not of
    the account's own, of those that came while a human had the conversation, and the like."""
    marks = ",".join("?" * len(_ANSWERABLE))
    rows = conn.execute(
        "SELECT min(coalesce(occurred_at, received_at), received_at), igsid, text, media_id, parent_id FROM events"  # noqa: S608
        " WHERE account_id=? AND event_id>=? AND connection_id=? AND kind='comment' AND igsid IS NOT NULL"
        f" AND text IS NOT NULL AND verdict IN ({marks})",
        (account_id, earliest(since), connection_id, *_ANSWERABLE),
    )
    return [(instant(row[0]), *row[1:]) for row in rows]


def columns(table: str) -> str:
    """The columns that `event_of` wants, but for the last, the connection's `ig_id`."""
    return ", ".join(f"{table}.{name}" for name in _EVENT.split(", "))


def event_of(r: tuple[Any, ...]) -> Event:
    """An event from its row."""
    attachments = tuple(Attachment(*parts) for parts in json.loads(r[22])) if r[22] else ()
    return Event(
        id=r[0],
        account_id=r[1],
        connection_id=r[2],
        received_at=instant(r[3]),
        attempts=r[4],
        incoming=Incoming(
            ig_id=r[29],
            key=r[5],
            kind=EventKind(r[6]),
            occurred_at=optional_instant(r[7]),
            igsid=r[8],
            username=r[9],
            text=r[10],
            mid=r[11],
            payload=r[12],
            title=r[13],
            comment_id=r[14],
            parent_id=r[15],
            media_id=r[16],
            ad_id=r[17],
            story_id=r[18],
            ref=r[19],
            emoji=r[20],
            reply_to_mid=r[21],
            attachments=attachments,
            verdict=Verdict(r[23]),
            reason=r[24],
            recovered=bool(r[25]),
            changed=r[26],
            by_run=r[27],
        ),
        decided_at=optional_instant(r[28]),
    )


def decide(
    conn: Connection,
    event_id: str,
    verdict: Verdict,
    *,
    now: datetime,
    reason: str | None = None,
    flow_id: str | None = None,
    run_id: str | None = None,
    trace: Sequence[Check] = (),
) -> bool:
    """Writes the verdict of a pending event; what already has one keeps it, and the answer is False. `decided_at`
    stays that of the first verdict: the numbers of days count by it."""
    decided = conn.execute(
        "UPDATE events SET verdict=?, reason=?, flow_id=?, run_id=?, trace=?, decided_at=coalesce(decided_at, ?)"
        " WHERE event_id=? AND verdict='pending'",
        (verdict.value, reason, flow_id, run_id, trace_json(trace), ms(now), event_id),
    )
    return bool(decided.rowcount)


def reopen(conn: Connection, event_id: str) -> None:
    """It is to get another verdict; until then the reason for the one it had stands there."""
    conn.execute("UPDATE events SET verdict='pending', attempts=0 WHERE event_id=?", (event_id,))


def trace_json(trace: Sequence[Check]) -> str | None:
    """A trace as it stands in columns."""
    if not trace:
        return None
    return json.dumps([[c.what, c.result, c.detail] for c in trace], ensure_ascii=False)


def count_failure(conn: Connection, event_id: str) -> int:
    """Notes that a turn on this event failed; returns how many have."""
    row = conn.execute(
        "UPDATE events SET attempts = attempts + 1 WHERE event_id = ? RETURNING attempts", (event_id,)
    ).fetchone()
    return int(row[0])


def forget_content(conn: Connection, connection_id: str, mid: str) -> int:
    """Erases what a deleted message said; returns how many events held it."""
    forgotten = conn.execute(
        "UPDATE events SET text=NULL, title=NULL, attachments=NULL, emoji=NULL WHERE connection_id=? AND mid=?",
        (connection_id, mid),
    )
    return int(forgotten.rowcount)


def said(conn: Connection, connection_id: str, mid: str) -> list[tuple[str, str | None]]:
    """(event id, text) of what came in as this message."""
    rows = conn.execute(
        "SELECT event_id, text FROM events WHERE connection_id=? AND mid=? AND kind NOT IN ('deletion','echo')",
        (connection_id, mid),
    )
    return list(rows.fetchall())


def deleted(conn: Connection, event: Event) -> bool:
    """Whether the person took this message back; the deletion may arrive before the message."""
    row = conn.execute(
        "SELECT 1 FROM events WHERE connection_id=? AND dedup_key='d:' || ?",
        (event.connection_id, event.incoming.mid),
    ).fetchone()
    return row is not None


def known(conn: Connection, connection_id: str, keys: Sequence[str]) -> frozenset[str]:
    """Which of these things Meta has told us before."""
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = conn.execute(
            f"SELECT dedup_key FROM events WHERE connection_id=? AND dedup_key IN ({marks})",  # noqa: S608
            (connection_id, *part),
        )
        found.update(key for (key,) in rows)
    return frozenset(found)


def doubt_like_run(conn: Connection, event_id: str, run_id: str) -> None:
    """What a run in doubt does is in doubt, too."""
    conn.execute(
        "UPDATE events SET doubt_from=(SELECT doubt_from FROM runs WHERE run_id=?) WHERE event_id=?",
        (run_id, event_id),
    )


def doubt_pending(conn: Connection, since: datetime) -> None:
    """A backup was restored: events without a verdict may have been answered since."""
    conn.execute("UPDATE events SET doubt_from=? WHERE verdict='pending'", (ms(since),))
