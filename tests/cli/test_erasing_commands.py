"""disconnect, delete-account, contacts forget: in a home with two accounts, with a daemon that runs and without."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.privacy import erase, erase_account
from pamosnik.services import home as home_service
from pamosnik.store import deletions
from pamosnik.store.database import open_database
from pamosnik.store.deletions import Cause
from tests.cli.in_process import PASSWORD, Command, in_this_process
from tests.daemon.bytes_left import left
from tests.daemon.shop import EMAIL, closed_shop, furnish, open_shop
from tests.isolation import world
from tests.isolation.world import MINE, NOW, OTHERS

FLOWS = """
version: 1
flows:
  size:
    when: [dm: size]
    do: [ask: { question: "Which size?", save_as: size, choices: [Small, Large] }]
fields:
  size: { type: choice, choices: [Small, Large] }
"""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs commands for one account of two; no row of the other one's changes."""
    database = world.make(tmp_path / "home")
    with open_database(database) as opened:
        opened.write(_without_tokens)
        before = world.rows_of(opened.connection, OTHERS)
    monkeypatch.setenv("PAMOSNIK_ACCOUNT", MINE.email)
    yield in_this_process(monkeypatch, tmp_path / "home")
    with open_database(database) as opened:
        assert world.rows_of(opened.connection, OTHERS) == before


def _without_tokens(conn: Connection) -> int:
    """Nobody is asked over the network."""
    return int(conn.execute("UPDATE connections SET token_sealed=NULL").rowcount)


def test_an_account_is_deleted_beside_another_one(two: Command, tmp_path: Path) -> None:
    dry = json.loads(two("delete-account", "--dry-run", "--json").stdout)
    assert dry["would_go"]["connections"] == 1
    refused = two("delete-account", "--yes", "--email", OTHERS.email)
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (2, True)
    done = two("delete-account", "--yes", "--email", MINE.email, "--json")
    assert done.returncode == 0, done
    receipt = json.loads(done.stdout)
    assert (receipt["scope"], receipt["ended_at"] is None) == ("account", False)
    assert receipt["searched"]["found_in"] == []
    assert receipt["searched"]["looked_for"] > 5
    assert left(tmp_path / "home", [MINE.email, MINE.ig_id, MINE.fan, f"secret {MINE.mark}"]) == {}
    gone = two("status")
    assert (gone.returncode, f"There is no account {MINE.email}" in gone.stderr) == (1, True)


def test_killed_before_its_traces_were_gone_an_account_is_finished_though_nobody_can_name_it(
    two: Command, tmp_path: Path
) -> None:
    """It was taken for the other account, whose e-mail was then given as the hint."""
    path = tmp_path / "home" / "pamosnik.db"
    with open_database(path) as opened:
        opened.write(_all_rows_gone)
    words = ("delete-account", "--yes", "--email", MINE.email)
    dry = two(*words, "--dry-run")
    assert (dry.returncode, "last traces" in dry.stderr) == (0, True)
    with open_database(path) as opened:
        assert deletions.open_for(opened.connection, MINE.account) is not None
    assert json.loads(two(*words, "--json").stdout)["ended_at"] is not None
    assert left(tmp_path / "home", [MINE.email]) == {}
    again = two(*words)
    assert (again.returncode, f"There is no account {MINE.email}" in again.stderr) == (1, True)


def _all_rows_gone(conn: Connection) -> None:
    deletion_id = erase.begin_account(conn, MINE.account, Cause.COMMAND, actor="command", now=NOW)
    for receipt in deletions.under_way(conn):
        mine = receipt.part_of == deletion_id or receipt.id == deletion_id
        some = erase_account.erase_some if receipt.id == deletion_id else erase.erase_some
        while mine and some(conn, receipt, NOW):
            pass


def test_an_account_that_is_being_deleted_is_refused_and_finished_by_the_same_command(
    two: Command, tmp_path: Path
) -> None:
    path = tmp_path / "home" / "pamosnik.db"
    with open_database(path) as opened:
        opened.write(
            lambda conn: (
                conn.execute(
                    "UPDATE accounts SET status='deleting' WHERE account_id=?", (MINE.account,)
                ).rowcount
            )
        )
    refused = two("contacts", "list")
    assert (refused.returncode, "is being deleted" in refused.stderr) == (1, True)
    assert "pamosnik delete-account" in refused.stderr
    done = two("delete-account", "--yes", "--email", MINE.email)
    assert (done.returncode, "nothing left" in done.stdout) == (0, True), done


def test_a_connection_is_disconnected_once(two: Command, tmp_path: Path) -> None:
    nobody = two("disconnect", OTHERS.ig_id, "--yes")
    assert (nobody.returncode, "is not connected" in nobody.stderr) == (1, True)
    unasked = two("disconnect", MINE.ig_id)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    done = two("disconnect", MINE.ig_id, "--yes")
    assert (done.returncode, "nothing left" in done.stdout) == (0, True), done
    assert left(tmp_path / "home", [MINE.ig_id]) == {}
    assert two("disconnect", MINE.ig_id, "--yes").returncode == 1


def test_a_person_is_forgotten_by_any_of_their_names(two: Command, tmp_path: Path) -> None:
    done = two("contacts", "forget", MINE.fan, "--yes", "--json")
    assert done.returncode == 0, done
    (receipt,) = json.loads(done.stdout)
    assert (receipt["people"], receipt["searched"]["found_in"]) == (1, [])
    assert left(tmp_path / "home", [MINE.fan]) == {}
    again = two("contacts", "forget", MINE.fan, "--yes")
    assert (again.returncode, f"Nothing is stored about {MINE.fan}" in again.stderr) == (1, True)


def test_serve_beside_a_command_that_deletes_says_what_is_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with ExitStack() as held:
        held.enter_context(home_service.lock(tmp_path / "home"))
        with pytest.raises(home_service.InUse, match="is running on"):
            held.enter_context(home_service.lock(tmp_path / "home"))


@pytest.mark.anyio
async def test_with_a_daemon_that_daemon_deletes_and_tells_meta(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await shop.write("900100000000001", "size")
        await shop.settles("900100000000001", 1)
        (forgotten,) = await shop.read("contacts", "forget", "900100000000001", "--yes")
        assert (forgotten["people"], forgotten["searched"]["found_in"]) == (1, [])
        receipt = await shop.read("disconnect", "shop", "--yes")
        assert (receipt["meta"], receipt["searched"]["found_in"]) == ("told", [])
        assert shop.fake.subscribed == []
        assert await shop.ready()
        assert left(shop.home, ["900100000000001", shop.fake.token]) == {}


@pytest.mark.anyio
async def test_without_a_daemon_the_command_deletes_and_the_home_can_be_begun_anew(tmp_path: Path) -> None:
    shop = closed_shop(tmp_path)
    await shop.fake.start()
    try:
        await furnish(shop, FLOWS)
        told = await shop.command("delete-account", "--yes", "--email", EMAIL)
        assert "nothing left" in told
        assert "told, and it agreed" in told
        assert left(shop.home, [EMAIL, "Which size?"]) == {}
        who = ("--name", "Rosa", "--email", EMAIL, "--password-stdin", "--timezone", "Europe/Warsaw")
        await shop.command("init", *who, given=f"{PASSWORD}\n")
        await shop.connect()
    finally:
        await shop.fake.close()
