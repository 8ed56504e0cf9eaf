"""The keys of a home: how they are, and using them while nobody rotates them."""

import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pamosnik.config import Config
from pamosnik.security import keyring
from pamosnik.security.held_keys import key_lock
from pamosnik.security.keyring import KeyFileError, Outside, Trouble
from pamosnik.security.vault import MasterKeys
from pamosnik.services import home, lost_key
from pamosnik.services.lost_key import Opened
from pamosnik.store.damage import require_there
from pamosnik.store.database import open_database


@contextmanager
def wrapping(settings: Config) -> Iterator[MasterKeys]:
    """The ring, for whoever wraps a new data key with it, or stores what a new one may be made for: until the block
    ends, with its write committed, nobody rotates. Not around anything that takes long.

    Raises `KeyFileError` when the key file does not open, `KeysInUse` when a rotation does not end.
    """
    with key_lock(settings.home):
        yield keyring.load(settings.key_file, settings.passphrase)


@dataclass(frozen=True, slots=True)
class Status:
    """All that may be told about the keys: no key, and nothing made from one."""

    home_mode: int
    outside: Outside | None
    """None: there is no file that could be looked at."""
    trouble: KeyFileError | None
    """Why the file does not open; None: it does."""
    made: Sequence[datetime | None]
    """When each key of the ring was made, the newest first; None: not known. Empty when the file does not open."""
    accounts: Sequence[Opened]
    daemon: bool | None
    """Whether the running daemon has read the file as it is now; None: none is running."""

    @property
    def known(self) -> bool:
        """Whether it is known what opens: a file that only has to be made private may open everything."""
        return self.trouble is None or self.trouble.trouble in (*lost_key.LOST, *_PERHAPS_LOST)


_LOOKS_WITHIN_S = 2.0
_PERHAPS_LOST = (Trouble.SEALED, Trouble.WRONG_PASSPHRASE)


def status(settings: Config) -> Status:
    """Looks at everything and changes nothing. Raises `HomeError` when there is no database that can be read."""
    require_there(settings.database)
    ring, trouble = _ring(settings)
    with open_database(settings.database) as database:
        found = database.read(lambda conn: lost_key.look(conn, ring))
    return Status(
        home_mode=stat.S_IMODE(settings.home.stat().st_mode),
        outside=_outside(settings),
        trouble=trouble,
        made=() if ring is None else [key.made_at for key in ring.keys],
        accounts=found,
        daemon=_daemon(settings),
    )


def _ring(settings: Config) -> tuple[MasterKeys | None, KeyFileError | None]:
    try:
        return keyring.load(settings.key_file, settings.passphrase), None
    except KeyFileError as error:
        return None, error


def _outside(settings: Config) -> Outside | None:
    try:
        return keyring.look_at(settings.key_file)
    except KeyFileError:
        return None


def _daemon(settings: Config) -> bool | None:
    """Waits a moment for one that has not looked yet: right after a rotation, nothing is wrong with it."""
    end = time.monotonic() + _LOOKS_WITHIN_S
    while home.daemon_running(settings.home):
        stamp = keyring.stamp(settings.key_file)
        has_read = False if stamp is None else home.daemon_has_read(settings.home, stamp)
        if has_read is not None or time.monotonic() >= end:
            return has_read is True
        time.sleep(0.02)
    return None
