"""Waiting for something to happen, and a worker's rounds until it does."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from pamosnik.daemon.tools import Tools
from pamosnik.errors import StorageRefused


async def happens(event: asyncio.Event, within: timedelta) -> None:
    """Returns when the event is set or the time is over."""
    # Not wait_for: it loses a cancellation that comes together with the event (python/cpython#86296).
    with suppress(TimeoutError):
        async with asyncio.timeout(within.total_seconds()):
            await event.wait()


async def keep_on(
    tools: Tools,
    woken: asyncio.Event,
    once: Callable[[], Awaitable[None]],
    until: Callable[[], bool] = lambda: False,
) -> None:
    """A worker's life: `once` is a round and its rest. What storage refuses is told, and tried again soon."""
    while not until():
        woken.clear()
        try:
            with tools.reader.in_words():
                await once()
        except StorageRefused as error:
            tools.writer.storage.refused(error)
            await asyncio.sleep(1)
