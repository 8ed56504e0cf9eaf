"""Calls, mails and look-ups leave, are repeated when nothing came of them, and come to an end whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.daemon.errands import ErrandRunner
from pamosnik.model.outbox import ItemKind, ItemStatus, OutboxItem, OutMessage
from pamosnik.model.run import RunWait
from pamosnik.services import sending
from pamosnik.services.errands import NOBODY_WAITS, Brought, Failed, Later, Result
from pamosnik.store import outbox, runs
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  size:
    when: [dm: size]
    do: [{ ask: "Which size?" }]
"""


@dataclass
class Courier:
    """Does errands as a test says."""

    results: list[Result | Exception]
    kind: ItemKind = ItemKind.CALL
    at_once: int = 2
    attempts: list[int] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def do(self, item: OutboxItem) -> Result:
        self.attempts.append(item.attempts)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await self.go.wait()
        self.busy -= 1
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


@dataclass
class Office:
    shop: Machine
    courier: Courier
    runner: ErrandRunner
    wait: RunWait
    run_id: str

    async def send_for(self, number: int = 0, **task: str) -> str:
        """An errand of the run that waits for its answer."""
        run = runs.load(self.shop.reader.connection, self.run_id)
        assert run is not None
        new = outbox.NewItem(
            account_id=run.account_id,
            connection_id=run.connection_id,
            contact_id=run.contact_id,
            source=run.id,
            turn=50,
            ordinal=number,
            run_id=run.id,
            flow_id=run.flow_id,
            step="do.0",
            kind=self.courier.kind,
            lane=f"e:{number}",
            content=OutMessage(),
            igsid="9001",
            due_at=self.shop.clock.now(),
            deadline=None,
            task=task,
        )
        return await self.shop.writer.write(lambda conn: outbox.add(conn, new, self.shop.clock.now()))

    async def work(self) -> int:
        begun = await self.runner.round()
        await self.runner.idle()
        return begun

    def item(self, item_id: str) -> OutboxItem:
        item = outbox.load(self.shop.reader.connection, item_id)
        assert item is not None
        return item


@asynccontextmanager
async def office(folder: Path, *results: Result | Exception, held: bool = False) -> AsyncIterator[Office]:
    async with machine(folder, FLOWS) as shop:
        await shop.deliver(events.talk(events.message("9001", "size")))
        await shop.works()
        ((run_id,),) = shop.reader.connection.execute("SELECT run_id FROM runs").fetchall()
        run = runs.load(shop.reader.connection, run_id)
        assert run is not None
        courier = Courier(list(results))
        if not held:
            courier.go.set()
        place = Office(shop, courier, ErrandRunner(shop.tools, [courier], lambda: None), run.waits[0], run_id)
        yield place
        courier.go.set()
        await place.runner.idle()


async def test_what_came_back_is_kept_and_told_to_the_run(tmp_path: Path) -> None:
    brought: Mapping[str, str | None] = {"status": "200", "name": None}
    async with office(tmp_path, Brought(brought)) as place:
        item_id = await place.send_for(wait=place.wait.id)
        assert await place.work() == 1
        item = place.item(item_id)
        assert (item.status, item.result) == (ItemStatus.SENT, brought)
        assert outbox.untold(place.shop.reader.connection, 9) == [item_id]
        assert await place.work() == 0


async def test_it_is_repeated_at_its_time_until_it_fails(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        later = place.shop.clock.now() + timedelta(seconds=30)
        place.courier.results = [Later(later, "busy"), Failed("no answer")]
        item_id = await place.send_for()
        assert await place.work() == 1
        assert await place.work() == 0
        place.shop.move_to(later)
        assert await place.work() == 1
        item = place.item(item_id)
        assert (item.status, item.reason, place.courier.attempts) == (ItemStatus.FAILED, "no answer", [1, 2])


async def test_an_exception_is_its_own_end_the_second_time(tmp_path: Path) -> None:
    async with office(tmp_path, ValueError("a"), ValueError("b")) as place:
        item_id = await place.send_for()
        for _ in range(3):
            await place.work()
            place.shop.move_to(place.shop.clock.now() + timedelta(seconds=2))
        item = place.item(item_id)
        assert (item.status, item.attempts) == (ItemStatus.FAILED, 2)
        assert "failed on it twice" in str(item.reason)


async def test_no_more_at_once_than_its_kind_allows(tmp_path: Path) -> None:
    async with office(tmp_path, *[Brought()] * 5, held=True) as place:
        for number in range(5):
            await place.send_for(number)
        assert await place.runner.round() == 2
        assert await place.runner.round() == 0
        for _ in range(5):
            await asyncio.sleep(0)
        place.courier.go.set()
        await place.runner.idle()
        assert [await place.work(), await place.work()] == [2, 1]
        assert place.courier.busiest == 2


async def test_what_nobody_waits_for_is_not_done_and_not_repeated(tmp_path: Path) -> None:
    async with office(tmp_path) as place:
        place.courier.results = [Later(place.shop.clock.now(), "busy")]
        gone = await place.send_for(0, wait="another")
        assert await place.work() == 0
        assert (place.item(gone).status, place.item(gone).reason) == (ItemStatus.CANCELLED, NOBODY_WAITS)
        leaves = await place.send_for(1, wait=place.wait.id)
        place.courier.go.clear()
        assert await place.runner.round() == 1
        run = runs.load(place.shop.reader.connection, place.run_id)
        assert run is not None
        await place.shop.writer.write(lambda conn: runs.save(conn, replace(run, waits=())))
        place.courier.go.set()
        await place.runner.idle()
        assert (place.item(leaves).status, place.item(leaves).reason) == (ItemStatus.FAILED, NOBODY_WAITS)


async def test_what_the_end_cuts_short_begins_again(tmp_path: Path) -> None:
    async with office(tmp_path, Brought(), held=True) as place:
        item_id = await place.send_for()
        assert await place.runner.round() == 1
        # The process ends here: nothing of the attempt is written down.
        assert place.item(item_id).status is ItemStatus.SENDING
        now = place.shop.clock.now()
        await place.shop.writer.write(lambda conn: sending.found_after_crash(conn, now))
        place.courier.go.set()
        afresh = ErrandRunner(place.shop.tools, [place.courier], lambda: None)
        assert await afresh.round() == 1
        await afresh.idle()
        assert place.item(item_id).status is ItemStatus.SENT
