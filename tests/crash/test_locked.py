"""Somebody's viewer keeps the database locked, or open for reading: commands say so, the daemon waits it out."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik.services.reading import problems
from pamosnik.store import spill
from pamosnik.store.database import WAL_BYTES_KEPT, connect
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import Trouble, calm
from tests.daemon.shop import FLOWS, Shop, open_shop
from tests.store.rows import database

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def viewer(shop: Shop, statement: str) -> Iterator[_sqlite.Connection]:
    """Another program with the database open in its own way."""
    conn = _sqlite.connect(shop.home / "pamosnik.db", isolation_level=None, timeout=5)
    conn.execute(statement)
    conn.execute("SELECT count(*) FROM accounts").fetchall()
    try:
        yield conn
    finally:
        conn.close()


async def test_a_short_lock_keeps_no_delivery_waiting(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        with viewer(shop, "BEGIN IMMEDIATE"):
            await shop.write("7301", "price")
            assert not await shop.read("events", "list")
            assert (shop.home / spill.NAME).stat().st_size
        await shop.settles("7301", 1)
        assert "storage" not in shop.log.read_text()
        await _emptied(shop)


async def _messages(shop: Shop) -> list[Json]:
    return [one for one in await shop.read("events", "list") if one["kind"] == "message"]


async def _emptied(shop: Shop) -> None:
    """What was set aside is in the database, and nowhere else."""
    for _ in range(200):
        if not (shop.home / spill.NAME).stat().st_size:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(shop.log.read_text())


async def test_killed_behind_a_lock_it_knows_at_the_next_start_what_it_acknowledged(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.write("7302", "price")
        await shop.settles("7302", 1)
        with viewer(shop, "BEGIN IMMEDIATE"):
            await asyncio.gather(*(shop.write(igsid, "price") for igsid in ("7303", "7304")))
            await shop.kill()
        assert len(await _messages(shop)) == 1
        await shop.start()
        for igsid in ("7302", "7303", "7304"):
            await shop.settles(igsid, 1)
        await shop.quiet()
        assert [one["seen_times"] for one in await _messages(shop)] == [1, 1, 1]
        assert all(len(shop.fake.thread(igsid)) == 1 for igsid in ("7302", "7303", "7304"))
        assert (shop.home / spill.NAME).read_bytes() == b""


async def test_a_long_lock_is_told_and_waited_out(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.write("7311", "price")
        await shop.settles("7311", 1)
        body = events.envelope(events.talk(events.message("7312", "price")))
        shop.fake.note(body)
        file = shop.folder / "other.yaml"
        file.write_text(FLOWS.replace("Here you are", "Here it is"), "utf-8")
        with viewer(shop, "BEGIN EXCLUSIVE"):
            webhook, *commands = await asyncio.gather(
                shop.fake.post(events.encode(body)),
                shop.try_command("flows", "apply", str(file), "--yes"),
                shop.try_command("connect", "--token-stdin", given=f"{shop.fake.token}\n"),
            )
            assert webhook == 200
            for said in commands:
                assert said.code == 1, said
                assert "locked by another program" in said.err
                assert "Traceback" not in said.err
            status = await shop.read("status")
            assert [one["code"] for one in status["problems"]] == ["storage"]
            assert (await shop.get("/readyz"))[0] == 503
        await shop.settles("7312", 1)
        await _emptied(shop)
        # Neither command has changed anything halfway.
        assert [one["username"] for one in await shop.read("connections", "list")] == ["shop"]
        await shop.command("flows", "apply", str(file), "--yes")
        assert await shop.stop() == 0


async def test_stopping_does_not_wait_for_somebody_elses_lock(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.echoes = "none"
        shop.fake.trouble = lambda call: Trouble(slow_s=0.5, passes=True) if call.is_send else None
        await shop.write("7321", "price")
        await shop.asked()
        with viewer(shop, "BEGIN IMMEDIATE"):
            await shop.settles("7321", 1)
            async with asyncio.timeout(10):
                assert await shop.stop() == 0
        assert "1 were not and will be settled at the next start" in shop.log.read_text()
        shop.fake.trouble = calm
        await shop.start()
        await _settled(shop)
        assert len(shop.fake.thread("7321")) == 1


async def _settled(shop: Shop) -> None:
    """By a look at the conversation, some seconds after the attempt."""
    for _ in range(40):
        if {item["status"] for item in await shop.read("queue", "list")} == {"sent"}:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(await shop.read("queue", "list"))


async def test_a_long_reader_is_told_when_the_log_beside_the_database_has_grown(tmp_path: Path) -> None:
    """The whole of what was written since its beginning has to stay; afterwards the file is cut back."""
    with database(tmp_path) as opened, closing(connect(opened.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM accounts").fetchone()
        while opened.wal_bytes() <= problems.WAL_BYTES_TOLD:
            opened.write(lambda conn: conn.execute("CREATE TABLE t AS SELECT zeroblob(24000000) AS x"))
            opened.write(lambda conn: conn.execute("DROP TABLE t"))
        (problem,) = problems.storage(None, opened.wal_bytes())
        assert problem.code == "database_held_open"
        reader.execute("ROLLBACK")
        for _ in range(3):
            opened.write(lambda conn: conn.execute("PRAGMA user_version=1"))
        assert problems.storage(None, opened.wal_bytes()) == []
        assert opened.wal_bytes() <= WAL_BYTES_KEPT
