"""Exports that an account's holder asks for on the page: the command makes each in a process of its own, so that
nothing else waits for it.

Finished files can be fetched for a day (`store.exports`). An export that is older than a deletion of data of the same
account holds what was deleted, be it one message: it is ended where it is, given to nobody, and removed by the
eraser, whoever deletes and whatever was killed meanwhile.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pamosnik.clock import Clock
from pamosnik.frozen import this_program
from pamosnik.store import accounts, deletions, exports
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.exports import Exported

KEPT = timedelta(hours=24)
_LOOK_S = 0.5
"""How soon an export ends whose data is being deleted."""
_STOPS_WITHIN_S = 5.0
_TOLD_CHARS = 500
_BEGUN_AT_MOST = 4
"""So often one is begun: somebody may take a message back while it is being made."""
_BROKEN_OFF = "Data was deleted meanwhile. Prepare another one."

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
        self._reader = reader
        self._clock = clock
        self._asked: asyncio.Queue[_Job] = asyncio.Queue()
        self._open: dict[str, _Job] = {}
        self._failed: dict[str, Failed] = {}
        self._making: Exported | None = None

    # --- asking --------------------------------------------------------------------------------------

    def ask(self, account: Account, about: str | None = None) -> None:
        """`about`: the contact whose data is wanted; None: everything. While one is under way nothing is added."""
        if account.id in self._open:
            return
        job = _Job(account, about, self._clock.now())
        self._open[account.id] = job
        self._failed.pop(account.id, None)
        self._asked.put_nowait(job)

    def under_way(self, account_id: str) -> UnderWay | None:
        job = self._open.get(account_id)
        if job is None:
            return None
        own = self._making is not None and self._making.account_id == account_id
        return UnderWay(job.about, job.asked_at, self._written() if own else 0)

    def failed(self, account_id: str) -> Failed | None:
        """What became of the last one; None: nothing bad."""
        return self._failed.get(account_id)

    def ready(self, account_id: str) -> Sequence[Ready]:
        """The newest first."""
        mine = [one for one in exports.found(self._home)[0] if one.account_id == account_id]
        good = [_ready(one) for one in mine if self._is_good(one)]
        return sorted(good, key=lambda one: one.begun_at, reverse=True)

    def path(self, account_id: str, name: str) -> Path | None:
        """Of a file that is ready; None: the account has none of this name."""
        mine = (one for one in exports.found(self._home)[0] if one.account_id == account_id)
        return next((one.path for one in mine if one.path.name == name and self._is_good(one)), None)

    # --- making --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is cancelled; what is under way then is given up."""
        self.sweep()
        while True:
            job = await self._asked.get()
            try:
                why = await self._make_whole(job)
            finally:
                self._making = None
                self._open.pop(job.account.id, None)
                self.sweep()
            if why is None:
                log.info("An export is ready", extra={"action": "export.ready"})
            else:
                self._failed[job.account.id] = Failed(job.about, self._clock.now(), why)
                log.warning("An export came to nothing", extra={"action": "export.failed"})

    async def _make_whole(self, job: _Job) -> str | None:
        """As `_make`; begins anew when something was deleted meanwhile and that has come to its end."""
        why = await self._make(job)
        for _ in range(_BEGUN_AT_MOST - 1):
            deleting = deletions.any_since(self._reader.connection, job.account.id, self._clock.now())
            if why != _BROKEN_OFF or deleting:
                break
            why = await self._make(job)
        return why

    async def _make(self, job: _Job) -> str | None:
        """Why it failed; None: it is ready, and those before it are gone."""
        made = exports.new(self._home, job.account.id, job.about, self._clock.now())
        self._making = made
        try:
            made.path.parent.mkdir(mode=0o700, exist_ok=True)
            why = await self._command(job, made)
        except OSError as error:
            why = f"{made.path.parent} cannot be used: {error.strerror}."
        if why is None and not self._is_good(made):
            why = _BROKEN_OFF
        if why is not None:
            _remove(made.path)
            return why
        for one in exports.found(self._home)[0]:
            if (one.account_id, one.about) == (made.account_id, made.about) and one.path != made.path:
                _remove(one.path)
        return None

    async def _command(self, job: _Job, made: Exported) -> str | None:
        """Why it failed, in the command's own words."""
        words = ("export",) if job.about is None else ("contacts", "export", job.about)
        process = await asyncio.create_subprocess_exec(
            *this_program(),
            *words,
            "-o",
            str(made.path),
            "--json",
            env={**os.environ, "PAMOSNIK_HOME": str(self._home), "PAMOSNIK_ACCOUNT": job.account.email},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        ends = asyncio.ensure_future(process.communicate())
        try:
            while not ends.done():
                await asyncio.wait((ends,), timeout=_LOOK_S)
                if not ends.done() and not self._is_wanted(made):
                    return _BROKEN_OFF
            _, told = await ends
        finally:
            await _end(process, ends)
        return None if process.returncode == 0 else _words(process.returncode, told)

    # --- files ---------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Removes what is too old, or older than a deletion, and what a kill left half done."""
        whole, others = exports.found(self._home)
        for one in whole:
            if not self._is_good(one) and (self._making is None or one.path != self._making.path):
                _remove(one.path)
        for path in others if self._making is None else ():
            _remove(path)

    def _is_good(self, one: Exported) -> bool:
        return self._clock.now() < one.begun_at + KEPT and self._is_wanted(one) and one.path.exists()

    def _is_wanted(self, one: Exported) -> bool:
        """Nothing of what it holds was deleted since, or is being deleted."""
        conn = self._reader.connection
        there = accounts.load(conn, one.account_id) is not None
        return there and not deletions.any_since(conn, one.account_id, one.begun_at)

    def _written(self) -> int:
        """Bytes of what is on its way."""
        size = 0
        for path in exports.found(self._home)[1]:
            for file in path.rglob("*") if path.is_dir() else (path,):
                with contextlib.suppress(OSError):
                    size += file.stat().st_size
        return size


def _ready(one: Exported) -> Ready:
    return Ready(one.path.name, one.about, one.path.stat().st_size, one.begun_at, one.begun_at + KEPT)


def _remove(path: Path) -> None:
    try:
        exports.remove(path)
    except OSError:
        log.exception("An export cannot be removed", extra={"action": "export.stays"})


async def _end(process: asyncio.subprocess.Process, ends: "asyncio.Future[tuple[bytes, bytes]]") -> None:
    """In order if it can."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait((ends,), timeout=_STOPS_WITHIN_S)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.wait((ends,), timeout=_STOPS_WITHIN_S)


def _words(code: int | None, told: bytes) -> str:
    """What a command said, where it said it to people."""
    text = " ".join(told.decode("utf-8", "replace").split())
    if code not in (1, 2) or "Traceback" in text or not text:
        return "The export ended in the middle. Try again; Pamosnik's log tells more."
    return text[:_TOLD_CHARS]
