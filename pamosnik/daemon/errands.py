"""The errand runner: lets calls, mails and look-ups leave, and writes down what came of them.

Somebody knows how each kind is done (`Doer`, all of them in `doers`); claiming, recording, repeating and ending are
the same for all. What the daemon's end cuts short begins again at the next start.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from pamosnik.daemon.sender import STOP_WITHIN_S
from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.model.outbox import ItemKind, OutboxItem
from pamosnik.services import errands
from pamosnik.services.errands import Failed, Later, Result
from pamosnik.store import errands as errand_store

NAP = timedelta(seconds=30)
TRIES = 2
"""After so many exceptions an errand has failed: it cannot come round for ever."""
AGAIN_AFTER = timedelta(seconds=1)

log = logging.getLogger(__name__)


class Doer(Protocol):
    """Does the errands of one kind."""

    kind: ItemKind
    at_once: int
    """How many may be under way together."""

    async def do(self, item: OutboxItem) -> Result:
        """One attempt; `item.attempts` counts it. What else is learnt it stores itself, before it returns."""
        ...


class ErrandRunner:
    """Claims what is due, has it done, records."""

    def __init__(self, tools: Tools, doers: Sequence[Doer], on_settled: Callable[[], None]) -> None:
        """`on_settled`: a run may have something to go on with."""
        self._tools = tools
        self._doers = doers
        self._on_settled = on_settled
        self._under_way: Counter[ItemKind] = Counter()
        self._exceptions: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """Claims nothing more; what is under way may finish."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        try:
            await keep_on(self._tools, self._woken, self._once, until=lambda: self._stopping)
        finally:
            await self._finish()

    async def _once(self) -> None:
        if await self.round() == 0:
            await self._rest()

    async def round(self) -> int:
        """Claims and begins what may leave now; returns how many errands that was."""
        return sum([await self._claim(doer) for doer in self._doers])

    async def idle(self) -> None:
        """Returns when every errand under way is done and recorded."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _finish(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()  # stays `sending`; the next start begins it again

    async def _claim(self, doer: Doer) -> int:
        room = doer.at_once - self._under_way[doer.kind]
        now = self._tools.clock.now()
        # A look without a transaction: most rounds have nothing to claim.
        if room <= 0 or not errand_store.due(self._tools.reader.connection, doer.kind, now, 1):
            return 0
        claimed = await self._tools.writer.write(partial(errands.claim, kind=doer.kind, limit=room, now=now))
        for item in claimed:
            self._under_way[doer.kind] += 1
            task = asyncio.create_task(self._do(doer, item))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return len(claimed)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._woken.set()
        if not task.cancelled() and task.exception() is not None:
            log.error(
                "An errand could not be recorded",
                exc_info=task.exception(),
                extra={"action": "errands.failed"},
            )

    async def _do(self, doer: Doer, item: OutboxItem) -> None:
        try:
            result = await self._attempt(doer, item)
        finally:
            self._under_way[doer.kind] -= 1
        log.info(
            "%s %s: %s",
            item.kind.value,
            item.id,
            result.word,
            extra={"action": f"errands.{result.word}", "run_id": item.run_id},
        )
        await asyncio.shield(self._record(item.id, result))
        self._on_settled()

    async def _attempt(self, doer: Doer, item: OutboxItem) -> Result:
        try:
            result = await doer.do(item)
        except (StorageRefused, DatabaseDamaged):
            return Later(self._tools.clock.now() + AGAIN_AFTER, "nothing can be stored at the moment")
        except Exception:
            # This errand's own end, not the runner's: tried once more, then failed.
            log.exception("An errand failed: %s", item.id, extra={"action": "errands.exception"})
            self._exceptions[item.id] += 1
            if self._exceptions[item.id] < TRIES:
                return Later(self._tools.clock.now() + AGAIN_AFTER, "Pamosnik failed on it once")
            result = Failed("Pamosnik failed on it twice; the log of that time names the place")
        if not isinstance(result, Later):
            self._exceptions.pop(item.id, None)
        return result

    async def _record(self, item_id: str, result: Result) -> None:
        """Until it is on disk: what came back exists only here."""
        while True:
            try:
                await self._tools.writer.write(
                    partial(errands.record, item_id=item_id, result=result, now=self._tools.clock.now())
                )
                return
            except DatabaseDamaged:
                return  # the daemon ends for it; the errand begins again
            except StorageRefused:
                await asyncio.sleep(1)

    async def _rest(self) -> None:
        now = self._tools.clock.now()
        conn = self._tools.reader.connection
        # Whoever has no room is woken by the first of theirs that ends.
        waiting = [doer for doer in self._doers if self._under_way[doer.kind] < doer.at_once]
        times = [due for doer in waiting if (due := errand_store.next_due(conn, doer.kind)) is not None]
        pause = min((due - now for due in times), default=NAP)
        await happens(self._woken, within=min(max(pause, timedelta(milliseconds=5)), NAP))
