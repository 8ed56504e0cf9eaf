"""Deletions of a person's, a connection's or an account's data: what is under way, and the receipts that stay.

A receipt names nobody: whom it is about (`subject_id`, an id of ours) it forgets at its end, and which account it
belonged to when that account is gone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.ids import new_id
from pamosnik.store.times import instant, ms, optional_instant

BEING_DELETED = "(SELECT subject_id FROM deletions WHERE ended_at IS NULL AND subject_id IS NOT NULL)"
UNTOUCHED = f"connection_id NOT IN {BEING_DELETED}"
"""Part of every question for work: what is being deleted gets no turn any more."""


class Scope(StrEnum):
    """Whose data a deletion deletes."""

    PERSON = "person"
    CONNECTION = "connection"
    ACCOUNT = "account"


class Cause(StrEnum):
    """Who wanted it."""

    COMMAND = "command"
    PAGE = "page"
    API = "api"
    FLOW = "flow"
    """The person, in a conversation (`forget_me`)."""
    APP_REMOVED = "app_removed"
    """The owner took the app's access away in Instagram."""
    META_REQUEST = "meta_request"
    """Meta's data-deletion callback."""
    RETENTION = "retention"
    RESTORE = "restore"
    """A restored backup had brought it back."""


class MetaTold(StrEnum):
    """Whether Meta knows that nothing more is wanted for the connection."""

    NONE = "none"
    """There is nothing to tell: no token, or no connection."""
    DUE = "due"
    TOLD = "told"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many rows are gone, and when."""

    id: str
    account_id: str
    """'' once the account is gone."""
    scope: Scope
    cause: Cause
    subject_id: str | None
    """The contact, connection or account; None once it has ended."""
    part_of: str | None
    """The deletion of the account that this one belongs to."""
    began_at: datetime
    meta: MetaTold
    meta_tries: int
    people: int
    events: int
    runs: int
    messages: int
    rows_gone_at: datetime | None
    """Since then only traces in the file are left."""
    ended_at: datetime | None
    """None: still under way."""


_COLUMNS = (
    "deletion_id, account_id, scope, cause, subject_id, part_of, began_at, meta, meta_tries, people, events, runs,"
    " messages, rows_gone_at, ended_at"
)


def _receipt(
    r: tuple[
        str, str, str, str, str | None, str | None, int, str, int, int, int, int, int, int | None, int | None
    ],
) -> Receipt:
    return Receipt(
        id=r[0],
        account_id=r[1],
        scope=Scope(r[2]),
        cause=Cause(r[3]),
        subject_id=r[4],
        part_of=r[5],
        began_at=instant(r[6]),
        meta=MetaTold(r[7]),
        meta_tries=r[8],
        people=r[9],
        events=r[10],
        runs=r[11],
        messages=r[12],
        rows_gone_at=optional_instant(r[13]),
        ended_at=optional_instant(r[14]),
    )


def begin(
    conn: Connection,
    account_id: str,
    scope: Scope,
    subject_id: str,
    cause: Cause,
    now: datetime,
    meta: MetaTold = MetaTold.NONE,
) -> str:
    """A receipt, and its id: from this commit on nothing works on what it is about any more."""
    deletion_id = new_id(now)
    conn.execute(
        "INSERT INTO deletions (deletion_id, account_id, scope, cause, subject_id, began_at, meta)"
        " VALUES (?,?,?,?,?,?,?)",
        (deletion_id, account_id, scope.value, cause.value, subject_id, ms(now), meta.value),
    )
    return deletion_id


def load(conn: Connection, deletion_id: str) -> Receipt | None:
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE deletion_id=?",  # noqa: S608 - column names
        (deletion_id,),
    ).fetchone()
    return None if row is None else _receipt(row)


def open_for(conn: Connection, subject_id: str) -> Receipt | None:
    """The deletion of this contact, connection or account that is under way."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE subject_id=? AND ended_at IS NULL",  # noqa: S608
        (subject_id,),
    ).fetchone()
    return None if row is None else _receipt(row)


def under_way(conn: Connection) -> list[Receipt]:
    """Deletions that were begun and have not come to their end, the oldest first; an account's after those of its
    connections."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE ended_at IS NULL"  # noqa: S608
        " ORDER BY scope='account', began_at, deletion_id"
    )
    return [_receipt(row) for row in rows]


def newest(conn: Connection, account_id: str, limit: int) -> list[Receipt]:
    """Of an account, the newest first; without those that are part of another one."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE account_id=? AND part_of IS NULL"  # noqa: S608
        " ORDER BY began_at DESC, deletion_id DESC LIMIT ?",
        (account_id, limit),
    )
    return [_receipt(row) for row in rows]


