"""What is older than the account's settings want it kept: which rows, how many, and their deletion part by part.

Every `sweep_…` looks at the next rows in the order of an index, a number that a transaction may take, and deletes
those that go. Who comes back with what it says (`Swept.after`) goes on behind them, so that rows which stay are
looked at once; None means that there is nothing more. Whether a row goes is said once, for sweeping and for counting.
However many rows other accounts have, none of them is looked at: where no index leads to an account's own, its
connections and people do. The audit alone is gone through line by line.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.store import deletions
from pamosnik.store.times import instant, ms, optional_instant

CHUNK = 200
"""Rows that one transaction deletes at most, but for what hangs on them."""
LOOKED_AT = 1000
"""Rows that one transaction looks at where few go."""
LINES_LOOKED_AT = 5000
"""Likewise lines of the audit, of all accounts: they are short, and stand in one order for all."""
READ_BACK = timedelta(days=7)
"""So far behind where catching up has read to, it takes in what it does not know."""
UNREAD_KEPT = timedelta(days=7)
"""So much longer events stay that catching up may still be told again: it is behind after a long sleep."""

# A button of a run that has ended may have been tapped again.
_UNFINISHED = "(r.finished_at IS NULL OR EXISTS (SELECT 1 FROM waits w WHERE w.run_id=r.run_id))"
_EVENTS = (
    "verdict<>'pending' AND received_at<(SELECT min(:before, iif(c.token_sealed IS NULL, :before,"  # noqa: S608
    " max(coalesce(c.read_until, c.connected_at)-:read_back, :before-:unread_kept)))"
    " FROM connections c WHERE c.connection_id=events.connection_id)"
    f" AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_id=events.run_id AND {_UNFINISHED})"
    f" AND {deletions.UNTOUCHED}"
)
_MESSAGES = (
    "status NOT IN ('queued','held','sending') AND told IS NOT 0"  # noqa: S608
    " AND max(created_at, coalesce(last_attempt_at, 0), coalesce(settled_at, 0))<:before"
    f" AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_id=outbox.run_id AND {_UNFINISHED})"
    f" AND {deletions.UNTOUCHED}"
)
_RUNS = (
    "finished_at<:before AND NOT EXISTS (SELECT 1 FROM waits w WHERE w.run_id=runs.run_id)"  # noqa: S608
    " AND coalesce((SELECT max(t.at) FROM turns t WHERE t.run_id=runs.run_id), 0)<:before"
    " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.run_id=runs.run_id"
    " AND (o.status IN ('queued','held','sending') OR o.told=0))"
    f" AND {deletions.UNTOUCHED}"
)
_CONTACTS = (
    "last_seen_at<:before AND forget_at IS NULL AND coalesce(paused_until, 0)<=:now"  # noqa: S608
    f" AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.contact_id=contacts.contact_id AND {_UNFINISHED})"
    " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.contact_id=contacts.contact_id"
    " AND (o.status IN ('queued','held','sending') OR o.told=0))"
    # What the business itself wrote to them, say.
    " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.connection_id=contacts.connection_id"
    " AND e.igsid=contacts.igsid AND e.received_at>=:before)"
    f" AND {deletions.UNTOUCHED} AND contact_id NOT IN {deletions.BEING_DELETED}"
)
_ACCESSES = "kind='access' AND at<:before"
_ALERTS = "open=0 AND max(mailed_at, coalesce(gone_since, 0))<:before"


@dataclass(frozen=True, slots=True)
class Swept:
    gone: int
    after: str | int | None
    """Where to go on; None: nothing more to look at."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How much there is of a kind."""

    stored: int
    goes: int
    oldest: datetime | None


def _values(before: datetime, now: datetime) -> dict[str, object]:
    return {
        "before": ms(before),
        "now": ms(now),
        "read_back": READ_BACK // timedelta(milliseconds=1),
        "unread_kept": UNREAD_KEPT // timedelta(milliseconds=1),
    }


# --- rows that go ----------------------------------------------------------------------------------------


def sweep_events(
    conn: Connection, account_id: str, before: datetime, now: datetime, after: str | int | None
) -> Swept:
    """What came in and has its verdict; not what an unfinished run came from, nor what may still be told again."""
    rows = conn.execute(
        f"SELECT event_id, {_EVENTS}, received_at>=:before FROM events WHERE account_id=:account"  # noqa: S608
        " AND event_id>:after ORDER BY event_id LIMIT :most",
        {**_values(before, now), "account": account_id, "after": after or "", "most": CHUNK},
    ).fetchall()
    return _swept(conn, "events", "event_id", rows, CHUNK)


