"""The runner: takes what has happened and gives every event, wait and settled message its turn."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from pamosnik._sqlite import Connection
from pamosnik.daemon.posts import PostFinder
from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.model.event import Verdict
from pamosnik.services import answering, resuming
from pamosnik.services.library import Library
from pamosnik.store import inbox, outbox, runs
from pamosnik.store.runs import DueWait

AT_ONCE = 200
TRIES = 2
NAP = timedelta(seconds=30)
"""Looks again after this long even if nobody woke it."""

POSTS_NAP = timedelta(seconds=5)
"""How soon events come round again that wait for something Instagram has not told yet."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Runner:
    """Claims, decides, records; then waits to be woken or for the next `due_at`."""

    def __init__(
        self,
        tools: Tools,
        posts: PostFinder,
        on_work: Callable[[], None],
    ) -> None:
        """`on_work` is called when a turn may have put something into the outbox."""
        self._tools = tools
        self._posts = posts
        self._on_work = on_work
        self._library = Library(tools.address)
        self._woken = asyncio.Event()
        self._waiting_for_posts = 0
        self._pending = 0
        """Events that wait for something else that Instagram has to tell."""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled: a turn that was handed to the writer is finished all the same."""
        await keep_on(self._tools, self._woken, self._once)

    async def _once(self) -> None:
        if await self.round() == 0:
            await self._rest()

    async def round(self) -> int:
        """One look at everything that waits; returns how many turns were taken."""
        await self._posts.find_shared()
        now = self._tools.clock.now()
        conn = self._tools.reader.connection
        # What waits for its post must not keep the others out.
        events = inbox.pending(conn, AT_ONCE + self._waiting_for_posts)
        waits = runs.waits_due(conn, now, AT_ONCE)
        settled = outbox.untold(conn, AT_ONCE)
        if events:
            waiting = await self._posts.find_for(events)
            events = [event_id for event_id in events if event_id not in waiting]
            self._waiting_for_posts = len(waiting)
        # Events of one batch keep their order: the writer takes functions in the order they come.
        results = await asyncio.gather(
            *(self._event(event_id, now) for event_id in events),
            *(self._wait(due, now) for due in waits),
            *(self._settled(item_id, now) for item_id in settled),
        )
        # An event that has to wait for an answer of Meta's comes round when that is known.
        self._pending = results.count(Verdict.PENDING)
        if results:
            # Also while an event waits: what it asks Instagram for is in the outbox.
            self._on_work()
        return len(results) - self._pending

    async def _rest(self) -> None:
        due = runs.next_wait_due(self._tools.reader.connection)
        now = self._tools.clock.now()
        if self._waiting_for_posts or self._pending:
            due = min(due or now + POSTS_NAP, now + POSTS_NAP)
        pause = NAP if due is None else min(max(due - now, timedelta(milliseconds=5)), NAP)
        await happens(self._woken, within=pause)

    # --- one item: an exception is its own result, rolled back and tried once more -------------------

    async def _event(self, event_id: str, now: datetime) -> object:
        def fail(conn: Connection) -> None:
            if inbox.count_failure(conn, event_id) >= TRIES:
                answering.fail_event(conn, event_id, now)

        work = partial(answering.take_event, library=self._library, event_id=event_id, now=now)
        return await self._take(lambda conn: work(conn), fail, "event", event_id)

    async def _wait(self, due: DueWait, now: datetime) -> None:
        def fail(conn: Connection) -> None:
            if runs.count_wait_failure(conn, due.wait_id) >= TRIES:
                resuming.fail_wait(conn, due, now)

        work = partial(resuming.take_wait, library=self._library, due=due, now=now)
        await self._take(lambda conn: work(conn), fail, "wait", due.wait_id)

    async def _settled(self, item_id: str, now: datetime) -> None:
        def fail(conn: Connection) -> None:
            outbox.told(conn, item_id)

        work = partial(resuming.take_settled, library=self._library, item_id=item_id, now=now)
        await self._take(lambda conn: work(conn), fail, "outbox item", item_id)

    async def _take(
        self, work: Callable[[Connection], T], fail: Callable[[Connection], None], kind: str, item_id: str
    ) -> T | None:
        try:
            return await self._tools.writer.write(work)
        except (StorageRefused, DatabaseDamaged):
            raise  # storage's fault, not this item's: it keeps its place
        except Exception:
            # Rolled back; a second failure ends the item, so it cannot come round for ever.
            log.exception("A turn failed on %s %s", kind, item_id, extra={"action": "turn.failed"})
            await self._tools.writer.write(fail)
            return None
