"""What somebody hands to a stage."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from pamosnik.clock import VirtualClock
from pamosnik.sandbox.world import World
from pamosnik.security.vault import Keys
from pamosnik.services.library import Library
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database


@dataclass(frozen=True, slots=True)
class Place:
    """A fake Instagram that is there before the stage and goes on after it, beside a home that stays."""

    world: World
    clock: VirtualClock
    """What the world goes by while the stage plays."""


@dataclass(frozen=True, slots=True, repr=False)
class Ticket:
    database: Database
    account: Account
    keys: Keys
    library: Library
    loop: asyncio.AbstractEventLoop
    begins: datetime
    next_post: bool = True
    """Flows that wait for the next post find it published."""
    place: Place | None = None
    """None: a throwaway world, whose database goes with the stage."""
