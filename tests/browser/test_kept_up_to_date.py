"""An open page in Debian's Chromium whose line to the daemon is lost, dies or ends: it says so, and comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from pamosnik._sqlite import Connection
from pamosnik.daemon.status import live
from pamosnik.daemon.visitors import SESSION_COOKIE
from pamosnik.store import contacts, notices
from tests.browser.lived_in import DESK, PHONE
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.test_data_pages import open_shop

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

GONE = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass
class Between:
    """A proxy before the daemon."""

    behind: int
    """The daemon's port."""
    address: str = ""
    lost: bool = False
    """Whether it says that the daemon is gone."""
    lives: int = 0
    """Streams that were asked for."""
    _lines: set[asyncio.Task[None]] = field(default_factory=set)
    _silent: bool = False

    async def takes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.lost:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(GONE)
            await _closed(writer)
            return
        from_daemon, to_daemon = await asyncio.open_connection("127.0.0.1", self.behind)
        ways = [
            asyncio.create_task(self._passes(reader, to_daemon)),
            asyncio.create_task(self._passes(from_daemon, writer)),
        ]
        self._lines |= set(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
        self._lines -= set(ways)
        await _closed(writer)
        await _closed(to_daemon)

    async def _passes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65_536):
                self.lives += said.count(b"GET /live?")
                if not self._silent:
                    writer.write(said)
                    await writer.drain()

    def loses_the_daemon(self) -> None:
        self.lost = True
        for line in self._lines:
            line.cancel()

    def lets_the_lines_die(self) -> None:
        """Nobody hears that they are dead."""
        self._silent = True

    def heals(self) -> None:
        self.lost = self._silent = False

    async def asked(self, times: int) -> None:
        """Until so many streams were asked for."""
        async with asyncio.timeout(30):
            while self.lives < times:  # noqa: ASYNC110 - what a browser does has no event here
                await asyncio.sleep(0.02)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def between(port: int) -> AsyncIterator[Between]:
    proxy = Between(port)
    async with await asyncio.start_server(proxy.takes, "127.0.0.1", 0) as server:
        proxy.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy
        proxy.loses_the_daemon()
        while proxy._lines:  # noqa: ASYNC110 - they end within this turn of the loop or the next
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path_factory.mktemp("open"), mail=False) as running:
        yield running


@pytest.fixture
async def proxy(desk: FrontDesk) -> AsyncIterator[Between]:
    async with between(desk.settings.port) as running:
        yield running


@asynccontextmanager
async def _windows(
    desk: FrontDesk, chromium: Browser, size: tuple[int, int]
) -> AsyncIterator[BrowserContext]:
    """Of somebody who is logged in."""
    visitor = desk.browser()
    await visitor.log_in()
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]})
    cookie = visitor.cookies[SESSION_COOKIE]
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": desk.address}])
    yield context
    await context.close()


async def _opened(context: BrowserContext, proxy: Between, path: str = "/") -> Page:
    """A page whose time is ours, once it listens."""
    page, before = await context.new_page(), proxy.lives
    await page.clock.install()
    await page.goto(f"{proxy.address}{path}")
    await proxy.asked(before + 1)
    return page


def _tell(desk: FrontDesk, message: str) -> None:
    tell = partial(notices.raise_notice, account_id=desk.account.id, connection_id="", code="mast")
    desk.database.write(partial(tell, message=message, fix="Wait.", now=desk.clock.now()))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_page_says_that_the_daemon_is_gone_and_goes_on_when_it_is_back(
    desk: FrontDesk, chromium: Browser, proxy: Between, size: tuple[int, int]
) -> None:
    """Where a proxy answers in its place browsers ask for the stream never again."""
    async with _windows(desk, chromium, size) as context:
        page = await _opened(context, proxy)
        state = page.locator("#live")
        proxy.loses_the_daemon()
        await page.wait_for_event("request", lambda one: one.url == f"{proxy.address}/")
        await expect(state).to_be_empty()
        await page.clock.fast_forward(10_000)
        await expect(state).to_contain_text("Pamosnik does not answer")
        await expect(page.get_by_role("status").filter(has_text="out of date")).to_be_in_viewport()
        found = await Axe().run(page)
        assert [one["id"] for one in found.response["violations"]] == []
        proxy.heals()
        _tell(desk, f"Meanwhile, at {size}.")
        await page.clock.fast_forward(5_000)
        await expect(page.get_by_text(f"Meanwhile, at {size}.")).to_be_visible()
        await expect(state).to_be_empty()


