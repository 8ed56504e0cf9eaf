"""New keys in the place of old ones, with the daemon running, and a crash allowed anywhere.

The master key: a new one comes into the ring, in front → the daemon has read it → every account's key is wrapped by
it in one transaction → the old one leaves the ring. Between the first and the last step both keys are in the file, so
whatever is stored opens, and the next run goes on from there with the new key that is there already.

An account's key: a new one, and everything that was sealed under the old one sealed under it, in one transaction.

What is sealed is the logins of connections, and nothing else.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.errors import HomeError
from pamosnik.security import keyring, vault
from pamosnik.security.held_keys import key_lock
from pamosnik.security.keyring import KeyFile
from pamosnik.security.vault import MasterKeys, Unreadable
from pamosnik.services import home
from pamosnik.store import accounts, backup_files, connections, copies, vacuum
from pamosnik.store.damage import require_there
from pamosnik.store.database import Database, Patient, open_database

DAEMON_WITHIN_S = 15.0
"""It looks once a second, and may need a while for Argon2id."""
EMPTY_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """What is to be new. Its repr shows nothing, for it may hold a passphrase."""

    master: bool = True
    accounts: bool = True
    seal: str | None = None
    """The passphrase from now on; None: the one that is set."""
    unseal: bool = False


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was done."""

    master: bool
    resumed: bool
    """A rotation that had been broken off was brought to its end."""
    accounts: int
    """With a key of their own that is new."""
    logins: int
    unreadable: tuple[str, ...]
    """E-mail addresses of accounts whose key does not open; they were left as they are."""
    sealed: bool
    """Whether a passphrase seals the file now."""
    resealed: bool
    """Another passphrase than the one that opened it, or none, or the first."""
    traces: bool
    """The old bytes are in the database's log as long as another program reads it."""
    backups: int
    """Those in the home."""
    copies: int
    """Copies of the database that upgrades and restores have left beside it."""


def rotate(settings: Config, wanted: Wanted, now: datetime, patient: Patient | None = None) -> Rotated:
    """`patient`: as `Database.wait_while` has it.

    Raises `HomeError`: then everything opens as before, and nothing depends on a key that is not in the file.
    """
    require_there(settings.database)
    home.require_private(settings)
    with key_lock(settings.home, alone=True), open_database(settings.database) as database:
        database.wait_while(patient)
        file = keyring.read(settings.key_file, settings.passphrase)
        resumed = len(file.ring.keys) > 1
        master = wanted.master or resumed
        ring = _begun(settings, file, now) if master else file.ring
        if master:
            with _undone_when_refused(settings, file):
                wait_for_daemon(settings)
            database.write(lambda conn: _rewrap(conn, ring, now))
        logins, unreadable = _renew_accounts(database, ring, now, really=wanted.accounts)
        # Before the old key goes: what it opens is to be nowhere then.
        traces = not _emptied(database)
        seal = None if wanted.unseal else wanted.seal or settings.passphrase
        resealed = seal != (settings.passphrase if file.sealed_with else None)
        if master or resealed or keyring.is_behind(file, seal):
            keyring.write(settings.key_file, MasterKeys(ring.keys[:1]), seal)
        return Rotated(
            master=master,
            resumed=resumed,
            accounts=len(logins),
            logins=sum(logins),
            unreadable=tuple(unreadable),
            sealed=seal is not None,
            resealed=resealed,
            traces=traces,
            backups=len(backup_files.found(settings.home)),
            copies=sum(not copy.name.endswith("-wal") for copy in copies.found(settings.database)),
        )


def _begun(settings: Config, file: KeyFile, now: datetime) -> MasterKeys:
    """The ring with a new key in front; the one of a run that was broken off goes on being it."""
    if len(file.ring.keys) > 1:
        return file.ring
    ring = MasterKeys((vault.new_master_key(now), *file.ring.keys))
    # Sealed as it was: the daemon has to open it.
    keyring.write(settings.key_file, ring, settings.passphrase if file.sealed_with else None)
    return ring


@contextmanager
def _undone_when_refused(settings: Config, before: KeyFile) -> Iterator[None]:
    try:
        yield
    except HomeError:
        keyring.write(settings.key_file, before.ring, settings.passphrase if before.sealed_with else None)
        raise


def wait_for_daemon(settings: Config) -> None:
    """Until the running daemon, if there is one, holds the ring as it is in the file. Raises `HomeError`."""
    stamp = keyring.stamp(settings.key_file)
    assert stamp is not None
    end = time.monotonic() + DAEMON_WITHIN_S
    while home.daemon_running(settings.home):
        has_read = home.daemon_has_read(settings.home, stamp)
        if has_read:
            return
        if has_read is False or time.monotonic() >= end:
            raise HomeError(
                "The running daemon cannot read the key file: it was started with another passphrase."
                if has_read is False
                else "The running daemon does not read the new key.",
                hint="Nothing was changed. Stop `pamosnik serve` (or start it anew with the passphrase of today),"
                " then try again.",
            )
        time.sleep(0.02)


def _rewrap(conn: Connection, ring: MasterKeys, now: datetime) -> None:
    """Every account's key under the newest master key."""
    for key in accounts.data_keys(conn):
        try:
            opened = ring.unwrap(key.account.id, key.wrapped)
        except Unreadable:
            continue  # no key of the ring opens it: it loses nothing when one of them goes
        accounts.rewrap(conn, key.account.id, ring.wrap(key.account.id, opened))
        _note(conn, key.account.id, "master key rotated", now)


def _renew_accounts(
    database: Database, ring: MasterKeys, now: datetime, *, really: bool
) -> tuple[Sequence[int], Sequence[str]]:
    """The number of logins of each account that has a new key; the addresses of those that do not open."""
    logins, unreadable = [], []
    for key in accounts.data_keys(database.connection):
        account_id = key.account.id
        try:
            ring.unwrap(account_id, key.wrapped)
        except Unreadable:
            unreadable.append(key.account.email)
            continue
        if really:
            logins.append(database.write(lambda conn, of=account_id: renew(conn, ring, of, now)))  # type: ignore[misc]
    return logins, unreadable


def renew(conn: Connection, ring: MasterKeys, account_id: str, now: datetime) -> int:
    """A new data key, and the account's logins sealed under it; returns how many. Raises `Unreadable`."""
    wrapped = accounts.wrapped_key(conn, account_id)
    if wrapped is None:
        return 0  # destroyed meanwhile
    old, new = ring.unwrap(account_id, wrapped), vault.new_data_key()
    sealed_anew = 0
    for connected, sealed in connections.sealed_tokens(conn, account_id):
        try:
            token = vault.open_token(old, sealed, account_id=account_id, ig_id=connected.ig_id)
        except Unreadable:
            continue  # it was lost before
        fresh = vault.seal_token(new, token, account_id=account_id, ig_id=connected.ig_id)
        connections.put_sealed(conn, connected.id, fresh)
        sealed_anew += 1
    accounts.put_wrapped_key(conn, account_id, ring.wrap(account_id, new), now)
    _note(conn, account_id, "account key rotated", now)
    return sealed_anew


def _note(conn: Connection, account_id: str, what: str, now: datetime) -> None:
    accounts.audit(conn, account_id, actor="command", action=f"keys: {what}", subject=None, now=now)


def _emptied(database: Database) -> bool:
    """Whether the log with the old bytes is emptied; a reader may stand in the way for a moment."""
    end = time.monotonic() + EMPTY_WITHIN_S
    while not vacuum.empty_wal(database.connection):
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True
