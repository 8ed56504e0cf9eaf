"""`python -m tests.browser.screenshots docs/pictures`: the pictures of the status page that the documentation shows.

They are of the shop of `pamosnik demo`, with its daemon behind them: the same people at every time, on other dates. A
font with emoji has to be there (Debian: fonts-noto-color-emoji).
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from pamosnik.clock import SteadyClock
from pamosnik.daemon import main as daemon
from pamosnik.rehearsal import demo, past
from tests.browser.lived_in import DESK, PHONE

_PASSWORD = "a password for pictures"
"""Of a home that ends with the script."""
_PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Shown:
    name: str
    where: str
    """The page's address."""
    link: str = ""
    """What is touched there to come to what is shown; empty: the page itself is."""
    size: tuple[int, int] = DESK
    scheme: str = "light"
    top: str = ""
    """What the picture begins with; empty: the top of the page."""


PICTURES = (
    Shown("page-overview", "/"),
    Shown("page-overview-phone", "/", size=PHONE, scheme="dark"),
    Shown("page-flow", "/flows/wreath-workshop", top=".two-views"),
    Shown("page-event-phone", "/events", "text=prcie?", size=PHONE),
    Shown("page-waiting-phone", "/people/waiting", size=PHONE),
    Shown("page-person", "/people/waiting", "main a.cover"),
    Shown("page-posts", "/posts"),
    Shown("page-queue-phone", "/queue", size=PHONE, scheme="dark"),
)


@asynccontextmanager
async def _running() -> AsyncIterator[str]:
    """The address of the demo's status page, once the daemon has asked Instagram for what the posts are called."""
    with tempfile.TemporaryDirectory() as folder:
        async with demo.shop(Path(folder) / "home", _PASSWORD, with_past=True) as (_, settings):
            ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                serving = daemon.serve(settings, SteadyClock(), on_ready=ready.set_result, stop=stop)
                group.create_task(serving)
                try:
                    yield await ready
                finally:
                    stop.set()


async def _logged_in(chromium: Browser, address: str, shown: Shown) -> Page:
    context = await chromium.new_context(
        viewport={"width": shown.size[0], "height": shown.size[1]},
        color_scheme="dark" if shown.scheme == "dark" else "light",
    )
    page = await context.new_page()
    await page.goto(f"{address}/login")
    await page.fill("[name=email]", demo.EMAIL)
    await page.fill("[name=password]", _PASSWORD)
    await page.locator("button").click()
    await page.wait_for_url(f"{address}/")
    return page


async def _picture(chromium: Browser, address: str, path: Path, shown: Shown) -> None:
    page = await _logged_in(chromium, address, shown)
    await page.goto(f"{address}{shown.where}")
    if shown.link:
        await page.locator(shown.link).first.click()
        await page.wait_for_load_state()
    if shown.where == "/posts":
        await expect(page.get_by_text(past.POSTS[0].caption)).to_be_visible(timeout=_PATIENCE_MS)
    if shown.top:
        await page.locator(shown.top).evaluate("one => one.scrollIntoView()")
    else:
        await page.evaluate("scrollTo(0, 0)")
    await page.screenshot(path=path)
    await page.context.close()


async def take(folder: Path) -> None:
    async with _running() as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for one in PICTURES:
            await _picture(chromium, address, folder / f"{one.name}.png", one)
        await chromium.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
