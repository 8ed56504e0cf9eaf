"""The eraser's rounds while the daemon runs."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.privacy import eraser
from pamosnik.privacy.eraser import META_PAUSES_S
from pamosnik.services.unsubscribing import Unsubscriber

EVERY = timedelta(seconds=10)
"""A round comes at least so often."""
AGAIN = timedelta(seconds=5)
"""And so soon after one that could not finish."""


class Eraser:
    """Deletes what is to be deleted, and goes on at the next start with what was begun."""

    def __init__(
        self,
        tools: Tools,
        on_forgotten: Callable[[], None] = lambda: None,
        *,
        time_is_known: Callable[[], bool] = lambda: True,
        pauses: Sequence[float] = META_PAUSES_S,
    ) -> None:
        """As `privacy.eraser.Eraser` has it."""
        self._tools = tools
        unsubscriber = Unsubscriber(tools.reader, tools.instagram, tools.keys)
        self._eraser = eraser.Eraser(
            tools.writer,
            tools.reader,
            tools.clock,
            unsubscriber.tell,
            on_forgotten,
            time_is_known=time_is_known,
            pauses=pauses,
        )
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A deletion was begun somewhere, or a message has come to its end: perhaps the last one to somebody."""
        self._woken.set()

    async def round(self) -> bool:
        """False: some of it has to be tried again soon."""
        return await self._eraser.round()

    async def run(self) -> None:
        """Until it is cancelled."""
        await keep_on(self._tools, self._woken, self._once)

    async def _once(self) -> None:
        done = await self.round()
        await happens(self._woken, within=EVERY if done else AGAIN)
