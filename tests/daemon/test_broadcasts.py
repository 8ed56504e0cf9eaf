"""Broadcasts: by the clock, to people whose window is open, never twice, killed or late."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.services import broadcasts
from pamosnik.services.reading import numbers as numbers_reading
from pamosnik.services.reading.broadcasts import latest, sentence
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import accounts, connections
from pamosnik.store import broadcasts as store
from pamosnik.store.accounts import Account
from pamosnik.store.connections import ConnectionStatus
from tests.daemon import events
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
timezone: UTC
disclosure: "A machine."
flows:
  menu:
    when:
      - schedule: { at: "09:00", audience: [has_tag: fan] }
      - schedule: { cron: "0 9 * * *", audience: [has_tag: guest] }
    mode: MODE
    limits: { per_person: 2h }
    do: [send: "Today: soup."]
  fan: { when: [dm: fan], do: [tag: fan] }
  guest: { when: [dm: guest], do: [tag: guest] }
  human: { when: [dm: owner], do: [tag: fan, hand_over] }
"""
NINE = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=2)
START = NINE - timedelta(hours=2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _flows(mode: str = "parallel") -> str:
    return FLOWS.replace("MODE", mode).replace("[tag: fan, hand_over]", "[{ tag: fan }, hand_over]")


async def _says(shop: Machine, igsid: str, text: str) -> None:
    at = int(shop.clock.now().timestamp() * 1000)
    await shop.deliver(events.talk({**events.message(igsid, text), "timestamp": at}))
    await shop.works()


def _account(shop: Machine) -> Account:
    return accounts.every(shop.reader.connection)[0]


def _found(shop: Machine) -> list[Shape]:
    conn = shop.reader.connection
    return latest(conn, _account(shop))


def _sent(shop: Machine) -> dict[str, int]:
    """Who got the menu, and how often."""
    counts: dict[str, int] = {}
    for item in shop.queue():
        if item["flow"] == "menu" and item["status"] == "sent":
            to = item["to"]
            assert isinstance(to, dict)
            counts[str(to["igsid"])] = counts.get(str(to["igsid"]), 0) + 1
    return counts


async def _begins(shop: Machine) -> None:
    """The flows were applied on the real clock; what that planned is planned anew."""
    await shop.writer.write(partial(store.plan_anew, now=shop.clock.now()))
    await shop.works()


async def _becomes(shop: Machine, instant: datetime) -> None:
    shop.move_to(instant)
    await shop.works()


async def _crowd(shop: Machine, n: int) -> None:
    """So many fans, who all wrote just now."""
    at = int(shop.clock.now().timestamp() * 1000)
    said = ({**events.message(str(7000 + number), "fan"), "timestamp": at} for number in range(n))
    await shop.deliver(*(events.talk(one) for one in said))
    await shop.works()


async def test_reaches_open_windows_and_counts_the_rest(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _says(shop, "9001", "fan")
        await _says(shop, "9001", "guest")
        await _says(shop, "9002", "guest")
        await _says(shop, "9003", "fan")
        await _says(shop, "9003", "stop")
        await _says(shop, "9004", "owner")
        await _says(shop, "9005", "hello")
        await _becomes(shop, NINE - timedelta(seconds=1))
        assert _found(shop) == []
        await _becomes(shop, NINE)
        (done,) = _found(shop)
        assert (done["planned_at"], done["reached"]) == (iso(NINE), 2)
        assert done["skipped"] == {"human_has_it": 1, "opted_out": 1}
        assert sentence(done) == "2 reached, 2 skipped (1 a human has the conversation, 1 opted out)"
        assert _sent(shop) == {"9001": 1, "9002": 1}
        # A day later only those who wrote since.
        await _becomes(shop, NINE + timedelta(hours=20))
        await _says(shop, "9002", "good morning")
        await _becomes(shop, NINE + timedelta(days=1))
        assert _sent(shop) == {"9001": 1, "9002": 2}
        assert _found(shop)[0]["skipped"] == {"opted_out": 1, "window_closed": 2}
        conn = shop.reader.connection
        (numbers,) = numbers_reading.by_flow(conn, _account(shop), flow="menu")
        skipped = {"human_has_it": 1, "opted_out": 2, "window_closed": 2}
        assert (numbers.counts["started"], numbers.skipped) == (3, skipped)


async def test_limits_and_mode_count_as_for_events(tmp_path: Path) -> None:
    flows = (
        _flows("single")
        .replace('at: "09:00"', 'cron: "0 9,10,12,14 * * *"')
        .replace(
            'do: [send: "Today: soup."]',
            'do: [{ send: "Today: soup." }, { wait: 4h }, { send: "Was it good?" }]',
        )
    )
    async with machine(tmp_path, flows, clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _says(shop, "9001", "fan")
        for hour in range(6):
            await _becomes(shop, NINE + timedelta(hours=hour))
        # 9: reached; 10: the cool-down of two hours; 12: the first one still waits; at 13 it ends; 14: reached.
        skipped = [(one["reached"], one["skipped"]) for one in reversed(_found(shop))]
        assert skipped == [(1, {}), (0, {"limits": 1}), (0, {"already_in_it": 1}), (1, {})]


async def test_in_batches_and_killed_in_the_middle(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, _flows()) as (settings, fake):
        async with running(settings, fake, VirtualClock(START)) as shop:
            await _begins(shop)
            await _crowd(shop, 50)
            shop.move_to(NINE)
            assert await shop.broadcaster.round()
            (begun,) = _found(shop)
            assert (begun["reached"], begun["finished_at"]) == (broadcasts.STARTED_AT_ONCE, None)
            assert sentence(begun) == "under way: 20 reached, 0 skipped"
        async with running(settings, fake, VirtualClock(NINE + timedelta(minutes=1))) as shop:
            # Somebody new is none of its audience.
            await _says(shop, "9001", "fan")
            await shop.later(seconds=20)
            (done,) = _found(shop)
            assert (done["reached"], done["skipped"]) == (50, {})
            assert _sent(shop) == {str(7000 + n): 1 for n in range(50)}


async def test_it_waits_for_its_messages_to_leave(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _crowd(shop, 350)
        shop.move_to(NINE)
        while await shop.broadcaster.round():
            pass
        assert _found(shop)[0]["reached"] == broadcasts.BACKLOG
        assert shop.states().count("queued") == broadcasts.BACKLOG
        for _ in range(20):
            await shop.later(seconds=1)
        assert _found(shop)[0]["reached"] == 350
        assert set(_sent(shop).values()) == {1}


async def test_late_is_made_up_for_within_three_hours(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _says(shop, "9001", "fan")
        await _becomes(shop, NINE + timedelta(hours=2))
        assert (_found(shop)[0]["planned_at"], _found(shop)[0]["reached"]) == (iso(NINE), 1)
        # Two days off: only what is less than three hours old, and of more than that the last alone.
        await _becomes(shop, NINE + timedelta(days=2, hours=3, minutes=1))
        missed = _found(shop)[0]
        assert (missed["planned_at"], missed["reached"]) == (iso(NINE + timedelta(days=1)), 0)
        assert sentence(missed).startswith("did not take place: Pamosnik was not running")
        assert len(_found(shop)) == 2
        await _becomes(shop, NINE + timedelta(days=3))
        assert _found(shop)[0]["planned_at"] == iso(NINE + timedelta(days=3))


async def test_half_of_it_is_too_late(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _crowd(shop, 30)
        shop.move_to(NINE)
        await shop.broadcaster.round()
        await _becomes(shop, NINE + timedelta(hours=3, seconds=1))
        (done,) = _found(shop)
        assert (done["reached"], done["skipped"]) == (20, {"too_late": 10})


async def test_a_clock_that_goes_back_does_not_repeat_it(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, _flows()) as (settings, fake):
        async with running(settings, fake, VirtualClock(START)) as shop:
            await _begins(shop)
            await _says(shop, "9001", "fan")
            await _becomes(shop, NINE)
        async with running(settings, fake, VirtualClock(NINE - timedelta(hours=1))) as shop:
            # Even when everything is planned anew.
            await shop.writer.write(partial(store.plan_anew, now=shop.clock.now()))
            await shop.works()
            await _becomes(shop, NINE + timedelta(minutes=5))
            assert len(_found(shop)) == 1
            assert _sent(shop) == {"9001": 1}


async def test_paused_or_inactive_it_does_not_take_place(tmp_path: Path) -> None:
    for key, why in (
        ("state: paused", "the flow is paused in its file (`state: paused`)"),
        ('active: { until: "2026-01-01" }', "active only"),
    ):
        flows = _flows().replace("mode: parallel", f"mode: parallel\n    {key}")
        async with machine(tmp_path / key[:3], flows, clock=VirtualClock(START)) as shop:
            await _begins(shop)
            await _says(shop, "9001", "fan")
            await _becomes(shop, NINE)
            assert sentence(_found(shop)[0]).startswith(f"did not take place: {why}")
            assert _sent(shop) == {}


async def test_a_login_that_has_ended_is_waited_for(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _says(shop, "9001", "fan")
        (connected,) = connections.of_account(shop.reader.connection, _account(shop).id)
        status = partial(connections.set_status, connection_id=connected.id, reason=None)
        await shop.writer.write(partial(status, status=ConnectionStatus.NEEDS_LOGIN))
        await _becomes(shop, NINE)
        assert _found(shop) == []
        await shop.writer.write(partial(status, status=ConnectionStatus.ACTIVE))
        await _becomes(shop, NINE + timedelta(hours=1))
        assert _found(shop)[0]["reached"] == 1


async def test_somebody_on_whom_it_fails_is_passed_over(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _crowd(shop, 5)
        # A row that no version of Pamosnik can read.
        await shop.writer.write(
            lambda conn: conn.execute(
                "UPDATE contacts SET paused_by='owner', window_open_until=9e17 WHERE igsid='7002'"
            )
        )
        await _becomes(shop, NINE)
        (done,) = _found(shop)
        assert (done["reached"], done["skipped"]) == (4, {"error": 1})


async def test_the_flow_is_taken_out_meanwhile(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _begins(shop)
        await _crowd(shop, 30)
        shop.move_to(NINE)
        await shop.broadcaster.round()

        def take_out(conn: Connection) -> None:
            conn.execute("DELETE FROM flows WHERE flow_id='menu'")
            conn.execute("UPDATE books SET revision=revision+1")

        await shop.writer.write(take_out)
        await shop.works()
        assert sentence(_found(shop)[0]) == "20 reached, 0 skipped; ended early: the flow was taken out"
        assert store.planned(shop.reader.connection, _account(shop).id) == []
