"""Keys change under a daemon that sends: nobody is asked to log in again, and no message is lost or repeated."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.security import keyring
from pamosnik.security.keyring import Argon2
from pamosnik.services import keys, rotation
from pamosnik.services.rotation import Wanted
from pamosnik.store.database import open_database
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio

PASSPHRASE = "green ladder tin moon"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _problems(shop: Shop) -> list[str]:
    with open_database(shop.home / "pamosnik.db") as database:
        return [str(code) for (code,) in database.connection.execute("SELECT code FROM notices")]


async def _until_problems(shop: Shop, *codes: str) -> None:
    for _ in range(100):
        if (found := _problems(shop)) == list(codes):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_keys_change_under_a_running_daemon(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        key = shop.home / "master.key"
        ring = keyring.load(key, None)
        people = [f"73{number:02}" for number in range(8)]

        async def write() -> None:
            for igsid in people:
                await shop.write(igsid, "size")
                await asyncio.sleep(0.1)

        writing = asyncio.create_task(write())
        at = config.load({"home": str(shop.home)}, environ={})
        for wanted in (Wanted(master=False), Wanted()):
            await asyncio.to_thread(rotation.rotate, at, wanted, datetime.now(UTC))
        await writing
        for igsid in people:
            assert len(await shop.settles(igsid, 1)) == 1
        assert keyring.load(key, None).keys[0] not in ring.keys
        await _until_problems(shop)
        await asyncio.to_thread(rotation.rotate, at, Wanted(accounts=False), datetime.now(UTC))
        # Of the file that was written a moment ago, which the daemon has not looked at yet.
        assert keys.status(at).daemon is True
        # Another passphrase: the daemon goes on with what it holds, and says that it has to be started anew.
        said = await shop.command(
            "keys", "rotate", "--new-passphrase-stdin", "--yes", given=f"{PASSPHRASE}\n"
        )
        assert "PAMOSNIK_PASSPHRASE" in said
        await _until_problems(shop, "key_file")
        await shop.write("7401", "size")
        assert len(await shop.settles("7401", 1)) == 1
        refused = await shop.try_command("keys", "rotate", "--yes", PAMOSNIK_PASSPHRASE=PASSPHRASE)
        assert (refused.code, "another passphrase" in refused.err) == (1, True), refused
        assert len(keyring.load(key, PASSPHRASE).keys) == 1
        await shop.stop()
        refused = await shop.try_command("serve", "--port", str(shop.port))
        assert (refused.code, "sealed with a passphrase" in refused.err) == (1, True), refused
        shop.environment["PAMOSNIK_PASSPHRASE"] = PASSPHRASE
        keyring.write(key, keyring.load(key, PASSPHRASE), PASSPHRASE, Argon2(1, 64, 1))
        await shop.start()
        assert keyring.look_at(key).sealed_with == keyring.TODAY, "the seal follows the figures"
        await shop.write("7402", "size")
        assert len(await shop.settles("7402", 1)) == 1
        assert _problems(shop) == []
        assert PASSPHRASE not in shop.said()


async def test_a_key_that_disappears_is_told_while_there_is_time(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        key = shop.home / "master.key"
        key.rename(shop.folder / "taken")
        await _until_problems(shop, "key_file")
        await shop.write("7501", "size")
        assert len(await shop.settles("7501", 1)) == 1
        (shop.folder / "taken").rename(key)
        await _until_problems(shop)
        # A start with another key stops the connection; it goes on when the right one is back.
        await shop.stop()
        key.rename(shop.folder / "taken")
        keyring.create(key, None, datetime.now(UTC))
        await shop.start()
        await shop.write("7503", "size")
        await _until_problems(shop, "needs_login")
        (shop.folder / "taken").rename(key)
        assert len(await shop.settles("7503", 1)) == 1
        await _until_problems(shop)
        # Lost for good: new keys, and the same daemon goes on after connecting again.
        key.unlink()
        said = await shop.command("keys", "rotate", "--lost-key", "--yes")
        assert "pamosnik connect --account" in said
        await _until_problems(shop, "needs_login")
        await shop.write("7502", "size")
        await shop.connect()
        assert len(await shop.settles("7502", 1)) == 1
        assert json.loads(await shop.command("keys", "status", "--json"))["lost"] == []
