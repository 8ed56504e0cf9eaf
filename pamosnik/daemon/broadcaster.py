"""The broadcaster: begins what the clock starts, and goes through the audience in short transactions."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.services import broadcasts
from pamosnik.services.library import Library
from pamosnik.store import accounts, connections
from pamosnik.store import broadcasts as store
from pamosnik.store import flows as flow_store

NAP = timedelta(seconds=30)
"""Looks again after this long even if nobody woke it."""

BUSY_NAP = timedelta(seconds=1)
"""While a broadcast waits for its messages to leave."""

log = logging.getLogger(__name__)


class Broadcaster:
    """Not before the time is known: what a wrong clock begins, nobody can take back."""

    def __init__(self, tools: Tools, on_work: Callable[[], None], library: Library | None = None) -> None:
        """`on_work` is called when runs may have put something into the outbox."""
        self._tools = tools
        self._on_work = on_work
        self._library = library or Library(tools.address)
        self._woken = asyncio.Event()
        self._planned_for: object = None
        self._one_by_one: set[str] = set()
        """Broadcasts with somebody whose turn fails: looked for person by person."""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled: what was handed to the writer is finished all the same."""
        await keep_on(self._tools, self._woken, self._once)

    async def _once(self) -> None:
        if not await self.round():
            await self._rest()

    async def round(self) -> bool:
        """One look at everything; whether there was something to do."""
        conn, now = self._tools.reader.connection, self._tools.clock.now()
        await self._plan()
        due = broadcasts.due(conn, now)
        for planned in due:
            begin = partial(broadcasts.begin, library=self._library, planned=planned, now=now)
            await self._tools.writer.write(begin)
            log.info("A broadcast is due", extra={"action": "broadcast.due", "flow": planned.flow_id})
        worked = [await self._some(broadcast_id) for broadcast_id in store.under_way(conn)]
        if any(worked):
            self._on_work()
        return bool(due) or any(worked)

    async def _plan(self) -> None:
        """When flows or connections are others than last time."""
        conn = self._tools.reader.connection
        everything = [
            (
                account.id,
                account.timezone,
                flow_store.revision(conn, account.id),
                [(one.id, one.username) for one in connections.of_account(conn, account.id)],
            )
            for account in accounts.every(conn)
        ]
        if everything == self._planned_for:
            return
        for account_id, *_ in everything:
            now = self._tools.clock.now()
            plan = partial(broadcasts.plan, library=self._library, account_id=account_id, now=now)
            await self._tools.writer.write(plan)
        self._planned_for = everything

    async def _some(self, broadcast_id: str) -> bool:
        at_most = 1 if broadcast_id in self._one_by_one else broadcasts.LOOKED_AT_ONCE
        work = partial(
            broadcasts.choose_some,
            library=self._library,
            broadcast_id=broadcast_id,
            now=self._tools.clock.now(),
            at_most=at_most,
        )
        try:
            return await self._tools.writer.write(work)
        except (StorageRefused, DatabaseDamaged):
            raise  # storage's fault, not this broadcast's: it keeps its place
        except Exception:
            # Rolled back. Whose turn it is that fails shows one by one; that person is passed over.
            log.exception("A broadcast failed on somebody", extra={"action": "broadcast.failed"})
            await self._failed(broadcast_id, alone=at_most == 1)
            return True

    async def _failed(self, broadcast_id: str, *, alone: bool) -> None:
        if not alone:
            self._one_by_one.add(broadcast_id)
            return
        self._one_by_one.discard(broadcast_id)
        now = self._tools.clock.now()
        over = partial(broadcasts.pass_over, library=self._library, broadcast_id=broadcast_id, now=now)
        await self._tools.writer.write(over)

    async def _rest(self) -> None:
        conn, now = self._tools.reader.connection, self._tools.clock.now()
        due = store.next_due(conn)
        busy = bool(store.under_way(conn)) or (due is not None and due <= now)
        pause = BUSY_NAP if busy else NAP if due is None else min(due - now, NAP)
        await happens(self._woken, within=max(pause, timedelta(milliseconds=5)))
