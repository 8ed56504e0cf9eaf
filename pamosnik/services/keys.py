"""The keys of a home: using them while nobody rotates them."""

from collections.abc import Iterator
from contextlib import contextmanager

from pamosnik.config import Config
from pamosnik.security import keyring
from pamosnik.security.held_keys import key_lock
from pamosnik.security.vault import MasterKeys


@contextmanager
def wrapping(settings: Config) -> Iterator[MasterKeys]:
    """The ring, for whoever wraps a new data key with it, or stores what a new one may be made for: until the block
    ends, with its write committed, nobody rotates. Not around anything that takes long.

    Raises `KeyFileError` when the key file does not open, `KeysInUse` when a rotation does not end.
    """
    with key_lock(settings.home):
        yield keyring.load(settings.key_file, settings.passphrase)
