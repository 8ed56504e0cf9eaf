"""`retention run` is killed at its commits: what was gone is gone, and the next one ends it, down to the bytes."""

import os
import shutil
import signal
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.store import accounts, connections, contacts
from pamosnik.store.consents import How
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home
from tests.crash import forked

__all__ = ["home"]
pytestmark = pytest.mark.anyio

NAME, IGSID = "plantedname", "88001122334455"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _fill(conn: Connection) -> None:
    """Twenty people of whom nothing was heard for long, one of them opted out, and one of yesterday."""
    (account,) = accounts.every(conn)
    old = datetime.now(UTC) - timedelta(days=400)
    connections.put(
        conn,
        connections.NewConnection(
            id="k1",
            account_id=account.id,
            ig_id="178",
            asid=None,
            username="shop",
            scopes=(),
            token_sealed=b"x",
            token_expires_at=None,
            token_refresh_at=old,
            subscribed_fields=(),
        ),
        old,
    )
    for number in range(21):
        contact = contacts.meet(
            conn,
            account_id=account.id,
            connection_id="k1",
            igsid=f"{IGSID}{number}" if number else "77",
            username=f"{NAME}{number}" if number else "young",
            now=old if number else datetime.now(UTC),
        )
        contacts.add_tag(conn, contact, "vip", old)
        if number == 3:
            contacts.opt_out(conn, contact.id, How.WORDS, old)


def _environment(folder: Path) -> Mapping[str, str]:
    return {**os.environ, "PAMOSNIK_HOME": str(folder / "home")}


async def _run(folder: Path, orders: str | None) -> int:
    log = folder / "command.log"
    if orders is not None:
        (folder / "orders").write_text(orders)
    process = forked.start(
        ("retention", "run", "--yes"), _environment(folder), log, folder=None if orders is None else folder
    )
    code = await forked.ended(process)
    assert code in (0, -signal.SIGKILL), log.read_text()
    return code


async def test_killed_at_any_commit_the_next_one_ends_it(home: Command, tmp_path: Path) -> None:
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(_fill)
    killed = []
    for orders in ("1 after", "2 before", "2 after", "3 after", "4 after", "5 after"):
        day = tmp_path / orders.replace(" ", "-")
        shutil.copytree(tmp_path / "home", day / "home")
        killed.append(await _run(day, orders))
        assert await _run(day, None) == 0
        for file in (day / "home").rglob("*"):
            assert not file.is_file() or not _holds_somebody(file), (orders, file)
        with open_database(day / "home" / "pamosnik.db") as database:
            conn = database.connection
            assert conn.execute("SELECT username FROM contacts").fetchall() == [("young",)]
            assert conn.execute("SELECT count(*) FROM tombstones WHERE opted_out=1").fetchone() == (1,)
            assert conn.execute("SELECT count(*) FROM retentions WHERE ended_at IS NULL").fetchone() == (0,)
            assert conn.execute("SELECT count(*) FROM traces").fetchone() == (0,), orders
    assert -signal.SIGKILL in killed


def _holds_somebody(file: Path) -> bool:
    held = file.read_bytes()
    return NAME.encode() in held or IGSID.encode() in held
