"""Every function of the store, called for one account with everything that the other one has."""

import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from importlib import import_module

import pytest

from pamosnik import store
from pamosnik._sqlite import Connection, DatabaseError, IntegrityError
from pamosnik.errors import PamosnikError
from pamosnik.model.contact import PausedBy, Profile
from pamosnik.model.decision import NewLink
from pamosnik.model.entrances import Entrance
from pamosnik.model.event import Event, Verdict
from pamosnik.model.outbox import HeldFor, ItemKind, ItemStatus, OutMessage, Quota
from pamosnik.model.run import WaitKind
from pamosnik.store import (
    accounts,
    aging,
    alerts,
    api_tokens,
    broadcasts,
    connections,
    consents,
    contacts,
    event_lists,
    flows,
    inbox,
    mailed_links,
    outbox,
    people,
    reads,
    runs,
    sessions,
    tombstones,
)
from pamosnik.store.connections import ConnectionStatus, PrivateReplyButtons
from pamosnik.store.database import Database, open_database, open_in_memory
from pamosnik.store.deletions import Cause, MetaTold, Papers, Scope
from pamosnik.store.export_tables import Person
from pamosnik.store.flow_history import By, FlowChange
from pamosnik.store.ledger import Ledger
from pamosnik.store.outbox import NewItem
from pamosnik.store.walls import Walled, write_for
from tests.isolation import world
from tests.isolation.world import ANNA, FORGOTTEN, MINE, NOW, OTHERS, Side

LATER = NOW + timedelta(days=400)
NOBODY = Side("", "", "nobody", 0)
"""Whose rows concern the whole installation."""

OF_THE_MACHINE: Mapping[str, str] = {
    "backup": "copies of the whole file; the command needs the home, not an account",
    "backup_files": "names of files",
    "copies": "whole files beside the database",
    "exports": "files beside the database; whose they are their names say",
    "damage": "looks at pages of the file, not at rows",
    "database": "opens files; what is read through it for an account goes through `walls`",
    "health": "what the disk refuses",
    "early_migrations": "make the tables",
    "migrations": "make the tables",
    "refusals": "words for what SQLite refuses",
    "room": "free bytes on a disk",
    "shape": "what columns tables have",
    "spill": "a file beside the database; what is in it passes `inbox.add` before anybody sees it",
    "vacuum": "pages of the whole file",
    "verified": "a file beside the backups",
    "walls": "the wall itself: tests/store/test_walls.py",
    "writer": "the one thread that writes",
}
"""Modules without a question about rows."""

WITHOUT_ROWS = {
    "accounts.tidy_email",
    "export_kinds.columns",
    "export_kinds.tables",
    "inbox.columns",
    "inbox.event_of",
    "inbox.trace_json",
    "ledger.copy",
    "ledger.note",
    "ledger.read",
    "ledger.unite",
    "ledger.without",
    "ledger.write",
    "outbox.comment_lane",
    "outbox.person_lane",
    "outbox_rows.content_from_json",
    "outbox_rows.content_json",
    "outbox_rows.item_of",
    "stats.share",
    "tombstones.comment_mark",
    "tombstones.hasher_with",
    "times.instant",
    "times.ms",
    "times.optional_instant",
}
"""They get no connection, so they reach no row."""


# --- what the functions are called with --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """What somebody knows of an account: ids, and what was loaded by them."""

    side: Side
    ids: Mapping[str, str]
    contact: object
    run: object
    item: object
    event: Event
    connected: connections.Connected
    broadcast: broadcasts.Broadcast
    planned: broadcasts.Planned
    flow: flows.AppliedFlow


