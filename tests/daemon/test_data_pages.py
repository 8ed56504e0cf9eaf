"""The page "Your data" over real HTTP: what it shows, what it asks for, and what follows."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.privacy import erase
from pamosnik.store import accounts, connections, contacts, deletions, outbox
from pamosnik.store.accounts import Account
from pamosnik.store.deletions import Cause
from pamosnik.store.exports import FOLDER
from pamosnik.store.times import ms
from tests.daemon.front_desk import Answer, Browser, FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD
from tests.store.rows import new_item

pytestmark = pytest.mark.anyio

DATA = "/account/data"
EVIL = "<script>alert('1')</script> & \"Zo\u00eb\""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path, mail=False) as running:
        running.database.write(lambda conn: open_shop(conn, running, running.account, "shop"))
        yield running


def open_shop(conn: Connection, desk: FrontDesk, account: Account, username: str) -> tuple[str, str]:
    """A connection without a token, and somebody it knows; their ids."""
    now = desk.clock.now()
    connection = connections.NewConnection(
        id=f"C{username.upper()}",
        account_id=account.id,
        ig_id=f"1784{len(username)}",
        asid=None,
        username=username,
        scopes=(),
        token_sealed=b"sealed",
        token_expires_at=None,
        token_refresh_at=now,
        subscribed_fields=(),
    )
    connections.put(conn, connection, now)
    connections.lose_token(conn, connection.id)
    person = contacts.meet(
        conn,
        account_id=account.id,
        connection_id=connection.id,
        igsid=f"900{len(username)}",
        username=f"fan.{username}",
        now=now,
    )
    conn.execute("UPDATE contacts SET name=? WHERE contact_id=?", (EVIL, person.id))
    contacts.add_tag(conn, person, "vip", now)
    return connection.id, person.id


async def holder(desk: FrontDesk, email: str = EMAIL) -> tuple[Browser, str]:
    browser = desk.browser()
    await browser.log_in(email)
    return browser, await browser.csrf(DATA)


def person_of(desk: FrontDesk) -> str:
    (found,) = desk.conn.execute("SELECT contact_id FROM contacts WHERE username='fan.shop'").fetchone()
    return str(found)


async def until_ended(desk: FrontDesk, browser: Browser) -> Answer:
    """The page of what is under way, when nothing is any more."""
    for _ in range(300):
        page = await browser.get(f"{DATA}/progress")
        if "refresh" not in {name.lower() for name in page.headers}:
            return page
        await asyncio.sleep(0.05)
    raise AssertionError(page.text)


async def test_the_page_says_what_is_stored_and_escapes_it(desk: FrontDesk) -> None:
    browser, csrf = await holder(desk)
    page = await browser.get(DATA)
    assert "@shop" in page.text
    assert "<b>1</b>people" in page.text
    assert "<dt>What came in</dt><dd>30 days</dd>" in page.text
    assert "It was not looked through yet." in page.text
    found = await browser.post(f"{DATA}/people", csrf=csrf, who="ZOE")
    assert "@fan.shop" in found.text
    assert "&lt;script&gt;" in found.text
    assert "<script>" not in found.text
    assert "Nobody here is known by that" in (await browser.post(f"{DATA}/people", csrf=csrf, who="x1")).text
    person = await browser.get(f"{DATA}/people/{person_of(desk)}")
    assert (person.status, "vip" in person.text, "<script>" in person.text) == (200, True, False)
    for page in (found, person):
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "section"),
    [
        ("export", "export"),
        ("people/PERSON/export", "export"),
        ("people/PERSON/forget", "forget"),
        ("connections/CSHOP", "disconnect"),
        ("delete", "delete"),
    ],
)
async def test_nothing_is_done_without_the_password(desk: FrontDesk, path: str, section: str) -> None:
    browser, csrf = await holder(desk)
    path = f"{DATA}/{path.replace('PERSON', person_of(desk))}"
    refused = await browser.post(path, csrf=csrf, present="wrong all over", email=EMAIL)
    assert (refused.status, refused.problem) == (422, "The present password is wrong.")
    assert f'id="{section}-problem"' in refused.text
    assert "wrong all over" not in refused.text
    forged = await browser.post(path, csrf="0" * 64, present=PASSWORD, email=EMAIL)
    assert forged.status == 403
    assert deletions.newest(desk.conn, desk.account.id, 10) == []
    assert not (desk.settings.home / FOLDER).exists()


async def test_a_person_is_forgotten(desk: FrontDesk) -> None:
    browser, csrf = await holder(desk)
    begun = await browser.post(f"{DATA}/people/{person_of(desk)}/forget", csrf=csrf, present=PASSWORD)
    assert (begun.status, begun.leads_to) == (303, f"{DATA}/progress")
    page = await until_ended(desk, browser)
    assert "A person" in page.text
    assert contacts.find(desk.conn, desk.account.id, "fan.shop") == []
    gone = await browser.get(f"{DATA}/people/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (gone.status, gone.problem) == (404, "There is no such person, or not any more.")


@pytest.mark.parametrize("path", ["people/PERSON/forget", "connections/CSHOP"])
async def test_a_form_that_is_sent_twice_is_answered_twice_alike(desk: FrontDesk, path: str) -> None:
    """Both passed the look at who is there; while the password was compared, the first had done it all."""
    browser, csrf = await holder(desk)
    path = f"{DATA}/{path.replace('PERSON', person_of(desk))}"
    answers = await asyncio.gather(*(browser.post(path, csrf=csrf, present=PASSWORD) for _ in range(4)))
    assert {answer.status for answer in answers} <= {303, 404}, "404: it came when all was done"
    await until_ended(desk, browser)
    assert len(deletions.newest(desk.conn, desk.account.id, 10)) == 1


async def test_an_instagram_account_is_disconnected(desk: FrontDesk) -> None:
    browser, csrf = await holder(desk)
    asks = await browser.get(f"{DATA}/connections/CSHOP")
    assert "Disconnect @shop and delete its data?" in asks.text
    assert "<b>1</b>people" in asks.text
    begun = await browser.post(f"{DATA}/connections/CSHOP", csrf=csrf, present=PASSWORD)
    assert begun.leads_to == f"{DATA}/progress"
    page = await until_ended(desk, browser)
    assert "An Instagram account" in page.text
    assert "people 1" in page.text
    (receipt,) = deletions.newest(desk.conn, desk.account.id, 10)
    assert (receipt.people, receipt.subject_id) == (1, None)
    agreed = desk.conn.execute("SELECT what, how FROM consents WHERE what='disconnect'").fetchall()
    assert agreed == [("disconnect", "page")]
    assert "Instagram account disconnected" in (await browser.get(DATA)).text


async def test_the_account_is_deleted_when_its_address_is_typed(desk: FrontDesk) -> None:
    other = desk.second_account()
    desk.database.write(lambda conn: open_shop(conn, desk, other, "tulip"))
    account = desk.account
    browser, csrf = await holder(desk)
    wrong = await browser.post(f"{DATA}/delete", csrf=csrf, present=PASSWORD, email=other.email)
    assert (wrong.status, wrong.problem) == (422, "This is not the e-mail address of this account.")
    done = await browser.post(f"{DATA}/delete", csrf=csrf, present=PASSWORD, email=EMAIL.upper())
    assert done.status == 200
    code = re.search(r'href="/deletion/([\w-]+)"', done.text)
    assert code is not None
    # Whole, for whoever writes it down: they are logged out.
    assert f">{browser.address}/deletion/{code[1]}<" in done.text
    stranger = desk.browser()
    late = await browser.post(f"{DATA}/delete", csrf=csrf, present=PASSWORD, email=EMAIL)  # a second click
    assert (late.status, late.leads_to) == (303, f"/login?form-too-late&back={DATA}")
    for _ in range(300):
        if accounts.load(desk.conn, account.id) is None:
            break
        await asyncio.sleep(0.05)
    assert accounts.load(desk.conn, account.id) is None
    assert not await browser.is_in()
    told = (await stranger.get(f"/deletion/{code[1]}")).text
    assert "had of the account: who it was" in told
    assert "<b>1</b> person" in told
    assert EMAIL not in told
    assert accounts.load(desk.conn, other.id) is not None
    assert contacts.find(desk.conn, other.id, "fan.tulip") != []


async def test_whoever_logs_in_while_the_account_goes_is_led_to_how_far_it_is(desk: FrontDesk) -> None:
    def begin(conn: Connection) -> None:
        # A request that has no answer yet holds the deletion up, however long the login takes.
        (person,) = contacts.find(conn, desk.account.id, "fan.shop")
        contact = contacts.load(conn, person)
        assert contact is not None
        outbox.add(conn, new_item(contact, 0), desk.clock.now())
        conn.execute("UPDATE outbox SET status='sending', last_attempt_at=?", (ms(desk.clock.now()),))
        begun = erase.begin_account(conn, desk.account.id, Cause.PAGE, actor="page", now=desk.clock.now())
        deletions.put_request(
            conn, "CODE", account_id=desk.account.id, deletion_id=begun, now=desk.clock.now()
        )

    desk.database.write(begin)
    refused = await desk.browser().log_in()
    assert (refused.status, "being deleted" in (refused.problem or "")) == (403, True)
    assert 'href="/deletion/CODE"' in refused.text


async def test_what_another_account_has_is_answered_as_what_never_was(desk: FrontDesk) -> None:
    other = desk.second_account()
    connection, person = desk.database.write(lambda conn: open_shop(conn, desk, other, "tulip"))
    name = f"{other.id}-all-{ms(desk.clock.now())}-{'x' * 22}.zip"
    folder = desk.settings.home / FOLDER
    folder.mkdir()
    (folder / name).write_bytes(b"theirs")
    browser, csrf = await holder(desk)
    for path in (f"people/{person}", f"connections/{connection}", f"exports/{name}"):
        assert (await browser.get(f"{DATA}/{path}")).status == 404
    for path in (f"people/{person}/forget", f"people/{person}/export", f"connections/{connection}"):
        assert (await browser.post(f"{DATA}/{path}", csrf=csrf, present=PASSWORD)).status == 404
    theirs, _ = await holder(desk, other.email)
    fetched = await theirs.get(f"{DATA}/exports/{name}")
    assert (fetched.status, fetched.text) == (200, "theirs")
    assert fetched.headers["Content-Disposition"].startswith("attachment; filename=")
    assert fetched.headers["Cache-Control"] == "no-store"
