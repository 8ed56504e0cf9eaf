"""After whatever has happened, the numbers that are shown are those that can be counted from the rows; wherever they
are shown they are the same; and they stay when the rows are gone.

A short history for every day; `python -m tests.recount FOLDER` plays ten thousand things.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from pamosnik.clock import VirtualClock
from tests.daemon.machine import running
from tests.examples import TIMES
from tests.recount import comparing, counting, history
from tests.recount.history import History, Lived
from tests.recount.witness import Witness

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=range(1, 1 + TIMES))
def lived(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Lived:
    folder = tmp_path_factory.mktemp("life")
    return asyncio.run(history.live(folder, seed=request.param, number=120, days=12, legs=3))


async def test_they_are_those_that_the_rows_tell_wherever_they_are_shown(lived: Lived) -> None:
    assert await comparing.wrong(lived) == []


async def test_they_stay_when_everything_they_were_counted_from_is_gone(lived: Lived) -> None:
    before = counting.kept(lived.settings.database)
    assert sum(before.values()) > 500, "little has happened"
    later = lived.now + timedelta(days=500)
    async with running(lived.settings, lived.fake, VirtualClock(later)) as shop:
        witness = Witness(lived.witness, shop.clock.now)
        await shop.writer.alone(witness.watch)
        await History(shop, lived.chance, witness=witness).is_cleaned()
        conn = shop.reader.connection
        left = {
            table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("runs", "events", "outbox", "links", "contacts")
        }
    assert set(left.values()) == {0}, left
    assert counting.kept(lived.settings.database) == before
    assert await comparing.wrong(replace(lived, now=later)) == []
