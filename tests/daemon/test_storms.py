"""A viral hour and a long outage from end to end: Meta's hour is kept, and what can still be sent is sent."""

from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.instagram import limits
from tests.daemon.fake import Trouble
from tests.daemon.machine import machine
from tests.daemon.storm import FLOWS, HOUR, Storm, long_outage, viral_hour

pytestmark = pytest.mark.anyio


async def test_a_viral_hour_keeps_metas_limit_and_loses_nobody(tmp_path: Path) -> None:
    weather = await viral_hour(tmp_path, 1200)
    assert weather.states == {"sent": 2400}
    assert weather.most_in_an_hour == limits.PRIVATE_REPLIES_PER_HOUR
    assert weather.last_after < 2 * HOUR, "what waits leaves as soon as there is room"
    assert weather.twice == 0
    minutes = [int(comment.removeprefix("c")) // 20 for _, comment in weather.private]
    assert minutes == sorted(minutes), "the earliest deadline first"


@pytest.mark.parametrize("trouble", [None, Trouble(503, 2)], ids=["unreachable", "errors"])
async def test_after_36_hours_everything_that_can_still_be_sent_is(
    tmp_path: Path, trouble: Trouble | None
) -> None:
    """72 comments have seven days; of 36 messages, one an hour, the windows of the first 13 have closed."""
    weather = await long_outage(tmp_path, 72, 36, trouble)
    assert weather.states == {"sent": 2 * 72 + 23, "expired": 13}
    assert weather.twice == 0
    assert weather.calls < 36 * 40 + 500, "one probe at a time, not everything again and again"


async def test_the_owner_hears_of_a_long_silence_once_and_until_it_ends(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        storm = Storm(shop)
        storm.trouble = Trouble(503, 2)
        await storm.comments(0, 10)
        await storm.until(storm.weather.began + timedelta(minutes=10))
        assert shop.problems() == []
        await storm.until(storm.weather.began + 3 * HOUR)
        (problem,) = shop.problems()
        assert problem["code"] == "instagram_silent"
        assert "has not answered shop since" in str(problem["message"])
        assert shop.page().problems[0].since is not None
        storm.trouble = None
        await storm.until_quiet(timedelta(days=1))
        assert shop.problems() == []
        assert storm.weather.states == {"sent": 20}


async def test_the_queue_tells_when_the_last_one_leaves(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        storm = Storm(shop)
        await storm.comments(0, 800)
        await storm.until(storm.weather.began + timedelta(minutes=5))
        waiting = [item for item in shop.queue() if item["status"] == "queued"]
        assert len(waiting) == 50
        for item in waiting:
            assert "leaves at about" in str(item["reason"])
            assert str(item["expected_at"]) > f"{storm.weather.began + timedelta(minutes=59):%Y-%m-%dT%H:%M}"
        assert "50 queued: the last one leaves at about" in shop.prospects()
        assert "none will be too late" in shop.prospects()
