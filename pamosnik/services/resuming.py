"""Runs that go on without an event: a wait is over, or what they sent or asked for has come to its end.

Each function here runs inside one transaction of the caller's.
"""

from dataclasses import replace
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.decision import EffectSettled, Stimulus, TimerFired, Woken
from pamosnik.model.outbox import ERRANDS, SETTLED, ItemKind, ItemStatus, OutboxItem
from pamosnik.model.run import ENDED, Run, RunStatus, WaitKind
from pamosnik.services import effects, turn
from pamosnik.services.library import Library
from pamosnik.services.numbers import today
from pamosnik.services.scene import open_scene
from pamosnik.store import contacts, errands, outbox, runs, stats
from pamosnik.store.runs import DueWait


def take_wait(conn: Connection, library: Library, due: DueWait, now: datetime) -> None:
    """A wait whose time has come. While somebody else has the conversation it comes later."""
    run = runs.load(conn, due.run_id)
    wait = None if run is None else next((wait for wait in run.waits if wait.id == due.wait_id), None)
    if run is None or wait is None:
        return
    scene = open_scene(conn, library, run.account_id, run.connection_id, now)
    contact = contacts.load(conn, run.contact_id)
    assert contact is not None
    if contact.forget_at is not None:
        effects.stop_run(conn, run.id, "the person is forgotten", now)
    elif contact.opted_out_at is not None:
        effects.stop_run(conn, run.id, "the person opted out", now)
    elif contact.paused_until is not None and now < contact.paused_until:
        runs.postpone(conn, due.wait_id, contact.paused_until)
    else:
        errand = errands.of_wait(conn, run.id, due.wait_id) if wait.kind is WaitKind.EFFECT else None
        ended: Stimulus = Woken(due.wait_id) if wait.woken else TimerFired(due.wait_id)
        stimulus = ended if errand is None else _settled(errand, due.wait_id)
        turn.go_on(scene, contact, run, stimulus, None)


def fail_wait(conn: Connection, due: DueWait, now: datetime) -> None:
    """After its turn failed twice: the run's end is `failed`."""
    run = runs.load(conn, due.run_id)
    if run is not None:
        reason = "Pamosnik failed on it twice; the log of that time names the place"
        status = run.status if run.status in ENDED else RunStatus.FAILED
        runs.save(
            conn, replace(run, status=status, finished_at=run.finished_at or now, reason=reason, waits=())
        )
        stats.mark_run(conn, run.id, stats.FAILED, today(conn, run.account_id, now))


def take_settled(conn: Connection, library: Library, item_id: str, now: datetime) -> None:
    """A message or errand whose run has to know how it ended."""
    item = outbox.load(conn, item_id)
    outbox.told(conn, item_id)
    run = None if item is None or item.run_id is None else runs.load(conn, item.run_id)
    if item is None or run is None:
        return
    if item.kind in ERRANDS:
        _take_errand(conn, library, item, run, now)
        return
    if run.status in ENDED:
        return
    scene = open_scene(conn, library, run.account_id, run.connection_id, now)
    contact = contacts.load(conn, run.contact_id)
    assert contact is not None
    turn.go_on(scene, contact, run, _settled(item), None)


def _take_errand(conn: Connection, library: Library, item: OutboxItem, run: Run, now: datetime) -> None:
    """An errand came back: as if its wait were over. While somebody else has the conversation, what it brought is
    kept until then."""
    wait = next((wait for wait in run.waits if wait.id == item.task.get("wait")), None)
    if wait is not None:
        take_wait(conn, library, DueWait(wait.id, run.id, now), now)


def _settled(item: OutboxItem, wait_id: str | None = None) -> EffectSettled:
    """`wait_id`: of an errand that is waited for no longer, whether it has come back or not."""
    private = item.kind is ItemKind.PRIVATE_REPLY
    if wait_id is not None and item.status not in SETTLED:
        reason = "no answer in time"
        return EffectSettled(item.id, item.step, private, ItemStatus.FAILED, reason, wait_id, kind=item.kind)
    return EffectSettled(
        item.id,
        item.step,
        private,
        item.status,
        item.reason,
        item.task.get("wait"),
        item.result,
        kind=item.kind,
        asks=item.content.media is None and not item.content.images,
    )
