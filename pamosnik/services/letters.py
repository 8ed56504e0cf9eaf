"""Mails that flows send to the owner: what stands in them, and their way into the outbox.

They leave at least once: a crash between the server's answer and the commit can repeat one. A repeated one has the
same Message-ID, by which mail programs know it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.outbox import ItemKind, OutMessage
from pamosnik.store import accounts, connections, outbox

Task = Mapping[str, str]
"""`subject`, `text`, and `to` when it is not the account's address."""

_SUBJECT_CHARS = 100


def note(conn: Connection, contact: Contact, flow_id: str, text: str, to: str | None) -> Task:
    """What `notify_me` says."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    body = f"{text}\n\n{_about(conn, contact, flow_id)}\n"
    return {"subject": f"Pamosnik: {_short(first)}", "text": body, **({} if to is None else {"to": to})}


def hand_over(
    conn: Connection, contact: Contact, flow_id: str | None, note: str | None, until: datetime
) -> Task:
    """A human is wanted."""
    account = accounts.load(conn, contact.account_id)
    assert account is not None
    who = _name(contact)
    why = f"{who} asked for a human." if flow_id is None else f"The flow {flow_id} hands {who} over to you."
    paragraphs = [
        why if note is None else f"{why}\n\nNote: {note}",
        "Answer in the Instagram app. Pamosnik writes nothing to this person until"
        f" {local_minute(until, account.timezone)} ({account.timezone}).",
        _about(conn, contact, flow_id),
    ]
    return {"subject": f"Pamosnik: {_short(who)} waits for you", "text": "\n\n".join(paragraphs) + "\n"}


def is_news(contact: Contact, now: datetime) -> bool:
    """Whether a hand-over is worth a mail: not while this person is handed over already."""
    paused = contact.paused_until is not None and now < contact.paused_until
    return not (paused and contact.paused_by is PausedBy.HAND_OVER)


def put(conn: Connection, task: Task, new: outbox.NewItem, now: datetime) -> None:
    """In a lane of its own: it waits for nobody, and nobody waits for it."""
    lane = f"e:{new.source}:{new.turn}:{new.ordinal}"
    mail = replace(new, kind=ItemKind.EMAIL, lane=lane, content=OutMessage(), deadline=None, task=task)
    outbox.add(conn, mail, now)


def _about(conn: Connection, contact: Contact, flow_id: str | None) -> str:
    connected = connections.load(conn, contact.connection_id)
    flow = "" if flow_id is None else f", flow: {flow_id}"
    return f"Person: {_name(contact)}, Instagram account: {connected.username}{flow}"


def _name(contact: Contact) -> str:
    return f"@{contact.username}" if contact.username else f"the person with the Instagram id {contact.igsid}"


def _short(text: str) -> str:
    return text if len(text) <= _SUBJECT_CHARS else f"{text[: _SUBJECT_CHARS - 1].rstrip()}…"
