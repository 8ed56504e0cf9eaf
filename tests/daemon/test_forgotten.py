"""A forgotten password and a new e-mail address, by links in mails, over real HTTP and SMTP."""

import asyncio
import base64
import hashlib
import re
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.security import passwords, tokens
from pamosnik.services import holder_links, throttle
from pamosnik.store import accounts, sessions
from pamosnik.store.accounts import Account
from tests.daemon.front_desk import Browser, FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD

pytestmark = pytest.mark.anyio

NEW = "four other random words"
OTHER = "anna@other.example"


async def _asks(desk: FrontDesk, browser: Browser, email: str = EMAIL) -> None:
    assert (await browser.post("/forgot", email=email)).leads_to == "/forgot?asked"
    desk.later(seconds=5)


async def _link(desk: FrontDesk, number: int = 0) -> str:
    """The path of the link in this mail."""
    found = re.search(rf"^{re.escape(desk.address)}(/\S+)$", await desk.mail(number), re.MULTILINE)
    assert found is not None
    return found.group(1)


def _reset_link(desk: FrontDesk, account: Account | None = None) -> str:
    """Without the mail."""
    token, account = tokens.new_token(), account or desk.account
    desk.database.write(partial(holder_links.to_reset, account=account, token=token, now=desk.clock.now()))
    return f"/reset/{token}"


def _confirm_link(desk: FrontDesk, email: str) -> str:
    token = tokens.new_token()
    store = partial(holder_links.to_confirm, account=desk.account, email=email, token=token)
    desk.database.write(partial(store, now=desk.clock.now()))
    return f"/confirm/{token}"


