"""What somebody's comments leave with others: their ids in what was said below them, and comments that Instagram told
without the author's id.

Whoever replied below a forgotten person's comment keeps what they said. Only the id of the comment above goes, and
what the business says to them in public hangs below their own comment, which for Instagram is the same thread.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.privacy.erase import CHUNK
from pamosnik.store import contacts, outbox, tombstones
from pamosnik.store.times import ms
from pamosnik.store.tombstones import Tombstone, comment_mark

LATEST_MS = 9_000_000_000_000_000
"""Later than anything."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Whose comments they are."""

    connection_id: str
    contact_id: str
    """'' when there is no contact."""
    igsids: Sequence[str]
    until: datetime | None
    """What they did later and nobody has looked at yet is a new person's; None: nothing is later."""

    @property
    def until_ms(self) -> int:
        return LATEST_MS if self.until is None else ms(self.until)


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and the comment that it told."""

    event_id: str
    comment_id: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one transaction has done."""

    gone: int
    """Events that were deleted."""
    more: bool
    """False: there was nothing to do."""


def leave(conn: Connection, contact: Contact, comment_ids: Collection[str], now: datetime) -> Part:
    """Takes the next rows of others off these comments. What comes in below them from now on is recognized."""
    _put_stones(conn, contact, comment_ids, now)
    left, gone = CHUNK, 0
    for comment_id in comment_ids:
        below = conn.execute(
            "SELECT event_id, igsid, comment_id, verdict='own' FROM events"
            " WHERE connection_id=? AND parent_id=? LIMIT ?",
            (contact.connection_id, comment_id, left),
        ).fetchall()
        for event_id, igsid, own_id, ours in below:
            if ours:
                # It may name them.
                conn.execute("DELETE FROM events WHERE event_id=?", (event_id,))
                gone += 1
                continue
            if igsid is not None and own_id is not None:
                _hang_elsewhere(conn, contact.connection_id, igsid, comment_id, own_id)
            conn.execute("UPDATE events SET parent_id=NULL WHERE event_id=?", (event_id,))
        left -= len(below)
        if not left:
            break
    return Part(gone, more=left < CHUNK)


def _hang_elsewhere(conn: Connection, connection_id: str, igsid: str, above: str, own_id: str) -> None:
    """The runs and replies of one person, below their own comments. A reply that is just leaving keeps its place:
    what became of it is looked for there. Of one whose fate is unknown nothing is looked for any more."""
    contact_id = contacts.by_igsid(conn, connection_id, igsid)
    if contact_id is None:
        return
    values = {"contact": contact_id, "above": above, "own": own_id}
    conn.execute(
        "UPDATE runs SET origin=json_set(origin, '$.top_comment_id', coalesce(comment_id, :own))"
        " WHERE contact_id=:contact AND json_extract(origin, '$.top_comment_id')=:above",
        values,
    )
    rows = conn.execute(
        "SELECT seq, coalesce((SELECT r.comment_id FROM runs r WHERE r.run_id=outbox.run_id), :own) FROM outbox"
        " WHERE contact_id=:contact AND lane=:lane AND status<>'sending'",
        {**values, "lane": outbox.comment_lane(above, contact_id)},
    ).fetchall()
    conn.executemany(
        "UPDATE outbox SET comment_id=?, lane=?, look_at=iif(status='unknown', NULL, look_at) WHERE seq=?",
        [(new, outbox.comment_lane(new, contact_id), seq) for seq, new in rows],
    )


def leave_replies(conn: Connection, contact: Contact, now: datetime) -> Part:
    """What the business replied to them in public, in anybody's thread. Told late, it is recognized."""
    rows = conn.execute(
        "SELECT seq, message_id FROM outbox"
        " WHERE contact_id=? AND kind='comment_reply' AND message_id IS NOT NULL LIMIT ?",
        (contact.id, CHUNK),
    ).fetchall()
    _put_stones(conn, contact, [message_id for _, message_id in rows], now)
    gone = conn.executemany(
        "DELETE FROM events WHERE connection_id=? AND dedup_key=? AND verdict='own'",
        [(contact.connection_id, comment_mark(message_id)) for _, message_id in rows],
    )
    conn.executemany("UPDATE outbox SET message_id=NULL WHERE seq=?", [(seq,) for seq, _ in rows])
    return Part(max(0, int(gone.rowcount)), more=bool(rows))


