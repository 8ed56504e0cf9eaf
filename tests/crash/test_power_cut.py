"""The power fails: what is on the disk at that instant is all there is.

The daemon is stopped in the middle of a step (SIGSTOP), its database and the log beside it are copied as a disk would
hold them, and it never goes on. The log's end is also spoiled or torn, as when it had not been flushed yet.
"""

import asyncio
import random
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from pamosnik.store.database import open_database
from tests.daemon.fake import Call, Trouble
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio
CUTS = 4
TEARS = 40
FILES = ("pamosnik.db", "pamosnik.db-wal")
FRAME = 24 + 4096
"""Header and page, https://www.sqlite.org/fileformat2.html#the_write_ahead_log"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _late(call: Call) -> Trouble | None:
    return Trouble(slow_s=0.1, passes=True) if call.method == "POST" else None


async def _people(shop: Shop, first: int, acknowledged: list[str], count: int = 40) -> None:
    """One after the other writes or comments; an id is noted once the daemon has answered 200."""
    for number in range(first, first + count):
        told = shop.comment(f"75{number:04}") if number % 2 else shop.write(f"75{number:04}", "price")
        acknowledged.append(await told)


def _take_copy(shop: Shop, to: Path) -> None:
    """All at one instant: nothing moves while it is taken. Without -shm, which is rebuilt from the log."""
    assert shop.process is not None
    shop.process.send_signal(signal.SIGSTOP)
    to.mkdir()
    for name in FILES:
        shutil.copyfile(shop.home / name, to / name)


def _unflushed(log: Path, chance: random.Random) -> None:
    """A frame of which only the beginning, or nothing but its place, had reached the disk."""
    content = log.read_bytes()
    frame = content[-FRAME:] if chance.random() < 0.5 else bytes(FRAME)
    log.write_bytes(content + frame[: chance.randrange(1, FRAME)])


def _put_back(copy: Path, home: Path) -> None:
    for name in FILES:
        shutil.move(copy / name, home / name)
    (home / "pamosnik.db-shm").unlink(missing_ok=True)
    copy.rmdir()


def _events(database: Path) -> list[str]:
    """What people sent, in the order it was stored; the file is whole."""
    with open_database(database) as opened:
        assert opened.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = opened.connection.execute(
            "SELECT coalesce(comment_id, mid) FROM events WHERE kind IN ('comment', 'message') ORDER BY rowid"
        )
        return [told for (told,) in rows]


async def test_what_was_acknowledged_is_there_and_nothing_is_said_twice(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with open_shop(tmp_path) as shop:
        shop.fake.trouble, shop.fake.echoes = _late, "none"
        acknowledged: list[str] = []
        for cut in range(CUTS):
            working = asyncio.create_task(_people(shop, cut * 40, acknowledged))
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            _take_copy(shop, tmp_path / "copy")
            before = set(acknowledged)
            await shop.kill()
            if cut % 2:
                _unflushed(tmp_path / "copy" / "pamosnik.db-wal", chance)
            _put_back(tmp_path / "copy", shop.home)
            assert before <= set(_events(shop.home / "pamosnik.db"))
            await shop.start()
            await working
        await shop.quiet()
        assert Counter(_events(shop.home / "pamosnik.db")) == Counter(set(acknowledged))
        assert max(Counter(sent.igsid for sent in shop.fake.sent).values()) == 1
        assert max(Counter(reply.comment_id for reply in shop.fake.replies).values()) == 1
        # Each was sent to, or its message is known to be unknown.
        items = {item["to"]["igsid"]: item["status"] for item in await shop.read("queue", "list")}
        assert {items[s.igsid] for s in shop.fake.sent} <= {"sent", "unknown", "held"}
        assert len(items) == len(set(acknowledged))


async def test_a_torn_log_gives_a_state_that_once_was(tmp_path: Path) -> None:
    """Wherever the log ends: the file opens, and holds the first so many of the events, none of them halfway."""
    chance = random.Random(11)
    async with open_shop(tmp_path) as shop:
        acknowledged: list[str] = []
        # Few: after a thousand pages the log is written into the database and begun anew, and little is left to tear.
        await _people(shop, 0, acknowledged, count=8)
        _take_copy(shop, tmp_path / "copy")
        await shop.kill()
        log, database = tmp_path / "copy" / "pamosnik.db-wal", tmp_path / "copy" / "pamosnik.db"
        content, base = log.read_bytes(), database.read_bytes()
        found = set()
        everything = _torn(database, log, base, content)
        for _ in range(TEARS):
            part = _torn(database, log, base, content[: chance.randrange(len(content))])
            assert part == everything[: len(part)]
            found.add(len(part))
        assert set(acknowledged) <= set(everything)
        assert len(found) > 3  # the tears fell into different places
        await shop.start()


def _torn(database: Path, log: Path, base: bytes, content: bytes) -> list[str]:
    database.write_bytes(base)
    log.write_bytes(content)
    database.with_name("pamosnik.db-shm").unlink(missing_ok=True)
    return _events(database)
