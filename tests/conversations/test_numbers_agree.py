"""After whatever has happened, the numbers that are shown are those that can be counted from the rows, wherever they
are shown; and they stay when the rows are gone.

A short history for every day; `make recount` plays ten thousand things.
"""

from pathlib import Path

import pytest

from tests.examples import TIMES
from tests.recount import comparing, history
from tests.recount.counting import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("seed", range(1, 1 + TIMES))
async def test_numbers_are_those_that_the_rows_tell_wherever_they_are_shown(
    tmp_path: Path, seed: int
) -> None:
    lived = await history.live(tmp_path / "shop", seed=seed, number=120, days=12, legs=3)
    rows = Rows(lived.settings.database, lived.witness)
    assert rows.forgotten("runs") > 0, "numbers have to stay when what they were counted from is gone"
    assert rows.forgotten("events") > 0
    assert await comparing.wrong(lived) == []
