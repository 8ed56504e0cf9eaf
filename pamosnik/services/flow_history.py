"""What became of flows, and finding the flow that a command means."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.flows.near import nearest
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import flow_history
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import Entry
from pamosnik.store.flows import AppliedFlow


def history(
    conn: Connection, account_id: str, flow_id: str | None, *, since: datetime | None, limit: int | None
) -> list[Shape]:
    """The newest first; of one flow under all the ids it has had, or of all. Raises `NotFound`."""
    found = flow_history.entries(conn, account_id, flow_id=flow_id, since=since, limit=limit)
    if flow_id is not None and not found and not flow_store.ever_applied(conn, account_id, flow_id):
        raise unknown(conn, account_id, flow_id, "history")
    return [_entry(entry) for entry in found]


def _entry(entry: Entry) -> Shape:
    return {
        "at": iso(entry.at),
        "flow": entry.known_as,
        "change": entry.change.value,
        "version": entry.version,
        "former_id": entry.former_id,
        "note": entry.note,
        "by": entry.actor,
        "flow_now": entry.flow_id,
    }


def applied_flow(conn: Connection, account_id: str, flow_id: str, command: str) -> AppliedFlow:
    """The applied flow of this id. `command`: the word after `flows`, for the hint. Raises `NotFound`."""
    for flow in flow_store.applied(conn, account_id):
        if flow.flow_id == flow_id:
            return flow
    raise unknown(conn, account_id, flow_id, command)


def unknown(conn: Connection, account_id: str, flow_id: str, command: str) -> NotFound:
    """Says where the flow has gone, or what may have been meant."""
    now = flow_history.renamed(conn, account_id).get(flow_id)
    if now not in (None, flow_id):
        return NotFound(
            f"The flow {flow_id} is called {now} now.", hint=f"Try: pamosnik flows {command} {now}"
        )
    if flow_store.ever_applied(conn, account_id, flow_id):
        hint = f"To bring it back, try: pamosnik flows rollback {flow_id}"
        return NotFound(f"The flow {flow_id} is not applied any more.", hint=hint)
    applied = [flow.flow_id for flow in flow_store.applied(conn, account_id)]
    meant = nearest(flow_id, applied)
    listed = f"Applied are: {', '.join(applied)}." if applied else "No flow is applied."
    hint = f"Did you mean {meant}? Try: pamosnik flows {command} {meant}" if meant else listed
    return NotFound(f"There is no flow {flow_id}.", hint=hint)
