"""`python -m tests.browser.screenshots docs/pictures`: the pictures of the status page that the documentation shows.

They are of a shop that some days were played at, always the same ones; only dates differ from time to time.
"""

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.lived_in import DESK, PHONE, LivedIn, lived_in


@dataclass(frozen=True, slots=True)
class Shown:
    name: str
    where: str
    """The page's address; or the list that leads to it, and the link there."""
    size: tuple[int, int] = DESK
    scheme: str = "light"


PICTURES = (
    Shown("page-overview", "/"),
    Shown("page-overview-phone", "/", PHONE, "dark"),
    Shown("page-flow", "/flows/price-list"),
    Shown("page-event-phone", "events main a[href^='/events/0']", PHONE),
    Shown("page-person-phone", "people main a[href^='/people/0']", PHONE),
    Shown("page-posts", "/posts"),
    Shown("page-queue-phone", "/queue", PHONE, "dark"),
)


async def _goes_to(page: Page, address: str, where: str) -> None:
    if where.startswith("/"):
        await page.goto(f"{address}{where}")
        return
    listed, link = where.split(" ", 1)
    await page.goto(f"{address}/{listed}")
    await page.locator(link).first.click()


async def _picture(shop: LivedIn, chromium: Browser, path: Path, shown: Shown) -> None:
    async with shop.window(chromium, shown.size, shown.scheme) as window:
        await _goes_to(window.page, window.address, shown.where)
        await window.page.screenshot(path=path)


async def take(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        async with lived_in(Path(made), days=6, per_day=60) as shop, async_playwright() as playwright:
            chromium = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for one in PICTURES:
                await _picture(shop, chromium, folder / f"{one.name}.png", one)
            await chromium.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
