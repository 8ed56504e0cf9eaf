"""What came in, for somebody who looks for some of it: by what it is, what became of it, where, when, in its words.

What cannot be meant (a post that nobody has commented on, a day that is none) finds nothing; it is no mistake.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.ids import is_id
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT, EventKind, Verdict
from pamosnik.model.words import fold
from pamosnik.services.reading import events
from pamosnik.services.reading.events import Event
from pamosnik.store import connections, contacts, event_lists, inbox, reads
from pamosnik.store.accounts import Account
from pamosnik.store.event_lists import LOOKED_AT, EventFilter, Walked

ROWS = 50
FROM_PEOPLE = COMMENTS | INBOUND_MESSAGES | SILENT
KINDS: Mapping[str, frozenset[EventKind]] = {
    "comments": COMMENTS,
    "messages": INBOUND_MESSAGES,
    "other": frozenset(EventKind) - COMMENTS - INBOUND_MESSAGES,
}
"""Groups of kinds, by the words of addresses. Without one: what people did."""
VERDICTS: Mapping[str, frozenset[Verdict]] = {
    "answered": frozenset({Verdict.STARTED, Verdict.RESUMED}),
    "unanswered": frozenset(
        {Verdict.NO_MATCH, Verdict.FILTERED, Verdict.PAUSED, Verdict.HANDED_OVER, Verdict.OPTED_OUT}
    ),
    "waiting": frozenset({Verdict.PENDING}),
    "errors": frozenset({Verdict.ERROR, Verdict.UNSUPPORTED}),
    "noted": frozenset({Verdict.NOTED, Verdict.OWN, Verdict.TEST, Verdict.DUPLICATE}),
}
"""Every verdict is in one group."""
_NOT_OWN = frozenset(Verdict) - {Verdict.OWN}
"""Unless a verdict is asked for: the account's own replies would hide what people did."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None: whatever it is."""

    kind: str | None = None
    """Of `KINDS`."""
    verdict: str | None = None
    """Of `VERDICTS`."""
    flow: str | None = None
    post: str | None = None
    """Its media id."""
    connection: str | None = None
    """A username."""
    person: str | None = None
    """A contact's id."""
    day: str | None = None
    """YYYY-MM-DD of the account: when it arrived."""
    text: str | None = None
    before: str | None = None
    """An event's id: where the part before ended."""


@dataclass(frozen=True, slots=True)
class Found:
    events: list[Event]
    before: str | None
    """Where the next part begins; None: there is nothing behind this one."""
    looked_at: int | None
    """So many events were looked at, and there are more; None: nothing is left out before `before`."""
    looked_until: datetime | None
    """When the last of those arrived."""


_NOTHING = Found([], None, None, None)


def look(
    conn: Connection, account: Account, wanted: Wanted, *, rows: int = ROWS, most: int = LOOKED_AT
) -> Found:
    """The newest first; at most so many rows of those that were looked at, at most so many."""
    asked = _filter(conn, account, wanted)
    if asked is None:
        return _NOTHING
    walked = event_lists.walk(conn, account.id, asked, limit=rows + 1, most=most)
    return _found(walked, rows, most)


def _found(walked: Walked, rows: int, most: int) -> Found:
    found = [events.of_row(row) for row in walked.rows]
    if len(found) > rows:
        return Found(found[:rows], found[rows - 1].id, None, None)
    if walked.stopped_at is not None:
        return Found(found, walked.stopped_at, most, walked.stopped_on)
    return Found(found, None, None, None)


def _filter(conn: Connection, account: Account, wanted: Wanted) -> EventFilter | None:
    """None: what is asked for is not there."""
    since, until = None, None
    if wanted.day is not None:
        day = _day(wanted.day, account.timezone)
        if day is None:
            return None
        since, until = day
    if wanted.before is not None and not is_id(wanted.before):
        return None
    connection_id, igsids = None, frozenset[str]()
    if wanted.connection is not None:
        connection_id = _connection(conn, account, wanted.connection)
    if wanted.person is not None:
        contact = contacts.load(conn, wanted.person)
        igsids = frozenset() if contact is None else contacts.igsids(conn, contact.id)
        connection_id = None if contact is None else contact.connection_id
    elif wanted.post is not None:
        connection_id = event_lists.connection_of_post(conn, account.id, wanted.post)
    if connection_id is None and (wanted.connection or wanted.person or wanted.post):
        return None
    return EventFilter(
        kinds=FROM_PEOPLE if wanted.kind is None else KINDS.get(wanted.kind, FROM_PEOPLE),
        verdicts=_verdicts(wanted),
        flow_id=wanted.flow,
        connection_id=connection_id,
        media_id=wanted.post,
        igsids=igsids,
        since=since,
        until=until,
        text=fold(wanted.text) or None if wanted.text else None,
        before=wanted.before,
    )


def _verdicts(wanted: Wanted) -> frozenset[Verdict] | None:
    if wanted.verdict is None and wanted.kind != "other":
        return _NOT_OWN
    return None if wanted.verdict is None else VERDICTS.get(wanted.verdict)


def _connection(conn: Connection, account: Account, username: str) -> str | None:
    wanted = username.removeprefix("@").casefold()
    known = connections.of_account(conn, account.id)
    return next((one.id for one in known if one.username.casefold() == wanted), None)


def _day(day: str, timezone: str) -> tuple[datetime, datetime] | None:
    """When it begins, and when the next one does; None: it is none."""
    try:
        begin = date.fromisoformat(day)
        zone = ZoneInfo(timezone)
        first, last = (datetime.combine(d, time(), zone) for d in (begin, begin + timedelta(days=1)))
        return first.astimezone(UTC), last.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# --- straight to one -------------------------------------------------------------------------------------


def straight_to(conn: Connection, account: Account, what: str) -> str | None:
    """The event that this is the id of: its own, its message's, its comment's; None: it is no such id."""
    ulid = what.upper()
    if is_id(ulid):
        return None if reads.event(conn, account.id, ulid) is None else ulid
    return inbox.told_as(conn, account.id, what)


def person_called(conn: Connection, account: Account, what: str) -> str | None:
    """The contact with this `@username`; None: it is none, or several connections know one."""
    found = contacts.called(conn, account.id, what[1:]) if what.startswith("@") else []
    return found[0] if len(found) == 1 else None
