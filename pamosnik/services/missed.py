"""What people wrote and nothing answered: the same words together, with what comes close and what would answer them.

Judged by what is applied now: whoever mends a flow sees here that it takes the words from now on.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import Catalog, kind_of
from pamosnik.engine.match import Heard
from pamosnik.model.event import Event, Verdict
from pamosnik.model.trigger import FirstMessageTrigger
from pamosnik.services import matching
from pamosnik.services.library import Library
from pamosnik.services.matching import KINDS, Answer, Ground, Taker, Where
from pamosnik.store import connections, event_lists
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected
from pamosnik.store.event_lists import MissedRow

LOOKED_AT = 3_000
GROUPS = 50
_FIRST = kind_of(FirstMessageTrigger())
"""Takes whatever somebody writes first: no answer to these words."""
_AGAIN = re.compile(r", again after \d{4}-\d\d-\d\d \d\d:\d\d \([^()]*\)$")
_WRITTEN: Mapping[str, str] = {kind.value: word for word, kind in KINDS.items()}
"""Kind of event → what a trigger calls it, where it has words."""


@dataclass(frozen=True, slots=True)
class Words:
    """Something that was written, once or often, and that no flow took."""

    text: str
    """As it was written last."""
    kind: str
    """What a trigger calls it: `comment`, `dm`, …"""
    event_kind: str
    """What the event calls it."""
    times: int
    people: int
    last_at: datetime
    last_event: str
    connection: str
    taken_by: str | None
    """The flow that takes it now."""
    near: str | None
    """What comes closest, in a sentence that says what to do; None where nothing does, or something takes it."""
    line: str | None
    """What takes it, under `when:` of a flow; None where something does, or it is too long for a keyword."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A flow had a trigger for it, and did not start."""

    flow: str
    reason: str
    times: int
    last_at: datetime
    last_event: str


@dataclass(frozen=True, slots=True)
class Missed:
    words: list[Words]
    """What comes close to a keyword first; of those, and of the others, what was written most often."""
    more_words: int
    """So many others are not shown."""
    refused: list[Refused]
    """The most frequent first."""
    looked_until: datetime | None
    """When the last of those arrived that were looked at; None: all were."""


@dataclass(slots=True)
class _Gathered:
    """The rows of one group; the first is the newest."""

    newest: MissedRow
    heard: Heard
    times: int = 0
    people: set[str | None] = field(default_factory=set)


def lately(
    conn: Connection, account: Account, library: Library, *, now: datetime, most: int = LOOKED_AT
) -> Missed:
    """Of the last so many that nothing answered, whatever is kept of them."""
    rows = event_lists.missed(conn, account.id, limit=most + 1)
    seen = rows[:most]
    gathered = _by_words(row for row in seen if row.verdict == Verdict.NO_MATCH)
    often = sorted(gathered, key=lambda one: one.times, reverse=True)
    catalog = library.catalog(conn, account.id)
    connected = {one.id: one for one in connections.of_account(conn, account.id)}
    words = [
        _words(
            _ground(conn, account, catalog, connected[one.newest.connection_id], one.newest.media_id),
            one,
            now,
        )
        for one in often[:GROUPS]
    ]
    return Missed(
        words=sorted(words, key=lambda one: one.near is None),
        more_words=max(len(often) - GROUPS, 0),
        refused=_by_flow(row for row in seen if row.verdict == Verdict.FILTERED),
        looked_until=seen[-1].at if len(rows) > most else None,
    )


def _by_words(rows: Iterable[MissedRow]) -> list[_Gathered]:
    """In the order of the newest of each."""
    heard: dict[str, Heard] = {}
    found: dict[tuple[str, str, str], _Gathered] = {}
    for row in rows:
        if row.text is None or row.kind not in _WRITTEN:
            continue
        if row.text not in heard:
            heard[row.text] = Heard.of(row.text)
        said = heard[row.text]
        one = found.setdefault((row.connection_id, row.kind, said.trimmed), _Gathered(row, said))
        one.times += 1
        one.people.add(row.igsid)
    return list(found.values())


def without_time(reason: str) -> str:
    """`limits: per_person, again after …` is one reason, whenever it ends."""
    return _AGAIN.sub("", reason)


def _by_flow(rows: Iterable[MissedRow]) -> list[Refused]:
    found: dict[tuple[str, str], list[MissedRow]] = {}
    for row in rows:
        found.setdefault((row.flow_id or "", without_time(row.reason or "")), []).append(row)
    refused = [
        Refused(flow, reason, len(those), those[0].at, those[0].event_id)
        for (flow, reason), those in found.items()
    ]
    return sorted(refused, key=lambda one: one.times, reverse=True)


def _ground(
    conn: Connection, account: Account, catalog: Catalog, connected: Connected, media_id: str | None
) -> Ground:
    """The flows, and where it was written last."""
    where = Where(connected.username)
    if media_id is not None:
        known = flow_store.post(conn, connected.id, media_id)
        code = None if known is None else known[0]
        post = media_id if code is None else f"https://www.instagram.com/p/{code}/"
        where = Where(connected.username, post, media_id, flow_store.bound_posts(conn, connected.id))
    return Ground(catalog, where, account.timezone)


def takes_now(
    conn: Connection, account: Account, library: Library, event: Event, now: datetime
) -> str | None:
    """The flow whose words take now what somebody wrote; None: none does, or it has no words."""
    kind = _WRITTEN.get(event.kind.value)
    if kind is None or not event.incoming.text:
        return None
    connected = connections.load(conn, event.connection_id)
    ground = _ground(conn, account, library.catalog(conn, account.id), connected, event.incoming.media_id)
    taker = _taker(matching.told(ground, event.incoming.text, kind, now=now).answers[0])
    return None if taker is None else taker.flow.id


def _taker(answer: Answer) -> Taker | None:
    return next((one for one in answer.takers if one.against is None and one.trigger != _FIRST), None)


def _words(ground: Ground, gathered: _Gathered, now: datetime) -> Words:
    newest, kind = gathered.newest, _WRITTEN[gathered.newest.kind]
    assert newest.text is not None
    (answer,) = matching.told(ground, newest.text, kind, now=now).answers
    taker = _taker(answer)
    free = taker is None and answer.safety is None
    return Words(
        text=newest.text,
        kind=kind,
        event_kind=newest.kind,
        times=gathered.times,
        people=len(gathered.people),
        last_at=newest.at,
        last_event=newest.event_id,
        connection=ground.where.username or "",
        taken_by=None if taker is None else taker.flow.id,
        near=matching.came_close(answer.near[0]) if free and answer.near else None,
        line=matching.keyword_line(kind, gathered.heard) if free else None,
    )
