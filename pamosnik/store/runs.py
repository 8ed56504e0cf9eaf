"""Runs, the places where they wait, and what each of their turns did."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.model.condition import CameFrom
from pamosnik.model.decision import Check
from pamosnik.model.flow import Mode
from pamosnik.model.run import RUN_TRANSITIONS, Origin, Run, RunStatus, RunWait, WaitKind
from pamosnik.store import deletions, stats
from pamosnik.store.inbox import trace_json
from pamosnik.store.times import instant, ms, optional_instant

_RUN = (
    "run_id, account_id, connection_id, contact_id, flow_id, version, mode, status, origin, started_at, turn,"
    " answer, step, taps_open, main_done, finished_at, reason, data"
)
_UNTOUCHED = (
    f"(SELECT connection_id FROM runs r WHERE r.run_id=waits.run_id) NOT IN {deletions.BEING_DELETED}"  # noqa: S608
)
_WAIT = "wait_id, kind, path, opened_at, due_at, tries, branch, what, woken_at"


class ImpossibleTransitionError(PamosnikError):
    """The transition table does not allow this change of status. Always a mistake of ours."""


def insert(conn: Connection, run: Run) -> None:
    """A new run, before its first turn is recorded. Not live until `save` says so."""
    conn.execute(
        "INSERT INTO runs (run_id, account_id, connection_id, contact_id, flow_id, version, mode, status, live, turn,"
        " origin, comment_id, media_id, taps_open, main_done, started_at) VALUES (?,?,?,?,?,?,?,?,0,0,?,?,?,0,0,?)",
        (
            run.id,
            run.account_id,
            run.connection_id,
            run.contact_id,
            run.flow_id,
            run.version,
            run.mode.value,
            run.status.value,
            _origin_json(run.origin),
            run.origin.comment_id,
            run.origin.media_id,
            ms(run.started_at),
        ),
    )


def insert_again(conn: Connection, run: Run) -> None:
    """A run that has ended and was not kept any more, as it is known now. It was counted while it was kept; its turns
    go on behind those of messages that are still there."""
    insert(conn, run)
    conn.execute(
        "UPDATE runs SET finished_at=:at, counted=:counted,"
        " turn=coalesce((SELECT max(turn) FROM outbox WHERE source=:run), 0) WHERE run_id=:run",
        {
            "at": ms(run.finished_at),
            "counted": f" {stats.ALL} ",
            "run": run.id,
        },
    )


def doubt_like(conn: Connection, run_id: str, event_id: str) -> None:
    """A run whose event may have been answered before by a database that is lost is in doubt; else it is not."""
    conn.execute(
        "UPDATE runs SET doubt_from=(SELECT doubt_from FROM events WHERE event_id=?) WHERE run_id=?",
        (event_id, run_id),
    )


def doubt_like_run(conn: Connection, run_id: str, other_run_id: str) -> None:
    """A run that another one starts shares its doubt."""
    conn.execute(
        "UPDATE runs SET doubt_from=(SELECT doubt_from FROM runs WHERE run_id=?) WHERE run_id=?",
        (other_run_id, run_id),
    )


def doubt_unfinished(conn: Connection, since: datetime) -> None:
    """A backup was restored: what its unfinished runs do next may have been done since."""
    conn.execute("UPDATE runs SET doubt_from=? WHERE status IN ('active','waiting')", (ms(since),))


def save(conn: Connection, run: Run) -> None:
    """Writes a run at rest, with its waits. Refuses what the transition table does not allow."""
    (before,) = conn.execute("SELECT status FROM runs WHERE run_id=?", (run.id,)).fetchone()
    if run.status not in RUN_TRANSITIONS[RunStatus(before)]:
        raise ImpossibleTransitionError(f"run {run.id} cannot go from {before} to {run.status}")
    conn.execute(
        "UPDATE runs SET status=?, live=?, turn=?, origin=?, answer=?, step=?, taps_open=?, main_done=?, data=?,"
        " finished_at=?, reason=? WHERE run_id=?",
        (
            run.status.value,
            int(_counts_as_in_it(conn, run)),
            run.turn,
            _origin_json(run.origin),
            run.answer,
            run.step,
            int(run.taps_open),
            int(run.main_done),
            json.dumps(dict(run.data)),
            ms(run.finished_at),
            run.reason,
            run.id,
        ),
    )
    _save_waits(conn, run)


def _counts_as_in_it(conn: Connection, run: Run) -> bool:
    """A run that waits only for a tap does not count; nor does an older one that a tap woke beside a live one."""
    if run.finished_at is not None or all(wait.kind is WaitKind.TAP for wait in run.waits):
        return False
    if run.mode is Mode.PARALLEL:
        return True
    other = conn.execute(
        "SELECT 1 FROM runs WHERE contact_id=? AND flow_id=? AND live=1 AND mode<>'parallel' AND run_id<>?",
        (run.contact_id, run.flow_id, run.id),
    ).fetchone()
    return other is None


def _save_waits(conn: Connection, run: Run) -> None:
    keep = [wait.id for wait in run.waits]
    marks = ",".join("?" * len(keep))
    conn.execute(
        f"DELETE FROM waits WHERE run_id=? AND wait_id NOT IN ({marks})",  # noqa: S608 - question marks
        (run.id, *keep),
    )
    conn.executemany(
        "INSERT INTO waits (wait_id, account_id, run_id, contact_id, kind, path, branch, opened_at, due_at, tries,"
        " what) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (wait_id) DO UPDATE SET"
        # What this turn itself has woken stays due.
        " due_at=iif(woken_at IS NULL, excluded.due_at, due_at), tries=excluded.tries, attempts=0",
        [
            (
                wait.id,
                run.account_id,
                run.id,
                run.contact_id,
                wait.kind.value,
                wait.path,
                wait.branch,
                ms(wait.opened_at),
                ms(wait.due_at),
                wait.tries,
                wait.what,
            )
            for wait in run.waits
        ],
    )


def _origin_json(origin: Origin) -> str:
    return json.dumps(
        {
            "came_from": None if origin.came_from is None else origin.came_from.value,
            "event_id": origin.event_id,
            "text": origin.text,
            "comment_id": origin.comment_id,
            "top_comment_id": origin.top_comment_id,
            "comment_at": ms(origin.comment_at),
            "live": origin.live,
            "media_id": origin.media_id,
            "message_id": origin.message_id,
            "silent": origin.silent,
            "private_item": origin.private_item,
        },
        ensure_ascii=False,
    )


def _origin(text: str) -> Origin:
    raw = json.loads(text)
    return Origin(
        came_from=None if raw["came_from"] is None else CameFrom(raw["came_from"]),
        event_id=raw["event_id"],
        text=raw["text"],
        comment_id=raw["comment_id"],
        top_comment_id=raw["top_comment_id"],
        comment_at=optional_instant(raw["comment_at"]),
        live=raw["live"],
        media_id=raw["media_id"],
        message_id=raw.get("message_id"),
        silent=raw.get("silent", False),
        private_item=raw["private_item"],
    )


def load(conn: Connection, run_id: str) -> Run | None:
    """One run with its waits."""
    row = conn.execute(
        f"SELECT {_RUN} FROM runs WHERE run_id=?",  # noqa: S608 - column names
        (run_id,),
    ).fetchone()
    if row is None:
        return None
    waits = conn.execute(
        f"SELECT {_WAIT} FROM waits WHERE run_id=? ORDER BY opened_at, wait_id",  # noqa: S608 - column names
        (run_id,),
    )
    return Run(
        id=row[0],
        account_id=row[1],
        connection_id=row[2],
        contact_id=row[3],
        flow_id=row[4],
        version=row[5],
        mode=Mode(row[6]),
        status=RunStatus(row[7]),
        origin=_origin(row[8]),
        started_at=instant(row[9]),
        turn=row[10],
        answer=row[11],
        step=row[12],
        taps_open=bool(row[13]),
        main_done=bool(row[14]),
        finished_at=optional_instant(row[15]),
        reason=row[16],
        data=json.loads(row[17]),
        waits=tuple(_wait(wait) for wait in waits),
    )


def _wait(row: tuple[Any, ...]) -> RunWait:
    return RunWait(
        id=row[0],
        kind=WaitKind(row[1]),
        path=row[2],
        opened_at=instant(row[3]),
        due_at=instant(row[4]),
        tries=row[5],
        branch=row[6],
        what=row[7],
        woken=row[8] is not None,
    )


def waiting_for_person(conn: Connection, contact_id: str) -> list[tuple[str, RunWait]]:
    """Run ids and waits that an answer or a tap of this person could end, the latest opened first."""
    rows = conn.execute(
        f"SELECT run_id, {_WAIT} FROM waits WHERE contact_id=? AND kind IN ('answer', 'tap', 'for_answer',"  # noqa: S608
        " 'for_tap')"
        " ORDER BY opened_at DESC, wait_id DESC LIMIT 50",
        (contact_id,),
    )
    return [(row[0], _wait(row[1:])) for row in rows]


def live_runs(conn: Connection, contact_id: str) -> dict[str, list[str]]:
    """Flow id → ids of the runs this person is in, as `mode` counts it."""
    found: dict[str, list[str]] = {}
    for flow_id, run_id in conn.execute(
        "SELECT flow_id, run_id FROM runs WHERE contact_id=? AND live=1", (contact_id,)
    ):
        found.setdefault(flow_id, []).append(run_id)
    return found


def unfinished(conn: Connection, contact_id: str) -> list[str]:
    """Ids of this person's runs that still wait for something."""
    rows = conn.execute("SELECT DISTINCT run_id FROM waits WHERE contact_id=? ORDER BY run_id", (contact_id,))
    return [run_id for (run_id,) in rows]


