"""Erasing a connection: everything that Instagram and its people told, and all that was made of it.

`begin` writes a receipt; from that commit on nothing takes a turn, sends, or is taken in for this connection. Then
`erase_some` deletes in short transactions until nothing is left, the connection's own row last. Traces stay in pages
and in the WAL: `rebuild` and `empty_wal` of `store.vacuum` come next, and only then `end` closes the receipt. A
receipt that is open is a deletion that goes on at the next start.

The account, its flows, the audit (ids only) and the receipts stay.
"""

from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.store import accounts, connections, deletions, notices, outbox

APP_REMOVED = "app_removed"
CHUNK = 100
"""Rows of one transaction, which others wait for."""
ANSWERED_WITHIN = timedelta(minutes=5)
"""No request lives longer: what is still `sending` then has lost its sender, and goes with the rest."""

_OF_CONNECTION = (
    "variants",
    "attempts",
    "bound_posts",
    "posts",
    "totals",
    "notices",
    "alerts",
    "rests",
    "usage",
    "schedules",
    "broadcasts",
    "tombstones",
    "entrances",
)
"""Events go before these, people between; what else holds people hangs on contacts or runs (ON DELETE CASCADE)."""


def begin(conn: Connection, connection_id: str, cause: str, now: datetime) -> bool:
    """Marks a connection whose time has come. False when a request of it is under way, or its owner has come back."""
    wanted = any(connected.id == connection_id for connected in connections.to_delete(conn, now))
    if not wanted or outbox.under_way(conn, connection_id, now - ANSWERED_WITHIN):
        return False
    account_id = connections.load(conn, connection_id).account_id
    deletions.begin(conn, connection_id, account_id, cause, now)
    accounts.audit(
        conn, account_id, actor="daemon", action=f"deletion: {cause}", subject=connection_id, now=now
    )
    return True


def erase_some(conn: Connection, connection_id: str) -> bool:
    """Deletes the next rows and counts them in the receipt; False when nothing of the connection is left."""
    if events := _delete(conn, "events", "connection_id", connection_id, CHUNK):
        deletions.count(conn, connection_id, events=events)
        return True
    if _erase_people(conn, connection_id):
        return True
    if any(_delete(conn, table, "connection_id", connection_id, CHUNK) for table in _OF_CONNECTION):
        return True
    return bool(_delete(conn, "connections", "connection_id", connection_id, 1))


def _erase_people(conn: Connection, connection_id: str) -> bool:
    """Person by person, so that no search begins at those who are gone already."""
    people = conn.execute(
        "SELECT contact_id FROM contacts WHERE connection_id=? LIMIT ?", (connection_id, CHUNK // 4)
    ).fetchall()
    gone = messages = runs = 0
    for (contact_id,) in people:
        messages += _delete(conn, "outbox", "contact_id", contact_id, CHUNK - messages - runs)
        runs += _delete(conn, "runs", "contact_id", contact_id, CHUNK - messages - runs)
        if messages + runs >= CHUNK:
            break
        gone += _delete(conn, "contacts", "contact_id", contact_id, 1)
    deletions.count(conn, connection_id, people=gone, messages=messages, runs=runs)
    return bool(people)


def _delete(conn: Connection, table: str, column: str, value: str, limit: int) -> int:
    keys = conn.execute("SELECT name FROM pragma_table_info(?) WHERE pk>0 ORDER BY pk", (table,))
    key = ", ".join(name for (name,) in keys)
    deleted = conn.execute(
        f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {column}=? LIMIT ?)",  # noqa: S608
        (value, limit),
    )
    return int(deleted.rowcount)


def end(conn: Connection, deletion_id: str, now: datetime) -> None:
    """Everything is gone: closes the receipt and tells the owner when."""
    receipt = deletions.load(conn, deletion_id)
    assert receipt is not None
    account = accounts.load(conn, receipt.account_id)
    assert account is not None
    deletions.end(conn, deletion_id, now)
    notices.raise_notice(
        conn,
        account.id,
        deletion_id,
        notices.DATA_DELETED,
        "The data of an Instagram account from which the app had been removed was deleted on"
        f" {local_minute(now, account.timezone)}: people {receipt.people}, events"
        f" {receipt.events}, runs {receipt.runs}, messages {receipt.messages}.",
        "Nothing to do. To begin anew: pamosnik connect",
        now,
    )
    accounts.audit(conn, account.id, actor="daemon", action="deletion: done", subject=deletion_id, now=now)
