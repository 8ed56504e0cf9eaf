"""Waiting for something to happen, for so long at most."""

import asyncio
from contextlib import suppress
from datetime import timedelta


async def happens(event: asyncio.Event, within: timedelta) -> None:
    """Returns when the event is set or the time is over."""
    # Not wait_for: it loses a cancellation that comes together with the event (python/cpython#86296).
    with suppress(TimeoutError):
        async with asyncio.timeout(within.total_seconds()):
            await event.wait()
