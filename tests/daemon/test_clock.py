"""The machine's clock jumps by hours and days, both ways; or is wrong from the start."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.clock import CLOCKS_AGREE, Clock, SteadyClock, SystemClock
from pamosnik.daemon import main as daemon
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.time_keeper import TimeKeeper
from pamosnik.model.outbox import Quota
from pamosnik.outbox.pacing import PerSecond
from pamosnik.store import attempts
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.machine import machine
from tests.daemon.shop import Shop, open_shop
from tests.store.rows import database, meet

pytestmark = pytest.mark.anyio
DAYS = [timedelta(days=3), timedelta(days=-3)]
SECOND = timedelta(seconds=1)


@dataclass
class Machines:
    """Two clocks that go on with time: one can be put anywhere, the other says how long the machine has run."""

    wrong_by: timedelta = timedelta()

    def wall(self) -> float:
        return time.time() + self.wrong_by.total_seconds()

    def clock(self) -> SteadyClock:
        return SteadyClock(self.wall, time.monotonic)


# --- the clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", DAYS)
def test_a_jump_is_not_followed_unless_instagram_says_so(jump: timedelta) -> None:
    machines = Machines()
    clock = machines.clock()
    before = clock.now()
    machines.wrong_by = jump
    assert timedelta() <= clock.now() - before < SECOND * 5
    clock.answered(before)
    assert timedelta() <= clock.now() - before < SECOND * 5
    assert abs(clock.machine_ahead() - jump) < SECOND * 5
    clock.answered(before + jump)  # it was wrong before the jump
    assert timedelta() <= clock.now() - before - jump < SECOND * 5
    assert abs(clock.machine_ahead()) < SECOND


@pytest.mark.parametrize("wrong_by", DAYS)
def test_a_clock_that_is_wrong_from_the_start_is_set_right(wrong_by: timedelta) -> None:
    clock = Machines(wrong_by).clock()
    before = clock.confirmed
    clock.answered(datetime.now(UTC))
    assert (before, clock.confirmed) == (False, True)
    assert abs(clock.now() - datetime.now(UTC)) < SECOND * 5


def test_small_corrections_are_followed_and_a_slow_answer_is_none() -> None:
    machines = Machines()
    clock = machines.clock()
    machines.wrong_by = timedelta(milliseconds=800)
    assert abs(clock.now() - datetime.fromtimestamp(machines.wall(), UTC)) < timedelta(milliseconds=500)
    clock.answered(clock.now() - CLOCKS_AGREE + SECOND * 2)
    assert abs(clock.machine_ahead()) < SECOND
    clock.answered(None)
    assert clock.confirmed


# --- what goes by it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", DAYS)
async def test_nothing_is_late_or_early_while_the_clock_is_wrong(tmp_path: Path, jump: timedelta) -> None:
    machines = Machines()
    clock = machines.clock()
    async with machine(tmp_path, clock=clock) as shop:
        await shop.deliver(events.talk(events.message("7601", "price")))
        await shop.runner.round()
        machines.wrong_by = jump
        await shop.works()
        await shop.deliver(events.talk(events.message("7602", "price")))
        await shop.works()
        machines.wrong_by = timedelta()
        await shop.deliver(events.talk(events.message("7603", "price")))
        await shop.works()
        while len(shop.states("message")) < 3:  # people are looked up at a pace of their own
            await asyncio.sleep(0.05)
            await shop.works()
        assert shop.states("message") == ["sent", "sent", "sent"]
        for item in shop.queue():
            due = datetime.fromisoformat(str(item["due_at"]))
            assert abs(due - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize("jump", DAYS)
async def test_the_owner_hears_of_a_wrong_clock_until_it_is_right(tmp_path: Path, jump: timedelta) -> None:
    machines = Machines()
    clock = machines.clock()
    async with machine(tmp_path, clock=clock) as shop:
        keeper = TimeKeeper(shop.tools, clock, asyncio.Event())
        await keeper.look()
        assert shop.problems_of("clock_wrong") == []
        machines.wrong_by = jump
        await keeper.look()
        (message,) = shop.problems_of("clock_wrong")
        assert ("ahead" if jump > timedelta() else "behind") in message
        machines.wrong_by = timedelta()
        await keeper.look()
        assert shop.problems_of("clock_wrong") == []


async def test_the_gate_and_the_pace_do_not_freeze_when_the_clock_is_put_back() -> None:
    machines = Machines()
    clock = machines.clock()
    gate, pace = Gate(clock), PerSecond(10)
    await gate.enter("a")
    pace.take(clock.now())
    machines.wrong_by = timedelta(days=-3)
    async with asyncio.timeout(5):
        await gate.enter("a")
    assert pace.room(clock.now() - timedelta(days=3)) > 0


def test_attempts_noted_ahead_of_time_keep_the_hour_and_no_longer(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(meet)
        now = datetime.now(UTC)
        conn = opened.connection
        account, connection = conn.execute("SELECT account_id, connection_id FROM connections").fetchone()
        later = int((now + timedelta(days=3)).timestamp() * 1000)
        conn.execute(
            "INSERT INTO attempts (account_id, connection_id, kind, at) VALUES (?,?,'private_reply',?)",
            (account, connection, later),
        )

        def counted(at: datetime) -> int:
            since = at - timedelta(hours=1)
            return attempts.counted(conn, connection, Quota.PRIVATE_REPLY, since)[0]

        opened.write(lambda conn: attempts.none_ahead(conn, now))
        assert counted(now) == 1
        assert counted(now + timedelta(minutes=61)) == 0


# --- the daemon ------------------------------------------------------------------------------------------


@asynccontextmanager
async def _running(shop: Shop, clock: Clock) -> AsyncIterator[None]:
    """The daemon in this process, by this clock."""
    given = {
        "home": str(shop.home),
        "port": str(shop.port),
        "meta_url": shop.fake.url,
        "instagram_app_secret": events.SECRET,
    }
    stop = asyncio.Event()
    settings = config.load(given, environ={})
    serving = asyncio.create_task(daemon.serve(settings, clock, stop=stop))
    try:
        yield
    finally:
        stop.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(serving, 10)


async def _messages(shop: Shop) -> list[Json]:
    """What waits in the queue but for look-ups of the person."""
    return [item for item in await shop.read("queue", "list") if item["kind"] == "message"]


@pytest.mark.parametrize("wrong_by", DAYS)
async def test_started_with_a_wrong_clock(tmp_path: Path, wrong_by: timedelta) -> None:
    """What waited is neither expired nor put off by days; without Instagram nothing leaves."""
    async with open_shop(tmp_path) as shop:
        await shop.fake.stop()
        await shop.write("7611", "price")
        for _ in range(400):
            if [item["attempts"] for item in await _messages(shop)] == [1]:
                break
            await asyncio.sleep(0.05)
        await shop.stop()
        async with _running(shop, Machines(wrong_by).clock()):
            await asyncio.sleep(1.2)
            assert [item["status"] for item in await _messages(shop)] == ["queued"]
            await shop.fake.start()
            await shop.settles("7611", 1)
            # Who they are is asked again after a minute, where nobody answered.
            await shop.quiet(within_s=150)
            problems = [one["code"] for one in (await shop.read("status"))["problems"]]
            assert problems == ["clock_wrong"]
        assert len(shop.fake.sent) == 1


async def test_an_events_verdict_waits_seconds_for_the_time_and_not_for_ever(tmp_path: Path) -> None:
    """With Instagram out of reach at the start, nothing had a verdict until it answered."""
    async with open_shop(tmp_path) as shop:
        await shop.stop()
        await shop.fake.stop()
        async with _running(shop, Machines().clock()):
            for _ in range(200):
                if await shop.ready():
                    break
                await asyncio.sleep(0.02)
            await shop.write("7612", "price")
            for _ in range(300):
                (event,) = await shop.read("events", "list")
                if event["verdict"] != "pending":
                    break
                await asyncio.sleep(0.1)
            assert event["verdict"] == "started"
        await shop.fake.start()


async def test_a_clock_that_is_taken_as_right_asks_nobody(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.stop()
        async with _running(shop, SystemClock()):
            await shop.write("7613", "price")
            await shop.settles("7613", 1)
