"""Numbers: each run once under each word, summed per day, flow, step and post. They hold no person."""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model import run_marks
from pamosnik.model.run import Run
from pamosnik.store.times import ms

STARTED = "started"
COMPLETED = "completed"
SENT = "sent"
SEEN = "seen"
CLICKED = "clicked"
REPLIED = "replied"
FAILED = "failed"
EXPIRED = "expired"
GOAL = "goal:"
"""Followed by the goal's name."""
SKIPPED = "skipped:"
"""People whom a broadcast could not reach; followed by why."""
SPLIT = "split:"
"""Followed by the name of a way of a `split` and `:started` or `:completed`."""

ALL = "all"
"""Marks a run that was counted before under words that nobody knows any more: it counts under none again."""

REACHED = "reached"
"""Of a step: runs that came to it."""
ONWARD = "onward"
"""Of a step: runs that came from it to one that follows: the next, or the first of a way that leaves it."""
RECEIVED = "received:"
"""What people did, followed by the kind of the event; of no flow, and of the post where there is one."""
ANSWERED = "answered:"
"""What of it started a flow or went on in one."""
LINK = "link:"
"""Of a step: followed by `messages:`, `people:`, `clicks:` or `previews:` and what the link is called."""
_THERE = (
    "account_id=:account AND connection_id IN (SELECT connection_id FROM connections WHERE account_id=:account"
    " AND (:connection IS NULL OR connection_id=:connection))"
)
"""The connections are named so that the days are looked up, and not gone through: they stand second in the key."""
_COUNT = (
    "INSERT INTO totals (account_id, connection_id, day, flow_id, version, step, media_id, what, n)"
    " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET n=n+excluded.n"
)


def share(name: str, what: str) -> str:
    """Under which word a way of a `split` is counted; `what`: STARTED or COMPLETED."""
    return f"{SPLIT}{name}:{what}"


def mark_run(conn: Connection, run_id: str, what: str, day: str) -> bool:
    """Counts a run under `what`; False when it was counted there before. `day`: YYYY-MM-DD of the account."""
    marked = conn.execute(
        "UPDATE runs SET counted = counted || ' ' || :what || ' ' WHERE run_id=:run"
        " AND instr(counted, ' ' || :what || ' ')=0 AND instr(counted, ' ' || :all || ' ')=0"
        " RETURNING account_id, connection_id, flow_id, media_id",
        {"what": what, "run": run_id, "all": ALL},
    ).fetchone()
    if marked is None:
        return False
    account_id, connection_id, flow_id, media_id = marked
    count(conn, account_id, connection_id, flow_id, what, day, media_id=media_id or "")
    return True


def mark_completed(conn: Connection, run_id: str, day: str) -> None:
    """The run reached a goal, or the end of a flow without goals: by every way of a `split` that it has taken."""
    mark_run(conn, run_id, COMPLETED, day)
    (counted,) = conn.execute("SELECT counted FROM runs WHERE run_id=?", (run_id,)).fetchone()
    for word in str(counted).split():
        if word.startswith(SPLIT) and word.endswith(f":{STARTED}"):
            mark_run(conn, run_id, f"{word.removesuffix(STARTED)}{COMPLETED}", day)


def count(
    conn: Connection,
    account_id: str,
    connection_id: str,
    flow_id: str,
    what: str,
    day: str,
    *,
    version: str = "",
    step: str = "",
    media_id: str = "",
    n: int = 1,
) -> None:
    """Adds to a day's total."""
    conn.execute(_COUNT, (account_id, connection_id, day, flow_id, version, step, media_id, what, n))


def mark_steps(conn: Connection, run: Run, paths: Iterable[str], day: str) -> None:
    """Counts the steps that a run has come to, and those that it went on from, each once per run. `paths`: in the
    order in which it came to them."""
    (counted,) = conn.execute("SELECT counted FROM runs WHERE run_id=?", (run.id,)).fetchone()
    new = run_marks.new(counted, paths)
    if not new or f" {ALL} " in counted:
        return
    words = "".join(f" {mark} " for mark in new)
    conn.execute("UPDATE runs SET counted = counted || ? WHERE run_id=?", (words, run.id))
    for mark in new:
        what, step = REACHED if run_marks.came_to(mark) else ONWARD, run_marks.path(mark)
        count(conn, run.account_id, run.connection_id, run.flow_id, what, day, version=run.version, step=step)


def _summed(what: str, where: str) -> str:
    """The statement that sums `n` for each `what`: whole months by month, and days at both ends by day."""
    source = f"SELECT {what}, n FROM {{}} WHERE {_THERE} AND {where}"  # noqa: S608 - our own words
    each = " UNION ALL ".join(
        f"{source.format(table)} AND {which}"
        for table, which in (
            ("month_totals", "month>=:whole_from AND month<:whole_to"),
            ("totals", "day>=:since AND day<:whole_from AND day<=:until"),
            ("totals", "day>=max(:whole_from, :whole_to) AND day<=:until"),
        )
    )
    return f"SELECT {what}, sum(n) FROM ({each}) GROUP BY {what}"  # noqa: S608


