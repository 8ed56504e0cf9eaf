"""`pamosnik connect` by logging in: commands, daemon and sandbox are processes of their own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pamosnik.clock import SystemClock
from pamosnik.sandbox.main import Sandbox
from tests.daemon.front_desk import Browser
from tests.daemon.shop import EMAIL, PASSWORD, Shop, closed_shop
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


def _address(person: Terminal) -> str:
    found = re.search(r"http://\S+/connect/instagram/[\w-]{43}", person.sees("Meta's dashboard"))
    assert found is not None
    return found[0]
