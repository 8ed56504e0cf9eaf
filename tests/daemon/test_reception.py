"""Deliveries while the database's writer is at something for long: acknowledged from a file beside it, stored once
all the same."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection, IntegrityError
from pamosnik.clock import VirtualClock
from pamosnik.daemon.reception import Reception
from pamosnik.errors import StorageRefused
from pamosnik.model.event import EventKind, Incoming
from pamosnik.privacy import erase
from pamosnik.services import intake
from pamosnik.store import spill, tombstones
from pamosnik.store.database import Database, connect, open_database
from pamosnik.store.deletions import Cause
from pamosnik.store.spill import Delivery, Spill
from pamosnik.store.tombstones import Tombstone
from pamosnik.store.writer import GroupWriter
from tests.store.rows import NOW, database

pytestmark = pytest.mark.anyio
PATIENTLY_S = 20
"""Only where somebody would wait for ever."""

_REFUSES_BAD = (
    "CREATE TEMP TRIGGER breaks BEFORE INSERT ON main.events WHEN NEW.mid='bad'"
    " BEGIN SELECT RAISE(ABORT, 'a mistake of ours'); END"
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _said(mid: str, ig_id: str = "178", igsid: str = "900") -> Incoming:
    return Incoming(
        ig_id=ig_id,
        key=f"m:{mid}",
        kind=EventKind.MESSAGE,
        occurred_at=NOW,
        igsid=igsid,
        text=f"text of {mid}",
        mid=mid,
    )


@dataclass(slots=True)
class Desk:
    database: Database
    reader: Database
    writer: GroupWriter
    reception: Reception
    clock: VirtualClock
    news: asyncio.Event

    @property
    def file(self) -> Path:
        return self.reader.path.with_name(spill.NAME)

    def stored(self) -> list[tuple[object, ...]]:
        return list(
            self.reader.connection.execute(
                "SELECT mid, seen_times, received_at FROM events ORDER BY event_id"
            )
        )

    async def emptied(self) -> None:
        async with asyncio.timeout(PATIENTLY_S):
            while self.file.stat().st_size:  # noqa: ASYNC110 - another thread does it
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def blocked(self) -> AsyncIterator[None]:
        """The writer is at one thing until the end, as when the file is written anew."""
        begun, over = threading.Event(), threading.Event()

        def wait(_: Connection) -> None:
            begun.set()
            over.wait(PATIENTLY_S)

        waiting = asyncio.create_task(self.writer.alone(wait))
        await asyncio.to_thread(begun.wait, PATIENTLY_S)
        try:
            yield
        finally:
            over.set()
            await waiting


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    with (
        database(folder) as opened,
        open_database(opened.path) as reader,
        Spill(folder / spill.NAME) as file,
    ):
        clock, news = VirtualClock(NOW), asyncio.Event()
        writer = GroupWriter(opened)
        reception = Reception(writer, reader, clock, file)
        reception.on_events = news.set
        running = asyncio.create_task(reception.run())
        try:
            yield Desk(opened, reader, writer, reception, clock, news)
        finally:
            running.cancel()
            await writer.close()
            await reception.close()


async def test_nobody_waits_for_a_writer_that_is_busy(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.reception.take_in([_said("before")])
        assert at.file.stat().st_size == 0
        async with at.blocked():
            async with asyncio.timeout(PATIENTLY_S / 2):
                await asyncio.gather(*(at.reception.take_in([_said(f"m{n}")]) for n in range(30)))
                # Repeated by Meta, and of an account that nobody has connected here.
                await at.reception.take_in([_said("m1"), _said("foreign", ig_id="999")])
            assert [row[0] for row in at.stored()] == ["before"]
            kept, damaged = spill.read(at.file)
            assert (len(kept), damaged) == (31, 0)
            assert {item.ig_id for one in kept for item in one.items} == {"178"}
            at.news.clear()
            at.clock.move_to(NOW + timedelta(hours=1))
        await at.emptied()
        assert at.news.is_set()
        rows = at.stored()
        assert sorted(str(row[0]) for row in rows) == sorted(["before", *(f"m{n}" for n in range(30))])
        assert {row[0]: row[1] for row in rows if row[1] != 1} == {"m1": 2}
        assert len({row[2] for row in rows}) == 1, "the time of the delivery counts"


async def test_what_the_database_refuses_afterwards_is_stored_as_soon_as_it_takes_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        with closing(connect(at.reader.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            at.database.connection.execute("PRAGMA busy_timeout=600")
            await at.reception.take_in([_said("m1")])
            async with asyncio.timeout(PATIENTLY_S):
                while at.writer.storage.problem is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert spill.read(at.file)[0]
            other.execute("ROLLBACK")
        await at.emptied()
        assert [row[:2] for row in at.stored()] == [("m1", 1)]


async def test_the_file_is_emptied_also_when_a_delivery_can_never_be_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours in one delivery does not keep what others wrote in the file until the next start."""
    async with desk(tmp_path) as at:
        async with at.blocked():
            await at.reception.take_in([_said("bad")])
            await at.reception.take_in([_said("good")])
            at.database.connection.execute(_REFUSES_BAD)
        await at.emptied()
        assert [row[0] for row in at.stored()] == ["good"]
        assert [r.levelname for r in caplog.records if "could not be stored" in r.message] == ["ERROR"]
        async with at.blocked():
            await at.reception.take_in([_said("later")])
        await at.emptied()
        assert [row[0] for row in at.stored()] == ["good", "later"]


