"""How often flows started, sent, were clicked and completed: what `stats`, the page, the API and exports count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.services.reading.connections import usernames
from pamosnik.services.shapes import Shape
from pamosnik.store import flows, stats
from pamosnik.store.accounts import Account

WORDS = (
    stats.STARTED,
    stats.COMPLETED,
    stats.SENT,
    stats.SEEN,
    stats.CLICKED,
    stats.REPLIED,
    stats.FAILED,
    stats.EXPIRED,
)


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """What one flow did for one connection, counted in runs."""

    flow: str
    connection: str
    counts: Mapping[str, int]
    """Each of `WORDS`."""
    goals: Mapping[str, int]
    splits: Mapping[str, Mapping[str, int]]
    """Way → how many started and completed on it."""
    skipped: Mapping[str, int]

    def shape(self) -> Shape:
        return {
            "flow": self.flow,
            **self.counts,
            "goals": self.goals,
            "splits": self.splits,
            "skipped": self.skipped,
            "connection": self.connection,
        }


def by_flow(
    conn: Connection,
    account: Account,
    *,
    flow: str | None = None,
    connection: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[FlowCounts]:
    """One for each connection (`connection`: only for the one of this id) and flow; applied flows that nobody started
    count 0."""
    names = {key: name for key, name in usernames(conn, account).items() if connection in (None, key)}
    found: dict[tuple[str, str], Counter[str]] = {}
    for connection_id, flow_id, what, n in stats.totals(
        conn, account.id, flow_id=flow, connection_id=connection, since=since, until=until
    ):
        found.setdefault((flow_id, names.get(connection_id, "")), Counter())[what] += n
    for applied in flows.applied(conn, account.id):
        if flow in (None, applied.flow_id) and not any(key[0] == applied.flow_id for key in found):
            found |= {(applied.flow_id, name): Counter() for name in names.values() or ("",)}
    if flow is not None and not found:
        require(conn, account, flow)
    return [_counts(*key, found[key]) for key in sorted(found)]


def require(conn: Connection, account: Account, flow: str) -> None:
    """Raises `NotFound` unless the flow was ever applied, or came with its numbers from another home."""
    if not flows.ever_applied(conn, account.id, flow) and not stats.totals(conn, account.id, flow_id=flow):
        raise NotFound(f"There is no flow {flow}.", hint="Try: pamosnik flows list")


def _counts(flow: str, connection: str, totals: Counter[str]) -> FlowCounts:
    splits: dict[str, dict[str, int]] = {}
    for way, n in _behind(stats.SPLIT, totals).items():
        name, _, counted = way.partition(":")
        splits.setdefault(name, {stats.STARTED: 0, stats.COMPLETED: 0})[counted] = n
    return FlowCounts(
        flow,
        connection,
        {word: totals[word] for word in WORDS},
        _behind(stats.GOAL, totals),
        splits,
        _behind(stats.SKIPPED, totals),
    )


def _behind(prefix: str, totals: Counter[str]) -> dict[str, int]:
    return {what.removeprefix(prefix): n for what, n in totals.items() if what.startswith(prefix)}


def shape(rows: Sequence[FlowCounts]) -> Shape:
    """As `stats --json` has it."""
    return {"flows": [row.shape() for row in rows]}
