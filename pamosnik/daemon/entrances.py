"""Keeps the opening questions and the menu at Instagram as the flows say: when they change, and again until it took
them."""

import asyncio
import logging
from datetime import timedelta
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.errors import DatabaseDamaged, PamosnikError, StorageRefused
from pamosnik.services import credentials, entrances
from pamosnik.services.entrances import Change
from pamosnik.services.library import Library
from pamosnik.store import entrances as entrance_store

NAP = timedelta(minutes=1)
"""Looks again after this long: flows come into and go out of their time, too."""

log = logging.getLogger(__name__)


class EntranceKeeper:
    """Compares, tells Instagram what is different, writes down its answer. While nothing differs nothing is asked."""

    def __init__(self, tools: Tools, library: Library | None = None) -> None:
        self._tools = tools
        self._library = library or Library()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled: what Instagram was asked for and not answered is asked for again."""
        await keep_on(self._tools, self._woken, self._once)

    async def _once(self) -> None:
        await self.round()
        await self._rest()

    async def round(self) -> int:
        """Returns how many things Instagram was told."""
        due = entrances.due(self._tools.reader.connection, self._library, self._tools.clock.now())
        return sum(await asyncio.gather(*(self._tell(change) for change in due)))

    async def _tell(self, change: Change) -> bool:
        connected, clock = change.connected, self._tools.clock
        about = {"connection": connected.id}
        try:
            token = credentials.token(self._tools.reader.connection, self._tools.keys, connected)
        except (StorageRefused, DatabaseDamaged):
            raise
        except PamosnikError as error:
            # The sender stops the connection for it and tells the owner.
            log.error("%s", error.message, extra={"action": "entrances.token", **about})  # noqa: TRY400
            return False
        asked_at = clock.now()
        asks = partial(
            entrance_store.asks, connected=connected, entrance=change.entrance, labels=change.labels
        )
        if not await self._tools.writer.write(asks):
            return False
        answer = await entrances.tell(self._tools.instagram, token, change)
        log.info(
            "%s, %d: %s",
            change.entrance.value,
            len(change.labels),
            answer.outcome.reason,
            extra={"action": f"entrances.{answer.outcome.kind.value}", **about},
        )
        await self._tools.writer.write(
            partial(entrances.record, change=change, answer=answer, asked_at=asked_at, now=clock.now())
        )
        return True

    async def _rest(self) -> None:
        now = self._tools.clock.now()
        due = entrances.next_due(self._tools.reader.connection, self._library, now)
        pause = NAP if due is None else min(max(due - now, timedelta(seconds=1)), NAP)
        await happens(self._woken, within=pause)
