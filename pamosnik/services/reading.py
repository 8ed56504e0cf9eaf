"""What people and scripts read, in the shapes of the JSON contract. Times are ISO 8601 in UTC."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError, NotFound
from pamosnik.instagram.limits import PRIVATE_REPLIES_PER_HOUR
from pamosnik.model.contact import Contact
from pamosnik.model.outbox import ItemStatus
from pamosnik.outbox.pacing import Caution
from pamosnik.services import broadcast_reading, forecast, settling
from pamosnik.services.shapes import Shape as Shape
from pamosnik.services.shapes import iso as iso
from pamosnik.store import connections, contacts, notices, reads, stats
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.notices import Notice
from pamosnik.store.outbox import NEVER_TOO_LATE
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import instant

WAL_BYTES_TOLD = 64 << 20
"""It is cut back to half of that once nobody needs it any more."""
EVERYTHING = QueueFilter()


def _iso_ms(value: int | None) -> str | None:
    return None if value is None else iso(instant(value))


# --- events ----------------------------------------------------------------------------------------------


def events(
    conn: Connection,
    account: Account,
    *,
    limit: int | None,
    since: datetime | None,
    before: str | None = None,
) -> list[Shape]:
    """The latest first; `before`: those older than the event of this id."""
    rows = reads.events(conn, account.id, limit=limit, since=since, before=before)
    return [_event(row) for row in rows]


def event(conn: Connection, account: Account, what: str) -> tuple[Shape, list[list[str]]]:
    """The event that an id names (the latest of a person), and the checks behind its verdict."""
    rows = reads.find_events(conn, account.id, what)
    if not rows:
        raise NotFound(f"No event is known by {what}.", hint="Try: pamosnik events list")
    row = rows[0]
    checks = json.loads(row[11]) if row[11] else []
    for trace in reads.turns_of(conn, str(row[0])):
        # A `run:` that led nowhere: what the person waits for does not come.
        checks += [check for check in json.loads(trace) if check[:2] == ["run", "skipped"]]
    for trace in reads.went_on(conn, str(row[0])):
        checks += [check for check in json.loads(trace) if check[2]]
    return _event(row), checks


def whole_event(conn: Connection, account: Account, what: str) -> Shape:
    """The event that an id names, with its trace."""
    found, checks = event(conn, account, what)
    return {**found, "trace": checks}


def _event(row: tuple[Any, ...]) -> Shape:
    return {
        "id": row[0],
        "kind": row[1],
        "from": {"username": row[2] or row[16], "igsid": row[3]},
        "text": row[4],
        "at": _iso_ms(row[5] if row[5] is not None else row[6]),
        "verdict": row[7],
        "flow": row[8],
        "reason": row[9],
        "run": row[10],
        "comment_id": row[12],
        "message_id": row[13],
        "seen_times": row[14],
        "recovered": bool(row[17]),
        "connection": row[15],
    }


# --- runs, queue, contacts -------------------------------------------------------------------------------


def runs(
    conn: Connection,
    account: Account,
    *,
    limit: int | None = None,
    since: datetime | None = None,
    what: str | None = None,
    before: str | None = None,
) -> list[Shape]:
    """The latest first; `before`: those older than the run of this id."""
    rows = reads.runs(conn, account.id, limit=limit, since=since, what=what, before=before)
    return [_run(row) for row in rows]


def run(conn: Connection, account: Account, what: str) -> tuple[Shape, list[Shape]]:
    """The run that an id names (the latest of a person), and what each of its turns did."""
    found = runs(conn, account, what=what, limit=1)
    if not found:
        raise NotFound(f"No run is known by {what}.", hint="Try: pamosnik runs list")
    turns: list[Shape] = [
        {"turn": t[0], "stimulus": t[1], "event": t[2], "trace": json.loads(t[3]), "at": _iso_ms(t[4])}
        for t in reads.turns(conn, str(found[0]["id"]))
    ]
    return found[0], turns


def whole_run(conn: Connection, account: Account, what: str, now: datetime) -> Shape:
    """The run that an id names, with its turns, what it put into the queue, and its links."""
    found, turns = run(conn, account, what)
    run_id = str(found["id"])
    return {
        **found,
        "turns": turns,
        "queue": queue(conn, account, QueueFilter(run_id=run_id), now=now),
        "links": links(conn, account, run_id=run_id),
    }


def _run(row: tuple[Any, ...]) -> Shape:
    return {
        "id": row[0],
        "flow": row[1],
        "version": row[2],
        "contact": {"username": row[3], "igsid": row[4]},
        "status": row[5],
        "step": row[6],
        "due_at": _iso_ms(row[11]),
        "started_at": _iso_ms(row[7]),
        "finished_at": _iso_ms(row[8]),
        "reason": row[9],
        "connection": row[10],
    }


def queue(
    conn: Connection,
    account: Account,
    wanted: QueueFilter = EVERYTHING,
    *,
    now: datetime,
    limit: int | None = None,
) -> list[Shape]:
    """The latest made first. What waits without a reason of its own says what it waits for."""
    found = reads.queue(conn, account.id, wanted, limit=limit, now=now)
    connected = connections.of_account(conn, account.id)
    outside = _Outside(
        ZoneInfo(account.timezone),
        forecast.leaving(conn, connected, now),
        {
            (one.id, quota.value): rest
            for one in connected
            for quota, rest in connections.quota_rests(conn, one.id).items()
            if rest[0] > now
        },
        forecast.slowed(conn, connected, now),
        reads.unanswered_lately(conn, account.id, now),
    )
    return [_item(row, outside) for row in found]


@dataclass(frozen=True, slots=True)
class _Outside:
    """What holds items up from outside the queue."""

    zone: ZoneInfo
    leaves: Mapping[str, datetime | None]
    """Private replies that wait for Meta's hour: when each leaves, None: never in time."""
    rests: Mapping[tuple[str, str], tuple[datetime, str]]
    """Connection and kind of message → until when that kind rests, and why."""
    slowed: Mapping[str, int]
    """Connection → percent of Meta's usage headers, where they slow private replies down."""
    unanswered: Mapping[str, int]
    """Connection → attempts that came to nothing certain lately."""