@dataclass(frozen=True, slots=True)
class DueWait:
    """A wait whose time has come."""

    wait_id: str
    run_id: str
    due_at: datetime


def waits_due(conn: Connection, now: datetime, limit: int) -> list[DueWait]:
    """Waits whose `due_at` has come, earliest first."""
    rows = conn.execute(
        f"SELECT wait_id, run_id, due_at FROM waits WHERE due_at<=? AND {_UNTOUCHED} ORDER BY due_at LIMIT ?",  # noqa: S608
        (ms(now), limit),
    )
    return [DueWait(wait_id, run_id, instant(due)) for wait_id, run_id, due in rows]


def next_wait_due(conn: Connection) -> datetime | None:
    """When the next wait ends."""
    (due,) = conn.execute(f"SELECT min(due_at) FROM waits WHERE {_UNTOUCHED}").fetchone()  # noqa: S608
    return optional_instant(due)


def wake(conn: Connection, contact_id: str, kind: WaitKind, what: Collection[str], now: datetime) -> bool:
    """A click or a tag has come: the runs of this person that wait for it go on. Whether there are any."""
    if not what:
        return False
    marks = ",".join("?" * len(what))
    woken = conn.execute(
        "UPDATE waits SET due_at=?, woken_at=? WHERE contact_id=? AND kind=? AND woken_at IS NULL"  # noqa: S608
        f" AND what IN ({marks})",
        (ms(now), ms(now), contact_id, kind.value, *what),
    )
    return int(woken.rowcount) > 0


