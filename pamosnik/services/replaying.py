"""An event tried again with the flows of now: somebody wrote PRCIE and only now a flow has that word, a flow was
paused and goes on, or a mistake was mended.

It gets a turn as when it came, with the same rules and guards, and keeps the verdict it has unless something comes of
it. Beyond them: Instagram still has to allow an answer, nobody has answered since, and what somebody said before a
question was asked does not answer that question.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.instagram import limits
from pamosnik.model.contact import Contact
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT, Event, Verdict
from pamosnik.model.words import fold, trim
from pamosnik.services import answering, arrivals, replying
from pamosnik.services.library import Library
from pamosnik.services.missed import without_time
from pamosnik.services.numbers import day_of
from pamosnik.services.people import By
from pamosnik.services.posts import posts_of
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading.waiting import answered_after
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, connections, contacts, event_lists, inbox, runs
from pamosnik.store.accounts import Account
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.database import attempt
from pamosnik.store.event_lists import EventFilter

UNANSWERED = frozenset({Verdict.NO_MATCH, Verdict.FILTERED, Verdict.ERROR})
TAKEN = frozenset({Verdict.STARTED, Verdict.RESUMED, Verdict.PAUSED, Verdict.HANDED_OVER})
"""Tried again only for whoever says so."""
_ANSWERABLE = COMMENTS | INBOUND_MESSAGES | SILENT
_GOES_ON = frozenset({Verdict.STARTED, Verdict.RESUMED, Verdict.PENDING})
_WORDS_HEARD = frozenset({Verdict.OPTED_OUT, Verdict.HANDED_OVER})
"""STOP and words for a human, which may be new words, too."""
AT_ONCE = 50
"""People on one page."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it, or would come of it."""

    event_id: str
    verdict: str
    """As it is now: where nothing came of it, what it was before."""
    flow: str | None
    run: str | None
    tried: bool
    """False: nothing came of it, and `reason` says why."""
    reason: str

    def shape(self) -> Shape:
        return {
            "id": self.event_id,
            "verdict": self.verdict,
            "flow": self.flow,
            "run": self.run,
            "tried": self.tried,
            "reason": self.reason,
        }


def replay(
    conn: Connection,
    library: Library,
    by: By,
    event_id: str,
    *,
    taken_too: bool = False,
    only_flow: str | None = None,
    dry_run: bool = False,
) -> Replayed:
    """`taken_too`: also what a flow or a human has answered. `only_flow`: if this flow takes it. `dry_run`: what
    would come of it. Raises `NotFound`."""
    before = event_reading.by_id(conn, by.account, event_id)
    stored = inbox.load(conn, event_id)
    assert stored is not None

    def left(reason: str) -> Replayed:
        return Replayed(event_id, before.verdict, before.flow, before.run, tried=False, reason=reason)

    against = why_not(conn, by.account, stored, by.now, taken_too=taken_too)
    if against is not None:
        return left(against)

    def turn() -> Replayed:
        _take_again(conn, library, by, stored)
        now = event_reading.by_id(conn, by.account, event_id)
        against = _against(conn, by.account, stored, now, taken_too=taken_too, only_flow=only_flow)
        if against is not None:
            return left(against)
        accounts.audit(
            conn, by.account.id, actor=by.actor, action="events replay", subject=event_id, now=by.now
        )
        return Replayed(event_id, now.verdict, now.flow, now.run, tried=True, reason=_told(now))

    return attempt(conn, turn, stays=lambda done: done.tried and not dry_run)


def why_not(
    conn: Connection, account: Account, event: Event, now: datetime, *, taken_too: bool = False
) -> str | None:
    """What is against trying an event again; None: nothing, as far as can be said without the flows."""
    if event.account_id != account.id or event.kind not in _ANSWERABLE:
        return "It is nothing that flows answer."
    verdict = event.incoming.verdict
    if verdict not in UNANSWERED and not (taken_too and verdict in TAKEN):
        return _WHY_NOT[verdict]
    if event.incoming.igsid is None:
        return replying.NOBODY_KNOWN
    connected = connections.load(conn, event.connection_id)
    if connected.status is not ConnectionStatus.ACTIVE:
        return f"@{connected.username} cannot send now: its connection is {connected.status.value}."
    contact_id = contacts.by_igsid(conn, event.connection_id, event.incoming.igsid)
    contact = None if contact_id is None else contacts.load(conn, contact_id)
    return _person(conn, account, event, contact, now, taken_too=taken_too)


_WHY_NOT = {
    Verdict.STARTED: "A flow has taken it.",
    Verdict.RESUMED: "A flow has gone on with it.",
    Verdict.PAUSED: "It was left to you: you wrote with this person.",
    Verdict.HANDED_OVER: "It was left to a human.",
    Verdict.OPTED_OUT: "This person asked for no more messages.",
    Verdict.PENDING: "It waits for its turn.",
    Verdict.NOTED: "It was noted; it asks for no answer.",
    Verdict.OWN: "It is the account's own.",
    Verdict.TEST: "It is a test of Meta's dashboard.",
    Verdict.DUPLICATE: "It was told twice, and is kept once.",
    Verdict.UNSUPPORTED: "This version does not understand it.",
}


