"""What the daemon did about one person, for the column beside the phone: read from its database alone."""

import json
from collections.abc import Mapping
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.clock import SystemClock
from pamosnik.errors import NotFound
from pamosnik.model.event import EventKind, Verdict
from pamosnik.services import explaining, reading
from pamosnik.services.reading import Shape
from pamosnik.store import accounts, connections, contacts, notices, reads
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database
from pamosnik.store.reads import QueueFilter

_RUNS = 10
_NOTHING: Shape = {"contact": None, "entries": [], "problems": []}


class Watching:
    """An observer of the sandbox. Knows nothing before `open`; keeps one connection until `close`."""

    def __init__(self, hint: str) -> None:
        """`hint` is what somebody new could try."""
        self._hint = hint
        self._database: Database | None = None
        self._version = -1
        self._known: dict[str, Shape] = {}

    def open(self, path: Path) -> None:
        self._database = open_database(path)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None

    async def __call__(self, ig_id: str, igsid: str) -> Mapping[str, object]:
        """The page asks twice a second: what was found stays good until somebody commits."""
        if self._database is None:
            return _NOTHING
        version = self._database.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._known.clear()
        if igsid not in self._known:
            found = self._database.read(lambda conn: _seen(conn, ig_id, igsid))
            self._known[igsid] = {**found, "hint": self._hint}
        return self._known[igsid]


def _seen(conn: Connection, ig_id: str, igsid: str) -> Shape:
    account = _account(conn, ig_id)
    if account is None:
        return _NOTHING
    events = _events(conn, account, igsid)
    entries = [*_runs(conn, account, igsid, events), *_without_run(events)]
    return {
        "contact": _contact(conn, account, igsid),
        "entries": sorted(entries, key=_latest, reverse=True),
        "problems": [
            {"message": one.message, "fix": one.fix} for one in notices.of_account(conn, account.id)
        ],
    }


def _account(conn: Connection, ig_id: str) -> Account | None:
    """Who connected this Instagram account; None when nobody did."""
    for account in accounts.every(conn):
        if any(connection.ig_id == ig_id for connection in connections.of_account(conn, account.id)):
            return account
    return None


def _contact(conn: Connection, account: Account, igsid: str) -> Shape | None:
    try:
        found = reading.person(conn, account, igsid)[0]
    except NotFound:
        return None
    shown = ("tags", "fields", "window_open_until", "paused_until", "opted_out", "unreachable")
    return {name: found[name] for name in shown}


def _events(conn: Connection, account: Account, igsid: str) -> list[Shape]:
    """What the person did, newest first, each with its verdict and the steps that it made."""
    steps = _steps(conn, account, igsid)
    found = []
    for row in reads.find_events(conn, account.id, igsid):
        if row[1] == EventKind.SEEN or row[7] == Verdict.OWN:
            # that a message was read, and the echo of what is listed as sent
            continue
        why = explaining.why(conn, account, row[0], SystemClock().now())
        kept = {
            name: why.event[name] for name in ("id", "kind", "text", "at", "verdict", "reason", "flow", "run")
        }
        found.append({**kept, "advice": why.advice, "steps": steps.get(row[0], [])})
    return sorted(found, key=lambda event: str(event["id"]), reverse=True)


def _steps(conn: Connection, account: Account, igsid: str) -> dict[str, list[list[str]]]:
    """Event → [step, what happened, detail] of the turn that took it."""
    return {
        event: json.loads(trace)
        for run_id in _run_ids(conn, account, igsid)
        for _, _, event, trace, _ in reads.turns(conn, run_id)
        if event is not None
    }


def _runs(conn: Connection, account: Account, igsid: str, events: list[Shape]) -> list[Shape]:
    titles = {flow.flow_id: flow.title for flow in flow_store.applied(conn, account.id)}
    entries: list[Shape] = []
    for run_id in _run_ids(conn, account, igsid):
        run, _ = reading.run(conn, account, run_id)
        kept = {name: run[name] for name in ("id", "flow", "status", "step", "due_at", "reason")}
        of_it = QueueFilter(run_id=run_id)
        sent = reversed(reading.queue(conn, account, of_it, now=SystemClock().now()))
        own = [event for event in reversed(events) if event["run"] == run_id]
        title = titles.get(str(run["flow"]))
        entries.append({**kept, "title": title, "events": own, "sent": [_item(item) for item in sent]})
    return entries


def _run_ids(conn: Connection, account: Account, igsid: str) -> list[str]:
    return [
        row[0]
        for contact_id in contacts.find(conn, account.id, igsid)
        for row in reads.runs(conn, account.id, limit=_RUNS, what=contact_id)
    ]


def _item(item: Shape) -> Shape:
    return {name: item[name] for name in ("id", "kind", "status", "reason", "attempts", "due_at")}


def _without_run(events: list[Shape]) -> list[Shape]:
    """An event that no flow took stands alone."""
    nothing = {"flow": None, "title": None, "status": None, "step": None, "due_at": None, "reason": None}
    return [
        {"id": event["id"], **nothing, "events": [event], "sent": []}
        for event in events
        if event["run"] is None
    ]


def _latest(entry: Shape) -> str:
    """Ids begin with their time: the newest thing that belongs to the entry."""
    parts = [*_list(entry["events"]), *_list(entry["sent"])]
    return max(str(entry["id"]), *(str(part["id"]) for part in parts))


def _list(value: object) -> list[Shape]:
    assert isinstance(value, list)
    return value
