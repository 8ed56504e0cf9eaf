"""Killed in the middle of conversations: nothing is lost, nothing is said twice."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.daemon import ROOT, Shop, open_shop

pytestmark = pytest.mark.anyio
PEOPLE = 40
KILLS = 6


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _kill_and_start(shop: Shop, chance: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.02, 0.25))
        await shop.kill()
        await shop.start()


async def _tap_when_asked(shop: Shop, username: str) -> None:
    """Taps the button as soon as the message with it is there; nobody waits for ever."""
    for _ in range(150):
        if await shop.written_to(username):
            await shop.act("/tap", person=username, title="Send it to me")
            return
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("seed", [1, 2])
async def test_kill_at_any_moment_loses_and_repeats_nothing(tmp_path: Path, seed: int) -> None:
    people = [f"p{number}" for number in range(PEOPLE)]
    async with open_shop(tmp_path, (ROOT / "flows.example.yaml").read_text("utf-8")) as shop:
        await shop.act("/switches", duplicates=2, retry_gaps_s=[0.1] * 200)
        for username in people:
            await shop.act("/people", username=username)
        comments = {u: await shop.act("/comment", person=u, text="price?") for u in people}
        await asyncio.gather(
            _kill_and_start(shop, random.Random(seed)), *(_tap_when_asked(shop, u) for u in people)
        )
        await shop.act("/settle")
        await shop.quiet()
        queue = await shop.read("queue", "list")
        events = await shop.read("events", "list")
        for username in people:
            assert max(Counter(await shop.written_to(username)).values(), default=1) == 1, username
            assert len(await shop.public_replies(comments[username])) <= 1, username
        started = [e for e in events if e["kind"] == "comment" and e["verdict"] == "started"]
        assert len(started) == PEOPLE
        # Whoever has no answer has an item that says why: its outcome is not known.
        statuses = {item["status"] for item in queue}
        assert statuses <= {"sent", "unknown", "held"}
        held = [item for item in queue if item["status"] == "held"]
        assert len(held) <= sum(i["kind"] == "private_reply" and i["status"] == "unknown" for i in queue)
        assert await shop.stop() == 0
        assert "Traceback" not in shop.log.read_text()
