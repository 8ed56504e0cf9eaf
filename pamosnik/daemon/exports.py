"""Exports that an account's holder asks for on the page: the command makes each in a process of its own, so that nothing
else waits for it.

Finished files lie in `exports/` of the home for a day. Each name begins with the account's id, says since when the file
was made, and cannot be guessed. An export that is older than a deletion of the account's data holds what was deleted:
it is given to nobody and removed, whoever deletes and whatever was killed meanwhile.
"""

import asyncio
import contextlib
import logging
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pamosnik.clock import Clock
from pamosnik.store import accounts, deletions
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.times import instant, ms

FOLDER = "exports"
KEPT = timedelta(hours=24)
_NAME = re.compile(r"(?P<account>\w+)-(?P<about>all|\w+)-(?P<begun>\d{1,15})-[\w-]{22}\.zip")
_STOPS_WITHIN_S = 5.0
_TOLD_CHARS = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that can be fetched."""

    name: str
    about: str | None
    """The contact; None: everything of the account."""
    size_bytes: int
    begun_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    about: str | None
    asked_at: datetime
    size_bytes: int
    """Of what is written so far."""


@dataclass(frozen=True, slots=True)
class Failed:
    about: str | None
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class _Job:
    account: Account
    about: str | None
    asked_at: datetime


class Exports:
    """One at a time, and one for each account: the others wait."""

    def __init__(self, home: Path, reader: Database, clock: Clock) -> None:
        """`reader` sees all accounts."""
        self._home = home
        self._folder = home / FOLDER
        self._reader = reader
        self._clock = clock
        self._asked: asyncio.Queue[_Job] = asyncio.Queue()
        self._open: dict[str, _Job] = {}
        self._failed: dict[str, Failed] = {}
        self._target: Path | None = None
        """What is being written."""

    # --- asking --------------------------------------------------------------------------------------

    def ask(self, account: Account, about: str | None = None) -> bool:
        """`about`: the contact whose data is wanted; None: everything. False: one is under way already."""
        if account.id in self._open:
            return False
        job = _Job(account, about, self._clock.now())
        self._open[account.id] = job
        self._failed.pop(account.id, None)
        self._asked.put_nowait(job)
        return True

    def under_way(self, account_id: str) -> UnderWay | None:
        job = self._open.get(account_id)
        if job is None:
            return None
        target = self._target
        own = target is not None and target.name.startswith(f"{account_id}-")
        return UnderWay(job.about, job.asked_at, self._written(target) if own and target else 0)

    def failed(self, account_id: str) -> Failed | None:
        """What became of the last one; None: nothing bad."""
        return self._failed.get(account_id)

    def ready(self, account_id: str) -> Sequence[Ready]:
        """The newest first."""
        found = [one for path in self._files() if (one := self._good(path, account_id)) is not None]
        return sorted(found, key=lambda one: one.begun_at, reverse=True)

    def path(self, account_id: str, name: str) -> Path | None:
        """Of a file that is ready; None: the account has none of this name."""
        path = self._folder / name
        return path if _NAME.fullmatch(name) and self._good(path, account_id) is not None else None

    # --- making --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is cancelled; what is under way then is given up."""
        self.sweep()
        while True:
            job = await self._asked.get()
            try:
                await self._make(job)
            finally:
                self._open.pop(job.account.id, None)
                self._target = None

    async def _make(self, job: _Job) -> None:
        begun = self._clock.now()
        about = job.about or "all"
        name = f"{job.account.id}-{about}-{ms(begun)}-{secrets.token_urlsafe(16)}.zip"
        self._target = self._folder / name
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            why = await self._command(job, self._target)
        except OSError as error:
            why = f"{self._folder} cannot be used: {error.strerror}."
        if why is not None:
            self._remove(self._target)
            self._failed[job.account.id] = Failed(job.about, self._clock.now(), why)
            log.warning("An export came to nothing", extra={"action": "export.failed"})
            return
        for path in self._files():
            found = _NAME.fullmatch(path.name)
            if found and path != self._target and (found["account"], found["about"]) == (job.account.id, about):
                self._remove(path)
        log.info("An export is ready", extra={"action": "export.ready"})

    async def _command(self, job: _Job, target: Path) -> str | None:
        """Why it failed, in the command's own words."""
        words = ("export",) if job.about is None else ("contacts", "export", job.about)
        process = await asyncio.create_subprocess_exec(
            *_this_program(),
            *words,
            "-o",
            str(target),
            "--json",
            env={**os.environ, "PAMOSNIK_HOME": str(self._home), "PAMOSNIK_ACCOUNT": job.account.email},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, told = await process.communicate()
        except asyncio.CancelledError:
            await _end(process)
            raise
        if process.returncode == 0 and target.exists():
            return None
        lines = told.decode("utf-8", "replace").strip()
        if process.returncode not in (1, 2) or "Traceback" in lines or not lines:
            return "The export ended in the middle. Try again; Pamosnik's log tells more."
        return " ".join(lines.split())[:_TOLD_CHARS]

    # --- files ---------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Removes what is too old, or older than a deletion, and what a kill left half done."""
        for path in self._files():
            found = _NAME.fullmatch(path.name)
            if found is None and self._target is not None:
                continue  # it may be on its way to the name that it is to have
            if found is None or self._good(path, found["account"]) is None:
                self._remove(path)

    def _good(self, path: Path, account_id: str) -> Ready | None:
        found = _NAME.fullmatch(path.name)
        if found is None or found["account"] != account_id:
            return None
        begun, conn = instant(int(found["begun"])), self._reader.connection
        until = begun + KEPT
        if until <= self._clock.now() or accounts.load(conn, account_id) is None:
            return None
        if deletions.any_since(conn, account_id, begun):
            return None
        try:
            size = path.stat().st_size
        except OSError:
            return None
        return Ready(path.name, None if found["about"] == "all" else found["about"], size, begun, until)

    def _files(self) -> Iterator[Path]:
        with contextlib.suppress(FileNotFoundError):
            yield from list(self._folder.iterdir())

    def _written(self, target: Path) -> int:
        """Also while it has another name, which ends like its own."""
        size = 0
        for path in self._files():
            with contextlib.suppress(OSError):
                size += path.stat().st_size if target.stem in path.name else 0
        return size

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            log.exception("An export cannot be removed", extra={"action": "export.stays"})


def _this_program() -> Sequence[str]:
    """How to run a command of this very installation."""
    return (sys.executable,) if getattr(sys, "frozen", False) else (sys.executable, "-m", "pamosnik")


async def _end(process: asyncio.subprocess.Process) -> None:
    """In order if it can; what it was writing it takes along."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOPS_WITHIN_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
