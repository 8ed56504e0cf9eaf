"""The daemon's parts in this process, under a clock that is moved by hand: for what takes minutes or days."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pamosnik import config
from pamosnik.clock import Clock, SteadyClock, VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.broadcaster import Broadcaster
from pamosnik.daemon.catch_up import CatchUp
from pamosnik.daemon.doers import Outside, doers
from pamosnik.daemon.entrances import EntranceKeeper
from pamosnik.daemon.eraser import Eraser
from pamosnik.daemon.errands import ErrandRunner
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.posts import PostFinder
from pamosnik.daemon.runner import Runner
from pamosnik.daemon.sender import Sender
from pamosnik.daemon.settler import Settler
from pamosnik.daemon.tokens import TokenKeeper
from pamosnik.daemon.tools import Tools
from pamosnik.instagram import webhook
from pamosnik.instagram.client import Instagram
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import connecting, intake, sending
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.reading import forecast, overview, status
from pamosnik.services.reading import queue as queue_reading
from pamosnik.services.reading.machine import Machine as Beneath
from pamosnik.services.reading.overview import Overview
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts
from pamosnik.store.connections import Connected
from pamosnik.store.database import Database, open_database
from pamosnik.store.writer import GroupWriter
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import FakeInstagram
from tests.daemon.shop import FLOWS, closed_shop, furnish


@dataclass
class Machine:
    fake: FakeInstagram
    tools: Tools
    clock: Clock
    writer: GroupWriter
    reader: Database
    runner: Runner
    sender: Sender
    errands: ErrandRunner
    settler: Settler
    keeper: TokenKeeper
    catch_up: CatchUp
    eraser: Eraser
    broadcaster: Broadcaster
    entrances: EntranceKeeper

    async def deliver(self, *entries: Json) -> None:
        """A webhook as the daemon takes it in; what people did is known to the fake Instagram, too."""
        body = events.envelope(*entries)
        self.fake.note(body)
        items = webhook.parse(events.encode(body)).items
        await self.writer.write(partial(intake.store, items=items, now=self.clock.now()))

    async def works(self) -> None:
        """Turns and sends until nothing more can be done now."""
        for _ in range(50):
            turns = await self.runner.round() + await self.broadcaster.round()
            sent = await self.sender.round()
            await self.sender.idle()
            errands = await self.errands.round()
            await self.errands.idle()
            if not turns and not sent and not errands:
                return
        raise AssertionError("it does not come to rest")

    def move_to(self, instant: datetime) -> None:
        """Only where the clock is moved by hand."""
        assert isinstance(self.clock, VirtualClock)
        self.clock.move_to(instant)

    async def later(self, **units: float) -> None:
        """Time passes in steps of a second or more, with everything that becomes due."""
        end = self.clock.now() + timedelta(**units)
        step = max(timedelta(seconds=1), timedelta(**units) / 200)
        while self.clock.now() < end:
            self.move_to(min(self.clock.now() + step, end))
            await self.settler.round()
            await self.works()

    async def connects(self) -> Connected:
        """The owner runs `pamosnik connect` with the token that the fake Instagram takes now."""
        conn = self.reader.connection
        account = accounts.every(conn)[0]
        found = connecting.Found(self.fake.token, events.IG_ID, None, "shop", ())
        keep = partial(connecting.keep, keys=self.tools.keys, account_id=account.id, found=found)
        return await self.writer.write(partial(keep, now=self.clock.now()))

    def queue(self) -> list[Shape]:
        """The oldest first."""
        conn = self.reader.connection
        found = queue_reading.newest(conn, accounts.every(conn)[0], now=self.clock.now())
        return [item.shape() for item in reversed(found)]

    def problems(self) -> list[Shape]:
        """What `status` tells the owner."""
        conn = self.reader.connection
        account = accounts.every(conn)[0]
        found = status.of_account(conn, account, running=True, since=None, now=self.clock.now())["problems"]
        assert isinstance(found, list)
        return found

    def page(self) -> Overview:
        """What the status page shows."""
        conn = self.reader.connection
        return overview.of_account(
            conn,
            account=accounts.every(conn)[0],
            events=50,
            now=self.clock.now(),
            machine=Beneath(None, None),
        )

    def prospects(self) -> str:
        """How long the queue takes, as `queue list` and the page say it."""
        conn = self.reader.connection
        return forecast.prospects(conn, accounts.every(conn)[0], self.clock.now()) or ""

    def problems_of(self, code: str) -> list[str]:
        """What `status` says under this code."""
        return [str(one["message"]) for one in self.problems() if one["code"] == code]

    def states(self, kind: str | None = None) -> list[object]:
        return [item["status"] for item in self.queue() if kind in (None, item["kind"])]

    def reasons(self) -> Mapping[object, object]:
        return {item["kind"]: item["reason"] for item in self.queue()}


@asynccontextmanager
async def machine(
    folder: Path,
    flows: str = FLOWS,
    *,
    clock: Clock | None = None,
    reached: Outside | None = None,
    public_url: str | None = None,
) -> AsyncIterator[Machine]:
    """`clock`: other than one that is moved by hand; a `SteadyClock` hears Instagram's time. `reached`: what errands
    reach beside Instagram."""
    async with (
        home_and_fake(folder, flows, public_url) as (settings, fake),
        running(settings, fake, clock, reached) as parts,
    ):
        yield parts


@asynccontextmanager
async def home_and_fake(
    folder: Path, flows: str = FLOWS, public_url: str | None = None
) -> AsyncIterator[tuple[Config, FakeInstagram]]:
    """A connected home with these flows, and nothing running on it yet."""
    shop = closed_shop(folder)
    fake = shop.fake
    fake.echoes = "none"
    await fake.start()
    try:
        await furnish(shop, flows)
        flags = {"home": str(shop.home), "meta_url": fake.url, "public_url": public_url}
        yield config.load(flags, environ={}), fake
    finally:
        await fake.close()


@asynccontextmanager
async def running(
    settings: Config, fake: FakeInstagram, clock: Clock | None = None, reached: Outside | None = None
) -> AsyncIterator[Machine]:
    """The parts on this home, begun as the daemon begins."""
    clock = clock or VirtualClock(datetime.now(UTC))
    on_answer = clock.answered if isinstance(clock, SteadyClock) else lambda _: None
    fake.now = clock.now
    keys = HeldKeys(settings.key_file, None)
    with open_database(settings.database) as database, open_database(settings.database) as reader:
        writer = GroupWriter(database)
        await writer.write(partial(sending.found_after_crash, now=clock.now()))
        async with Instagram(
            version=settings.graph_version, meta_url=settings.meta_url, on_answer=on_answer
        ) as instagram:
            tools = Tools(writer, reader, instagram, keys, clock, PublicAddress(settings.public_url))
            sender = Sender(tools)
            runner = Runner(tools, PostFinder(tools), sender.wake)
            gate = _OpenGate(clock)
            settler = Settler(tools, gate, sender.wake)
            keeper = TokenKeeper(tools)
            catch_up = CatchUp(tools, gate, runner.wake)
            errands = ErrandRunner(tools, doers(tools, reached or Outside()), runner.wake)
            broadcaster = Broadcaster(tools, sender.wake)
            parts = (
                runner,
                sender,
                errands,
                settler,
                keeper,
                catch_up,
                Eraser(tools),
                broadcaster,
                EntranceKeeper(tools),
            )
            yield Machine(fake, tools, clock, writer, reader, *parts)
            await sender.idle()
            await errands.idle()
        await writer.close()


class _OpenGate(Gate):
    """A clock that stands still would keep the gate shut for ever; its limit has a test of its own."""

    async def enter(self, connection_id: str) -> None:
        await asyncio.sleep(0)
