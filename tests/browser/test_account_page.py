"""The account's page in Debian's Chromium: each form as its holder uses it, at desk and phone size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from playwright.async_api import Browser, Locator, Page

from pamosnik.daemon.visitors import SESSION_COOKIE
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.services import holder_links
from pamosnik.store import accounts, mailed_links, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.mailed_links import Purpose
from pamosnik.store.sessions import Session
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.shop import PASSWORD
from tests.mail.server import takes_all

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NEW_PASSWORD = "horse battery staple correct"
DESK, PHONE = (1280, 900), (390, 844)

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_SEEN = (
    "[...document.querySelectorAll('main :is(input, select, textarea, button)')].filter(e => e.offsetHeight)"
)
UNNAMED = f"{_SEEN}.filter(e => e.localName != 'button' && !e.labels.length).map(e => e.id)"
LOWER_THAN_A_FINGER = f"{_SEEN}.filter(e => e.offsetHeight < 44).map(e => e.outerHTML)"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path_factory.mktemp("account")) as running:
        yield running


@dataclass
class Holder:
    """Somebody with an account of their own, in front of a browser."""

    desk: FrontDesk
    chromium: Browser
    account: Account

    @property
    def now(self) -> Account:
        """The account as it is stored."""
        found = accounts.load(self.desk.conn, self.account.id)
        assert found is not None
        return found

    @asynccontextmanager
    async def window(self, size: tuple[int, int] = DESK) -> AsyncIterator[Page]:
        """A browser of its own. It complains about scripts, styles and addresses that must not be."""
        context = await self.chromium.new_context(viewport={"width": size[0], "height": size[1]})
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda one: None if one.url.startswith(self.desk.address) else complaints.append(one.url),
        )
        yield page
        await context.close()
        # Chromium notes each page that is not a 200, too.
        assert [one for one in complaints if "status of 4" not in one] == []

    @asynccontextmanager
    async def logged_in(self, size: tuple[int, int] = DESK) -> AsyncIterator[Page]:
        """At the account's page, with a session that was made beforehand: no password takes its time."""
        async with self.window(size) as page:
            token, now = tokens.new_token(), self.desk.clock.now()
            session = Session(
                new_id(now), self.account.id, "Chrome on Linux", now, now, now + timedelta(days=14)
            )
            self.desk.database.write(
                partial(sessions.open_session, token_hash=tokens.token_hash(token), session=session)
            )
            await page.context.add_cookies(
                [{"name": SESSION_COOKIE, "value": token, "url": self.desk.address}]
            )
            await page.goto(f"{self.desk.address}/account")
            yield page

    async def log_in(self, page: Page, password: str = PASSWORD) -> None:
        await page.goto(f"{self.desk.address}/login")
        await page.get_by_label("E-mail").fill(self.now.email)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Log in").click()

    def opens(self, link: str) -> bool:
        """Whether a link that was mailed makes another address the account's."""
        token, now = tokens.token_hash(link.rpartition("/")[2]), self.desk.clock.now()
        return mailed_links.find(self.desk.conn, token, Purpose.CONFIRM_EMAIL, now) is not None

    def mails_to(self, email: str) -> list[str]:
        return [mail.subject for mail in self.desk.box.received if mail.readers == (email,)]


_numbers = iter(range(1000))


@pytest.fixture
def rosa(desk: FrontDesk, chromium: Browser) -> Holder:
    """With an account that no other test knows."""
    return Holder(desk, chromium, desk.second_account(f"rosa{next(_numbers)}@shop.example"))


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


async def says(part: Locator) -> str:
    return await part.get_by_role("status").inner_text()


async def refuses(part: Locator) -> str:
    return await part.get_by_role("alert").inner_text()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_the_page_fits_and_everything_on_it_has_a_name(rosa: Holder, size: tuple[int, int]) -> None:
    async with rosa.logged_in(size) as page:
        assert await page.title() == "Your account – Pamosnik"
        assert await page.get_by_role("heading", level=1).all_inner_texts() == ["Your account"]
        assert await page.get_by_role("link", name="Account").get_attribute("aria-current") == "page"
        assert await page.evaluate(WIDER) == 0
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(LOWER_THAN_A_FINGER) == []
        ids = await page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"


