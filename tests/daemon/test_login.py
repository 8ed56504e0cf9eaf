"""Logging in and out over real HTTP: cookies, forms from elsewhere, guesses, and how long a login holds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pamosnik.daemon import browsers
from pamosnik.security import passwords
from pamosnik.services import accounts, throttle, visits
from pamosnik.store import sessions
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD

pytestmark = pytest.mark.anyio

WRONG = "E-mail or password is wrong."
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


def _sessions(desk: FrontDesk) -> list[sessions.Session]:
    return sessions.of_account(desk.conn, desk.account.id, desk.clock.now())


async def test_a_login_gives_a_session_and_a_logout_ends_it(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser = desk.browser(User_Agent=FIREFOX)
        assert (await browser.get("/")).leads_to == "/login"
        answer = await browser.log_in()
        assert (answer.status, answer.leads_to) == (303, "/")
        session, known = answer.cookies
        assert session.startswith("pamosnik_session=")
        assert known.startswith("pamosnik_browser=")
        for cookie in answer.cookies:
            assert cookie.split("; ")[1::2] == ["HttpOnly", "Path=/"]
            assert cookie.endswith("; SameSite=lax")  # not Secure: here it is http
        (one,) = _sessions(desk)
        assert one.browser == "Firefox on Android"
        assert one.id not in browser.cookies["pamosnik_session"]
        assert (await browser.get("/login")).leads_to == "/"
        # A second login of the same browser takes the place of the first.
        before = dict(browser.cookies)
        await browser.log_in()
        assert browser.cookies["pamosnik_session"] != before["pamosnik_session"]
        assert browser.cookies["pamosnik_browser"] == before["pamosnik_browser"]
        old = desk.browser()
        old.cookies = before
        assert not await old.is_in()
        out = await browser.post("/logout", csrf=await browser.csrf())
        assert out.leads_to == "/login"
        assert not await browser.is_in()
        assert _sessions(desk) == []
        assert desk.actions()[-3:] == ["login", "login", "logout"]


WANTED = {
    "/": "/",
    "/people.csv": "/",
    "/account": "/account",
    "/account/data": "/account/data",
    "/account/data/people/01ARZ3NDEKTSV4RRFFQ69G5FAV": "/account/data",
    "/account/data/progress": "/account/data/progress",
    "/account/legal/terms": "/account/legal",
}
ELSEWHERE = (
    "//evil.example",
    "https://evil.example/account",
    "/accounts",
    "account",
    "/account%0d%0aX:1",
    "/events//evil.example",
    "/events/..",
    "/people/x?told=y",
    "",
)


async def test_a_login_leads_back_to_the_page_that_was_wanted_and_nowhere_else(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser = desk.browser()
        for wanted, shown in WANTED.items():
            login = (await browser.get(wanted)).leads_to
            assert login == ("/login" if shown == "/" else f"/login?back={shown}")
            assert f'action="{login}"' in (await browser.get(login)).text
        for elsewhere in ELSEWHERE:
            assert 'action="/login"' in (await browser.get(f"/login?back={elsewhere}")).text, elsewhere
        login = "/login?back=/events/01ARZ3NDEKTSV4RRFFQ69G5FAV"
        assert f'action="{login}"' in (await browser.get(login)).text
        login = "/login?back=/account/data"
        wrong = await browser.post(login, email=EMAIL, password="not the password")
        assert f'action="{login}"' in wrong.text
        assert (await browser.post(login, email=EMAIL, password=PASSWORD)).leads_to == "/account/data"
        assert (await browser.get(login)).leads_to == "/account/data"
        assert (await browser.get("/login?back=//evil.example")).leads_to == "/"


class _Threads(ThreadPoolExecutor):
    """Those of the loop; how many of them compared passwords at once."""

    comparing = most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        future = super().submit(fn, *args, **named)
        if passwords.check_password in getattr(fn, "args", ()):
            self.comparing += 1
            self.most = max(self.most, self.comparing)
            future.add_done_callback(self._compared)
        return future

    def _compared(self, _: Future[Any]) -> None:
        self.comparing -= 1


async def test_two_passwords_are_compared_at_a_time(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        threads = _Threads()
        asyncio.get_running_loop().set_default_executor(threads)
        answers = await asyncio.gather(*(desk.browser().log_in() for _ in range(4)))
        assert [answer.status for answer in answers] == [303] * 4
        assert threads.most == 2


async def test_over_https_the_cookies_are_for_https_and_this_host_alone(tmp_path: Path) -> None:
    async with front_desk(tmp_path, public_url="https://pamosnik.shop.example") as desk:
        outside = desk.browser(Host="pamosnik.shop.example")
        answer = await outside.log_in()
        names = [cookie.partition("=")[0] for cookie in answer.cookies]
        assert names == ["__Host-pamosnik_session", "__Host-pamosnik_browser"]
        assert all(cookie.endswith("; SameSite=lax; Secure") for cookie in answer.cookies)
        assert await outside.is_in()
        # What a neighbouring host or a page without encryption could set is not looked at.
        tossed = desk.browser(Host="pamosnik.shop.example")
        tossed.cookies["pamosnik_session"] = outside.cookies["__Host-pamosnik_session"]
        assert not await tossed.is_in()
        # Beside the tunnel, on the machine itself, it is http.
        here = desk.browser()
        assert (await here.log_in()).cookies[0].startswith("pamosnik_session=")
        assert await here.is_in()


async def test_nobody_is_let_in_with_a_session_of_their_own_making(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser = desk.browser()
        browser.cookies["pamosnik_session"] = "a" * 43
        await browser.log_in()
        assert browser.cookies["pamosnik_session"] != "a" * 43
        for value in (
            "",
            '"',
            "x" * 6_000,
            "a=b=c",
            "\xff\xfe",
            "%00",
            browser.cookies["pamosnik_session"][:-1],
        ):
            stranger = desk.browser()
            stranger.cookies["pamosnik_session"] = value
            stranger.cookies["pamosnik_browser"] = value
            assert (await stranger.get("/")).leads_to == "/login", value[:20]
        assert (await desk.browser(Cookie="; ; =; pamosnik_session; =x").get("/")).leads_to == "/login"


async def test_forms_from_elsewhere_are_refused(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser = desk.browser()
        elsewhere = (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": f"{desk.address}0"},
        )
        for headers in elsewhere:
            answer = await browser.post("/login", headers, email=EMAIL, password=PASSWORD)
            assert (answer.status, answer.cookies) == (403, ()), headers
            assert "Nothing was changed" in answer.text
        assert desk.conn.execute("SELECT count(*) FROM login_attempts").fetchone() == (0,)
        await browser.log_in()
        token = await browser.csrf()
        for headers in elsewhere:
            assert (await browser.post("/logout", headers, csrf=token)).status == 403, headers
        # From our own page, but without the token of this session.
        other = desk.browser()
        await other.log_in()
        for wrong in ("", token[:-1], "é", await other.csrf(), browser.cookies["pamosnik_session"]):
            assert (await browser.post("/account/sessions/end-others", csrf=wrong)).status == 403, wrong
        assert (await browser.post("/account/sessions/end-others")).status == 403
        assert await other.is_in()
        # Without a session there is nothing to refuse.
        assert (await desk.browser().post("/logout", csrf=token)).leads_to == "/login"
        own = {"Origin": desk.address, "Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/account/sessions/end-others", own, csrf=token)).status == 303
        assert not await other.is_in()
        # Whoever wants to leave may, also from a page that is out of date.
        assert (await browser.post("/logout", own)).leads_to == "/login"
        assert not await browser.is_in()


async def test_guesses_are_counted_before_they_are_looked_at(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Thirty at the same moment are five, and one line in the log."""
    async with front_desk(tmp_path) as desk:
        guesses = [desk.browser().log_in(EMAIL.upper() if n % 2 else EMAIL, f"guess {n}") for n in range(30)]
        answers = await asyncio.gather(*guesses)
        assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 25
        assert {answer.problem for answer in answers} == {
            WRONG,
            "Too many failed attempts. Try again in 15 minutes.",
        }
        assert _told_of_guesses(caplog) == 1
        desk.later(minutes=5)
        refused = await desk.browser().log_in()
        assert (refused.status, refused.headers["Retry-After"]) == (429, "600")
        assert _told_of_guesses(caplog) == 2
        assert refused.problem == "Too many failed attempts. Try again in 10 minutes."
        assert (await desk.browser().log_in("somebody@else.example", "x")).status == 401
        desk.later(minutes=10)
        assert (await desk.browser().log_in()).status == 303


