"""`contacts forget`, `disconnect` and `delete-account` are killed at their commits: the same command, given again,
ends what was begun, down to the bytes, and no row of another account changes."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.store import deletions
from pamosnik.store.database import open_database
from tests.crash import forked
from tests.daemon.bytes_left import left
from tests.isolation import world
from tests.isolation.world import MINE, OTHERS

pytestmark = pytest.mark.anyio

FAN = (MINE.fan, f"fan.{MINE.mark}", f"nothing for {MINE.mark}")
SHOP = (*FAN, MINE.ig_id, f"shop.{MINE.mark}", f"com-{MINE.mark}-9", f"mid-{MINE.mark}-4")
DELETIONS = {
    "person": (("contacts", "forget", MINE.fan, "--yes"), (MINE.fan, f"nothing for {MINE.mark}")),
    "connection": (("disconnect", f"shop.{MINE.mark}", "--yes"), SHOP),
    "account": (("delete-account", "--yes", "--email", MINE.email), (*SHOP, MINE.email)),
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _offline(conn: Connection) -> int:
    """Nobody is asked over the network."""
    return int(conn.execute("UPDATE connections SET token_sealed=NULL").rowcount)


async def _run(folder: Path, words: tuple[str, ...], orders: str | None) -> tuple[int, str]:
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    if orders is not None:
        (folder / "orders").write_text(orders)
    environment = {**os.environ, "PAMOSNIK_HOME": str(folder / "home"), "PAMOSNIK_ACCOUNT": MINE.email}
    process = forked.start(words, environment, log, folder=None if orders is None else folder)
    return await forked.ended(process), log.read_text()


@pytest.mark.parametrize("scope", DELETIONS)
async def test_killed_at_its_commits_the_same_command_ends_it(scope: str, tmp_path: Path) -> None:
    words, gone = DELETIONS[scope]
    path = world.make(tmp_path / "home")
    with open_database(path) as opened:
        opened.write(_offline)
        before = world.rows_of(opened.connection, OTHERS)
    assert set(left(tmp_path / "home", gone)) == set(gone), "there is something to lose"
    for orders in ("1 before", "1 after", "2 after", "4 before", "7 after"):
        day = tmp_path / orders.replace(" ", "-")
        shutil.copytree(tmp_path / "home", day / "home")
        assert (await _run(day, words, orders))[0] == -signal.SIGKILL, orders
        code, said = await _run(day, words, None)
        assert code == 0, (orders, said)
        assert left(day / "home", gone) == {}, orders
        with open_database(day / "home" / "pamosnik.db") as opened:
            assert world.rows_of(opened.connection, OTHERS) == before, orders
            assert [r.id for r in deletions.under_way(opened.connection) if r.account_id == MINE.account] in (
                [],
                [f"gone-{MINE.mark}"],
            )