def _known(conn: Connection, side: Side, number: int) -> Known:
    """Of several rows of a kind the one with this number."""

    def of(table: str, column: str) -> str:
        found = conn.execute(
            f"SELECT {column} FROM {table} WHERE account_id=? AND {column} IS NOT NULL ORDER BY 1",
            (side.account,),
        ).fetchall()
        return str(found[number % len(found)][0])

    ids = {
        "account_id": side.account,
        "connection_id": side.connection,
        "contact_id": of("contacts", "contact_id"),
        "run_id": of("runs", "run_id"),
        "other_run_id": of("runs", "run_id"),
        "wait_id": of("waits", "wait_id"),
        "item_id": of("outbox", "item_id"),
        "private_item": of("outbox", "item_id"),
        "event_id": of("events", "event_id"),
        "broadcast_id": of("broadcasts", "broadcast_id"),
        "deletion_id": of("deletions", "deletion_id"),
        "subject_id": of("deletions", "subject_id"),
        "session_id": of("sessions", "session_id"),
        "token_id": of("api_tokens", "token_id"),
        "token": of("links", "token"),
        "mid": of("events", "mid"),
        "message_id": of("outbox", "message_id"),
        "comment_id": of("events", "comment_id"),
        "igsid": (ANNA, side.fan, FORGOTTEN, f"also-{side.mark}")[number % 4],
        "ig_id": side.ig_id,
        "email": side.email,
        "media_id": (f"post-{side.mark}", f"old-post-{side.mark}")[number % 2],
        "shortcode": f"code{side.mark}",
        "flow_id": ("price", "size", "news", f"only-{side.mark}")[number % 4],
        "version": of("flow_versions", "version"),
        "pool": "gift",
        "reason": f"because of {side.mark}",
        "since_id": of("events", "event_id"),
    }
    event = inbox.load(conn, ids["event_id"])
    broadcast = broadcasts.load(conn, ids["broadcast_id"])
    assert event is not None
    assert broadcast is not None
    applied = flows.applied(conn, side.account)
    return Known(
        side,
        ids,
        contact=contacts.load(conn, ids["contact_id"]),
        run=runs.load(conn, ids["run_id"]),
        item=outbox.load(conn, ids["item_id"]),
        event=event,
        connected=connections.load(conn, side.connection),
        broadcast=broadcast,
        planned=broadcasts.planned(conn, side.account)[0],
        flow=applied[number % len(applied)],
    )


def _new_item(known: Known) -> NewItem:
    ids = known.ids
    return NewItem(
        account_id=ids["account_id"],
        connection_id=ids["connection_id"],
        contact_id=ids["contact_id"],
        source=ids["run_id"],
        turn=99,
        ordinal=0,
        run_id=ids["run_id"],
        flow_id="price",
        step="do.0",
        kind=ItemKind.MESSAGE,
        lane=outbox.person_lane(ids["contact_id"]),
        content=OutMessage("planted"),
        igsid=ids["igsid"],
        due_at=NOW,
        deadline=None,
    )


def _new_connection(known: Known) -> connections.NewConnection:
    return connections.NewConnection(
        id=known.ids["connection_id"],
        account_id=known.ids["account_id"],
        ig_id=known.side.ig_id,
        asid=None,
        username="planted",
        scopes=(),
        token_sealed=b"planted",
        token_expires_at=None,
        token_refresh_at=NOW,
        subscribed_fields=(),
    )


def _alert(known: Known) -> alerts.Alert:
    return alerts.Alert(
        account_id=known.ids["account_id"],
        connection_id=known.ids["connection_id"],
        cause="blocked",
        open=False,
        step=1,
        message="planted",
        mailed_at=NOW,
        gone_since=None,
    )


def _session(known: Known) -> sessions.Session:
    return sessions.Session("planted", known.ids["account_id"], "", NOW, NOW, LATER)


def _stone(known: Known) -> tombstones.Tombstone:
    return tombstones.Tombstone(known.ids["connection_id"], "00" * 32, LATER, LATER, opted_out=False)


def _person(known: Known) -> Person:
    return Person([known.ids["contact_id"]], [known.ids["igsid"]])


Make = Callable[[Known], object]


def _tagged(k: Known) -> dict[str, object]:
    return {
        "account_id": k.side.account,
        "contact_id": k.ids["contact_id"],
        "tag": "planted",
        "added_at": 1,
    }


