"""Meta's usage headers and blocks: slower from 80 %, a rest at 100 %, one probe after it, and the owner told once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.daemon.sender import Sender
from pamosnik.model.outbox import Quota
from pamosnik.store import accounts, attempts, connections
from pamosnik.store.connections import Connected
from tests.daemon import events
from tests.daemon.events import IG_ID
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  a: { when: [dm: hi], mode: parallel, do: [{ send: ok }] }
"""


def _header(percent: int, minutes: int = 0) -> Mapping[str, str]:
    use = {"type": "instagram", "call_count": percent, "total_cputime": 1, "total_time": 1}
    used = {IG_ID: [{**use, "estimated_time_to_regain_access": minutes}]}
    return {"x-business-use-case-usage": json.dumps(used)}


async def _write(shop: Machine, *people: int) -> None:
    for number in people:
        await shop.deliver(events.talk(events.message(f"90{number:03}", "hi")))
    await shop.works()


@pytest.mark.parametrize(("minutes", "rest_s"), [(19, 19 * 60), (0, 5 * 60)])
async def test_at_a_hundred_percent_nothing_leaves_until_metas_minutes_are_over(
    tmp_path: Path, minutes: int, rest_s: int
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.usage = lambda: _header(100, minutes)
        await _write(shop, 1)
        assert shop.states() == ["sent"], "what was accepted is sent"
        await _write(shop, *range(2, 30))
        await shop.later(seconds=rest_s - 10)
        assert len(shop.fake.sent) == 1
        shop.fake.usage = lambda: _header(20)
        await shop.later(seconds=30)
        assert len(shop.fake.sent) == 29


async def test_the_first_one_after_a_rest_goes_alone(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.usage = lambda: _header(100)
        await _write(shop, 1)
        await _write(shop, *range(2, 30))
        await shop.later(seconds=5 * 60 + 2)
        assert len(shop.fake.sent) == 2, "still used up: one probe, not a burst"


async def test_from_eighty_percent_the_pace_halves(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.usage = lambda: _header(95)
        await _write(shop, 1)
        before = shop.clock.now()
        for number in range(2, 8):
            await shop.deliver(events.talk(events.message(f"90{number:03}", "hi")))
        await shop.works()
        assert len(shop.fake.sent) <= 3, "a sixteenth of the pace"
        await shop.later(seconds=10)
        assert len(shop.fake.sent) == 7
        assert shop.clock.now() > before


@pytest.mark.parametrize(("code", "subcode"), [(368, None), (10, 1893063)])
async def test_a_block_rests_for_hours_and_is_told_once(
    tmp_path: Path, code: int, subcode: int | None
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, code, subcode) if call.is_send else None
        await _write(shop, 1, 2, 3)
        sends = sum(call.is_send for call in shop.fake.calls)
        await shop.later(hours=5)
        assert sum(call.is_send for call in shop.fake.calls) == sends, "no hammering"
        assert [problem["code"] for problem in shop.problems()] == ["restricted"]
        shop.fake.trouble = lambda _: None
        await shop.later(hours=2)
        assert set(shop.states()) == {"sent"}
        assert shop.problems() == []


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80002])
async def test_a_limit_rests_the_connection_and_goes_on(tmp_path: Path, code: int) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, code) if call.is_send else None
        await _write(shop, 1, 2, 3)
        assert set(shop.states()) == {"queued"}
        await shop.later(minutes=4)
        assert len([call for call in shop.fake.calls if call.is_send]) <= 3
        shop.fake.trouble = lambda _: None
        await shop.later(minutes=2)
        assert set(shop.states()) == {"sent"}


