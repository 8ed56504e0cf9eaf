"""Long reads keep nobody waiting: no webhook, no page, no stop of the daemon."""

import asyncio
import threading
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection, OperationalError
from pamosnik.daemon.aside import AT_ONCE, Aside
from pamosnik.errors import HomeError
from pamosnik.store.database import open_database

pytestmark = pytest.mark.anyio
FOR_AGES = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n WHERE i<0"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "pamosnik.db"
    open_database(path, migrate=True).close()
    return path


async def test_the_loop_goes_on_while_something_is_read(path: Path) -> None:
    release = threading.Event()

    def slow(_: Connection) -> str:
        release.wait(10)
        return "read"

    with Aside(path) as aside:
        reading = asyncio.create_task(aside.read("A", slow))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not reading.done()
        release.set()
        assert await reading == "read"


async def test_a_page_comes_while_something_long_is_read(path: Path) -> None:
    """All reads had one thread: beside a long download every page waited for its next part."""
    release = threading.Event()

    def slow(_: Connection) -> str:
        release.wait(10)
        return "read"

    with Aside(path) as aside:
        long_ones = [asyncio.create_task(aside.read("A", slow)) for _ in range(AT_ONCE - 1)]
        assert await aside.read("A", lambda conn: conn.execute("SELECT 1").fetchone()) == (1,)
        assert not any(one.done() for one in long_ones)
        release.set()
        assert await asyncio.gather(*long_ones) == ["read"] * (AT_ONCE - 1)


async def test_reads_at_the_same_moment_keep_to_their_accounts(path: Path) -> None:
    together = threading.Barrier(AT_ONCE, timeout=10)

    def whose(conn: Connection) -> str:
        together.wait()
        (account,) = conn.execute("SELECT account_id FROM reading_for").fetchone()
        return str(account)

    with Aside(path) as aside:
        accounts = [f"A{number}" for number in range(4 * AT_ONCE)]
        assert await asyncio.gather(*(aside.read(one, whose) for one in accounts)) == accounts


async def test_the_end_does_not_wait_for_what_is_being_read(path: Path) -> None:
    begun = threading.Barrier(AT_ONCE + 1, timeout=10)

    def endless(conn: Connection) -> object:
        begun.wait()
        return conn.execute(FOR_AGES).fetchone()

    aside = Aside(path)
    with aside:
        reading = [asyncio.create_task(aside.read("A", endless)) for _ in range(AT_ONCE)]
        await asyncio.sleep(0)
        waiting = asyncio.create_task(aside.read("A", endless))
        await asyncio.to_thread(begun.wait)
    for one in reading:
        with pytest.raises((HomeError, OperationalError)):
            await one
    with pytest.raises(asyncio.CancelledError):
        await waiting
