"""What the first page shows, read on one snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.event import Verdict
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import flow_pages, forecast, lifelines, statistics
from pamosnik.services.reading import problems as problem_reading
from pamosnik.services.reading import waiting as people_waiting
from pamosnik.services.reading.events import Event
from pamosnik.services.reading.flow_pages import Span
from pamosnik.services.reading.lifelines import Lifeline
from pamosnik.services.reading.machine import Machine
from pamosnik.services.reading.problems import Problem
from pamosnik.services.reading.statistics import Day, Days
from pamosnik.store import connections, flows, reads, stats
from pamosnik.store.accounts import Account

DAYS = 30
_NOT_TOLD = (Verdict.NOTED, Verdict.OWN, Verdict.DUPLICATE)
"""Receipts and echoes: there are so many that they would hide what people did."""
_LOOKED_AT = 6
"""Times as many events as are told."""


@dataclass(frozen=True, slots=True)
class FlowTotals:
    """An applied flow, with its numbers of the last days over all connections."""

    flow_id: str
    title: str
    paused: bool
    counts: Mapping[str, int]
    """Each of `numbers.WORDS`."""


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What a new shop has done already."""

    connected: bool
    has_flows: bool
    heard: bool
    """Something came in."""

    @property
    def done(self) -> bool:
        return self.connected and self.has_flows and self.heard


@dataclass(frozen=True, slots=True)
class Overview:
    first_steps: FirstSteps
    problems: Sequence[Problem]
    """Those that the first steps tell of are left out."""
    lifelines: Sequence[Lifeline]
    machine: Machine
    people_waiting: int
    """For a human."""
    queue: Sequence[tuple[str, int]]
    prospects: str | None
    days: Sequence[Day]
    """The last `DAYS`, today at the end."""
    flows: Sequence[FlowTotals]
    events: Sequence[Event]

    @property
    def today(self) -> Mapping[str, int]:
        return self.days[-1].counts

    @property
    def month(self) -> Mapping[str, int]:
        return statistics.summed(self.days)


def of_account(
    conn: Connection,
    *,
    account: Account,
    events: int,
    now: datetime,
    machine: Machine,
    storage: Sequence[Problem] = (),
) -> Overview:
    """`events`: how many, the latest of people; `storage`: problems of the disk and the database's file."""
    connected = connections.of_account(conn, account.id)
    waiting = reads.queue_counts(conn, account.id)
    days = statistics.last_days(day_of(now, account.timezone), DAYS)
    applied = _flows(conn, account, days)
    newest = event_reading.newest(conn, account, limit=_LOOKED_AT * events, since=None)
    latest = [one for one in newest if one.verdict not in _NOT_TOLD][:events]
    heard = bool(newest) or stats.counted_days(conn, account.id) is not None
    return Overview(
        first_steps=FirstSteps(bool(connected), bool(applied), heard),
        problems=[*storage, *problem_reading.beyond_first_steps(conn, account, connected, now)],
        lifelines=lifelines.of_account(conn, account, connected, now),
        machine=machine,
        people_waiting=people_waiting.number(conn, account, now),
        queue=[(name, waiting.get(name, 0)) for name in ("queued", "sending", "held", "unknown")],
        prospects=forecast.prospects(conn, account, now),
        days=statistics.by_day(conn, account, days),
        flows=applied,
        events=latest,
    )


def _flows(conn: Connection, account: Account, days: Days) -> Sequence[FlowTotals]:
    """In the order they are asked."""
    counted = flow_pages.totals(conn, account, Span(days.first, days.last))
    return [
        FlowTotals(flow.flow_id, flow.title, flow.starts_nobody, counted[flow.flow_id].counts)
        for flow in flows.applied(conn, account.id)
    ]