async def test_who_forgot_the_password_gets_a_link_sets_a_new_one_and_logs_in(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        elsewhere, browser = desk.browser(), desk.browser(Host="evil.example")
        await elsewhere.log_in()
        assert "/forgot" in (await browser.get("/login")).text
        await _asks(desk, browser)
        asked = await browser.get("/forgot?asked")
        assert "If an account has this e-mail address" in asked.text
        assert EMAIL not in asked.text
        path = await _link(desk)
        other = _reset_link(desk)
        for _ in range(3):  # a mail program looks at it
            assert (await browser.get(path)).status == 200
        assert await elsewhere.is_in()
        for new, again, problem in (
            ("short", "short", "The password has 5 characters; it needs at least 10."),
            (NEW, f"{NEW}!", "The two passwords are not the same."),
            ("", "", "The password is empty."),
        ):
            refused = await browser.post(path, new=new, again=again)
            assert refused.status == 422
            assert (refused.problem or "").startswith(problem)
            assert NEW not in refused.text
        done = await browser.post(path, new=NEW, again=NEW)
        assert done.leads_to == "/login?password-changed"
        assert "Your password is changed." in (await browser.get("/login?password-changed")).text
        assert not await elsewhere.is_in()
        assert (await elsewhere.log_in()).status == 401
        # The link, and every other one, is used up.
        for used in (path, other):
            assert (await browser.get(used)).status == 404
            late = await browser.post(used, new=f"{NEW}!", again=f"{NEW}!")
            assert (late.status, "of no use" in late.text) == (404, True)
            assert 'just set a new password with it: <a href="/login">' in late.text  # a second click
        assert (await browser.log_in(password=NEW)).status == 303
        changed = await desk.mail(1)
        assert "was changed on 2026-11-30 10:00 (Europe/Warsaw)" in changed
        assert desk.box.received[1].readers == (EMAIL,)
        assert desk.actions()[-2:] == ["password changed", "login"]


async def test_a_new_password_makes_other_browsers_strangers_and_this_one_known(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        thief, holder = desk.browser(), desk.browser()
        await thief.log_in()
        path = _reset_link(desk)
        await holder.post(path, new=NEW, again=NEW)
        for _ in range(5):
            take = partial(throttle.take, limit=throttle.LOGIN, subject=EMAIL, now=desk.clock.now())
            desk.database.write(take)
        assert (await thief.log_in(password=NEW)).status == 429
        assert (await holder.log_in(password=NEW)).status == 303


async def test_a_new_password_is_told_to_whoever_is_logged_in_to_another_account(tmp_path: Path) -> None:
    """They would stand on the first page of the other one, and take it for theirs."""
    async with front_desk(tmp_path) as desk:
        second = desk.second_account(OTHER)
        browser = desk.browser()
        await browser.log_in()
        assert (await browser.get("/login")).leads_to == "/"
        done = await browser.post(_reset_link(desk, second), new=NEW, again=NEW)
        assert done.leads_to is not None
        assert "Your password is changed." in (await browser.get(done.leads_to)).text
        assert (await browser.log_in(OTHER, NEW)).leads_to == "/"
        assert second.name in (await browser.get("/")).text


async def test_a_link_is_for_one_use_however_many_come_at_once(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        path = _reset_link(desk)
        words = [f"random words number {n}" for n in range(4)]
        answers = await asyncio.gather(*(desk.browser().post(path, new=word, again=word) for word in words))
        assert sorted(answer.status for answer in answers) == [303, 404, 404, 404]
        (won,) = (word for word, answer in zip(words, answers, strict=True) if answer.status == 303)
        assert (await desk.browser().log_in(password=won)).status == 303


async def test_nobody_learns_who_has_an_account(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser = desk.browser()
        for number in range(4):
            known = await browser.post("/forgot", email=EMAIL)
            unknown = await browser.post("/forgot", email="nobody@shop.example")
            assert known.status == unknown.status == (303 if number < 3 else 429)
            assert known.leads_to == unknown.leads_to
            assert known.text.replace(EMAIL, "") == unknown.text.replace("nobody@shop.example", "")
        assert known.headers["Retry-After"] == unknown.headers["Retry-After"] == "3600"
        assert known.problem == "Links were asked for too often. Try again in 60 minutes."
        desk.later(seconds=5)
        await desk.mail(2)
        assert [mail.readers for mail in desk.box.received] == [(EMAIL,)] * 3
        # A server that does not answer changes nothing of the answer.
        await desk.box.stop()
        desk.later(hours=1)
        await _asks(desk, browser)
        # Thirty in all; a browser that was there before has its own count.
        holder = desk.browser()
        await holder.log_in()
        for number in range(29):
            take = partial(throttle.take, limit=throttle.MAIL, subject=f"{number}", now=desk.clock.now())
            desk.database.write(take)
        assert (await browser.post("/forgot", email="somebody@shop.example")).status == 429
        assert (await holder.post("/forgot", email=EMAIL)).status == 303


async def test_links_end_after_their_time_and_wrong_ones_are_told_alike(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser, reset, confirm = desk.browser(), _reset_link(desk), _confirm_link(desk, OTHER)
        swapped = (reset.replace("/reset/", "/confirm/"), confirm.replace("/confirm/", "/reset/"))
        pages = {
            (await browser.get(path)).text for path in (swapped[1], "/reset/x", f"{reset}x", "/reset/%00")
        }
        assert len(pages) == 1
        assert (await browser.get(swapped[0])).status == 404
        desk.later(minutes=59)
        assert (await browser.get(reset)).status == 200
        desk.later(minutes=1)
        assert {(await browser.get(reset)).text} == pages
        assert (await browser.post(reset, new=NEW, again=NEW)).status == 404
        desk.later(hours=22, minutes=59)
        assert (await browser.get(confirm)).status == 200
        desk.later(minutes=1)
        assert (await browser.post(confirm)).status == 404
        assert desk.account.email == EMAIL
        assert (await browser.log_in()).status == 303


async def test_without_a_mail_server_the_page_says_where_a_password_is_reset(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        for page in (await desk.browser().get("/forgot"), await desk.browser().post("/forgot", email=EMAIL)):
            assert page.status == 200
            assert "pamosnik accounts passwd" in page.text
            assert "<form" not in page.text


async def test_a_new_address_counts_when_its_reader_says_yes(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser, path = desk.browser(), _confirm_link(desk, "rosa@new.example")
        reset = _reset_link(desk)
        for _ in range(2):
            asked = await browser.get(path)
            assert (asked.status, "rosa@new.example" in asked.text) == (200, True)
        assert desk.account.email == EMAIL
        assert (await browser.post(path, {"Sec-Fetch-Site": "cross-site"})).status == 403
        done = await browser.post(path)
        assert (done.status, "Your e-mail address is changed" in done.text) == (200, True)
        assert desk.account.email == "rosa@new.example"
        assert (await browser.post(path)).status == 404
        assert (await browser.get(reset)).status == 404, "it went to the old address"
        assert EMAIL in await desk.mail()
        assert desk.box.received[0].readers == (EMAIL,)
        assert (await browser.log_in("rosa@new.example")).status == 303
        assert (await browser.log_in(EMAIL)).status == 401


async def test_an_address_that_became_another_accounts_is_not_told(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser, path = desk.browser(), _confirm_link(desk, OTHER)
        useless = (await browser.get("/confirm/x")).text
        desk.second_account(OTHER)
        answer = await browser.post(path)
        assert (answer.status, answer.text) == (404, useless)
        assert (await browser.get(path)).text == useless
        assert desk.account.email == EMAIL


async def test_tokens_and_addresses_are_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with front_desk(tmp_path) as desk:
        browser = desk.browser()
        await _asks(desk, browser)
        await _asks(desk, browser, "nobody@shop.example")
        path = await _link(desk)
        await browser.get(path)
        await browser.get(f"{path}x")
        await browser.post(path, new=NEW, again=NEW)
        await browser.log_in(password="a wrong password")
        await desk.mail(1)
        said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
        for secret in (path.rpartition("/")[2], EMAIL, "nobody@shop.example", NEW, "a wrong password"):
            assert secret not in said
        (stored,) = desk.conn.execute("SELECT group_concat(quote(token_hash)) FROM mailed_links").fetchone()
        assert stored is None


async def test_a_password_is_hashed_anew_at_login_when_the_figure_has_risen(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        old = _with_rounds(PASSWORD, 1000)

        def put(conn: Connection) -> None:
            accounts.set_password_hash(conn, desk.account.id, old)

        desk.database.write(put)
        assert (await desk.browser().log_in(password="a wrong password")).status == 401
        assert accounts.password_hash(desk.conn, desk.account.id) == old
        assert (await desk.browser().log_in()).status == 303
        for _ in range(500):
            stored = accounts.password_hash(desk.conn, desk.account.id)
            if stored != old:
                break
            await asyncio.sleep(0.01)
        assert not passwords.needs_rehash(stored)
        assert (await desk.browser().log_in()).status == 303
        assert len(sessions.of_account(desk.conn, desk.account.id, desk.clock.now())) == 2


def _with_rounds(password: str, rounds: int) -> str:
    salt = b"s" * 16
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    return f"pbkdf2_sha256${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
