"""Some numbers counted anew where no witness was: from the rows of a home that has deleted nothing yet, like the
demo's, and compared with what the page reads."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.model.flow import Flow
from pamosnik.model.step import Goal
from pamosnik.services.library import Library
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import numbers, statistics
from pamosnik.store import accounts

Numbers = Mapping[tuple[str, ...], Mapping[str, int]]
"""What is counted → word → how many."""

_Told = Mapping[tuple[str, ...], Mapping[str, object]]
_DAYS = 40
_COUNTED = ("message", "story_reply", "story_mention", "shared_post", "reaction", "postback", "referral")
_COMMENTS = ("comment", "live_comment")
_UNCOUNTED = ("pending", "noted", "duplicate", "own", "test", "unsupported")


def require_equal(conn: Connection, now: datetime, *, links: bool = True) -> None:
    """Whether what is shown at `now` of the last weeks is what the rows tell. `links`: some were tracked."""
    account = accounts.every(conn)[0]
    days = statistics.last_days(day_of(now, account.timezone), _DAYS)
    flows: _Told = {(row.flow, row.connection): row.counts for row in numbers.by_flow(conn, account)}
    posts: _Told = {
        (row.media_id, row.connection or ""): {"comments": row.comments, "matched": row.matched, **row.counts}
        for row in statistics.by_post(conn, account)
    }
    steps: _Told = {
        (row.flow, row.version, row.step): {"reached": row.reached}
        for flow in {where[0] for where in flows}
        for row in statistics.by_step(conn, account, flow)
    }
    opened: _Told = {
        (row.flow, row.link, row.connection or ""): row.shape() for row in statistics.by_link(conn, account)
    }
    by_day: _Told = {(row.day,): row.counts for row in statistics.by_day(conn, account, days)}
    _same(flows, by_flow(conn))
    _same(posts, by_post(conn))
    _same(steps, by_step(conn))
    if links:
        _same(opened, by_link(conn))
    _same(by_day, came_in(conn, account.timezone))


def _same(told: _Told, counted: Numbers) -> None:
    """What is told of nothing that was counted is 0."""
    assert counted, "nothing has happened"
    words = {word for one in counted.values() for word in one}
    assert {what for what in counted if what not in told} == set()
    wrong = {
        (*what, word): (counts[word], counted.get(what, {}).get(word, 0))
        for what, counts in told.items()
        for word in words
        if counts[word] != counted.get(what, {}).get(word, 0)
    }
    assert wrong == {}, f"what, word: (told, counted): {wrong}"


def by_flow(conn: Connection) -> Numbers:
    """(flow, username of the connection) → each word of `stats`; words that nothing stands for are left out."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for flow, username, _, words in _runs(conn):
        found.setdefault((flow, username), Counter()).update(words)
    return found


def by_post(conn: Connection) -> Numbers:
    """(post, username of the connection) → comments, matched, and words of the runs that began there."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    rows = conn.execute(
        "SELECT media_id, c.username, verdict FROM events JOIN connections c USING (connection_id)"
        f" WHERE kind IN {_COMMENTS} AND verdict NOT IN {_UNCOUNTED}"
    )
    for media, username, verdict in rows:
        words = ["comments", *(["matched"] if verdict in ("started", "resumed") else [])]
        found.setdefault((media, username), Counter()).update(words)
    for _, username, media, words in _runs(conn):
        if media is not None:
            found.setdefault((media, username), Counter()).update(words)
    return found


def came_in(conn: Connection, timezone: str) -> Numbers:
    """(day,) → received and answered, by the day on which each got its verdict; and runs that started on it."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    rows = conn.execute(
        "SELECT decided_at, verdict FROM events WHERE by_run IS NULL"
        f" AND kind IN {_COUNTED + _COMMENTS} AND verdict NOT IN {_UNCOUNTED}"
    )
    for decided_at, verdict in rows:
        words = ["received", *(["answered"] if verdict in ("started", "resumed") else [])]
        found.setdefault((_day(decided_at, timezone),), Counter()).update(words)
    for (started_at,) in conn.execute("SELECT started_at FROM runs"):
        found.setdefault((_day(started_at, timezone),), Counter())["started"] += 1
    return found


def by_step(conn: Connection) -> Numbers:
    """(flow, version, path) → runs that came to it."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for flow, version, _, path in {
        (flow.id, version, run, path) for flow, version, run, path in _came_to(conn)
    }:
        found.setdefault((flow, version, path), Counter())["reached"] += 1
    return found


def by_link(conn: Connection) -> Numbers:
    """(flow, what the link is called, username of the connection) → people, clicks, previews."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for flow, name, address, username, n, previews in conn.execute(
        "SELECT flow_id, name, address, c.username, clicks, previews FROM links l"
        " JOIN connections c USING (connection_id) WHERE clicks>0 OR previews>0"
    ):
        called = name or (urlsplit(address).hostname or "")
        counts = found.setdefault((flow, called, username), Counter())
        counts.update({"people": int(n > 0), "clicks": n, "previews": previews})
    return found


def _runs(conn: Connection) -> Iterator[tuple[str, str, str | None, list[str]]]:
    """Of each run: flow, connection, post, and under which words it counts."""
    tapped = _ids(conn, "SELECT run_id FROM turns WHERE stimulus='Tapped'")
    clicked = _ids(conn, "SELECT run_id FROM links WHERE clicks>0")
    sent = _ids(
        conn, "SELECT run_id FROM outbox WHERE status='sent' AND kind IN ('message', 'private_reply')"
    )
    failed = _ids(conn, "SELECT run_id FROM outbox WHERE status='failed' AND kind<>'sender_action'")
    goals = {(flow.id, version): flow.has_goal for flow, version in _flows(conn)}
    reached = {run for flow, _, run, path in _came_to(conn) if isinstance(flow.steps[path], Goal)}
    for run, flow, version, username, media, status, counted in conn.execute(
        "SELECT run_id, flow_id, version, c.username, media_id, r.status, counted FROM runs r"
        " JOIN connections c USING (connection_id)"
    ):
        done = run in reached if goals[flow, version] else status == "completed"
        words = {
            "started": True,
            "sent": run in sent,
            "clicked": run in tapped or run in clicked,
            "completed": done,
            "failed": run in failed or status == "failed",
            # Somebody may tap a button of it afterwards, and it ends otherwise.
            "expired": status == "expired" or " expired " in counted,
        }
        yield flow, username, media, [word for word, counts in words.items() if counts]


def _came_to(conn: Connection) -> Iterator[tuple[Flow, str, str, str]]:
    """(flow, version, run, path of a step), for each time that a turn came to one."""
    flows = {(flow.id, version): flow for flow, version in _flows(conn)}
    for run, flow_id, version, trace in conn.execute(
        "SELECT run_id, flow_id, version, trace FROM turns JOIN runs USING (run_id)"
    ):
        flow = flows[flow_id, version]
        for what, *_ in json.loads(trace):
            if what in flow.steps:
                yield flow, version, run, what


def _flows(conn: Connection) -> Iterator[tuple[Flow, str]]:
    """Every version of every flow; what it says is read as everywhere."""
    library = Library()
    for account, flow_id, version in conn.execute("SELECT account_id, flow_id, version FROM flow_versions"):
        flow = library.flow(conn, account, flow_id, version)
        assert flow is not None
        yield flow, version


def _ids(conn: Connection, sql: str) -> set[str]:
    return {run for (run,) in conn.execute(sql)}


def _day(at: int, timezone: str) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(timezone)):%Y-%m-%d}"
