"""What the owner writes by hand: to a person inside the window, to who commented, and under a comment.

It goes the way of everything that leaves: one item of the outbox, sent once whatever crashes. No flow says it, so it
passes where flows may not write and does not wait for what flows have yet to say; and it has no line that tells of a
machine. Automation rests for the person as after a message that the owner wrote from the phone. A public reply lets
it go on, as one from the phone does.

Whoever opted out wants no automatic messages. When they have written since, a human may answer; nobody writes to them
first.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.ids import new_id
from pamosnik.instagram import limits
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.event import COMMENTS, Event, EventKind, Verdict
from pamosnik.model.outbox import ItemKind, OutMessage
from pamosnik.services.people import PAUSED_FOR, By
from pamosnik.store import accounts, by_hand, connections, contacts, inbox, outbox
from pamosnik.store.accounts import Account
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.outbox import NewItem

NOBODY_KNOWN = "Instagram told no id of who wrote it: answer in the Instagram app."
UNREACHABLE = "Instagram says that this person cannot receive messages until they write again."


@dataclass(frozen=True, slots=True)
class Replied:
    """What is in the outbox."""

    item_id: str
    contact_id: str
    new: bool
    """False: the same form came a second time, and nothing more is sent."""


def reply(conn: Connection, by: By, contact_id: str, text: str, *, key: str | None = None) -> Replied:
    """A message to somebody whose window is open. Raises `NotFound`, `UsageError` for the text, and `PamosnikError`
    when they cannot be written to.

    `key`: of the form that it was written in; the same text with the same key is sent once.
    """
    contact = contacts.load(conn, contact_id)
    if contact is None or contact.account_id != by.account.id:
        raise NotFound(f"No contact is known by {contact_id}.", hint="Try: pamosnik contacts list")
    item = _item(contact, by, _message(text), key, about=contact.id)
    done = _once(conn, by, item, "reply", why_no_message(contact, by.account, by.now))
    _rest(conn, contact, done, by.now)
    return done


def private_reply(
    conn: Connection, by: By, comment_event_id: str, text: str, *, key: str | None = None
) -> Replied:
    """The one private message that Instagram allows to who commented. Raises likewise."""
    event, contact = commented(conn, by, comment_event_id)
    item = private_item(event, contact, by, _message(text), key)
    done = _once(conn, by, item, "private reply", why_no_private(conn, event, contact, by.now))
    _rest(conn, contact, done, by.now)
    return done


def public_reply(
    conn: Connection, by: By, comment_event_id: str, text: str, *, key: str | None = None
) -> Replied:
    """Under the comment, where everybody reads it. Raises likewise."""
    event, contact = commented(conn, by, comment_event_id)
    # Instagram puts the reply to a reply under the first comment.
    comment_id = event.incoming.parent_id or event.incoming.comment_id
    assert comment_id is not None
    item = replace(
        _item(contact, by, _public(text), key, about=f"{ItemKind.COMMENT_REPLY} {event.id}"),
        kind=ItemKind.COMMENT_REPLY,
        lane=outbox.comment_lane(comment_id, contact.id),
        comment_id=comment_id,
        deadline=None,
    )
    return _once(conn, by, item, "public reply", _why_no_public(event, contact))


# --- what can be done ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ways:
    """How a comment can be answered by hand: for each way None, or why it cannot."""

    private: str | None
    public: str | None
    private_until: datetime
    """When the private reply would be too late."""


def ways(conn: Connection, account: Account, comment_event_id: str, now: datetime) -> Ways | None:
    """None: it is no comment of a person's."""
    event = inbox.load(conn, comment_event_id)
    if event is None or event.account_id != account.id or not _is_comment(event):
        return None
    contact = _who(conn, event)
    private = why_no_private(conn, event, contact, now)
    return Ways(private, _why_no_public(event, contact), _private_until(event))


def why_no_message(contact: Contact, account: Account, now: datetime) -> str | None:
    """Why this person cannot be sent a message; None: they can."""
    until = contact.window_open_until
    if contact.forget_at is not None:
        return "This person is being forgotten."
    if until is None:
        return (
            "They have not written yet: Instagram allows a message to whoever wrote within the last 24 hours."
        )
    if now >= until:
        closed = local_minute(until, account.timezone)
        return f"The 24-hour window closed at {closed}; it opens again when they write."
    if contact.opted_out_at is not None and until - limits.WINDOW <= contact.opted_out_at:
        return "They asked for no more messages, and have written nothing since."
    if contact.unreachable_since is not None:
        return UNREACHABLE
    return None


def why_no_private(conn: Connection, event: Event, contact: Contact | None, now: datetime) -> str | None:
    """Why this comment cannot be answered privately; None: it can. `contact`: its writer, if a flow has met them."""
    refused = _why_nothing(event, contact)
    if refused is not None:
        return refused
    if now >= _private_until(event):
        return (
            "The broadcast is over."
            if event.kind is EventKind.LIVE_COMMENT
            else "The comment is older than 7 days: Instagram allows no private reply any more."
        )
    if event.incoming.verdict is Verdict.PENDING:
        return "It waits for its turn: a flow may answer it yet."
    if contact is None:
        return None
    if contact.opted_out_at is not None:
        return "They asked for no more messages."
    if contact.unreachable_since is not None:
        return UNREACHABLE
    assert event.incoming.comment_id is not None
    before = by_hand.private_reply(conn, contact.id, event.incoming.comment_id)
    if before is not None:
        return f"Instagram allows one private reply to each comment, and the one to this is {before.value}."
    return None


