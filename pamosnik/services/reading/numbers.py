"""How often flows started, sent, were clicked and completed: what `stats`, the page, the API and exports count."""

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


def by_flow(
    conn: Connection,
    account: Account,
    *,
    flow: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Shape:
    """One row per connection and flow; applied flows that nobody started count 0."""
    names = usernames(conn, account)
    rows: dict[tuple[str, str], dict[str, object]] = {}

    def row(connection: str, flow_id: str) -> dict[str, object]:
        key = (flow_id, connection)
        if key not in rows:
            counts = dict.fromkeys(WORDS, 0)
            rows[key] = {
                "flow": flow_id,
                **counts,
                "goals": {},
                "splits": {},
                "skipped": {},
                "connection": connection,
            }
        return rows[key]

    for connection_id, flow_id, what, n in stats.totals(
        conn, account.id, flow_id=flow, since=since, until=until
    ):
        found = row(names.get(connection_id, ""), flow_id)
        if what.startswith(stats.GOAL):
            goals = found["goals"]
            assert isinstance(goals, dict)
            goals[what.removeprefix(stats.GOAL)] = n
        elif what.startswith(stats.SPLIT):
            splits = found["splits"]
            assert isinstance(splits, dict)
            name, _, counted = what.removeprefix(stats.SPLIT).partition(":")
            splits.setdefault(name, {stats.STARTED: 0, stats.COMPLETED: 0})[counted] = n
        elif what.startswith(stats.SKIPPED):
            skipped = found["skipped"]
            assert isinstance(skipped, dict)
            skipped[what.removeprefix(stats.SKIPPED)] = n
        else:
            found[what] = n
    for applied in flows.applied(conn, account.id):
        if flow in (None, applied.flow_id) and not any(key[0] == applied.flow_id for key in rows):
            for name in names.values() or ("",):
                row(name, applied.flow_id)
    if flow is not None and not rows and not flows.ever_applied(conn, account.id, flow):
        raise NotFound(f"There is no flow {flow}.", hint="Try: pamosnik flows list")
    return {"flows": [rows[key] for key in sorted(rows)]}
