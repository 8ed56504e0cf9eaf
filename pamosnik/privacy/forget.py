"""Forgetting one person: every row about them, by the register; then the bytes that deleting leaves behind.

`contacts.forget_at` marks who is to be forgotten: no turn, no message of a flow, no broadcast touches them any more.
When nothing of theirs is under way, `erase_some` leaves a tombstone and deletes in short transactions, the contact's
own row last; a kill in between changes nothing, for the mark goes with that row. What they wrote after they had
confirmed stays, unanswered until then: it is the first message of a new person.

Then the eraser rewrites the file and empties the WAL as it does for a whole connection (`store.vacuum`), removes the
copies of upgrades and restores that hold the person, and notes that in the tombstone and in `erasures.log`.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT
from pamosnik.privacy import erase, threads
from pamosnik.privacy.erase import CHUNK
from pamosnik.privacy.subject import REGISTER
from pamosnik.privacy.threads import Part, Told, Whom
from pamosnik.store import accounts, contacts, deletions, tombstones
from pamosnik.store.deletions import Cause
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
    if _erase_comments_and_events(conn, contact, igsids, deletion_id, now):
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
    whom = Whom(connection_id, contact_id, sorted(igsids), None)
    told = {*threads.nameless(conn, whom), *_events(conn, whom, most=-1)}
    return len(told) + threads.ours(
        conn, whom, [one.comment_id for one in told if one.comment_id is not None]
    )


def _erase_comments_and_events(
    conn: Connection, contact: Contact, igsids: Iterable[str], deletion_id: str, now: datetime
) -> bool:
    """The next of what they did, and of what names their comments; False when none is left. What no id leads to comes
    first, for the rows that lead to it go next."""
    whom = Whom(contact.connection_id, contact.id, sorted(igsids), contact.forget_at)
    part = threads.leave_replies(conn, contact, now)
    if not part.more:
        told = threads.nameless(conn, whom)[:CHUNK] or _events(conn, whom, most=CHUNK)
        comments = {one.comment_id for one in told if one.comment_id is not None}
        part = threads.leave(conn, contact, comments, now) if told else threads.leave_runs(conn, contact, now)
        if told and not part.more:
            conn.executemany("DELETE FROM events WHERE event_id=?", [(one.event_id,) for one in told])
            part = Part(len(told), more=True)
    deletions.count(conn, deletion_id, events=part.gone)
    return part.more


def _events(conn: Connection, whom: Whom, *, most: int) -> list[Told]:
    """All but what they did afterwards and nobody has looked at yet."""
    theirs = sorted(INBOUND_MESSAGES | COMMENTS | SILENT)
    kinds, marks = ",".join("?" * len(theirs)), ",".join("?" * len(whom.igsids))
    rows = conn.execute(
        f"SELECT event_id, comment_id FROM events WHERE connection_id=? AND igsid IN ({marks})"  # noqa: S608
        f" AND NOT (verdict='pending' AND kind IN ({kinds}) AND coalesce(occurred_at, received_at)>?) LIMIT ?",
        (whom.connection_id, *whom.igsids, *theirs, whom.until_ms, most),
    )
    return [Told(event_id, comment_id) for event_id, comment_id in rows]