def leave_runs(conn: Connection, contact: Contact, now: datetime) -> Part:
    """Comments of theirs that only their runs know any more."""
    rows = conn.execute(
        "SELECT run_id, comment_id FROM runs WHERE contact_id=? AND comment_id IS NOT NULL LIMIT ?",
        (contact.id, CHUNK),
    ).fetchall()
    part = leave(conn, contact, {comment_id for _, comment_id in rows}, now)
    if part.more:
        return part
    conn.executemany("UPDATE runs SET comment_id=NULL WHERE run_id=?", [(run_id,) for run_id, _ in rows])
    return Part(0, more=bool(rows))


def ours(conn: Connection, whom: Whom, comment_ids: Collection[str]) -> int:
    """How many events tell what the business said below their comments, these among them, or replied to them
    elsewhere."""
    of_runs = conn.execute(
        "SELECT comment_id FROM runs WHERE contact_id=? AND comment_id IS NOT NULL", (whom.contact_id,)
    )
    found = {
        event_id
        for above in {*comment_ids, *(comment_id for (comment_id,) in of_runs)}
        for (event_id,) in conn.execute(
            "SELECT event_id FROM events WHERE connection_id=? AND parent_id=? AND verdict='own'",
            (whom.connection_id, above),
        )
    }
    replies = conn.execute(
        "SELECT event_id FROM events WHERE connection_id=:connection AND verdict='own' AND dedup_key IN"
        " (SELECT 'c:' || message_id FROM outbox WHERE contact_id=:contact AND kind='comment_reply')",
        {"connection": whom.connection_id, "contact": whom.contact_id},
    )
    return len(found.union(event_id for (event_id,) in replies))


def _put_stones(conn: Connection, contact: Contact, comment_ids: Collection[str], now: datetime) -> None:
    hashed = tombstones.hasher(conn, contact.connection_id)
    assert hashed is not None
    said_at = contact.forget_at or now
    for comment_id in comment_ids:
        stone = Tombstone(
            contact.connection_id, hashed(comment_mark(comment_id)), said_at, now, opted_out=False
        )
        tombstones.put(conn, contact.account_id, stone)


# --- comments without an author's id ---------------------------------------------------------------------


def nameless(conn: Connection, whom: Whom) -> list[Told]:
    """Comments until then that Instagram told with their username alone. A name can change hands: a comment belongs
    to whoever was last known by its name then."""
    found = []
    for name in _names(conn, whom):
        rows = conn.execute(
            "SELECT event_id, comment_id, coalesce(occurred_at, received_at) FROM events"
            " WHERE connection_id=? AND igsid IS NULL AND username=? COLLATE NOCASE"
            " AND NOT (verdict='pending' AND coalesce(occurred_at, received_at)>?)",
            (whom.connection_id, name, whom.until_ms),
        ).fetchall()
        if rows:
            owners = _Owners(conn, whom, name)
            found += [Told(event_id, comment_id) for event_id, comment_id, at in rows if owners.theirs(at)]
    return found


def _names(conn: Connection, whom: Whom) -> set[str]:
    """Theirs, in small letters."""
    marks = ",".join("?" * len(whom.igsids))
    rows = conn.execute(
        "SELECT lower(username) FROM contacts WHERE contact_id=? AND username IS NOT NULL"  # noqa: S608 - marks alone
        " UNION SELECT lower(username) FROM events WHERE connection_id=? AND username IS NOT NULL"
        f" AND igsid IN ({marks})",
        (whom.contact_id, whom.connection_id, *whom.igsids),
    )
    return {name for (name,) in rows} | {igsid[1:] for igsid in whom.igsids if igsid.startswith("@")}


class _Owners:
    """Who was known by a name, and when."""

    def __init__(self, conn: Connection, whom: Whom, name: str) -> None:
        marks = ",".join("?" * len(whom.igsids))
        rows = conn.execute(
            f"SELECT coalesce(occurred_at, received_at) AS at, igsid IN ({marks}) FROM events"  # noqa: S608
            " WHERE connection_id=? AND igsid IS NOT NULL AND username=? COLLATE NOCASE"
            " UNION ALL SELECT p.created_at, p.contact_id=? FROM connections k JOIN contacts p"
            " ON p.account_id=k.account_id AND p.connection_id=k.connection_id"
            " WHERE k.connection_id=? AND p.username=? ORDER BY at",
            (*whom.igsids, whom.connection_id, name, whom.contact_id, whom.connection_id, name),
        ).fetchall()
        self._since = [at for at, _ in rows]
        self._theirs = [bool(theirs) for _, theirs in rows]

    def theirs(self, at: int) -> bool:
        """Whether the person is whom the name was last seen with then, or first seen with later."""
        before = bisect_right(self._since, at)
        return not self._since or self._theirs[max(0, before - 1)]
