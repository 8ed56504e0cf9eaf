"""Errands: calls, mails and look-ups, which leave the machine and are no messages to people.

Unlike a message an errand may be repeated: a look-up changes nothing, a call carries the same id each time, and two
mails to the owner are better than none. So what was under way when the process ended simply begins again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import ItemKind, ItemStatus, OutboxItem
from pamosnik.services.numbers import today
from pamosnik.store import errands as errand_store
from pamosnik.store import outbox, quoted, runs, stats


@dataclass(frozen=True, slots=True)
class Brought:
    """It was done; this came back, for the step that asked."""

    result: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def word(self) -> str:
        return "done"


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing came of this attempt; the next is at `at`."""

    at: datetime
    reason: str

    @property
    def word(self) -> str:
        return "later"


@dataclass(frozen=True, slots=True)
class Failed:
    """Given up: the step that asked hears of it and goes on without an answer."""

    reason: str

    @property
    def word(self) -> str:
        return "failed"


Result = Brought | Later | Failed
"""How one attempt ended."""

NOBODY_WAITS = "nobody waits for it any more"


def claim(conn: Connection, kind: ItemKind, limit: int, now: datetime) -> list[OutboxItem]:
    """Takes what may leave now; `sending` is committed before it leaves. Its `attempts` counts this one."""
    claimed: list[OutboxItem] = []
    for item in errand_store.due(conn, kind, now, limit):
        if not _wanted(conn, item):
            outbox.move(conn, item, ItemStatus.CANCELLED, now=now, reason=NOBODY_WAITS)
            quoted.forget_taken_back(conn, item.id)
            continue
        errand_store.start(conn, item, now)
        begun = outbox.load(conn, item.id)
        assert begun is not None
        claimed.append(begun)
    return claimed


def record(conn: Connection, item_id: str, result: Result, now: datetime) -> None:
    """Writes down how an attempt ended."""
    match result:
        case Brought():
            done(conn, item_id, result.result, now)
        case Later():
            again(conn, item_id, result.at, result.reason, now)
        case Failed():
            fail(conn, item_id, result.reason, now)
        case _:
            assert_never(result)


def done(conn: Connection, item_id: str, result: Mapping[str, str | None], now: datetime) -> None:
    """It has its answer, and the step that asked goes on. Does nothing for what is not under way any more."""
    item = _under_way(conn, item_id)
    if item is not None:
        errand_store.keep_result(conn, item_id, result)
        _settle(conn, item, ItemStatus.SENT, None, now)


def again(conn: Connection, item_id: str, at: datetime, reason: str, now: datetime) -> None:
    """Nothing came of this attempt; the next is at `at`, if somebody still waits for it then."""
    item = _under_way(conn, item_id)
    if item is not None and not _wanted(conn, item):
        _settle(conn, item, ItemStatus.FAILED, NOBODY_WAITS, now)
    elif item is not None:
        outbox.move(conn, item, ItemStatus.QUEUED, now=now, due_at=at, reason=reason)


def fail(conn: Connection, item_id: str, reason: str, now: datetime) -> None:
    """Given up: the step that asked hears of it and goes on without an answer."""
    item = _under_way(conn, item_id)
    if item is not None:
        _settle(conn, item, ItemStatus.FAILED, reason, now)


def _wanted(conn: Connection, item: OutboxItem) -> bool:
    """Whether the step that asked still waits; mails and whatever nobody waits for are wanted all the same."""
    if item.kind is ItemKind.EMAIL or item.run_id is None or "wait" not in item.task:
        return True
    run = runs.load(conn, item.run_id)
    return run is not None and any(wait.id == item.task["wait"] for wait in run.waits)


def _settle(
    conn: Connection, item: OutboxItem, status: ItemStatus, reason: str | None, now: datetime
) -> None:
    outbox.move(conn, item, status, now=now, reason=reason)
    if item.run_id is not None and status is ItemStatus.FAILED and item.kind is not ItemKind.LOOKUP:
        stats.mark_run(conn, item.run_id, stats.FAILED, today(conn, item.account_id, now))
    if "wait" in item.task:
        outbox.tell_run(conn, item.id)
    quoted.forget_taken_back(conn, item.id)


def _under_way(conn: Connection, item_id: str) -> OutboxItem | None:
    item = outbox.load(conn, item_id)
    return item if item is not None and item.status is ItemStatus.SENDING else None
