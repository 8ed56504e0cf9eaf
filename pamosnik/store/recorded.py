"""What a replay starts from: what was recorded since an instant, and what was known before it.

The home's database is read; what is known before the instant is put into another database, which a replay may change
as it likes. No token and no password goes along.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Profile
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT, Event, EventKind, Verdict
from pamosnik.model.outbox import ItemKind
from pamosnik.store import inbox
from pamosnik.store.times import instant, ms

_PEOPLE = (
    "SELECT contact_id FROM contacts WHERE account_id=:account AND created_at<:since AND last_seen_at>=:since"
)
_THEIRS = f"contact_id IN ({_PEOPLE} AND forget_at IS NULL)"
_TABLES: Mapping[str, str] = {
    "connections": "account_id=:account AND status<>'disconnected'",
    "contacts": f"account_id=:account AND {_THEIRS}",
    "contact_ids": f"account_id=:account AND {_THEIRS}",
    "contact_tags": f"account_id=:account AND added_at<:since AND {_THEIRS}",
    "contact_fields": f"account_id=:account AND set_at<:since AND {_THEIRS}",
    "flow_versions": "account_id=:account",
    "flows": "account_id=:account",
    "flow_names": "account_id=:account",
    "books": "account_id=:account",
    "bound_posts": "account_id=:account",
    "posts": "account_id=:account",
    "starts": f"account_id=:account AND first_at<:since AND {_THEIRS}",
    "codes": "account_id=:account",
    "given_codes": f"account_id=:account AND given_at<:since AND {_THEIRS}",
}
"""What is copied, a table after those that it refers to."""

_AS_IT_WAS = (
    "UPDATE accounts SET password_hash='!'",
    # Whatever was recorded had a connection then, also one that was made anew since.
    "UPDATE connections SET status='active', reason=NULL, token_sealed=NULL, rest_until=NULL, connected_at=0",
    "UPDATE contacts SET first_message_at=iif(first_message_at<:since, first_message_at, NULL),"
    " window_open_until=NULL,"
    " opted_out_at=iif(opted_out_at<:since, opted_out_at, NULL),"
    " unreachable_since=iif(unreachable_since<:since, unreachable_since, NULL),"
    " paused_until=iif(paused_by='owner' AND paused_until-:pause<:since, paused_until, NULL),"
    " disclosed_at=iif(disclosed_at<:since, disclosed_at, NULL),"
    " looked_up_at=NULL, look_up_again_at=NULL, look_up_problem=NULL",
    "UPDATE contacts SET paused_by=NULL, paused_note=NULL WHERE paused_until IS NULL",
    "UPDATE starts SET last_at=iif(last_at<:since, last_at, first_at)",
    "UPDATE codes SET given_at=NULL WHERE given_at>=:since",
    "DELETE FROM posts WHERE connection_id NOT IN (SELECT connection_id FROM connections)",
)
_OWNER_PAUSES_MS = 12 * 3_600_000
_A_DAY = timedelta(days=1)


def copy_before(source: Connection, target: Connection, account_id: str, since: datetime) -> None:
    """Puts what was known of an account at that instant, and what is applied now, into an empty database."""
    values = {"account": account_id, "since": ms(since), "pause": _OWNER_PAUSES_MS}
    _copy(source, target, "accounts", "account_id=:account", values)
    for table, where in _TABLES.items():
        _copy(source, target, table, where, values)
    for statement in _AS_IT_WAS:
        target.execute(statement, values)
    for connection_id, igsid, heard_at in _heard_just_before(source, account_id, since):
        target.execute(
            "UPDATE contacts SET window_open_until=? WHERE connection_id=? AND igsid=?",
            (heard_at + ms(instant(0) + _A_DAY), connection_id, igsid),
        )


def _copy(
    source: Connection, target: Connection, table: str, where: str, values: Mapping[str, object]
) -> None:
    """All columns that the table has: what a migration adds comes along."""
    names = [name for (name,) in target.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    columns, marks = ", ".join(names), ",".join("?" * len(names))
    rows = source.execute(f"SELECT {columns} FROM {table} WHERE {where}", values)  # noqa: S608
    target.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _heard_just_before(conn: Connection, account_id: str, since: datetime) -> list[tuple[str, str, int]]:
    """(connection, person, when) of what was written so shortly before that the window was still open."""
    kinds = sorted(INBOUND_MESSAGES)
    rows = conn.execute(
        "SELECT connection_id, igsid, max(min(coalesce(occurred_at, received_at), received_at)) FROM events"  # noqa: S608
        " WHERE account_id=? AND igsid IS NOT NULL AND received_at>=? AND received_at<?"
        f" AND kind IN ({','.join('?' * len(kinds))}) GROUP BY connection_id, igsid",
        (account_id, ms(since - _A_DAY), ms(since), *kinds),
    )
    return list(rows)


# --- what came in ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class Recorded:
    """Something that people or the owner did, and what became of it then."""

    event: Event
    flow_id: str | None
    begun_before: bool
    """It went on in a run that began before the record does, or is not kept: nobody can tell where that stood. Or it
    met a pause that came from there."""


_REPLAYED = sorted(INBOUND_MESSAGES | COMMENTS | SILENT)
_NOT_PAUSED = {Verdict.STARTED, Verdict.RESUMED, Verdict.NO_MATCH, Verdict.FILTERED, Verdict.HANDED_OVER}
"""Verdicts that tell that nothing kept flows from answering; the last of who has just asked for a human."""

_NOT_AGAIN = (
    # Decided when it came in: own comments, tests.
    " AND (e.decided_at IS NOT NULL OR e.verdict='pending')"
    # It came from before the connection was made, and was answered by nobody.
    " AND NOT (e.verdict='noted' AND coalesce(e.occurred_at, e.received_at)<c.connected_at)"
    " AND NOT (e.kind='echo' AND e.verdict<>'noted')"
)


def events(conn: Connection, account_id: str, since: datetime) -> Iterator[Recorded]:
    """What the engine would be asked about again, in the order in which it was asked first.

    Left out are echoes of what was sent, receipts, what flows did themselves, what people took back since, and what
    those did who are being forgotten.
    """
    kinds = ",".join("?" * len(_REPLAYED))
    rows = conn.execute(
        f"SELECT {inbox.columns('e')}, c.ig_id, e.flow_id, e.run_id IS NOT NULL AND e.verdict='resumed'"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_id=e.run_id AND r.started_at>=?),"
        # Whoever asks for a human is told that one comes; the others of this verdict get nothing.
        " e.verdict='handed_over' AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.source=e.event_id)"
        " FROM events e JOIN connections c USING (connection_id)"
        f" WHERE e.account_id=? AND e.received_at>=? AND c.status<>'disconnected' AND e.kind IN ({kinds},'echo')"
        f"{_NOT_AGAIN}"
        " AND NOT EXISTS (SELECT 1 FROM events d WHERE d.connection_id=e.connection_id"
        " AND d.dedup_key='d:' || e.mid)"
        " AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.connection_id=e.connection_id AND p.igsid=e.igsid"
        " AND p.forget_at IS NOT NULL)"
        " ORDER BY e.received_at, coalesce(e.occurred_at, e.received_at), e.event_id",
        (ms(since), account_id, ms(since), *_REPLAYED),
    )
    known = _Known()
    for *row, flow_id, goes_on, is_handed_over in rows:
        event = inbox.event_of(tuple(row))
        yield Recorded(event, flow_id, known.begun_before(event, bool(goes_on), bool(is_handed_over)))


class _Known:
    """Of whom the record holds what has brought them where they are."""

    def __init__(self) -> None:
        self._answering: set[tuple[str, str | None]] = set()
        """Flows answer them in the record, or they have asked for a human in it."""
        self._owner_wrote: set[tuple[str, str | None]] = set()

    def begun_before(self, event: Event, goes_on: bool, is_handed_over: bool) -> bool:
        """Asked in the order of the record. `goes_on`: in a run that began before."""
        who, verdict = (event.connection_id, event.incoming.igsid), event.incoming.verdict
        if event.kind is EventKind.ECHO:
            self._owner_wrote.add(who)
            return False
        if goes_on:
            # And may have ended with a human who takes over.
            self._answering.discard(who)
            return True
        if is_handed_over:
            return who not in self._answering
        if verdict is Verdict.PAUSED:
            return who not in self._answering and who not in self._owner_wrote
        if verdict in _NOT_PAUSED:
            self._answering.add(who)
        return False


def count(conn: Connection, account_id: str, since: datetime) -> int:
    """How many events there are since then, of whatever kind."""
    (found,) = conn.execute(
        "SELECT count(*) FROM events WHERE account_id=? AND received_at>=?", (account_id, ms(since))
    ).fetchone()
    return int(found)


def taken_back(conn: Connection, account_id: str, since: datetime) -> int:
    """How many messages people have taken back since then: nobody knows any more what they said."""
    (count,) = conn.execute(
        "SELECT count(*) FROM events d WHERE d.account_id=? AND d.kind=? AND d.received_at>=?"
        " AND EXISTS (SELECT 1 FROM events e WHERE e.connection_id=d.connection_id AND e.mid=d.mid"
        " AND e.kind<>d.kind AND e.kind<>'echo')",
        (account_id, EventKind.DELETION.value, ms(since)),
    ).fetchone()
    return int(count)


def first_at(conn: Connection, account_id: str) -> datetime | None:
    """Since when there are events; None: there are none."""
    (first,) = conn.execute(
        "SELECT min(received_at) FROM events WHERE account_id=?", (account_id,)
    ).fetchone()
    return None if first is None else instant(first)


@dataclass(frozen=True, slots=True, repr=False)
class RecordedClick:
    """The first click of somebody on a tracked link."""

    connection_id: str
    igsid: str
    link: str
    """Its name, else where it leads."""
    at: datetime


def clicks(conn: Connection, account_id: str, since: datetime) -> list[RecordedClick]:
    """The first click on each link that was sent since then."""
    rows = conn.execute(
        "SELECT l.connection_id, p.igsid, coalesce(l.name, l.address), l.first_click_at FROM links l"
        " JOIN contacts p USING (contact_id) WHERE l.account_id=? AND l.made_at>=? AND l.first_click_at IS NOT NULL"
        " ORDER BY l.first_click_at, l.token",
        (account_id, ms(since)),
    )
    return [RecordedClick(connection, igsid, link, instant(at)) for connection, igsid, link, at in rows]


Answered = Mapping[str, str | None] | None
"""What a call brought; None: it failed."""


def answers(conn: Connection, account_id: str, since: datetime) -> dict[tuple[str, str, str], list[Answered]]:
    """(connection, person, webhook) → what each call since then brought, in their order."""
    rows = conn.execute(
        "SELECT connection_id, igsid, json_extract(task, '$.webhook'),"
        " iif(status='sent', coalesce(result, '{}'), NULL) FROM outbox"
        " WHERE account_id=? AND kind='call' AND created_at>=? AND status IN ('sent','failed') ORDER BY seq",
        (account_id, ms(since)),
    )
    found: dict[tuple[str, str, str], list[Answered]] = {}
    for connection, igsid, webhook, result in rows:
        found.setdefault((connection, igsid, webhook), []).append(
            None if result is None else json.loads(result)
        )
    return found


# --- who they are ----------------------------------------------------------------------------------------

Who = tuple[str, str]
"""A connection, and the id that Instagram gives a person there."""


def names(conn: Connection, account_id: str) -> dict[Who, str]:
    """Username, else name, of everybody who has one."""
    rows = conn.execute(
        "SELECT connection_id, igsid, coalesce('@' || username, name) FROM contacts WHERE account_id=?"
        " AND coalesce(username, name) IS NOT NULL",
        (account_id,),
    )
    return {(connection, igsid): name for connection, igsid, name in rows}


def profiles(conn: Connection, account_id: str) -> dict[Who, Profile]:
    """What Instagram told last of those who were looked up."""
    rows = conn.execute(
        "SELECT connection_id, igsid, username, name, follows_me, verified, followers FROM contacts"
        " WHERE account_id=? AND looked_up_at IS NOT NULL",
        (account_id,),
    )
    return {
        (connection, igsid): Profile(username, name, _yes(follows), _yes(verified), followers)
        for connection, igsid, username, name, follows, verified, followers in rows
    }


def _yes(value: int | None) -> bool | None:
    return None if value is None else bool(value)


# --- what a replay has made of it ------------------------------------------------------------------------


def person(conn: Connection, connection_id: str, igsid: str) -> str | None:
    """The contact that Instagram knows by this id there."""
    row = conn.execute(
        "SELECT contact_id FROM contacts WHERE connection_id=:connection AND igsid=:igsid UNION ALL"
        " SELECT contact_id FROM contact_ids WHERE connection_id=:connection AND igsid=:igsid",
        {"connection": connection_id, "igsid": igsid},
    ).fetchone()
    return None if row is None else str(row[0])


def verdicts(conn: Connection) -> dict[str, tuple[Verdict, str | None, str | None]]:
    """Event → its verdict, flow and reason."""
    rows = conn.execute("SELECT event_id, verdict, flow_id, reason FROM events")
    return {event_id: (Verdict(verdict), flow, reason) for event_id, verdict, flow, reason in rows}


def unsent(conn: Connection) -> list[tuple[str, str, str, str | None]]:
    """(connection, kind, status, reason) of every message that has not left, in the order in which they were made."""
    rows = conn.execute(
        "SELECT connection_id, kind, status, reason FROM outbox WHERE status IN ('expired','failed','held','queued')"
        " AND kind IN ('message','private_reply','comment_reply') ORDER BY seq"
    )
    return list(rows)


def private_replies(conn: Connection, connection_id: str) -> list[tuple[datetime, datetime | None]]:
    """When each was wanted, and when it left; without those to live comments, which have a limit of their own."""
    rows = conn.execute(
        "SELECT created_at, iif(status='sent', last_attempt_at, NULL) FROM outbox WHERE connection_id=?"
        " AND kind='private_reply' AND live=0 AND (status<>'cancelled' OR attempts>0) ORDER BY created_at",
        (connection_id,),
    )
    return [(instant(at), None if left is None else instant(left)) for at, left in rows]


@dataclass(frozen=True, slots=True)
class ToDo:
    """What is due, asked in one statement: most of the time it is little, and it is asked for every event."""

    turns: bool
    broadcasts: bool
    people: bool
    """Somebody wants to be forgotten."""
    messages: bool

    @property
    def anything(self) -> bool:
        return self.turns or self.broadcasts or self.people or self.messages


def to_do(conn: Connection, now: datetime) -> ToDo:
    """A queued message that waits for something else than its time is due, too."""
    row = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM events WHERE verdict='pending')"
        " OR EXISTS (SELECT 1 FROM waits WHERE due_at<=:now) OR EXISTS (SELECT 1 FROM outbox WHERE told=0),"
        " EXISTS (SELECT 1 FROM schedules WHERE due_at<=:now)"
        " OR EXISTS (SELECT 1 FROM broadcasts WHERE finished_at IS NULL),"
        " EXISTS (SELECT 1 FROM contacts WHERE forget_at IS NOT NULL),"
        " EXISTS (SELECT 1 FROM outbox WHERE status='queued' AND due_at<=:now)"
        " OR EXISTS (SELECT 1 FROM outbox WHERE status IN ('queued','held') AND deadline<=:now)",
        {"now": ms(now)},
    ).fetchone()
    return ToDo(*map(bool, row))


def due_kinds(conn: Connection, now: datetime) -> list[tuple[str, ItemKind, bool]]:
    """(connection, kind, to a live comment) of what is due in the outbox."""
    rows = conn.execute(
        "SELECT DISTINCT connection_id, kind, live FROM outbox WHERE status='queued' AND due_at<=?"
        " ORDER BY connection_id, kind, live",
        (ms(now),),
    )
    return [(connection, ItemKind(kind), bool(live)) for connection, kind, live in rows]


def next_due_after(conn: Connection, now: datetime) -> datetime | None:
    """When the next queued message may leave that may not yet."""
    (due,) = conn.execute(
        "SELECT min(due_at) FROM outbox WHERE status='queued' AND due_at>? AND kind NOT IN ('call','email','lookup')",
        (ms(now),),
    ).fetchone()
    return None if due is None else instant(due)


def states(conn: Connection) -> Iterator[tuple[str, str, str]]:
    """(contact, what, value) of the tags, fields, goals and opt-outs of everybody; each as often as it holds."""
    yield from conn.execute("SELECT contact_id, 'tag', tag FROM contact_tags ORDER BY tag")
    yield from conn.execute(
        "SELECT contact_id, 'field', field || ' = ' || value FROM contact_fields ORDER BY field"
    )
    yield from conn.execute("SELECT contact_id, 'opted out', '' FROM contacts WHERE opted_out_at IS NOT NULL")
    for contact_id, counted in conn.execute(
        "SELECT contact_id, counted FROM runs WHERE counted LIKE '%goal:%' ORDER BY run_id"
    ):
        for word in str(counted).split():
            if word.startswith("goal:"):
                yield contact_id, "goal", word.removeprefix("goal:")


def given_codes(conn: Connection, contact_id: str) -> list[str]:
    rows = conn.execute("SELECT code FROM given_codes WHERE contact_id=?", (contact_id,))
    return [code for (code,) in rows]


def cause(conn: Connection, item_id: str) -> str | None:
    """What an outbox item comes from: the event that began its run, or that it answers without a run; of a broadcast
    its flow and time."""
    (found,) = conn.execute(
        "SELECT coalesce(json_extract(r.origin, '$.event_id'), r.flow_id || r.started_at, o.source)"
        " FROM outbox o LEFT JOIN runs r USING (run_id) WHERE item_id=?",
        (item_id,),
    ).fetchone()
    return None if found is None else str(found)


def forget_variants(conn: Connection) -> None:
    """Which variant went out last: without it each is chosen by the run alone."""
    conn.execute("DELETE FROM variants")
