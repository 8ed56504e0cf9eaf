"""What the first page shows, read on one snapshot."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import forecast, numbers
from pamosnik.services.reading import problems as problem_reading
from pamosnik.services.reading.events import Event
from pamosnik.services.reading.problems import Problem
from pamosnik.store import connections, flows, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected


@dataclass(frozen=True, slots=True)
class FlowTotals:
    """An applied flow, with its numbers over all connections."""

    title: str
    paused: bool
    counts: Mapping[str, int]
    """Each of `numbers.WORDS`."""


@dataclass(frozen=True, slots=True)
class Overview:
    problems: Sequence[Problem]
    connections: Sequence[Connected]
    queue: Sequence[tuple[str, int]]
    prospects: str | None
    flows: Sequence[FlowTotals]
    events: Sequence[Event]


def of_account(
    conn: Connection, *, account: Account, events: int, now: datetime, storage: Sequence[Problem] = ()
) -> Overview:
    """`events`: how many, the latest; `storage`: problems of the disk and the database's file."""
    connected = connections.of_account(conn, account.id)
    waiting = reads.queue_counts(conn, account.id)
    return Overview(
        problems=[*storage, *problem_reading.of_account(conn, account, connected, now)],
        connections=connected,
        queue=[(name, waiting.get(name, 0)) for name in ("queued", "sending", "held", "unknown")],
        prospects=forecast.prospects(conn, account, now),
        flows=_flows(conn, account),
        events=event_reading.newest(conn, account, limit=events, since=None),
    )


def _flows(conn: Connection, account: Account) -> Sequence[FlowTotals]:
    """In the order they are asked."""
    summed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in numbers.by_flow(conn, account):
        summed[one.flow].update(one.counts)
    return [
        FlowTotals(flow.title, flow.starts_nobody, summed[flow.flow_id])
        for flow in flows.applied(conn, account.id)
    ]
