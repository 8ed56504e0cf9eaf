"""The account's page, asked for what no browser sends: forms without their token, ids of others, too many tries."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from pamosnik.services import accounts, api_tokens
from pamosnik.store import mailed_links
from pamosnik.store.mailed_links import Purpose
from tests.daemon.front_desk import Answer, Browser, FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD

pytestmark = pytest.mark.anyio

TOO_LATE = "/login?form-too-late&back=/account"
NEW_PASSWORD = "horse battery staple correct"
FORMS = {
    "details": {"name": "Other", "timezone": "UTC"},
    "email": {"email": "new@shop.example", "present": PASSWORD},
    "email/keep": {},
    "password": {"present": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD},
    "sessions/end": {},
    "sessions/end-others": {},
    "tokens": {"name": "script", "present": PASSWORD},
    "tokens/01ABC": {},
    "mail": {},
}
NO_SESSION = "There is no such session, or not any more."
NO_TOKEN = "There is no such token, or not any more."


class Holder:
    """Somebody who is logged in, and sends forms as the page would."""

    def __init__(self, browser: Browser, csrf: str) -> None:
        self.browser = browser
        self.csrf = csrf

    async def post(self, path: str, **form: str) -> Answer:
        return await self.browser.post(f"/account/{path}", {}, csrf=self.csrf, **form)

    async def told(self, answer: Answer) -> str:
        """What the page says that the answer leads to."""
        assert answer.status == 303
        assert answer.leads_to is not None
        page = await self.browser.get(answer.leads_to.partition("#")[0])
        return page.text.partition('role="status">')[2].partition("<")[0]


async def holder(desk: FrontDesk, email: str = EMAIL) -> Holder:
    browser = desk.browser()
    await browser.log_in(email)
    return Holder(browser, await browser.csrf("/account"))


def stored(desk: FrontDesk) -> list[object]:
    """What forms could change."""
    tables = ("accounts", "sessions", "api_tokens", "mailed_links", "audit")
    return [desk.conn.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


async def test_only_the_page_itself_can_send_its_forms(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa, max_ = await holder(desk), desk.second_account("max@shop.example")
        other = await holder(desk, max_.email)
        before = stored(desk)
        for path, form in FORMS.items():
            without = await rosa.browser.post(f"/account/{path}", {}, **form)
            of_another = await rosa.browser.post(f"/account/{path}", {}, csrf=other.csrf, **form)
            elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
            foreign = await rosa.browser.post(f"/account/{path}", elsewhere, csrf=rosa.csrf, **form)
            assert [one.status for one in (without, of_another, foreign)] == [403] * 3, path
            nobody = await desk.browser().post(f"/account/{path}", {}, csrf=rosa.csrf, **form)
            assert (nobody.status, nobody.leads_to) == (303, TOO_LATE), path
            asked = await rosa.browser.get(f"/account/{path}")
            assert asked.leads_to == "/account" or asked.problem == NO_TOKEN, path
        assert stored(desk) == before
        assert desk.box.received == []


async def test_sessions_and_tokens_of_others_are_nobodys(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa, max_ = await holder(desk), desk.second_account("max@shop.example")
        other, now = await holder(desk, max_.email), desk.clock.now()
        (session,) = accounts.sessions(desk.conn, max_.id, now)
        made = desk.database.write(
            lambda conn: api_tokens.create(conn, max_.id, "of-max", actor="command", now=now)
        )
        before = stored(desk)
        for wanted in (session.id, "01KNOWNTONOBODY", "", "'; --"):
            refused = await rosa.post("sessions/end", session=wanted)
            assert (refused.status, refused.problem) == (404, NO_SESSION)
        for wanted in (made[0].id, "of-max", "01KNOWNTONOBODY"):
            for refused in (
                await rosa.browser.get(f"/account/tokens/{wanted}"),
                await rosa.post(f"tokens/{wanted}"),
            ):
                assert (refused.status, refused.problem) == (404, NO_TOKEN)
                assert "of-max" not in refused.text
        await rosa.post("sessions/end-others")
        assert stored(desk) == before
        assert await other.browser.is_in()


async def test_ending_the_own_session_logs_out(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await holder(desk)
        (session,) = accounts.sessions(desk.conn, desk.account.id, desk.clock.now())
        await rosa.post("sessions/end", session=session.id)
        assert not await rosa.browser.is_in()
        # A form that is sent all the same is not lost without a word.
        late = await rosa.post("details", name="Rosa and sons", timezone="UTC")
        assert late.leads_to == TOO_LATE
        assert "what you sent last came in: it was not taken" in (await rosa.browser.get(TOO_LATE)).text
        assert desk.account.name == "Rosa"
        await rosa.browser.log_in()
        assert (await rosa.browser.get(TOO_LATE)).leads_to == "/account"


async def test_who_guesses_the_password_at_an_open_browser_has_to_wait(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa, asked = await holder(desk), ("email", "password", "tokens")
        for path in (*asked, "email", "tokens"):
            wrong = await rosa.post(path, **{**FORMS[path], "present": "not the password"})
            assert (wrong.status, wrong.problem) == (422, "The present password is wrong.")
            assert "not the password" not in wrong.text
        before = stored(desk)
        for path in asked:
            slowed = await rosa.post(path, **FORMS[path])
            assert slowed.status == 429
            assert slowed.problem == "Too many wrong passwords. Try again in 15 minutes."
            assert slowed.headers["Retry-After"] == "900"
        assert stored(desk) == before
        # Whoever knows the password can still log in elsewhere.
        assert (await desk.browser().log_in()).leads_to == "/"
        desk.later(minutes=16)
        assert (await rosa.post("tokens", **FORMS["tokens"])).status == 200


async def test_what_is_refused_says_why_and_changes_nothing(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await holder(desk)
        before = stored(desk)
        for path, form, problem in (
            ("details", {"name": "", "timezone": "UTC"}, "The name is empty."),
            ("details", {"name": "Rosa\nBcc: x", "timezone": "UTC"}, "cannot be seen"),
            ("details", {"name": "Rosa", "timezone": "warsaw"}, "Unknown time zone: warsaw"),
            ("details", {}, "The name is empty."),
            ("email", {"email": "x" * 400, "present": PASSWORD}, "it can have 254"),
            ("email", {}, "This is no e-mail address"),
            ("password", {"present": PASSWORD, "new": "aaaaaaaaaaaaaaa", "again": "a"}, "repeats"),
            ("password", {}, "The password is empty."),
            ("password", {"present": PASSWORD, "new": "short", "again": "short"}, "at least 10"),
            (
                "password",
                {"present": PASSWORD, "new": PASSWORD, "again": PASSWORD},
                "has this password already",
            ),
            ("tokens", {"name": "", "present": PASSWORD}, "1 to 60 characters"),
            ("tokens", {"name": "pamo_x", "present": PASSWORD}, "cannot begin with"),
        ):
            refused = await rosa.post(path, **form)
            assert refused.status == 422, (path, form)
            assert problem in (refused.problem or ""), (path, form)
        assert stored(desk) == before
        assert desk.box.received == []


async def test_a_copy_of_the_cookies_is_of_no_use_after_another_password(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa, thief = await holder(desk), desk.browser()
        thief.cookies.update(rosa.browser.cookies)
        assert await thief.is_in()
        await rosa.post("password", **FORMS["password"])
        assert not await thief.is_in()
        assert await rosa.browser.is_in()
        # The browser is still known: strangers' guesses do not keep it out.
        for _ in range(5):
            await desk.browser().log_in(EMAIL, "not the password")
        assert (await desk.browser().log_in(EMAIL, NEW_PASSWORD)).status == 429
        assert (await rosa.browser.log_in(EMAIL, NEW_PASSWORD)).leads_to == "/"


@pytest.mark.parametrize("path", ["password", "tokens", "email"])
async def test_who_is_logged_out_while_the_password_is_compared_changes_nothing(
    tmp_path: Path, path: str
) -> None:
    async with front_desk(tmp_path) as desk:
        thief = await holder(desk)
        sent = asyncio.create_task(thief.post(path, **FORMS[path]))
        await desk.compares_a_password()
        end = partial(accounts.end_all_sessions, account_id=desk.account.id, actor="page")
        desk.database.write(lambda conn: end(conn, now=desk.clock.now()))
        before = stored(desk)
        answer = await sent
        assert (answer.status, answer.leads_to) == (303, TOO_LATE)
        assert stored(desk) == before


async def test_every_change_is_in_the_audit(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa, other = await holder(desk), await holder(desk)
        begun = len(desk.actions())
        await rosa.post("details", name="Rosa and sons", timezone="Asia/Tokyo")
        await rosa.post("email", email="new@shop.example", present=PASSWORD)
        await rosa.post("email/keep")
        await rosa.post("sessions/end-others")
        await rosa.post("tokens", name="script", present=PASSWORD)
        (token,) = api_tokens.listed(desk.conn, desk.account.id)
        await rosa.post(f"tokens/{token['id']}")
        await rosa.post("password", present=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
        assert desk.actions()[begun:] == [
            "account changed",
            "another e-mail asked for",
            "another e-mail taken back",
            "sessions ended",
            "api token made",
            "api token revoked",
            "password changed",
        ]
        noted = desk.conn.execute("SELECT actor, subject FROM audit").fetchall()
        assert "new@shop.example" not in str(noted)
        assert not await other.browser.is_in()


async def test_an_address_taken_back_waits_no_more(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await holder(desk)
        for path, waiting in (("email", "new@shop.example"), ("email/keep", None)):
            await rosa.post(path, **FORMS[path])
            now = desk.clock.now()
            found = mailed_links.waiting(desk.conn, desk.account.id, Purpose.CONFIRM_EMAIL, now)
            assert found == waiting


async def test_mails_that_are_asked_for_are_counted(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await holder(desk)
        for _ in range(6):
            assert (await rosa.told(await rosa.post("mail"))).startswith(
                "The mail server took the test mail."
            )
        for path in ("mail", "email"):
            slowed = await rosa.post(path, **FORMS[path])
            assert (slowed.status, slowed.problem) == (429, "Enough mails for now. Try again in 60 minutes.")
        assert desk.box.subjects == ["Pamosnik: a test mail"] * 6


async def test_without_a_mail_server_the_page_says_what_to_do(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        rosa = await holder(desk)
        page = (await rosa.browser.get("/account")).text
        assert f"pamosnik accounts set --account {EMAIL} --email NEW" in page
        assert "PAMOSNIK_SMTP_URL" in page
        for path in ("mail", "email"):
            refused = await rosa.post(path, **FORMS[path])
            assert refused.status == 422
            assert "No mail server is set" in (refused.problem or "")
        changed = await rosa.post("password", **FORMS["password"])
        assert (await rosa.told(changed)).startswith("Your password is changed.")


async def test_over_https_what_is_said_travels_over_https_only(tmp_path: Path) -> None:
    async with front_desk(tmp_path, public_url="https://shop.example") as desk:
        browser = desk.browser(Host="shop.example")
        await browser.log_in()
        rosa = Holder(browser, await browser.csrf("/account"))
        saved = await rosa.post("details", name="Rosa", timezone="UTC")
        assert saved.leads_to == "/account#details"
        (cookie,) = saved.cookies
        assert [one.strip() for one in cookie.split(";")] == [
            "pamosnik_done=details",
            "HttpOnly",
            "Max-Age=60",
            "Path=/account",
            "SameSite=strict",
            "Secure",
        ]
        assert await rosa.told(saved) == "Saved."
        assert "pamosnik_done" not in browser.cookies


async def test_what_the_page_says_comes_from_us(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await holder(desk)
        rosa.browser.cookies["pamosnik_done"] = "Your-money-is-gone"
        assert 'role="status"' not in (await rosa.browser.get("/account")).text


async def test_the_page_of_a_new_token_is_kept_nowhere(tmp_path: Path) -> None:
    async with front_desk(tmp_path, public_url="https://shop.example") as desk:
        rosa = await holder(desk)
        made = await rosa.post("tokens", **FORMS["tokens"])
        text = made.text.partition(">pamo_")[2].partition("<")[0]
        assert made.headers["Cache-Control"] == "no-store"
        assert api_tokens.of_request(desk.conn, f"pamo_{text}") is not None
        assert text not in (await rosa.browser.get("/account")).text


async def test_where_alerts_of_the_installation_go_names_no_other_account(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        first = await holder(desk)
        other = await holder(desk, desk.second_account("max@shop.example").email)
        assert "come to you, too" in (await first.browser.get("/account")).text
        page = (await other.browser.get("/account")).text
        assert "go to whoever runs it" in page
        assert EMAIL not in page
