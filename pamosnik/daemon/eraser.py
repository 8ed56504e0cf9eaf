"""The eraser: deletes the data of connections whose time has come, in short transactions between those of others."""

import asyncio
import logging
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.errors import HomeError
from pamosnik.privacy import erase
from pamosnik.store import connections, copies, deletions
from pamosnik.store.deletions import Receipt
from pamosnik.store.vacuum import empty_wal, rebuild

PAUSE_S = 0.005
"""Between two transactions: others write meanwhile."""
WAL_TRIES = 20
WAL_AGAIN_S = 0.25

log = logging.getLogger(__name__)


class Eraser:
    """A round without anything to delete writes nothing."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._busy = False

    async def round(self) -> None:
        """Begins what is due and brings to its end what is under way, also from before a restart.

        Does nothing while another round is at it: a large deletion outlasts the interval of the rounds. What storage
        refuses (`StorageRefused`) goes on in a later round.
        """
        if self._busy:
            return
        self._busy = True
        try:
            for connected in connections.to_delete(self._tools.reader.connection, self._tools.clock.now()):
                mark = partial(erase.begin, connection_id=connected.id, cause=erase.APP_REMOVED)
                if not await self._tools.writer.write(partial(mark, now=self._tools.clock.now())):
                    log.info("A deletion waits for a request under way", extra={"action": "erase.waits"})
            for receipt in deletions.under_way(self._tools.reader.connection):
                await self._erase(receipt)
        finally:
            self._busy = False

    async def _erase(self, receipt: Receipt) -> None:
        more = True
        while more:
            more = await self._tools.writer.write(partial(erase.erase_some, connection_id=receipt.id))
            await asyncio.sleep(PAUSE_S)
        await self._tools.writer.alone(rebuild)
        if not await self._empty_wal():
            log.warning(
                "A deletion cannot be finished while another program reads the database; it is tried again",
                extra={"action": "erase.busy"},
            )
            return
        try:
            await asyncio.to_thread(copies.forget, self._tools.reader.path, receipt.id)
        except HomeError as error:
            log.error("%s %s", error.message, error.hint, extra={"action": "erase.copies"})  # noqa: TRY400
            return
        await self._tools.writer.write(
            partial(erase.end, deletion_id=receipt.id, now=self._tools.clock.now())
        )
        log.info("The data of a connection was deleted", extra={"action": "erase.done"})

    async def _empty_wal(self) -> bool:
        for _ in range(WAL_TRIES):
            if await self._tools.writer.alone(empty_wal):
                return True
            await asyncio.sleep(WAL_AGAIN_S)
        return False
