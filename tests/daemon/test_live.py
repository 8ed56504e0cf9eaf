"""An open page is told that there is news of its own account, while its session lasts and until the daemon stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from pamosnik.daemon.status import live
from pamosnik.store import notices
from tests.daemon.front_desk import Browser, FrontDesk, front_desk
from tests.daemon.shop import PASSWORD

pytestmark = pytest.mark.anyio
ANNA = "anna@other.example"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path_factory.mktemp("live"), mail=False) as running:
        running.second_account(ANNA)
        yield running


@dataclass
class Heard:
    """A stream, read as it comes."""

    answer: aiohttp.ClientResponse
    marks: list[str] = field(default_factory=list)

    async def event(self) -> str | None:
        """The next one's name; None: the stream has ended."""
        async with asyncio.timeout(20):
            async for line in self.answer.content:
                if line.startswith(b"event: "):
                    self.marks.append((await self.answer.content.readline()).decode().strip())
                    return line.decode().removeprefix("event: ").strip()
        return None


@asynccontextmanager
async def _listening(browser: Browser, since: str = "") -> AsyncIterator[Heard]:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(f"{browser.address}/live?since={since}", headers={"Cookie": cookie}) as answer,
    ):
        yield Heard(answer)


async def _mark(browser: Browser) -> str:
    page = (await browser.get("/")).text
    return page.partition('<meta name="live" content="')[2].partition('"')[0]


async def _logged_in(desk: FrontDesk, email: str | None = None) -> Browser:
    browser = desk.browser()
    await (browser.log_in() if email is None else browser.log_in(email, PASSWORD))
    return browser


def _something_happens(desk: FrontDesk, account_id: str, code: str) -> None:
    now = desk.clock.now()
    tell = partial(notices.raise_notice, account_id=account_id, connection_id="", code=code)
    desk.database.write(partial(tell, message="Look here.", fix="Look.", now=now))


async def test_a_page_hears_of_its_own_account_alone(desk: FrontDesk) -> None:
    rosa, anna = await _logged_in(desk), await _logged_in(desk, ANNA)
    account = desk.account.id
    async with _listening(rosa, await _mark(rosa)) as hers, _listening(anna, await _mark(anna)) as others:
        assert (hers.answer.content_type, hers.answer.headers["X-Accel-Buffering"]) == (
            "text/event-stream",
            "no",
        )
        assert hers.answer.headers["Cache-Control"] == "no-store, no-transform"
        silent = asyncio.create_task(others.event())
        _something_happens(desk, account, "news")
        assert await hers.event() == "changed"
        assert hers.marks == [f"data: {await _mark(rosa)}"]
        await asyncio.sleep(2 * live.LOOK_EVERY_S)
        assert not silent.done()
        silent.cancel()


async def test_what_happened_before_it_listened_is_told_at_once(desk: FrontDesk) -> None:
    rosa = await _logged_in(desk)
    before = await _mark(rosa)
    _something_happens(desk, desk.account.id, "meanwhile")
    async with _listening(rosa, before) as hers:
        assert await hers.event() == "changed"


async def test_nobody_is_told_anything_without_a_login(desk: FrontDesk) -> None:
    async with _listening(desk.browser()) as nobodys:
        assert nobodys.answer.status == 204


async def test_with_the_session_the_stream_ends(desk: FrontDesk) -> None:
    rosa = await _logged_in(desk)
    async with _listening(rosa, await _mark(rosa)) as hers:
        await rosa.post("/logout")
        assert await hers.event() == "enough"
        assert await hers.event() is None


async def test_the_oldest_stream_of_a_session_makes_room(desk: FrontDesk) -> None:
    rosa = await _logged_in(desk)
    mark = await _mark(rosa)
    async with AsyncExitStack() as streams:
        oldest = await streams.enter_async_context(_listening(rosa, mark))
        for _ in range(live.AT_ONCE):
            await streams.enter_async_context(_listening(rosa, mark))
        assert await oldest.event() == "enough"
        assert await oldest.event() is None


async def test_pages_that_nobody_keeps_up_to_date_have_no_script(desk: FrontDesk) -> None:
    rosa = await _logged_in(desk)
    shown, account = await rosa.get("/"), await rosa.get("/account")
    assert "script-src 'self'" in shown.headers["Content-Security-Policy"]
    assert "script-src" not in account.headers["Content-Security-Policy"]
    assert "<script" not in account.text
    script = await desk.browser().get("/live.js")
    assert (script.status, script.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")


async def test_a_stream_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with AsyncExitStack() as streams:
        async with front_desk(tmp_path, mail=False) as desk:
            rosa = await _logged_in(desk)
            mark = await _mark(rosa)
            heard = [await streams.enter_async_context(_listening(rosa, mark)) for _ in range(2)]
        # The daemon has ended in order, which it does not while it waits for somebody.
        assert [await one.event() for one in heard] == [None, None]
