"""What the pages of the flows show: the list, and one flow with its numbers, versions and broadcasts."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.flows.comparison import Line, compared
from pamosnik.services import flow_history as histories
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import broadcasts, flow_splits, flow_steps, numbers, statistics
from pamosnik.services.reading.flow_splits import Comparison
from pamosnik.services.reading.flow_steps import FlowSteps
from pamosnik.services.shapes import Shape
from pamosnik.store import flow_history, stats
from pamosnik.store import flows as store
from pamosnik.store.accounts import Account
from pamosnik.store.flow_history import Entry, FlowChange
from pamosnik.store.flows import AppliedFlow, Version

ENTRIES = 50
"""Of a flow's history that are shown."""
_FUNNEL = (stats.STARTED, stats.SENT, stats.SEEN, stats.CLICKED, stats.REPLIED, stats.COMPLETED)
_LED_TO = (FlowChange.ADDED, FlowChange.CHANGED, FlowChange.ROLLED_BACK)
"""Changes that made a version the one that is applied."""


@dataclass(frozen=True, slots=True)
class Span:
    """Over which days numbers are summed: YYYY-MM-DD of the account, both included; None: from the first."""

    since: str | None
    until: str


def span(days: int | None, account: Account, now: datetime) -> Span:
    """So many days, of which today is the last; None: all."""
    today = day_of(now, account.timezone)
    return Span(None if days is None else statistics.last_days(today, days).first, today)


@dataclass(frozen=True, slots=True)
class Totals:
    """A flow's numbers over all connections."""

    counts: Mapping[str, int]
    """Each of `numbers.WORDS`."""
    goals: Mapping[str, int]
    splits: Mapping[str, Mapping[str, int]]
    skipped: Mapping[str, int]

    @property
    def completed_share(self) -> float | None:
        """Of those who started; None: nobody did, or more completed than started on these days."""
        started, completed = self.counts[stats.STARTED], self.counts[stats.COMPLETED]
        return completed / started if 0 < started >= completed else None

    @property
    def funnel(self) -> Sequence[tuple[str, int]]:
        """(word, number), from the start to the end."""
        return [(word, self.counts[word]) for word in _FUNNEL]


def totals(conn: Connection, account: Account, over: Span, flow: str | None = None) -> Mapping[str, Totals]:
    """Flow → its numbers."""
    found: dict[str, list[numbers.FlowCounts]] = {}
    for one in numbers.by_flow(conn, account, flow=flow, since=over.since, until=over.until):
        found.setdefault(one.flow, []).append(one)
    return {flow_id: _summed(rows) for flow_id, rows in found.items()}


def _summed(rows: Sequence[numbers.FlowCounts]) -> Totals:
    splits: dict[str, Counter[str]] = {}
    for row in rows:
        for name, counted in row.splits.items():
            splits.setdefault(name, Counter()).update(counted)
    return Totals(
        {word: sum(row.counts[word] for row in rows) for word in numbers.WORDS},
        _added(row.goals for row in rows),
        splits,
        _added(row.skipped for row in rows),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for one in counts:
        summed.update(one)
    return summed


# --- the list --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    flow: AppliedFlow
    people: int
    """In it now."""
    totals: Totals


def rows(conn: Connection, account: Account, over: Span) -> list[Row]:
    """Applied flows, in the order they are asked."""
    counted = totals(conn, account, over)
    people = store.in_flight(conn, account.id)
    return [
        Row(flow, people.get(flow.flow_id, 0), counted[flow.flow_id])
        for flow in store.applied(conn, account.id)
    ]


# --- one flow --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version, and how it came."""

    version: Version
    entry: Entry | None
    """The last change that made it the one that is applied; None: its history is not kept."""
    came_in: int
    """Runs of it that came to its first step."""


@dataclass(frozen=True, slots=True)
class FlowPage:
    flow_id: str
    title: str
    applied: AppliedFlow | None
    """None: it was taken out."""
    people: int
    totals: Totals
    by_connection: Sequence[numbers.FlowCounts]
    """Where several accounts have played it; else nothing."""
    steps: FlowSteps
    """Of the version that is applied, or was last."""
    comparisons: Sequence[Comparison]
    versions: Sequence[VersionRow]
    """The newest first."""
    history: Sequence[Entry]
    """Likewise, the last `ENTRIES`."""
    planned: Sequence[Shape]
    broadcasts: Sequence[Shape]


def of_flow(conn: Connection, account: Account, flow_id: str, over: Span) -> FlowPage:
    """Also of a flow that was taken out. Raises `NotFound`."""
    applied = next((one for one in store.applied(conn, account.id) if one.flow_id == flow_id), None)
    versions = store.versions(conn, account.id, flow_id)
    if not versions:
        raise histories.unknown(conn, account.id, flow_id, "show")
    last = versions[0].version if applied is None else applied.version
    steps = flow_steps.of_version(conn, account, flow_id, last, since=over.since, until=over.until)
    each = numbers.by_flow(conn, account, flow=flow_id, since=over.since, until=over.until)
    counted = _summed(each)
    history = flow_history.entries(conn, account.id, flow_id=flow_id)
    return FlowPage(
        flow_id,
        steps.outline.title,
        applied,
        store.in_flight(conn, account.id).get(flow_id, 0),
        counted,
        each if len(each) > 1 else [],
        steps,
        flow_splits.compared(steps.splits, counted.splits),
        _versions(versions, history, steps.firsts),
        history[:ENTRIES],
        broadcasts.planned(conn, account, flow_id),
        broadcasts.latest(conn, account, flow_id),
    )


def called_now(conn: Connection, account: Account, flow_id: str) -> str | None:
    """What the flow is called that had this id; None: none had, or it has it still."""
    now = flow_history.renamed(conn, account.id).get(flow_id)
    return None if now == flow_id else now


def _versions(
    versions: Sequence[Version], history: Sequence[Entry], came_in: Mapping[str, int]
) -> list[VersionRow]:
    led = {entry.version: entry for entry in reversed(history) if entry.change in _LED_TO}
    return [VersionRow(one, led.get(one.version), came_in.get(one.version, 0)) for one in versions]


# --- one version -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VersionPage:
    flow_id: str
    title: str
    version: Version
    is_applied: bool
    steps: FlowSteps
    entries: Sequence[Entry]
    """How it came, the newest first."""
    before: Version | None
    """The version that was new before this one."""
    changed: Sequence[Line]
    """Against that one."""
    since_then: Sequence[Line]
    """What the version that is applied now says in its place."""


def of_version(conn: Connection, account: Account, flow_id: str, version: str, over: Span) -> VersionPage:
    """`version`: by its first characters. Raises `NotFound`."""
    steps = flow_steps.of_version(conn, account, flow_id, version, since=over.since, until=over.until)
    versions = store.versions(conn, account.id, flow_id)
    number = next(n for n, one in enumerate(versions) if one.version == steps.version)
    here, before = versions[number], next(iter(versions[number + 1 :]), None)
    applied = next((one for one in store.applied(conn, account.id) if one.flow_id == flow_id), None)
    body = json.loads(here.body)
    return VersionPage(
        flow_id,
        steps.outline.title,
        here,
        applied is not None and applied.version == here.version,
        steps,
        [
            entry
            for entry in flow_history.entries(conn, account.id, flow_id=flow_id)
            if entry.version == here.version and entry.change in _LED_TO
        ],
        before,
        () if before is None else compared(json.loads(before.body), body),
        () if applied is None else compared(body, json.loads(applied.body)),
    )
