"""A backup each night by the account's clock: made up for when it was missed, told once when it fails."""

import asyncio
import random
import shutil
from collections import namedtuple
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config, load
from pamosnik.daemon.nightly import FAILED, NOT_COPIED, Nightly, last_night
from pamosnik.services import backups
from pamosnik.store import accounts, backup_files, notices
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter
from tests.daemon.tunnels import until
from tests.store.rows import database

pytestmark = pytest.mark.anyio
BEGUN = datetime(2026, 12, 2, 11, tzinfo=UTC)
"""When the account was made: noon in Warsaw."""


@dataclass
class House:
    nightly: Nightly
    clock: VirtualClock
    opened: Database
    folder: Path

    async def at(self, **later: float) -> list[str]:
        """Looks then; which backups there are, the newest first."""
        self.clock.move_to(BEGUN + timedelta(**later))
        await self.nightly.look()
        return [path.stem.removeprefix("pamosnik-") for path in backup_files.found(self.folder)]

    @property
    def told(self) -> dict[str, str]:
        return {one.code: f"{one.message} {one.fix}" for one in notices.every(self.opened.connection)}


@asynccontextmanager
async def house(folder: Path, **settings: str) -> AsyncIterator[House]:
    config = replace(load(environ={"PAMOSNIK_HOME": str(folder)}), **settings)  # type: ignore[arg-type]
    clock = VirtualClock(BEGUN)
    with database(folder) as opened:
        writer = GroupWriter(opened)
        try:
            yield House(Nightly(config, writer, clock), clock, opened, folder)
        finally:
            await writer.close()


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2026-12-02T02:29:59Z", "Europe/Warsaw", "2026-12-01T02:30:00Z"),
        ("2026-12-02T02:30:00Z", "Europe/Warsaw", "2026-12-02T02:30:00Z"),
        ("2026-12-02T08:29:00Z", "America/New_York", "2026-12-01T08:30:00Z"),
        # The clock goes forward, and back, over that hour or beside it.
        ("2026-03-29T12:00:00Z", "Europe/Warsaw", "2026-03-29T01:30:00Z"),
        ("2026-10-25T12:00:00Z", "Europe/Warsaw", "2026-10-25T02:30:00Z"),
    ],
)
def test_when_it_is_due(now: str, zone: str, due: str) -> None:
    assert last_night(datetime.fromisoformat(now), zone) == datetime.fromisoformat(due)


async def test_one_each_night_and_a_missed_one_after_the_start(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        assert await home.at(hours=0) == [], "a new home has nothing to lose yet"
        assert await home.at(hours=15) == []
        first = ["20261203T024500Z-nightly"]
        assert await home.at(hours=15, minutes=45) == first
        assert await home.at(hours=16) == first
        # Three nights with the lid closed: one is made.
        assert await home.at(days=4) == ["20261206T110000Z-nightly", *first]
        assert home.told == {}
        found = backups.verify(_settings(tmp_path), None, home.clock.now())
        assert found.manifest is not None


def _settings(folder: Path) -> Config:
    return load(environ={"PAMOSNIK_HOME": str(folder)})


async def test_by_hand_counts_and_off_is_off(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        made = backups.create(_settings(tmp_path), None, BEGUN + timedelta(hours=16))
        assert await home.at(hours=17) == [made.path.stem.removeprefix("pamosnik-")]
    (tmp_path / "off").mkdir(mode=0o700)
    async with house(tmp_path / "off", backups="off") as home:
        assert await home.at(days=3) == []


async def test_what_fails_is_told_once_and_tried_again_in_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = namedtuple("usage", ("total", "used", "free"))
    async with house(tmp_path) as home:
        with monkeypatch.context() as full:
            full.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 200 << 20))
            assert await home.at(days=1) == []
            assert "No backup was made this night. A backup takes up to" in home.told[FAILED]
            assert "df -h" in home.told[FAILED]
            assert await home.at(days=1, hours=2) == []
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert await home.at(days=1, hours=2, minutes=59) == []
        assert len(await home.at(days=1, hours=3)) == 1
        assert home.told == {}


async def test_its_copy_waits_for_the_other_disk(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    other = tmp_path / "usb"
    async with house(tmp_path / "home", backup_folder=str(other)) as home:
        (name,) = await home.at(days=1)
        assert "Mount its disk" in home.told[NOT_COPIED]
        other.mkdir()
        await home.at(days=1, minutes=15)
        assert _names(other) == [], "not before the hour is over"
        await home.at(days=1, hours=1)
        assert _names(other) == ["erasures.log", f"pamosnik-{name}.backup"]
        assert home.told == {}
        written = (other / "erasures.log").read_bytes()
        await home.at(days=1, hours=2)
        assert (other / "erasures.log").read_bytes() == written, "it was copied again"


def _names(folder: Path, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


def _much(conn: Connection) -> None:
    """So much that it cannot be copied and packed within a moment."""
    for _ in range(30):
        accounts.audit(conn, "a1", actor="x", action=random.randbytes(500_000).hex(), subject=None, now=BEGUN)


async def test_the_daemons_end_leaves_no_half_of_one(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        home.opened.write(_much)
        home.clock.move_to(BEGUN + timedelta(days=1))
        looking = asyncio.create_task(home.nightly.look())
        while not _names(tmp_path / "backups", ".pamosnik-work-*/pamosnik.db"):
            await asyncio.sleep(0.001)
            assert not looking.done(), "it was too quick to be ended"
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        await until(lambda: not _names(tmp_path / "backups", ".*"))
        assert _names(tmp_path / "backups") == []
        assert home.told == {}
