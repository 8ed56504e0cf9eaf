"""A rotation is killed at each of its steps, any number of times: every login opens, and the next run ends it."""

import asyncio
import itertools
import shutil
from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.config import Config
from pamosnik.daemon.key_watch import KeyWatch
from pamosnik.security import keyring
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import home as homes
from pamosnik.services import rotation
from pamosnik.services.rotation import Wanted
from pamosnik.store import accounts, connections
from pamosnik.store.database import open_database
from tests.daemon import events
from tests.daemon.machine import machine
from tests.keys import logins, steps

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _two_accounts(folder: Path) -> Config:
    settings = logins.make(folder)
    logins.connect(settings, logins.add_account(settings, "rosa@shop.example"), "1001")
    logins.connect(settings, logins.add_account(settings, "fern@shop.example"), "2001")
    return settings


async def test_killed_at_each_step_everything_opens_and_the_next_run_ends_it(tmp_path: Path) -> None:
    template = _two_accounts(tmp_path / "template")
    before, ring = logins.stored(template), keyring.load(template.key_file, None)
    half_way = 0
    for nth in itertools.count(1):
        home = Path(shutil.copytree(template.home, tmp_path / f"{nth}"))
        settings = config.load({"home": str(home)}, environ={})
        held = HeldKeys(settings.key_file, None)
        killed = await steps.killed_rotation(home, nth, Wanted())
        assert logins.stored(settings) == before, nth
        with open_database(settings.database) as database:
            assert logins.tokens(database, held) == before, "a process that held the keys before goes on"
        if not killed:
            break
        half_way += len(keyring.load(settings.key_file, None).keys) == 2
        done = rotation.rotate(settings, Wanted(), logins.NOW)
        assert (done.master, done.logins) == (True, 2)
        assert logins.stored(settings) == before, nth
        (key,) = keyring.load(settings.key_file, None).keys
        assert key not in ring.keys
    assert nth > 15, "flush, rename, flush, three commits, flush, rename, flush: before and after each"
    assert half_way > 8


async def test_killed_again_and_again_beside_what_sends(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        home = tmp_path / "home"
        assert isinstance(shop.tools.keys, HeldKeys)
        with homes.lock(home) as lock:
            watch = KeyWatch(shop.tools.keys, lock, shop.writer, shop.clock)

            async def watches() -> None:
                while True:
                    await watch.look()
                    await asyncio.sleep(0.01)

            watching = asyncio.create_task(watches())
            for nth in itertools.count(1):
                killed = await steps.killed_rotation(home, nth, Wanted())
                igsid = f"77{nth:02}"
                await shop.later(seconds=1)
                await shop.deliver(events.talk(events.message(igsid, "size")))
                await shop.works()
                assert len(shop.fake.thread(igsid)) == 1, (nth, shop.problems())
                if not killed:
                    break
            watching.cancel()
        assert nth > 10
        conn = shop.reader.connection
        (connected,) = connections.of_account(conn, accounts.every(conn)[0].id)
        assert connected.status is connections.ConnectionStatus.ACTIVE
        assert len(keyring.load(home / "master.key", None).keys) == 1
