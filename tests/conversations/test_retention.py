"""What is too old goes, once a day, and nothing that still works stops working."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik.ages import Ages
from pamosnik.clock import SteadyClock
from pamosnik.daemon.retainer import Retainer
from pamosnik.store import accounts, deletions, stats
from tests.conversations.changing import Changing, changing
from tests.daemon import events
from tests.daemon.machine import machine

pytestmark = pytest.mark.anyio

AGES = Ages()
FLOWS = """\
version: 1
disclosure: "A machine."
fields:
  size: { type: choice, choices: [Small, Large], keep_for: 10d }
  colour: text
flows:
  price:
    when: [dm: price]
    limits: { per_person: once }
    do:
      - send:
          text: "Tap and the list is yours."
          buttons: [{ label: Send it, do: [{ send: "Here you are." }, { tag: got }] }]
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size }
      - ask: { question: "Which colour?", save_as: colour }
      - choose:
          - { if: { field: { size: { known: true } } }, do: [send: "Noted: {size|?}"] }
          - else: [send: "Which size was it?"]
  patient:
    when: [dm: wait]
    do: [{ wait: { for: 60d, if_window_closed: skip } }, { tag: waited }]
"""


async def _ages(now: Changing, **units: float) -> None:
    """So much later, when catching up has read, a day's retention is done."""
    await _reads(now, **units)
    await Retainer(now.shop.tools, AGES).round()
    await now.shop.works()


async def _reads(now: Changing, **units: float) -> None:
    shop = now.shop
    shop.move_to(shop.clock.now() + timedelta(**units))
    await shop.catch_up.round()
    await shop.works()


async def _sleeps(now: Changing, **units: float) -> None:
    """So much later retention is done before catching up has read."""
    shop = now.shop
    shop.move_to(shop.clock.now() + timedelta(**units))
    await Retainer(shop.tools, AGES).round()


def _count(now: Changing, table: str) -> int:
    (count,) = now.shop.reader.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def _stats(now: Changing) -> object:
    conn = now.shop.reader.connection
    return sorted(stats.totals(conn, accounts.every(conn)[0].id))


