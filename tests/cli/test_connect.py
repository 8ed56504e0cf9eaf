"""`pamosnik connect` by logging in: commands, daemon and sandbox are processes of their own."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from pamosnik.clock import SystemClock
from pamosnik.instagram import limits
from pamosnik.sandbox.main import Sandbox
from pamosnik.store import connections
from pamosnik.store.connections import PrivateReplyButtons
from pamosnik.store.database import open_database
from tests.daemon.front_desk import Browser
from tests.daemon.shop import EMAIL, PASSWORD, VERIFY_TOKEN, Shop, closed_shop
from tests.terminals import Terminal, terminal

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def _empty_shop(folder: Path) -> AsyncIterator[tuple[Shop, Sandbox]]:
    """A home with an account that nothing is connected to, and its daemon."""
    sandbox = Sandbox()
    await sandbox.start(host="127.0.0.1", port=0, clock=SystemClock())
    app = sandbox.world.app
    shop = closed_shop(
        folder / "shop",
        PAMOSNIK_META_URL=sandbox.base_url,
        PAMOSNIK_INSTAGRAM_APP_ID=app.app_id,
        PAMOSNIK_INSTAGRAM_APP_SECRET=app.secret,
        PAMOSNIK_NO_BROWSER="1",
    )
    try:
        who = ("--name", "Rosa", "--email", EMAIL, "--password-stdin", "--timezone", "Europe/Warsaw")
        await shop.command("init", *who, given=f"{PASSWORD}\n")
        await shop.start()
        yield shop, sandbox
    finally:
        if shop.process is not None:
            await shop.stop()
        await sandbox.stop()


async def _logs_in(address: str, browser: Browser | None = None) -> str:
    """What a browser does with it; the address it ends at."""
    browser = browser or Browser("")
    for _ in range(6):
        answer = await browser.get(address)
        if answer.leads_to is None:
            return address
        leads_to = answer.leads_to.removesuffix("#_")
        address = leads_to if leads_to.startswith("http") else _at_the_same_place(address, leads_to)
    raise AssertionError(f"it leads on and on: {address}")


def _at_the_same_place(address: str, path: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{path}"


async def _connections(shop: Shop) -> Any:
    return await shop.read("connections", "list")


async def test_without_a_terminal_the_address_is_all_of_the_answer(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, sandbox):
        said = await shop.try_command("connect")
        assert said.code == 0
        here = f"http://127.0.0.1:{shop.port}"
        assert re.fullmatch(rf"{here}/connect/instagram/[\w-]{{43}}\n", said.out)
        assert f"  {here}/connect/instagram/callback\n" in said.err
        assert await _logs_in(said.out.strip()) == f"{here}/connect/instagram/done"
        (connected,) = await _connections(shop)
        assert connected["username"] == sandbox.world.account_named(None).username
        assert connected["status"] == "active"
        assert "IGAA" not in shop.log.read_text()
        address = said.out.strip()
        assert await _logs_in(address) == address
        assert len(await _connections(shop)) == 1


async def test_without_a_daemon_it_ends_with_7(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, _):
        await shop.stop()
        said = await shop.try_command("connect")
        assert (said.code, said.out) == (7, "")
        assert "Try: " in said.err or "pamosnik serve" in said.err
        assert "pamosnik connect --token-stdin" in said.err


async def test_what_the_daemon_may_lack_is_said_beforehand(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, _):
        said = await shop.try_command("connect", PAMOSNIK_INSTAGRAM_APP_ID="")
        assert said.code == 0
        assert "PAMOSNIK_INSTAGRAM_APP_ID must be set" in said.err


async def test_on_a_terminal_it_waits_until_somebody_has_logged_in(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, _):
        with terminal(("connect",), {**shop.environment, "COLUMNS": "200"}) as person:
            address = await asyncio.to_thread(_address, person)
            await asyncio.to_thread(person.sees, "Waiting for the login")
            assert not await _connections(shop)
            browser = Browser("")
            begun = await browser.get(address)
            assert begun.leads_to is not None
            await _logs_in(f"{begun.leads_to}&deny=true", browser)
            await asyncio.to_thread(person.sees, "Not connected yet: You did not allow it at Instagram.")
            await _logs_in(address, browser)
            await asyncio.to_thread(person.sees, "Connected @rosas_shop")
            await asyncio.to_thread(person.sees, "Try now, with a second Instagram account")
            await asyncio.to_thread(person.types, "n\n")
            await asyncio.to_thread(person.sees, "Later: pamosnik connections test rosas_shop")
        (connected,) = await _connections(shop)
        assert connected["username"] == "rosas_shop"


async def test_whoever_stops_waiting_loses_nothing(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, _):
        with terminal(("connect",), {**shop.environment, "COLUMNS": "200"}) as person:
            address = await asyncio.to_thread(_address, person)
            await asyncio.to_thread(person.sees, "Waiting for the login")
            assert await asyncio.to_thread(person.ends, "\x03") == 0
        await _logs_in(address)
        assert len(await _connections(shop)) == 1


# --- the canary ------------------------------------------------------------------------------------------


async def _act(sandbox: Sandbox, what: str, **more: object) -> Any:
    """As somebody on the phone, or at Meta's dashboard."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.base_url}/sandbox/{what}", json=more) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def _goes_live(shop: Shop, sandbox: Sandbox, fields: str = ",".join(limits.SUBSCRIBED_FIELDS)) -> None:
    await _act(
        sandbox,
        "configure",
        callback_url=f"http://127.0.0.1:{shop.port}/webhooks/instagram",
        verify_token=VERIFY_TOKEN,
        fields=fields,
    )
    await shop.command("connect", "--token-stdin", given=f"{sandbox.token}\n")
    await _act(sandbox, "people", username="anna")