def count_wait_failure(conn: Connection, wait_id: str) -> int:
    """Notes that a turn on this wait failed; returns how many have (0 when the wait is gone)."""
    row = conn.execute(
        "UPDATE waits SET attempts = attempts + 1 WHERE wait_id=? RETURNING attempts", (wait_id,)
    ).fetchone()
    return 0 if row is None else int(row[0])


def record_turn(
    conn: Connection,
    run: Run,
    *,
    stimulus: str,
    event_id: str | None,
    trace: Sequence[Check],
    now: datetime,
) -> None:
    """What the decision that made `run.turn` looked at and did."""
    conn.execute(
        "INSERT INTO turns (account_id, run_id, turn, stimulus, event_id, trace, at) VALUES (?,?,?,?,?,?,?)",
        (run.account_id, run.id, run.turn, stimulus, event_id, trace_json(trace) or "[]", ms(now)),
    )


# --- limits and variants ---------------------------------------------------------------------------------


def count_start(conn: Connection, run: Run) -> None:
    """Remembers that this person started this flow, for the contact's life."""
    conn.execute(
        "INSERT INTO starts (account_id, contact_id, flow_id, media_id, first_at, last_at) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET last_at=excluded.last_at",
        (
            run.account_id,
            run.contact_id,
            run.flow_id,
            run.origin.media_id or "",
            ms(run.started_at),
            ms(run.started_at),
        ),
    )


