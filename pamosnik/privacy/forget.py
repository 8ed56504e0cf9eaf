"""Forgetting one person: every row about them, by the register; then the bytes that deleting leaves behind.

`contacts.forget_at` marks who is to be forgotten: no turn, no message of a flow, no broadcast touches them any more.
When nothing of theirs is under way, `erase_some` leaves a tombstone and deletes in short transactions, the contact's
own row last; a kill in between changes nothing, for the mark goes with that row. What they wrote after they had
confirmed stays, unanswered until then: it is the first message of a new person.

Then the eraser rewrites the file and empties the WAL as it does for a whole connection (`store.vacuum`), removes the
copies of upgrades and restores that hold the person, and notes that in the tombstone and in `erasures.log`.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT
from pamosnik.privacy import erase
from pamosnik.privacy.erase import CHUNK
from pamosnik.privacy.subject import REGISTER
from pamosnik.store import accounts, contacts, deletions, tombstones
from pamosnik.store.deletions import Cause
from pamosnik.store.times import ms
from pamosnik.store.tombstones import Tombstone

KEY_BYTES = 32
WAITED_FOR = timedelta(minutes=10)
"""So long for the last message, "it is deleted", to leave."""
SEEN_WITHIN = timedelta(minutes=1)
"""So long for evidence whether it has left, where no answer came: two look-ups."""

_COUNTED = {"outbox": "messages", "runs": "runs"}
"""Tables whose rows the receipt counts; events and people it counts, too."""


def ready(conn: Connection, now: datetime, *, nobody_sends: bool = False) -> list[str]:
    """Contacts whose time has come. `nobody_sends`: no daemon runs, so no request is under way."""
    answered_before = now if nobody_sends else now - erase.ANSWERED_WITHIN
    return contacts.to_forget(
        conn,
        settled_before=now - WAITED_FOR,
        answered_before=answered_before,
        seen_before=now - SEEN_WITHIN,
    )


def erase_some(conn: Connection, contact_id: str, now: datetime) -> bool:
    """Deletes the next rows of a person and counts them in the receipt; False when none is left. Leaves the
    tombstones first, and begins the receipt where the person themselves had asked for it."""
    contact = contacts.load(conn, contact_id)
    if contact is None or contact.forget_at is None:
        return False
    deletion_id = erase.begin_person(conn, contact_id, Cause.FLOW, actor="daemon", now=now)
    igsids = contacts.igsids(conn, contact_id)
    _leave_tombstones(conn, contact, contact.forget_at, igsids, now)
    events = _erase_nameless(conn, contact, igsids) or _erase_events(
        conn, contact.connection_id, igsids, contact.forget_at
    )
    if events:
        deletions.count(conn, deletion_id, events=events)
        return True
    by = {
        "run_id": "run_id IN (SELECT run_id FROM runs WHERE contact_id=:value)",
        "contact_id": "contact_id=:value",
    }
    for column, where in by.items():
        for name, table in REGISTER.items():
            # What hangs on runs first, then runs; the person at the very end.
            if table.person_key == column and name != "contacts":
                gone = erase.delete_where(conn, name, where, contact_id, CHUNK)
                if gone and name in _COUNTED:
                    deletions.count(conn, deletion_id, **{_COUNTED[name]: gone})
                if gone:
                    return True
    conn.execute("DELETE FROM contacts WHERE contact_id=?", (contact_id,))
    deletions.count(conn, deletion_id, people=1)
    deletions.rows_gone(conn, deletion_id, now)
    accounts.audit(
        conn, contact.account_id, actor="daemon", action="person forgotten", subject=contact_id, now=now
    )
    return False


def _leave_tombstones(
    conn: Connection, contact: Contact, said_at: datetime, igsids: Iterable[str], now: datetime
) -> None:
    if tombstones.key(conn, contact.account_id) is None:
        tombstones.put_key(conn, contact.account_id, secrets.token_bytes(KEY_BYTES))
    hashed = tombstones.hasher(conn, contact.connection_id)
    assert hashed is not None
    stays = contact.opted_out_at is not None
    for igsid in igsids:
        stone = Tombstone(contact.connection_id, hashed(igsid), said_at, now, stays)
        tombstones.put(conn, contact.account_id, stone)


def events_of(conn: Connection, connection_id: str, contact_id: str, igsids: Iterable[str]) -> int:
    """How many events a deletion that begins now would delete. `contact_id`: '' when there is no contact."""
    conditions, values = _events_by(connection_id, contact_id, igsids)
    union = " UNION ".join(f"SELECT event_id FROM events WHERE {one}" for one in conditions)  # noqa: S608 - our own
    (found,) = conn.execute(f"SELECT count(*) FROM ({union})", values).fetchone()  # noqa: S608
    return int(found)


def _events_by(
    connection_id: str, contact_id: str, igsids: Iterable[str]
) -> tuple[Sequence[str], dict[str, str]]:
    """Conditions for the events that go with a person, and their values: two for what no id leads to
    (`_erase_nameless`), then what their ids lead to, and what the business said below it (`_erase_events`)."""
    ids = {f"id{n}": igsid for n, igsid in enumerate(sorted(igsids))}
    theirs = f"igsid IN ({','.join(f':{name}' for name in ids)})"
    conditions = (
        f"igsid IS NULL AND username IN (SELECT username FROM contacts WHERE contact_id=:contact"  # noqa: S608
        f" UNION SELECT username FROM events WHERE connection_id=:connection AND {theirs})",
        "verdict='own' AND dedup_key IN (SELECT 'c:' || message_id FROM outbox WHERE contact_id=:contact"
        " AND kind='comment_reply' AND message_id IS NOT NULL)",
        theirs,
        "verdict='own' AND parent_id IN"  # noqa: S608
        f" (SELECT comment_id FROM events WHERE connection_id=:connection AND {theirs})",
    )
    of_connection = [f"connection_id=:connection AND {one}" for one in conditions]
    return of_connection, {**ids, "connection": connection_id, "contact": contact_id}


def _erase_nameless(conn: Connection, contact: Contact, igsids: Iterable[str]) -> int:
    """What no id leads to: comments that Instagram told with their username alone, and what the business replied to
    them in somebody else's thread, which stands below that one's comment. First of all, for the rows that lead to it
    go next."""
    (by_name, replies, *_), values = _events_by(contact.connection_id, contact.id, igsids)
    return sum(
        conn.execute(
            f"DELETE FROM events WHERE event_id IN (SELECT event_id FROM events WHERE {condition} LIMIT {CHUNK})",  # noqa: S608
            values,
        ).rowcount
        for condition in (by_name, replies)
    )


def _erase_events(conn: Connection, connection_id: str, igsids: Iterable[str], said_at: datetime) -> int:
    """All but what they did afterwards and nobody has looked at yet; and what names their comments."""
    theirs = sorted(INBOUND_MESSAGES | COMMENTS | SILENT)
    kinds, ids = ",".join("?" * len(theirs)), sorted(igsids)
    marks = ",".join("?" * len(ids))
    rows = conn.execute(
        f"SELECT event_id, comment_id FROM events WHERE connection_id=? AND igsid IN ({marks})"  # noqa: S608
        f" AND NOT (verdict='pending' AND kind IN ({kinds}) AND coalesce(occurred_at, received_at)>?) LIMIT ?",
        (connection_id, *ids, *theirs, ms(said_at), CHUNK),
    ).fetchall()
    for comment_id in {comment_id for _, comment_id in rows if comment_id is not None}:
        _leave_comment(conn, connection_id, comment_id)
    conn.executemany("DELETE FROM events WHERE event_id=?", [(event_id,) for event_id, _ in rows])
    return len(rows)


def _leave_comment(conn: Connection, connection_id: str, comment_id: str) -> None:
    """What the business said below it goes, too, for it may name them; what others said stays without its id."""
    below = (connection_id, comment_id)
    conn.execute("DELETE FROM events WHERE connection_id=? AND parent_id=? AND verdict='own'", below)
    conn.execute("UPDATE events SET parent_id=NULL WHERE connection_id=? AND parent_id=?", below)