async def test_name_and_time_zone(rosa: Holder) -> None:
    async with rosa.logged_in(PHONE) as page:
        part = section(page, "Name and time zone")
        await part.get_by_label("Name of your business").fill("  Rosa & <b>Söhne</b> ")
        await part.get_by_label("Time zone").select_option("Pacific/Auckland")
        await part.get_by_role("button", name="Save").click()
        assert await says(part) == "Saved."
        assert page.url == f"{rosa.desk.address}/account#details"
        assert (rosa.now.name, rosa.now.timezone) == ("Rosa & <b>Söhne</b>", "Pacific/Auckland")
        assert await page.get_by_role("banner").get_by_text("Rosa & <b>Söhne</b>").is_visible()
        assert await page.get_by_text("Times in Pacific/Auckland.").is_visible()
        await page.reload()
        assert await part.get_by_role("status").count() == 0, "it is said once"
        # What is refused stays as it was typed.
        await part.get_by_label("Name of your business").fill("   ")
        await part.get_by_label("Time zone").select_option("Europe/Warsaw")
        await part.get_by_role("button", name="Save").click()
        assert await refuses(part) == "The name is empty. Give the name of your business."
        assert await part.get_by_label("Name of your business").get_attribute("aria-invalid") == "true"
        assert await part.get_by_label("Time zone").input_value() == "Europe/Warsaw"
        assert (await page.title()).startswith("Not done: ")
        assert rosa.now.timezone == "Pacific/Auckland"


async def test_another_address_counts_when_its_holder_confirms_it(rosa: Holder) -> None:
    old, new = rosa.account.email, f"new-{rosa.account.email}"
    async with rosa.logged_in() as page:
        part = section(page, "E-mail")

        async def ask(email: str, password: str = PASSWORD) -> None:
            await part.get_by_label("New address").fill(email)
            await part.get_by_label("Your password").fill(password)
            await part.get_by_role("button", name="Send the link").click()

        await ask(new, "not the password")
        assert await refuses(part) == "The present password is wrong."
        assert await part.get_by_label("New address").input_value() == new
        assert await part.get_by_label("Your password").input_value() == ""
        await ask("rosa@nowhere")
        assert "This is no e-mail address: rosa@nowhere" in await refuses(part)
        await ask(old.upper())
        assert await refuses(part) == "This is your address already."
        await ask(new)
        assert (await says(part)).startswith("The mail is on its way.")
        assert await part.get_by_text(f"Waiting for confirmation of {new}.").is_visible()
        link = await _link_in_mail_to(rosa, new)
        assert rosa.opens(link)
        assert rosa.now.email == old
        assert rosa.mails_to(old) == ["Pamosnik: your e-mail address is to be changed"]
        await part.get_by_role("button", name="Keep the present address").click()
        assert await says(part) == "Taken back: the address stays as it is."
        assert await part.get_by_text("Waiting for confirmation").count() == 0
        assert not rosa.opens(link)
        await page.goto(link)
        assert await page.get_by_role("button", name="Yes").count() == 0
        await page.goto(f"{rosa.desk.address}/account")
        await ask(new)
        await page.goto(await _link_in_mail_to(rosa, new, number=1))
        await page.get_by_role("button", name="Yes, use this address").click()
        await page.get_by_role("heading", name="Your e-mail address is changed").wait_for()
        assert rosa.now.email == new
        await page.goto(f"{rosa.desk.address}/account")
        assert await part.get_by_text(f"Your address is {new}.").is_visible()
        assert await part.get_by_text("Waiting for confirmation").count() == 0


