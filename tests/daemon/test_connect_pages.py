"""Login with Instagram, from the address to the connection: the sandbox is Instagram, all of it over HTTP."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pamosnik.sandbox import rules
from pamosnik.security import tokens
from pamosnik.services.instagram_login import CALLBACK, PATH
from pamosnik.store import consents, instagram_logins
from pamosnik.store.consents import How, What
from tests.daemon.front_desk import START, Answer
from tests.daemon.with_instagram import desk_with_instagram

pytestmark = pytest.mark.anyio

SHOP = "rosas_shop"
DONE = f"{PATH}/done"


def _words(answer: Answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


# --- the way there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("flat", [True, False], ids=["flat answers", "answers in data"])
async def test_a_printed_address_connects_one_account(tmp_path: Path, *, flat: bool) -> None:
    async with desk_with_instagram(tmp_path) as at:
        at.sandbox.world.behaviour = replace(at.sandbox.world.behaviour, flat_code_exchange=flat)
        address, browser = at.address(), at.desk.browser()
        page = await at.log_in(browser, address)
        assert page.status == 200
        assert f"@{SHOP} is connected" in _words(page)
        assert f"the flows of {at.desk.account.name} may read" in _words(page)
        (connected,) = at.connected()
        assert (connected.ig_id, connected.asid) == (at.shop.ig_id, at.shop.asid)
        assert connected.scopes == rules.SCOPES[: len(connected.scopes)]
        assert connected.token_expires_at == START + rules.LONG_TOKEN_LIFE
        assert at.sandbox.world.accounts[at.shop.ig_id].subscribed_fields
        (connect,) = [
            one
            for one in consents.of_account(at.desk.conn, at.desk.account.id, 9)
            if one.what is What.CONNECT
        ]
        assert connect.how == How.COMMAND
        # Used up: for everybody else, and for this browser.
        for another in (at.desk.browser(), browser):
            again = await another.get(address)
            assert again.status == 404
            assert "served its purpose" in _words(again)


async def test_whoever_is_logged_in_begins_at_the_page(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        browser = at.desk.browser()
        asked = await browser.get(PATH)
        assert (asked.status, asked.leads_to) == (303, f"/login?back={PATH}")
        assert asked.leads_to is not None
        let_in = await browser.post(
            asked.leads_to, email=at.desk.account.email, password="three random words"
        )
        assert let_in.leads_to == PATH
        page = await at.log_in(browser, PATH)
        assert f"@{SHOP} is connected" in _words(page)
        assert "To the overview" in _words(page)
        assert {one.how for one in consents.of_account(at.desk.conn, at.desk.account.id, 9)} >= {How.PAGE}


async def test_the_redirect_address_is_the_public_one_exactly(tmp_path: Path) -> None:
    """What stands in Meta's dashboard is compared letter by letter, and cookies belong to a host."""
    async with desk_with_instagram(tmp_path, public_url="https://shop.example/") as at:
        here = at.desk.browser()
        await here.log_in()
        hop = await here.get(PATH)
        assert hop.status == 303
        assert hop.leads_to is not None
        assert hop.leads_to.startswith(f"https://shop.example{PATH}/")
        assert not hop.cookies
        there = at.desk.browser(Host="shop.example")
        begun = await there.get(urlsplit(hop.leads_to).path)
        assert begun.leads_to is not None
        asked = parse_qs(urlsplit(begun.leads_to).query)
        assert asked["redirect_uri"] == [f"https://shop.example{CALLBACK}"]
        assert asked["response_type"] == ["code"]
        assert asked["client_id"] == [at.sandbox.world.app.app_id]
        assert set(asked["scope"][0].split(",")) == set(rules.SCOPES[:3])
        (cookie,) = begun.cookies
        assert cookie.startswith("__Host-pamosnik_connect=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        back = await there.get(await at.at_instagram(begun.leads_to))
        assert back.leads_to == DONE
        assert f"@{SHOP} is connected" in _words(await there.get(DONE))


async def test_the_end_can_be_opened_again_and_the_code_works_once(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        browser = at.desk.browser()
        begun = await browser.get(at.address())
        back = await at.at_instagram(begun.leads_to)
        assert (await browser.get(back)).leads_to == DONE
        for _ in range(2):
            assert "is connected" in _words(await browser.get(DONE))
        again = await browser.get(back)
        assert again.status == 409
        assert "Nothing more was connected" in (again.problem or "")
        assert len(at.connected()) == 1
        assert [path for path in at.desk.actions() if path.startswith("connect")] == [
            "connect: consent given"
        ]
        assert (await at.desk.browser().get(DONE)).leads_to == "/"


async def test_of_two_who_have_opened_the_address_the_second_is_told_the_truth(tmp_path: Path) -> None:
    """They were shown the account of the first as connected."""
    async with desk_with_instagram(tmp_path) as at:
        at.sandbox.world.add_account("cake.shop", "The cake shop")
        address, first, second = at.address(), at.desk.browser(), at.desk.browser()
        back = [
            await at.at_instagram((await browser.get(address)).leads_to, account=name)
            for browser, name in ((first, SHOP), (second, "cake.shop"))
        ]
        assert (await first.get(back[0])).leads_to == DONE
        late = await second.get(back[1])
        assert late.status == 409
        assert "Nothing more was connected" in (late.problem or "")
        assert [one.username for one in at.connected()] == [SHOP]


async def test_several_accounts_are_connected_one_after_the_other(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        at.sandbox.world.add_account("cake.shop", "The cake shop")
        for name in (SHOP, "cake.shop", SHOP):
            page = await at.log_in(at.desk.browser(), at.address(), account=name)
            assert f"@{name} is connected" in _words(page)
        assert sorted(one.username for one in at.connected()) == ["cake.shop", SHOP]


# --- what is refused -------------------------------------------------------------------------------------


async def test_a_code_is_taken_only_from_the_browser_that_was_sent_for_it(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        sent, other = at.desk.browser(), at.desk.browser()
        back = await at.at_instagram((await sent.get(at.address())).leads_to)
        await other.get(at.address())
        other_state = re.sub(r"state=\w+", "state=" + "0" * 64, back)
        for browser, path in (
            (at.desk.browser(), back),
            (other, back),
            (sent, other_state),
            (sent, re.sub(r"&state=\w+", "", back)),
            (sent, CALLBACK),
        ):
            answer = await browser.get(path)
            assert answer.status == 403, path
            assert "was not begun in this browser" in (answer.problem or "")
        assert not at.connected()
        assert (await sent.get(back)).leads_to == DONE


async def test_the_address_is_good_for_half_an_hour(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        address, browser = at.address(), at.desk.browser()
        back = await at.at_instagram((await browser.get(address)).leads_to)
        at.desk.later(minutes=30)
        assert (await browser.get(address)).status == 404
        assert (await browser.get(back)).status == 403
        assert not at.connected()
        assert (await browser.get(f"{PATH}/{'x' * 5000}")).status == 404


async def test_who_says_no_is_told_that_nothing_was_connected(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        address, browser = at.address(), at.desk.browser()
        page = await at.log_in(browser, address, deny="true")
        assert page.status == 422
        assert "You did not allow it" in (page.problem or "")
        assert f'href="{address}"' in page.text
        assert "is connected" in _words(await at.log_in(browser, address))


@pytest.mark.parametrize(
    "without", ["instagram_business_manage_messages", "instagram_business_manage_comments"]
)
async def test_permissions_that_were_switched_off_are_named(tmp_path: Path, without: str) -> None:
    async with desk_with_instagram(tmp_path) as at:
        at.sandbox.world.put_account(replace(at.shop, scopes=at.shop.scopes - {without}))
        address, browser = at.address(), at.desk.browser()
        page = await at.log_in(browser, address)
        assert page.status == 422
        assert without in (page.problem or "")
        assert (page.problem or "").count("instagram_business") == 1
        assert not at.connected()
        token_hash = tokens.token_hash(address.rpartition("/")[2])
        login = instagram_logins.find(at.desk.conn, token_hash, at.desk.clock.now())
        assert login is not None
        assert without in (login.problem or "")
        at.sandbox.world.put_account(at.shop)
        assert "is connected" in _words(await at.log_in(browser, address))


async def test_a_personal_account_is_told_what_to_do(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        at.sandbox.world.put_account(replace(at.shop, account_type="PERSONAL"))
        page = await at.log_in(at.desk.browser(), at.address())
        assert "Business or Creator" in (page.problem or "")
        assert not at.connected()


async def test_a_wrong_secret_is_told_in_instagrams_words_and_not_shown(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path, instagram_app_secret="not-the-secret-of-the-app") as at:
        page = await at.log_in(at.desk.browser(), at.address())
        assert "Error validating client secret" in (page.problem or "")
        assert "PAMOSNIK_INSTAGRAM_APP_SECRET" in (page.problem or "")
        assert "not-the-secret" not in page.text


async def test_an_account_of_somebody_else_here_stays_theirs(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        await at.log_in(at.desk.browser(), at.address())
        at.desk.second_account()
        other = at.desk.browser()
        await other.log_in("anna@other.example")
        page = await at.log_in(other, PATH)
        assert "connected to another account" in (page.problem or "")
        assert [one.username for one in at.connected()] == [SHOP]


@pytest.mark.parametrize("lacking", ["instagram_app_id", "instagram_app_secret"])
async def test_what_is_not_set_is_named(tmp_path: Path, lacking: str) -> None:
    async with desk_with_instagram(tmp_path, **{lacking: None}) as at:
        page = await at.desk.browser().get(at.address())
        assert page.status == 422
        assert f"PAMOSNIK_{lacking.upper()}" in (page.problem or "")


async def test_instagram_itself_is_asked_for_with_an_https_address_only(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path, meta_url=None) as at:
        page = await at.desk.browser().get(at.address())
        assert "PAMOSNIK_PUBLIC_URL" in (page.problem or "")
    (tmp_path / "public").mkdir()
    async with desk_with_instagram(
        tmp_path / "public", meta_url=None, public_url="https://shop.example"
    ) as at:
        begun = await at.desk.browser(Host="shop.example").get(at.address())
        assert (begun.leads_to or "").startswith("https://www.instagram.com/oauth/authorize?")


async def test_a_new_password_ends_logins_that_were_begun(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        address, browser = at.address(), at.desk.browser()
        await browser.log_in()
        new = "four more random words"
        changed = await browser.post(
            "/account/password",
            csrf=await browser.csrf("/account"),
            present="three random words",
            new=new,
            again=new,
        )
        assert changed.status == 303
        assert (await browser.get(address)).status == 404


async def test_ended_logins_are_forgotten(tmp_path: Path) -> None:
    async with desk_with_instagram(tmp_path) as at:
        at.address()
        now = at.desk.clock.now()
        at.desk.database.write(partial(instagram_logins.forget_ended, now=now + timedelta(minutes=29)))
        assert at.desk.conn.execute("SELECT count(*) FROM instagram_logins").fetchone() == (1,)
        at.desk.database.write(partial(instagram_logins.forget_ended, now=now + timedelta(minutes=30)))
        assert at.desk.conn.execute("SELECT count(*) FROM instagram_logins").fetchone() == (0,)
