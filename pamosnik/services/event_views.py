"""One event, for somebody who wants to know what happened: what Meta sent, why it ended as it did, what came of it,
and what can be done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.model.contact import Contact
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, Incoming, Verdict
from pamosnik.model.event import Event as Stored
from pamosnik.services import explaining, missed, replaying, replying
from pamosnik.services.explaining import Why
from pamosnik.services.library import Library
from pamosnik.services.reading import conversation, events, runs, step_words
from pamosnik.services.reading.conversation import Line
from pamosnik.services.reading.events import Event
from pamosnik.services.reading.runs import Run, Turn
from pamosnik.store import contacts, inbox, reads
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.flows import Told


@dataclass(frozen=True, slots=True)
class ByHand:
    """One way in which the owner may answer; offered where something can be done, or could have been."""

    way: str
    """`message`, `private` or `public`."""
    against: str | None
    """Why it cannot be done now; None: it can."""
    until: datetime | None
    """Until when it can; None: there is no end to it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Trying it again with the flows of now."""

    against: str | None
    """Why it cannot be done; None: it can."""
    taken_by: str | None
    """The flow whose words take it now, as far as words tell."""


@dataclass(frozen=True, slots=True)
class View:
    event: Event
    told: Incoming
    """What Meta sent."""
    received_at: datetime
    why: Why
    post: Told | None
    """Of a comment or a shared post, where Instagram told of it."""
    run: Run | None
    turns: Sequence[Turn]
    steps: Mapping[str, str]
    """Of the run: path → what the flow's picture calls it."""
    person: Contact | None
    older: str | None
    """The same person's event before it."""
    newer: str | None
    by_hand: Sequence[ByHand]
    again: Again | None
    """Offered where nothing answered it."""
    own_replies: Sequence[Line]
    """What the owner wrote below it in the Instagram app."""


def of_id(conn: Connection, account: Account, event_id: str, now: datetime, library: Library) -> View:
    """Raises `NotFound` for what is no event's id."""
    event = events.by_id(conn, account, event_id)
    stored = inbox.load(conn, event.id)
    assert stored is not None
    told = stored.incoming
    ran = None if event.run is None else runs.by_id(conn, account, event.run)
    person = _writer(conn, stored)
    media_id = told.media_id
    return View(
        event=event,
        told=told,
        received_at=stored.received_at,
        why=explaining.why(conn, account, event.id, now),
        post=None if media_id is None else flow_store.told(conn, stored.connection_id, media_id),
        run=None if ran is None else ran[0],
        turns=() if ran is None else ran[1],
        steps={} if ran is None else _steps(conn, account, ran[0]),
        person=person,
        older=reads.beside(conn, event.id, older=True),
        newer=reads.beside(conn, event.id, older=False),
        by_hand=_by_hand(conn, account, event, person, now),
        again=_again(conn, account, library, stored, now),
        own_replies=_own_replies(conn, stored),
    )


def _steps(conn: Connection, account: Account, run: Run) -> Mapping[str, str]:
    return step_words.of_version(conn, account, run.flow, run.version)


def _own_replies(conn: Connection, stored: Stored) -> Sequence[Line]:
    comment_id = stored.incoming.comment_id
    if stored.kind not in COMMENTS or comment_id is None:
        return ()
    return conversation.own_replies(conn, stored.connection_id, [comment_id])


def _again(
    conn: Connection, account: Account, library: Library, stored: Stored, now: datetime
) -> Again | None:
    if stored.incoming.verdict not in replaying.UNANSWERED:
        return None
    against = replaying.why_not(conn, account, stored, now)
    return Again(against, missed.takes_now(conn, account, library, stored, now))


def writer(conn: Connection, account: Account, event_id: str) -> Contact:
    """Whose message this is. Raises `NotFound`."""
    stored = inbox.load(conn, event_id)
    person = None if stored is None or stored.kind not in INBOUND_MESSAGES else _writer(conn, stored)
    if person is None or person.account_id != account.id:
        raise NotFound(f"No message is known by {event_id}.", hint="Try: pamosnik events list")
    return person


def _writer(conn: Connection, stored: Stored) -> Contact | None:
    """None: no flow has met them."""
    igsid = stored.incoming.igsid
    contact_id = None if igsid is None else contacts.by_igsid(conn, stored.connection_id, igsid)
    return None if contact_id is None else contacts.load(conn, contact_id)


def _by_hand(
    conn: Connection, account: Account, event: Event, person: Contact | None, now: datetime
) -> Sequence[ByHand]:
    if event.verdict in (Verdict.OWN, Verdict.TEST):
        return ()
    if event.kind in COMMENTS:
        ways = replying.ways(conn, account, event.id, now)
        if ways is None:
            return ()
        return (
            ByHand("private", ways.private, ways.private_until),
            ByHand("public", ways.public, None),
        )
    if event.kind in INBOUND_MESSAGES and person is not None:
        against = replying.why_no_message(person, account, now)
        return (ByHand("message", against, person.window_open_until),)
    return ()
