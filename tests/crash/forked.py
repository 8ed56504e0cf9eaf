"""Real processes of Pamosnik without the half second of its imports: each is forked from one that has them already.

What the fork runs is the command line from its beginning. `python -m pamosnik` itself is what the tests of the wire
and of browsers start, the demo, and those that look at the process: what it imports, what a terminal sees.
"""

import asyncio
import io
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from pamosnik import cli
from tests.crash import armed

ROOT = Path(__file__).parents[2]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        *("tests.crash.armed", "pamosnik.daemon.main", "pamosnik.logs", "uvloop"),
        *("pamosnik.services.reading", "pamosnik.flows.load", "pamosnik.flows.explain", "rich.console"),
    ]
)


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    errors: Path | None = None,
    said: str = "",
    folder: Path | None = None,
    later_s: float = 0.0,
    cwd: Path = ROOT,
) -> BaseProcess:
    """Runs a command; its input is `said`, its output goes to `log`, its errors too unless they have a file of their
    own. With a folder it obeys the orders there."""
    given = _Given(tuple(arguments), dict(environment), log, errors or log, said, folder, later_s, cwd)
    process = _CONTEXT.Process(target=_run, args=(given,), daemon=True)
    process.start()
    return process


async def ended(process: BaseProcess, within_s: float = 60.0) -> int:
    """Its exit code; minus the signal's number when one has killed it."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process.sentinel, over.set)
    try:
        async with asyncio.timeout(within_s):
            await over.wait()
    except TimeoutError:
        raise AssertionError("the process does not end") from None
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


async def command(
    arguments: Sequence[str], environment: Mapping[str, str], said: str = "", within_s: float = 60.0
) -> Said:
    """Runs a command to its end; one that takes longer is killed."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(arguments, environment, out, errors=err, said=said)
        try:
            await ended(process, within_s)
        finally:
            process.kill()
            process.join()
        return _said(process, out, err)


def run(arguments: Sequence[str], environment: Mapping[str, str], said: str = "", cwd: Path = ROOT) -> Said:
    """Likewise, for tests without a loop."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(arguments, environment, out, errors=err, said=said, cwd=cwd)
        process.join(60)
        process.kill()
        process.join()
        return _said(process, out, err)


def _said(process: BaseProcess, out: Path, err: Path) -> Said:
    assert process.exitcode is not None
    return Said(process.exitcode, _text(out), _text(err))


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


class Daemon:
    """One that runs, with the words of asyncio's processes."""

    def __init__(self, process: BaseProcess) -> None:
        assert process.pid is not None
        self._process = process
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        return await ended(self._process)


@dataclass(frozen=True, slots=True)
class _Given:
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    out: Path
    err: Path
    said: str
    folder: Path | None
    later_s: float
    cwd: Path


def _run(given: _Given) -> None:
    os.environ.clear()
    os.environ.update(given.environment)
    time.tzset()
    os.chdir(given.cwd)
    for path, standard in ((given.out, 1), (given.err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), standard)
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.said.encode()), "utf-8")
    warnings.simplefilter("error")
    if given.folder is not None:
        armed.arm(given.folder, given.later_s)
    sys.exit(cli.run(list(given.arguments)))
