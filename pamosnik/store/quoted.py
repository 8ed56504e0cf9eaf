"""Messages of the outbox that quote what somebody said: they go when it is taken back."""

import json
from collections.abc import Mapping
from urllib.parse import quote

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import OutboxItem
from pamosnik.store.outbox_rows import COLUMNS, item_of

# A call's body is JSON within JSON.
_QUOTES = (
    "(instr(content, :text)>0 OR instr(content, :in_address)>0"
    " OR instr(task, :text)>0 OR instr(task, :twice)>0 OR instr(task, :in_address)>0)"
)


def forget(conn: Connection, event_id: str, text: str) -> None:
    """Erases messages that quote what an event said, once they have reached their end."""
    conn.execute(
        "UPDATE outbox SET content='{}', wire=NULL, task=NULL, result=NULL WHERE (source, turn) IN"  # noqa: S608
        f" (SELECT run_id, turn FROM turns WHERE event_id=:event) AND {_QUOTES}"
        " AND status NOT IN ('queued','held','sending','unknown')",
        {"event": event_id, **_quoted(text)},
    )


def forget_taken_back(conn: Connection, item_id: str) -> None:
    """At its end: what answers a message that the person has taken back since may quote it."""
    conn.execute(
        "UPDATE outbox SET content='{}', wire=NULL, task=NULL, result=NULL"
        " WHERE item_id=? AND EXISTS (SELECT 1 FROM turns t"
        " JOIN events e ON e.event_id=t.event_id JOIN events d ON d.connection_id=e.connection_id"
        " AND d.dedup_key='d:' || e.mid WHERE t.run_id=outbox.source AND t.turn=outbox.turn)",
        (item_id,),
    )


def waiting(conn: Connection, event_id: str, text: str) -> list[OutboxItem]:
    """Messages of this event's turns that say what it said and have not left yet."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM outbox WHERE (source, turn) IN"  # noqa: S608 - column names
        f" (SELECT run_id, turn FROM turns WHERE event_id=:event) AND {_QUOTES}"
        " AND status IN ('queued','held')",
        {"event": event_id, **_quoted(text)},
    )
    return [item_of(row) for row in rows]


def _quoted(text: str) -> Mapping[str, str]:
    once = json.dumps(text, ensure_ascii=False)[1:-1]
    twice = json.dumps(once, ensure_ascii=False)[1:-1]
    return {"text": once, "twice": twice, "in_address": quote(text, safe="")}
