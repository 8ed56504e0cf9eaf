"""Where the daemon is reached, from this machine and from outside: commands are told, and the parts ask anew."""

import json
import os
from pathlib import Path

import aiohttp
import pytest

from pamosnik import config
from pamosnik.daemon.reached import Reached
from pamosnik.services import home
from pamosnik.services.library import Library
from pamosnik.services.public_address import PublicAddress
from tests.crash import forked

from .front_desk import front_desk
from .test_reached import _request

pytestmark = pytest.mark.anyio

PUBLIC = "https://shop.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_commands_learn_where_the_daemon_is(tmp_path: Path) -> None:
    async with front_desk(tmp_path, public_url=f"{PUBLIC}/") as desk:
        elsewhere = config.load({"home": str(desk.settings.home)}, environ={})
        here = home.daemon_address(elsewhere)
        assert here == f"http://127.0.0.1:{desk.settings.port}"
        async with aiohttp.ClientSession() as http, http.get(f"{here}/healthz") as answer:
            assert answer.status == 200
        assert home.public_address(elsewhere) == PUBLIC
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PAMOSNIK")}
        environment = {**plain, "PAMOSNIK_HOME": str(desk.settings.home)}
        said = await forked.command(("status",), environment)
        assert f"address      {PUBLIC}\n" in said.stdout
        said = await forked.command(("status", "--json"), environment)
        assert json.loads(said.stdout)["daemon"]["public_address"] == PUBLIC
    assert (home.daemon_address(elsewhere), home.public_address(elsewhere)) == (None, None)
    assert home.public_address(desk.settings) == PUBLIC


async def test_a_daemon_without_a_public_address_names_none(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        assert home.daemon_address(desk.settings) is not None
        assert home.public_address(desk.settings) is None


def test_what_else_the_lock_tells_stays(tmp_path: Path) -> None:
    settings = config.load({"home": str(tmp_path)}, environ={})
    with home.lock(tmp_path) as lock:
        lock.tell_addresses("http://127.0.0.1:1", PUBLIC)
        lock.tell(None)
        lock.tell_addresses("http://127.0.0.1:1", "https://a-longer-name.shop.example")
        assert home.public_address(settings) == "https://a-longer-name.shop.example"
        lock.tell_addresses("http://127.0.0.1:1", None)
        assert (home.daemon_address(settings), home.public_address(settings)) == ("http://127.0.0.1:1", None)
        assert home.refused_storage(settings) is None


def test_an_address_that_is_set_stays() -> None:
    address = PublicAddress(f"{PUBLIC}/")
    address.found("https://tunnel.example")
    assert address.url == PUBLIC


def test_an_address_that_was_found_counts_from_then_on() -> None:
    address = PublicAddress()
    library, reached = Library(address), Reached(address)
    asked = _request(("host", "shop.example"))
    assert (library.public_url, reached.by_https(asked)) == (None, False)
    address.found(PUBLIC)
    assert (library.public_url, reached.by_https(asked), reached.address(asked)) == (PUBLIC, True, PUBLIC)
    address.found("https://tunnel.example")
    assert (library.public_url, reached.by_https(asked)) == ("https://tunnel.example", False)
