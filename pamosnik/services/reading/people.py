"""Who wrote, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.model.contact import Contact
from pamosnik.model.event import COMMENTS
from pamosnik.services.reading.connections import usernames
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import contacts, conversation, people
from pamosnik.store.accounts import Account
from pamosnik.store.people import Wanted

_COMMENTS = {kind.value for kind in COMMENTS}


@dataclass(frozen=True, slots=True)
class Person:
    contact: Contact
    connection: str | None
    """The username of the account that they write with."""

    @property
    def id(self) -> str:
        return self.contact.id

    def shape(self) -> Shape:
        contact = self.contact
        return {
            "id": contact.id,
            "username": contact.username,
            "igsid": contact.igsid,
            "name": contact.name,
            "follows_me": contact.follows_me,
            "verified": contact.verified,
            "followers": contact.followers,
            "facts_at": iso(contact.looked_up_at),
            "facts_problem": contact.look_up_problem,
            "tags": sorted(contact.tags),
            "fields": dict(sorted(contact.fields.items())),
            "window_open_until": iso(contact.window_open_until),
            "opted_out": contact.opted_out_at is not None,
            "unreachable": contact.unreachable_since is not None,
            "paused_until": iso(contact.paused_until),
            "connection": self.connection,
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """A person in a list, with what they said last."""

    person: Person
    at: datetime
    """When they were heard from."""
    words: str | None
    """None: something without a text, or nothing that is kept."""
    commented: bool
    """Those are words of a comment."""

    @property
    def id(self) -> str:
        return self.person.id


def listed(
    conn: Connection,
    account: Account,
    which: Wanted,
    *,
    now: datetime,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[Heard]:
    """Those who are wanted, heard from last first; `before` (heard from, id): whoever comes after that one."""
    ids = people.newest(conn, account.id, which, limit=limit, before=before)
    return [_heard(conn, person, now) for person in by_id(conn, account, ids)]


def _heard(conn: Connection, person: Person, now: datetime) -> Heard:
    said = conversation.last_words(conn, person.contact.connection_id, person.contact.igsid)
    kind, words = (None, None) if said is None else said
    return Heard(person, contacts.last_seen(conn, person.id) or now, words, kind in _COMMENTS)


def newest(
    conn: Connection,
    account: Account,
    *,
    limit: int | None,
    since: datetime | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[Person]:
    """Whoever was heard from last first; `before` (heard from, id): whoever comes after that one."""
    ids = people.newest(conn, account.id, Wanted(since=since), limit=limit, before=before)
    return by_id(conn, account, ids)


def of_connection(
    conn: Connection, account: Account, connection_id: str, which: Wanted, *, after: str, limit: int
) -> list[Person]:
    """In the order of their IGSIDs, after this one: it does not change while somebody reads part after part."""
    return by_id(conn, account, people.of_connection(conn, connection_id, which, after=after, limit=limit))


def by_id(conn: Connection, account: Account, ids: Sequence[str]) -> list[Person]:
    """In this order."""
    names = usernames(conn, account)
    found = (contacts.load(conn, contact_id) for contact_id in ids)
    return [Person(contact, names.get(contact.connection_id)) for contact in found if contact is not None]


def named(conn: Connection, account: Account, who: str) -> list[Person]:
    """Everybody that `@username`, an IGSID or an id names, the one heard from last first: one for each connection."""
    names = usernames(conn, account)
    found = [contacts.load(conn, contact_id) for contact_id in contacts.find(conn, account.id, who)]
    if not found:
        raise NotFound(f"No contact is known by {who}.", hint="Try: pamosnik contacts list")
    return [Person(contact, names.get(contact.connection_id)) for contact in found if contact is not None]
