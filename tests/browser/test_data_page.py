"""The page "Your data" in Debian's Chromium, at desk and phone size: finding a person, forgetting them, leaving."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from pamosnik.store import people
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD
from tests.daemon.test_data_pages import open_shop

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

DESK, PHONE = (1280, 900), (390, 844)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_SEEN = (
    "[...document.querySelectorAll('main :is(input, textarea, button, .button)')].filter(e => e.offsetHeight)"
)
UNNAMED = f"{_SEEN}.filter(e => e.localName == 'input' && !e.labels.length).map(e => e.id)"
LOWER_THAN_A_FINGER = f"{_SEEN}.filter(e => e.offsetHeight < 44).map(e => e.outerHTML)"
TWICE = "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => all.indexOf(id) != n)"

PICTURES = os.environ.get("PAMOSNIK_TEST_PICTURES")
"""A folder for pictures of what was seen, for people to look at."""


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path_factory.mktemp("data"), mail=False) as running:
        running.database.write(lambda conn: open_shop(conn, running, running.account, "shop"))
        running.database.write(
            lambda conn: open_shop(conn, running, running.account, "a.very.long.username.of.thirty")
        )
        yield running


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
async def page(desk: FrontDesk, chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Logged in, at the page; it complains about whatever a hostile name would have done."""
    width, height = request.param
    context = await chromium.new_context(viewport={"width": width, "height": height})
    opened = await context.new_page()
    complaints: list[str] = []
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    await opened.goto(f"{desk.address}/login")
    await opened.get_by_label("E-mail").fill(EMAIL)
    await opened.get_by_label("Password").fill(PASSWORD)
    await opened.get_by_role("button", name="Log in").click()
    await opened.get_by_role("link", name="Your data").click()
    yield opened
    await context.close()
    assert [one for one in complaints if "status of 4" not in one] == []


async def _fits(page: Page, name: str) -> None:
    assert await page.evaluate(WIDER) == 0
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(LOWER_THAN_A_FINGER) == []
    assert await page.evaluate(TWICE) == []
    if PICTURES:
        size = page.viewport_size
        assert size is not None
        await page.screenshot(path=Path(PICTURES) / f"{name}-{size['width']}.png", full_page=True)


async def test_every_page_fits_and_has_names(desk: FrontDesk, page: Page) -> None:
    assert (
        await page.get_by_role("link", name="Your data", exact=True).get_attribute("aria-current") == "page"
    )
    await _fits(page, "data")
    await page.get_by_role("link", name="Disconnect @shop").click()
    assert await page.get_by_role("heading", level=1).inner_text() == "Disconnect @shop and delete its data?"
    await _fits(page, "connection")
    await page.get_by_label("Your password").fill("not the password")
    await page.get_by_role("button", name="Disconnect and delete").click()
    assert await page.get_by_role("alert").inner_text() == "The present password is wrong."
    assert await page.get_by_label("Your password").input_value() == ""
    await _fits(page, "connection-refused")
    await page.get_by_role("link", name="Keep it").click()
    await page.get_by_role("link", name="Delete the account…").click()
    await _fits(page, "delete")
    await page.get_by_label("Type the e-mail").fill("somebody@else.example")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Delete the account").click()
    assert "not the e-mail address" in await page.get_by_role("alert").inner_text()
    assert await page.get_by_label("Type the e-mail").input_value() == "somebody@else.example"
    await page.goto(f"{desk.address}/account/data/progress")
    await _fits(page, "progress")


async def test_a_person_with_a_hostile_name_is_found_and_forgotten(desk: FrontDesk, page: Page) -> None:
    size = page.viewport_size
    assert size is not None
    username = "fan.shop" if size["width"] == DESK[0] else "fan.a.very"
    await page.get_by_label("Find a person").fill(username.upper())
    await page.get_by_role("button", name="Find").click()
    await _fits(page, "found")
    await page.get_by_role("link", name=f"Data of {username}").click()
    assert await page.get_by_text("<script>alert('1')</script>").is_visible()
    await _fits(page, "person")
    part = page.get_by_role("region", name="Forget", exact=True)
    await part.get_by_label("Your password").fill(PASSWORD)
    await part.get_by_role("button", name="Forget this person").click()
    await page.get_by_role("heading", name="Nothing is under way").wait_for()
    await _fits(page, "forgotten")
    found = people.newest(desk.conn, desk.account.id, people.Wanted(text=username), limit=None)
    assert found == []
