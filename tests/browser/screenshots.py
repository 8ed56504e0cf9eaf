"""`python -m tests.browser.screenshots docs/pictures`: the pictures of the status page that the documentation shows.

Most are of the shop of `pamosnik demo`, with its daemon behind them: the same people at every time, on other dates. A
font with emoji has to be there (Debian: fonts-noto-color-emoji).
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from pamosnik.clock import SteadyClock
from pamosnik.daemon import main as daemon
from pamosnik.instagram import limits
from pamosnik.rehearsal import demo, past
from tests.browser.lived_in import PHONE
from tests.daemon.shop import EMAIL, PASSWORD
from tests.daemon.with_instagram import desk_with_instagram

_PASSWORD = "a password for pictures"
"""Of a home that ends with the script."""
_DESK = (960, 640)
"""As small as it can be read well: the pictures are downloaded with the program."""
_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Shown:
    name: str
    where: str
    """The page's address."""
    link: str = ""
    """What is touched there to come to what is shown; empty: the page itself is."""
    size: tuple[int, int] = _DESK
    scheme: str = "light"
    top: str = ""
    """What the picture begins with; empty: the top of the page."""


PICTURES = (
    Shown("page-overview", "/"),
    Shown("page-overview-phone", "/", size=PHONE, scheme="dark"),
    Shown("page-flow", "/flows/wreath-workshop", top=".two-views", size=(1000, 640)),
    Shown("page-event-phone", "/events", "text=prcie?", size=PHONE),
    Shown("page-waiting-phone", "/people/waiting", size=PHONE),
    Shown("page-person", "/people/waiting", "main a.cover", size=(1280, 760)),
    Shown("page-posts", "/posts", size=(960, 580)),
    Shown("page-queue-phone", "/queue", size=PHONE, scheme="dark"),
)

_SETUP = (820, 462)
"""Of pictures of setting up."""


@asynccontextmanager
async def _running() -> AsyncIterator[str]:
    """The address of the demo's status page."""
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


async def _logged_in(
    chromium: Browser, address: str, shown: Shown, login: tuple[str, str] = (demo.EMAIL, _PASSWORD)
) -> Page:
    context = await chromium.new_context(
        viewport={"width": shown.size[0], "height": shown.size[1]},
        color_scheme="dark" if shown.scheme == "dark" else "light",
    )
    page = await context.new_page()
    await page.goto(f"{address}/login")
    await page.fill("[name=email]", login[0])
    await page.fill("[name=password]", login[1])
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
        await _until_named(page)
    if shown.top:
        await page.locator(shown.top).evaluate("one => one.scrollIntoView()")
    else:
        await page.evaluate("scrollTo(0, 0)")
    await page.screenshot(path=path)
    await page.context.close()


async def _until_named(page: Page) -> None:
    """What posts are called the daemon asks some seconds after its start, which is no news to a page that is open."""
    async with asyncio.timeout(_PATIENCE_S):
        while not await page.get_by_text(past.POSTS[0].caption).count():
            await asyncio.sleep(1)
            await page.reload()


async def _of_setting_up(chromium: Browser, folder: Path) -> None:
    """An empty home; a login with one permission switched off; the same login with all of them."""
    with tempfile.TemporaryDirectory() as home:
        async with desk_with_instagram(Path(home)) as at:
            new = Shown("setup-first-steps", "/", size=_SETUP)
            page = await _logged_in(chromium, at.desk.address, new, (EMAIL, PASSWORD))
            await page.screenshot(path=folder / f"{new.name}.png")
            at.sandbox.world.put_account(replace(at.shop, scopes=at.shop.scopes - {limits.SCOPES[2]}))
            await page.get_by_role("link", name="Log in with Instagram").click()
            await _of_outcome(page, "Nothing was connected", folder / "setup-permission.png")
            at.sandbox.world.put_account(at.shop)
            await page.get_by_role("link", name="Try again").click()
            await _of_outcome(page, "@rosas_shop is connected", folder / "setup-connected.png")
            await page.context.close()


async def _of_outcome(page: Page, heading: str, path: Path) -> None:
    """The page without the empty space around it."""
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    await page.locator("body").screenshot(path=path)


async def take(folder: Path) -> None:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        await _of_setting_up(chromium, folder)
        async with _running() as address:
            for one in PICTURES:
                await _picture(chromium, address, folder / f"{one.name}.png", one)
        await chromium.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