def _item(row: tuple[Any, ...], outside: _Outside) -> Shape:
    waiting = row[6] == ItemStatus.QUEUED.value
    return {
        "id": row[0],
        "kind": row[1],
        "action": row[19],
        "to": {"username": row[2], "igsid": row[3], "comment_id": row[4]},
        "flow": row[5],
        "status": row[6],
        "due_at": _iso_ms(row[7]),
        "deadline": None if row[8] == NEVER_TOO_LATE else _iso_ms(row[8]),
        "attempts": row[9],
        "reason": row[10] or (_waits_for(row[0], row[1], *row[14:19], outside=outside) if waiting else None),
        "expected_at": iso(outside.leaves.get(row[0])),
        "message_id": row[11],
        "connection": row[12],
        "run": row[13],
    }


def _waits_for(
    item_id: str,
    kind: str,
    before: str | None,
    connection: str,
    rests_until: int | None,
    rests_because: str | None,
    connection_id: str,
    *,
    outside: _Outside,
) -> str | None:
    """Why something queued does not leave yet, as far as the database shows it."""
    if connection != ConnectionStatus.ACTIVE.value:
        return "waits until you log in again: pamosnik connect"
    if rests_until is not None:
        return f"sending rests until {_local(instant(rests_until), outside.zone)}: {rests_because}"
    if before == ItemStatus.UNKNOWN.value:
        return "waits until it is known whether the message before it arrived, at most an hour"
    if before is not None:
        return f"waits for the message before it, which is {before}"
    if (rest := outside.rests.get((connection_id, kind))) is not None:
        return f"this kind of message rests until {_local(rest[0], outside.zone)}: {rest[1]}"
    if item_id in outside.leaves:
        at = outside.leaves[item_id]
        when = "will be too late" if at is None else f"leaves at about {_local(at, outside.zone)}"
        if (percent := outside.slowed.get(connection_id)) is not None:
            return f"Meta's usage headers say {percent} %, so private replies leave more slowly; {when}"
        return f"waits for Meta's limit of {PRIVATE_REPLIES_PER_HOUR} private replies an hour; {when}"
    if outside.unanswered.get(connection_id, 0) >= Caution.ROW:
        return "Instagram does not answer; one message at a time is tried"
    return None


