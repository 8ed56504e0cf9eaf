"""The eraser: brings every deletion that was begun to its end, in short transactions between those of others.

The daemon's worker runs its rounds; while no daemon runs, a command does, under the home's lock. A round begins what
is due, deletes rows (of people, then of connections, of whole accounts last), and for all of it together writes the
file anew, empties its log, and removes the copies and leftovers that hold it. Then receipts end. What was on its way
when the process died is on its way at the next start: everything a round needs to know is in the database.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.errors import HomeError
from pamosnik.privacy import erase, erase_account, forget
from pamosnik.store import backup, connections, copies, deletions, exports, ledger, tombstones
from pamosnik.store.connections import Connected
from pamosnik.store.database import Database
from pamosnik.store.deletions import MetaTold, Receipt, Scope
from pamosnik.store.ledger import Ledger
from pamosnik.store.shared_writer import Writer
from pamosnik.store.tombstones import Hasher, Tombstone
from pamosnik.store.vacuum import empty_wal, rebuild

PAUSE_S = 0.005
"""Between two transactions: others write meanwhile."""
WAL_TRIES = 20
WAL_AGAIN_S = 0.25
META_PAUSES_S = (3.0, 10.0, 20.0)
"""Before Meta is asked again that could not be reached; then the deletion goes on without it."""
TRACES_REST = 200
"""For traces alone the file is written anew not sooner than so many times as long as it took last."""

TellMeta = Callable[[Connected], Awaitable[MetaTold]]
"""Tells Meta that nothing more is wanted for a connection: TOLD, REFUSED, or UNREACHABLE this time."""

log = logging.getLogger(__name__)


class Eraser:
    """A round without anything to delete writes nothing."""

    def __init__(
        self,
        writer: Writer,
        reader: Database,
        clock: Clock,
        tell_meta: TellMeta,
        on_forgotten: Callable[[], None] = lambda: None,
        *,
        time_is_known: Callable[[], bool] = lambda: True,
        alone_for: Collection[str] | None = None,
        pauses: Sequence[float] = META_PAUSES_S,
    ) -> None:
        """`on_forgotten` is called when somebody is gone: what they wrote afterwards has waited for it. What is due
        by the clock is not begun before `time_is_known`; what somebody has begun goes on. `alone_for`: carries out
        these deletions only, and removes the traces of these accounts; nobody is sending, for no daemon runs."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._tell_meta = tell_meta
        self._on_forgotten = on_forgotten
        self._time_is_known = time_is_known
        self._alone_for = alone_for
        self._pauses = pauses
        self._busy = False
        self._rebuild_took_s = 0.0
        self._rebuilt_at = -float("inf")
        """By the monotonic clock."""

    async def round(self) -> bool:
        """Begins what is due and brings to its end what is under way, also from before a restart. False when some of
        it has to be tried again soon.

        Does nothing while another round is at it: a large deletion outlasts the interval of the rounds. What storage
        refuses (`StorageRefused`) goes on in a later round.
        """
        if self._busy:
            return True
        self._busy = True
        try:
            conn = self._reader.connection
            due = connections.to_delete(conn, self._clock.now()) if self._time_is_known() else []
            for connected in due:
                await self._write(erase.begin_due, connection_id=connected.id)
            await self._erase_people()
            done = await self._erase_connections()
            return await self._erase_accounts() and await self._without_traces() and done
        finally:
            self._busy = False

    # --- rows ----------------------------------------------------------------------------------------

    async def _erase_people(self) -> None:
        conn, alone = self._reader.connection, self._alone_for is not None
        for contact_id in forget.ready(conn, self._clock.now(), nobody_sends=alone):
            receipt = deletions.open_for(conn, contact_id)
            if alone and (receipt is None or not self._is_mine(receipt)):
                continue
            await self._all(forget.erase_some, contact_id=contact_id)
            self._on_forgotten()

    async def _erase_connections(self) -> bool:
        conn, now = self._reader.connection, self._clock.now()
        begun = self._with_rows(Scope.CONNECTION)
        alone = self._alone_for is not None
        free = [receipt for receipt in begun if alone or erase.may_begin(conn, receipt, now)]
        await self._tell([receipt for receipt in free if receipt.meta is MetaTold.DUE])
        for receipt in free:
            await self._all(erase.erase_some, receipt=receipt)
        if len(free) < len(begun):
            log.info("A deletion waits for a request under way", extra={"action": "erase.waits"})
        return len(free) == len(begun)

    async def _erase_accounts(self) -> bool:
        begun = self._with_rows(Scope.ACCOUNT)
        free = [r for r in begun if erase_account.may_begin(self._reader.connection, r)]
        for receipt in free:
            await self._all(erase_account.erase_some, receipt=receipt)
        return len(free) == len(begun)

    def _with_rows(self, scope: Scope) -> list[Receipt]:
        under_way = deletions.under_way(self._reader.connection)
        return [r for r in under_way if r.rows_gone_at is None and r.scope is scope and self._is_mine(r)]

    def _is_mine(self, receipt: Receipt) -> bool:
        return self._alone_for is None or not {receipt.id, receipt.part_of}.isdisjoint(self._alone_for)

    async def _all(self, erase_some: Callable[..., bool], **what: object) -> None:
        more = True
        while more:
            more = await self._write(erase_some, **what)
            await asyncio.sleep(PAUSE_S)

    async def _write(self, change: Callable[..., bool], **what: object) -> bool:
        return await self._writer.write(partial(change, **what, now=self._clock.now()))

    # --- Meta ----------------------------------------------------------------------------------------

    async def _tell(self, receipts: list[Receipt]) -> None:
        """Until Meta has answered for each of them, or has not been reached for about a minute."""
        due = receipts
        while due:
            answers = [(receipt, await self._ask(receipt)) for receipt in due]
            due = [_tried(receipt) for receipt, told in answers if told is MetaTold.DUE]
            if due:
                await asyncio.sleep(self._pauses[min(receipt.meta_tries for receipt in due) - 1])

    async def _ask(self, receipt: Receipt) -> MetaTold:
        assert receipt.subject_id is not None
        told = await self._tell_meta(connections.load(self._reader.connection, receipt.subject_id))
        if told is MetaTold.UNREACHABLE and receipt.meta_tries < len(self._pauses):
            told = MetaTold.DUE
        await self._writer.write(partial(deletions.tried_meta, deletion_id=receipt.id, meta=told))
        return told

    # --- what deleting leaves behind -----------------------------------------------------------------

    async def _without_traces(self) -> bool:
        """All that is gone by now shares one rebuild. What comes meanwhile gets one of its own, after a rest as long
        as this one took: others want to write, too."""
        conn = self._reader.connection
        ended = [r for r in deletions.under_way(conn) if r.rows_gone_at is not None and r.part_of is None]
        gone = [receipt for receipt in ended if self._is_mine(receipt)]
        stones, traces = tombstones.to_purge(conn), deletions.traces(conn)
        if self._alone_for is not None:
            accounts = {*self._alone_for, *(receipt.account_id for receipt in gone)}
            stones = tombstones.to_purge(conn, accounts)
            traces = [mark for mark in traces if mark[0] in accounts]
        if not await self._without_exports(gone, traces):
            return False
        rested_s = time.monotonic() - self._rebuilt_at
        if gone or stones:
            await asyncio.sleep(max(0.0, self._rebuild_took_s - rested_s))
        elif not traces or rested_s < TRACES_REST * self._rebuild_took_s:
            return True
        if not await self._rebuilt() or not await self._without_copies(gone, stones):
            return False
        # Once more: one that was being made has its name by now.
        if not await self._without_exports(gone, traces):
            return False
        if (gone or stones) and not await self._noted(gone, stones):
            return False
        await self._writer.write(
            partial(_end, gone=gone, stones=stones, traces=traces, now=self._clock.now())
        )
        for receipt in gone:
            log.info("A deletion (%s) is done", receipt.scope, extra={"action": "erase.done"})
        if stones:
            log.info("%d ids of people were forgotten", len(stones), extra={"action": "forget.done"})
        return True

    async def _rebuilt(self) -> bool:
        """The file is written anew and its log is empty. False: tried again later."""
        began = time.monotonic()
        await self._writer.alone(rebuild)
        self._rebuilt_at = time.monotonic()
        self._rebuild_took_s = self._rebuilt_at - began
        for _ in range(WAL_TRIES):
            if await self._writer.alone(empty_wal):
                return True
            await asyncio.sleep(WAL_AGAIN_S)
        log.warning(
            "A deletion cannot be finished while another program reads the database; it is tried again",
            extra={"action": "erase.busy"},
        )
        return False

    async def _without_copies(self, gone: Sequence[Receipt], stones: Sequence[Tombstone]) -> bool:
        """Copies that upgrades and restores left, and what killed commands left. False: tried again later."""
        path, conn = self._reader.path, self._reader.connection
        hashers = {
            connection_id: hasher
            for connection_id in {stone.connection_id for stone in stones}
            if (hasher := tombstones.hasher(conn, connection_id)) is not None
        }
        holds = partial(_holds, gone=gone, stones=stones, hashers=hashers)
        try:
            await asyncio.to_thread(copies.forget, path, holds)
        except HomeError as error:
            log.error("%s %s", error.message, error.hint, extra={"action": "erase.copies"})  # noqa: TRY400
            return False
        if await asyncio.to_thread(backup.leftovers_gone, path.parent):
            return True
        log.info("A deletion waits for a copy that is being made", extra={"action": "erase.copying"})
        return False

    async def _without_exports(self, gone: Sequence[Receipt], traces: Sequence[tuple[str, datetime]]) -> bool:
        """Files for the page that hold what is gone; they do not wait for the file to be written anew. False: tried
        again later."""
        now = self._clock.now()
        deleted = {**dict(traces), **{receipt.account_id: now for receipt in gone}}
        try:
            await asyncio.to_thread(exports.forget, self._reader.path.parent, deleted)
        except HomeError as error:
            log.error("%s %s", error.message, error.hint, extra={"action": "erase.copies"})  # noqa: TRY400
            return False
        return True

    async def _noted(self, gone: Sequence[Receipt], stones: Sequence[Tombstone]) -> bool:
        """In `erasures.log`. False: tried again later."""
        now = self._clock.now()
        new = _ledger(self._reader.connection, gone, stones, now)
        try:
            await asyncio.to_thread(ledger.note, self._reader.path.parent, new, now)
        except HomeError as error:
            log.error("%s %s", error.message, error.hint, extra={"action": "erase.ledger"})  # noqa: TRY400
            return False
        return True


