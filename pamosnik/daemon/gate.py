"""The gate that reading calls pass: Meta allows two conversation calls a second for each account."""

import asyncio
from datetime import datetime, timedelta

from pamosnik.clock import Clock
from pamosnik.instagram import limits
from pamosnik.outbox.pacing import slower

APART = timedelta(seconds=1.1) / limits.CONVERSATION_CALLS_PER_SECOND
"""A little more than the limit asks for: Meta counts when calls arrive, not when they leave."""


class Gate:
    """Shared by all that read, so that together they keep the limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_at: dict[str, datetime] = {}
        self._slower: dict[str, int] = {}

    def now(self) -> datetime:
        return self._clock.now()

    async def enter(self, connection_id: str) -> None:
        """Returns when this connection may make one more call; callers are let in one after the other."""
        now = self._clock.now()
        turn = max(self._free_at.get(connection_id, now), now)
        self._free_at[connection_id] = turn + APART * self._slower.get(connection_id, 1)
        await asyncio.sleep((turn - now).total_seconds())

    def heard(self, connection_id: str, usage_percent: int | None) -> None:
        """What Meta's usage headers said last: from 80 % on the calls stand further apart."""
        if usage_percent is not None:
            self._slower[connection_id] = slower(usage_percent)
