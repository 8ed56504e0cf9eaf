"""Our own ids: ULIDs. 26 characters, sortable by time, and rising within one process even inside a millisecond."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 80


class Ids:
    """One rising row of ids."""

    def __init__(self, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._random_bits = random_bits
        self._lock = threading.Lock()
        self._last = 0

    def new(self, now: datetime) -> str:
        """An id that sorts after every id of this row that was made before."""
        milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
        # The top bit of the random part stays free: room to count up within a millisecond.
        candidate = milliseconds << _RANDOM_BITS | self._random_bits(_RANDOM_BITS - 1)
        with self._lock:
            self._last = candidate if candidate > self._last else self._last + 1
            value = self._last
        return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def earliest(instant: datetime) -> str:
    """What every id that was made from then on sorts after."""
    value = (instant - _EPOCH) // timedelta(milliseconds=1) << _RANDOM_BITS
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str) -> bool:
    """Whether it has the form of our ids."""
    return len(text) == 26 and set(text) <= set(_ALPHABET)


_process = Ids()
_row: ContextVar[Ids | None] = ContextVar("ids", default=None)


def new_id(now: datetime) -> str:
    """A new id that sorts after every id this process made before."""
    return (_row.get() or _process).new(now)


@contextmanager
def ids_from(row: Ids) -> Iterator[None]:
    """Inside, `new_id` continues this row: what is rehearsed twice has the same ids, and so the same variants."""
    token = _row.set(row)
    try:
        yield
    finally:
        _row.reset(token)
