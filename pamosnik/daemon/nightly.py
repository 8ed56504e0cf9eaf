"""A backup each night, and its copy on another disk.

The night of a home ends at half past three on the clock of its first account. Once that has passed since the newest
backup, one is made: a night that the machine slept through is made up for after the start. What fails is told once
and tried again in an hour.
"""

import asyncio
import logging
import threading
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.errors import HomeError
from pamosnik.services import backups
from pamosnik.services.reading.problems import ROOM_BYTES_TOLD
from pamosnik.store import accounts, backup_files, notices
from pamosnik.store.backup import BrokenOff
from pamosnik.store.writer import GroupWriter

AT = time(3, 30)
AGAIN_AFTER = timedelta(hours=1)
FAILED, NOT_COPIED = "backup_failed", "backup_not_copied"

log = logging.getLogger(__name__)


def last_night(now: datetime, zone: str) -> datetime:
    """The moment up to now at which a backup was due last."""
    here = now.astimezone(ZoneInfo(zone))
    today = datetime.combine(here.date(), AT, here.tzinfo)
    due = today if today <= here else datetime.combine(here.date() - timedelta(days=1), AT, here.tzinfo)
    return due.astimezone(now.tzinfo)


class Nightly:
    """Of one home, while the daemon runs."""

    def __init__(self, settings: Config, writer: GroupWriter, clock: Clock) -> None:
        self._settings, self._writer, self._clock = settings, writer, clock
        self._again_at: datetime | None = None

    async def look(self) -> None:
        """Does what is due."""
        now = self._clock.now()
        await asyncio.to_thread(backup_files.remove_outdated, self._settings.home, now)
        if self._again_at is not None and now < self._again_at:
            return
        self._again_at = None
        if self._settings.backups == "off":
            await self._settle(FAILED)
        elif await self._is_due(now):
            await self._make(now)
        await self._copy(now)

    async def _is_due(self, now: datetime) -> bool:
        known = await self._writer.write(accounts.every)
        if not known:
            return False
        due = last_night(now, known[0].timezone)
        made = await asyncio.to_thread(backup_files.last_made_at, self._settings.home)
        return max(made or known[0].created_at, known[0].created_at) < due

    async def _make(self, now: datetime) -> None:
        stopped = threading.Event()

        def go_on(_done: int, _everything: int) -> None:
            if stopped.is_set():
                raise BrokenOff("The daemon ends.")

        # Not so much that the daemon itself would have no room left.
        make = partial(
            backups.create, self._settings, None, now, nightly=True, spare=ROOM_BYTES_TOLD, tell=go_on
        )
        try:
            made = await asyncio.to_thread(make)
        except asyncio.CancelledError:
            stopped.set()
            raise
        except HomeError as error:
            # DatabaseDamaged, too: what only a thorough look finds need not end a daemon that still answers people.
            await self._raise(error, now, FAILED, "No backup was made this night")
        else:
            log.info("A backup was made: %d bytes", made.size_bytes, extra={"action": "backup.made"})
            await self._settle(FAILED)

    async def _copy(self, now: datetime) -> None:
        if self._settings.other_folder is None:
            await self._settle(NOT_COPIED)
            return
        try:
            copied = await asyncio.to_thread(backups.copy_out, self._settings, now)
        except HomeError as error:
            await self._raise(error, now, NOT_COPIED, "The newest backup was not copied")
            return
        if copied is not None:
            log.info("The backup was copied to the other folder", extra={"action": "backup.copied"})
        await self._settle(NOT_COPIED)

    async def _raise(self, error: HomeError, now: datetime, code: str, what: str) -> None:
        self._again_at = now + AGAIN_AFTER
        message = f"{what}. {error.message}"
        raised = await self._writer.write(
            lambda conn: notices.raise_notice(conn, "", "", code, message, error.hint or "", now)
        )
        if raised:
            log.warning("%s", message, extra={"action": "backup.failed"})

    async def _settle(self, code: str) -> None:
        def settle(conn: Connection) -> None:
            notices.settle(conn, "", "", code)

        await self._writer.write(settle)
