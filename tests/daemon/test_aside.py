"""Long reads keep nobody waiting: no webhook, no page, no stop of the daemon."""

import asyncio
import threading
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection, OperationalError
from pamosnik.daemon.aside import Aside
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


async def test_the_end_does_not_wait_for_what_is_being_read(path: Path) -> None:
    begun = threading.Event()

    def endless(conn: Connection) -> object:
        begun.set()
        return conn.execute(FOR_AGES).fetchone()

    aside = Aside(path)
    with aside:
        reading = asyncio.create_task(aside.read("A", endless))
        waiting = asyncio.create_task(aside.read("A", endless))
        assert await asyncio.to_thread(begun.wait, 10)
    with pytest.raises((HomeError, OperationalError)):
        await reading
    with pytest.raises(asyncio.CancelledError):
        await waiting