def _person(
    conn: Connection,
    account: Account,
    event: Event,
    contact: Contact | None,
    now: datetime,
    *,
    taken_too: bool,
) -> str | None:
    if contact is not None:
        if contact.forget_at is not None:
            return "This person is being forgotten."
        if contact.opted_out_at is not None:
            return "They asked for no more messages; only START undoes it."
        if contact.paused_until is not None and now < contact.paused_until:
            until = local_minute(contact.paused_until, account.timezone)
            return f"Automation rests for this person until {until}. Let it go on first."
    if event.kind in COMMENTS:
        refused = replying.why_no_private(conn, event, contact, now)
    elif contact is None:
        refused = "Nothing is known of this person any more."
    else:
        refused = replying.why_no_message(contact, account, now)
    if refused is not None or contact is None or taken_too:
        return refused
    answered = answered_after(conn, contact, event.at)
    return None if answered is None else f"You wrote to them on {local_minute(answered, account.timezone)}."


def _take_again(conn: Connection, library: Library, by: By, event: Event) -> None:
    """As when it came. It is taken out of the numbers until it has its new verdict."""
    day = day_of(event.decided_at or event.received_at, by.account.timezone)
    arrivals.count(conn, event, event.incoming.verdict, day, n=-1)
    inbox.reopen(conn, event.id)
    if posts_of(conn, library.catalog(conn, event.account_id), event).untold:
        return  # the daemon asks Instagram which post it is
    answering.take_event(conn, library, event.id, by.now)


def _against(
    conn: Connection,
    account: Account,
    event: Event,
    now: event_reading.Event,
    *,
    taken_too: bool,
    only_flow: str | None,
) -> str | None:
    """What is against leaving it as its turn made it; `event`: as it was before."""
    verdict = Verdict(now.verdict)
    heard = verdict in _WORDS_HEARD and verdict is not event.incoming.verdict
    if verdict not in _GOES_ON and not heard:
        reason = now.reason or "nothing is to be done"
        return f"{now.flow} does not take it: {reason}." if now.flow else f"{reason[0].upper()}{reason[1:]}."
    if only_flow is not None and now.flow != only_flow:
        return f"{now.flow or 'No flow'} takes it, not {only_flow}."
    if verdict is not Verdict.STARTED or taken_too or now.flow is None:
        return None
    assert event.incoming.igsid is not None
    contact_id = contacts.by_igsid(conn, event.connection_id, event.incoming.igsid)
    begun = [] if contact_id is None else runs.begun_since(conn, contact_id, now.flow, event.at)
    others = [at for run_id, at in begun if run_id != now.run]
    if not others:
        return None
    return f"{now.flow} has begun for them since, on {local_minute(others[0], account.timezone)}."


def _told(event: event_reading.Event) -> str:
    match Verdict(event.verdict):
        case Verdict.STARTED:
            return f"{event.flow} begins: {event.reason}."
        case Verdict.RESUMED:
            return f"{event.flow} goes on: {event.reason}."
        case Verdict.PENDING:
            return "It is answered as soon as Instagram has told what a flow asks."
        case _:
            return f"{event.reason or event.verdict}."


# --- several ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """What nothing answered and belongs together; None: whatever it is."""

    kind: str | None = None
    """Of events: `comment`, `message`, …"""
    words: str | None = None
    """As a whole, whichever way they are written."""
    connection: str | None = None
    """A username."""
    flow: str | None = None
    """Which refused it."""
    reason: str | None = None
    """For which it did, as `missed` groups them."""


def of_group(
    conn: Connection, account: Account, group: Group, since: datetime, *, most: int = event_lists.LOOKED_AT
) -> list[event_reading.Event]:
    """The latest of each person's, the newest first."""
    wanted = EventFilter(verdicts=UNANSWERED, flow_id=group.flow, since=since)
    walked = event_lists.walk(conn, account.id, wanted, limit=most, most=most)
    fits = _fits(group)
    found: dict[tuple[str, str | None], event_reading.Event] = {}
    for row in walked.rows:
        event = event_reading.of_row(row)
        if fits(event):
            found.setdefault((event.connection, event.igsid), event)
    return list(found.values())


def _fits(group: Group) -> Callable[[event_reading.Event], bool]:
    words = None if group.words is None else trim(fold(group.words))

    def fits(event: event_reading.Event) -> bool:
        return (
            (group.kind is None or event.kind == group.kind)
            and (group.connection is None or event.connection == group.connection)
            and (group.reason is None or without_time(event.reason or "") == group.reason)
            and (words is None or (event.text is not None and trim(fold(event.text)) == words))
        )

    return fits


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of a group, before it is tried again."""

    event: event_reading.Event
    against: str | None
    """Why it cannot be; None: it can."""


def candidates(
    conn: Connection, account: Account, group: Group, now: datetime
) -> tuple[list[Candidate], int]:
    """The first of a group, and how many are left out."""
    events = of_group(conn, account, group, now - limits.PRIVATE_REPLY_WITHIN)
    found = []
    for event in events[:AT_ONCE]:
        stored = inbox.load(conn, event.id)
        assert stored is not None
        found.append(Candidate(event, why_not(conn, account, stored, now)))
    return found, len(events) - len(found)
