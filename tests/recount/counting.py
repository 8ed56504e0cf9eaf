"""Numbers counted anew by docs/statistics.md, from the rows that people and flows left behind: once more, and without
any of the code that counts them.

Each is found as in the table of totals, by its finest parts, and summed afterwards.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pamosnik import _sqlite
from pamosnik._sqlite import Connection

SAID = ("message", "story_reply", "story_mention", "shared_post", "postback")
"""Words and taps."""
COMMENTS = ("comment", "live_comment")
CAME_IN = (*SAID, *COMMENTS, "reaction", "referral")
NOT_COUNTED = ("pending", "noted", "duplicate", "own", "test", "unsupported")
_REPLIED_WITHIN_MS = int(timedelta(days=7) / timedelta(milliseconds=1))
_FOR_EVER = 1 << 62
_START = "the person wants automatic messages again"


class Tally(NamedTuple):
    """What a number counts."""

    account: str
    connection: str
    day: str
    """Of the account."""
    flow: str
    """'' for what came in."""
    what: str
    version: str = ""
    step: str = ""
    post: str = ""


Tallies = Mapping[Tally, int]


class Rows:
    """Rows that are there, and those that are gone, as they were when they went."""

    def __init__(self, database: Path, gone: Path) -> None:
        with closing(_sqlite.connect(f"file:{database}?mode=ro", uri=True)) as conn:
            conn.row_factory = _sqlite.Row
            conn.execute("ATTACH ? AS witness", (f"file:{gone}?mode=ro",))
            self.runs = _first(_all(conn, "runs"), "run_id")
            self.turns = _first(_all(conn, "turns"), "run_id", "turn")
            self.outbox = _first(_all(conn, "outbox"), "item_id")
            self.links = _first(_all(conn, "links"), "token")
            self.events = _first(_all(conn, "events"), "event_id")
            self.broadcasts = _first(_all(conn, "broadcasts"), "broadcast_id")
            self.became = [
                tuple(row) for row in conn.execute("SELECT run_id, status, at FROM witness.became")
            ]
            self.visits = [
                tuple(row) for row in conn.execute("SELECT token, clicks, previews, at FROM witness.visits")
            ]
            self.bodies = {row["version"]: json.loads(row["body"]) for row in _all(conn, "flow_versions")}
            self.titles = {
                (account, flow): str(title)
                for account, flow, title in conn.execute("SELECT account_id, flow_id, title FROM flows")
            }
            self.zones = dict(conn.execute("SELECT account_id, timezone FROM accounts").fetchall())
            self.connected = dict(
                conn.execute("SELECT account_id, max(username) FROM connections GROUP BY 1").fetchall()
            )
            """Account → the one connection that it has, or one of several."""
            self.usernames = dict(conn.execute("SELECT connection_id, username FROM connections").fetchall())
            self.waits = [
                tuple(row) for row in conn.execute("SELECT run_id, contact_id, path FROM waits").fetchall()
            ]

    def forgotten(self, table: str) -> int:
        """How many of its rows are gone."""
        return sum(row["gone_at"] < _FOR_EVER for row in getattr(self, table).values())


_Row = Mapping[str, Any]


def _all(conn: Connection, table: str) -> Iterator[_Row]:
    """What is gone first: of a run that comes back what it was when it went counts."""
    for row in conn.execute(f"SELECT * FROM witness.gone_{table} ORDER BY gone_at"):
        yield dict(row)
    for row in conn.execute(f"SELECT *, {_FOR_EVER} AS gone_at FROM main.{table}"):
        yield dict(row)


def _first(rows: Iterator[_Row], *key: str) -> Mapping[Any, _Row]:
    found: dict[Any, _Row] = {}
    for row in rows:
        name = row[key[0]] if len(key) == 1 else tuple(row[one] for one in key)
        found.setdefault(name, row)
    return found


def counted(rows: Rows) -> Counter[Tally]:
    found: Counter[Tally] = Counter()
    for tally, n in (*_runs(rows), *_links(rows), *_came_in(rows), *_skipped(rows)):
        if n:
            found[tally] += n
    return found


# --- runs ------------------------------------------------------------------------------------------------


def _runs(rows: Rows) -> Iterator[tuple[Tally, int]]:
    happened = {run: [("started", int(row["started_at"]))] for run, row in rows.runs.items()}
    for run, word, at in (*_steps(rows), *_messages(rows), *_clicks(rows), *_replies(rows), *_ends(rows)):
        if run in happened:
            happened[run].append((word, at))
    for run, words in happened.items():
        row, first = rows.runs[run], dict[str, int]()
        for word, at in words:
            if at <= row["gone_at"]:  # what becomes of a run that is not kept any more counts no more
                first[word] = min(at, first.get(word, at))
        for word, at in first.items():
            whose = (
                row["account_id"],
                row["connection_id"],
                _day(rows, row["account_id"], at),
                row["flow_id"],
            )
            if word.startswith(("at:", "on:")):
                what = "reached" if word.startswith("at:") else "onward"
                yield Tally(*whose, what, row["version"], word[3:]), 1
            else:
                yield Tally(*whose, word, post=row["media_id"] or ""), 1


def _steps(rows: Rows) -> Iterator[tuple[str, str, int]]:
    """Steps that runs came to, their goals, and the ways of a split: taken, and completed afterwards."""
    taken: dict[str, list[str]] = {}
    been: dict[str, list[str]] = {}
    ended = {(run, at) for run, status, at in rows.became if status == "completed"}
    for (run, _), turn in sorted(rows.turns.items()):
        row = rows.runs.get(run)
        if row is None:
            continue
        body, at = rows.bodies[row["version"]], turn["at"]
        for path, result, detail in json.loads(turn["trace"]):
            done = step(body, path)
            if done is None:
                continue
            yield run, f"at:{path}", at
            yield from ((run, f"on:{one}", at) for one in been.get(run, ()) if follows(path, one))
            been.setdefault(run, []).append(path)
            if result == "takes the way":
                way = detail.rpartition(",")[0]
                taken.setdefault(run, []).append(way)
                yield run, f"split:{way}:started", at
            if done["do"] == "goal":
                yield run, f"goal:{done['goal']}", at
                yield from ((run, f"split:{way}:completed", at) for way in taken.get(run, ()))
                yield run, "completed", at
    for run, at in ended:
        row = rows.runs.get(run)
        if row is not None and not _has_goal(rows.bodies[row["version"]]):
            yield run, "completed", at
            yield from ((run, f"split:{way}:completed", at) for way in taken.get(run, ()))


def follows(path: str, other: str) -> bool:
    """Whether it is the step next to the other one, or the first of a way that leaves it."""
    above, place = other.rsplit(".", 1)
    leaving = re.compile(rf"{re.escape(other)}\.[a-z_]+(\.\d+\.(do|else))?\.0")
    return path == f"{above}.{int(place) + 1}" or leaving.fullmatch(path) is not None


def step(body: Any, path: str) -> Any:
    """What stands there, if it is a step."""
    for part in path.split("."):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict) and part in body:
            body = body[part]
        else:
            return None
    return body if isinstance(body, dict) and isinstance(body.get("do"), str) else None


def _has_goal(body: Any) -> bool:
    if isinstance(body, list):
        return any(_has_goal(one) for one in body)
    if isinstance(body, dict):
        return body.get("do") == "goal" or any(_has_goal(one) for one in body.values())
    return False


def _messages(rows: Rows) -> Iterator[tuple[str, str, int]]:
    """What was sent, what was seen of it, and what could not be done."""
    of_mid = {}
    for item in rows.outbox.values():
        if item["kind"] in ("message", "private_reply") and item["status"] == "sent":
            yield item["source"], "sent", item["settled_at"]
            of_mid[item["connection_id"], item["message_id"]] = item
        if item["kind"] not in ("sender_action", "lookup") and item["status"] == "failed":
            yield item["source"], "failed", item["settled_at"]
    for event in rows.events.values():
        seen = of_mid.get((event["connection_id"], event["mid"]))
        if event["kind"] != "seen" or event["decided_at"] is None or seen is None:
            continue
        # Both were there once, or nobody can tell.
        if event["decided_at"] <= seen["gone_at"] and seen["settled_at"] <= event["gone_at"]:
            yield seen["source"], "seen", max(event["decided_at"], seen["settled_at"])


def _clicks(rows: Rows) -> Iterator[tuple[str, str, int]]:
    for (run, _), turn in rows.turns.items():
        if turn["stimulus"] == "Tapped":
            yield run, "clicked", turn["at"]
    for token, clicks, _, at in rows.visits:
        item = rows.outbox.get(rows.links[token]["item_id"])
        if clicks and item is not None:
            yield item["source"], "clicked", at


def _replies(rows: Rows) -> Iterator[tuple[str, str, int]]:
    """Whose question or button it answers, or who has sent something last, within 7 days."""
    sent: dict[tuple[str, str], list[tuple[int, int, str, int]]] = {}
    for item in rows.outbox.values():
        if (
            item["kind"] in ("message", "private_reply")
            and item["status"] == "sent"
            and item["source"] in rows.runs
        ):
            whose = (item["connection_id"], item["igsid"])
            sent.setdefault(whose, []).append(
                (item["settled_at"], item["seq"], item["source"], item["gone_at"])
            )
    for event in rows.events.values():
        if event["kind"] not in SAID or event["by_run"] is not None or event["decided_at"] is None:
            continue
        at = event["decided_at"]
        if event["verdict"] == "resumed":
            yield event["run_id"], "replied", at
        elif event["verdict"] not in (*NOT_COUNTED, "error") or event["reason"] == _START:
            before = [
                one
                for one in sent.get((event["connection_id"], event["igsid"]), ())
                if at - _REPLIED_WITHIN_MS <= one[0] < at <= one[3] and rows.runs[one[2]]["gone_at"] >= at
            ]
            if before:
                yield max(before)[2], "replied", at


def _ends(rows: Rows) -> Iterator[tuple[str, str, int]]:
    for run, status, at in rows.became:
        if status in ("failed", "expired"):
            yield run, status, at


# --- links -----------------------------------------------------------------------------------------------


def _links(rows: Rows) -> Iterator[tuple[Tally, int]]:
    seen: set[str] = set()
    for link in rows.links.values():
        item = rows.outbox.get(link["item_id"])
        if item is not None and item["status"] == "sent" and item["settled_at"] <= link["gone_at"]:
            yield _link(rows, link, "messages", item["settled_at"]), 1
    for token, clicks, previews, at in rows.visits:
        link = rows.links[token]
        yield _link(rows, link, "clicks", at), clicks
        yield _link(rows, link, "previews", at), previews
        if clicks and token not in seen:
            seen.add(token)
            yield _link(rows, link, "people", at), 1


def _link(rows: Rows, link: _Row, word: str, at: int) -> Tally:
    called = link["name"] or urlsplit(link["address"]).hostname or ""
    account = link["account_id"]
    return Tally(
        account, link["connection_id"], _day(rows, account, at), link["flow_id"], f"link:{word}:{called}"
    )


# --- what came in, broadcasts ----------------------------------------------------------------------------


def _came_in(rows: Rows) -> Iterator[tuple[Tally, int]]:
    for event in rows.events.values():
        if event["kind"] in CAME_IN and event["by_run"] is None and event["verdict"] not in NOT_COUNTED:
            account = event["account_id"]
            whose = (account, event["connection_id"], _day(rows, account, event["decided_at"]), "")
            post = event["media_id"] if event["kind"] in COMMENTS else ""
            yield Tally(*whose, f"received:{event['kind']}", post=post), 1
            if event["verdict"] in ("started", "resumed"):
                yield Tally(*whose, f"answered:{event['kind']}", post=post), 1


def _skipped(rows: Rows) -> Iterator[tuple[Tally, int]]:
    for one in rows.broadcasts.values():
        day = _day(rows, one["account_id"], one["began_at"])
        for why, n in json.loads(one["skipped"]).items():
            yield Tally(one["account_id"], one["connection_id"], day, one["flow_id"], f"skipped:{why}"), n


def _day(rows: Rows, account: str, at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(rows.zones[account])):%Y-%m-%d}"


# --- what the product has counted ------------------------------------------------------------------------


def kept(database: Path) -> Counter[Tally]:
    """The table of totals, in the same parts."""
    found: Counter[Tally] = Counter()
    with closing(_sqlite.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        for account, connection, day, flow, version, step, post, what, n in conn.execute(
            "SELECT account_id, connection_id, day, flow_id, version, step, media_id, what, n FROM totals"
        ):
            of_link = what.startswith("link:")
            whose = (account, connection, day, flow, what)
            found[Tally(*whose) if of_link else Tally(*whose, version, step, post)] += n
    return found


def difference(told: Tallies, counts: Tallies) -> Mapping[Tally, tuple[int, int]]:
    """What is not the same: (told, counted)."""
    return {
        tally: (told.get(tally, 0), counts.get(tally, 0))
        for tally in sorted({*told, *counts})
        if told.get(tally, 0) != counts.get(tally, 0)
    }