def _told_of_guesses(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.__dict__.get("action") == "login.throttled" for record in caplog.records)


async def test_a_form_without_a_password_is_no_guess(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        for form in ({}, {"email": EMAIL}, {"email": " ", "password": PASSWORD}):
            answer = await desk.browser().post("/login", None, **form)
            assert (answer.status, answer.problem) == (401, WRONG)
        assert desk.conn.execute("SELECT * FROM login_attempts").fetchall() == []


async def test_strangers_who_guess_do_not_lock_out_a_browser_that_was_there_before(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        known = desk.browser()
        await known.log_in()
        other = desk.second_account()
        for limit, subject in ((throttle.LOGIN, EMAIL), (throttle.LOGIN, other.email)):
            for _ in range(limit.each):
                take = partial(throttle.take, limit=limit, subject=subject, now=desk.clock.now())
                assert isinstance(desk.database.write(take), int)
        stranger = desk.browser()
        stranger.cookies["pamosnik_browser"] = "a" * 43
        assert (await stranger.log_in()).status == 429
        assert (await known.log_in()).status == 303
        # It is known to its own account alone, and to another as soon as somebody logs in there.
        assert (await known.log_in(other.email)).status == 429
        # And it has a count of its own.
        assert (await known.log_in(password="a guess")).status == 401
        for _ in range(4):
            begin = partial(visits.begin, email=EMAIL, browser=known.cookies["pamosnik_browser"])
            assert isinstance(desk.database.write(partial(begin, now=desk.clock.now())), visits.Attempt)
        assert (await known.log_in()).status == 429
        desk.later(minutes=15)
        for email in (EMAIL, other.email, EMAIL):
            assert (await known.log_in(email)).status == 303


async def test_a_hundred_failures_in_all_are_enough(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        for number in range(100):
            subject = f"nobody{number}@shop.example"
            desk.database.write(
                partial(throttle.take, limit=throttle.LOGIN, subject=subject, now=desk.clock.now())
            )
        assert (await desk.browser().log_in()).status == 429
        desk.later(minutes=15)
        assert (await desk.browser().log_in()).status == 303


async def test_a_login_holds_while_it_is_used_and_ends_after_ninety_days(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        used, left = desk.browser(), desk.browser()
        await used.log_in()
        await left.log_in()
        for _ in range(6):
            desk.later(days=13)
            assert await used.is_in()
        assert not await left.is_in()
        (one,) = _sessions(desk)
        assert one.expires_at == one.created_at + timedelta(days=90)
        desk.later(days=11, hours=23)
        assert await used.is_in()
        desk.later(hours=1)
        assert not await used.is_in()


async def test_last_seen_is_written_every_few_minutes_at_most(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        browser = desk.browser()
        await browser.log_in()
        begun = desk.clock.now()
        desk.later(minutes=4)
        await browser.get("/")
        assert _sessions(desk)[0].last_seen_at == begun
        desk.later(minutes=2)
        await browser.get("/")
        assert _sessions(desk)[0].last_seen_at == begun + timedelta(minutes=6)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        (FIREFOX, "Firefox on Android"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
            " Safari/537.36 Edg/142.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/18.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
            " Safari/605.1.15",
            "Safari on Mac",
        ),
        ("curl/8.9.1", "curl"),
        ("<script>alert(1)</script>", ""),
        ("Something (Windows)", "Windows"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_a_browser_is_called(said: str | None, label: str) -> None:
    assert browsers.label(said) == label


async def test_a_password_that_is_changed_while_it_is_compared_lets_nobody_in(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        login = asyncio.create_task(desk.browser().log_in())
        await desk.compares_a_password()
        change = partial(accounts.set_password, account_id=desk.account.id, password_hash="of another one")
        desk.database.write(
            lambda conn: change(conn, but_session=None, actor="command", now=desk.clock.now())
        )
        answer = await login
        assert (answer.status, answer.problem, answer.cookies) == (401, WRONG, ())
        assert _sessions(desk) == []
        assert desk.actions()[-1] == "password changed"