async def _link_in_mail_to(rosa: Holder, email: str, number: int = 0) -> str:
    """The link in the mail with this number of those to that address."""
    for count in range(500):
        texts = [mail.text for mail in rosa.desk.box.received if mail.readers == (email,)]
        if len(texts) > number:
            return next(line for line in texts[number].split() if line.startswith(rosa.desk.address))
        await rosa.desk.mail(count)
    raise AssertionError(rosa.desk.box.subjects)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_long_address_is_seen_to_its_end(rosa: Holder, size: tuple[int, int]) -> None:
    """Whoever is asked whether it is theirs reads all of it."""
    long = f"{'a' * 40}-{rosa.account.email.partition('@')[0]}@{'b' * 60}.{'c' * 60}.example"
    token, now = tokens.new_token(), rosa.desk.clock.now()
    asked = partial(holder_links.to_confirm, account=rosa.account, email=long, token=token, now=now)
    rosa.desk.database.write(asked)
    async with rosa.logged_in(size) as page:
        assert await page.evaluate(WIDER) == 0
        await page.goto(f"{rosa.desk.address}/confirm/{token}")
        assert await page.evaluate(WIDER) == 0
        await page.get_by_role("button", name="Yes, use this address").click()
        await page.get_by_role("heading", name="Your e-mail address is changed").wait_for()
        assert await page.evaluate(WIDER) == 0
        for path in ("/account", "/"):
            await page.goto(f"{rosa.desk.address}{path}")
            assert await page.evaluate(WIDER) == 0


async def test_the_address_of_another_account_looks_like_any_other(rosa: Holder) -> None:
    other = rosa.desk.second_account(f"other-{rosa.account.email}")
    async with rosa.logged_in() as page:
        part = section(page, "E-mail")
        pages = []
        for email in (other.email, f"free-{rosa.account.email}"):
            await part.get_by_label("New address").fill(email)
            await part.get_by_label("Your password").fill(PASSWORD)
            await part.get_by_role("button", name="Send the link").click()
            await part.get_by_role("status").wait_for()
            pages.append((await part.inner_text()).replace(email, "IT"))
        assert pages[0] == pages[1]
        await _link_in_mail_to(rosa, f"free-{rosa.account.email}")
        assert rosa.mails_to(other.email) == []


async def test_another_password_logs_the_other_browsers_out(rosa: Holder) -> None:
    async with rosa.logged_in() as page, rosa.logged_in(PHONE) as elsewhere:
        part = section(page, "Password")

        async def change(present: str, new: str, again: str) -> None:
            await part.get_by_label("Present password").fill(present)
            await part.get_by_label("New password", exact=True).fill(new)
            await part.get_by_label("New password once more").fill(again)
            await part.get_by_role("button", name="Change the password").click()

        await change(PASSWORD, "short", "short")
        assert "at least 10" in await refuses(part)
        await change(PASSWORD, NEW_PASSWORD, f"{NEW_PASSWORD}!")
        assert await refuses(part) == "The two new passwords are not the same."
        await change("not the password", NEW_PASSWORD, NEW_PASSWORD)
        assert await refuses(part) == "The present password is wrong."
        typed = [await one.input_value() for one in await part.locator("input[type=password]").all()]
        assert typed == ["", "", ""]
        await change(PASSWORD, NEW_PASSWORD, NEW_PASSWORD)
        assert (await says(part)).startswith("Your password is changed.")
        await elsewhere.reload()
        assert elsewhere.url == f"{rosa.desk.address}/login?back=/account"
        await rosa.log_in(elsewhere)
        assert await elsewhere.get_by_role("alert").inner_text() == "E-mail or password is wrong."
        await rosa.log_in(elsewhere, NEW_PASSWORD)
        assert await elsewhere.get_by_role("heading", name="Overview").is_visible()
    await rosa.desk.mail()
    assert "Pamosnik: your password was changed" in rosa.mails_to(rosa.account.email)