def _just(value: object) -> Make:
    return lambda _: value


VALUES: Mapping[str, Make] = {
    "after": _just(""),
    "account": lambda k: accounts.Account(k.ids["account_id"], "planted", "planted@shop.example", "UTC", NOW),
    "action": _just("planted"),
    "actor": _just("command"),
    "again_at": _just(LATER),
    "alert": _alert,
    "body": _just("planted"),
    "at": _just(LATER),
    "before": _just(LATER),
    "broadcast": lambda k: k.broadcast,
    "but": _just(None),
    "but_not": _just("planted"),
    "buttons": _just(PrivateReplyButtons.REFUSED),
    "cause": _just("app_removed"),
    "change": _just(FlowChange.PAUSED),
    "code": _just("blocked"),
    "connected": lambda k: k.connected,
    "connection": lambda k: k.connected,
    "contact": lambda k: k.contact,
    "content": _just(OutMessage("planted")),
    "day": _just("2026-11-30"),
    "delete_after": _just(NOW),
    "comment_ids": lambda k: [k.ids["comment_id"]],
    "delete_after_ms": _just(1),
    "digest": _just("planted"),
    "due_at": _just(LATER),
    "effective_at": _just(LATER),
    "entrance": _just(Entrance.ICE_BREAKERS),
    "event": lambda k: k.event,
    "expires_at": _just(LATER),
    "field": _just("size"),
    "fix": _just("planted"),
    "flow": lambda k: k.flow,
    "folded": lambda k: f"fan.{k.side.mark}",
    "flow_ids": lambda k: [k.ids["flow_id"]],
    "former_id": _just(None),
    "gone": lambda k: [f"GIFT-{k.side.mark}-1"],
    "hashers": lambda k: {k.side.connection: lambda _: "00" * 32},
    "hashed": _just("planted"),
    "how": _just(consents.How.WORDS),
    "held_for": _just(HeldFor.LOGIN),
    "incoming": lambda k: k.event.incoming,
    "item": lambda k: k.item,
    "keep": _just([]),
    "keys": lambda k: [k.event.incoming.key],
    "kind": _just(ItemKind.MESSAGE),
    "labels": _just(("planted",)),
    "ledger": lambda k: Ledger({k.side.account: b"0" * 32}, [_stone(k)]),
    "limit": _just(100),
    "link": lambda k: f"https://{k.side.mark}.example/prices",
    "looked_until": _just("planted"),
    "message": _just("planted"),
    "meta_id": lambda k: k.ids["comment_id"],
    "meta": _just(MetaTold.TOLD),
    "message_ids": lambda k: [k.ids["message_id"]],
    "name": _just("planted"),
    "names": lambda k: [f"code{k.side.mark}"],
    "new": _just(["GIFT-planted"]),
    "not_there_at": _just(NOW),
    "note": _just("planted"),
    "now": _just(NOW + timedelta(minutes=5)),
    "number": lambda k: k.side.number,
    "old": lambda k: k.ids["flow_id"],
    "page": _just("privacy"),
    "order": lambda k: [k.ids["flow_id"]],
    "password_hash": _just("planted"),
    "plain": _just(True),
    "planned": lambda k: k.planned,
    "posted_at": _just(NOW),
    "problem": _just("planted"),
    "purpose": _just(mailed_links.Purpose.RESET_PASSWORD),
    "quota": _just(Quota.PRIVATE_REPLY),
    "removed": lambda k: [k.ids["flow_id"]],
    "result": _just({"planted": "planted"}),
    "run": lambda k: k.run,
    "scope": _just(Scope.CONNECTION),
    "session": _session,
    "settings": _just("{}"),
    "settled_before": _just(LATER),
    "since": _just(NOW - timedelta(days=1)),
    "rows": lambda k: [_tagged(k)],
    "skipped": _just({"planted": 1}),
    "source": lambda k: k.ids["run_id"],
    "status": _just(ItemStatus.CANCELLED),
    "step": _just("do.0"),
    "stimulus": _just("Started"),
    "stone": _stone,
    "stones": lambda k: [_stone(k)],
    "subject": lambda k: k.side.hash,
    "table": _just("contact_tags"),
    "tables": _just(["contacts", "codes"]),
    "tag": lambda k: k.side.mark,
    "text": lambda k: k.event.incoming.text or "nothing",
    "timezone": _just("Europe/Warsaw"),
    "timing": _just("planted"),
    "title": _just("planted"),
    "token_hash": lambda k: k.side.hash,
    "told": _just(Profile()),
    "trace": _just([]),
    "until": _just(LATER),
    "unused_for": _just(timedelta(days=1)),
    "username": lambda k: f"fan.{k.side.mark}",
    "value": _just("planted"),
    "verdict": _just(Verdict.NOTED),
    "wanted": _just(reads.QueueFilter()),
    "user_id": lambda k: k.ids["ig_id"],
    "what": lambda k: k.ids["mid"],
    "who": lambda k: f"fan.{k.side.mark}",
    "why": _just("planted"),
    "window_until": _just(LATER),
    "wire": _just("{}"),
}
"""Parameter → what it gets, unless a function has something of its own."""