def links(
    conn: Connection, account: Account, *, run_id: str | None = None, event_id: str | None = None
) -> list[Shape]:
    """Tracked links that a run, or the turns of an event, sent, in that order."""
    return [
        {
            "name": row[0],
            "address": row[1],
            "step": row[2],
            "clicks": row[3],
            "first_click_at": _iso_ms(row[4]),
            "last_click_at": _iso_ms(row[5]),
        }
        for row in reads.links(conn, account.id, run_id=run_id, event_id=event_id)
    ]


def people(
    conn: Connection,
    account: Account,
    *,
    limit: int | None,
    since: datetime | None = None,
    before: tuple[datetime, str] | None = None,
) -> list[Shape]:
    """Whoever was heard from last first; `before` (heard from, id): whoever comes after that one."""
    return people_by_id(
        conn, account, contacts.newest(conn, account.id, limit=limit, since=since, before=before)
    )


def people_of(
    conn: Connection, account: Account, connection_id: str, *, after: str, limit: int
) -> list[Shape]:
    """In the order of their IGSIDs, after this one: it does not change while somebody reads part after part."""
    return people_by_id(conn, account, contacts.of_connection(conn, connection_id, after=after, limit=limit))


def people_by_id(conn: Connection, account: Account, ids: Sequence[str]) -> list[Shape]:
    """In this order."""
    names = _usernames(conn, account.id)
    found = (contacts.load(conn, contact_id) for contact_id in ids)
    return [_contact(contact, names) for contact in found if contact is not None]


def person(conn: Connection, account: Account, who: str) -> list[Shape]:
    """Everybody that `@username`, an IGSID or an id names, the one heard from last first: one for each connection."""
    names = _usernames(conn, account.id)
    found = [contacts.load(conn, contact_id) for contact_id in contacts.find(conn, account.id, who)]
    if not found:
        raise NotFound(f"No contact is known by {who}.", hint="Try: pamosnik contacts list")
    return [_contact(contact, names) for contact in found if contact is not None]


def _usernames(conn: Connection, account_id: str) -> Mapping[str, str]:
    return {c.id: c.username for c in connections.of_account(conn, account_id)}


def _contact(contact: Contact, names: Mapping[str, str]) -> Shape:
    return {
        "id": contact.id,
        "username": contact.username,
        "igsid": contact.igsid,
        "name": contact.name,
        "follows_me": contact.follows_me,
        "verified": contact.verified,
        "followers": contact.followers,
        "facts_at": iso(contact.looked_up_at),
        "facts_problem": contact.look_up_problem,
        "tags": sorted(contact.tags),
        "fields": dict(sorted(contact.fields.items())),
        "window_open_until": iso(contact.window_open_until),
        "opted_out": contact.opted_out_at is not None,
        "unreachable": contact.unreachable_since is not None,
        "paused_until": iso(contact.paused_until),
        "connection": names.get(contact.connection_id),
    }


# --- numbers ---------------------------------------------------------------------------------------------

_WORDS = (
    stats.STARTED,
    stats.COMPLETED,
    stats.SENT,
    stats.SEEN,
    stats.CLICKED,
    stats.REPLIED,
    stats.FAILED,
    stats.EXPIRED,
)


