"""Numbers by day, post, step and link. All of them are summed from `totals`, which outlive what they were counted
from: the page, `stats --by`, the API and exports call these.

Words are those of `store.stats`: numbers of runs, each once; `received` and `answered` are numbers of events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.event import COMMENTS
from pamosnik.services.reading.connections import usernames
from pamosnik.services.reading.numbers import WORDS
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import flows, stats
from pamosnik.store.accounts import Account

RECEIVED, ANSWERED = "received", "answered"
_COMMENTS = {kind.value for kind in COMMENTS}


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last, both included: YYYY-MM-DD of the account."""

    first: str
    last: str

    def each(self) -> list[str]:
        begin, end = date.fromisoformat(self.first), date.fromisoformat(self.last)
        return [(begin + timedelta(days=n)).isoformat() for n in range((end - begin).days + 1)]


def last_days(today: str, number: int) -> Days:
    """So many days, of which today is the last."""
    begin = date.fromisoformat(today) - timedelta(days=number - 1)
    return Days(begin.isoformat(), today)


def by_day(conn: Connection, account: Account, days: Days, *, flow: str | None = None) -> list[Shape]:
    """A row for each day, also where nothing happened. Of one flow without what came in, which belongs to none."""
    rows: dict[str, dict[str, int]] = {
        day: dict.fromkeys((*WORDS, *(() if flow else (RECEIVED, ANSWERED))), 0) for day in days.each()
    }
    for day, what, n in stats.daily(conn, account.id, flow_id=flow, since=days.first, until=days.last):
        word = what.partition(":")[0] if what.startswith((stats.RECEIVED, stats.ANSWERED)) else what
        if word in rows[day]:
            rows[day][word] += n
    return [{"day": day, **counts} for day, counts in rows.items()]


def summed(rows: Sequence[Shape]) -> Mapping[str, int]:
    """Rows of `by_day` added up."""
    total: dict[str, int] = {}
    for row in rows:
        for word, n in row.items():
            if isinstance(n, int):
                total[word] = total.get(word, 0) + n
    return total


def by_post(
    conn: Connection, account: Account, *, since: str | None = None, until: str | None = None
) -> list[Shape]:
    """The posts that people commented under; those that most came of first: completed, clicked, started."""
    names = usernames(conn, account)
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for connection_id, media_id, what, n in stats.by_post(conn, account.id, since=since, until=until):
        counts = counted.setdefault(
            (connection_id, media_id), {"comments": 0, "matched": 0, **dict.fromkeys(WORDS, 0)}
        )
        word, _, kind = what.partition(":")
        if kind in _COMMENTS and word in (RECEIVED, ANSWERED):
            counts["comments" if word == RECEIVED else "matched"] += n
        elif what in counts:
            counts[what] += n
    posts = {(post.connection_id, post.media_id): post for post in flows.posts(conn, account.id)}
    rows: list[Shape] = []
    for key, counts in counted.items():
        post = posts.get(key)
        rows.append(
            {
                "post": key[1],
                "caption": None if post is None else post.caption,
                "permalink": None if post is None else post.permalink,
                "posted_at": None if post is None else iso(post.posted_at),
                **counts,
                "connection": names.get(key[0]),
            }
        )
    order = (stats.COMPLETED, stats.CLICKED, stats.STARTED, "comments")
    return sorted(rows, key=lambda row: tuple(-int(str(row[word])) for word in order))


def by_step(
    conn: Connection,
    account: Account,
    flow: str,
    *,
    since: str | None = None,
    until: str | None = None,
) -> list[Shape]:
    """Runs that came to each step, version by version."""
    counted: dict[tuple[str, str], int] = {}
    for _, _, version, step, what, n in stats.by_step(
        conn, account.id, flow_id=flow, since=since, until=until
    ):
        if what == stats.REACHED:
            counted[version, step] = counted.get((version, step), 0) + n
    return [
        {"flow": flow, "version": version, "step": step, "reached": n}
        for (version, step), n in sorted(counted.items())
    ]


def by_link(
    conn: Connection,
    account: Account,
    *,
    flow: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[Shape]:
    """Tracked links, by flow and what they are called: people who clicked, clicks, and visits of machines, which
    count for nothing."""
    names = usernames(conn, account)
    counted: dict[tuple[str, str, str], dict[str, int]] = {}
    for connection_id, flow_id, _, _, what, n in stats.by_step(
        conn, account.id, flow_id=flow, since=since, until=until
    ):
        if not what.startswith(stats.LINK):
            continue
        word, _, called = what.removeprefix(stats.LINK).partition(":")
        counts = counted.setdefault(
            (flow_id, called, connection_id), dict.fromkeys(("people", "clicks", "previews"), 0)
        )
        counts[word] += n
    rows: list[Shape] = [
        {"flow": flow_id, "link": called, **counts, "connection": names.get(connection_id)}
        for (flow_id, called, connection_id), counts in counted.items()
    ]
    return sorted(rows, key=lambda row: (-int(str(row["people"])), str(row["flow"]), str(row["link"])))
