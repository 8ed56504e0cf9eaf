"""The gate that reading calls pass: Meta allows two conversation calls a second for each account."""

import asyncio

from pamosnik.clock import Clock
from pamosnik.instagram import limits
from pamosnik.outbox.pacing import PerSecond


class Gate:
    """Shared by all that read, so that together they keep the limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, PerSecond] = {}

    async def enter(self, connection_id: str) -> None:
        """Returns when this connection may make one more call."""
        calls = self._calls.setdefault(connection_id, PerSecond(limits.CONVERSATION_CALLS_PER_SECOND))
        while True:
            now = self._clock.now()
            if calls.room(now) > 0:
                calls.take(now)
                return
            await asyncio.sleep((calls.free_at(now) - now).total_seconds() + 0.001)
