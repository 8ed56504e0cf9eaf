"""The short form of `make chaos ARGS="--changes 60"`, with a fixed seed."""

from pathlib import Path

import pytest

from tests.crash.changes import Season, play

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_changes_under_way_lose_nobody_and_say_nothing_twice(tmp_path: Path) -> None:
    season = Season(people=6, changes=6, kills=1, faults=2, seed=3, patience_s=6)
    played = await play(tmp_path, season)
    assert played.ledger.holds, (played.ledger.wrong, str(played))
    assert played.owner.done > 2
    assert played.owner.killed > 0
