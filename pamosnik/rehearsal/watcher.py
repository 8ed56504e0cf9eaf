"""Sees what has changed in a stage's database since it looked last: the queue, the runs, the people."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.engine.steps import GOES_BACK, TAKES_THE_WAY
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.run import RunStatus
from pamosnik.rehearsal.happenings import (
    CodeGiven,
    FieldSet,
    GoalReached,
    Happening,
    NotSent,
    OptedOut,
    Paused,
    PersonState,
    Ran,
    RunState,
    Skipped,
    Steered,
    Tagged,
    Waiting,
)
from pamosnik.store import codes, contacts, people, reads
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import instant

_GOAL = "goal "
"""Followed by the goal's name: how a trace tells a goal that was reached."""
_CODE = "gave a code of "
"""Followed by the pool: likewise of a code."""
_GOING = frozenset({RunStatus.ACTIVE, RunStatus.WAITING})
_LOST = frozenset({ItemStatus.EXPIRED, ItemStatus.FAILED, ItemStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class _Item:
    """A row of the queue."""

    id: str
    kind: ItemKind
    igsid: str
    flow: str | None
    status: ItemStatus
    due_at: datetime
    reason: str | None


class Watcher:
    """Reads; changes nothing."""

    def __init__(self, conn: Connection, account_id: str, name_of: Callable[[str], str]) -> None:
        """`name_of`: the username of an IGSID."""
        self._conn = conn
        self._account_id = account_id
        self._name_of = name_of
        self._items: dict[str, tuple[ItemStatus, datetime, str | None]] = {}
        self._runs: dict[str, RunStatus] = {}
        self._turns: dict[str, int] = {}
        self._people: dict[str, Contact] = {}

    def look(self, now: datetime) -> list[Happening]:
        """What is different from the last look."""
        return [*self._look_at_people(now), *self._look_at_runs(now), *self._look_at_queue(now)]

    def queued(self, now: datetime) -> list[datetime]:
        """When each queued item is due."""
        return [item.due_at for item in self._queue(now, open_only=True) if item.status is ItemStatus.QUEUED]

    def something_unknown(self, now: datetime) -> bool:
        """Whether an outcome is uncertain."""
        return any(item.status is ItemStatus.UNKNOWN for item in self._queue(now, open_only=True))

    def person(self, username: str, igsid: str, now: datetime) -> PersonState:
        for contact_id in contacts.find(self._conn, self._account_id, igsid):
            contact = contacts.load(self._conn, contact_id)
            if contact is not None:
                return self._state(username, contact, now)
        return PersonState(username)

    def _state(self, username: str, contact: Contact, now: datetime) -> PersonState:
        paused = contact.paused_until if contact.paused_until and contact.paused_until > now else None
        rows = reads.runs(self._conn, self._account_id, limit=None, what=contact.id)
        return PersonState(
            username=username,
            tags=contact.tags,
            fields=tuple(sorted(contact.fields.items())),
            window_open_until=contact.window_open_until,
            paused_until=paused,
            handed_over=paused is not None and contact.paused_by is PausedBy.HAND_OVER,
            opted_out=contact.opted_out_at is not None,
            runs=tuple(RunState(row[0], row[1], RunStatus(row[5]), row[6], row[9]) for row in rows),
        )

    # --- one thing after the other -------------------------------------------------------------------

    def _look_at_people(self, now: datetime) -> Iterator[Happening]:
        for contact_id in sorted(people.newest(self._conn, self._account_id, limit=None)):
            contact = contacts.load(self._conn, contact_id)
            assert contact is not None
            before = self._people.get(contact_id)
            if contact != before:
                yield from _changes(self._name_of(contact.igsid), before, contact, now)
            self._people[contact_id] = contact

    def _look_at_runs(self, now: datetime) -> Iterator[Happening]:
        for row in reversed(reads.runs(self._conn, self._account_id, limit=None)):
            status, known = RunStatus(row[5]), self._runs.get(row[0])
            if known is None or known in _GOING:
                yield from self._look_at_turns(now, row)
            if self._runs.get(row[0]) is not status:
                yield Ran(now, self._name_of(row[4]), row[0], row[1], status, row[9])
            self._runs[row[0]] = status

    def _look_at_turns(self, now: datetime, run: tuple[Any, ...]) -> Iterator[Happening]:
        """What the new turns of a run left out, which way they took, and the goals they reached."""
        run_id, flow, who = run[0], run[1], self._name_of(run[4])
        turns = reads.turns(self._conn, run_id)
        for turn in turns[self._turns.get(run_id, 0) :]:
            for step, result, detail in json.loads(turn[3]):
                if result == "skipped":
                    yield Skipped(now, who, flow, step, detail)
                elif result in (TAKES_THE_WAY, GOES_BACK):
                    yield Steered(now, who, flow, f"{result} {detail}")
                elif result == "done" and detail.startswith(_GOAL):
                    yield GoalReached(now, who, flow, detail.removeprefix(_GOAL))
                elif result == "done" and detail.startswith(_CODE):
                    yield from self._given(now, run, detail.removeprefix(_CODE))
        self._turns[run_id] = len(turns)

    def _given(self, now: datetime, run: tuple[Any, ...], pool: str) -> Iterator[CodeGiven]:
        for contact_id in contacts.find(self._conn, self._account_id, run[4]):
            code = codes.of_person(self._conn, contact_id, pool)
            if code is not None:
                yield CodeGiven(now, self._name_of(run[4]), pool, code)

    def _look_at_queue(self, now: datetime) -> Iterator[Happening]:
        for item in self._queue(now, open_only=False):
            state = (item.status, item.due_at, item.reason)
            if self._items.get(item.id) == state:
                continue
            self._items[item.id] = state
            to = self._name_of(item.igsid)
            if item.status in _LOST:
                yield NotSent(now, to, item.kind, item.status, item.flow, item.reason)
            elif item.status is not ItemStatus.SENT:
                until = item.due_at if item.status is ItemStatus.QUEUED and item.due_at > now else None
                yield Waiting(now, to, item.kind, item.status, item.flow, until, item.reason)

    def _queue(self, now: datetime, *, open_only: bool) -> list[_Item]:
        """The oldest first."""
        wanted = QueueFilter(open_only=open_only)
        rows = reads.queue(self._conn, self._account_id, wanted, limit=None, now=now)
        return [
            _Item(row[0], ItemKind(row[1]), row[3], row[5], ItemStatus(row[6]), instant(row[7]), row[10])
            for row in reversed(rows)
        ]


def _changes(who: str, before: Contact | None, after: Contact, now: datetime) -> Iterator[Happening]:
    tags = frozenset() if before is None else before.tags
    fields = {} if before is None else before.fields
    for tag in sorted(after.tags ^ tags):
        yield Tagged(now, who, tag, given=tag in after.tags)
    for field in sorted(after.fields.keys() | fields.keys()):
        if after.fields.get(field) != fields.get(field):
            yield FieldSet(now, who, field, after.fields.get(field))
    until = after.paused_until
    known = None if before is None else before.paused_until
    if until is not None and after.paused_by is not None and until > now and until != known:
        yield Paused(now, who, until, after.paused_by)
    opted_out = after.opted_out_at is not None
    if opted_out != (before is not None and before.opted_out_at is not None):
        yield OptedOut(now, who, opted_out)