def numbers(
    conn: Connection,
    account: Account,
    *,
    flow: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Shape:
    """One row per connection and flow; applied flows that nobody started count 0."""
    names = _usernames(conn, account.id)
    rows: dict[tuple[str, str], dict[str, object]] = {}

    def row(connection: str, flow_id: str) -> dict[str, object]:
        key = (flow_id, connection)
        if key not in rows:
            counts = dict.fromkeys(_WORDS, 0)
            rows[key] = {
                "flow": flow_id,
                **counts,
                "goals": {},
                "splits": {},
                "skipped": {},
                "connection": connection,
            }
        return rows[key]

    for connection_id, flow_id, what, n in stats.totals(
        conn, account.id, flow_id=flow, since=since, until=until
    ):
        found = row(names.get(connection_id, ""), flow_id)
        if what.startswith(stats.GOAL):
            goals = found["goals"]
            assert isinstance(goals, dict)
            goals[what.removeprefix(stats.GOAL)] = n
        elif what.startswith(stats.SPLIT):
            splits = found["splits"]
            assert isinstance(splits, dict)
            name, _, counted = what.removeprefix(stats.SPLIT).partition(":")
            splits.setdefault(name, {stats.STARTED: 0, stats.COMPLETED: 0})[counted] = n
        elif what.startswith(stats.SKIPPED):
            skipped = found["skipped"]
            assert isinstance(skipped, dict)
            skipped[what.removeprefix(stats.SKIPPED)] = n
        else:
            found[what] = n
    for applied in flow_store.applied(conn, account.id):
        if flow in (None, applied.flow_id) and not any(key[0] == applied.flow_id for key in rows):
            for name in names.values() or ("",):
                row(name, applied.flow_id)
    if flow is not None and not rows and not flow_store.ever_applied(conn, account.id, flow):
        raise NotFound(f"There is no flow {flow}.", hint="Try: pamosnik flows list")
    return {"flows": [rows[key] for key in sorted(rows)]}


# --- connections and health ------------------------------------------------------------------------------


def connection(connected: Connected) -> Shape:
    return {
        "username": connected.username,
        "ig_id": connected.ig_id,
        "status": connected.status.value,
        "token_expires_at": iso(connected.token_expires_at),
        "scopes": list(connected.scopes),
        "connected_at": iso(connected.connected_at),
        "reason": connected.reason,
        "delete_after": iso(connected.delete_after),
    }


def one_connection(conn: Connection, account: Account, name: str) -> Shape:
    """By username, Instagram id or Pamosnik's id. Raises `NotFound`."""
    for connected in connections.of_account(conn, account.id):
        if name.removeprefix("@").casefold() in (
            connected.username.casefold(),
            connected.ig_id,
            connected.id.casefold(),
        ):
            return connection(connected)
    raise NotFound(f"{name} is not connected.", hint="Try: pamosnik connections list")


def storage(refused: tuple[str, str] | None, wal_bytes: int) -> list[Shape]:
    """Problems of the disk and the database's file; `refused`: what the daemon could not do, and the fix."""
    problems: list[Shape] = []
    if refused is not None:
        message, fix = refused
        problems.append({"code": "storage", "message": message, "fix": fix, "since": None})
    if wal_bytes > WAL_BYTES_TOLD:
        problems.append(
            {
                "code": "database_held_open",
                "message": f"pamosnik.db-wal has grown to {wal_bytes >> 20} MB: another program has been reading the"
                " database for long, and what it reads has to stay.",
                "fix": "Close whatever has pamosnik.db open, a viewer or a copy under way. Try: fuser -v pamosnik.db",
                "since": None,
            }
        )
    return problems


def key_trouble(trouble: HomeError | None) -> list[Shape]:
    """The problem of a key file that does not open."""
    if trouble is None:
        return []
    return [{"code": "key_file", "message": trouble.message, "fix": trouble.hint, "since": None}]


def status(
    conn: Connection,
    account: Account,
    *,
    running: bool,
    since: datetime | None,
    now: datetime,
    storage: Sequence[Shape] = (),
) -> Shape:
    connected = connections.of_account(conn, account.id)
    seen = {one["code"] for one in storage}  # just now: what the daemon told of the same before is older
    told = [one for one in _problems(conn, account, connected, now) if one["code"] not in seen]
    problems = [*storage, *told]
    if not running:
        problems.append(
            {
                "code": "daemon_not_running",
                "message": "The daemon is not running.",
                "fix": "Try: pamosnik serve",
                "since": None,
            }
        )
    counts = reads.queue_counts(conn, account.id)
    next_due, last_due = reads.queue_times(conn, account.id)
    last_event, pending = reads.event_counts(conn, account.id)
    leaves = forecast.leaving(conn, connected, now)
    return {
        "healthy": not problems,
        "daemon": {"running": running, "since": iso(since)},
        "connections": [connection(c) for c in connected],
        "queue": {
            **{name: counts.get(name, 0) for name in ("queued", "sending", "unknown", "held")},
            "next_due_at": _iso_ms(next_due),
            "last_due_at": iso(forecast.last_out(leaves, last_due)),
            "will_expire": forecast.will_expire(conn, account, leaves, now),
        },
        "events": {"last_at": _iso_ms(last_event), "pending": pending},
        "broadcasts": {
            "planned": broadcast_reading.planned(conn, account),
            "latest": broadcast_reading.latest(conn, account, limit=1),
        },
        "problems": problems,
    }


def _rests(connected: Connected, now: datetime) -> bool:
    return connected.rest_until is not None and connected.rest_until > now


def _resting(connected: Connected, zone: ZoneInfo) -> Shape:
    return {
        "code": "resting",
        "message": f"Sending rests for {connected.username} until {_local(connected.rest_until, zone)}:"
        f" {connected.rest_reason}.",
        "fix": "Nothing to do: it goes on by itself.",
        "since": None,
    }


def _told(notice: Notice) -> Shape:
    return {
        "code": notice.code,
        "message": notice.message,
        "fix": notice.fix,
        "since": iso(notice.since),
    }


def _problems(conn: Connection, account: Account, connected: list[Connected], now: datetime) -> list[Shape]:
    told = notices.of_account(conn, account.id)
    problems = [_told(notice) for notice in told]
    named = {notice.connection_id for notice in told}
    resting = [one for one in connected if _rests(one, now) and one.id not in named]
    problems += [_resting(one, ZoneInfo(account.timezone)) for one in resting]
    problems += [_told(notice) for notice in settling.left_to_owners(conn) if notice.account_id == account.id]
    if not any(c.status is ConnectionStatus.ACTIVE for c in connected):
        if not problems:
            problems.append(
                {
                    "code": "not_connected",
                    "message": "No Instagram account is connected.",
                    "fix": "Try: pamosnik connect --token-stdin",
                    "since": None,
                }
            )
    elif not flow_store.applied(conn, account.id):
        problems.append(
            {
                "code": "no_flows",
                "message": "No flow is applied.",
                "fix": "Try: pamosnik flows apply flows.yaml",
                "since": None,
            }
        )
    return problems


# --- the page --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overview:
    """What the status page shows, times in the account's zone."""

    problems: list[Shape]
    connections: list[Shape]
    queue: list[tuple[str, int]]
    prospects: str | None
    flows: list[Shape]
    events: list[Shape]


def overview(
    conn: Connection, *, account: Account, events: int, now: datetime, storage: Sequence[Shape] = ()
) -> Overview:
    """Everything of one account, read on one snapshot."""
    zone = ZoneInfo(account.timezone)
    connected = connections.of_account(conn, account.id)
    counts = reads.queue_counts(conn, account.id)
    return Overview(
        problems=[_here(one, zone) for one in (*storage, *_problems(conn, account, connected, now))],
        connections=[
            {
                "username": c.username,
                "status": c.status.value,
                "token_until": _local(c.token_expires_at, zone),
                "delete_after": None if c.delete_after is None else _local(c.delete_after, zone),
            }
            for c in connected
        ],
        queue=[(name, counts.get(name, 0)) for name in ("queued", "sending", "held", "unknown")],
        prospects=forecast.prospects(conn, account, now),
        flows=_flow_numbers(conn, account),
        events=[_shown(row, zone) for row in reads.events(conn, account.id, limit=events)],
    )


def _here(problem: Shape, zone: ZoneInfo) -> Shape:
    since = problem["since"]
    return {**problem, "since": _local(datetime.fromisoformat(str(since)), zone) if since else None}


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return "–" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _flow_numbers(conn: Connection, account: Account) -> list[Shape]:
    summed: dict[str, dict[str, int]] = {}
    for _, flow_id, what, n in stats.totals(conn, account.id):
        counts = summed.setdefault(flow_id, {})
        counts[what] = counts.get(what, 0) + n
    return [
        {
            "title": flow.title,
            "paused": flow.starts_nobody,
            **{word: summed.get(flow.flow_id, {}).get(word, 0) for word in _WORDS},
        }
        for flow in flow_store.applied(conn, account.id)
    ]


def _shown(row: tuple[Any, ...], zone: ZoneInfo) -> Shape:
    at = row[5] if row[5] is not None else row[6]
    name = row[2] or row[16]
    return {
        "at": _local(instant(at), zone),
        "who": f"@{name}" if name else (row[3] or "–"),
        "kind": row[1].replace("_", " "),
        "text": row[4] or "",
        "verdict": row[7].replace("_", " "),
        "flow": row[8],
        "reason": row[9] or "",
    }
