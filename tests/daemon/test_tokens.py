"""The life of a login: refreshed in time, and its owner warned in steps when that fails."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pamosnik.services import connecting
from pamosnik.store import connections
from pamosnik.store.connections import Connected
from tests.daemon import events
from tests.daemon.fake import Ask, Call, Trouble
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import open_shop

pytestmark = pytest.mark.anyio


def _connected(shop: Machine) -> Connected:
    (found,) = connections.with_tokens(shop.reader.connection)
    return found


def _refreshes(shop: Machine) -> int:
    return sum(call.path == "/refresh_access_token" for call in shop.fake.calls)


def _down(call: Call) -> Trouble | None:
    return Trouble(503, 2) if call.path == "/refresh_access_token" else None


def _ended(path: str) -> Ask:
    """Calls whose path ends like this find that the login has ended."""
    return lambda call: Trouble(400, 190, 463) if call.path.endswith(path) else None


async def _days(shop: Machine, count: float) -> None:
    """With a look at the tokens every hour, as the daemon takes."""
    for _ in range(round(count * 24)):
        shop.move_to(shop.clock.now() + timedelta(hours=1))
        await shop.keeper.round()


async def _asks(shop: Machine) -> None:
    message = {**events.message("9001", "size"), "timestamp": int(shop.clock.now().timestamp() * 1000)}
    await shop.deliver(events.talk(message))


def _left(shop: Machine) -> timedelta:
    expires_at = _connected(shop).token_expires_at
    assert isinstance(expires_at, datetime)
    return expires_at - shop.clock.now()


@pytest.mark.parametrize("header_only", [True, False])
async def test_a_token_is_refreshed_after_a_day_and_then_weekly(tmp_path: Path, header_only: bool) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.header_only = header_only
        await shop.keeper.round()
        await _days(shop, 0.9)
        assert _refreshes(shop) == 0, "not before it is a day old"
        await _days(shop, 0.2)
        assert _left(shop) > timedelta(days=59)
        await _days(shop, 120)
        assert shop.problems() == []
        assert _refreshes(shop) in (17, 18, 2 * 17, 2 * 18)
        # What is stored is the newest one, and it works.
        shop.fake.old_tokens.clear()
        await _asks(shop)
        await shop.works()
        assert shop.states() == ["sent"]


async def test_it_was_away_for_a_month_and_refreshes_at_start(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.move_to(shop.clock.now() + timedelta(days=31))
        await shop.keeper.round()
        assert _left(shop) > timedelta(days=59)


async def test_the_owner_is_warned_in_steps(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = _down
        await _days(shop, 45)
        assert shop.problems() == []
        said = []
        for _ in range(15):
            await _days(shop, 1)
            said.append(shop.problems()[0]["message"] if shop.problems() else None)
        assert [str(text).split(" ends in ")[-1].split(" and")[0] for text in said[:3]] == [
            "13 days",
            "12 days",
            "11 days",
        ]
        assert "has ended" in str(said[-1])
        assert _refreshes(shop) < 60 * 24 * 2, "it hammers"
        shop.fake.trouble = lambda _: None
        await _days(shop, 0.1)
        assert shop.problems() == [], "a refresh that works after all ends the warning"


@pytest.mark.parametrize("subcode", [460, 463, None])
async def test_a_login_that_has_ended_holds_the_queue(tmp_path: Path, subcode: int | None) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = lambda call: (
            Trouble(400, 190, subcode) if call.path == "/refresh_access_token" else None
        )
        await _days(shop, 1.1)
        assert [problem["code"] for problem in shop.problems()] == ["needs_login"]
        await _asks(shop)
        await shop.works()
        assert shop.states() == ["queued"]
        assert shop.fake.sent == []


@pytest.mark.parametrize("after_days", [0, 3], ids=["young", "to be refreshed"])
async def test_a_login_that_instagram_takes_again_goes_on_by_itself(tmp_path: Path, after_days: int) -> None:
    async with machine(tmp_path) as shop:
        await _days(shop, after_days)
        shop.fake.trouble = lambda _: Trouble(400, 190, 460)
        await _asks(shop)
        await shop.works()
        await _days(shop, 0.5)
        assert [problem["code"] for problem in shop.problems()] == ["needs_login"]
        assert shop.fake.sent == []
        shop.fake.trouble = lambda _: None
        await _days(shop, 0.05)
        assert shop.problems() == []
        await shop.works()
        assert shop.states() == ["sent"]


async def test_a_login_that_is_only_refused_to_be_refreshed_does_not_come_and_go(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        refused = Trouble(400, 190, 460)
        shop.fake.trouble = lambda call: refused if call.path == "/refresh_access_token" else None
        await _days(shop, 1.1)
        for _ in range(5):
            assert [problem["code"] for problem in shop.problems()] == ["needs_login"]
            await _days(shop, 0.05)


async def test_who_hears_first_that_a_login_has_ended_makes_no_difference(tmp_path: Path) -> None:
    """Sending and refreshing told it in different words."""
    said = []
    for path in ("/messages", "/refresh_access_token"):
        async with machine(tmp_path / path.strip("/")) as shop:
            shop.fake.trouble = _ended(path)
            await _asks(shop)
            await shop.works()
            await _days(shop, 1.1)
            said.append([(one["code"], one["message"], one["fix"]) for one in shop.problems()])
    assert said[0] == said[1]
    assert [code for code, _, _ in said[0]] == ["needs_login"]


async def test_a_login_that_ends_while_its_end_is_announced_is_told_once(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = _down
        shop.move_to(shop.clock.now() + timedelta(days=58))
        await shop.keeper.round()
        assert [problem["code"] for problem in shop.problems()] == ["token_expiring"]
        shop.fake.trouble = _ended("")
        await _days(shop, 0.1)
        assert [problem["code"] for problem in shop.problems()] == ["needs_login"]


async def test_a_token_that_is_too_young_is_tried_again_a_day_later(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 100) if call.path == "/refresh_access_token" else None
        await _days(shop, 3)
        assert _refreshes(shop) <= 6
        assert shop.problems() == []


async def test_no_token_is_ever_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with machine(tmp_path) as shop:
        with caplog.at_level("DEBUG"):
            await _days(shop, 9)
        token = shop.fake.token
        assert token not in caplog.text
        assert token not in repr(_connected(shop))
        assert token.encode() not in (tmp_path / "home" / "pamosnik.db").read_bytes()
        assert connecting.Found(token, "1", None, "x", ()).__repr__().find(token) == -1


async def test_the_command_refreshes_now(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        # Not told by the day of its end: a home made 56 seconds ago has the same one, to the second.
        before = shop.fake.token
        (row,) = await shop.read("connections", "refresh", "@shop")
        assert shop.fake.token != before
        assert row["token_expires_at"] is not None
        assert shop.fake.token not in json.dumps(row)
        shop.fake.trouble = lambda call: (
            Trouble(400, 190, 463) if call.path == "/refresh_access_token" else None
        )
        ended = await shop.try_command("connections", "refresh")
        assert (ended.code, "pamosnik connect" in ended.err) == (6, True)
        again = await shop.try_command("connections", "refresh")
        assert (again.code, "pamosnik connect" in again.err) == (6, True)