async def test_sessions_are_seen_and_ended(rosa: Holder) -> None:
    async with rosa.logged_in() as page, rosa.logged_in() as second, rosa.logged_in(PHONE) as third:
        await page.reload()
        part = section(page, "Where you are logged in")
        assert await part.get_by_role("listitem").count() == 3
        assert await part.get_by_text("this one").count() == 1
        await part.get_by_role("button", name="End the session").first.click()
        assert await says(part) == "The session is ended."
        still_in = []
        for one in (second, third):
            await one.reload()
            still_in.append(one.url == f"{rosa.desk.address}/account")
        assert sorted(still_in) == [False, True]
        await part.get_by_role("button", name="End all others").click()
        assert await says(part) == "All other sessions are ended."
        for one in (second, third):
            await one.reload()
            assert one.url == f"{rosa.desk.address}/login?back=/account"
        assert await part.get_by_role("listitem").count() == 1


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_token_is_shown_once_and_revoked(rosa: Holder, size: tuple[int, int]) -> None:
    async with rosa.logged_in(size) as page:
        part = section(page, "API tokens")

        async def make(name: str, password: str = PASSWORD) -> None:
            await part.get_by_label("Name of a new token").fill(name)
            await part.get_by_label("Your password").fill(password)
            await part.get_by_role("button", name="Make the token").click()

        await make("spreadsheet", "not the password")
        assert await refuses(part) == "The present password is wrong."
        assert await part.get_by_label("Name of a new token").input_value() == "spreadsheet"
        await make("spreadsheet")
        shown = page.get_by_label("Token")
        text = await shown.input_value()
        assert text.startswith("pamo_")
        assert await page.evaluate(WIDER) == 0
        await page.get_by_role("link", name="Back to your account").click()
        assert text not in await page.content()
        assert await part.get_by_text("never used").is_visible()
        await make("spreadsheet")
        assert "There is a token spreadsheet already." in await refuses(part)
        await part.get_by_role("link", name="Revoke spreadsheet").click()
        await page.get_by_role("link", name="Keep it").click()
        await part.get_by_role("link", name="Revoke spreadsheet").click()
        revoke = page.url
        await page.get_by_role("button", name="Revoke it").click()
        assert (await says(part)).startswith("The token is revoked")
        assert await part.get_by_text("There is none yet.").is_visible()
        await page.goto("about:blank")
        await page.goto(revoke)
        assert await refuses(part) == "There is no such token, or not any more."
        told = await part.get_by_role("alert").bounding_box()
        assert told is not None
        assert 0 <= told["y"] < size[1]  # in sight, though far down on the page


async def test_a_test_mail_goes_at_once_or_says_why_not(rosa: Holder) -> None:
    async with rosa.logged_in(PHONE) as page:
        part = section(page, "Mails")
        await part.get_by_role("button", name="Send a test mail").click()
        assert (await says(part)).startswith("The mail server took the test mail.")
        assert rosa.mails_to(rosa.account.email) == ["Pamosnik: a test mail"]
        rosa.desk.box.refuses = lambda line: "550 No such user" if line.startswith("RCPT") else None
        try:
            await part.get_by_role("button", name="Send a test mail").click()
            assert "is refused by the mail server (550)" in await refuses(part)
        finally:
            rosa.desk.box.refuses = takes_all


async def test_after_logging_out_the_back_button_shows_nothing(rosa: Holder) -> None:
    async with rosa.window() as page:
        await rosa.log_in(page)
        await page.get_by_role("link", name="Account").click()
        assert await page.get_by_text(f"Your address is {rosa.account.email}.").is_visible()
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url(f"{rosa.desk.address}/login")
        for _ in range(2):
            await page.go_back()
            assert rosa.account.email not in await page.content()
            assert page.url.partition("?")[0] == f"{rosa.desk.address}/login"


async def test_two_accounts_beside_each_other_keep_apart(rosa: Holder) -> None:
    other = Holder(rosa.desk, rosa.chromium, rosa.desk.second_account(f"max{next(_numbers)}@tulip.example"))
    async with rosa.logged_in() as page, other.logged_in() as beside:
        await section(page, "Name and time zone").get_by_label("Name of your business").fill("Rose")
        await section(page, "Name and time zone").get_by_role("button", name="Save").click()
        await section(page, "API tokens").get_by_label("Name of a new token").fill("of-rosa")
        await section(page, "API tokens").get_by_label("Your password").fill(PASSWORD)
        await section(page, "API tokens").get_by_role("button", name="Make the token").click()
        await page.get_by_role("link", name="Back to your account").click()
        await section(page, "API tokens").get_by_role("link", name="Revoke of-rosa").click()
        foreign = page.url
        await beside.reload()
        seen = await beside.content()
        assert [one for one in ("Rose", "of-rosa", rosa.account.email) if one in seen] == []
        assert await section(beside, "Where you are logged in").get_by_role("listitem").count() == 1
        await beside.goto(foreign)
        assert await refuses(section(beside, "API tokens")) == "There is no such token, or not any more."
        assert "of-rosa" not in await beside.content()
