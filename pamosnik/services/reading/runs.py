"""People going through flows, turn by turn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.model.run import WaitKind
from pamosnik.services.reading import links, queue
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store import runs as store
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import instant, optional_instant


@dataclass(frozen=True, slots=True)
class Run:
    """A person going through a flow."""

    id: str
    flow: str
    version: str
    username: str | None
    igsid: str
    status: str
    step: str | None
    due_at: datetime | None
    """When the first of its waits is over."""
    started_at: datetime
    finished_at: datetime | None
    reason: str | None
    connection: str
    contact: str
    """The person's id of ours."""

    def shape(self) -> Shape:
        return {
            "id": self.id,
            "flow": self.flow,
            "version": self.version,
            "contact": {"username": self.username, "igsid": self.igsid},
            "status": self.status,
            "step": self.step,
            "due_at": iso(self.due_at),
            "started_at": iso(self.started_at),
            "finished_at": iso(self.finished_at),
            "reason": self.reason,
            "connection": self.connection,
        }


STIMULI: Mapping[str, str] = {
    "Started": "The flow began",
    "Answered": "A question was answered",
    "NotUnderstood": "An answer did not fit the question",
    "Tapped": "A button or chip was chosen",
    "TimerFired": "The time was over",
    "Woken": "What it waited for came",
    "EffectSettled": "What it asked for, or sent, came to its end",
}
"""What turns come about by, in words."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of a run did."""

    number: int
    stimulus: str
    event: str | None
    trace: list[list[str]]
    at: datetime

    @property
    def why(self) -> str:
        """What it came about by, in words."""
        return STIMULI.get(self.stimulus, self.stimulus)

    def shape(self) -> Shape:
        return {
            "turn": self.number,
            "stimulus": self.stimulus,
            "event": self.event,
            "trace": self.trace,
            "at": iso(self.at),
        }


def newest(
    conn: Connection,
    account: Account,
    *,
    limit: int | None = None,
    since: datetime | None = None,
    what: str | None = None,
    before: str | None = None,
) -> list[Run]:
    """The latest first; `before`: those older than the run of this id."""
    rows = reads.runs(conn, account.id, limit=limit, since=since, what=what, before=before)
    return [_run(row) for row in rows]


def of_person(conn: Connection, contact_id: str, *, limit: int) -> list[Run]:
    """Their latest ones first."""
    return [_run(row) for row in reads.runs_of_person(conn, contact_id, limit)]


def named(conn: Connection, account: Account, what: str) -> tuple[Run, list[Turn]]:
    """The run that an id names (the latest of a person), and what each of its turns did."""
    found = by_id(conn, account, what.upper())
    if found is not None:
        return found
    known = newest(conn, account, what=what, limit=1)
    if not known:
        raise NotFound(f"No run is known by {what}.", hint="Try: pamosnik runs list")
    return known[0], _turns(conn, known[0].id)


def by_id(conn: Connection, account: Account, run_id: str) -> tuple[Run, list[Turn]] | None:
    """None: there is none of this id, or it is not kept any more."""
    row = reads.run(conn, account.id, run_id)
    return None if row is None else (_run(row), _turns(conn, run_id))


def _turns(conn: Connection, run_id: str) -> list[Turn]:
    return [
        Turn(row[0], row[1], row[2], json.loads(row[3]), instant(row[4])) for row in reads.turns(conn, run_id)
    ]


_WAITS = {
    WaitKind.TIMER: "for a time",
    WaitKind.ANSWER: "for an answer",
    WaitKind.TAP: "for a tap on a button or chip",
    WaitKind.EFFECT: "for what it has asked a program or Instagram",
    WaitKind.FOR_ANSWER: "for an answer",
    WaitKind.FOR_TAP: "for a tap",
    WaitKind.FOR_CLICK: "for a click on a link",
    WaitKind.FOR_TAG: "for a tag",
}


@dataclass(frozen=True, slots=True)
class Wait:
    """A place where a run stands still."""

    what: str
    """In words: for …"""
    step: str
    until: datetime


def waits(conn: Connection, run: Run) -> list[Wait]:
    """Where it stands still, in the order in which it came there."""
    found = store.load(conn, run.id)
    return [] if found is None else [Wait(_WAITS[one.kind], one.path, one.due_at) for one in found.waits]


def whole(conn: Connection, account: Account, what: str, now: datetime) -> Shape:
    """The run that an id names, with its turns, what it put into the queue, and its links."""
    found, turns = named(conn, account, what)
    of_it = QueueFilter(run_id=found.id)
    return {
        **found.shape(),
        "turns": [turn.shape() for turn in turns],
        "queue": [item.shape() for item in queue.newest(conn, account, of_it, now=now)],
        "links": [link.shape() for link in links.sent(conn, account, run_id=found.id)],
    }


def _run(row: tuple[Any, ...]) -> Run:
    return Run(
        id=row[0],
        flow=row[1],
        version=row[2],
        username=row[3],
        igsid=row[4],
        status=row[5],
        step=row[6],
        due_at=optional_instant(row[11]),
        started_at=instant(row[7]),
        finished_at=optional_instant(row[8]),
        reason=row[9],
        connection=row[10],
        contact=row[12],
    )
