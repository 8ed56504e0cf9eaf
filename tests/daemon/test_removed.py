"""The owner removes the app: a day in which connecting again undoes it, and then everything is gone."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.daemon import housekeeping
from pamosnik.errors import PamosnikError
from pamosnik.instagram.errors import classify
from pamosnik.model.decision import NewLink
from pamosnik.model.entrances import Entrance
from pamosnik.model.outbox import Quota
from pamosnik.privacy import erase
from pamosnik.privacy.subject import REGISTER
from pamosnik.services import removal, sending
from pamosnik.services.reading import events as event_reading
from pamosnik.services.shapes import Shape
from pamosnik.store import (
    accounts,
    alerts,
    broadcasts,
    codes,
    connections,
    contacts,
    deletions,
    entrances,
    instagram_logins,
    links,
    outbox,
    people,
    runs,
    tombstones,
)
from pamosnik.store import flows as flow_store
from pamosnik.store.alerts import Alert
from pamosnik.store.broadcasts import NewBroadcast, Planned
from pamosnik.store.connections import Connected
from pamosnik.store.consents import How
from pamosnik.store.database import open_database
from pamosnik.store.tombstones import Tombstone
from tests.daemon import events
from tests.daemon.fake import Trouble, calm
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import EMAIL, PASSWORD, Shop, closed_shop, furnish, open_shop

pytestmark = pytest.mark.anyio
REMOVED = Trouble(400, 190, 458, "The user has not authorized application")
DAY = timedelta(hours=24)

FLOWS = """
version: 1
disclosure: "Automated reply."
flows:
  reel:
    when: [comment: { words: [reel], post: "https://www.instagram.com/reel/Cabc/" }]
    do: [send: "Here."]
  price:
    when: [comment: [price], dm: [price]]
    do:
      - reply_publicly: { one_of: [Sent!, Look inside!] }
      - send: { text: "Hi {username|there}!", buttons: [{label: More, do: [send: "Here you are."]}] }
      - wait: 20h
      - tag: got-prices
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size, choices: [Small, Large] }
      - send: "Noted: {size|?}"
  next:
    when: [comment: { words: [new], post: next }]
    do: [send: "The newest."]
fields:
  size: { type: choice, choices: [Small, Large] }
