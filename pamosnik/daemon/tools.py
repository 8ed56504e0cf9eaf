"""What the daemon's workers work with."""

from dataclasses import dataclass, field

from pamosnik.clock import Clock
from pamosnik.daemon.meters import Meters
from pamosnik.instagram.client import Instagram
from pamosnik.security.vault import Keys
from pamosnik.services.public_address import PublicAddress
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
    address: PublicAddress = field(default_factory=PublicAddress)
    """Where the daemon's pages are reached from outside."""
    meters: Meters = field(default_factory=Meters)
