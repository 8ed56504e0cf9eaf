"""`pamosnik import` is killed at one commit after the other: the same command with the same file goes on."""

import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.crash import forked
from tests.isolation import world
from tests.isolation.world import MINE
from tests.privacy import exported

pytestmark = pytest.mark.anyio

Rows = Mapping[str, list[dict[str, object]]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _runs(folder: Path, *words: str, said: str = "", orders: str | None = None) -> tuple[int, str]:
    """The command's exit code, and what it said; killed as the orders say."""
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    (folder / "orders").unlink(missing_ok=True)
    if orders is not None:
        (folder / "orders").write_text(orders)
    environment = {**os.environ, "PAMOSNIK_HOME": str(folder / "home")}
    armed = None if orders is None else folder
    return await forked.ended(forked.start(words, environment, log, said=said, folder=armed)), log.read_text()


def _rows(folder: Path) -> Rows:
    """All but the audit, whose instants differ, and the notice's."""
    with open_database(folder / "home" / "pamosnik.db") as database:
        (account,) = accounts.every(database.connection)
        found = exported.data(database.connection, account.id)
        actions = [row["action"] for row in found.pop("audit")]
        assert actions[-2:] == ["import begun", "import"]
    return {table: [{**row, "since": 0} for row in rows] for table, rows in found.items()}


async def test_killed_at_its_commits_it_goes_on(tmp_path: Path) -> None:
    with open_database(world.make(tmp_path / "shop")) as database:
        file = exported.write(tmp_path / "e.zip", exported.data(database.connection, MINE.account))
    calm, day = tmp_path / "calm", tmp_path / "day"
    calm.mkdir()
    who = ("--name", "New", "--email", "new@shop.example", "--timezone", "Europe/Warsaw", "--password-stdin")
    made = await _runs(calm, "init", *who, said="three random words\n")
    assert made[0] == 0, made
    shutil.copytree(calm, day)
    words = ("import", str(file), "--yes")
    assert (await _runs(calm, *words))[0] == 0
    for orders in ("1 before", "1 after", "1 after", "3 before", "2 after", "1 before"):
        assert (await _runs(day, *words, orders=orders))[0] == -signal.SIGKILL, orders
    done = await _runs(day, *words)
    assert done[0] == 0, done
    assert _rows(day) == _rows(calm)
