"""Marking what is to be erased, and erasing a connection: everything that Instagram and its people told, and all that
was made of it.

`begin_person`, `begin_connection` and `begin_account` write a receipt; from that commit on nothing takes a turn,
sends, or is taken in for it. Then the eraser (`privacy.eraser`) deletes in short transactions until nothing is left:
`erase_some` a connection's rows, its own last, `forget` a person's, `erase_account` those that only an account has.
Traces stay in pages and in the WAL until the file is written anew, and only then `end` closes the receipt. A receipt
that is open is a deletion that goes on at the next start.

After a connection the account, its flows, the audit (ids only) and the receipts stay.
"""

from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.store import (
    accounts,
    api_tokens,
    connections,
    contacts,
    deletions,
    instagram_logins,
    mailed_links,
    notices,
    outbox,
    sessions,
)
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.deletions import Cause, MetaTold, Receipt, Scope
from pamosnik.store.mailed_links import Purpose

CHUNK = 100
"""Rows of one transaction, which others wait for."""
ANSWERED_WITHIN = timedelta(minutes=5)
"""No request lives longer: what is still `sending` then has lost its sender, and goes with the rest."""
REASON = "its data is being deleted"

OF_CONNECTION = (
    "variants",
    "attempts",
    "bound_posts",
    "posts",
    "totals",
    "month_totals",
    "notices",
    "alerts",
    "instagram_logins",
    "rests",
    "usage",
    "schedules",
    "broadcasts",
    "tombstones",
    "entrances",
)
"""Events go before these, people between; what else holds people hangs on contacts or runs (ON DELETE CASCADE)."""


def begin_due(conn: Connection, connection_id: str, now: datetime) -> bool:
    """Begins with a connection whose time has come. False when its owner has come back meanwhile."""
    wanted = any(connected.id == connection_id for connected in connections.to_delete(conn, now))
    if wanted:
        begin_connection(conn, connection_id, Cause.APP_REMOVED, actor="daemon", now=now)
    return wanted


def begin_connection(conn: Connection, connection_id: str, cause: Cause, *, actor: str, now: datetime) -> str:
    """From this commit on the connection takes, does and sends nothing; what waits never leaves. The id of the
    deletion, also of one that is under way already."""
    under_way = deletions.open_for(conn, connection_id)
    if under_way is not None:
        return under_way.id
    connected = connections.load(conn, connection_id)
    meta = MetaTold.DUE if connections.sealed_token(conn, connection_id) else MetaTold.NONE
    deletion_id = deletions.begin(
        conn, connected.account_id, Scope.CONNECTION, connection_id, cause, now, meta
    )
    # The token stays until Meta has been told; nothing else uses it any more.
    connections.set_status(conn, connection_id, ConnectionStatus.DISCONNECTED, REASON)
    _audit(conn, connected.account_id, actor, cause, connection_id, now)
    return deletion_id


def begin_account(conn: Connection, account_id: str, cause: Cause, *, actor: str, now: datetime) -> str:
    """From this commit on nobody logs in to the account, and all of its connections are being deleted. The id of the
    deletion, also of one that is under way already."""
    under_way = deletions.open_for(conn, account_id)
    if under_way is not None:
        return under_way.id
    deletion_id = deletions.begin(conn, account_id, Scope.ACCOUNT, account_id, cause, now)
    accounts.set_deleting(conn, account_id)
    _log_out(conn, account_id)
    for connected in connections.of_account(conn, account_id):
        begin_connection(conn, connected.id, cause, actor=actor, now=now)
    deletions.adopt(conn, account_id, deletion_id)
    _audit(conn, account_id, actor, cause, account_id, now)
    return deletion_id


def _log_out(conn: Connection, account_id: str) -> None:
    sessions.close_all(conn, account_id)
    sessions.forget_browsers(conn, account_id)
    for purpose in Purpose:
        mailed_links.drop(conn, account_id, purpose)
    instagram_logins.drop(conn, account_id)
    for token in api_tokens.of_account(conn, account_id):
        api_tokens.revoke(conn, account_id, token.id)


