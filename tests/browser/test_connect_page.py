"""Login with Instagram in a browser: from the overview there and back."""

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.daemon.shop import EMAIL, PASSWORD
from tests.daemon.with_instagram import desk_with_instagram

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
async def test_from_an_empty_overview_to_a_connected_account(
    tmp_path: Path, chromium: Browser, size: tuple[int, int]
) -> None:
    async with desk_with_instagram(tmp_path) as at:
        context = await chromium.new_context(viewport={"width": size[0], "height": size[1]})
        page, complaints = await context.new_page(), list[str]()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{at.desk.address}/login")
        await page.get_by_label("E-mail").fill(EMAIL)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("link", name="Log in with Instagram").click()
        # The sandbox agrees at once, as an owner who presses "Allow".
        await expect(page.get_by_role("heading", level=1)).to_have_text("@rosas_shop is connected")
        await _fits(page)
        await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("@rosas_shop is connected")
        await page.get_by_role("link", name="To the overview").click()
        await expect(page.get_by_text("Instagram is connected.")).to_be_visible()
        await page.goto(f"{at.desk.address}/connect/instagram/callback?code=made-up&state=made-up")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was connected")
        await _fits(page)
        assert [one for one in complaints if "the server responded with a status of 403" not in one] == []
        await context.close()


async def _fits(page: Page) -> None:
    """In the window, and for everybody."""
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    found = await Axe().run(page)
    assert [(one["id"], one["nodes"]) for one in found.response["violations"]] == []
