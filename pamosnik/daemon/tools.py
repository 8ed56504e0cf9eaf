"""What the daemon's workers work with."""

from dataclasses import dataclass, field

from pamosnik.clock import Clock
from pamosnik.daemon.meters import Meters
from pamosnik.instagram.client import Instagram
from pamosnik.security.vault import Keys
from pamosnik.store.database import Database
from pamosnik.store.shared_writer import Writer


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
    meters: Meters = field(default_factory=Meters)
