"""What the daemon's workers work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.instagram.client import Instagram
from pamosnik.security.vault import Keys
from pamosnik.store.database import Database
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


@dataclass(frozen=True, slots=True, repr=False)
class Tools:
    """The same for every worker."""

    writer: Writer
    reader: Database
    """For reading alone, on the loop's thread."""
    instagram: Instagram
    keys: Keys
    clock: Clock
    public_url: str | None = None
    """Where the daemon's pages are reached from outside; None: nowhere that is known."""
