"""Beginning a deletion, by a command, a page, the API or Meta; finding whom it is about; telling of it.

What is begun here is carried out by the daemon, or by the command itself (`services.carrying_out`). Every function
that begins gives the id of the deletion, whose receipt (`deletions.load`) tells how far it is.
"""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.privacy import erase
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections, consents, contacts, deletions
from pamosnik.store.connections import Connected
from pamosnik.store.consents import How, What
from pamosnik.store.deletions import Cause, MetaTold, Receipt

_HOW = {Cause.COMMAND: How.COMMAND, Cause.PAGE: How.PAGE}
"""Where the holder withdrew their consent; otherwise in Instagram."""

_REMOVE_THERE = (
    "Nothing is received all the same. To end it there: remove the app in Instagram's settings (Website permissions →"
    " Apps and websites)."
)
META_TOLD = {
    MetaTold.NONE: "there was nothing to tell",
    MetaTold.DUE: "not yet",
    MetaTold.TOLD: "told, and it agreed",
    MetaTold.REFUSED: f"it refused. {_REMOVE_THERE}",
    MetaTold.UNREACHABLE: f"it could not be reached. {_REMOVE_THERE}",
}
"""Whether Meta knows that nothing more is wanted, for people."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A person as one connection knows them, perhaps by events alone."""

    connection: Connected
    igsid: str
    username: str | None
    contact_id: str | None
    igsids: frozenset[str]
    """All ids that Meta knows them by."""


def people(conn: Connection, account_id: str, who: str) -> list[Someone]:
    """Everybody whom a username (also one of before), an Instagram id, or an id of ours or Meta's of something they
    did or were sent names."""
    connected = {one.id: one for one in connections.of_account(conn, account_id)}
    found = []
    for connection_id, igsid in contacts.known_as(conn, account_id, who):
        if deletions.open_for(conn, connection_id) is not None:
            continue  # they go with all of it
        contact_id = contacts.by_igsid(conn, connection_id, igsid)
        contact = None if contact_id is None else contacts.load(conn, contact_id)
        username = None if contact is None else contact.username
        igsids = frozenset([igsid]) if contact is None else contacts.igsids(conn, contact.id)
        found.append(Someone(connected[connection_id], igsid, username, contact_id, igsids))
    return found


def begin_forget(conn: Connection, someone: Someone, *, cause: Cause, actor: str, now: datetime) -> str:
    """From this commit on nothing touches the person, and all that they did until now goes. Raises `NotFound` when
    another command or the page was faster."""
    contact_id = someone.contact_id
    if contact_id is not None and contacts.load(conn, contact_id) is None:
        raise NotFound("This person is forgotten already.", hint="Try: pamosnik contacts list")
    if contact_id is None:
        contact_id = contacts.meet(
            conn,
            account_id=someone.connection.account_id,
            connection_id=someone.connection.id,
            igsid=someone.igsid,
            username=None,
            now=now,
        ).id
    return erase.begin_person(conn, contact_id, cause, actor=actor, now=now)


def begin_disconnect(conn: Connection, connection_id: str, *, cause: Cause, actor: str, now: datetime) -> str:
    """The holder withdraws their consent: from this commit on nothing is taken in or sent, and all data of the
    connection goes. Raises `NotFound` when another command or the page was faster."""
    if not connections.exists(conn, connection_id):
        raise NotFound("This connection is deleted already.", hint="Try: pamosnik connections list")
    if deletions.open_for(conn, connection_id) is None:
        account_id = connections.load(conn, connection_id).account_id
        how = _HOW.get(cause, How.INSTAGRAM)
        consents.note(conn, account_id, What.DISCONNECT, how, now, connection_id=connection_id)
    return erase.begin_connection(conn, connection_id, cause, actor=actor, now=now)


def begin_delete_account(
    conn: Connection, account_id: str, *, cause: Cause, actor: str, now: datetime
) -> str:
    """From this commit on nobody logs in, and everything of the account goes, its connections first."""
    return erase.begin_account(conn, account_id, cause, actor=actor, now=now)


def named(conn: Connection, account_id: str, name: str) -> Connected | None:
    """The connection of this username, Instagram id or id of ours."""
    wanted = name.removeprefix("@").casefold()
    for connected in connections.of_account(conn, account_id):
        if wanted in (connected.username.casefold(), connected.ig_id, connected.id.casefold()):
            return connected
    return None


def receipt(found: Receipt) -> Shape:
    """A receipt in the JSON contract."""
    return {
        "id": found.id,
        "scope": found.scope.value,
        "cause": found.cause.value,
        "began_at": iso(found.began_at),
        "ended_at": iso(found.ended_at),
        "people": found.people,
        "events": found.events,
        "runs": found.runs,
        "messages": found.messages,
        "meta": found.meta.value,
    }