BY_TYPE: Mapping[object, object] = {bool: True, int: 3, bytes: b"planted", datetime: NOW}
"""What leads to nobody."""

_BY = _just(By("command", NOW))
_PAPERS = Papers([], [("planted", MINE.account, None, 0)])
OF_FUNCTIONS: Mapping[str, Make] = {
    "aging.count(gone)": _just({"events": 1}),
    "aging.delete_contact(contact)": lambda k: aging.OldContact(
        k.ids["contact_id"], k.ids["connection_id"], NOW, opted_out=False, place=aging.FIRST
    ),
    "aging.delete_contact(igsids)": lambda k: [k.ids["igsid"]],
    "aging.old_contacts(after)": _just(aging.FIRST),
    "aging.stock(kind)": _just("events"),
    "aging.sweep_events(after)": _just("0"),
    "aging.sweep_fields(after)": _just(aging.FIRST),
    "aging.sweep_fields(kept)": _just({"size": LATER}),
    "aging.sweep_logs(after)": _just(-1),
    "aging.sweep_messages(after)": _just(-1),
    "aging.sweep_runs(after)": _just("0"),
    "aging.sweep_variants(after)": _just('["", "", "", ""]'),
    "accounts.replace_password_hash(was)": lambda k: f"hash-{k.side.mark}",
    "api_tokens.insert(token)": lambda k: api_tokens.ApiToken(
        "planted", k.ids["account_id"], "planted", NOW, None
    ),
    "applying.put(by)": _BY,
    "deletions.begin(cause)": _just(Cause.COMMAND),
    "deletions.put_papers(found)": _just(_PAPERS),
    "deletions.put_request(code)": _just("planted"),
    "deletions.traces_gone(marks)": _just([]),
    "deletions.request(code)": lambda k: f"code-{k.side.mark}",
    "consents.note(what)": _just(consents.What.OPT_OUT),
    "applying.put(new)": _just([]),
    "applying.put_back(by)": _BY,
    "applying.set_pause(by)": _BY,
    "broadcasts.begin(new)": _just(broadcasts.NewBroadcast("planted", "v", LATER)),
    "codes.give(code)": _just("GIFT-planted"),
    "connections.put(new)": _new_connection,
    "connections.set_status(status)": _just(ConnectionStatus.BLOCKED),
    "contacts.pause(by)": _just(PausedBy.OWNER),
    "event_lists.walk(wanted)": _just(event_lists.EventFilter()),
    "export_kinds.ask(name)": _just("messages"),
    "export_kinds.ask(person)": _person,
    "export_tables.are_several(person)": _person,
    "export_tables.count(table)": _just("events"),
    "export_tables.rows(columns)": _just(("contact_id", "username")),
    "export_tables.rows(person)": _person,
    "export_tables.rows(person_by)": _just("contact_id"),
    "export_tables.rows(table)": _just("contacts"),
    "flow_history.add(by)": _BY,
    "flows.learn_captions(captions)": lambda k: {f"old-post-{k.side.mark}": "planted"},
    "flows.learn_post(post)": lambda k: flows.Post(f"old-post-{k.side.mark}", "planted"),
    "flows.without_caption(media_ids)": lambda k: [f"old-post-{k.side.mark}"],
    "heard.refused_just_after_writing(codes)": _just(("10/2534022",)),
    "heard.refused_just_after_writing(within)": _just(timedelta(days=1)),
    "imports.moved_in(status)": _just("needs_login"),
    "imports.put(key)": _just(["contact_id", "tag"]),
    "imports.owner(key)": _just("contact_id"),
    "imports.owner(value)": lambda k: k.ids["contact_id"],
    "links.add(link)": _just(NewLink("planted", "https://planted.example/", None)),
    "login_attempts.counted(what)": _just("login"),
    "login_attempts.note(what)": _just("login"),
    "mailed_links.add(link)": lambda k: mailed_links.MailedLink(
        k.ids["account_id"], mailed_links.Purpose.CONFIRM_EMAIL, "planted@shop.example"
    ),
    "notices.raise_notice(step)": _just(2),
    "outbox.add(item)": _new_item,
    "people.newest(before)": _just(None),
    "people.newest(wanted)": lambda k: people.Wanted(text=f"fan.{k.side.mark}"),
    "people.of_connection(wanted)": lambda k: people.Wanted(text=f"fan.{k.side.mark}"),
    "recorded.copy_before(target)": lambda _: open_in_memory().connection,
    "renaming.rename(by)": _BY,
    "renaming.rename(new)": _just("planted"),
    "runs.wake(kind)": _just(WaitKind.FOR_CLICK),
    "runs.wake(what)": lambda k: [f"https://{k.side.mark}.example/prices"],
    "stats.by_post(since)": _just("2026-01-15"),
    "stats.by_post(until)": _just(f"{LATER:%Y-%m-%d}"),
    "stats.by_step(since)": _just("2026-01-15"),
    "stats.by_step(until)": _just(f"{LATER:%Y-%m-%d}"),
    "stats.count(what)": _just("started"),
    "stats.mark_steps(paths)": _just(["do.0"]),
    "stats.mark_run(what)": _just("clicked"),
    "stats.last_received(days)": _just([f"{NOW:%Y-%m-%d}"]),
    "stats.totals(since)": _just(None),
    "stats.totals(until)": _just(None),
    "tombstones.put_key(new)": _just(b"0" * 32),
}


