"""Our own ids: ULIDs. 26 characters, sortable by time, and rising within one process even inside a millisecond."""

import secrets
import threading
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0


def new_id(now: datetime) -> str:
    """A new id that sorts after every id this process made before."""
    global _last
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
    # The top bit of the random part stays free: room to count up within a millisecond.
    candidate = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS - 1)
    with _lock:
        _last = candidate if candidate > _last else _last + 1
        value = _last
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