def any_since(conn: Connection, account_id: str, at: datetime) -> bool:
    """Whether data of the account is being deleted or was since then: what was too old included, and as long as
    traces are left a message that was taken back, a tag or a value."""
    found = conn.execute(
        "SELECT 1 FROM deletions WHERE account_id=:account AND (ended_at IS NULL OR ended_at>=:at)"
        " UNION ALL SELECT 1 FROM traces WHERE account_id=:account AND since>=:at"
        " UNION ALL SELECT 1 FROM retentions WHERE account_id=:account AND ended_at>=:at AND gone<>'{}'",
        {"account": account_id, "at": ms(at)},
    ).fetchone()
    return found is not None


def count(
    conn: Connection, deletion_id: str, *, people: int = 0, events: int = 0, runs: int = 0, messages: int = 0
) -> None:
    """Adds what a chunk deleted, in the chunk's transaction."""
    conn.execute(
        "UPDATE deletions SET people=people+?, events=events+?, runs=runs+?, messages=messages+?"
        " WHERE deletion_id=?",
        (people, events, runs, messages, deletion_id),
    )


def rows_left(conn: Connection, scope: Scope, subject_id: str) -> int:
    """How many rows there are to delete, of those that receipts count; of a person without events."""
    column, tables = {
        Scope.PERSON: ("contact_id", ("contacts", "runs", "outbox")),
        Scope.CONNECTION: ("connection_id", ("contacts", "events", "runs", "outbox")),
        Scope.ACCOUNT: ("account_id", ("contacts", "events", "runs", "outbox")),
    }[scope]
    found = 0
    for table in tables:
        (n,) = conn.execute(f"SELECT count(*) FROM {table} WHERE {column}=?", (subject_id,)).fetchone()  # noqa: S608
        found += n
    return found


def of_account(conn: Connection, account_id: str, *, scope: Scope) -> list[Receipt]:
    """Deletions of this kind in the account that are under way, the oldest first."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE ended_at IS NULL AND account_id=? AND scope=?"  # noqa: S608
        " ORDER BY began_at, deletion_id",
        (account_id, scope.value),
    )
    return [_receipt(row) for row in rows]


def tried_meta(conn: Connection, deletion_id: str, meta: MetaTold) -> None:
    """Meta was asked once more; what is known since."""
    conn.execute(
        "UPDATE deletions SET meta=?, meta_tries=meta_tries+1 WHERE deletion_id=?", (meta.value, deletion_id)
    )


def rows_gone(conn: Connection, deletion_id: str, now: datetime) -> None:
    """The last row is deleted; the first time counts."""
    conn.execute(
        "UPDATE deletions SET rows_gone_at=coalesce(rows_gone_at, ?) WHERE deletion_id=?",
        (ms(now), deletion_id),
    )


def people_gone(conn: Connection, now: datetime) -> None:
    """People who were to be forgotten, and have gone with their connection meanwhile: their rows are gone, too."""
    conn.execute(
        "UPDATE deletions SET rows_gone_at=? WHERE scope='person' AND ended_at IS NULL AND rows_gone_at IS NULL"
        " AND subject_id NOT IN (SELECT contact_id FROM contacts)",
        (ms(now),),
    )


def adopt(conn: Connection, account_id: str, deletion_id: str) -> None:
    """What is under way in the account belongs to the account's own deletion from now on."""
    conn.execute(
        "UPDATE deletions SET part_of=:parent"
        " WHERE account_id=:account AND ended_at IS NULL AND deletion_id<>:parent",
        {"parent": deletion_id, "account": account_id},
    )


def parts(conn: Connection, deletion_id: str) -> list[Receipt]:
    """The deletions that belong to this one of an account."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM deletions WHERE part_of=? ORDER BY began_at, deletion_id",  # noqa: S608
        (deletion_id,),
    )
    return [_receipt(row) for row in rows]


def unite(conn: Connection, deletion_id: str, meta: MetaTold) -> None:
    """One receipt takes the place of its parts, for Meta's requests, too. `meta`: what became of telling Meta, of all
    of them."""
    people, events, runs, messages = conn.execute(
        "SELECT coalesce(sum(people), 0), coalesce(sum(events), 0), coalesce(sum(runs), 0),"
        " coalesce(sum(messages), 0) FROM deletions WHERE part_of=?",
        (deletion_id,),
    ).fetchone()
    count(conn, deletion_id, people=people, events=events, runs=runs, messages=messages)
    conn.execute("UPDATE deletions SET meta=? WHERE deletion_id=?", (meta.value, deletion_id))
    conn.execute(
        "UPDATE deletion_requests SET deletion_id=:it WHERE deletion_id IN"
        " (SELECT deletion_id FROM deletions WHERE part_of=:it)",
        {"it": deletion_id},
    )
    conn.execute("DELETE FROM deletions WHERE part_of=?", (deletion_id,))


def forget_account(conn: Connection, account_id: str) -> None:
    """Receipts and Meta's requests of an account that is gone belong to nobody. One that is under way keeps it to its
    end."""
    conn.execute(
        "UPDATE deletions SET account_id='' WHERE account_id=? AND ended_at IS NOT NULL", (account_id,)
    )
    conn.execute("UPDATE deletion_requests SET account_id='' WHERE account_id=?", (account_id,))


def end(conn: Connection, deletion_id: str, now: datetime) -> None:
    """Everything is gone, from the file and its WAL, too; the receipt forgets whose it was."""
    conn.execute(
        "UPDATE deletions SET ended_at=?, rows_gone_at=coalesce(rows_gone_at, ?), subject_id=NULL,"
        " account_id=iif(scope='account', '', account_id) WHERE deletion_id=?",
        (ms(now), ms(now), deletion_id),
    )


# --- Meta's requests -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request of Meta's to delete data, as its status page tells of it."""

    code: str
    asked_at: datetime
    deletion: Receipt | None
    """None: there was nothing to delete."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Receipts and requests as they stand in the database; they name nobody."""

    receipts: Sequence[tuple[object, ...]]
    requests: Sequence[tuple[object, ...]]