def catching_up_passed(conn: Connection, account_id: str, before: datetime, now: datetime) -> None:
    """Events older than that are deleted: catching up takes none of them for new, however long they are kept from
    now on."""
    conn.execute(
        "UPDATE connections SET read_until=:before+iif(token_sealed IS NULL, :read_back, :read_back-:unread_kept)"
        " WHERE account_id=:account AND coalesce(read_until, connected_at)"
        "<:before+iif(token_sealed IS NULL, :read_back, :read_back-:unread_kept)",
        {**_values(before, now), "account": account_id},
    )


def sweep_messages(
    conn: Connection, account_id: str, before: datetime, now: datetime, after: str | int | None
) -> Swept:
    """What has come to its end, or to none in all that time; not of unfinished runs. Tracked links stay."""
    rows = conn.execute(
        f"SELECT seq, {_MESSAGES}, created_at>=:before FROM outbox WHERE account_id=:account AND seq>:after"  # noqa: S608
        " ORDER BY seq LIMIT :most",
        {**_values(before, now), "account": account_id, "after": after or 0, "most": CHUNK},
    ).fetchall()
    return _swept(conn, "outbox", "seq", rows, CHUNK)


def sweep_runs(
    conn: Connection, account_id: str, before: datetime, now: datetime, after: str | int | None
) -> Swept:
    """Runs that have ended, with what each of their turns did. First starts and daily totals stay."""
    rows = conn.execute(
        f"SELECT run_id, coalesce({_RUNS}, 0), started_at>=:before FROM runs WHERE account_id=:account"  # noqa: S608
        " AND run_id>:after ORDER BY run_id LIMIT :most",
        {**_values(before, now), "account": account_id, "after": after or "", "most": CHUNK},
    ).fetchall()
    return _swept(conn, "runs", "run_id", rows, CHUNK)


def sweep_fields(
    conn: Connection, account_id: str, kept: Mapping[str, datetime], after: str | int | None
) -> Swept:
    """Values that were set before the instant that `kept` has for their field."""
    people, behind = _next_people(conn, account_id, after)
    going = [
        (contact_id, field)
        for contact_id, _ in people
        for field, set_at in conn.execute(
            "SELECT field, set_at FROM contact_fields WHERE contact_id=?", (contact_id,)
        )
        if field in kept and set_at < ms(kept[field])
    ]
    conn.executemany("DELETE FROM contact_fields WHERE contact_id=? AND field=?", going)
    return Swept(len(going), behind)


def sweep_logs(
    conn: Connection, account_id: str, before: datetime, now: datetime, after: str | int | None
) -> Swept:
    """Who came and went, and what a mail told of that is mended since. What was done and agreed to stays."""
    rows = conn.execute(
        f"SELECT id, account_id=:account AND {_ACCESSES}, at>=:before FROM audit WHERE id>:after"  # noqa: S608
        " ORDER BY id LIMIT :most",
        {**_values(before, now), "account": account_id, "after": after or 0, "most": LINES_LOOKED_AT},
    ).fetchall()
    swept = _swept(conn, "audit", "id", rows, LINES_LOOKED_AT)
    if swept.after is not None:
        return swept
    mended = conn.execute(
        f"DELETE FROM alerts WHERE account_id=:account AND {_ALERTS}",  # noqa: S608
        {**_values(before, now), "account": account_id},
    )
    return Swept(swept.gone + int(mended.rowcount), None)


def _swept(
    conn: Connection, table: str, key: str, rows: Sequence[tuple[object, ...]], looked_at: int
) -> Swept:
    """Deletes of the rows (key, whether it goes, whether it is too young to go) those that go. They are in the order
    in which they were made: behind one that is young there is nothing old."""
    going = [(row[0],) for row in rows if row[1]]
    conn.executemany(f"DELETE FROM {table} WHERE {key}=?", going)  # noqa: S608 - names of ours
    last = rows[-1][0] if len(rows) == looked_at and not rows[-1][2] else None
    assert last is None or isinstance(last, str | int)
    return Swept(len(going), last)


# --- people ----------------------------------------------------------------------------------------------

FIRST = json.dumps(["", ""])
"""The place before everybody."""


@dataclass(frozen=True, slots=True)
class OldContact:
    """Somebody of whom nothing has been heard for so long, and with whom nothing is going on."""

    id: str
    connection_id: str
    last_seen_at: datetime
    opted_out: bool
    place: str
    """Where to go on looking behind them."""


