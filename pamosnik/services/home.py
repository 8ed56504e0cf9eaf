"""The home folder: making it, opening it, and keeping a second daemon out of it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pamosnik import config
from pamosnik.config import Config
from pamosnik.errors import Again, HomeError, NotFound, StorageRefused, UsageError
from pamosnik.security import keyring, tokens
from pamosnik.security.held_keys import key_lock, open_lock
from pamosnik.security.keyring import Stamp
from pamosnik.services.accounts import NewAccount, create, valid
from pamosnik.store import accounts, refusals
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database

LOCK_FILE = "daemon.lock"
_LOCK_BYTES = 1024
_KEYS_BYTES = 256
"""Behind the lock's text: which key file the daemon has read."""
_ADDRESS_BYTES = 768
"""Behind them: where the daemon is reached on this machine, and from outside."""
_REFUSED = "refused "


def initialise(settings: Config, new: NewAccount, now: datetime) -> tuple[Account, bool]:
    """Makes folder, keys, database and first account; (account, True), or what is there already and False."""
    if not settings.database.exists() or settings.database.stat().st_size == 0:
        new = valid(new)  # before anything is made: a half-made home would puzzle the next try
    config.prepare_home(settings.home)
    with lock(settings.home), key_lock(settings.home, alone=True):
        if not os.path.lexists(settings.key_file):
            if settings.database.exists() and settings.database.stat().st_size:
                # A new key could not open what the old one sealed.
                keyring.load(settings.key_file, settings.passphrase)
            keyring.create(settings.key_file, settings.passphrase, now)
        keys = keyring.load(settings.key_file, settings.passphrase)
        if settings.verify_token is None:
            config.save_setting(settings.home, "verify_token", tokens.new_token())
        with open_database(settings.database, migrate=True) as database:
            known = accounts.every(database.connection)
            if known:
                return known[0], False
            return create(database, keys, new, now), True


def require_private(settings: Config) -> None:
    """Refuses a home or a key file that other users can read, or that is another's. Raises `HomeError`."""
    config.require_private(settings.home)
    keyring.require_private(settings.key_file)


def has_account(settings: Config) -> bool:
    """Whether there is an account already. An older database is brought up to date first, and one whose making was
    broken off is finished; what a running daemon holds is up to date."""
    if not settings.database.exists() or settings.database.stat().st_size == 0:
        return False
    require_private(settings)
    if daemon_running(settings.home):
        with open_database(settings.database) as database:
            return bool(accounts.every(database.connection))
    with lock(settings.home), open_database(settings.database, migrate=True) as database:
        return bool(accounts.every(database.connection))


def choose_account(database: Database, email: str | None, *, deleting_too: bool = False) -> Account:
    """The account a command means: the one named, or the only one. One that is being deleted is refused, unless
    `deleting_too`."""
    conn = database.connection
    there = accounts.every(conn)
    if not there:
        raise HomeError("There is no account yet.", hint="Try: pamosnik init")
    known = [one for one in there if deleting_too or not accounts.is_deleting(conn, one.id)]
    if email is not None:
        found = accounts.by_email(conn, email)
        if found is None:
            there_are = f" There are: {_emails(known)}." if known else ""
            raise NotFound(f"There is no account {email}.{there_are}", again=_meaning(known))
        if found not in known:
            raise _being_deleted(found)
        return found
    if not known:
        raise _being_deleted(there[0])
    if len(known) > 1:
        raise UsageError(f"This home has several accounts: {_emails(known)}.", again=_meaning(known))
    return known[0]


def _being_deleted(account: Account) -> HomeError:
    return HomeError(
        f"The account {account.email} is being deleted.",
        hint="It goes on while `pamosnik serve` runs. To finish it now, try: pamosnik delete-account"
        f" --account {account.email}",
    )


def _meaning(known: list[Account]) -> Again | None:
    """The same command, for one of them."""
    return Again(("--account", known[0].email)) if known else None


def _emails(known: list[Account]) -> str:
    return ", ".join(account.email for account in known)


def local_timezone() -> str:
    """The machine's time zone; UTC when it does not tell."""
    name = os.environ.get("TZ") or ""
    link = Path("/etc/localtime")
    if not name and link.is_symlink():
        name = str(link.readlink()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ValueError, OSError, KeyError):
        return "UTC"


class InUse(HomeError):
    """Another process holds the home."""


