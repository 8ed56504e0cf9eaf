"""What the first page shows, read on one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.services.reading import forecast, numbers, problems
from pamosnik.services.shapes import Shape, local
from pamosnik.store import connections, flows, reads, stats
from pamosnik.store.accounts import Account
from pamosnik.store.times import instant


@dataclass(frozen=True, slots=True)
class Overview:
    """What the status page shows, times in the account's zone."""

    problems: list[Shape]
    connections: list[Shape]
    queue: list[tuple[str, int]]
    prospects: str | None
    flows: list[Shape]
    events: list[Shape]


def of_account(
    conn: Connection, *, account: Account, events: int, now: datetime, storage: Sequence[Shape] = ()
) -> Overview:
    """Everything of one account, read on one snapshot."""
    zone = ZoneInfo(account.timezone)
    connected = connections.of_account(conn, account.id)
    counts = reads.queue_counts(conn, account.id)
    return Overview(
        problems=[
            _here(one, zone) for one in (*storage, *problems.of_account(conn, account, connected, now))
        ],
        connections=[
            {
                "username": c.username,
                "status": c.status.value,
                "token_until": local(c.token_expires_at, zone),
                "delete_after": None if c.delete_after is None else local(c.delete_after, zone),
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
    return {**problem, "since": local(datetime.fromisoformat(str(since)), zone) if since else None}


def _flow_numbers(conn: Connection, account: Account) -> list[Shape]:
    summed: dict[str, dict[str, int]] = {}
    for _, flow_id, what, n in stats.totals(conn, account.id):
        counts = summed.setdefault(flow_id, {})
        counts[what] = counts.get(what, 0) + n
    return [
        {
            "title": flow.title,
            "paused": flow.starts_nobody,
            **{word: summed.get(flow.flow_id, {}).get(word, 0) for word in numbers.WORDS},
        }
        for flow in flows.applied(conn, account.id)
    ]


def _shown(row: tuple[Any, ...], zone: ZoneInfo) -> Shape:
    at = row[5] if row[5] is not None else row[6]
    name = row[2] or row[16]
    return {
        "at": local(instant(at), zone),
        "who": f"@{name}" if name else (row[3] or "–"),
        "kind": row[1].replace("_", " "),
        "text": row[4] or "",
        "verdict": row[7].replace("_", " "),
        "flow": row[8],
        "reason": row[9] or "",
    }