def put_request(
    conn: Connection, code: str, *, account_id: str, deletion_id: str | None, now: datetime
) -> None:
    """Notes what a code stands for. One that is known stays as it is. `account_id`: '' when nothing is known."""
    conn.execute(
        "INSERT INTO deletion_requests (code, account_id, deletion_id, asked_at) VALUES (?,?,?,?)"
        " ON CONFLICT DO NOTHING",
        (code, account_id, deletion_id, ms(now)),
    )


def request(conn: Connection, code: str) -> Request | None:
    """With the numbers of a deletion's parts, while they have receipts of their own."""
    row = conn.execute("SELECT deletion_id, asked_at FROM deletion_requests WHERE code=?", (code,)).fetchone()
    if row is None:
        return None
    receipt = None if row[0] is None else load(conn, row[0])
    return Request(code, instant(row[1]), None if receipt is None else _with_parts(conn, receipt))


def code_of(conn: Connection, account_id: str) -> str | None:
    """The newest code for the deletion of the whole account that is under way; None: there is none."""
    row = conn.execute(
        "SELECT r.code FROM deletion_requests r JOIN deletions d USING (deletion_id)"
        " WHERE d.subject_id=? AND d.scope='account' AND d.ended_at IS NULL ORDER BY r.asked_at DESC LIMIT 1",
        (account_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def _with_parts(conn: Connection, receipt: Receipt) -> Receipt:
    all_of_it = [receipt, *parts(conn, receipt.id)]
    return replace(
        receipt,
        people=sum(one.people for one in all_of_it),
        events=sum(one.events for one in all_of_it),
        runs=sum(one.runs for one in all_of_it),
        messages=sum(one.messages for one in all_of_it),
    )


def forget_requests(conn: Connection, before: datetime) -> None:
    """Drops what was asked before then about accounts that nothing was known of."""
    conn.execute("DELETE FROM deletion_requests WHERE deletion_id IS NULL AND asked_at<?", (ms(before),))


def papers(conn: Connection) -> Papers:
    """All receipts and requests there are."""
    receipts = conn.execute(f"SELECT {_COLUMNS} FROM deletions").fetchall()  # noqa: S608 - column names
    requests = conn.execute(
        "SELECT code, account_id, deletion_id, asked_at FROM deletion_requests"
    ).fetchall()
    return Papers(receipts, requests)


def put_papers(conn: Connection, found: Papers) -> None:
    """Puts them into a database that does not know those that are newer than itself; what it knows stays."""
    marks = ",".join("?" * len(_COLUMNS.split(", ")))
    conn.executemany(
        f"INSERT OR IGNORE INTO deletions ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 - column names
        found.receipts,
    )
    conn.executemany(
        "INSERT OR IGNORE INTO deletion_requests (code, account_id, deletion_id, asked_at) VALUES (?,?,?,?)",
        found.requests,
    )
    for table in ("deletions", "deletion_requests"):
        conn.execute(
            f"UPDATE {table} SET account_id='' WHERE account_id NOT IN (SELECT account_id FROM accounts)"  # noqa: S608
        )


# --- traces ----------------------------------------------------------------------------------------------


def leave_traces(conn: Connection, account_id: str, now: datetime) -> None:
    """Rows or values are gone whose bytes may be left in pages and in the WAL. A mark that is there changes: who is
    just removing what it stood for shall see that there is more."""
    conn.execute(
        "INSERT INTO traces (account_id, since) VALUES (?,?)"
        " ON CONFLICT DO UPDATE SET since=max(since+1, excluded.since)",
        (account_id, ms(now)),
    )


def traces(conn: Connection) -> list[tuple[str, datetime]]:
    """Accounts with traces to remove, each with its mark."""
    return [(row[0], instant(row[1])) for row in conn.execute("SELECT account_id, since FROM traces")]


def traces_gone(conn: Connection, marks: Iterable[tuple[str, datetime]]) -> None:
    """The file was written anew after these marks had been seen. One that changed since stays."""
    conn.executemany(
        "DELETE FROM traces WHERE account_id=? AND since=?",
        [(account_id, ms(at)) for account_id, at in marks],
    )
