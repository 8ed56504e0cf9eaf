"""Numbers by day, post, step and link. All of them are summed from `totals`, which outlive what they were counted
from: the page, `stats --by`, the API and exports call these.

Words are those of `store.stats`: numbers of runs, each once; `received` and `answered` are numbers of events.
`connection`: an id; None: of all connections.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from pamosnik._sqlite import Connection
from pamosnik.model.event import COMMENTS
from pamosnik.services.reading.connections import usernames
from pamosnik.services.reading.numbers import WORDS
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import flows, stats
from pamosnik.store.accounts import Account

RECEIVED, ANSWERED = "received", "answered"
CAME_IN = (RECEIVED, ANSWERED)
_COMMENTS = {kind.value for kind in COMMENTS}


class Row(Protocol):
    def shape(self) -> Shape: ...


# --- days ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last, both included: YYYY-MM-DD of the account."""

    first: str
    last: str

    def each(self) -> list[str]:
        begin = date.fromisoformat(self.first)
        return [(begin + timedelta(days=n)).isoformat() for n in range(self.number)]

    @property
    def number(self) -> int:
        """How many."""
        return (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1


def last_days(today: str, number: int) -> Days:
    """So many days, of which today is the last."""
    begin = date.fromordinal(max(date.fromisoformat(today).toordinal() - number + 1, 1))
    return Days(begin.isoformat(), today)


@dataclass(frozen=True, slots=True)
class Day:
    day: str
    counts: Mapping[str, int]
    """Each of `numbers.WORDS`; of all flows together each of `CAME_IN`, too."""

    def shape(self) -> Shape:
        return {"day": self.day, **self.counts}


def by_day(
    conn: Connection,
    account: Account,
    days: Days,
    *,
    flow: str | None = None,
    connection: str | None = None,
) -> list[Day]:
    """One for each day, also where nothing happened. What came in belongs to no flow: of one it is not told."""
    words = WORDS if flow else (*CAME_IN, *WORDS)
    found = {day: dict.fromkeys(words, 0) for day in days.each()}
    rows = stats.daily(
        conn, account.id, flow_id=flow, connection_id=connection, since=days.first, until=days.last
    )
    for day, what, n in rows:
        word = what.partition(":")[0] if what.startswith((stats.RECEIVED, stats.ANSWERED)) else what
        if word in found[day]:
            found[day][word] += n
    return [Day(day, counts) for day, counts in found.items()]


def summed(days: Iterable[Day]) -> Mapping[str, int]:
    """What all of them counted; a word that none did counts 0."""
    total: Counter[str] = Counter()
    for one in days:
        total.update(one.counts)
    return total


@dataclass(frozen=True, slots=True)
class KindCounts:
    kind: str
    """Of event."""
    received: int
    answered: int


def by_kind(
    conn: Connection,
    account: Account,
    *,
    connection: str | None = None,
    since: str = "0001-01-01",
    until: str = "9999-12-31",
) -> list[KindCounts]:
    """What people did, in the order of its names."""
    counted: dict[str, Counter[str]] = {}
    for _, what, n in stats.daily(conn, account.id, connection_id=connection, since=since, until=until):
        word, _, kind = what.partition(":")
        if word in CAME_IN:
            counted.setdefault(kind, Counter())[word] += n
    return [KindCounts(kind, c[RECEIVED], c[ANSWERED]) for kind, c in sorted(counted.items())]


# --- posts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PostCounts:
    media_id: str
    caption: str | None
    """Its beginning; None, likewise below: Instagram did not tell."""
    permalink: str | None
    posted_at: datetime | None
    comments: int
    """By people, each once."""
    matched: int
    """Comments that started a flow or went on in one."""
    counts: Mapping[str, int]
    """Runs that began with a comment there: each of `numbers.WORDS`."""
    connection: str | None

    def shape(self) -> Shape:
        return {
            "post": self.media_id,
            "caption": self.caption,
            "permalink": self.permalink,
            "posted_at": iso(self.posted_at),
            "comments": self.comments,
            "matched": self.matched,
            **self.counts,
            "connection": self.connection,
        }


def by_post(
    conn: Connection,
    account: Account,
    *,
    connection: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[PostCounts]:
    """The posts that people commented under; those that most came of first: completed, clicked, started."""
    names = usernames(conn, account)
    told = {(post.connection_id, post.media_id): post for post in flows.posts(conn, account.id)}
    counted: dict[tuple[str, str], Counter[str]] = {}
    rows = stats.by_post(conn, account.id, connection_id=connection, since=since, until=until)
    for connection_id, media_id, what, n in rows:
        counted.setdefault((connection_id, media_id), Counter())[what] += n
    found = [
        _post(counts, media_id, told.get((connection_id, media_id)), names.get(connection_id))
        for (connection_id, media_id), counts in counted.items()
    ]
    return sorted(found, key=_came_of_it)


def _post(counts: Counter[str], media_id: str, told: flows.Told | None, connection: str | None) -> PostCounts:
    return PostCounts(
        media_id,
        None if told is None else told.caption,
        None if told is None else told.permalink,
        None if told is None else told.posted_at,
        sum(counts[f"{stats.RECEIVED}{kind}"] for kind in _COMMENTS),
        sum(counts[f"{stats.ANSWERED}{kind}"] for kind in _COMMENTS),
        {word: counts[word] for word in WORDS},
        connection,
    )


def _came_of_it(post: PostCounts) -> tuple[int, ...]:
    counts = post.counts
    return (-counts[stats.COMPLETED], -counts[stats.CLICKED], -counts[stats.STARTED], -post.comments)


# --- steps and links -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepCounts:
    flow: str
    version: str
    step: str
    """Its path, as in `flows show` and `runs`."""
    reached: int
    """Runs that came to it, each once."""
    onward: int
    """Runs that came from it to one that follows, each once."""

    def shape(self) -> Shape:
        return {"flow": self.flow, "version": self.version, "step": self.step, "reached": self.reached}


def by_step(
    conn: Connection,
    account: Account,
    flow: str | None = None,
    *,
    connection: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[StepCounts]:
    """Of one flow, or of all. Version by version: a step of an earlier one may have had the same path and been
    another."""
    counted: Counter[tuple[str, str, str]] = Counter()
    onward: Counter[tuple[str, str, str]] = Counter()
    rows = stats.by_step(conn, account.id, flow_id=flow, connection_id=connection, since=since, until=until)
    for _, flow_id, version, step, what, n in rows:
        if what == stats.REACHED:
            counted[flow_id, version, step] += n
        elif what == stats.ONWARD:
            onward[flow_id, version, step] += n
    return [StepCounts(*step, n, onward[step]) for step, n in sorted(counted.items())]


@dataclass(frozen=True, slots=True)
class LinkCounts:
    flow: str
    link: str
    """Its name; without one the host that it leads to."""
    messages: int
    """Messages that were sent with it."""
    people: int
    """Who clicked, each once per link they were sent."""
    clicks: int
    previews: int
    """Visits of machines, which count for nothing else."""
    connection: str | None

    @property
    def share(self) -> float | None:
        """Of those it was sent to, who clicked; None: it was not sent in these days, or its clicks are of earlier
        ones."""
        return self.people / self.messages if self.messages and self.people <= self.messages else None

    def shape(self) -> Shape:
        return {
            "flow": self.flow,
            "link": self.link,
            "messages": self.messages,
            "people": self.people,
            "clicks": self.clicks,
            "previews": self.previews,
            "connection": self.connection,
        }


def by_link(
    conn: Connection,
    account: Account,
    *,
    flow: str | None = None,
    connection: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[LinkCounts]:
    """Tracked links that were sent or visited, the most clicked first."""
    names = usernames(conn, account)
    counted: dict[tuple[str, str, str], Counter[str]] = {}
    rows = stats.by_step(conn, account.id, flow_id=flow, connection_id=connection, since=since, until=until)
    for connection_id, flow_id, _, _, what, n in rows:
        if what.startswith(stats.LINK):
            word, _, called = what.removeprefix(stats.LINK).partition(":")
            counted.setdefault((flow_id, called, connection_id), Counter())[word] += n
    found = [
        LinkCounts(
            flow_id, called, c["messages"], c["people"], c["clicks"], c["previews"], names.get(connection_id)
        )
        for (flow_id, called, connection_id), c in counted.items()
    ]
    return sorted(found, key=lambda link: (-link.people, link.flow, link.link))
