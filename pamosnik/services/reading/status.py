"""Health at a glance: what `status` and the API say."""

from collections.abc import Sequence
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.services.reading import broadcasts, forecast, problems
from pamosnik.services.reading.connections import shape
from pamosnik.services.reading.problems import Problem
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections, reads
from pamosnik.store.accounts import Account
from pamosnik.store.times import optional_instant


def of_account(
    conn: Connection,
    account: Account,
    *,
    running: bool,
    since: datetime | None,
    now: datetime,
    storage: Sequence[Problem] = (),
    public_address: str | None = None,
) -> Shape:
    """`public_address`: where the daemon is reached from outside."""
    connected = connections.of_account(conn, account.id)
    seen = {one.code for one in storage}  # just now: what the daemon told of the same before is older
    told = [one for one in problems.of_account(conn, account, connected, now) if one.code not in seen]
    found = [*storage, *told]
    if not running:
        found.append(problems.NOT_RUNNING)
    counts = reads.queue_counts(conn, account.id)
    next_due, last_due = reads.queue_times(conn, account.id)
    last_event, pending = reads.event_counts(conn, account.id)
    leaves = forecast.leaving(conn, connected, now)
    return {
        "healthy": not found,
        "daemon": {"running": running, "since": iso(since), "public_address": public_address},
        "connections": [shape(c) for c in connected],
        "queue": {
            **{name: counts.get(name, 0) for name in ("queued", "sending", "unknown", "held")},
            "next_due_at": iso(optional_instant(next_due)),
            "last_due_at": iso(forecast.last_out(leaves.values(), last_due)),
            "will_expire": forecast.will_expire(conn, account, leaves, now),
        },
        "events": {"last_at": iso(optional_instant(last_event)), "pending": pending},
        "broadcasts": {
            "planned": broadcasts.planned(conn, account),
            "latest": broadcasts.latest(conn, account, limit=1),
        },
        "problems": [one.shape() for one in found],
        "notes": [one.shape() for one in problems.aside(conn, account)],
    }
