"""What the page of a person shows, read on one snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.model.book import FieldSpec
from pamosnik.model.contact import Contact
from pamosnik.services import people, replying
from pamosnik.services.reading import conversation as conversation_reading
from pamosnik.services.reading import people as people_reading
from pamosnik.services.reading import runs as run_reading
from pamosnik.services.reading.conversation import Conversation
from pamosnik.services.reading.people import Person
from pamosnik.services.reading.runs import Run
from pamosnik.store import contacts, conversation, inbox
from pamosnik.store.accounts import Account

LINES = 60
RUNS = 10
_COMMENTS = 3


@dataclass(frozen=True, slots=True)
class Comment:
    """One that can be answered in private by hand."""

    event_id: str
    text: str | None


@dataclass(frozen=True, slots=True)
class PersonView:
    person: Person
    note: str | None
    paused_note: str | None
    conversation: Conversation
    runs: Sequence[Run]
    no_message: str | None
    """Why they cannot be sent a message; None: they can."""
    comment: Comment | None
    """Where they cannot."""
    fields: Mapping[str, FieldSpec]
    """Those that can be set."""


def of(
    conn: Connection, *, account: Account, contact_id: str, before: str | None, now: datetime
) -> PersonView:
    """`before`: from a part of the conversation. Raises `NotFound`."""
    contact = contacts.load(conn, contact_id)
    if contact is None or contact.account_id != account.id:
        raise NotFound(f"No contact is known by {contact_id}.")
    (person,) = people_reading.by_id(conn, account, [contact_id])
    note, paused_note = contacts.notes(conn, contact_id)
    no_message = replying.why_no_message(contact, account, now)
    return PersonView(
        person=person,
        note=note,
        paused_note=paused_note,
        conversation=conversation_reading.part(conn, account, contact, limit=LINES, before=before),
        runs=run_reading.of_person(conn, contact_id, limit=RUNS),
        no_message=no_message,
        comment=None if no_message is None else _comment(conn, account, contact, now),
        fields=people.declared_fields(conn, account),
    )


def _comment(conn: Connection, account: Account, contact: Contact, now: datetime) -> Comment | None:
    """The latest that a private reply is possible to."""
    found = conversation.comments(conn, contact.connection_id, contact.igsid, _COMMENTS)
    for event_id in found:
        ways, event = replying.ways(conn, account, event_id, now), inbox.load(conn, event_id)
        if ways is not None and ways.private is None and event is not None:
            return Comment(event_id, event.incoming.text)
    return None
