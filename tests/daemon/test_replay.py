"""A replay beside the daemon that records."""

import json
from pathlib import Path

import pytest

from pamosnik.store.database import open_database
from tests.daemon.shop import FLOWS, open_shop

pytestmark = pytest.mark.anyio


async def test_what_a_daemon_recorded_is_replayed_while_it_serves(tmp_path: Path) -> None:
    async with open_shop(tmp_path / "shop") as shop:
        await shop.comment("77", "price?", username="anna")
        await shop.settles("77", 1)
        await shop.tap("77", "Send it to me")
        await shop.settles("77", 2)
        await shop.write("78", "size")
        await shop.settles("78", 1)
        await shop.tap("78", "Large")
        await shop.settles("78", 2)
        await shop.quiet()
        files = {path.name for path in shop.home.iterdir()}
        new = tmp_path / "new.yaml"
        new.write_text(FLOWS.replace("Here you are.", "Take it.").replace('"Noted:', '"Size:'), "utf-8")
        said = await shop.try_command("flows", "diff", str(new), "--replay", "1d", "--json")
        assert said.code == 3, said.err
        replay = json.loads(said.out)["replay"]
        assert (replay["events"], replay["people"], replay["as_recorded"]) == (4, 2, 4)
        texts = [
            (one["who"]["igsid"], change["before"]["text"], change["after"]["text"])
            for one in replay["different"]
            for change in one["changes"]
        ]
        assert sorted(texts) == [("77", "Here you are.", "Take it."), ("78", "Noted: Large", "Size: Large")]
        assert {path.name for path in shop.home.iterdir()} == files
        sent = len(shop.fake.sent)
        await shop.comment("79", "price?")
        await shop.settles("79", 1)
        assert len(shop.fake.sent) == sent + 1, "nothing of the replay has left"
        with open_database(shop.home / "pamosnik.db") as home:
            [noted] = home.connection.execute("SELECT count(*) FROM audit WHERE actor='replay'").fetchone()
        assert noted == 0
