"""The eraser: deletes the data of people who want to be forgotten and of connections whose time has come, in short
transactions between those of others."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens
from pamosnik.errors import HomeError, StorageRefused
from pamosnik.privacy import erase, forget
from pamosnik.store import connections, copies, deletions, ledger, tombstones
from pamosnik.store.deletions import Receipt, Scope
from pamosnik.store.ledger import Ledger
from pamosnik.store.vacuum import empty_wal, rebuild

EVERY = timedelta(minutes=1)
"""A round comes at least so often."""
PAUSE_S = 0.005
"""Between two transactions: others write meanwhile."""
WAL_TRIES = 20
WAL_AGAIN_S = 0.25

log = logging.getLogger(__name__)


class Eraser:
    """A round without anything to delete writes nothing."""

    def __init__(self, tools: Tools, on_forgotten: Callable[[], None] = lambda: None) -> None:
        """`on_forgotten` is called when somebody is gone: what they wrote afterwards has waited for it."""
        self._tools = tools
        self._on_forgotten = on_forgotten
        self._busy = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A message has come to its end: perhaps the last one to somebody."""
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled: what was begun goes on at the next start."""
        while True:
            self._woken.clear()
            try:
                with self._tools.reader.in_words():
                    await self.round()
            except StorageRefused as error:
                self._tools.writer.storage.refused(error)
                await asyncio.sleep(1)
            await happens(self._woken, within=EVERY)

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
                mark = partial(erase.begin_due, connection_id=connected.id)
                await self._tools.writer.write(partial(mark, now=self._tools.clock.now()))
            await self._forget_people()
            for receipt in deletions.under_way(self._tools.reader.connection):
                if receipt.scope is Scope.CONNECTION:
                    await self._erase(receipt)
        finally:
            self._busy = False

    async def _forget_people(self) -> None:
        """Row by row; then the bytes of all of them together."""
        conn, clock = self._tools.reader.connection, self._tools.clock
        for contact_id in forget.ready(conn, clock.now()):
            more = True
            while more:
                some = partial(forget.erase_some, contact_id=contact_id, now=clock.now())
                more = await self._tools.writer.write(some)
                await asyncio.sleep(PAUSE_S)
            self._on_forgotten()
        stones = tombstones.to_purge(conn)
        if not stones:
            return
        kept = {
            connection_id: hasher
            for connection_id in {stone.connection_id for stone in stones}
            if (hasher := tombstones.hasher(conn, connection_id)) is not None
        }
        if not await self._without_traces(partial(tombstones.holds, stones=stones, hashers=kept)):
            return
        path = self._tools.reader.path.with_name(ledger.NAME)
        await asyncio.to_thread(ledger.write, path, Ledger(tombstones.keys(conn), stones))
        await self._tools.writer.write(partial(tombstones.purged, stones=stones, now=clock.now()))
        log.info("%d ids of people were forgotten", len(stones), extra={"action": "forget.done"})

    async def _erase(self, receipt: Receipt) -> None:
        if not erase.may_begin(self._tools.reader.connection, receipt, self._tools.clock.now()):
            log.info("A deletion waits for a request under way", extra={"action": "erase.waits"})
            return
        assert receipt.subject_id is not None
        more = True
        while more:
            more = await self._tools.writer.write(partial(erase.erase_some, receipt=receipt))
            await asyncio.sleep(PAUSE_S)
        if not await self._without_traces(partial(copies.holds_connection, connection_id=receipt.subject_id)):
            return
        await self._tools.writer.write(
            partial(erase.end, deletion_id=receipt.id, now=self._tools.clock.now())
        )
        log.info("The data of a connection was deleted", extra={"action": "erase.done"})

    async def _without_traces(self, holds: Callable[[Connection], bool]) -> bool:
        """Rewrites the file, empties the WAL, removes the copies that `holds` speaks of. False: tried again later."""
        await self._tools.writer.alone(rebuild)
        if not await self._empty_wal():
            log.warning(
                "A deletion cannot be finished while another program reads the database; it is tried again",
                extra={"action": "erase.busy"},
            )
            return False
        try:
            await asyncio.to_thread(copies.forget, self._tools.reader.path, holds)
        except HomeError as error:
            log.error("%s %s", error.message, error.hint, extra={"action": "erase.copies"})  # noqa: TRY400
            return False
        return True

    async def _empty_wal(self) -> bool:
        for _ in range(WAL_TRIES):
            if await self._tools.writer.alone(empty_wal):
                return True
            await asyncio.sleep(WAL_AGAIN_S)
        return False
