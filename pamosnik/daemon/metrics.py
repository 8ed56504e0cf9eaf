"""`/metrics`: numbers for Prometheus. They name flows and connected accounts, nobody else.

With an API token they are those of its account, and nothing that would tell of others who share the home. With
`PAMOSNIK_METRICS=open` whoever asks gets those of all accounts, and those of the process. What is counted over time
comes from the functions that the page and `stats` call, so that it survives restarts and retention.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon.api import who_asks
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callers import Callers
from pamosnik.daemon.meters import Meters
from pamosnik.model.outbox import Quota
from pamosnik.outbox.pacing import COUNTS_FOR
from pamosnik.services.reading import forecast, machine, numbers, statistics
from pamosnik.services.reading import problems as problem_reading
from pamosnik.services.reading.numbers import FlowCounts
from pamosnik.services.reading.statistics import KindCounts
from pamosnik.store import accounts, attempts, connections, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.database import Database
from pamosnik.store.times import optional_instant

PATH = "/metrics"
OPEN = "open"
_WAITING = ("queued", "held", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class _Measured:
    """Of one account."""

    account: str
    events: Sequence[KindCounts]
    pending: int
    last_event_at: datetime | None
    flows: Sequence[FlowCounts]
    queue: Mapping[str, int]
    overdue_s: float
    """How long the first of what is queued could have left already."""
    too_late: int
    connections: Sequence[tuple[Connected, int]]
    """With its private replies of the last hour."""
    problems: int


class Metrics:
    def __init__(
        self,
        callers: Callers,
        reader: Database,
        aside: Aside,
        clock: Clock,
        meters: Meters,
        settings: Config,
    ) -> None:
        self._callers = callers
        self._reader = reader
        self._aside = aside
        self._clock = clock
        self._meters = meters
        self._open = settings.metrics == OPEN
        self._settings = settings

    def routes(self) -> list[Route]:
        return [Route(PATH, self._metrics)]

    async def _metrics(self, request: Request) -> Response:
        if self._open:
            asked_about = accounts.every(self._reader.connection)
        else:
            caller = await self._callers.of(request)
            if caller is None:
                return who_asks(request)
            asked_about = [caller.account]
        now = self._clock.now()
        measured = [
            await self._aside.read(one.id, partial(_measure, account=one, now=now)) for one in asked_about
        ]
        registry = CollectorRegistry()
        registry.register(_Families([*_of_accounts(measured), *self._counted(measured)]))
        if self._open:
            registry.register(_Families([*_of_machine(self._settings)]))
            registry.register(self._meters.commits)
            ProcessCollector(registry=registry)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def _counted(self, measured: Sequence[_Measured]) -> Iterator[Metric]:
        """Since this process began."""
        sends = CounterMetricFamily(
            "pamosnik_send_attempts",
            "Requests to Meta that send or do something, by what became of them.",
            labels=["kind", "outcome"],
        )
        of = {one.account for one in measured}
        summed: dict[tuple[str, str], int] = {}
        for (account, kind, outcome), n in self._meters.attempts.items():
            if account in of:
                summed[kind, outcome] = summed.get((kind, outcome), 0) + n
        for labels, n in sorted(summed.items()):
            sends.add_metric(labels, n)
        yield sends
        # What strangers sent tells of no account; what was taken in does.
        deliveries = CounterMetricFamily(
            "pamosnik_webhook_deliveries", "Webhook deliveries, by what became of them.", labels=["result"]
        )
        for result in ("accepted", "unreadable", "bad_signature") if self._open else ("bad_signature",):
            deliveries.add_metric([result], self._meters.deliveries[result])
        yield deliveries


@dataclass(frozen=True, slots=True, eq=False)
class _Families:
    """What Prometheus's library calls a collector."""

    families: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def _of_machine(settings: Config) -> Iterator[Metric]:
    """What the page and `status` say of it."""
    found = machine.of_home(settings.home)
    if found.backed_up_at is not None:
        yield GaugeMetricFamily(
            "pamosnik_last_backup_timestamp_seconds",
            "When the newest backup in the home was made.",
            found.backed_up_at.timestamp(),
        )
    if found.free_bytes is not None:
        yield GaugeMetricFamily("pamosnik_disk_free_bytes", "On the disk of the home.", found.free_bytes)
    yield GaugeMetricFamily(
        "pamosnik_database_bytes",
        "The database, without what is not yet written back to it.",
        settings.database.stat().st_size,
    )


