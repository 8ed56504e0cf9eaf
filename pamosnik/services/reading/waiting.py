"""Who waits for a human: automation rests for them, and nobody has answered what they wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.event import EventKind, Verdict
from pamosnik.services.reading.people import Person, by_id
from pamosnik.store import contacts, conversation
from pamosnik.store.accounts import Account
from pamosnik.store.times import instant

LOOKS_BACK = timedelta(days=7)
"""So long after the end of a pause somebody whom nobody answered still counts as waiting."""
AT_MOST = 200
_TURNS = 30
_LEFT_TO_A_HUMAN = frozenset({Verdict.HANDED_OVER, Verdict.PAUSED, Verdict.PENDING})


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of theirs, or of the owner's."""

    at: datetime
    by_owner: bool
    verdict: Verdict
    text: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    person: Person
    since: datetime
    """When they wrote what nobody has answered yet."""
    words: str | None
    """Their last ones; None: something without a text."""
    note: str | None
    """Why they were handed over."""
    asked: bool
    """They were handed over; otherwise they wrote while the owner had the conversation."""

    def in_time(self, now: datetime) -> bool:
        """Whether Instagram takes a message to them."""
        return self.window(now) is not None

    def window(self, now: datetime) -> datetime | None:
        """Until when it does."""
        contact = self.person.contact
        return contact.window_open_until if contact.window_open(now) else None


def number(conn: Connection, account: Account, now: datetime) -> int:
    """Of those who wait; `AT_MOST` are looked at."""
    return len(conversation.waiting(conn, account.id, paused_after=now - LOOKS_BACK, limit=AT_MOST))


def of_account(conn: Connection, account: Account, now: datetime) -> list[Waiting]:
    """Whom a message can reach first, whose window closes soonest at the head; then the others, the longest waiting
    first."""
    ids = conversation.waiting(conn, account.id, paused_after=now - LOOKS_BACK, limit=AT_MOST)
    found = [_waiting(conn, person, now) for person in by_id(conn, account, ids)]
    return sorted(found, key=lambda one: (not one.in_time(now), one.window(now) or one.since))


def _waiting(conn: Connection, person: Person, now: datetime) -> Waiting:
    contact = person.contact
    turns = _turns(conn, contact)
    words = next((turn.text for turn in turns if not turn.by_owner and turn.text), None)
    _, note = contacts.notes(conn, contact.id)
    handed_over = contact.paused_by is PausedBy.HAND_OVER
    return Waiting(person, waits_since(turns) or now, words, note, handed_over)


def _turns(conn: Connection, contact: Contact) -> list[Turn]:
    """The latest first."""
    rows = [
        row
        for igsid in contacts.igsids(conn, contact.id)
        for row in conversation.turns_of_talk(conn, contact.connection_id, igsid, _TURNS)
    ]
    turns = [Turn(instant(at), kind == EventKind.ECHO, Verdict(v), text) for kind, v, at, text in rows]
    by_hand = conversation.last_by_hand(conn, contact.connection_id, contact.id)
    if by_hand is not None:
        turns.append(Turn(by_hand, True, Verdict.NOTED, None))
    return sorted(turns, key=lambda turn: turn.at, reverse=True)


def answered_after(conn: Connection, contact: Contact, moment: datetime) -> datetime | None:
    """When the owner wrote to them last, if that was after the moment."""
    last = next((turn.at for turn in _turns(conn, contact) if turn.by_owner), None)
    return last if last is not None and last > moment else None


def waits_since(turns: Sequence[Turn]) -> datetime | None:
    """When somebody who waits wrote first what nobody has answered; `turns`: the latest first.

    The message with which a flow handed them over has a verdict like any other that flows took; what they wrote
    later says that a human has the conversation.
    """
    since = None
    for turn in turns:
        if turn.by_owner:
            break
        if turn.verdict in _LEFT_TO_A_HUMAN:
            since = turn.at
            continue
        since = since or turn.at
        break
    return since