async def test_private_replies_at_their_limit_do_not_rest_messages(tmp_path: Path) -> None:
    """A used-up header on a private reply stopped everything of the connection."""
    flows = (
        FLOWS
        + "  b: { when: [comment: hi], mode: parallel, limits: { per_person: 1h }, do: [{ send: psst }] }\n"
    )
    async with machine(tmp_path, flows) as shop:
        shop.fake.usage = lambda: _header(100, 30)
        await shop.deliver(events.change(events.comment("90500", "hi", comment_id="c1")))
        await shop.works()
        shop.fake.usage = dict
        await shop.deliver(events.change(events.comment("90501", "hi", comment_id="c2")))
        await _write(shop, 1)
        assert shop.fake.thread("90001") == ["ok"]
        assert shop.fake.thread("90501") == [], "its own kind rests"
        await shop.later(minutes=31)
        assert shop.fake.thread("90501") == ["psst"]


async def test_a_missing_permission_stops_its_kind_and_goes_on_by_itself(tmp_path: Path) -> None:
    """Each message was tried and refused, one after the other, and waited for `connect` afterwards."""
    flows = (
        FLOWS
        + "  b: { when: [comment: hi], mode: parallel, limits: { per_person: 1h }, do: [{ send: psst }] }\n"
    )
    async with machine(tmp_path, flows) as shop:

        def no_messages(call: Call) -> Trouble | None:
            return Trouble(403, 200, 2534041) if call.is_send and not call.is_private_reply else None

        shop.fake.trouble = no_messages
        for number in range(1, 40):
            await _write(shop, number)
        tried = sum(call.is_send for call in shop.fake.calls)
        assert tried <= 3
        (problem,) = shop.problems()
        assert problem["code"] == "message_refused"
        assert "Allow access to messages" in str(problem["message"])
        assert "Connected tools" in str(problem["fix"])
        await shop.deliver(events.change(events.comment("90500", "hi", comment_id="c1")))
        await shop.works()
        assert shop.fake.thread("90500") == ["psst"], "only what must stop stops"
        await shop.later(hours=4)
        assert sum(call.is_send for call in shop.fake.calls) < tried + 1 + 4 * 5, "no hammering"
        assert "failed" not in shop.states()
        shop.fake.trouble = lambda _: None
        await shop.later(minutes=20)
        assert set(shop.states()) == {"sent"}
        assert shop.problems() == []


async def test_a_single_refused_message_is_tried_again_too(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(403, 10) if call.is_send else None
        await _write(shop, 1)
        assert shop.states() == ["held"]
        shop.fake.trouble = lambda _: None
        await shop.later(minutes=3)
        assert shop.states() == ["sent"]


async def test_without_a_network_one_message_probes_and_not_all(tmp_path: Path) -> None:
    """A laptop without a network tried every waiting message, ninety a second."""
    async with machine(tmp_path, FLOWS) as shop:
        await shop.fake.stop()
        for number in range(1, 60):
            await _write(shop, number)
        await shop.later(hours=3)
        conn = shop.reader.connection
        tried = sum(attempts.counted(conn, c.id, Quota.MESSAGE, _LONG_AGO)[0] for c in _all(conn))
        assert tried < 3 * 30 + 30
        await shop.fake.start()
        await shop.later(minutes=20)
        assert set(shop.states()) == {"sent"}


async def test_a_person_who_does_too_much_rests_nobody_else(tmp_path: Path) -> None:
    def busy(call: Call) -> Trouble | None:
        return Trouble(400, 9, 2018352) if call.is_send and call.body["recipient"]["id"] == "90001" else None

    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = busy
        await _write(shop, 1)
        await _write(shop, 2, 3)
        assert [item["status"] for item in shop.queue()] == ["queued", "sent", "sent"]
        shop.fake.trouble = lambda _: None
        await shop.later(minutes=6)
        assert set(shop.states()) == {"sent"}


_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _all(conn: Connection) -> list[Connected]:
    return connections.of_account(conn, accounts.every(conn)[0].id)


async def test_another_tool_that_answers_first_is_named_once(tmp_path: Path) -> None:
    flows = "version: 1\ndisclosure: false\nflows:\n  b: { when: [comment: hi], do: [{ send: psst }] }\n"
    async with machine(tmp_path, flows) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 100, 2534025) if call.is_send else None
        for number in range(2):
            await _comment(shop, number)
        assert shop.problems() == [], "a comment may have been deleted"
        for number in range(2, 5):
            await _comment(shop, number)
        (problem,) = shop.problems()
        assert problem["code"] == "another_tool"
        assert "another tool" in str(shop.reasons()["private_reply"])
        shop.fake.trouble = lambda _: None
        await _comment(shop, 5)
        assert shop.problems() == []