@cache
def functions() -> Mapping[str, Callable[..., object]]:
    """`module.function` of everything public that the store's modules define and that gets a connection."""
    found: dict[str, Callable[..., object]] = {}
    for module in pkgutil.iter_modules(store.__path__):
        if module.name in OF_THE_MACHINE:
            continue
        loaded = import_module(f"{store.__name__}.{module.name}")
        for name, value in vars(loaded).items():
            ours = inspect.isfunction(value) and value.__module__ == loaded.__name__
            if ours and not name.startswith("_") and f"{module.name}.{name}" not in WITHOUT_ROWS:
                found[f"{module.name}.{name}"] = value
    return found


def arguments(name: str, known: Known) -> dict[str, object]:
    """Everything but the connection."""
    given: dict[str, object] = {}
    for parameter in _parameters(name):
        make = OF_FUNCTIONS.get(f"{name}({parameter.name})") or VALUES.get(parameter.name)
        if make is not None:
            given[parameter.name] = make(known)
        elif parameter.name in known.ids:
            given[parameter.name] = known.ids[parameter.name]
        elif parameter.default is inspect.Parameter.empty:
            given[parameter.name] = BY_TYPE.get(parameter.annotation)
    return given


def _parameters(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(functions()[name]).parameters.values())[1:]


