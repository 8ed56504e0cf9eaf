"""The gate that reading calls pass: Meta allows two conversation calls a second for each account."""

import asyncio
from datetime import datetime, timedelta

from pamosnik.clock import Clock
from pamosnik.instagram import limits

APART = timedelta(seconds=1.1) / limits.CONVERSATION_CALLS_PER_SECOND
"""A little more than the limit asks for: Meta counts when calls arrive, not when they leave."""


class Gate:
    """Shared by all that read, so that together they keep the limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_at: dict[str, datetime] = {}

    async def enter(self, connection_id: str) -> None:
        """Returns when this connection may make one more call; callers are let in one after the other."""
        now = self._clock.now()
        turn = max(self._free_at.get(connection_id, now), now)
        self._free_at[connection_id] = turn + APART
        await asyncio.sleep((turn - now).total_seconds())