async def _comment(shop: Machine, number: int) -> None:
    value = events.comment(f"906{number:02}", "hi", username=f"u{number}", comment_id=f"c{number}")
    await shop.deliver(events.change(value))
    await shop.works()


async def test_what_was_under_way_before_a_block_does_not_end_it(tmp_path: Path) -> None:
    """Four accepted answers of slow requests took the notice away, and the owner was told that it was mended."""
    flows = "version: 1\ndisclosure: false\nflows:\n  b: { when: [comment: hi], do: [{ send: psst }] }\n" + (
        "  a: { when: [dm: hi], mode: parallel, do: [{ send: ok }] }\n"
    )

    def slow(call: Call) -> Trouble | None:
        if call.is_private_reply:
            return Trouble(slow_s=0.5, passes=True)
        return Trouble(400, 368) if call.is_send else None

    async with machine(tmp_path, flows) as shop:
        shop.fake.trouble = slow
        for number in range(4):
            value = events.comment(f"906{number:02}", "hi", username=f"u{number}", comment_id=f"c{number}")
            await shop.deliver(events.change(value))
        await shop.deliver(events.talk(events.message("90001", "hi")))
        await shop.runner.round()
        await shop.sender.round()
        shop.move_to(shop.clock.now() + timedelta(seconds=1))
        await shop.works()
        assert shop.states("private_reply") == ["sent"] * 4
        assert [problem["code"] for problem in shop.problems()] == ["restricted"]


async def test_the_queue_reckons_with_a_slower_pace(tmp_path: Path) -> None:
    """It said that all leave at once while headers of 95 % held private replies more than a minute apart."""
    flows = FLOWS.replace("dm: hi", "comment: hi")
    async with machine(tmp_path, flows) as shop:
        shop.fake.usage = lambda: _header(95)
        for number in range(1, 12):
            await _comment(shop, number)
        await shop.works()
        waiting = [item for item in shop.queue() if item["status"] == "queued"]
        assert len(waiting) >= 9
        last = datetime.fromisoformat(
            max(str(item["expected_at"]) for item in waiting if item["expected_at"])
        )
        assert last > shop.clock.now() + timedelta(minutes=8)
        assert any("95 %" in str(item["reason"]) for item in waiting)


async def test_a_restart_keeps_metas_minutes(tmp_path: Path) -> None:
    """Each restart forgot that nothing of this kind may leave, and began with nine."""
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.usage = lambda: _header(100, 20)
        await _write(shop, 1)
        shop.fake.usage = dict
        restarted = Sender(shop.tools)
        for number in range(2, 30):
            await shop.deliver(events.talk(events.message(f"90{number:03}", "hi")))
        await shop.runner.round()
        await restarted.round()
        await restarted.idle()
        assert len(shop.fake.sent) == 1
        (waiting, *_) = [item for item in shop.queue() if item["status"] == "queued"]
        assert "rests until" in str(waiting["reason"])
        assert "100 %" in str(waiting["reason"])


async def test_refused_by_access_level_is_over_a_day_later(tmp_path: Path) -> None:
    """One refusal kept `status` from being healthy until `connect` was run again."""
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(403, 10, 2534022) if call.is_send else None
        await _write(shop, 1)
        assert [problem["code"] for problem in shop.problems()] == ["advanced_access"]
        shop.fake.trouble = lambda _: None
        await _write(shop, 2)
        assert len(shop.problems()) == 1, "others may still be out of reach"
        shop.move_to(shop.clock.now() + timedelta(hours=25))
        at = int(shop.clock.now().timestamp() * 1000)
        await shop.deliver(events.talk({**events.message("90003", "hi"), "timestamp": at}))
        await shop.works()
        assert shop.problems() == []
