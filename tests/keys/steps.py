"""Rotations that end at one of their steps: a moment at which something has become durable, or is about to."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pamosnik import _sqlite, config
from pamosnik.services import rotation
from pamosnik.services.rotation import Wanted
from tests.crash import armed, forked
from tests.keys import logins

_CONTEXT = multiprocessing.get_context("forkserver")


class Killed(BaseException):
    """Nothing more happens in this process."""


class _Steps:
    """Before and after each flush, renaming and commit."""

    def __init__(self, nth: int, die: Callable[[], None]) -> None:
        self._left, self._die = nth, die

    def reached(self, _moment: str, _tables: set[str]) -> None:
        self._left -= 1
        if self._left == 0:
            self._die()

    def around(self, call: Callable[..., None]) -> Callable[..., None]:
        def stepping(*arguments: Any) -> None:
            self.reached("before", set())
            call(*arguments)
            self.reached("after", set())

        return stepping


@contextmanager
def dying(nth: int, die: Callable[[], None]) -> Iterator[None]:
    """Inside, `die` is called at the nth step."""
    steps = _Steps(nth, die)
    before = os.fsync, os.replace, _sqlite.connect
    armed.Watched.orders = steps  # type: ignore[assignment]
    os.fsync, os.replace = steps.around(os.fsync), steps.around(os.replace)
    _sqlite.connect = partial(_sqlite.connect, factory=armed.Watched)
    try:
        yield
    finally:
        os.fsync, os.replace, _sqlite.connect = before


def raise_killed() -> None:
    raise Killed


async def killed_rotation(home: Path, nth: int, wanted: Wanted) -> bool:
    """A rotation in a process that kills itself at the nth step; False: it has not so many, and is at its end."""
    process = _CONTEXT.Process(target=_rotate, args=(home, nth, wanted), daemon=True)
    await asyncio.to_thread(process.start)
    code = await forked.ended(process)
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def _rotate(home: Path, nth: int, wanted: Wanted) -> None:
    settings = config.load({"home": str(home)}, environ={})
    with dying(nth, partial(os.kill, os.getpid(), signal.SIGKILL)):
        rotation.rotate(settings, wanted, logins.NOW)
