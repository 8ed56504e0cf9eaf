"""Waiting for something that happens elsewhere, until Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Pressed:
    """Whether Ctrl-C was pressed."""

    yes: bool = False


@contextmanager
def ctrl_c() -> Iterator[Pressed]:
    """Meanwhile Ctrl-C ends nothing in the middle: whoever waits looks whether it was pressed."""
    pressed = Pressed()

    def press(_number: int, _frame: FrameType | None) -> None:
        pressed.yes = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