def begin_person(conn: Connection, contact_id: str, cause: Cause, *, actor: str, now: datetime) -> str:
    """From this commit on no flow and no message touches the person; what they did until now goes. The id of the
    deletion, also of one that is under way already."""
    under_way = deletions.open_for(conn, contact_id)
    if under_way is not None:
        return under_way.id
    contact = contacts.load(conn, contact_id)
    assert contact is not None
    deletion_id = deletions.begin(conn, contact.account_id, Scope.PERSON, contact_id, cause, now)
    if contact.forget_at is None:
        contacts.set_forget(conn, contact_id, now)
    outbox.cancel_for_person(conn, contact_id, "the person is forgotten", now)
    _audit(conn, contact.account_id, actor, cause, contact_id, now)
    return deletion_id


def _audit(
    conn: Connection, account_id: str, actor: str, cause: Cause, subject_id: str, now: datetime
) -> None:
    accounts.audit(
        conn, account_id, actor=actor, action=f"deletion: {cause.value}", subject=subject_id, now=now
    )


def may_begin(conn: Connection, receipt: Receipt, now: datetime) -> bool:
    """False while a request of the connection is under way: its outcome is waited for."""
    return receipt.subject_id is None or not outbox.under_way(conn, receipt.subject_id, now - ANSWERED_WITHIN)


def erase_some(conn: Connection, receipt: Receipt, now: datetime) -> bool:
    """Deletes the next rows and counts them in the receipt; False when nothing of the connection is left."""
    connection_id = receipt.subject_id
    assert connection_id is not None
    if events := delete(conn, "events", "connection_id", connection_id, CHUNK):
        deletions.count(conn, receipt.id, events=events)
        return True
    if _erase_people(conn, receipt.id, connection_id):
        return True
    if any(delete(conn, table, "connection_id", connection_id, CHUNK) for table in OF_CONNECTION):
        return True
    delete(conn, "connections", "connection_id", connection_id, 1)
    deletions.people_gone(conn, now)
    deletions.rows_gone(conn, receipt.id, now)
    return False


def _erase_people(conn: Connection, deletion_id: str, connection_id: str) -> bool:
    """Person by person, so that no search begins at those who are gone already."""
    people = conn.execute(
        "SELECT contact_id FROM contacts WHERE connection_id=? LIMIT ?", (connection_id, CHUNK // 4)
    ).fetchall()
    gone = messages = runs = 0
    for (contact_id,) in people:
        messages += delete(conn, "outbox", "contact_id", contact_id, CHUNK - messages - runs)
        runs += delete(conn, "runs", "contact_id", contact_id, CHUNK - messages - runs)
        if messages + runs >= CHUNK:
            break
        gone += delete(conn, "contacts", "contact_id", contact_id, 1)
    deletions.count(conn, deletion_id, people=gone, messages=messages, runs=runs)
    return bool(people)


def delete(conn: Connection, table: str, column: str, value: str, limit: int) -> int:
    """Deletes rows of a table, some of them; how many."""
    return delete_where(conn, table, f"{column}=:value", value, limit)


def delete_where(conn: Connection, table: str, where: str, value: str, limit: int) -> int:
    """Likewise of those that `where` speaks of, a condition of our own about `:value`."""
    keys = conn.execute("SELECT name FROM pragma_table_info(?) WHERE pk>0 ORDER BY pk", (table,))
    key = ", ".join(name for (name,) in keys)
    deleted = conn.execute(
        f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {where} LIMIT :most)",  # noqa: S608
        {"value": value, "most": limit},
    )
    return int(deleted.rowcount)


def end(conn: Connection, receipt: Receipt, now: datetime) -> None:
    """Everything is gone, from the file and its log, too: closes the receipt. The owner is told of what they did not
    order here."""
    deletions.end(conn, receipt.id, now)
    account = accounts.load(conn, receipt.account_id)
    if receipt.scope is not Scope.CONNECTION or account is None:
        return
    subject_id = receipt.subject_id
    accounts.audit(conn, account.id, actor="daemon", action="deletion: done", subject=subject_id, now=now)
    if receipt.cause in (Cause.COMMAND, Cause.PAGE):
        return
    notices.raise_notice(
        conn,
        account.id,
        subject_id or receipt.id,
        notices.DATA_DELETED,
        f"The data of an Instagram account {_WHY[receipt.cause]} was deleted on"
        f" {local_minute(now, account.timezone)}: people {receipt.people}, events"
        f" {receipt.events}, runs {receipt.runs}, messages {receipt.messages}.",
        "Nothing to do. To begin anew: pamosnik connect",
        now,
    )


_WHY = {
    Cause.APP_REMOVED: "from which the app had been removed",
    Cause.META_REQUEST: "whose owner had asked Meta for it",
    Cause.RESTORE: "that a restored backup had brought back",
}
