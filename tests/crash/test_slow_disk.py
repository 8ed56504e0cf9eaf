"""Every commit waits for a third of a second: acknowledgements get slower but stay right, and order is kept.

A second program takes the write lock in a rhythm: to the daemon, whose commits wait for it, that is a slow disk.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pamosnik import _sqlite
from tests.daemon import events
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio
HELD_S, FREE_S = 0.35, 0.02
PEOPLE = 60


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def slow_disk(shop: Shop) -> Iterator[None]:
    over = threading.Event()

    def hold() -> None:
        path = shop.home / "pamosnik.db"
        with closing(_sqlite.connect(path, isolation_level=None, timeout=5)) as conn:
            while not over.wait(FREE_S):
                conn.execute("BEGIN IMMEDIATE")
                over.wait(HELD_S)
                conn.execute("ROLLBACK")

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


async def test_a_crowd_on_a_slow_disk(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        people = [f"78{number:03}" for number in range(PEOPLE)]
        with slow_disk(shop):
            bodies = [events.envelope(events.talk(events.message(igsid, "size"))) for igsid in people]
            for body in bodies:
                shop.fake.note(body)
            answers = await asyncio.gather(*(shop.fake.post(events.encode(body)) for body in bodies))
            assert answers == [200] * PEOPLE
            # Many share one commit: it takes not as many commits as there are people until all are stored.
            await _stored(shop, PEOPLE)
            await asyncio.gather(*(_answers(shop, igsid) for igsid in people[:5]))
        for igsid in people[:5]:
            question, noted = shop.fake.thread(igsid)
            assert "Which size?" in question
            assert noted == "Noted: Small"
        assert await shop.stop() == 0
        assert "storage" not in shop.log.read_text()


async def _stored(shop: Shop, count: int) -> None:
    for _ in range(20):
        if len(await shop.read("events", "list")) >= count:
            return
    raise AssertionError(shop.log.read_text())


async def _answers(shop: Shop, igsid: str) -> None:
    await shop.settles(igsid, 1, within_s=60)
    await shop.tap(igsid, "Small")
    await shop.settles(igsid, 2, within_s=60)