async def test_beyond_what_the_file_may_hold_the_database_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spill, "BYTES_AT_MOST", 10)
    async with desk(tmp_path) as at:
        with closing(connect(at.reader.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            at.database.connection.execute("PRAGMA busy_timeout=600")
            with pytest.raises(StorageRefused):
                await at.reception.take_in([_said("m1")])
        assert at.file.stat().st_size == 0
        async with at.blocked():
            taking = asyncio.create_task(at.reception.take_in([_said("m2")]))
            await asyncio.sleep(0.6)
            assert not taking.done()
        await taking
        assert [row[:2] for row in at.stored()] == [("m2", 1)]


# --- the next start --------------------------------------------------------------------------------------


def _left_behind(folder: Path, *deliveries: Delivery) -> None:
    with Spill(folder / spill.NAME) as file:
        file.append([spill.line(delivery) for delivery in deliveries])


async def test_a_start_takes_over_what_was_acknowledged_and_no_more(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(lambda conn: intake.store(conn, [_said("m1")], NOW))
        later = NOW + timedelta(minutes=1)
        deliveries = Delivery(NOW, (_said("m1"),)), Delivery(later, (_said("m2"), _said("x", ig_id="999")))
        for _ in range(2):  # a power cut may undo the emptying
            _left_behind(tmp_path, *deliveries)
            intake.take_over(opened, tmp_path)
            assert (tmp_path / spill.NAME).read_bytes() == b""
            rows = opened.connection.execute("SELECT mid, seen_times, received_at FROM events ORDER BY mid")
            assert rows.fetchall() == [
                ("m1", 1, int(NOW.timestamp() * 1000)),
                ("m2", 1, int(later.timestamp() * 1000)),
            ]


async def test_nobody_who_was_deleted_comes_back_with_it(tmp_path: Path) -> None:
    with database(tmp_path) as opened:

        def forget(conn: Connection) -> None:
            tombstones.put_key(conn, "a1", b"k" * 32)
            hashed = tombstones.hasher(conn, "k1")
            assert hashed is not None
            tombstones.put(conn, "a1", Tombstone("k1", hashed("900"), NOW, NOW, opted_out=False))

        opened.write(forget)
        _left_behind(tmp_path, Delivery(NOW, (_said("m1"), _said("m2", igsid="901"))))
        intake.take_over(opened, tmp_path)
        assert opened.connection.execute("SELECT mid FROM events").fetchall() == [("m2",)]
        for table in ("events", "tombstones", "connections"):
            opened.connection.execute(f"DELETE FROM {table}")
        _left_behind(tmp_path, Delivery(NOW, (_said("m3"),)))
        intake.take_over(opened, tmp_path)
        assert opened.connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
        assert (tmp_path / spill.NAME).read_bytes() == b""


async def test_nothing_is_set_aside_for_what_is_being_deleted(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        assert intake.wanted(opened.connection, [_said("m1")]) == (_said("m1"),)
        opened.write(lambda conn: erase.begin_connection(conn, "k1", Cause.COMMAND, actor="test", now=NOW))
        assert intake.wanted(opened.connection, [_said("m1")]) == ()


async def test_a_delivery_that_cannot_be_stored_does_not_keep_the_others_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with database(tmp_path) as opened:
        opened.connection.execute(_REFUSES_BAD)
        bad = _said("bad")
        with pytest.raises(IntegrityError):
            opened.write(lambda conn: intake.store(conn, [bad], NOW))
        whole = replace(_said("m1"), text="good")
        _left_behind(tmp_path, Delivery(NOW, (whole, bad)), Delivery(NOW, (_said("m2"),)))
        intake.take_over(opened, tmp_path)
        assert opened.connection.execute("SELECT mid FROM events").fetchall() == [("m2",)]
        assert "could not be taken over" in caplog.text
