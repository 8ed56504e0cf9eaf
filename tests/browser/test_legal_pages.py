"""The legal pages and their editor in Debian's Chromium, at desk and phone size."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.browser.test_account_page import DESK, LOWER_THAN_A_FINGER, PHONE, UNNAMED, WIDER
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path_factory.mktemp("legal")) as running:
        yield running


async def _fits(page: Page) -> None:
    assert await page.evaluate(WIDER) == 0
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(LOWER_THAN_A_FINGER) == []
    assert len(await page.get_by_role("heading", level=1).all()) == 1


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_they_are_read_and_changed(desk: FrontDesk, chromium: Browser, size: tuple[int, int]) -> None:
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]})
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{desk.address}/login")
    await page.get_by_role("link", name="Privacy").click()
    for title in ("Privacy policy", "Terms of use", "Data deletion"):
        await page.get_by_role("link", name=title).last.click()
        assert await page.title() == f"{title} of Rosa – Pamosnik"
        await _fits(page)
    assert await context.cookies() == []
    await page.goto(f"{desk.address}/login")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("link", name="Account").click()
    await page.get_by_role("link", name="Legal pages").click()
    await _fits(page)
    await page.get_by_role("link", name="Change: Privacy policy").click()
    await _fits(page)
    words = f"Of {{operator}} on {size[0]} <b onmouseover=alert(1)>" + "w" * 300
    await page.get_by_label("Text").fill(f"## Ours\n\n{words}")
    await page.get_by_role("button", name="Look at it first").click()
    shown = page.get_by_label("How it would look")
    assert f"Of Rosa on {size[0]} <b onmouseover=alert(1)>" in await shown.inner_text()
    await _fits(page)
    await page.get_by_role("button", name="Publish").click()
    assert await page.get_by_role("status").inner_text() == "Published. It is shown from its day on."
    await page.get_by_role("link", name="Privacy policy", exact=True).click()
    assert f"Of Rosa on {size[0]}" in await page.locator("article").inner_text()
    await _fits(page)
    await page.get_by_role("link", name="30 November 2026").last.click()
    assert "This is an earlier text" in await page.locator("main").inner_text()
    await context.close()
    assert complaints == []
