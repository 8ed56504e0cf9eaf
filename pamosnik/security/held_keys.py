"""Who may change `master.key`, and who holds its ring for longer than a moment.

Whoever changes the file holds `key_lock` alone; whoever wraps a data key holds it with others, so that nothing is
wrapped by a key that is on its way out. Processes that may outlive a ring hold it as `HeldKeys`.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pamosnik.errors import HomeError
from pamosnik.security.keyring import KeyFileError, Stamp, is_behind, load, look_at, read, stamp, write
from pamosnik.security.vault import Unreadable

LOCK_FILE = "keys.lock"
LOCKED_FOR_S = 30.0
"""A rotation waits for the daemon; everything else takes moments."""


class KeysInUse(HomeError):
    """Another process holds the keys."""


def open_lock(path: Path) -> int:
    """A descriptor to lock, of a file that is made if need be. Raises `HomeError`."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HomeError(
            f"{path} cannot be made or written: {error.strerror}.",
            hint=f"Folder and file must belong to the user that runs Pamosnik. Try: ls -ld {path.parent} {path}",
        ) from error


@contextmanager
def key_lock(home: Path, *, alone: bool = False, within_s: float = LOCKED_FOR_S) -> Iterator[None]:
    """Held by everybody who wraps a data key, and `alone` by who changes the file. Blocks; raises `KeysInUse` when it
    was not to be had in time."""
    descriptor = open_lock(home / LOCK_FILE)
    try:
        _take(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, within_s)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, kind: int, within_s: float) -> None:
    end = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise KeysInUse(
                    "Another command is at work on the keys of this home.",
                    hint="Try again when it has ended.",
                ) from None
            time.sleep(0.02)
        else:
            return


class HeldKeys:
    """The ring as its file has it, for several threads. What a newer key has wrapped makes it read the file again;
    so does `follow`."""

    def __init__(self, path: Path, passphrase: str | None) -> None:
        """Raises `KeyFileError`."""
        self._path, self._passphrase = path, passphrase
        self._reading = threading.Lock()
        self._file = read(path, passphrase)
        self.looked_at: Stamp | None = self._file.stamp
        """The file that was looked at last."""
        self.trouble: KeyFileError | None = None
        """Why that one does not open; None: its ring is the one held."""

    def changed(self) -> bool:
        """Whether the file is another than the one looked at last. Quick."""
        return stamp(self._path) != self.looked_at

    def follow(self) -> bool:
        """Reads the file again where it has changed; True if there is another ring now.

        Raises `KeyFileError`, once for each such file, and holds what it held. May take as long as Argon2id does.
        """
        with self._reading:
            if not self.changed():
                return False
            self._read()
            return True

    def _read(self) -> None:
        found = stamp(self._path)
        try:
            self._file = read(self._path, self._passphrase)
        except KeyFileError as error:
            self.looked_at, self.trouble = found, error
            raise
        self.looked_at, self.trouble = self._file.stamp, None

    def wrap(self, account_id: str, data_key: bytes) -> bytes:
        """Under the newest key of the file as it is now: the caller holds `key_lock`. Raises `KeyFileError`."""
        with self._reading:
            if stamp(self._path) != self._file.stamp:
                self._read()
        return self._file.ring.wrap(account_id, data_key)

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        try:
            return self._file.ring.unwrap(account_id, wrapped)
        except Unreadable as unreadable:
            # What another thread is reading just now may be what is missing.
            with suppress(KeyFileError):
                self.follow()
            try:
                return self._file.ring.unwrap(account_id, wrapped)
            except Unreadable:
                raise unreadable from None


def bring_up_to_date(path: Path, passphrase: str | None) -> bool:
    """Writes a file that `is_behind` anew; True if it was. Left for the next time while others use the keys.

    Raises `KeyFileError` when it does not open.
    """
    if not is_behind(look_at(path), passphrase):
        return False
    with suppress(KeysInUse), key_lock(path.parent, alone=True, within_s=0.0):
        write(path, load(path, passphrase), passphrase)
        return True
    return False