class Lock:
    """The held home. Its file names our process and, on the line below, what storage refuses at the moment; behind
    them which key file was read, and where the daemon is reached."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._since = os.fstat(descriptor).st_mtime_ns
        self._told: str | None = None

    def tell(self, problem: StorageRefused | None) -> None:
        """For `status`, which is another process. In place, so that a full disk does not refuse it."""
        text = "" if problem is None else f"{problem.message}\n{problem.hint or ''}"
        if text == self._told:
            return
        self._told = text
        self._put(_lock_text(text), 0)

    def tell_keys(self, stamp: Stamp | None, *, held: bool) -> None:
        """For `keys rotate`: the key file that was looked at, and whether its ring is held now."""
        text = f"{'' if held else _REFUSED}{stamp}"
        self._put(text.encode().ljust(_KEYS_BYTES, b"\n"), _LOCK_BYTES)

    def tell_addresses(self, here: str, public: str | None) -> None:
        """For commands: where the daemon is reached on this machine, and from outside."""
        text = f"{here}\n{public or ''}\n".encode()
        self._put(text[:_ADDRESS_BYTES].ljust(_ADDRESS_BYTES, b"\n"), _LOCK_BYTES + _KEYS_BYTES)

    def _put(self, text: bytes, at: int) -> None:
        with suppress(OSError):
            os.pwrite(self._descriptor, text, at)
            os.utime(self._descriptor, ns=(self._since, self._since))


def _lock_text(problem: str) -> bytes:
    """Always as long as a block of the file, so that nothing grows later."""
    return f"{os.getpid()}\n{problem}\n".encode()[:_LOCK_BYTES].ljust(_LOCK_BYTES, b"\n")


def _taken(descriptor: int) -> bool:
    """Whoever only looks whether a daemon runs holds the lock for that moment, and is no daemon: tried again for
    half a second."""
    for _ in range(25):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


@contextmanager
def lock(home: Path) -> Iterator[Lock]:
    """Holds the home for one daemon (or `init`). Raises `InUse` when another process has it, `HomeError` when
    nobody may."""
    descriptor = open_lock(home / LOCK_FILE)
    try:
        if not _taken(descriptor):
            holder = os.read(descriptor, 20).decode("ascii", "replace").partition("\n")[0]
            raise InUse(
                f"Another Pamosnik (process {holder or 'unknown'}) is running on {home}.",
                hint="Stop it first, or set PAMOSNIK_HOME to another folder."
                + (f" Try: kill {holder}" if holder else ""),
            )
        with suppress(OSError):  # a full disk; the lock holds all the same
            os.pwrite(descriptor, _lock_text("").ljust(_LOCK_BYTES + _KEYS_BYTES + _ADDRESS_BYTES, b"\n"), 0)
        yield Lock(descriptor)
    finally:
        os.close(descriptor)


def refused_storage(settings: Config) -> tuple[str, str] | None:
    """What cannot be stored at the moment, and what to do; None when nothing is known to be refused."""
    lock_file = settings.home / LOCK_FILE
    try:
        # Tried here: a disk that takes no writes takes no word from the daemon either. Not on the database's own
        # file, for closing it would drop the locks that SQLite holds on it.
        os.close(os.open(lock_file, os.O_RDWR))
    except FileNotFoundError:
        return None
    except OSError as error:
        refused = refusals.cannot_be_written(lock_file, error.strerror or str(error))
        return refused.message, refused.hint or ""
    if not daemon_running(settings.home):
        return None
    _, message, fix, *_ = [*lock_file.read_text("utf-8", "replace").split("\n"), "", ""]
    return (message, fix) if message else None


def daemon_has_read(home: Path, stamp: Stamp) -> bool | None:
    """Whether the running daemon holds the ring of this key file; False: it could not read it; None: not yet."""
    raw = (home / LOCK_FILE).read_bytes()[_LOCK_BYTES:]
    said = raw.decode("ascii", "replace").partition("\n")[0]
    return {f"{stamp}": True, f"{_REFUSED}{stamp}": False}.get(said)


def daemon_address(settings: Config) -> str | None:
    """Where the running daemon is reached on this machine, as `http://127.0.0.1:8788`; None while none listens."""
    return _told_addresses(settings)[0]


def public_address(settings: Config) -> str | None:
    """Where this machine is reached from outside, without `/` at its end: as it is set, or what the running daemon's
    settings or its tunnel say. None: nowhere that is known."""
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    return _told_addresses(settings)[1]


def is_public(settings: Config) -> bool:
    """Whether clicks are counted when the daemon runs: a tunnel that is set will have an address then."""
    return settings.tunnel is not None or public_address(settings) is not None


def _told_addresses(settings: Config) -> tuple[str | None, str | None]:
    if not daemon_running(settings.home):
        return None, None
    raw = (settings.home / LOCK_FILE).read_bytes()[_LOCK_BYTES + _KEYS_BYTES :]
    here, public, *_ = [*raw.decode("utf-8", "replace").split("\n"), "", ""]
    return here or None, public or None


def daemon_running(home: Path) -> bool:
    """Whether a daemon holds this home."""
    path = home / LOCK_FILE
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def daemon_since(home: Path) -> float | None:
    """When the running daemon took the home, in seconds since 1970; None when none runs."""
    return (home / LOCK_FILE).stat().st_mtime if daemon_running(home) else None
