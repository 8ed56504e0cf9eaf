"""What the daemon did about one person, for the column beside the phone: read from its database alone."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.clock import SystemClock
from pamosnik.errors import NotFound
from pamosnik.model.event import EventKind, Verdict
from pamosnik.sandbox.phone.behind import Action
from pamosnik.services import explaining
from pamosnik.services.reading import people, queue, runs
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, connections, contacts, notices, outbox, reads
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database
from pamosnik.store.reads import QueueFilter

_RUNS = 10
_EXCERPT = 60
_NOTHING: Shape = {"contact": None, "entries": [], "problems": []}


class Watching:
    """An observer of the sandbox. Knows nothing before `open`; keeps one connection until `close`."""

    def __init__(self, hint: str) -> None:
        """`hint` is what somebody new could try."""
        self._hint = hint
        self._database: Database | None = None
        self._version = -1
        self._known: dict[str, Shape] = {}
        self.actions: dict[str, Action] = {}

    def open(self, path: Path, connect_again: Action) -> None:
        """`connect_again` takes the account's new token."""
        self._database = open_database(path)
        self.actions = {"resume": self._resume, "connect_again": connect_again}

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None
        self.actions = {}

    async def _resume(self, ig_id: str, igsid: str) -> None:
        """Automation again for this person, before the pause is over."""
        if self._database is not None:
            self._database.write(lambda conn: _resumed(conn, ig_id, igsid))
            # that this very connection committed does not show in its data_version
            self._known.clear()

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
        "zone": account.timezone,
        "contact": _contact(conn, account, igsid),
        "entries": sorted(entries, key=_latest, reverse=True),
        "problems": [
            {"message": one.message, "fix": one.fix} for one in notices.of_account(conn, account.id)
        ],
    }


def _resumed(conn: Connection, ig_id: str, igsid: str) -> None:
    account = _account(conn, ig_id)
    if account is not None:
        for contact_id in contacts.find(conn, account.id, igsid):
            contacts.resume(conn, contact_id)


def _account(conn: Connection, ig_id: str) -> Account | None:
    """Who connected this Instagram account; None when nobody did."""
    for account in accounts.every(conn):
        if any(connection.ig_id == ig_id for connection in connections.of_account(conn, account.id)):
            return account
    return None


def _contact(conn: Connection, account: Account, igsid: str) -> Shape | None:
    try:
        found = people.named(conn, account, igsid)[0].shape()
    except NotFound:
        return None
    shown = ("tags", "fields", "window_open_until", "paused_until", "opted_out", "unreachable")
    contact = contacts.load(conn, str(found["id"]))
    by = None if contact is None or contact.paused_by is None else contact.paused_by.value
    return {**{name: found[name] for name in shown}, "paused_by": by}


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
    """Event → [step, what happened, detail, the step's verb] of the turn that took it."""

    @cache
    def body(flow_id: str, version: str) -> object:
        found = flow_store.version(conn, account.id, flow_id, version)
        return None if found is None else json.loads(found[0])

    steps: dict[str, list[list[str]]] = {}
    for run_id in _run_ids(conn, account, igsid):
        run, _ = runs.named(conn, account, run_id)
        flow = body(run.flow, run.version)
        for _, _, event, trace, _ in reads.turns(conn, run_id):
            if event is not None:
                steps[event] = [[*said, _verb(flow, said[0])] for said in json.loads(trace)]
    return steps


def _verb(flow: object, path: str) -> str:
    """do.1.buttons.0.do.2 → "tag"; of a button its label."""
    at = flow
    try:
        for part in path.split("."):
            at = at[int(part)] if isinstance(at, list) else at[part]  # type: ignore[index]
    except (KeyError, IndexError, TypeError, ValueError):
        return ""
    if not isinstance(at, dict):
        return ""
    verb = at.get("do")
    return verb.replace("_", " ") if isinstance(verb, str) else str(at.get("label", ""))


def _runs(conn: Connection, account: Account, igsid: str, events: list[Shape]) -> list[Shape]:
    titles = {flow.flow_id: flow.title for flow in flow_store.applied(conn, account.id)}
    entries: list[Shape] = []
    for run_id in _run_ids(conn, account, igsid):
        run, _ = runs.named(conn, account, run_id)
        shape = run.shape()
        kept = {name: shape[name] for name in ("id", "flow", "status", "step", "due_at", "reason")}
        of_it = QueueFilter(run_id=run_id)
        sent = reversed(queue.newest(conn, account, of_it, now=SystemClock().now()))
        own = [event for event in reversed(events) if event["run"] == run_id]
        title = titles.get(run.flow)
        entries.append(
            {**kept, "title": title, "events": own, "sent": [_item(conn, item.shape()) for item in sent]}
        )
    return entries


def _run_ids(conn: Connection, account: Account, igsid: str) -> list[str]:
    return [
        row[0]
        for contact_id in contacts.find(conn, account.id, igsid)
        for row in reads.runs(conn, account.id, limit=_RUNS, what=contact_id)
    ]


def _item(conn: Connection, item: Shape) -> Shape:
    kept = {name: item[name] for name in ("id", "kind", "action", "status", "reason", "attempts", "due_at")}
    stored = outbox.load(conn, str(item["id"]))
    text = None if stored is None else stored.content.text
    if text is not None and len(text) > _EXCERPT:
        text = f"{text[:_EXCERPT]}…"
    return {**kept, "text": text}


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
