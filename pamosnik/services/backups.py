"""Backups of a home: making, listing, checking, and putting one back.

What a restored database does not know is what was sent after the backup was made. Everything that waited in it, its
unfinished runs and its events without a verdict are therefore put in doubt: what they are about to send counts as
`unknown` first, and evidence decides (see `outbox.settling`), as after a request without an answer. A new word of the
person ends the doubt of the run it takes on. What people wrote after the backup is found by catching up, which does
not answer what has been answered since. Everybody is logged out.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.errors import HomeError, NotFound, PamosnikError
from pamosnik.security import keyring
from pamosnik.security.held_keys import key_lock
from pamosnik.services import credentials, home
from pamosnik.store import (
    accounts,
    aging,
    backup,
    backup_files,
    broadcasts,
    copies,
    entrances,
    inbox,
    ledger,
    mailed_links,
    outbox,
    runs,
    sessions,
)
from pamosnik.store.backup import Manifest
from pamosnik.store.damage import require_there
from pamosnik.store.database import open_database
from pamosnik.store.mailed_links import Purpose


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file as the list shows it."""

    path: Path
    size_bytes: int
    manifest: Manifest | None
    problem: str | None
    """Why it cannot be used; None as far as its frame tells."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has done."""

    manifest: Manifest
    kept: Path | None
    """Where the database that was there lies now."""
    in_doubt: int
    """Messages that waited in the backup."""
    key: str | None
    """What is wrong with `master.key`; None when it opens every account."""


def create(settings: Config, output: Path | None, now: datetime) -> Backup:
    """Makes a backup, in the home's folder or as `output`. Raises `HomeError`; then nothing is left behind."""
    require_there(settings.database)
    home.require_private(settings)
    folder = backup_files.folder_of(settings.home) if output is None else output.absolute().parent
    if output is None:
        config.make_inside(folder)
    name = None if output is None else output.name
    path, manifest = backup.create(settings.database, folder, name, version("pamosnik"), now)
    return Backup(path, path.stat().st_size, manifest, None)


def every(settings: Config) -> list[Backup]:
    """The home's backups, the newest first. Looks at their frames only: `verify` reads every byte."""
    home.require_private(settings)
    return [_look_at(path) for path in backup_files.found(settings.home)]


def _look_at(path: Path) -> Backup:
    try:
        return Backup(path, path.stat().st_size, backup.manifest_of(path), None)
    except HomeError as error:
        return Backup(path, path.stat().st_size, None, error.message)


def verify(settings: Config, file: Path | None) -> Backup:
    """Unpacks a backup, the newest unless one is named, and examines all of it. Raises `BackupUnusable`."""
    home.require_private(settings)
    if file is None:
        known = backup_files.found(settings.home)
        if not known:
            raise NotFound(
                f"There is no backup in {backup_files.folder_of(settings.home)}.",
                hint="Try: pamosnik backup create",
            )
        file = known[0]
    at = settings.home if settings.home.is_dir() else file.absolute().parent
    with backup.workshop(at) as room:
        _, manifest = backup.unpack(file, room)
    return Backup(file, file.stat().st_size, manifest, None)


def restore(settings: Config, file: Path, now: datetime) -> Restored:
    """Puts a backup in the place of the home's database, which is kept beside it.

    Refused while a daemon runs. An older database is brought up to date on the way. Raises `HomeError`; then the
    database that was there is in place as before.
    """
    config.prepare_home(settings.home)
    home.require_private(settings)
    erased = ledger.read(settings.home / ledger.NAME)
    with home.lock(settings.home), backup.workshop(settings.home) as room:
        fresh, manifest = backup.unpack(file, room)
        with open_database(fresh, migrate=True) as database:
            in_doubt = database.write(lambda conn: _put_in_doubt(conn, manifest.created_at, now))
            database.write(lambda conn: ledger.forget_again(conn, erased))
            key = _try_key(settings, database.connection, now)
        backup.flush_file(fresh)
        aside = copies.before_restore(settings.database, now)
        kept = backup.exchange(fresh, settings.database, aside)
    return Restored(manifest, aside if kept else None, in_doubt, key)


def _put_in_doubt(conn: Connection, since: datetime, now: datetime) -> int:
    """Whatever may have happened after the backup was made is looked for before it is done."""
    runs.doubt_unfinished(conn, since)
    inbox.doubt_pending(conn, since)
    broadcasts.plan_anew(conn, now)
    entrances.doubt(conn)
    aging.all_due(conn)
    for account in accounts.every(conn):
        _log_out(conn, account.id)
        accounts.audit(conn, account.id, actor="command", action="restore", subject=None, now=now)
    return outbox.doubt_open(conn, since)


def _log_out(conn: Connection, account_id: str) -> None:
    """Logins that were ended since, and links that were used or voided, must not open again; which ones those are the
    backup does not know."""
    sessions.close_all(conn, account_id)
    sessions.forget_browsers(conn, account_id)
    for purpose in Purpose:
        mailed_links.drop(conn, account_id, purpose)


def _try_key(settings: Config, conn: Connection, now: datetime) -> str | None:
    """Makes a new `master.key` where there is none: without one the daemon would not start."""
    with key_lock(settings.home, alone=True):
        if not os.path.lexists(settings.key_file):
            keyring.create(settings.key_file, settings.passphrase, now)
            return "There was no master.key; a new one was made."
    try:
        keys = keyring.load(settings.key_file, settings.passphrase)
        for account in accounts.every(conn):
            credentials.data_key(conn, keys, account.id)
    except PamosnikError as error:
        return error.message
    return None
