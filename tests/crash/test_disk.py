"""The disk refuses every write for a while: nothing is acknowledged or sent that is not stored, nothing is lost.

The daemon is kept from writing beyond the first bytes of any file (RLIMIT_FSIZE, set from outside): to SQLite, and to
the log, that is a disk that takes nothing any more, whoever runs the tests.
"""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import Trouble
from tests.daemon.shop import EMAIL, PASSWORD, Shop, open_shop

pytestmark = pytest.mark.anyio
SMALLER_THAN_A_PAGE = 1024


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def full_disk(shop: Shop) -> AsyncIterator[None]:
    assert shop.process is not None
    before = resource.prlimit(shop.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(shop.process.pid, resource.RLIMIT_FSIZE, (SMALLER_THAN_A_PAGE, before[1]))
    try:
        yield
    finally:
        resource.prlimit(shop.process.pid, resource.RLIMIT_FSIZE, before)


async def _told(shop: Shop, told: bool) -> Json | None:
    """The problem that `status` names, as soon as it does, or does not any more."""
    for _ in range(300):
        problems = (await shop.read("status"))["problems"]
        found: Json | None = next((one for one in problems if one["code"] == "storage"), None)
        if (found is not None) == told:
            break
        await asyncio.sleep(0.05)
    return found


async def _until(shop: Shop, path: str, status: int) -> None:
    for _ in range(200):
        if (await shop.get(path))[0] == status:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(shop.log.read_text())


async def test_what_comes_in_is_not_acknowledged_and_comes_again(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.write("7001", "price")
        await shop.settles("7001", 1)
        await shop.quiet()
        body = events.envelope(events.talk(events.message("7002", "price")))
        shop.fake.note(body)
        raw = events.encode(body)
        async with full_disk(shop):
            assert [await shop.fake.post(raw) for _ in range(3)] == [503, 503, 503]
            assert await shop.get("/readyz") == (503, '{"ready":false}')
            await _page_says_it(shop)
            problem = await _told(shop, True)
            assert problem is not None
            assert str(shop.home / "pamosnik.db") in problem["message"]
        await _until(shop, "/readyz", 200)  # by itself, without anything coming in
        assert not shop.fake.thread("7002")
        assert await shop.fake.post(raw) == 200
        (answer,) = await shop.settles("7002", 1)
        assert [answer.replace("7002", "7001")] == shop.fake.thread("7001")
        assert await _told(shop, False) is None
        assert await shop.stop() == 0


async def _page_says_it(shop: Shop) -> None:
    """Logging in needs a row: it is refused in words."""
    async with aiohttp.ClientSession() as session:
        form = {"email": EMAIL, "password": PASSWORD}
        async with session.post(f"http://127.0.0.1:{shop.port}/login", data=form) as answer:
            assert answer.status == 503
            assert "database" in await answer.text()


async def test_an_answer_of_instagram_waits_in_memory_until_it_can_be_recorded(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.echoes = "none"
        shop.fake.trouble = lambda call: Trouble(slow_s=0.6, passes=True) if call.is_send else None
        await shop.comment("7101")
        await shop.asked()
        async with full_disk(shop):
            await shop.settles("7101", 1)
            await asyncio.sleep(1.5)
            (item,) = [one for one in await shop.read("queue", "list") if one["kind"] == "private_reply"]
            assert item["status"] == "sending"
            assert not shop.fake.replies  # made by the same transaction that records the answer
        await shop.quiet()
        (item,) = [one for one in await shop.read("queue", "list") if one["kind"] == "private_reply"]
        assert (item["status"], item["attempts"]) == ("sent", 1)
        assert len(shop.fake.sent) == len(shop.fake.replies) == 1


async def test_nothing_leaves_that_is_not_recorded_as_leaving(tmp_path: Path) -> None:
    """Stored while there is room, and due again when there is none."""
    async with open_shop(tmp_path) as shop:
        await shop.fake.stop()
        await shop.write("7201", "price")
        for _ in range(300):
            queue = [item for item in await shop.read("queue", "list") if item["kind"] == "message"]
            (item,) = queue or [{"attempts": 0}]
            if item["attempts"] == 1 and item["status"] == "queued":
                break
            await asyncio.sleep(0.05)
        async with full_disk(shop):
            await shop.fake.start()
            await _until(shop, "/readyz", 503)
            await asyncio.sleep(1)
            assert [call.path for call in shop.fake.calls if call.is_send] == []
        await shop.settles("7201", 1)
        await shop.quiet()
        assert len(shop.fake.sent) == 1
