"""What became of each flow: who applied, renamed, rolled back, paused or removed it, and when.

A row keeps the id that the flow had then (`known_as`) and moves with the flow to its new id (`flow_id`), so that a
history is one search, however often the flow was renamed, and a later flow of the old name begins its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms


class FlowChange(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    RENAMED = "renamed"
    ROLLED_BACK = "rolled_back"
    PAUSED = "paused"
    RESUMED = "resumed"


_PAUSES = (FlowChange.PAUSED, FlowChange.RESUMED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one flow."""

    at: datetime
    flow_id: str
    """Its id now."""
    known_as: str
    """Its id then."""
    change: FlowChange
    version: str | None
    """That was live afterwards; None: it was removed."""
    former_id: str | None
    note: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class By:
    """Who changes flows, when, and what they say about it."""

    actor: str
    now: datetime
    note: str | None = None


_ENTRY = "at, flow_id, known_as, change, version, former_id, note, actor"


def add(
    conn: Connection,
    account_id: str,
    flow_id: str,
    change: FlowChange,
    version: str | None,
    by: By,
    *,
    former_id: str | None = None,
) -> None:
    conn.execute(
        "INSERT INTO flow_history (account_id, flow_id, known_as, version, change, former_id, note, actor, at)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (account_id, flow_id, flow_id, version, change.value, former_id, by.note, by.actor, ms(by.now)),
    )


def entries(
    conn: Connection,
    account_id: str,
    *,
    flow_id: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[Entry]:
    """The newest first; of one flow or of all."""
    rows = conn.execute(
        f"SELECT {_ENTRY} FROM flow_history WHERE account_id=:account"  # noqa: S608 - column names
        " AND (:flow IS NULL OR flow_id=:flow) AND (:since IS NULL OR at>=:since) ORDER BY id DESC LIMIT :limit",
        {
            "account": account_id,
            "flow": flow_id,
            "since": None if since is None else ms(since),
            "limit": -1 if limit is None else limit,
        },
    )
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(instant(row[0]), row[1], row[2], FlowChange(row[3]), row[4], row[5], row[6], row[7])


def renamed(conn: Connection, account_id: str) -> Mapping[str, str]:
    """Former id → id now, of flows that were renamed; of a name that several had, the latest."""
    rows = conn.execute(
        "SELECT first_id, flow_id FROM flow_names WHERE account_id=:account UNION ALL"
        " SELECT former_id, flow_id FROM (SELECT former_id, flow_id FROM flow_history"
        " WHERE account_id=:account AND change='renamed' ORDER BY id)",
        {"account": account_id},
    )
    return dict(rows.fetchall())


def renamings(conn: Connection, account_id: str) -> list[tuple[datetime, str, str]]:
    """(when, former id, id now) of all renamings, the oldest first."""
    rows = conn.execute(
        "SELECT at, former_id, flow_id FROM flow_history WHERE account_id=? AND change='renamed' ORDER BY id",
        (account_id,),
    )
    return [(instant(at), former, now) for at, former, now in rows]


def of_this_flow(conn: Connection, account_id: str, flow_id: str) -> list[Entry]:
    """The newest first, and of this flow alone: not of an earlier one that had the id before it."""
    found: list[Entry] = []
    known_as = flow_id
    for entry in entries(conn, account_id, flow_id=flow_id):
        if entry.known_as != known_as:
            continue
        came_back = entry.change in (FlowChange.REMOVED, FlowChange.RENAMED)
        if found and found[-1].change is FlowChange.ADDED and not came_back:
            break
        found.append(entry)
        known_as = entry.former_id or known_as
    return found


def paused_when_removed(conn: Connection, account_id: str, flow_id: str) -> Entry | None:
    """The pause that a removed flow has when it comes back: nobody has resumed it."""
    last = next((one for one in of_this_flow(conn, account_id, flow_id) if one.change in _PAUSES), None)
    return None if last is None or last.change is FlowChange.RESUMED else last


def taken_out(conn: Connection, account_id: str) -> Mapping[str, str]:
    """Flows that are applied no longer → the version that was applied last. Those that were paused, by command or in
    their file, are left out."""
    rows = conn.execute(
        "SELECT flow_id, version FROM (SELECT account_id, flow_id, version, max(id) FROM flow_history h"
        " WHERE account_id=:account AND version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM flows f"
        " WHERE f.account_id=h.account_id AND f.flow_id=h.flow_id) GROUP BY flow_id)"
        " JOIN flow_versions v USING (account_id, flow_id, version)"
        " WHERE json_extract(v.body, '$.state') IS NOT 'paused'",
        {"account": account_id},
    ).fetchall()
    return {
        flow_id: version
        for flow_id, version in rows
        if paused_when_removed(conn, account_id, flow_id) is None
    }
