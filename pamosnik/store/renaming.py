"""`was`: everything that is known of a flow follows it to its new id.

An earlier flow of the new name may have left rows behind: numbers and limits of both are put together, and of
what there can be only one the renamed flow's stays.
"""

from collections.abc import Mapping

from pamosnik._sqlite import Connection
from pamosnik.store import flow_history
from pamosnik.store.flow_history import By, FlowChange

_MOVE = "UPDATE {table} SET flow_id=:new WHERE account_id=:account AND flow_id=:old"
_MOVE_OVER = "UPDATE OR REPLACE {table} SET flow_id=:new WHERE account_id=:account AND flow_id=:old"
_LEAVE = "DELETE FROM {table} WHERE account_id=:account AND flow_id=:old"

FOLLOWING: Mapping[str, tuple[str, ...]] = {
    "flow_versions": (
        "INSERT INTO flow_versions (account_id, flow_id, version, body, timezone, created_at)"
        " SELECT account_id, :new, version, body, timezone, created_at FROM flow_versions"
        " WHERE account_id=:account AND flow_id=:old"
        " ON CONFLICT DO UPDATE SET body=excluded.body, timezone=excluded.timezone",
    ),
    "flow_names": (
        "INSERT OR REPLACE INTO flow_names (account_id, flow_id, first_id) VALUES (:account, :new,"
        " coalesce((SELECT first_id FROM flow_names WHERE account_id=:account AND flow_id=:old), :old))",
        _LEAVE,
    ),
    "flows": (_MOVE,),
    "flow_history": (_MOVE,),
    "runs": (
        # Whoever is in both finishes both; only one of them counts as "already in it".
        "UPDATE runs SET live=0 WHERE account_id=:account AND flow_id=:new AND live=1 AND mode<>'parallel'"
        " AND contact_id IN (SELECT contact_id FROM runs WHERE account_id=:account AND flow_id=:old AND live=1"
        " AND mode<>'parallel')",
        _MOVE,
    ),
    "starts": (
        "INSERT INTO starts (account_id, contact_id, flow_id, media_id, first_at, last_at)"
        " SELECT account_id, contact_id, :new, media_id, first_at, last_at FROM starts"
        " WHERE account_id=:account AND flow_id=:old ON CONFLICT DO UPDATE SET"
        " first_at=min(first_at, excluded.first_at), last_at=max(last_at, excluded.last_at)",
        _LEAVE,
    ),
    "totals": (
        "INSERT INTO totals (account_id, connection_id, day, flow_id, version, step, media_id, what, n)"
        " SELECT account_id, connection_id, day, :new, version, step, media_id, what, n FROM totals"
        " WHERE account_id=:account AND flow_id=:old ON CONFLICT DO UPDATE SET n=n+excluded.n",
        _LEAVE,
    ),
    "month_totals": (),  # triggers of `totals` move them
    "variants": (_MOVE_OVER,),
    "bound_posts": (_MOVE_OVER,),
    "schedules": (_MOVE_OVER,),
    "broadcasts": (_MOVE_OVER,),
    "outbox": (_MOVE,),
    "events": (_MOVE,),
    "links": (_MOVE,),
}
"""Table → what moves its rows. Every table with a `flow_id` is here, the versions before what refers to them."""


def rename(conn: Connection, account_id: str, old: str, new: str, by: By) -> None:
    """Nothing of the new name may be applied. The old name is free afterwards."""
    ids = {"account": account_id, "old": old, "new": new}
    for table, statements in FOLLOWING.items():
        for statement in statements:
            conn.execute(statement.format(table=table), ids)
    # Only now does nothing refer to them any more.
    conn.execute(_LEAVE.format(table="flow_versions"), ids)
    row = conn.execute(
        "SELECT version FROM flows WHERE account_id=:account AND flow_id=:new",
        {"account": account_id, "new": new},
    ).fetchone()
    version = None if row is None else str(row[0])
    flow_history.add(conn, account_id, new, FlowChange.RENAMED, version, by, former_id=old)