def _tried(receipt: Receipt) -> Receipt:
    return replace(receipt, meta_tries=receipt.meta_tries + 1)


def _holds(
    copy: Connection, gone: Sequence[Receipt], stones: Sequence[Tombstone], hashers: Mapping[str, Hasher]
) -> bool:
    """Whether a copy of the database has rows of what was deleted."""
    for receipt in gone:
        assert receipt.subject_id is not None
        match receipt.scope:
            case Scope.CONNECTION if copies.holds_connection(copy, receipt.subject_id):
                return True
            case Scope.ACCOUNT if copies.holds_account(copy, receipt.subject_id):
                return True
    return tombstones.holds(copy, stones, hashers)


def _ledger(conn: Connection, gone: Sequence[Receipt], stones: Sequence[Tombstone], now: datetime) -> Ledger:
    """What `erasures.log` is to say of it, so that a restored backup is erased again."""
    ended = {scope: {r.subject_id: now for r in gone if r.scope is scope and r.subject_id} for scope in Scope}
    return Ledger(
        tombstones.keys(conn),
        stones,
        connections=ended[Scope.CONNECTION],
        accounts=ended[Scope.ACCOUNT],
    )


def _end(
    conn: Connection,
    gone: Sequence[Receipt],
    stones: Sequence[Tombstone],
    traces: Sequence[tuple[str, datetime]],
    now: datetime,
) -> None:
    tombstones.purged(conn, stones, now)
    for receipt in gone:
        erase.end(conn, receipt, now)
    deletions.traces_gone(conn, traces)