async def test_the_canary_confirms_field_after_field(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, sandbox):
        await _goes_live(shop, sandbox)
        command = ("connections", "test")
        with terminal(command, {**shop.environment, "COLUMNS": "200"}) as person:
            for sees, act, how in (
                ("comment TEST on https://", "comment", {"text": "Test!"}),
                ("tap “I see it”", "tap", {"title": "I see it"}),
                ("write anything to @rosas_shop", "dm", {"text": "hello"}),
                ("stay in the conversation", "read", {}),
                ("choose a heart", "react", {"emoji": "❤️"}),
                ("open https://ig.me/m/rosas_shop?ref=pamosnik-test", "open_link", {"ref": "pamosnik-test"}),
            ):
                await asyncio.to_thread(person.sees, sees)
                await _act(sandbox, act, person="anna", **how)
            seen = await asyncio.to_thread(person.sees, "during a broadcast only")
            assert "nothing arrived" not in seen
            assert "private reply" in seen
            assert await asyncio.to_thread(person.ended) == 0


async def test_a_field_that_is_not_switched_on_is_named(tmp_path: Path) -> None:
    """Whoever waits no longer is told what came, and what was found by reading only."""
    async with _empty_shop(tmp_path) as (shop, sandbox):
        await _goes_live(shop, sandbox, fields="messages")
        with terminal(("connections", "test"), {**shop.environment, "COLUMNS": "200"}) as person:
            await asyncio.to_thread(person.sees, "comment TEST on")
            await asyncio.to_thread(person.types, "\n")
            await asyncio.to_thread(person.sees, "comments: skipped")
            await asyncio.to_thread(person.sees, "no message with a button has left")
            await asyncio.to_thread(person.sees, "write anything")
            await _act(sandbox, "dm", person="anna", text="hello")
            await asyncio.to_thread(person.sees, "messages: arrived")
            await asyncio.to_thread(person.sees, "stay in the conversation")
            await asyncio.to_thread(person.types, "\x03")
            seen = await asyncio.to_thread(person.sees, "during a broadcast only")
            assert seen.count("not waited for") == 3


async def test_whoever_sees_no_button_gets_private_replies_without(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, sandbox):
        await _goes_live(shop, sandbox)
        with terminal(("connections", "test"), {**shop.environment, "COLUMNS": "200"}) as person:
            await asyncio.to_thread(person.sees, "comment TEST on")
            await _act(sandbox, "comment", person="anna", text="test")
            await asyncio.to_thread(person.sees, "without a button, type n and Enter")
            await asyncio.to_thread(person.types, "n\n\n\n\n\n")
            await asyncio.to_thread(person.sees, "private replies will spell their buttons out")
            await asyncio.to_thread(person.sees, "during a broadcast only")
        with open_database(shop.home / "pamosnik.db") as database:
            (connected,) = connections.every(database.connection)
        assert connected.private_reply_buttons is PrivateReplyButtons.REFUSED


async def test_what_cannot_be_tried_is_said(tmp_path: Path) -> None:
    async with _empty_shop(tmp_path) as (shop, sandbox):
        await shop.command("connect", "--token-stdin", given=f"{sandbox.token}\n")
        testing = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pamosnik", "connections", "test"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=shop.environment,
        )
        skipped, _ = await testing.communicate(b"\n" * 6)
        assert testing.returncode == 0
        assert skipped.count(b"skipped") == 5
        unknown = await shop.try_command("connections", "test", "@nobody")
        assert unknown.code == 1
        await shop.stop()
        assert (await shop.try_command("connections", "test")).code == 7


def _address(person: Terminal) -> str:
    found = re.search(r"http://\S+/connect/instagram/[\w-]{43}", person.sees("Meta's dashboard"))
    assert found is not None
    return found[0]
