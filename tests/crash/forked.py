"""Real processes of Pamosnik without the half second of its imports: each is forked from one that has them already.

What the fork runs is the command line from its beginning. `python -m pamosnik` itself is what the chaos starts.
"""

import asyncio
import io
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from pamosnik import cli
from tests.crash import armed

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.crash.armed", "pamosnik.daemon.main", "pamosnik.logs", "uvloop"])


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    said: str = "",
    folder: Path | None = None,
    later_s: float = 0.0,
) -> BaseProcess:
    """Runs a command; its input is `said`, its output goes to `log`. With a folder it obeys the orders there."""
    process = _CONTEXT.Process(
        target=_run, args=(list(arguments), dict(environment), log, said, folder, later_s), daemon=True
    )
    process.start()
    return process


async def ended(process: BaseProcess, within_s: float = 60.0) -> int:
    """Its exit code; minus the signal's number when one has killed it."""
    for _ in range(int(within_s / 0.02)):
        if process.exitcode is not None:
            return process.exitcode
        await asyncio.sleep(0.02)
    raise AssertionError("the process does not end")


def _run(
    arguments: list[str],
    environment: dict[str, str],
    log: Path,
    said: str,
    folder: Path | None,
    later_s: float,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    sys.stdin = io.StringIO(said)
    if folder is not None:
        armed.arm(folder, later_s)
    sys.exit(cli.run(arguments))
