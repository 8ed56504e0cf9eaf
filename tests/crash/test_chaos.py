"""The short form of `make chaos`, with a fixed seed."""

from pathlib import Path

import pytest

from tests.crash.chaos import Play, play

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_kills_and_faults_lose_nothing_and_say_nothing_twice(tmp_path: Path) -> None:
    ledger = await play(tmp_path, Play(people=12, kills=4, faults=6, seed=7, patience_s=6))
    assert ledger.holds, ledger
    assert ledger.unknown == 0, ledger
