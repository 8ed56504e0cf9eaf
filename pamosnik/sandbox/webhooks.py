"""Delivers changes to the app's callback address the way Meta does, and as badly as the switches say.

One queue, one worker: a POST at a time, in order unless shuffled. A failed POST is repeated with growing gaps
(real seconds, so that they pass under a clock that stands still). Age and the hour of failure after which
the subscription is dropped are read from the world's clock. What a body looks like is `envelopes`' part.
"""

import asyncio
import heapq
import random
import secrets
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime

import aiohttp

from pamosnik.errors import UsageError
from pamosnik.sandbox import items, rules
from pamosnik.sandbox.deliveries import Delivery, Switches
from pamosnik.sandbox.envelopes import envelope, headers, signature
from pamosnik.sandbox.things import App, Json, Notice
from pamosnik.sandbox.world import World

__all__ = ["Deliverer", "Delivery", "HandshakeFailed", "Switches", "envelope", "signature"]

_LOG_LENGTH = 10_000
_SHUFFLE_AMONG = 16
_TIMEOUT = aiohttp.ClientTimeout(total=rules.DELIVERY_TIMEOUT_S)


class HandshakeFailed(UsageError):
    """The callback address did not answer the challenge."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    due: float
    born: datetime
    notice: Notice


@dataclass(frozen=True, slots=True, order=True)
class _Parcel:
    """What goes into one POST; `due` is in the event loop's seconds."""

    due: float
    number: int
    tries: int = field(compare=False)
    born: datetime = field(compare=False)
    notices: tuple[Notice, ...] = field(compare=False)