def old_contacts(
    conn: Connection, account_id: str, before: datetime, now: datetime, after: str | int | None, *, most: int
) -> tuple[list[OldContact], str | None]:
    """The next people who go, and where to go on looking; None: nothing more to look at."""
    people, behind = _next_people(conn, account_id, after)
    values = _values(before, now)
    going: list[OldContact] = []
    for contact_id, place in people:
        if len(going) == most:
            return going, going[-1].place
        row = conn.execute(
            "SELECT connection_id, last_seen_at, opted_out_at IS NOT NULL FROM contacts"  # noqa: S608
            f" WHERE contact_id=:contact AND {_CONTACTS}",
            {**values, "contact": contact_id},
        ).fetchone()
        if row is not None:
            going.append(OldContact(contact_id, row[0], instant(row[1]), bool(row[2]), place))
    return going, behind


def _next_people(
    conn: Connection, account_id: str, after: str | int | None
) -> tuple[list[tuple[str, str]], str | None]:
    """(id, place) of the next people of an account, and where to go on; None: there are no more. In the order of
    Instagram's ids: no index has an account's people in the order of ours."""
    connection_id, igsid = json.loads(str(after or FIRST))
    here, next_one = _connections_from(conn, account_id, connection_id)
    rows = conn.execute(
        "SELECT contact_id, igsid FROM contacts WHERE connection_id=? AND igsid>? ORDER BY igsid LIMIT ?",
        (here, igsid if here == connection_id else "", CHUNK),
    ).fetchall()
    people = [(contact_id, json.dumps([here, one])) for contact_id, one in rows]
    if len(rows) == CHUNK:
        return people, people[-1][1]
    return people, None if next_one is None else json.dumps([next_one, ""])


def _connections_from(conn: Connection, account_id: str, first: str) -> tuple[str | None, str | None]:
    """The account's first connection from this id on, and the one behind it."""
    rows = conn.execute(
        "SELECT connection_id FROM connections WHERE account_id=? AND connection_id>=?"
        " ORDER BY connection_id LIMIT 2",
        (account_id, first),
    ).fetchall()
    found = [connection_id for (connection_id,) in rows]
    return found[0] if found else None, found[1] if len(found) == 2 else None


def delete_contact(conn: Connection, contact: OldContact, igsids: Sequence[str], most: int) -> int | None:
    """Deletes a person with everything about them; returns how many events, messages and runs went along. None: that
    was more than `most`, and the rest is still there. Which variants of texts they had last: `sweep_variants`."""
    gone = 0
    for table, key, where, values in (
        *(("events", "event_id", "connection_id=? AND igsid=?", (contact.connection_id, i)) for i in igsids),
        ("outbox", "seq", "contact_id=?", (contact.id,)),
        ("runs", "run_id", "contact_id=?", (contact.id,)),
    ):
        deleted = conn.execute(
            f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {where} LIMIT ?)",  # noqa: S608
            (*values, most - gone),
        )
        gone += int(deleted.rowcount)
        if gone >= most:
            return None
    conn.execute("DELETE FROM contacts WHERE contact_id=?", (contact.id,))
    return gone


def sweep_variants(conn: Connection, account_id: str, after: str | int | None) -> Swept:
    """Which variant of a text was used last, for people who are gone: nothing but their id led to it."""
    connection_id, *place = json.loads(str(after)) if after else ("", "", "", "")
    here, next_one = _connections_from(conn, account_id, connection_id)
    rows = conn.execute(
        "SELECT connection_id, flow_id, step, contact_id, contact_id<>'' AND NOT EXISTS"
        " (SELECT 1 FROM contacts p WHERE p.contact_id=variants.contact_id) FROM variants"
        " WHERE connection_id=? AND (flow_id, step, contact_id)>(?,?,?) ORDER BY flow_id, step, contact_id LIMIT ?",
        (here, *(place if here == connection_id else ("", "", "")), LOOKED_AT),
    ).fetchall()
    going = [row[:4] for row in rows if row[4]]
    conn.executemany(
        "DELETE FROM variants WHERE connection_id=? AND flow_id=? AND step=? AND contact_id=?", going
    )
    if len(rows) == LOOKED_AT:
        return Swept(len(going), json.dumps(rows[-1][:4]))
    return Swept(len(going), None if next_one is None else json.dumps([next_one, "", "", ""]))


# --- how much there is -----------------------------------------------------------------------------------

