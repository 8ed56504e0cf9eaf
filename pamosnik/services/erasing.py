"""Beginning a deletion, by a command, a page, the API or Meta; finding whom it is about; telling of it.

What is begun here is carried out by the daemon, or by the command itself (`services.carrying_out`). Every function
that begins gives the id of the deletion, whose receipt (`deletions.load`) tells how far it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound, PamosnikError
from pamosnik.model.contact import known_by_name
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

    @property
    def by_name_alone(self) -> bool:
        """Instagram told no id with what they commented."""
        return self.igsid.startswith("@")


def people(conn: Connection, account_id: str, who: str) -> list[Someone]:
    """Whom a username (also one of before), an Instagram id, or an id of ours or Meta's of something they did or were
    sent names, on each connection. Raises `PamosnikError` when it names more than one person there: a name can have
    changed hands."""
    found = _with_id(conn, account_id, who)
    known = {one.connection.id for one in found}
    for connection_id, name in contacts.known_by_name_alone(conn, account_id, who):
        if connection_id in known or deletions.open_for(conn, connection_id) is not None:
            continue
        # Whoever has an id that the name leads to is that person.
        same = [one for one in _with_id(conn, account_id, name) if one.connection.id == connection_id]
        by_name = known_by_name(name)
        connected = connections.load(conn, connection_id)
        found += same or [Someone(connected, by_name, name, None, frozenset([by_name]))]
    _require_one_each(found, who)
    return found


def _with_id(conn: Connection, account_id: str, who: str) -> list[Someone]:
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


def _require_one_each(found: Sequence[Someone], who: str) -> None:
    for someone in found:
        same = [one for one in found if one.connection.id == someone.connection.id]
        if len(same) > 1:
            names = ", ".join(f"{one.igsid} ({_called_now(one)})" for one in same)
            raise PamosnikError(
                f"{who} is or was the name of {len(same)} people whom {someone.connection.username} knows. Nobody was"
                f" forgotten. They are: {names}.",
                hint=f"Name one by their Instagram id. Try: pamosnik contacts forget {same[0].igsid}",
            )


def _called_now(someone: Someone) -> str:
    return "no name known" if someone.username is None else f"@{someone.username} now"


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
            username=someone.username,
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
