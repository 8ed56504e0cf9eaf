"""Meta allows two conversation calls a second."""

import asyncio
from datetime import datetime

import pytest

from pamosnik.clock import SystemClock
from pamosnik.daemon.gate import APART, Gate

pytestmark = pytest.mark.anyio


async def test_calls_of_one_connection_keep_apart_and_others_do_not_wait() -> None:
    gate, clock = Gate(SystemClock()), SystemClock()
    begun = clock.now()

    async def enter(connection: str) -> datetime:
        await gate.enter(connection)
        return clock.now()

    first, second, third, other = await asyncio.gather(*map(enter, ("a", "a", "a", "b")))
    assert second - first >= APART * 0.98
    assert third - second >= APART * 0.98
    assert other - begun < APART
