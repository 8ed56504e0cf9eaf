"""Logging in, and back in with a mailed link, in Debian's Chromium at desk and phone size."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
from playwright.async_api import Browser, Page

from pamosnik.security import tokens
from pamosnik.services import holder_links
from pamosnik.store import accounts
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.shop import PASSWORD

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIZES = ((1280, 900), (390, 844))
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNNAMED = "[...document.querySelectorAll('main input')].filter(e => !e.labels.length).map(e => e.name)"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path_factory.mktemp("login")) as running:
        yield running


@asynccontextmanager
async def _window(desk: FrontDesk, chromium: Browser, size: tuple[int, int]) -> AsyncIterator[Page]:
    """A browser of its own, whose pages must fit, name their fields and ask for nothing from elsewhere."""
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda one: None if one.url.startswith(desk.address) else complaints.append(one.url))
    yield page
    await context.close()
    # Chromium notes each page that is not a 200, too.
    assert [one for one in complaints if "status of 4" not in one] == []


async def _looks_right(page: Page) -> None:
    assert await page.evaluate(WIDER) == 0, "the page is wider than the screen"
    assert await page.evaluate(UNNAMED) == []
    assert await page.locator("h1").count() == 1


async def _log_in(page: Page, desk: FrontDesk, email: str, password: str = PASSWORD) -> None:
    await page.goto(f"{desk.address}/login")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def _mailed_link(desk: FrontDesk, number: int) -> str:
    found = re.search(r"^http\S+/reset/\S+$", await desk.mail(number), re.MULTILINE)
    assert found is not None
    return found.group()


@pytest.mark.parametrize("size", SIZES, ids=["desk", "phone"])
async def test_forgotten_mailed_reset_and_in_again(
    desk: FrontDesk, chromium: Browser, size: tuple[int, int]
) -> None:
    email, after, mails = (
        f"forgets{size[0]}@shop.example",
        "quite another three words",
        len(desk.box.received),
    )
    desk.second_account(email)
    async with _window(desk, chromium, size) as elsewhere, _window(desk, chromium, size) as page:
        await _log_in(elsewhere, desk, email)
        await _log_in(page, desk, email, "not the password")
        assert await page.get_by_role("alert").inner_text() == "E-mail or password is wrong."
        assert await page.get_by_label("E-mail").input_value() == email
        assert await page.get_by_label("Password").input_value() == ""
        await _looks_right(page)
        await page.get_by_role("link", name="Forgot your password?").click()
        await _looks_right(page)
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_role("button", name="Mail me a link").click()
        assert "If an account has this e-mail address" in await page.get_by_role("status").inner_text()
        await _looks_right(page)
        desk.later(seconds=5)
        await page.goto(await _mailed_link(desk, mails))
        assert await page.get_by_label("Account").input_value() == email
        await page.get_by_label("New password").fill("1234567890")
        await page.get_by_label("The same again").fill("1234567890")
        await page.get_by_role("button", name="Set this password").click()
        assert "easy to guess" in await page.get_by_role("alert").inner_text()
        await _looks_right(page)
        await page.get_by_label("New password").fill(after)
        await page.get_by_label("The same again").fill(after)
        await page.get_by_role("button", name="Set this password").click()
        assert await page.get_by_role("status").inner_text() == (
            "Your password is changed. Log in with the new one."
        )
        await _looks_right(page)
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(after)
        await page.get_by_role("button", name="Log in").click()
        assert page.url == f"{desk.address}/"
        await elsewhere.reload()
        assert elsewhere.url == f"{desk.address}/login"
        await page.goto(await _mailed_link(desk, mails))
        assert await page.get_by_role("heading").inner_text() == "This link is of no use any more"
        await _looks_right(page)
        assert "/reset/" not in await desk.mail(mails + 1)


@pytest.mark.parametrize("size", SIZES, ids=["desk", "phone"])
async def test_another_address_is_confirmed_with_a_button(
    desk: FrontDesk, chromium: Browser, size: tuple[int, int]
) -> None:
    token, address = tokens.new_token(), f"rosa{size[0]}@a-rather-long-name-of-a-business.example"
    account = desk.second_account(f"confirms{size[0]}@shop.example")
    store = partial(holder_links.to_confirm, account=account, email=address, token=token)
    desk.database.write(partial(store, now=desk.clock.now()))
    async with _window(desk, chromium, size) as page:
        await page.goto(f"{desk.address}/confirm/{token}")
        await _looks_right(page)
        assert accounts.load(desk.conn, account.id) == account
        await page.get_by_role("button", name="Yes, use this address").click()
        assert address in await page.get_by_role("status").inner_text()
        await _looks_right(page)
        assert accounts.load(desk.conn, account.id) == replace(account, email=address)
        await page.reload()
        assert await page.get_by_role("heading").inner_text() == "This link is of no use any more"


async def test_a_form_that_is_open_since_before_another_login_says_what_to_do(
    desk: FrontDesk, chromium: Browser
) -> None:
    email = desk.second_account("opens@shop.example").email
    async with _window(desk, chromium, SIZES[1]) as page:
        await _log_in(page, desk, email)
        other = await page.context.new_page()
        await other.goto(f"{desk.address}/account")
        await page.context.clear_cookies(name="pamosnik_session")
        await _log_in(page, desk, email)
        assert page.url == f"{desk.address}/"
        await other.get_by_role("button", name="Save").click()
        assert await other.get_by_role("heading").inner_text() == "This form was not taken"
        await _looks_right(other)
        await other.get_by_role("link", name="Open Pamosnik").click()
        await other.get_by_role("button", name="Log out").click()
        await other.wait_for_url(f"{desk.address}/login")
