"""What whoever writes beside others needs of the one who writes for all: the daemon's group writer keeps it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from pamosnik._sqlite import Connection
from pamosnik.store.health import StorageHealth

T = TypeVar("T")


class Writer(Protocol):
    """Somebody who writes for us: the daemon's group writer."""

    storage: StorageHealth

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Returns when the changes of `fn` are stored."""
        ...

    async def alone(self, fn: Callable[[Connection], T]) -> T:
        """Runs `fn` outside of any transaction."""
        ...