"""


def _connected(shop: Machine) -> Connected:
    (found,) = connections.of_account(shop.reader.connection, accounts.every(shop.reader.connection)[0].id)
    return found


def _removed(shop: Machine, path: str = "") -> None:
    shop.fake.trouble = lambda call: REMOVED if path in call.path else None


async def _writes(shop: Machine, igsid: str, text: str) -> None:
    at = int(shop.clock.now().timestamp() * 1000)
    await shop.deliver(events.talk({**events.message(igsid, text), "timestamp": at}))


def _actions(conn: Connection) -> list[str]:
    return [action for (action,) in conn.execute("SELECT action FROM audit ORDER BY id")]


# --- found out by any call -------------------------------------------------------------------------------


async def _by_sending(shop: Machine) -> None:
    await _writes(shop, "9001", "size")
    await shop.works()


async def _by_settling(shop: Machine) -> None:
    shop.fake.trouble = lambda call: Trouble(500, 2) if call.is_send else REMOVED
    await _writes(shop, "9001", "size")
    await shop.works()
    await shop.later(seconds=10)


async def _by_looking_up_a_post(shop: Machine) -> None:
    await shop.deliver(events.change(events.comment("9001", "reel please")))
    await shop.runner.round()


async def _by_refreshing(shop: Machine) -> None:
    shop.move_to(shop.clock.now() + timedelta(days=2))
    await shop.keeper.round()


async def _by_catching_up(shop: Machine) -> None:
    await shop.catch_up.round()


CALLS = {
    "send": ("/messages", _by_sending),
    "settle": ("", _by_settling),
    "post": ("/media", _by_looking_up_a_post),
    "refresh": ("/refresh_access_token", _by_refreshing),
    "subscription": ("/subscribed_apps", _by_catching_up),
    "conversations": ("/conversations", _by_catching_up),
    "comments": ("/media", _by_catching_up),
}


@pytest.mark.parametrize("call", CALLS)
async def test_any_call_finds_out_and_the_owner_hears_of_it_once(tmp_path: Path, call: str) -> None:
    path, finds_out = CALLS[call]
    async with machine(tmp_path, FLOWS) as shop:
        _removed(shop, path)
        await finds_out(shop)
        found = _connected(shop)
        assert found.status.value == "disconnected"
        assert found.delete_after is not None
        assert abs(found.delete_after - shop.clock.now() - DAY) < timedelta(seconds=15)
        assert "removed the app" in str(found.reason)
        conn = shop.reader.connection
        assert connections.sealed_login(conn, found.id).token is None
        (problem,) = shop.problems()
        assert problem["code"] == "app_removed"
        assert "pamosnik connect" in str(problem["fix"])
        assert (found.delete_after + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M") in str(problem["message"])
        shop.move_to(shop.clock.now() + timedelta(seconds=30))
        await shop.catch_up.round()
        await shop.works()
        assert _connected(shop).delete_after == found.delete_after
        assert len(shop.problems()) == 1
        assert _actions(conn).count("deauthorised by Instagram") == 1


@pytest.mark.parametrize("subcode", [459, 460, 463, None])
async def test_other_ends_of_a_login_delete_nothing(tmp_path: Path, subcode: int | None) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = lambda _: Trouble(400, 190, subcode)
        await _by_catching_up(shop)
        await _by_sending(shop)
        found = _connected(shop)
        assert (found.status.value, found.delete_after) == ("needs_login", None)
        shop.move_to(shop.clock.now() + 2 * DAY)
        await shop.eraser.round()
        assert len(people.newest(shop.reader.connection, found.account_id, limit=None)) == 1


async def test_answers_that_concern_an_older_token_change_nothing(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        await _writes(shop, "9001", "size")
        await shop.runner.round()
        conn, now = shop.reader.connection, shop.clock.now()
        claim = partial(
            sending.claim, connection_id=_connected(shop).id, quota=Quota.MESSAGE, room=1, media_room=1
        )
        (claimed,) = await shop.writer.write(partial(claim, now=now))
        shop.move_to(now + timedelta(seconds=5))
        await shop.connects()
        refused = classify(400, b'{"error":{"code":190,"error_subcode":458}}', {})
        record = partial(sending.record, item_id=claimed.item.id, outcome=refused)
        await shop.writer.write(partial(record, now=shop.clock.now()))
        assert _connected(shop).status.value == "active"
        await shop.works()
        assert shop.states() == ["sent"]
        found_out = partial(removal.app_removed, connection_id=_connected(shop).id, asked_at=now)
        await shop.writer.write(partial(found_out, now=shop.clock.now()))
        assert _connected(shop).status.value == "active"
        # Nor does a refresh that is answered too late bring a destroyed token back.
        refreshing = _connected(shop)
        _removed(shop)
        await shop.catch_up.round()
        put = partial(connections.put_token, connection_id=refreshing.id, sealed=b"x", expires_at=now)
        await shop.writer.write(partial(put, refresh_at=now, now=now))
        assert connections.sealed_login(conn, refreshing.id).token is None
        assert _actions(conn).count("deauthorised by Instagram") == 1


# --- within the day --------------------------------------------------------------------------------------


async def test_connecting_again_within_a_day_loses_nothing(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        await _writes(shop, "9001", "size")
        await shop.deliver(events.change(events.comment("9002", "price", comment_id="c2")))
        await shop.works()
        before = _connected(shop)
        _removed(shop)
        await _writes(shop, "9001", "Small")
        await shop.runner.round()
        await shop.deliver(events.change(events.comment("9003", "price", comment_id="c3")))
        await shop.works()
        await _writes(shop, "9004", "size")
        assert (shop.states().count("held"), shop.states().count("failed")) == (3, 0)
        assert all(i["reason"] for i in shop.queue() if i["status"] == "held")
        known = len(shop.queue())
        shop.fake.trouble = calm
        await shop.later(hours=20)
        assert len(shop.fake.sent) == 2, "nothing leaves, nothing new is taken in"
        await shop.eraser.round()
        shop.fake.token = "IGAAanothertoken"
        after = await shop.connects()
        assert (after.id, after.connected_at, after.delete_after) == (before.id, before.connected_at, None)
        assert shop.problems() == []
        await shop.works()
        assert len(shop.queue()) == known
        assert shop.fake.thread("9001") == ["Automated reply.\nWhich size?", "Noted: Small"]
        assert len(shop.fake.thread("9003")) == 1
        assert set(shop.states()) == {"sent"}
        shop.move_to(shop.clock.now() + 2 * DAY)
        await shop.eraser.round()
        assert _connected(shop).status.value == "active"


async def test_what_is_put_off_does_not_leave_earlier_by_it(tmp_path: Path) -> None:
    later = """
