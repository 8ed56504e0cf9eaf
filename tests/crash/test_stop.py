"""SIGTERM and SIGINT end the daemon within ten seconds, whatever hangs; the next start settles what was late."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from pamosnik import _sqlite
from tests.daemon.events import IG_ID
from tests.daemon.fake import Trouble, calm
from tests.daemon.machine import machine
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio
FOR_EVER = Trouble(slow_s=60, passes=True)
HANGING = ("/refresh_access_token", f"/{IG_ID}/media")
OF_ONE_POST = """
version: 1
flows:
  here:
    when: [comment: { words: price, post: "https://www.instagram.com/p/Cabc123/" }]
    limits: { per_person: 1h }
    do: [send: "Hello"]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _ends(shop: Shop, *signals: signal.Signals) -> None:
    """Each signal half a second after the one before; exit code 0 in time, and no traceback."""
    assert shop.process is not None
    async with asyncio.timeout(10):
        shop.process.send_signal(signals[0])
        for number in signals[1:]:
            await asyncio.sleep(0.5)
            shop.process.send_signal(number)
        assert await shop.process.wait() == 0
    assert "Traceback" not in shop.log.read_text()


@asynccontextmanager
async def _open_webhook(shop: Shop) -> AsyncIterator[asyncio.StreamReader]:
    """A delivery of which only the beginning has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write(b"POST /webhooks/instagram HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    await writer.drain()
    yield reader
    writer.close()
    await writer.wait_closed()


async def _messages(shop: Shop) -> list[object]:
    """What became of them; people are looked up beside."""
    return [item["status"] for item in await shop.read("queue", "list") if item["kind"] != "lookup"]


async def test_while_requests_and_webhooks_hang(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.echoes = "none"
        shop.fake.trouble = lambda call: FOR_EVER if call.is_send else None
        await asyncio.gather(*(shop.write(igsid, "price") for igsid in ("7401", "7402")))
        while sum(call.is_send for call in shop.fake.calls) < 2:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.01)
        async with _open_webhook(shop) as hanging:
            await _ends(shop, signal.SIGTERM, signal.SIGTERM, signal.SIGINT)
            assert b" 503 " in await hanging.read()
        assert "0 messages under way were finished, 2 were not" in shop.log.read_text()
        # From now on looks at the conversations tell: tests/daemon/test_settling.py.
        shop.fake.trouble = calm
        await shop.start()
        assert await _messages(shop) == ["unknown", "unknown"]


async def test_what_is_finished_in_time_is_counted_and_recorded(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.trouble = lambda call: Trouble(slow_s=1, passes=True) if call.is_send else None
        await shop.write("7411", "price")
        await shop.asked()
        await _ends(shop, signal.SIGINT)
        assert "1 messages under way were finished, 0 were not" in shop.log.read_text()
        assert await _messages(shop) == ["sent"]


async def test_while_a_login_is_refreshed_and_a_post_is_looked_up(tmp_path: Path) -> None:
    async with open_shop(tmp_path, OF_ONE_POST) as shop:
        await shop.stop()
        with closing(_sqlite.connect(shop.home / "pamosnik.db", isolation_level=None)) as conn:
            conn.execute("UPDATE connections SET token_refresh_at=1")
        shop.fake.calls.clear()
        shop.fake.trouble = lambda _: FOR_EVER
        await shop.start()
        await shop.asked("/me")  # what time it is, before anything else
        await _ends(shop, signal.SIGTERM)
        shop.fake.trouble = lambda call: FOR_EVER if call.path in HANGING else None
        await shop.start()
        await shop.asked("/refresh_access_token")
        await shop.comment("7421", "price")
        await shop.asked("/media")
        await _ends(shop, signal.SIGTERM)
        shop.fake.trouble = calm
        await shop.start()
        await shop.quiet()
        (comment,) = [one for one in await shop.read("events", "list") if one["kind"] == "comment"]
        assert comment["verdict"] == "no_match"
        assert (await shop.read("status"))["healthy"]


@pytest.mark.parametrize("turns", range(4))
async def test_a_stop_that_comes_together_with_news_is_heard(tmp_path: Path, turns: int) -> None:
    """The runner was woken by a message's outcome while it was cancelled, and ran on for ever."""
    async with machine(tmp_path) as shop:
        loops = [asyncio.create_task(part.run()) for part in (shop.runner, shop.settler)]
        await asyncio.sleep(0.1)
        for part in (shop.runner, shop.settler):
            part.wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        for loop in loops:
            loop.cancel()
        _, going = await asyncio.wait(loops, timeout=2)
        for loop in going:
            loop.cancel()
        assert not going
