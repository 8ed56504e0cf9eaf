"""What came in, and what became of it."""

import json
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store.accounts import Account
from pamosnik.store.times import optional_instant


def newest(
    conn: Connection,
    account: Account,
    *,
    limit: int | None,
    since: datetime | None,
    before: str | None = None,
) -> list[Shape]:
    """The latest first; `before`: those older than the event of this id."""
    rows = reads.events(conn, account.id, limit=limit, since=since, before=before)
    return [_shape(row) for row in rows]


def named(conn: Connection, account: Account, what: str) -> tuple[Shape, list[list[str]]]:
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
    return _shape(row), checks


def whole(conn: Connection, account: Account, what: str) -> Shape:
    """The event that an id names, with its trace."""
    found, checks = named(conn, account, what)
    return {**found, "trace": checks}


def _shape(row: tuple[Any, ...]) -> Shape:
    return {
        "id": row[0],
        "kind": row[1],
        "from": {"username": row[2] or row[16], "igsid": row[3]},
        "text": row[4],
        "at": iso(optional_instant(row[5] if row[5] is not None else row[6])),
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