def _mixed(name: str, theirs: Known) -> dict[str, object]:
    """My account, and everything else theirs."""
    given = arguments(name, theirs)
    return {**given, "account_id": MINE.account} if "account_id" in given else given


Call = tuple[str, Callable[[], dict[str, object]]]


def _calls_with_mine(conn: Connection, rows: int) -> Iterator[Call]:
    """Arguments are made anew for each call: some are filled by it."""
    for number in range(rows):
        mine = _known(conn, MINE, number)
        yield from ((name, partial(arguments, name, mine)) for name in functions())


def _calls_with_theirs(conn: Connection, rows: int) -> Iterator[Call]:
    """Every function with everything of theirs, and once more in the name of my account; `rows` of each kind."""
    for number in range(rows):
        theirs = _known(conn, OTHERS, number)
        for name in functions():
            yield name, partial(arguments, name, theirs)
            yield name, partial(_mixed, name, theirs)


# --- the tests ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The home with both accounts."""
    with open_database(world.make(tmp_path_factory.mktemp("isolation") / "both")) as database:
        yield database


@pytest.fixture(scope="module")
def alone(both: Database) -> Iterator[Database]:
    """The same home without the other account."""
    folder = both.path.parent
    with open_database(world.without(folder, OTHERS, folder.with_name("alone"))) as database:
        yield database


def test_the_world_has_rows_of_both_in_every_table(both: Database) -> None:
    mine, theirs = (world.rows_of(both.connection, side) for side in (MINE, OTHERS))
    assert [table for table in mine if not mine[table] or len(mine[table]) != len(theirs[table])] == []
    planted = [table for table, rows in mine.items() if OTHERS.mark in repr(rows)]
    assert planted == []


def test_every_function_is_called_or_listed(both: Database) -> None:
    """Add what is missing to VALUES or OF_FUNCTIONS; a function that gets no connection to WITHOUT_ROWS."""
    known = _known(both.connection, OTHERS, 0)
    firsts = {name: next(iter(typing.get_type_hints(one).values())) for name, one in functions().items()}
    assert [name for name, first in firsts.items() if first is not Connection] == []
    missing = [
        f"{name}({parameter.name})"
        for name in functions()
        for parameter in _parameters(name)
        if parameter.default is inspect.Parameter.empty and arguments(name, known)[parameter.name] is None
    ]
    assert missing == []
    listed = {*WITHOUT_ROWS, *(one.partition("(")[0] for one in OF_FUNCTIONS)}
    modules = {module.name for module in pkgutil.iter_modules(store.__path__)}
    assert [name for name in OF_THE_MACHINE if name not in modules] == []
    assert [name for name in listed if not _exists(name)] == []


def _exists(name: str) -> bool:
    module, _, function = name.partition(".")
    return hasattr(import_module(f"{store.__name__}.{module}"), function)


_EXPECTED = (PamosnikError, LookupError, ValueError, TypeError, AssertionError, IntegrityError)
"""What functions answer to ids that they do not find."""
_WRITES = "it writes"
_CANNOT_WRITE = ("readonly database", "is a view", "not authorized")


def _outcome(
    function: Callable[..., object], given: Callable[[], dict[str, object]], conn: Connection
) -> object:
    """What a caller learns: the answer, or the error and its words."""
    filled = given()
    try:
        found = function(conn, **filled)
    except _EXPECTED as error:
        return type(error), str(error)
    except DatabaseError as error:
        if any(words in str(error) for words in _CANNOT_WRITE):
            return _WRITES
        raise
    if isinstance(target := filled.get("target"), Connection):
        return [world.rows_of(target, side) for side in (MINE, OTHERS)]
    if isinstance(found, Iterator):
        return list(found)
    return found(FORGOTTEN) if callable(found) else found