def _why_no_public(event: Event, contact: Contact | None) -> str | None:
    if event.kind is EventKind.LIVE_COMMENT:
        return "Instagram allows no public reply to comments on a live broadcast."
    return _why_nothing(event, contact)


def _why_nothing(event: Event, contact: Contact | None) -> str | None:
    if event.incoming.igsid is None:
        return NOBODY_KNOWN
    if contact is not None and contact.forget_at is not None:
        return "This person is being forgotten."
    return None


def _private_until(event: Event) -> datetime:
    live = event.kind is EventKind.LIVE_COMMENT
    return event.at + (limits.LIVE_PRIVATE_REPLY_WITHIN if live else limits.PRIVATE_REPLY_WITHIN)


# --- who commented ---------------------------------------------------------------------------------------


def commented(conn: Connection, by: By, event_id: str) -> tuple[Event, Contact]:
    """A comment, and who wrote it. Raises `NotFound`, and `PamosnikError` where Instagram told no id."""
    event = inbox.load(conn, event_id)
    if event is None or event.account_id != by.account.id or not _is_comment(event):
        raise NotFound(f"No comment is known by {event_id}.", hint="Try: pamosnik events list")
    contact = _who(conn, event)
    if contact is not None:
        return event, contact
    if event.incoming.igsid is None:
        raise PamosnikError(NOBODY_KNOWN)
    met = contacts.meet(
        conn,
        account_id=event.account_id,
        connection_id=event.connection_id,
        igsid=event.incoming.igsid,
        username=event.incoming.username,
        now=by.now,
    )
    return event, met


def _is_comment(event: Event) -> bool:
    incoming = event.incoming
    theirs = incoming.verdict not in (Verdict.OWN, Verdict.TEST)
    return event.kind in COMMENTS and incoming.comment_id is not None and theirs


def _who(conn: Connection, event: Event) -> Contact | None:
    """Who wrote it; None: somebody whom no flow has met."""
    igsid = event.incoming.igsid
    contact_id = None if igsid is None else contacts.by_igsid(conn, event.connection_id, igsid)
    return None if contact_id is None else contacts.load(conn, contact_id)


# --- what is said ----------------------------------------------------------------------------------------


def _message(text: str) -> str:
    said = _tidied(text)
    size = len(said.encode())
    if size > limits.TEXT_BYTES:
        raise UsageError(
            f"A message can have {limits.TEXT_BYTES} bytes; this one has {size}.",
            hint="Letters with accents take 2 bytes, emoji 4 or more. Send it in two parts.",
        )
    return said


def _public(text: str) -> str:
    said = _tidied(text)
    if len(said) > limits.PUBLIC_REPLY_CHARS:
        raise UsageError(
            f"A public reply can have {limits.PUBLIC_REPLY_CHARS} characters; this one has {len(said)}.",
            hint="Make it shorter.",
        )
    return said


def _tidied(text: str) -> str:
    """Forms send line breaks as two characters."""
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise UsageError("There is nothing to send.", hint="Write something.")
    if "\0" in said or any("\ud800" <= sign <= "\udfff" for sign in said):
        raise UsageError("The text holds characters that cannot be sent.")
    return said


# --- into the outbox -------------------------------------------------------------------------------------


def _item(contact: Contact, by: By, said: str, key: str | None, *, about: str) -> NewItem:
    """A message; `about`: what else tells two items with the same key and text apart."""
    form = "\n".join((contact.id, about, key or new_id(by.now), said))
    return NewItem(
        account_id=contact.account_id,
        connection_id=contact.connection_id,
        contact_id=contact.id,
        source=f"{outbox.BY_OWNER}{hashlib.sha256(form.encode('utf-8', 'replace')).hexdigest()[:32]}",
        turn=0,
        ordinal=0,
        run_id=None,
        flow_id=None,
        step=None,
        kind=ItemKind.MESSAGE,
        lane=outbox.person_lane(contact.id),
        content=OutMessage(text=said),
        igsid=contact.igsid,
        due_at=by.now,
        deadline=contact.window_open_until,
    )


def private_item(event: Event, contact: Contact, by: By, said: str, key: str | None = None) -> NewItem:
    """A private reply to this comment."""
    return replace(
        _item(contact, by, said, key, about=f"{ItemKind.PRIVATE_REPLY} {event.id}"),
        kind=ItemKind.PRIVATE_REPLY,
        comment_id=event.incoming.comment_id,
        deadline=_private_until(event),
        live=event.kind is EventKind.LIVE_COMMENT,
    )


def _once(conn: Connection, by: By, item: NewItem, action: str, refused: str | None) -> Replied:
    """A form that comes again finds its item, and is not refused because of it."""
    before = by_hand.of_form(conn, item.source)
    if before is not None:
        return Replied(before, item.contact_id, new=False)
    if refused is not None:
        raise PamosnikError(refused)
    if connections.load(conn, item.connection_id).status is ConnectionStatus.DISCONNECTED:
        raise PamosnikError("This Instagram account is not connected any more.", hint="Try: pamosnik connect")
    item_id = outbox.add(conn, item, by.now)
    accounts.audit(conn, by.account.id, actor=by.actor, action=action, subject=item_id, now=by.now)
    return Replied(item_id, item.contact_id, new=True)


def _rest(conn: Connection, contact: Contact, done: Replied, now: datetime) -> None:
    """Automation rests for them as after a message from the phone; a longer pause stays."""
    until = now + PAUSED_FOR
    if done.new and (contact.paused_until is None or contact.paused_until < until):
        contacts.pause(conn, contact.id, until, PausedBy.OWNER)
