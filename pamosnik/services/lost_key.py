"""When the key is lost: what is lost with it, and going on without it.

Only logins are sealed. Everything else of the database reads on without any key.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.errors import HomeError, PamosnikError
from pamosnik.security import keyring, vault
from pamosnik.security.held_keys import key_lock
from pamosnik.security.keyring import KeyFileError, Trouble
from pamosnik.security.vault import Keys, MasterKeys, Unreadable
from pamosnik.services import credentials, logins, rotation
from pamosnik.store import accounts, connections
from pamosnik.store.accounts import DataKey
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.damage import require_there
from pamosnik.store.database import Patient, open_database

LOST = (Trouble.MISSING, Trouble.DAMAGED)
"""A sealed file whose passphrase nobody knows is put away by hand first: one merely not set looks the same."""


@dataclass(frozen=True, slots=True)
class Login:
    """A stored login."""

    account: str
    """Its account's e-mail address."""
    connected: Connected


@dataclass(frozen=True, slots=True)
class Opened:
    """An account's key, and the logins under it."""

    key: DataKey
    opens: bool
    logins: Sequence[tuple[Connected, bool | None]]
    """Each connection, and whether its stored login opens; None: it has none."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What was done about a lost key."""

    aside: Path | None
    """Where the damaged key file lies now."""
    accounts: Sequence[str]
    """E-mail addresses of those that have a new key."""
    logins: Sequence[Login]
    """To be connected again."""


def look(conn: Connection, ring: MasterKeys | None) -> list[Opened]:
    """What opens with this ring; with None nothing does."""
    found = []
    for key in accounts.data_keys(conn):
        stored = {connected.id for connected, _ in connections.sealed_tokens(conn, key.account.id)}
        states = [
            (connected, _opens(conn, ring, connected) if connected.id in stored else None)
            for connected in connections.of_account(conn, key.account.id)
        ]
        found.append(Opened(key, _fits(ring, key), states))
    return found


def _fits(ring: MasterKeys | None, key: DataKey) -> bool:
    if ring is None:
        return False
    try:
        ring.unwrap(key.account.id, key.wrapped)
    except Unreadable:
        return False
    return True


def _opens(conn: Connection, ring: Keys | None, connected: Connected) -> bool:
    if ring is None:
        return False
    try:
        credentials.token(conn, ring, connected)
    except PamosnikError:
        return False
    return True


def lost(found: Sequence[Opened]) -> list[Login]:
    """The stored logins that do not open."""
    return [
        Login(one.key.account.email, connected)
        for one in found
        for connected, opens in one.logins
        if opens is False
    ]


def found_again(conn: Connection, keys: Keys) -> Sequence[Connected]:
    """The connections that had stopped because their login did not open, and now opens: they go on. A key that was
    the wrong one stopped them, and the right one was put back."""
    stopped = [
        one
        for account in accounts.every(conn)
        for one in connections.of_account(conn, account.id)
        if one.status is ConnectionStatus.NEEDS_LOGIN
        and one.reason in (vault.WRONG_MASTER_KEY, vault.WRONG_ACCOUNT_KEY)
        and _opens(conn, keys, one)
    ]
    for one in stopped:
        logins.opens_again(conn, one)
    return stopped


def require_lost(settings: Config) -> Sequence[Opened]:
    """What `give_up` would find. Raises `PamosnikError` when the key is not lost, or not known to be."""
    require_there(settings.database)
    config.require_private(settings.home)
    with open_database(settings.database) as database:
        ring = _ring(settings)
        found = database.read(lambda conn: look(conn, ring))
    _require(ring, found)
    return found


def _ring(settings: Config) -> MasterKeys | None:
    """None: it is lost. Raises `KeyFileError` when it is there, and something else is wrong."""
    try:
        return keyring.load(settings.key_file, settings.passphrase)
    except KeyFileError as error:
        if error.trouble in LOST:
            return None
        if error.trouble in (Trouble.SEALED, Trouble.WRONG_PASSPHRASE):
            raise KeyFileError(
                error.trouble,
                f"{error.message} With the passphrase nothing is lost.",
                hint="Set PAMOSNIK_PASSPHRASE to it. If nobody knows it any more, put the file away first:"
                f" mv {settings.key_file} {settings.key_file}.sealed",
            ) from None
        raise


def _require(ring: MasterKeys | None, found: Sequence[Opened]) -> None:
    if ring is not None and all(one.opens for one in found) and not lost(found):
        raise PamosnikError(
            "The key is not lost: every account and every stored login opens. Nothing was changed.",
            hint="For new keys, try: pamosnik keys rotate",
        )


def give_up(settings: Config, now: datetime, patient: Patient | None = None) -> GivenUp:
    """A new master key where there is none, a new key for each account that does not open; logins that do not open
    are removed. Nothing else is touched, and killed anywhere it can be repeated.

    `patient`: as `Database.wait_while` has it. Raises `PamosnikError` when the key is not lost."""
    require_there(settings.database)
    config.require_private(settings.home)
    with key_lock(settings.home, alone=True), open_database(settings.database) as database:
        database.wait_while(patient)
        ring = _ring(settings)
        found = database.read(lambda conn: look(conn, ring))
        _require(ring, found)
        aside = None
        if ring is None:
            aside = _put_aside(settings.key_file, now)
            ring = keyring.create(settings.key_file, settings.passphrase, now)
            with _undone_when_refused(settings.key_file, aside):
                rotation.wait_for_daemon(settings)
        fits = ring
        database.write(lambda conn: _give_up(conn, fits, found, now))
    return GivenUp(aside, [one.key.account.email for one in found if not one.opens], lost(found))


def _put_aside(path: Path, now: datetime) -> Path | None:
    """The damaged file, for whoever can mend it: backups hold logins that only it opens."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%SZ}")
    path.rename(aside)
    aside.chmod(0o600)
    return aside


@contextmanager
def _undone_when_refused(path: Path, aside: Path | None) -> Iterator[None]:
    try:
        yield
    except HomeError:
        path.unlink()
        if aside is not None:
            aside.rename(path)
        raise


def _give_up(conn: Connection, ring: MasterKeys, found: Sequence[Opened], now: datetime) -> None:
    for one in found:
        account_id = one.key.account.id
        if not one.opens:
            accounts.put_wrapped_key(conn, account_id, ring.wrap(account_id, vault.new_data_key()), now)
            accounts.audit(
                conn, account_id, actor="command", action="keys: lost key given up", subject=None, now=now
            )
        for connected, opens in one.logins:
            if opens is False:
                logins.lost(conn, connected.id, now)