def test_what_is_read_for_one_account_is_as_if_the_other_were_not_there(
    both: Database, alone: Database
) -> None:
    """No row, no number, no other error: with ids of theirs, with mine, and with both mixed."""
    calls = [*_calls_with_mine(both.connection, 4), *_calls_with_theirs(both.connection, 4)]
    told_without_wall = set()
    with open_database(both.path) as taken, _only_reading(alone), _only_reading(both):
        own = Walled(taken)
        for name, given in calls:
            ask = partial(_outcome, functions()[name], given)
            expected, seen = ask(alone.connection), own.read(MINE.account, ask)
            assert seen in (expected, _WRITES), (name, given())
            if expected != _WRITES and ask(both.connection) != expected:
                told_without_wall.add(name)
    # So the calls are not idle: without the wall these functions tell something of the other account.
    assert len(told_without_wall) > 100, sorted(told_without_wall)


@contextmanager
def _only_reading(database: Database) -> Iterator[None]:
    database.connection.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        database.connection.execute("PRAGMA query_only=OFF")


def test_what_is_written_for_one_account_changes_no_row_of_the_other(both: Database) -> None:
    before = [world.rows_of(both.connection, side) for side in (OTHERS, NOBODY)]

    def is_as_before(conn: Connection) -> bool:
        return [world.rows_of(conn, side) for side in (OTHERS, NOBODY)] == before

    would_change, refused = set(), set()
    for name, given in _calls_with_theirs(both.connection, 2):
        call = partial(_refusal, functions()[name], given)
        with _undone(both) as conn:
            changes = conn.total_changes
            call(conn)
            if conn.total_changes == changes:
                continue  # it reads
            if name not in would_change and not is_as_before(conn):
                would_change.add(name)
        with _undone(both) as conn:
            if write_for(MINE.account, call)(conn):
                refused.add(name)  # and everything it did is undone
            else:
                assert is_as_before(conn), (name, given())
    # Without the wall these change something of the other account, and it is the wall that refuses.
    assert len(would_change) > 80, sorted(would_change)
    assert would_change <= refused


@contextmanager
def _undone(database: Database) -> Iterator[Connection]:
    """A transaction of which nothing stays."""
    database.connection.execute("BEGIN IMMEDIATE")
    try:
        yield database.connection
    finally:
        database.connection.execute("ROLLBACK")


def _refusal(
    function: Callable[..., object], given: Callable[[], dict[str, object]], conn: Connection
) -> bool:
    """Calls it; whether the wall refused."""
    conn.execute("SAVEPOINT call")
    try:
        found = function(conn, **given())
        if isinstance(found, Iterator):
            list(found)
    except _EXPECTED as error:
        conn.execute("ROLLBACK TO call")
        return "is not of this account" in str(error)
    return False


def test_no_statement_looks_for_its_rows_in_another_way(both: Database) -> None:
    """A page or list is no slower for the wall: the same indexes serve it, also where there are many rows."""
    statements: set[str] = set()
    both.connection.set_trace_callback(statements.add)
    with _only_reading(both):
        for name, given in _calls_with_mine(both.connection, 1):
            _outcome(functions()[name], given, both.connection)
    both.connection.set_trace_callback(None)
    reading = [f"EXPLAIN QUERY PLAN {sql}" for sql in statements if sql.startswith(("SELECT", "WITH"))]
    with open_database(both.path) as taken:
        own = Walled(taken)
        for sql in reading:
            plain, walled = _plan(both.connection, sql), own.read(MINE.account, partial(_plan, sql=sql))
            assert plain == walled, sql
    assert len(reading) > 150


_OF_THE_VIEW = re.compile(r"SCALAR SUBQUERY|reading_for")
_NO_MATTER = re.compile(r"(?<=SEARCH) \S+( EXISTS)?|(?<=SCAN).*|COVERING |(?<=SUBQUERY) \d+")
"""Names of tables, which stand in those of indexes, and numbers. The account is read from the row itself."""


def _plan(conn: Connection, sql: str) -> list[str]:
    steps = [str(step) for _, _, _, step in conn.execute(sql)]
    return [_NO_MATTER.sub("", step) for step in steps if not _OF_THE_VIEW.search(step)]