def starts(conn: Connection, contact_id: str) -> dict[str, dict[str, datetime]]:
    """Flow id → media id ('' without a post) → when this person last started it."""
    found: dict[str, dict[str, datetime]] = {}
    for flow_id, media_id, last_at in conn.execute(
        "SELECT flow_id, media_id, last_at FROM starts WHERE contact_id=?", (contact_id,)
    ):
        found.setdefault(flow_id, {})[media_id] = instant(last_at)
    return found


def begun_since(
    conn: Connection, contact_id: str, flow_id: str, since: datetime
) -> list[tuple[str, datetime]]:
    """(run, when it started) of a person's runs of a flow that are kept, the latest first."""
    rows = conn.execute(
        "SELECT run_id, started_at FROM runs WHERE contact_id=? AND flow_id=? AND started_at>?"
        " ORDER BY started_at DESC, run_id DESC",
        (contact_id, flow_id, ms(since)),
    )
    return [(run_id, instant(at)) for run_id, at in rows]


def last_variants(conn: Connection, connection_id: str, flow_id: str, contact_id: str) -> dict[str, int]:
    """Step path → variant used last: by anybody for public replies, for this person for messages."""
    rows = conn.execute(
        "SELECT step, used FROM variants WHERE connection_id=? AND flow_id=? AND contact_id IN ('', ?)",
        (connection_id, flow_id, contact_id),
    )
    return dict(rows.fetchall())


def use_variant(conn: Connection, run: Run, step: str, variant: int, *, public: bool) -> None:
    """Notes which variant of a text went out."""
    conn.execute(
        "INSERT INTO variants (account_id, connection_id, flow_id, step, contact_id, used) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET used=excluded.used",
        (run.account_id, run.connection_id, run.flow_id, step, "" if public else run.contact_id, variant),
    )


def postpone(conn: Connection, wait_id: str, until: datetime) -> None:
    """A timer that came while a human has the conversation fires when the pause is over: a millisecond later, so that
    `pause_is_over` can tell it from one whose own time that is."""
    conn.execute("UPDATE waits SET due_at=? WHERE wait_id=?", (ms(until) + 1, wait_id))


def pause_is_over(conn: Connection, contact_id: str, until: datetime, now: datetime) -> None:
    """A pause ends before its time: what was postponed to its end fires now."""
    conn.execute(
        "UPDATE waits SET due_at=min(due_at, ?) WHERE contact_id=? AND due_at=?",
        (ms(now), contact_id, ms(until) + 1),
    )


def forget_said(conn: Connection, event_id: str) -> None:
    """Erases what an event said from the runs it started or answered, and the fields those turns set; sums stay."""
    conn.execute(
        "UPDATE runs SET origin=json_set(origin, '$.text', NULL) WHERE run_id IN"
        " (SELECT run_id FROM turns WHERE event_id=:event) AND json_extract(origin, '$.event_id')=:event",
        {"event": event_id},
    )
    conn.execute(
        "UPDATE runs SET answer=NULL WHERE run_id IN (SELECT run_id FROM turns t WHERE event_id=:event"
        " AND turn=(SELECT max(turn) FROM turns WHERE run_id=t.run_id AND stimulus IN ('Answered','Tapped')))",
        {"event": event_id},
    )
    conn.execute(
        "DELETE FROM contact_fields WHERE counted=0 AND (contact_id, set_at) IN"
        " (SELECT r.contact_id, t.at FROM turns t JOIN runs r USING (run_id) WHERE t.event_id=:event)",
        {"event": event_id},
    )
