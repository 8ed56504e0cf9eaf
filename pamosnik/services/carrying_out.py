"""Carrying out deletions from a command: by the daemon while one runs, else by the command itself, under the home's
lock and with the same eraser. Whoever is killed in between loses nothing: the other, or the next one, goes on."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial

from pamosnik.clock import SystemClock
from pamosnik.config import Config
from pamosnik.errors import PamosnikError
from pamosnik.instagram.client import Instagram
from pamosnik.privacy.eraser import Eraser
from pamosnik.security import keyring
from pamosnik.security.vault import Keys
from pamosnik.services import home, intake
from pamosnik.services.unsubscribing import Unsubscriber
from pamosnik.store import deletions
from pamosnik.store.database import Database, open_database
from pamosnik.store.deletions import Receipt
from pamosnik.store.writer import GroupWriter

LOOK_S = 0.2
AGAIN_S = 1.0
"""After a round that could not finish."""

OnProgress = Callable[[int, int], None]
"""Called with the rows that are gone, and those that there were."""


def carry_out(
    settings: Config, deletion_ids: Sequence[str], on_progress: OnProgress = lambda _gone, _of: None
) -> list[Receipt]:
    """Returns the receipts once all of these deletions have ended. No connection to the database may be held by the
    caller: a reader keeps the log from being emptied."""
    with open_database(settings.database) as reader:
        told = _Told(reader, deletion_ids, on_progress)
        while not told.ended():
            try:
                with home.lock(settings.home):
                    asyncio.run(_alone(settings, reader, partial(_until_ended, told=told), deletion_ids))
            except home.InUse:
                time.sleep(LOOK_S)
        return told.receipts()


def remove_traces(settings: Config, account_id: str) -> bool:
    """Removes what deleted rows of an account have left behind in the file. False: the daemon that runs does it, or
    somebody reads and it is done later. No connection to the database may be held by the caller."""
    with open_database(settings.database) as reader:
        with contextlib.suppress(home.InUse), home.lock(settings.home):
            asyncio.run(_alone(settings, reader, _one_round, [account_id]))
        return account_id not in dict(deletions.traces(reader.connection))


class _Told:
    """What somebody who waits for deletions is told."""

    def __init__(self, reader: Database, deletion_ids: Sequence[str], on_progress: OnProgress) -> None:
        self._reader = reader
        self._ids = deletion_ids
        self._on_progress = on_progress
        self._all = self._gone() + sum(
            deletions.rows_left(reader.connection, receipt.scope, receipt.subject_id)
            for receipt in self.receipts()
            if receipt.subject_id is not None
        )

    def receipts(self) -> list[Receipt]:
        """Without those that have become part of an account's."""
        conn = self._reader.connection
        return [found for one in self._ids if (found := deletions.load(conn, one)) is not None]

    def ended(self) -> bool:
        self._on_progress(min(self._gone(), self._all), self._all)
        return all(receipt.ended_at is not None for receipt in self.receipts())

    def _gone(self) -> int:
        conn = self._reader.connection
        with_parts = [part for one in self.receipts() for part in (one, *deletions.parts(conn, one.id))]
        return sum(one.people + one.events + one.runs + one.messages for one in with_parts)


async def _alone(
    settings: Config,
    reader: Database,
    work: Callable[[Eraser], Coroutine[None, None, None]],
    alone_for: Sequence[str],
) -> None:
    """As the daemon does it; with the home's lock, so nothing is being sent. `alone_for`: as the eraser has it."""
    with open_database(settings.database) as database:
        intake.take_over(database, settings.home)
        writer = GroupWriter(database)
        try:
            async with Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram:
                unsubscriber = Unsubscriber(reader, instagram, _keys(settings))
                # What is due by the clock waits for the daemon, which asks Instagram for the time.
                eraser = Eraser(
                    writer,
                    reader,
                    SystemClock(),
                    unsubscriber.tell,
                    time_is_known=lambda: False,
                    alone_for=alone_for,
                )
                await work(eraser)
        finally:
            writer.hurry()
            await writer.close()


async def _until_ended(eraser: Eraser, told: _Told) -> None:
    async with _reporting(told):
        while not told.ended():
            done = await eraser.round()
            await asyncio.sleep(0 if done else AGAIN_S)


async def _one_round(eraser: Eraser) -> None:
    await eraser.round()


@contextlib.asynccontextmanager
async def _reporting(told: _Told) -> AsyncIterator[None]:
    """Says how far it is, now and then."""

    async def report() -> None:
        while not told.ended():  # noqa: ASYNC110 - other processes change what it looks at, too
            await asyncio.sleep(LOOK_S)

    reports = asyncio.create_task(report())
    try:
        yield
    finally:
        reports.cancel()


def _keys(settings: Config) -> Keys | None:
    """None when they are lost: that keeps nobody from deleting."""
    try:
        return keyring.load(settings.key_file, settings.passphrase)
    except PamosnikError:
        return None