_STOCK: Mapping[str, tuple[str, str, str]] = {
    "events": ("events", _EVENTS, "received_at"),
    "messages": ("outbox", _MESSAGES, "created_at"),
    "runs": ("runs", _RUNS, "started_at"),
    "contacts": ("contacts", _CONTACTS, "last_seen_at"),
}


def stock(conn: Connection, account_id: str, kind: str, before: datetime, now: datetime) -> Stock:
    """How many rows there are, how many would go, and the oldest. `kind`: events, messages, runs, contacts, logs."""
    values = {**_values(before, now), "account": account_id}
    if kind == "logs":
        return _together(
            _counted(conn, "audit", _ACCESSES, "at", "AND kind='access'", values),
            _counted(conn, "alerts", _ALERTS, "mailed_at", "AND open=0", values),
        )
    table, goes, at = _STOCK[kind]
    return _counted(conn, table, goes, at, "", values)


def _counted(
    conn: Connection, table: str, goes: str, at: str, only: str, values: Mapping[str, object]
) -> Stock:
    stored, going, oldest = conn.execute(
        f"SELECT count(*), coalesce(sum({goes}), 0), min({at}) FROM {table} WHERE account_id=:account {only}",  # noqa: S608
        values,
    ).fetchone()
    return Stock(int(stored), int(going), optional_instant(oldest))


def _together(one: Stock, other: Stock) -> Stock:
    oldest = [at for at in (one.oldest, other.oldest) if at is not None]
    return Stock(one.stored + other.stored, one.goes + other.goes, min(oldest, default=None))


def stock_of_field(conn: Connection, account_id: str, field: str, before: datetime) -> Stock:
    """Likewise the values of one field."""
    stored, going, oldest = conn.execute(
        "SELECT count(*), coalesce(sum(set_at<:before), 0), min(set_at) FROM contact_fields"
        " WHERE account_id=:account AND field=:field",
        {"account": account_id, "field": field, "before": ms(before)},
    ).fetchone()
    return Stock(int(stored), int(going), optional_instant(oldest))


# --- what was done ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LastTime:
    """When what is too old was removed last."""

    began_at: datetime
    ended_at: datetime | None
    """None: it is under way, or was broken off; the next one goes on."""
    gone: Mapping[str, int]
    """Kind → how many rows."""


def last_time(conn: Connection, account_id: str) -> LastTime | None:
    """None: never."""
    row = conn.execute(
        "SELECT began_at, ended_at, gone FROM retentions WHERE account_id=?", (account_id,)
    ).fetchone()
    return None if row is None else LastTime(instant(row[0]), optional_instant(row[1]), json.loads(row[2]))


def begin(conn: Connection, account_id: str, now: datetime) -> None:
    """What one that was broken off has counted is kept."""
    conn.execute(
        "INSERT INTO retentions (account_id, began_at) VALUES (?,?) ON CONFLICT DO UPDATE SET"
        " began_at=excluded.began_at, gone=iif(ended_at IS NULL, gone, '{}'), ended_at=NULL",
        (account_id, ms(now)),
    )


def count(conn: Connection, account_id: str, gone: Mapping[str, int], now: datetime) -> None:
    """Adds what this transaction has deleted, whose bytes may be left in pages and in the WAL."""
    last = last_time(conn, account_id)
    assert last is not None
    both = {kind: last.gone.get(kind, 0) + gone.get(kind, 0) for kind in {*last.gone, *gone}}
    conn.execute("UPDATE retentions SET gone=? WHERE account_id=?", (json.dumps(both), account_id))
    deletions.leave_traces(conn, account_id, now)


def end(conn: Connection, account_id: str, now: datetime) -> None:
    conn.execute("UPDATE retentions SET ended_at=? WHERE account_id=?", (ms(now), account_id))


def all_due(conn: Connection) -> None:
    """A backup was restored: it brings back what was too old since. Every account's time comes at once."""
    conn.execute("UPDATE retentions SET ended_at=NULL")


def latest_known(conn: Connection, account_id: str, now: datetime) -> datetime | None:
    """The latest instant not after `now` that the account's rows name; None: there is none."""
    (latest,) = conn.execute(
        "SELECT max(at) FROM (SELECT * FROM (SELECT received_at AS at FROM events WHERE account_id=:account"
        " ORDER BY event_id DESC LIMIT 1)"
        " UNION ALL SELECT began_at FROM retentions WHERE account_id=:account"
        " UNION ALL SELECT max(at) FROM audit WHERE account_id=:account AND at<=:now) WHERE at<=:now",
        {"account": account_id, "now": ms(now)},
    ).fetchone()
    return optional_instant(latest)
