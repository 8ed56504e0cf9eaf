"""The sender: lets leave what may leave, for many people at once, each one's messages in order.

`sending` is committed before a request leaves, its outcome as soon as it is known. If the process ends in between,
the next start finds `sending` and makes it `unknown`: it is never sent again blindly.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.errors import DatabaseDamaged, PamosnikError, StorageRefused
from pamosnik.instagram import limits
from pamosnik.model.outbox import OutboxItem, Outcome, OutcomeKind, Quota, RestOf
from pamosnik.outbox.pacing import Caution, PerSecond, Slowdown, Usage, has_media, with_reserve
from pamosnik.services import credentials, logins, sending
from pamosnik.services.sending import Claimed
from pamosnik.store import connections, outbox
from pamosnik.store.connections import Connected

IN_FLIGHT = 256
STOP_WITHIN_S = 7
"""For requests under way, and for open connections. With the writer's last commits the daemon ends within ten seconds
of being asked to: service managers kill what takes longer."""
NAP = timedelta(seconds=30)
BLOCKED_NAP = timedelta(seconds=1)
"""Something is due and may not leave yet, for a reason that no clock tells: looks again after this."""
EXPIRE_AT_ONCE = 200

log = logging.getLogger(__name__)


class Sender:
    """Claims within the limits, sends, records."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._texts: dict[str, PerSecond] = {}
        self._media: dict[str, PerSecond] = {}
        self._caution: dict[str, Caution] = {}
        self._slowdown: dict[tuple[str, Quota], Slowdown] = {}
        self._of_connection: Counter[str] = Counter()
        """How many requests of a connection are under way."""
        self._tokens: dict[str, tuple[bytes, str]] = {}
        self._in_flight: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = False
        self._until: float | None = None
        """On the loop's clock: when what is under way is left to the next start."""
        self.on_settled: Callable[[], None] = lambda: None
        """Called when an outcome may have given the runner something to do."""

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """Claims nothing more; what is under way may finish."""
        self._until = asyncio.get_running_loop().time() + STOP_WITHIN_S
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

    async def _finish(self) -> None:
        begun, late = len(self._in_flight), set[asyncio.Task[None]]()
        if self._in_flight:
            now = asyncio.get_running_loop().time()
            left_s = STOP_WITHIN_S if self._until is None else max(self._until - now, 0)
            _, late = await asyncio.wait(self._in_flight, timeout=left_s)
            for task in late:
                task.cancel()  # stays `sending`; the next start makes it `unknown`
        log.info(
            "Stopped sending: %d messages under way were finished, %d were not and will be settled at the next start",
            begun - len(late),
            len(late),
            extra={"action": "sender.stopped"},
        )

    async def idle(self) -> None:
        """Returns when every request under way is answered and recorded."""
        while self._in_flight:
            await asyncio.wait(set(self._in_flight))

    # --- claiming ------------------------------------------------------------------------------------

    async def round(self) -> int:
        """Claims and begins to send what may leave now; returns how many items that was."""
        now = self._tools.clock.now()
        deadline = outbox.next_deadline(self._tools.reader.connection)
        if deadline is not None and deadline <= now:
            await self._tools.writer.write(partial(sending.expire, now=now, limit=EXPIRE_AT_ONCE))
            self.on_settled()
        claimed = 0
        sending_now = connections.sending(self._tools.reader.connection, now)
        # A token that was destroyed is not kept in memory either.
        active = {connected.id for connected, _ in sending_now}
        self._tokens = {name: known for name, known in self._tokens.items() if name in active}
        for connected, sealed in sending_now:
            for quota in Quota:
                claimed += await self._claim(connected, sealed, quota, now)
        return claimed

    async def _claim(self, connected: Connected, sealed: bytes, quota: Quota, now: datetime) -> int:
        texts = self._texts.setdefault(connected.id, PerSecond(with_reserve(limits.TEXTS_PER_SECOND)))
        media = self._media.setdefault(connected.id, PerSecond(with_reserve(limits.MEDIA_PER_SECOND)))
        room = min(
            IN_FLIGHT - len(self._in_flight), texts.room(now), self._careful_room(connected.id, quota, now)
        )
        if room <= 0 or not await self._anything(connected.id, quota, now):
            return 0
        token = await self._token(connected, sealed, now)
        if token is None:
            return 0
        claimed = await self._tools.writer.write(
            partial(
                sending.claim,
                connection_id=connected.id,
                quota=quota,
                room=room,
                media_room=media.room(now),
                now=now,
            )
        )
        if not claimed:
            self.on_settled()  # what was in doubt is `unknown` now: the settler has to look
        for one in claimed:
            texts.take(now)
            self._slow(connected.id, quota).left(now, quota)
            if has_media(one.item):
                media.take(now)
            task = asyncio.create_task(self._send(one, connected.ig_id, token))
            self._of_connection[connected.id] += 1
            self._in_flight.add(task)
            task.add_done_callback(self._done)
        return len(claimed)

    async def _anything(self, connection_id: str, quota: Quota, now: datetime) -> bool:
        """A look without a transaction: most rounds have nothing to claim."""
        conn = self._tools.reader.connection
        if outbox.claimable(conn, connection_id, quota, now, 1, private_replies_wait=True):
            return True
        if not self._slow(connection_id, quota).stopped:
            return False
        # Whether the owner has mended it only an attempt tells.
        return await self._tools.writer.write(
            partial(sending.try_one_held, connection_id=connection_id, quota=quota, now=now)
        )

    def _slow(self, connection_id: str, quota: Quota) -> Slowdown:
        key = (connection_id, quota)
        if key not in self._slowdown:
            conn = self._tools.reader.connection
            rest = connections.quota_rests(conn, connection_id).get(quota)
            usage = connections.usage(conn, connection_id).get(quota)
            self._slowdown[key] = Slowdown(None if rest is None else rest[0], usage and Usage(*usage))
        return self._slowdown[key]

    def _careful_room(self, connection_id: str, quota: Quota, now: datetime) -> int:
        """How many may leave as far as earlier outcomes say: all, or one probe at its time, or none."""
        slowdown = self._slow(connection_id, quota)
        if slowdown.free_at(now) > now:
            return 0
        probe = self._caution.setdefault(connection_id, Caution()).next_probe()
        if probe is None:
            return 1 if slowdown.slow(quota, now) else IN_FLIGHT
        return 1 if now >= probe and self._of_connection[connection_id] == 0 else 0

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._woken.set()
        if not task.cancelled() and task.exception() is not None:
            log.error(
                "An attempt could not be recorded",
                exc_info=task.exception(),
                extra={"action": "sender.failed"},
            )

    async def _token(self, connected: Connected, sealed: bytes, now: datetime) -> str | None:
        known = self._tokens.get(connected.id)
        if known is None or known[0] != sealed:
            try:
                opened = credentials.token(self._tools.reader.connection, self._tools.keys, connected)
            except PamosnikError as error:
                log.error("%s", error.message, extra={"action": "sender.token", "connection": connected.id})  # noqa: TRY400
                await self._tools.writer.write(
                    partial(logins.unreadable, connection_id=connected.id, reason=error.message, now=now)
                )
                return None
            # Keys that were rotated seal the same token anew.
            if known is None or known[1] != opened:
                self._start_afresh(connected.id)
            known = self._tokens[connected.id] = (sealed, opened)
        return known[1]

    def _start_afresh(self, connection_id: str) -> None:
        """Another token: what the one before was refused says nothing about it."""
        for quota in Quota:
            self._slowdown.pop((connection_id, quota), None)

    # --- sending -------------------------------------------------------------------------------------

    async def _send(self, claimed: Claimed, ig_id: str, token: str) -> None:
        begun = self._tools.clock.now()
        try:
            outcome = await self._tools.instagram.send(claimed.item, claimed.body, ig_id=ig_id, token=token)
        finally:
            self._of_connection[claimed.item.connection_id] -= 1
        self._tools.meters.attempted(claimed.item, outcome)
        self._learn(claimed.item, outcome, begun)
        silent_since = self._caution[claimed.item.connection_id].silent_since
        log.info(
            "%s %s: %s",
            claimed.item.kind.value,
            claimed.item.id,
            outcome.reason,
            extra={"action": f"outbox.{outcome.kind.value}", "run_id": claimed.item.run_id},
        )
        await asyncio.shield(
            self._record(claimed.item.id, partial(sending.record, outcome=outcome, silent_since=silent_since))
        )
        self.on_settled()

    def _learn(self, item: OutboxItem, outcome: Outcome, begun: datetime) -> None:
        now = self._tools.clock.now()
        caution = self._caution.setdefault(item.connection_id, Caution())
        if outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT):
            caution.unanswered(begun, now)
        else:
            caution.certain()
        rest = None if outcome.pause_s is None else now + timedelta(seconds=outcome.pause_s)
        slowdown = self._slow(item.connection_id, item.quota)
        match outcome.kind:
            case OutcomeKind.CONFIGURATION:
                slowdown.refused(begun, now)
            case OutcomeKind.SENT:
                slowdown.accepted()
        slowdown.heard(outcome.usage_percent, None if outcome.rest_of is RestOf.ITEM else rest, begun, now)
        if rest is not None and outcome.rest_of is RestOf.CONNECTION:
            caution.probe(rest)
        elif rest is not None and outcome.rest_of is RestOf.APP:
            for connected in connections.with_tokens(self._tools.reader.connection):
                self._caution.setdefault(connected.id, Caution()).probe(rest)

    async def _record(self, item_id: str, record: "partial[None]") -> None:
        """Until it is on disk: the answer exists only here."""
        while True:
            try:
                await self._tools.writer.write(partial(record, item_id=item_id, now=self._tools.clock.now()))
                return
            except DatabaseDamaged:
                return  # the daemon ends for it; `sending` stands on disk, and a restore asks Instagram
            except StorageRefused:
                await asyncio.sleep(1)

    # --- waiting -------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        pause = max(self._pause(self._tools.clock.now()), timedelta(milliseconds=5))
        await happens(self._woken, within=pause)

    def _pause(self, now: datetime) -> timedelta:
        conn = self._tools.reader.connection
        times = [outbox.next_due(conn), outbox.next_deadline(conn), connections.next_rest_over(conn, now)]
        ahead = [at - now if at > now else BLOCKED_NAP for at in times if at is not None]
        full = [b.free_at(now) - now for b in self._texts.values() if b.room(now) <= 0]
        probes = [probe - now for c in self._caution.values() if (probe := c.next_probe()) and probe > now]
        slow = [at - now for s in self._slowdown.values() if (at := s.free_at(now)) > now]
        return min((*ahead, *full, *probes, *slow, NAP))
