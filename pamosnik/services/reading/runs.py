"""People going through flows, turn by turn."""

import json
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.services.reading import links, queue
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import optional_instant


def newest(
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
    return [_shape(row) for row in rows]


def named(conn: Connection, account: Account, what: str) -> tuple[Shape, list[Shape]]:
    """The run that an id names (the latest of a person), and what each of its turns did."""
    found = newest(conn, account, what=what, limit=1)
    if not found:
        raise NotFound(f"No run is known by {what}.", hint="Try: pamosnik runs list")
    turns: list[Shape] = [
        {
            "turn": t[0],
            "stimulus": t[1],
            "event": t[2],
            "trace": json.loads(t[3]),
            "at": iso(optional_instant(t[4])),
        }
        for t in reads.turns(conn, str(found[0]["id"]))
    ]
    return found[0], turns


def whole(conn: Connection, account: Account, what: str, now: datetime) -> Shape:
    """The run that an id names, with its turns, what it put into the queue, and its links."""
    found, turns = named(conn, account, what)
    run_id = str(found["id"])
    return {
        **found,
        "turns": turns,
        "queue": queue.newest(conn, account, QueueFilter(run_id=run_id), now=now),
        "links": links.sent(conn, account, run_id=run_id),
    }


def _shape(row: tuple[Any, ...]) -> Shape:
    return {
        "id": row[0],
        "flow": row[1],
        "version": row[2],
        "contact": {"username": row[3], "igsid": row[4]},
        "status": row[5],
        "step": row[6],
        "due_at": iso(optional_instant(row[11])),
        "started_at": iso(optional_instant(row[7])),
        "finished_at": iso(optional_instant(row[8])),
        "reason": row[9],
        "connection": row[10],
    }
