"""Taking in what Meta delivers: nobody is told 200 before it is on disk, and nobody waits long for it.

The database holds it as a rule. While its writer is at one thing for long (the file is written anew after a deletion,
another program holds the lock), deliveries are set aside in `incoming.log` and acknowledged; what they have to do in
the database stays queued, first in line. As soon as the database holds all of them the file is emptied.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pamosnik.clock import Clock
from pamosnik.errors import StorageRefused
from pamosnik.model.event import Incoming
from pamosnik.services import intake
from pamosnik.services.intake import Stored
from pamosnik.store import spill
from pamosnik.store.database import Database
from pamosnik.store.spill import Delivery, Spill
from pamosnik.store.writer import GroupWriter

PATIENCE_S = 0.25
"""So long a delivery waits for the database before it is set aside; half of it is for those behind it."""
AGAIN_S = 1.0

log = logging.getLogger(__name__)


class Reception:
    def __init__(self, writer: GroupWriter, reader: Database, clock: Clock, file: Spill) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self.on_events: Callable[[], None] = lambda: None
        """Called when something new is stored."""
        self._aside = _Aside(file)
        self._open = 0
        """Deliveries that are set aside, or about to be, and not in the database yet."""
        self._again: deque[Delivery] = deque()
        """Of those: what the database has refused."""
        self._news = asyncio.Event()

    async def take_in(self, items: Sequence[Incoming]) -> None:
        """Returns when they are on disk. Raises `StorageRefused` when they are not, and will not be."""
        now = self._clock.now()
        stored = self._writer.begin(partial(intake.store, items=items, now=now), urgent=True)
        while not stored.done():
            await asyncio.wait((stored,), timeout=PATIENCE_S)
            blocked = not stored.done() and self._writer.busy_for() >= PATIENCE_S
            if blocked and await self._set_aside(Delivery(now, tuple(items)), stored):
                return
        self._tell(stored.result())

    async def run(self) -> None:
        """Stores what the database has refused, and empties the file when nothing needs it. Until it is cancelled."""
        while True:
            self._news.clear()
            await self._store_again()
            await self._empty()
            await self._news.wait()

    async def close(self) -> None:
        """The writer has ended: what it has not stored is taken over at the next start."""
        await asyncio.sleep(0)  # for those whose turn it is to hear how their writing ended
        await self._empty()
        self._aside.close()

    async def _set_aside(self, delivery: Delivery, stored: "asyncio.Future[Stored]") -> bool:
        """False when the disk refuses, or has taken as much as it shall."""
        ours = intake.wanted(self._reader.connection, delivery.items)
        if ours:
            self._open += 1
            kept = await self._aside.keep(spill.line(Delivery(delivery.received_at, ours)))
            if not kept:
                self._open -= 1
                return False
        stored.add_done_callback(partial(self._ended, delivery=delivery, counted=bool(ours)))
        return True

    def _ended(self, stored: "asyncio.Future[Stored]", *, delivery: Delivery, counted: bool) -> None:
        """The database has stored what was set aside, or has refused it."""
        if not stored.cancelled() and stored.exception() is None:
            self._open -= counted
            self._tell(stored.result())
        elif counted:
            self._again.append(delivery)
        self._news.set()

    async def _store_again(self) -> None:
        while self._again:
            delivery = self._again[0]
            store = partial(intake.store, items=delivery.items, now=delivery.received_at)
            try:
                stored = await self._writer.write(store, urgent=True)
            except StorageRefused as error:
                self._writer.storage.refused(error)
                await asyncio.sleep(AGAIN_S)
                continue
            except Exception:
                if self._writer.failure is not None:
                    raise
                # Its own fault, twice: it is left out, as at a start. The file would be kept for it for ever.
                log.exception("A delivery could not be stored", extra={"action": "webhook.not_stored"})
            else:
                self._tell(stored)
            self._open -= 1
            self._again.popleft()

    async def _empty(self) -> None:
        if not self._open and self._aside.used:
            await self._aside.empty()

    def _tell(self, stored: Stored) -> None:
        if stored.of_unknown_accounts:
            log.warning(
                "%d items were for Instagram accounts that are not connected",
                stored.of_unknown_accounts,
                extra={"action": "webhook.unknown_account"},
            )
        if stored.new:
            self.on_events()


class _Line:
    __slots__ = ("durable", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.durable = False


class _Aside:
    """The file behind a thread of its own: one flush for all lines that have queued up meanwhile."""

    def __init__(self, file: Spill) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pamosnik-incoming")
        self._queued: deque[_Line] = deque()
        self._bytes = 0
        self._refused = False

    @property
    def used(self) -> bool:
        return self._bytes > 0

    async def keep(self, raw: bytes) -> bool:
        """Whether the line is on disk."""
        if self._bytes + len(raw) > spill.BYTES_AT_MOST:
            return False
        self._bytes += len(raw)
        line = _Line(raw)
        self._queued.append(line)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._flush)
        if not line.durable:
            self._bytes -= len(raw)
        return line.durable

    async def empty(self) -> None:
        """Nobody needs what is in it. Lines that are handed in from now on are written after it."""
        self._bytes = 0
        await asyncio.get_running_loop().run_in_executor(self._thread, self._cut)

    def close(self) -> None:
        self._thread.shutdown()

    def _flush(self) -> None:
        lines = [self._queued.popleft() for _ in range(len(self._queued))]
        if not lines:
            return  # they went with those before
        try:
            self._file.append([line.raw for line in lines])
        except OSError as error:
            self._say(error)
            return
        self._refused = False
        for line in lines:
            line.durable = True

    def _cut(self) -> None:
        try:
            self._file.empty()
        except OSError as error:
            self._say(error)

    def _say(self, error: OSError) -> None:
        if not self._refused:
            log.error(
                "%s cannot be written: %s", spill.NAME, error.strerror, extra={"action": "webhook.set_aside"}
            )
        self._refused = True