async def test_old_events_go_and_catching_up_brings_none_back(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        assert await now.writes("9001", "price") == "started"
        await _reads(now, minutes=2)
        await _ages(now, days=31)
        assert (_count(now, "events"), _count(now, "outbox")) == (0, 1)
        # The conversation shows the old message beside the new one.
        assert await now.writes("9001", "hello") == "no_match"
        await _reads(now, minutes=2)
        assert _count(now, "events") == 1
        assert len(now.got("9001")) == 1
        assert deletions.traces(now.shop.reader.connection)


async def test_events_that_are_kept_longer_from_now_on_come_back_no_more(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "hello")
        await _sleeps(now, days=38)
        assert _count(now, "events") == 0, "catching up has read nothing yet, but has had its time"
        await now.writes("9001", "hello again")
        await _reads(now, minutes=2)
        assert _count(now, "events") == 1


async def test_what_catching_up_has_yet_to_read_stays_a_week_longer(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "hello")
        await _reads(now, minutes=2)
        await _sleeps(now, days=31)
        assert _count(now, "events") == 1, "the machine has slept for a month"
        await _ages(now, days=1)
        assert _count(now, "events") == 0


async def test_messages_and_runs_go_and_numbers_limits_and_buttons_stay(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "price")
        await now.taps("9001", "Send it")
        assert now.got("9001")[-1] == "Here you are."
        before = _stats(now)
        await _ages(now, days=91)
        assert [_count(now, table) for table in ("events", "outbox", "runs", "turns")] == [0, 0, 0, 0]
        assert _count(now, "contacts") == _count(now, "starts") == 1
        assert _stats(now) == before
        assert await now.writes("9001", "price") == "filtered", "once per person, for the contact's life"
        assert await now.taps("9001", "Send it") == "resumed"
        assert now.got("9001")[-1] == "Here you are."
        assert len(now.got("9001")) == 3
        assert _stats(now) == before, "the run was counted when it ran"
        assert await now.taps("9001", "Send it") == "resumed"
        assert len(now.got("9001")) == 4
        await _ages(now, days=91)
        assert _count(now, "runs") == 0


async def test_an_old_button_of_a_version_that_is_not_kept_does_nothing(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "price")
        payload = now.shop.fake.last("9001").buttons["Send it"]
        await now.taps("9001", "Send it")
        await _ages(now, days=91)
        await now.shop.deliver(
            events.talk(events.button_tap("9001", "Send it", payload.replace("price", "x")))
        )
        await now.shop.works()
        assert _count(now, "runs") == 0
        assert len(now.got("9001")) == 2


async def test_unfinished_runs_keep_what_they_stand_on(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "wait")
        await _reads(now, days=58)
        await _ages(now, days=1)
        assert (_count(now, "events"), _count(now, "runs")) == (1, 1)
        await _ages(now, days=2)
        assert now.runs("9001") == [("patient", "completed")]
        await _ages(now, days=2)
        assert _count(now, "events") == 0


async def test_fields_go_by_the_flows_that_are_applied_now(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "size")
        await now.writes("9001", "Small")
        await _ages(now, hours=20)
        assert now.fields("9001") == {"size": "Small"}
        await _ages(now, days=10)
        assert now.fields("9001") == {}
        await now.writes("9001", "size")
        await now.writes("9001", "Large")
        await now.applies(FLOWS.replace(", keep_for: 10d", ""))
        await _ages(now, days=20)
        assert now.fields("9001") == {"size": "Large"}


async def test_people_of_whom_nothing_is_heard_go_and_stay_opted_out(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "price")
        await now.writes("9002", "stop")
        await now.writes("9003", "price")
        await now.changes(lambda conn, _, by: _pause_for_ever(conn, by.now))
        await _ages(now, days=200)
        before = _stats(now)
        for days in (100, 66):
            await _ages(now, days=days)
        assert _igsids(now) == ["9003"], "the owner has paused automation for them until then"
        assert _stats(now) == before
        await now.shop.eraser.round()
        assert await now.writes("9002", "price") == "opted_out"
        assert await now.writes("9001", "price") == "started", "somebody new"
        assert (tmp_path / "home" / "erasures.log").exists()
        await now.writes("9002", "start")
        assert await now.writes("9002", "price") == "started"
        for days in (200, 200):
            await _ages(now, days=days)
        assert await now.writes("9002", "price") == "started", "who has said START is out no more"


def _pause_for_ever(conn: _sqlite.Connection, now: datetime) -> None:
    until = int((now + timedelta(days=4000)).timestamp() * 1000)
    conn.execute("UPDATE contacts SET paused_until=?, paused_by='owner' WHERE igsid='9003'", (until,))


def _igsids(now: Changing) -> list[str]:
    rows = now.shop.reader.connection.execute("SELECT igsid FROM contacts ORDER BY igsid")
    return [igsid for (igsid,) in rows]


async def test_who_is_still_written_to_stays(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("9001", "hello")
        now.shop.move_to(now.shop.clock.now() + timedelta(days=300))
        await now.writes("9001", "hello again")
        await _ages(now, days=100)
        assert _igsids(now) == ["9001"]


async def test_a_clock_that_nobody_confirms_is_not_believed_when_it_is_far_ahead(tmp_path: Path) -> None:
    seconds = {"machine": 1_790_000_000.0, "steady": 0.0}
    clock = SteadyClock(lambda: seconds["machine"], lambda: seconds["steady"])
    async with machine(tmp_path, clock=clock) as shop:
        conn, account = shop.reader.connection, accounts.every(shop.reader.connection)[0].id
        await shop.writer.write(
            lambda c: accounts.audit(c, account, actor="x", action="x", subject=None, now=clock.now())
        )
        seconds["machine"] += 400 * 86400.0
        later = SteadyClock(lambda: seconds["machine"], lambda: seconds["steady"])
        tools = type(shop.tools)(
            **{**{n: getattr(shop.tools, n) for n in shop.tools.__slots__}, "clock": later}
        )
        await Retainer(tools, AGES).round()
        assert conn.execute("SELECT count(*) FROM retentions").fetchone() == (0,)
        later.answered(later.now())
        await Retainer(tools, AGES).round()
        assert conn.execute("SELECT count(*) FROM retentions").fetchone() == (1,)


async def test_once_a_day_and_what_was_broken_off_at_once(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await _ages(now, seconds=0)
        await now.writes("9001", "hello")
        conn = now.shop.reader.connection
        began = "SELECT began_at FROM retentions"
        first = conn.execute(began).fetchone()
        await _ages(now, hours=23)
        assert conn.execute(began).fetchone() == first
        await now.shop.writer.write(lambda c: c.execute("UPDATE retentions SET ended_at=NULL"))
        await _ages(now, minutes=1)
        assert conn.execute(began).fetchone() > first