def _range(since: str | None, until: str | None) -> Mapping[str, str]:
    """Both included; None: no end there. A month is text that days of it begin with, and `~` comes after all of
    them: what is compared is text alone."""
    whole_from, whole_to = "", "~"
    if since is not None:
        whole_from = since[:7] if since.endswith("-01") else f"{since[:7]}~"
    if until is not None:
        year, month, day = map(int, until.split("-"))
        whole_to = f"{until[:7]}~" if day == monthrange(year, month)[1] else until[:7]
    return {"since": since or "", "until": until or "~", "whole_from": whole_from, "whole_to": whole_to}


def totals(
    conn: Connection,
    account_id: str,
    *,
    flow_id: str | None = None,
    connection_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[tuple[str, str, str, int]]:
    """(connection id, flow id, what, n) summed over the days from `since` to `until`, both included; with a flow or a
    connection those of that one."""
    rows: list[tuple[str, str, str, int]] = conn.execute(
        _summed(
            "connection_id, flow_id, what",
            "step='' AND flow_id<>'' AND (:flow IS NULL OR flow_id=:flow)",
        ),
        {"account": account_id, "flow": flow_id, "connection": connection_id, **_range(since, until)},
    ).fetchall()
    return rows


def latest_sent_run(conn: Connection, contact_id: str, since: datetime) -> str | None:
    """The run that has sent this person something last, since then: what they reply to when they answer nothing."""
    row = conn.execute(
        "SELECT run_id FROM outbox WHERE contact_id=? AND status='sent' AND kind IN ('message','private_reply')"
        " AND run_id IS NOT NULL AND settled_at>=? ORDER BY settled_at DESC, seq DESC LIMIT 1",
        (contact_id, ms(since)),
    ).fetchone()
    return None if row is None else str(row[0])


def daily(
    conn: Connection,
    account_id: str,
    *,
    flow_id: str | None = None,
    connection_id: str | None = None,
    since: str,
    until: str,
) -> list[tuple[str, str, int]]:
    """(day, what, n) of the flows, or of one, and of what came in, from `since` to `until`, both included."""
    rows: list[tuple[str, str, int]] = conn.execute(
        f"SELECT day, what, sum(n) FROM totals WHERE {_THERE} AND day BETWEEN :since AND :until"  # noqa: S608
        " AND step='' AND (:flow IS NULL OR flow_id=:flow) GROUP BY 1, 2",
        {
            "account": account_id,
            "flow": flow_id,
            "connection": connection_id,
            "since": since,
            "until": until,
        },
    ).fetchall()
    return rows


def by_post(
    conn: Connection,
    account_id: str,
    *,
    connection_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[tuple[str, str, str, int]]:
    """(connection id, post, what, n): what came in under it, and runs that began there."""
    rows: list[tuple[str, str, str, int]] = conn.execute(
        _summed("connection_id, media_id, what", "media_id<>'' AND step=''"),
        {"account": account_id, "connection": connection_id, **_range(since, until)},
    ).fetchall()
    return rows


def by_step(
    conn: Connection,
    account_id: str,
    *,
    flow_id: str | None = None,
    connection_id: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[tuple[str, str, str, str, str, int]]:
    """(connection id, flow, version, step, what, n): `REACHED`, `ONWARD`, and words that begin with `LINK`."""
    rows: list[tuple[str, str, str, str, str, int]] = conn.execute(
        _summed(
            "connection_id, flow_id, version, step, what",
            "step<>'' AND (:flow IS NULL OR flow_id=:flow)",
        ),
        {"account": account_id, "flow": flow_id, "connection": connection_id, **_range(since, until)},
    ).fetchall()
    return rows


def last_received(conn: Connection, account_id: str, days: Sequence[str]) -> list[tuple[str, str, str]]:
    """(connection id, kind of event, the last of these days on which people did such a thing)."""
    marks = ",".join("?" * len(days))
    rows: list[tuple[str, str, str]] = conn.execute(
        "SELECT connection_id, substr(what, ?), max(day) FROM totals WHERE account_id=?"  # noqa: S608 - marks alone
        f" AND connection_id IN (SELECT connection_id FROM connections WHERE account_id=?) AND day IN ({marks})"
        " AND flow_id='' AND version='' AND step='' AND what>=? AND what<? GROUP BY 1, 2",
        (len(RECEIVED) + 1, account_id, account_id, *days, RECEIVED, RECEIVED.replace(":", ";")),
    ).fetchall()
    return rows


def counted_days(conn: Connection, account_id: str) -> tuple[str, str] | None:
    """The first and the last day on which anything was counted."""
    first, last = conn.execute(
        "SELECT min((SELECT min(day) FROM totals t WHERE t.account_id=:account AND t.connection_id=c.connection_id)),"
        " max((SELECT max(day) FROM totals t WHERE t.account_id=:account AND t.connection_id=c.connection_id))"
        " FROM connections c WHERE c.account_id=:account",
        {"account": account_id},
    ).fetchone()
    return None if first is None else (first, last)