version: 1
flows:
  price:
    when: [comment: [price]]
    do:
      - reply_publicly: { text: "Sent!", wait_first: 60s to 60s }
"""
    async with machine(tmp_path, later) as shop:
        await shop.deliver(events.change(events.comment("9002", "price", comment_id="c2")))
        await shop.works()
        _removed(shop)
        await shop.catch_up.round()
        assert shop.states() == ["held"]
        shop.fake.trouble = calm
        await shop.connects()
        await shop.works()
        assert shop.fake.replies == []
        await shop.later(seconds=61)
        assert len(shop.fake.replies) == 1


async def test_what_is_too_late_by_then_expires(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        _removed(shop, "/messages")
        await _writes(shop, "9001", "size")
        await shop.works()
        assert shop.states() == ["held"]
        shop.move_to(shop.clock.now() + DAY - timedelta(seconds=1))
        await shop.connects()
        shop.fake.trouble = calm
        shop.move_to(shop.clock.now() + timedelta(seconds=2))
        await shop.works()
        assert shop.states() == ["expired"]


async def test_the_pending_deletion_is_shown(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.trouble = lambda _: REMOVED
        refused = await shop.try_command("connections", "refresh")
        assert (refused.code, "pamosnik connect" in refused.err) == (6, True)
        assert "removed the app" in refused.err
        again = await shop.try_command("connections", "refresh")
        assert (again.code, "has ended" in again.err) == (6, True)
        (row,) = await shop.read("connections", "list")
        assert row["status"] == "disconnected"
        when = datetime.fromisoformat(row["delete_after"])
        assert (await shop.read("status"))["connections"] == [row]
        local = f"{when + timedelta(hours=1):%Y-%m-%d %H:%M}"
        for command in (("status",), ("connections", "list"), ("connections", "show", "shop")):
            assert local in await shop.command(*command)
        assert (await _page(shop)).count(f"will be deleted on {local}") == 2, "the notice, the connection"


async def _page(shop: Shop) -> str:
    address = f"http://127.0.0.1:{shop.port}"
    jar = aiohttp.CookieJar(unsafe=True)
    login = {"email": EMAIL, "password": PASSWORD}
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as session,
        session.post(f"{address}/login", data=login) as answer,
    ):
        return await answer.text()


# --- after the day ---------------------------------------------------------------------------------------


async def _busy_shop(shop: Machine) -> None:
    """People in every table: in the middle of flows, done, waiting, refused."""
    await _writes(shop, "900100000000001", "size")
    await shop.works()
    await _writes(shop, "900100000000001", "Small")
    await shop.works()
    for igsid, name in (("900200000000002", "bela.secretive"), ("900300000000003", "celia.secretive")):
        comment = events.comment(igsid, f"price for {name} please", username=name, comment_id=f"c{igsid}")
        await shop.deliver(events.change(comment))
    await shop.works()
    tap = events.button_tap("900200000000002", "More", shop.fake.last("900200000000002").buttons["More"])
    await shop.deliver(events.talk(tap))
    await shop.works()
    await shop.catch_up.round()
    await shop.writer.write(partial(_more, connection_id=_connected(shop).id, now=shop.clock.now()))


def _more(conn: Connection, connection_id: str, now: datetime) -> None:
    """What flows of this version do not come to by themselves."""
    account_id = accounts.every(conn)[0].id
    person = contacts.load(conn, people.newest(conn, account_id, limit=1)[0])
    assert person is not None
    contacts.also_known_as(conn, person, "900900000000009")
    contacts.add_tag(conn, person, "regular", now)
    run = runs.load(conn, conn.execute("SELECT run_id FROM runs LIMIT 1").fetchone()[0])
    assert run is not None
    links.add(conn, run, "do.0", "item", NewLink("t0ken", "https://x.example/secretive", None), now)
    flow_store.learn_post(conn, account_id, connection_id, flow_store.Post("m-of-the-shop", "Cxyz", now))
    connections.rest_quota(conn, connections.load(conn, connection_id), Quota.MESSAGE, now, "why")
    plan = Planned(account_id, connection_id, "menu", now)
    broadcasts.plan(conn, account_id, connection_id, "menu", "", now)
    broadcasts.begin(conn, plan, NewBroadcast("b1", "v", now), now)
    connections.heard_usage(conn, connections.load(conn, connection_id), Quota.MESSAGE, 90, now)
    tombstones.put_key(conn, account_id, b"k" * 32)
    tombstones.put(conn, account_id, Tombstone(connection_id, "00", now, now, opted_out=False))
    entrances.asks(conn, connections.load(conn, connection_id), Entrance.MENU, ("Hours",))
    codes.add(conn, account_id, "spring", ["A-1"])
    codes.give(conn, person, "spring", "A-1", now)
    alerts.put(conn, Alert(account_id, connection_id, "restricted", False, 0, "About shop.", now, None))
    instagram_logins.add(conn, b"l" * 32, account_id, How.COMMAND, now=now, expires_at=now + DAY * 2)
    instagram_logins.connected(conn, b"l" * 32, connection_id)


def _of_connection(conn: Connection, connection_id: str) -> dict[str, int]:
    """Table → rows that belong to the connection, by the columns the register knows."""
    by = {
        "connection_id": "connection_id=:id",
        "contact_id": "contact_id IN (SELECT contact_id FROM held_contacts)",
        "run_id": "run_id IN (SELECT run_id FROM held_runs)",
    }
    found = {}
    for name, table in REGISTER.items():
        column = next((one for one in by if one in table.columns), None)
        if column is not None and name not in ("audit", "consents", "deletions"):
            (found[name],) = conn.execute(
                f"SELECT count(*) FROM {name} WHERE {by[column]}",
                {"id": connection_id},
            ).fetchone()
    return found


def _remember_ids(conn: Connection) -> None:
    conn.execute("CREATE TEMP TABLE held_contacts AS SELECT contact_id FROM contacts")
    conn.execute("CREATE TEMP TABLE held_runs AS SELECT run_id FROM runs")


SECRETS = ("secretive", "900100000000001", "900200000000002", "900300000000003", "900900000000009", "aWdf_")


def _bytes(home: Path) -> bytes:
    return b"".join(
        file.read_bytes() for file in sorted(home.glob("pamosnik*.db*")) if "-shm" not in file.name
    )


def _traces(home: Path, secrets: Iterable[str] = SECRETS) -> list[str]:
    held = _bytes(home)
    return [secret for secret in secrets if secret.encode() in held]


async def test_after_a_day_nothing_is_left(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        home = tmp_path / "home"
        await _busy_shop(shop)
        conn = shop.reader.connection
        copy = home / "pamosnik.before-version-9.db"
        aside = home / "pamosnik.db.before-restore-20261125T010203Z"
        for path in (copy, aside):
            with closing(_sqlite.connect(str(path))) as target:
                conn.backup(target)
        found = _connected(shop)
        _remember_ids(conn)
        _removed(shop)
        await shop.catch_up.round()
        before = _of_connection(conn, found.id)
        assert [name for name, n in before.items() if n == 0] == [], "each table has something to lose"
        assert _traces(home) == list(SECRETS)
        shop.move_to(shop.clock.now() + DAY - timedelta(minutes=1))
        await shop.eraser.round()
        assert _of_connection(conn, found.id) == before
        shop.move_to(shop.clock.now() + timedelta(minutes=1))
        with pytest.raises(PamosnikError, match="is being deleted"):
            await shop.connects()
        await shop.eraser.round()
        left = _of_connection(conn, found.id)
        assert left == {**dict.fromkeys(before, 0), "notices": 1}
        assert _traces(home) == []
        assert not copy.exists()
        assert not aside.exists()
        assert conn.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert flow_store.applied(conn, found.account_id) != []
        (problem,) = shop.problems()
        assert problem["code"] == "data_deleted"
        assert f"people {before['contacts']}, events {before['events']}" in str(problem["message"])
        assert "shop" not in str(problem["message"]).replace("@", "")
        receipt = conn.execute("SELECT people, events, runs, messages FROM deletions WHERE ended_at NOTNULL")
        counted = tuple(before[name] for name in ("contacts", "events", "runs", "outbox"))
        assert receipt.fetchall() == [counted]
        assert _actions(conn)[-2:] == ["deletion: app_removed", "deletion: done"]
        # A new beginning knows nothing of the old one.
        shop.fake.trouble = calm
        again = await shop.connects()
        assert again.id != found.id
        assert shop.problems() == []
        await _writes(shop, "900100000000001", "size")
        await shop.works()
        assert shop.states() == ["sent"]


async def test_rows_that_are_gone_are_not_enough_to_end_a_deletion(tmp_path: Path) -> None:
    """The process ended when the last row was deleted, and their bytes were still in the WAL."""
    async with machine(tmp_path, FLOWS) as shop:
        home = tmp_path / "home"
        await _busy_shop(shop)
        found = _connected(shop)
        _removed(shop)
        await shop.catch_up.round()
        shop.move_to(shop.clock.now() + DAY)
        assert await shop.writer.write(partial(_begin, connection_id=found.id, now=shop.clock.now()))
        receipt = deletions.open_for(shop.reader.connection, found.id)
        assert receipt is not None
        while await shop.writer.write(partial(erase.erase_some, receipt=receipt, now=shop.clock.now())):
            pass
        conn = shop.reader.connection
        assert connections.of_account(conn, found.account_id) == []
        assert _traces(home) != []
        await shop.eraser.round()
        assert _traces(home) == []
        assert [p["code"] for p in shop.problems()] == ["data_deleted"]
        shop.move_to(shop.clock.now() + timedelta(days=8))
        clean = partial(housekeeping.forget, now=shop.clock.now())
        await shop.writer.write(clean)
        assert "data_deleted" not in [p["code"] for p in shop.problems()]


async def test_others_keep_everything_and_what_is_deleted_leaves_no_trace_between_them(
    tmp_path: Path,
) -> None:
    """Rows of two connections lie side by side on the same pages."""
    async with machine(tmp_path, FLOWS) as shop:
        home = tmp_path / "home"
        found = _connected(shop)
        await shop.writer.write(partial(_two_crowds, mine=found, now=shop.clock.now()))
        _removed(shop)
        await shop.catch_up.round()
        conn = shop.reader.connection
        theirs = "SELECT * FROM {} WHERE connection_id='other' ORDER BY 1"
        tables = ("events", "contacts", "runs", "outbox")
        kept = [conn.execute(theirs.format(table)).fetchall() for table in tables]
        assert b"mine-0599" in _bytes(home)
        shop.move_to(shop.clock.now() + DAY)
        await shop.eraser.round()
        assert [conn.execute(theirs.format(table)).fetchall() for table in tables] == kept
        assert b"mine-" not in _bytes(home)
        assert b"theirs-0599" in _bytes(home)


def _two_crowds(conn: Connection, mine: Connected, now: datetime) -> None:
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, username, status, scopes, connected_at)"
        " SELECT 'other', account_id, '17841400000000002', 'other', 'active', '[]', connected_at FROM connections"
    )
    crowd(conn, mine.account_id, {"mine": mine.id, "theirs": "other"}, 600, now)


def crowd(conn: Connection, account_id: str, sides: dict[str, str], count: int, now: datetime) -> None:
    """People with an event, a finished run and a message each; their names begin with the side they are on."""
    at = int(now.timestamp() * 1000)
    (version,) = conn.execute("SELECT version FROM flows WHERE flow_id='price'").fetchone()
    for number in range(count):
        for side, connection_id in sides.items():
            name = f"{side}-{number:04}"
            values = {
                "name": name,
                "account": account_id,
                "connection": connection_id,
                "at": at,
                "version": version,
            }
            values["text"] = f"{name} says {'something ' * (number % 30)}"
            for statement in _CROWD:
                conn.execute(statement, values)


_CROWD = (
    "INSERT INTO contacts (contact_id, account_id, connection_id, igsid, username, created_at, last_seen_at)"
    " VALUES ('p' || :name, :account, :connection, :name, :name, :at, :at)",
    "INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, received_at, igsid, text, mid,"
    " verdict) VALUES ('e' || :name, :account, :connection, 'm:' || :name, 'message', :at, :name, :text, :name,"
    " 'started')",
    "INSERT INTO runs (run_id, account_id, connection_id, contact_id, flow_id, version, mode, status, live, turn,"
    " origin, taps_open, main_done, started_at) VALUES ('r' || :name, :account, :connection, 'p' || :name, 'price',"
    " :version, 'single', 'completed', 0, 1, json_object('text', :text), 0, 1, :at)",
    "INSERT INTO turns (account_id, run_id, turn, stimulus, trace, at)"
    " VALUES (:account, 'r' || :name, 1, 'Started', json_array(:text), :at)",
    "INSERT INTO outbox (item_id, account_id, connection_id, contact_id, source, turn, ordinal, run_id, kind, lane,"
    " status, content, igsid, due_at, deadline, created_at, message_id) VALUES ('o' || :name, :account, :connection,"
    " 'p' || :name, 'r' || :name, 1, 0, 'r' || :name, 'message', 'p:' || :name, 'sent',"
    " json_object('text', :text), :name, :at, :at, :at, :name)",
)


async def test_a_request_under_way_is_waited_for_and_one_without_sender_is_not(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        await _writes(shop, "9001", "size")
        await shop.works()
        _removed(shop)
        await shop.catch_up.round()
        shop.move_to(shop.clock.now() + DAY)
        now = int(shop.clock.now().timestamp() * 1000)
        conn = shop.reader.connection
        sending_now = "UPDATE outbox SET status='sending', last_attempt_at=?"
        await shop.writer.write(lambda db: db.execute(sending_now, (now - 10_000,)).rowcount)
        await shop.eraser.round()
        assert conn.execute("SELECT count(*) FROM deletions WHERE rows_gone_at IS NULL").fetchone() == (1,)
        assert len(shop.queue()) > 0
        shop.move_to(shop.clock.now() + timedelta(minutes=5))
        await shop.eraser.round()
        assert shop.queue() == []


async def test_what_is_being_deleted_takes_no_turn(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        await _writes(shop, "9001", "size")
        await shop.works()
        await _writes(shop, "9002", "size")
        _removed(shop)
        await shop.catch_up.round()
        shop.move_to(shop.clock.now() + 30 * DAY)
        conn, now = shop.reader.connection, shop.clock.now()
        begun = partial(_begin, connection_id=_connected(shop).id, now=now)
        assert runs.next_wait_due(conn) is not None
        assert await shop.writer.write(begun)
        await shop.works()
        assert conn.execute("SELECT status FROM runs").fetchall() == [("waiting",)]
        assert [e["verdict"] for e in _messages(shop)] == ["pending", "started"]
        assert runs.next_wait_due(conn) is None
        assert runs.waits_due(conn, now, 10) == []
        assert outbox.next_deadline(conn) is None
        assert await shop.writer.write(partial(sending.expire, now=now, limit=10)) == 0


def _begin(conn: Connection, connection_id: str, now: datetime) -> bool:
    return erase.begin_due(conn, connection_id, now)


def _messages(shop: Machine) -> list[Shape]:
    conn = shop.reader.connection
    account = accounts.every(conn)[0]
    found = event_reading.newest(conn, account, limit=None, since=None)
    return [event.shape() for event in found if event.kind == "message"]


# --- killed in the middle --------------------------------------------------------------------------------


def _look(home: Path, question: str) -> int:
    """Opened for the moment only: who reads keeps the WAL from being emptied."""
    with closing(_sqlite.connect(str(home / "pamosnik.db"))) as conn:
        return int(conn.execute(question).fetchone()[0])


async def _falls_below(number: Callable[[], int], bound: int) -> None:
    for _ in range(3000):
        if number() < bound:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("in vain")


async def test_killed_in_the_middle_it_goes_on_at_the_next_start(tmp_path: Path) -> None:
    shop, people = closed_shop(tmp_path), 2500
    await shop.fake.start()
    await furnish(shop, FLOWS)
    with open_database(shop.home / "pamosnik.db") as database:
        database.write(partial(_crowd_that_is_due, count=people))
    events_left = partial(_look, shop.home, "SELECT count(*) FROM events")
    people_left = partial(_look, shop.home, "SELECT count(*) FROM contacts")
    under_way = partial(_look, shop.home, "SELECT count(*) FROM deletions WHERE ended_at IS NULL")
    try:
        for left in (events_left, people_left):
            await shop.start()
            await _falls_below(left, people - 200)
            await shop.kill()
            assert 0 < left() < people - 200
            assert b"mine-" in _bytes(shop.home)
        await shop.start()
        await _falls_below(under_way, 1)
        assert b"mine-" not in _bytes(shop.home)
        assert _look(shop.home, "SELECT people FROM deletions") == people
        assert (await shop.read("connections", "list")) == []
        assert [p["code"] for p in (await shop.read("status"))["problems"]] == ["data_deleted"]
    finally:
        assert await shop.stop() == 0
        await shop.fake.close()
    assert "Traceback" not in shop.log.read_text()


def _crowd_that_is_due(conn: Connection, count: int) -> None:
    (found,) = connections.of_account(conn, accounts.every(conn)[0].id)
    now = found.connected_at
    connections.disconnect(conn, found.id, "the owner has removed the app", now)
    crowd(conn, found.account_id, {"mine": found.id}, count, now)