async def test_a_line_that_died_without_a_word_is_opened_anew(
    desk: FrontDesk, chromium: Browser, proxy: Between
) -> None:
    """As after a laptop's sleep: the browser takes it for open."""
    async with _windows(desk, chromium, DESK) as context:
        page = await _opened(context, proxy)
        proxy.lets_the_lines_die()
        lives = proxy.lives
        await page.clock.fast_forward(45_000)
        assert proxy.lives == lives
        proxy.heals()
        await page.clock.fast_forward(30_000)
        await proxy.asked(lives + 1)
        _tell(desk, "Good morning.")
        await expect(page.get_by_text("Good morning.")).to_be_visible()


async def test_a_page_whose_session_has_ended_leads_to_the_login(
    desk: FrontDesk, chromium: Browser, proxy: Between
) -> None:
    async with _windows(desk, chromium, PHONE) as context:
        page = await _opened(context, proxy)
        elsewhere = await context.new_page()
        await elsewhere.goto(f"{proxy.address}/account")
        await elsewhere.get_by_role("button", name="Log out").click()
        await expect(page.locator("#live")).to_contain_text("You are logged out")
        await page.get_by_role("status").get_by_role("link", name="Log in").click()
        assert page.url == f"{proxy.address}/login"


async def test_of_many_windows_the_one_that_somebody_comes_back_to_is_kept_up_to_date(
    desk: FrontDesk, chromium: Browser, proxy: Between
) -> None:
    async with _windows(desk, chromium, DESK) as context:
        first, *_, last = [await _opened(context, proxy) for _ in range(live.AT_ONCE + 1)]
        await expect(first.locator("#live")).to_contain_text("Many windows")
        await expect(last.locator("#live")).to_be_empty()
        await first.evaluate("dispatchEvent(new Event('focus'))")
        await expect(first.locator("#live")).to_be_empty()
        _tell(desk, "The first one knows.")
        await expect(first.get_by_text("The first one knows.")).to_be_visible()


async def test_news_leave_the_focus_what_is_folded_out_and_what_is_selected(
    desk: FrontDesk, chromium: Browser, proxy: Between
) -> None:
    """Somebody who writes comes to the top of the list, with the focus that was on them."""
    for name in ("rose", "tulip", "orchid"):
        desk.later(minutes=1)
        desk.database.write(partial(open_shop, desk=desk, account=desk.account, username=name))
    async with _windows(desk, chromium, PHONE) as context:
        page = await _opened(context, proxy, "/people")
        await page.get_by_text("By tag").click()
        person = page.get_by_role("link", name="@fan.rose")
        await expect(page.locator(".people li").nth(2)).to_contain_text("@fan.rose")
        await person.focus()
        await page.evaluate("getSelection().selectAllChildren(document.querySelector('.people li time'))")
        selected = await page.evaluate("getSelection().toString()")
        desk.later(minutes=1)
        desk.database.write(partial(_is_seen, desk=desk, username="fan.rose"))
        _tell(desk, "Rose is back.")
        await expect(page.locator(".people li").first).to_contain_text("@fan.rose")
        await expect(person).to_be_focused()
        assert await page.evaluate("getSelection().toString()") == selected != ""
        await expect(page.get_by_label("With the tag")).to_be_visible()


def _is_seen(conn: Connection, desk: FrontDesk, username: str) -> None:
    ((account, connection, igsid),) = conn.execute(
        "SELECT account_id, connection_id, igsid FROM contacts WHERE username=?", (username,)
    )
    seen = partial(contacts.meet, conn, account_id=account, connection_id=connection, igsid=igsid)
    seen(username=None, now=desk.clock.now())
