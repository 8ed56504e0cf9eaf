"""Opening questions and menu items: what Instagram was told, and whether it took it."""

import json
from collections.abc import Mapping
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.entrances import Entrance, Labels, Registered
from pamosnik.store.connections import Connected
from pamosnik.store.times import ms, optional_instant


def of_connection(conn: Connection, connection_id: str) -> Mapping[Entrance, Registered]:
    """What is known of each; those that were never registered are missing."""
    rows = conn.execute(
        "SELECT entrance, labels, asked, failures, try_at FROM entrances WHERE connection_id=?",
        (connection_id,),
    )
    return {
        Entrance(entrance): Registered(
            None if labels is None else tuple(json.loads(labels)),
            tuple(json.loads(asked)),
            failures,
            optional_instant(try_at),
        )
        for entrance, labels, asked, failures, try_at in rows
    }


def asks(conn: Connection, connected: Connected, entrance: Entrance, labels: Labels) -> bool:
    """Instagram is about to be asked for this: until it has answered nothing is certain.

    False when the connection has no login any more.
    """
    row = conn.execute(
        "INSERT INTO entrances (account_id, connection_id, entrance, labels, asked)"
        " SELECT account_id, connection_id, ?, NULL, ? FROM connections WHERE connection_id=? AND status='active'"
        " ON CONFLICT DO UPDATE SET labels=NULL, failures=iif(asked=excluded.asked, failures, 0),"
        " asked=excluded.asked, try_at=NULL",
        (entrance.value, _json(labels), connected.id),
    )
    return bool(row.rowcount)


def taken(conn: Connection, connection_id: str, entrance: Entrance, labels: Labels) -> None:
    """They stand at Instagram now, and nothing else of their kind."""
    conn.execute(
        "UPDATE entrances SET labels=?, failures=0, try_at=NULL WHERE connection_id=? AND entrance=?",
        (_json(labels), connection_id, entrance.value),
    )


def try_again(conn: Connection, connection_id: str, entrance: Entrance, at: datetime) -> int:
    """Instagram did not take them. Returns how often in a row."""
    row = conn.execute(
        "UPDATE entrances SET failures=failures+1, try_at=? WHERE connection_id=? AND entrance=?"
        " RETURNING failures",
        (ms(at), connection_id, entrance.value),
    ).fetchone()
    return 0 if row is None else int(row[0])


def doubt(conn: Connection, connection_id: str | None = None) -> None:
    """What was registered may not stand any more, of one connection or of all: it is said again."""
    conn.execute(
        "UPDATE entrances SET labels=NULL, try_at=NULL WHERE :id IS NULL OR connection_id=:id",
        {"id": connection_id},
    )


def _json(labels: Labels) -> str:
    return json.dumps(labels, ensure_ascii=False)