class Deliverer:
    """Listens to a world. `run` must be running for anything to arrive."""

    def __init__(self, world: World) -> None:
        self.switches = Switches()
        self.log: deque[Delivery] = deque(maxlen=_LOG_LENGTH)
        self._world = world
        self._fresh: deque[_Waiting] = deque()
        self._retries: list[_Parcel] = []
        self._number = 0
        self._failing_since: datetime | None = None
        self._random = random.Random(7)  # noqa: S311 - only an order, and the same one every time
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        world.listen(self.offer)

    async def configure(self, app: App) -> None:
        """Asks the callback address for the challenge, then puts `app` into force; else `HandshakeFailed`."""
        if app.callback_url is not None:
            await _handshake(app.callback_url, app.verify_token or "")
        self._world.app = app
        self._failing_since = None

    def offer(self, notice: Notice) -> None:
        """Queues a change if the app may know of it."""
        if self._may_know(notice) and not self._replaced(notice) and not self._lost():
            self._queue(notice)

    def offer_test(self, *, before: bool = False) -> None:
        """The dashboard's test delivery, which asks for no subscription; `before` takes the older shape."""
        item = items.dashboard_test_before() if before else items.dashboard_test()
        self._queue(Notice("0", "messages", item))

    @property
    def failing_since(self) -> datetime | None:
        """When the first of an unbroken row of failures was; None while deliveries succeed."""
        return self._failing_since

    @property
    def alerted(self) -> bool:
        """Meta warns the owner after a quarter of an hour of failure."""
        since = self._failing_since
        return since is not None and self._world.clock.now() - since >= rules.DELIVERY_ALERT

    async def settle(self) -> None:
        """Returns when nothing is queued, under way, or waiting for another try."""
        await self._idle.wait()

    async def settle_within(self, seconds: float) -> bool:
        """False when something was still queued after that time."""
        try:
            async with asyncio.timeout(seconds):
                await self.settle()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Delivers until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                parcel = await self._next_parcel()
                await self._deliver(session, parcel)
                if not self._fresh and not self._retries:
                    self._idle.set()

    def _may_know(self, notice: Notice) -> bool:
        app, account = self._world.app, self._world.accounts[notice.ig_id]
        field = "standby" if notice.standby else notice.field
        scope = rules.FIELD_SCOPES[field]
        return (
            app.live
            and app.callback_url is not None
            and field in app.fields
            and bool(account.subscribed_fields)
            and scope in account.scopes
            and (account.message_access or scope != rules.SCOPE_MESSAGES)
            and (scope != rules.SCOPE_COMMENTS or account.public)
            and (self.switches.edit_companions or self.switches.edit_instead or not _announces(notice.item))
        )

    def _replaced(self, notice: Notice) -> bool:
        """A person's new message, of which only its announcement arrives."""
        app = self._world.app
        return self.switches.edit_instead and "message_edit" in app.fields and _is_new_message(notice.item)

    def _lost(self) -> bool:
        if self.switches.lose_next:
            self.switches = replace(self.switches, lose_next=self.switches.lose_next - 1)
            return True
        return self._random.random() < self.switches.loss

    def _queue(self, notice: Notice) -> None:
        due = asyncio.get_running_loop().time() + self.switches.delay_s
        self._fresh.append(_Waiting(due, self._world.clock.now(), notice))
        self._idle.clear()
        self._wake.set()

    async def _next_parcel(self) -> _Parcel:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = loop.time()
            if self._retries and self._retries[0].due <= now:
                return heapq.heappop(self._retries)
            if self._fresh and self._fresh[0].due <= now:
                return self._pack(now)
            await self._wait(now)

    async def _wait(self, now: float) -> None:
        """Until the next due time or until something new is queued."""
        dues = [queue[0].due for queue in (self._fresh, self._retries) if queue]
        try:
            async with asyncio.timeout(min(dues) - now if dues else None):
                await self._wake.wait()
        except TimeoutError:
            return

    def _pack(self, now: float) -> _Parcel:
        """One POST leaves when its oldest update is due, and takes along what else is queued."""
        taken = [self._take()]
        while len(taken) < self.switches.batch and self._fresh:
            taken.append(self._take())
        self._number += 1
        return _Parcel(now, self._number, 0, taken[0].born, tuple(one.notice for one in taken))

    def _take(self) -> _Waiting:
        """The first one, or with `shuffle` one of the first few."""
        if not self.switches.shuffle:
            return self._fresh.popleft()
        place = self._random.randrange(min(_SHUFFLE_AMONG, len(self._fresh)))
        taken = self._fresh[place]
        del self._fresh[place]
        return taken

    async def _deliver(self, session: aiohttp.ClientSession, parcel: _Parcel) -> None:
        app = self._world.app
        if app.callback_url is None:
            return
        body = envelope(parcel.notices, self._world.clock.now(), self.switches)
        answers = [await self._post(session, app, body) for _ in range(1 + self.switches.duplicates)]
        if 200 in answers:
            self._failing_since = None
        else:
            self._failed(parcel)

    async def _post(self, session: aiohttp.ClientSession, app: App, body: bytes) -> int | None:
        status: int | None = None
        try:
            async with session.post(
                app.callback_url or "",
                data=body,
                headers=headers(app, body, self.switches),
                allow_redirects=False,
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = None
        self.log.append(Delivery(self._world.clock.now(), status, body.decode()))
        return status

    def _failed(self, parcel: _Parcel) -> None:
        now = self._world.clock.now()
        self._failing_since = self._failing_since or now
        long = now - self._failing_since >= rules.DELIVERY_DROPS_SUBSCRIPTION
        if long and self.switches.drops_subscription:
            self._drop_subscriptions({notice.ig_id for notice in parcel.notices})
        elif now - parcel.born < rules.DELIVERY_GIVES_UP:
            self._repeat(parcel)

    def _repeat(self, parcel: _Parcel) -> None:
        gaps = self.switches.retry_gaps_s
        gap = gaps[min(parcel.tries, len(gaps) - 1)]
        due = asyncio.get_running_loop().time() + gap
        heapq.heappush(self._retries, replace(parcel, due=due, tries=parcel.tries + 1))

    def _drop_subscriptions(self, ig_ids: set[str]) -> None:
        """ "Webhooks disabled": the account has to subscribe again, and what was queued for it is lost."""
        for ig_id in ig_ids & self._world.accounts.keys():
            self._world.put_account(replace(self._world.accounts[ig_id], subscribed_fields=()))
        self._fresh = deque(one for one in self._fresh if one.notice.ig_id not in ig_ids)
        self._retries = [one for one in self._retries if not {n.ig_id for n in one.notices} & ig_ids]
        heapq.heapify(self._retries)
        self._failing_since = None


def _announces(item: Json) -> bool:
    """The `message_edit` with num_edit 0 that is no edit."""
    match item:
        case {"message_edit": {"num_edit": 0}}:
            return True
        case _:
            return False


def _is_new_message(item: Json) -> bool:
    match item:
        case {"message": dict() as told}:
            return "is_echo" not in told and "is_deleted" not in told
        case _:
            return False


def _why(problem: Exception) -> str:
    match problem:
        case TimeoutError():
            return f"nothing came within {rules.DELIVERY_TIMEOUT_S:g} seconds"
        case aiohttp.InvalidURL():
            return "that is no web address"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorError() if isinstance(problem.os_error, ConnectionRefusedError):
            return "connection refused"
        case aiohttp.ClientConnectorDNSError():
            return "there is no such host"
        case aiohttp.ServerDisconnectedError():
            return "it closed the connection"
        case _:
            return "the connection failed"


async def _handshake(callback_url: str, verify_token: str) -> None:
    challenge = str(secrets.randbelow(10**10))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(callback_url, params=query, allow_redirects=False) as answer,
        ):
            status, text = answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise HandshakeFailed(
            f"{callback_url} did not answer: {_why(problem)}", hint="Start your program first."
        ) from problem
    if status != 200:
        raise HandshakeFailed(f"{callback_url} answered {status} to the challenge, not 200")
    if text != challenge:
        raise HandshakeFailed(f"{callback_url} answered something else than the bare challenge")