def _measure(conn: Connection, account: Account, now: datetime) -> _Measured:
    connected = connections.of_account(conn, account.id)
    counts = reads.queue_counts(conn, account.id)
    first_due = optional_instant(reads.queue_times(conn, account.id)[0])
    last_event, pending = reads.event_counts(conn, account.id)
    leaves = forecast.leaving(conn, connected, now)
    return _Measured(
        account=account.id,
        events=statistics.by_kind(conn, account),
        pending=pending,
        last_event_at=optional_instant(last_event),
        flows=numbers.by_flow(conn, account),
        queue={status: counts.get(status, 0) for status in _WAITING},
        overdue_s=0.0 if first_due is None else max((now - first_due).total_seconds(), 0.0),
        too_late=forecast.will_expire(conn, account, leaves, now),
        connections=[
            (one, attempts.counted(conn, one.id, Quota.PRIVATE_REPLY, now - COUNTS_FOR)[0])
            for one in connected
        ],
        problems=len(problem_reading.of_account(conn, account, connected, now)),
    )


def _of_accounts(measured: Sequence[_Measured]) -> Iterator[Metric]:
    """What several accounts have of the same name is summed."""
    yield from _events(measured)
    runs = CounterMetricFamily(
        "pamosnik_runs", "Runs by flow, each once under each word.", labels=["connection", "flow", "word"]
    )
    # Before anything is connected flows stand there without a connection, with nothing but zeros.
    for flow in (flow for one in measured for flow in one.flows if flow.connection):
        for word, n in flow.counts.items():
            runs.add_metric([flow.connection, flow.flow, word], n)
    yield runs
    queue = GaugeMetricFamily(
        "pamosnik_queue_items", "What has not come to its end, by status.", labels=["status"]
    )
    for status in _WAITING:
        queue.add_metric([status], sum(one.queue[status] for one in measured))
    yield queue
    yield GaugeMetricFamily(
        "pamosnik_queue_oldest_overdue_seconds",
        "How long the first of what is queued could have left already.",
        max((one.overdue_s for one in measured), default=0.0),
    )
    yield GaugeMetricFamily(
        "pamosnik_queue_too_late_items",
        "What will not make it in time, as things stand.",
        sum(one.too_late for one in measured),
    )
    yield from _connections([pair for one in measured for pair in one.connections])
    yield GaugeMetricFamily(
        "pamosnik_problems", "What needs the owner now.", sum(one.problems for one in measured)
    )


def _events(measured: Sequence[_Measured]) -> Iterator[Metric]:
    received = CounterMetricFamily(
        "pamosnik_events_received", "What people did, by kind of event.", labels=["kind"]
    )
    answered = CounterMetricFamily(
        "pamosnik_events_answered", "What of it started a flow or went on in one.", labels=["kind"]
    )
    summed: dict[str, tuple[int, int]] = {}
    for kind in (kind for one in measured for kind in one.events):
        before = summed.get(kind.kind, (0, 0))
        summed[kind.kind] = (before[0] + kind.received, before[1] + kind.answered)
    for name, (came, taken) in sorted(summed.items()):
        received.add_metric([name], came)
        answered.add_metric([name], taken)
    yield received
    yield answered
    yield GaugeMetricFamily(
        "pamosnik_events_pending", "Events that wait for their turn.", sum(one.pending for one in measured)
    )
    last = [one.last_event_at.timestamp() for one in measured if one.last_event_at is not None]
    if last:
        yield GaugeMetricFamily(
            "pamosnik_last_event_timestamp_seconds", "When the last event arrived.", max(last)
        )


def _connections(connected: Sequence[tuple[Connected, int]]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "pamosnik_connection_up", "1 while Instagram takes its login.", labels=["connection"]
    )
    expires = GaugeMetricFamily(
        "pamosnik_connection_token_expiry_timestamp_seconds",
        "Until when its login holds, unless it is renewed before.",
        labels=["connection"],
    )
    used = GaugeMetricFamily(
        "pamosnik_private_replies_last_hour",
        "Of the 750 that Meta allows in an hour.",
        labels=["connection"],
    )
    for one, in_the_hour in connected:
        up.add_metric([one.username], float(one.status is ConnectionStatus.ACTIVE))
        used.add_metric([one.username], in_the_hour)
        if one.token_expires_at is not None:
            expires.add_metric([one.username], one.token_expires_at.timestamp())
    yield from (up, expires, used)
