"""Backups of a home: making, listing, checking, and putting one back.

What a restored database does not know is what was sent after the backup was made. Everything that waited in it, its
unfinished runs and its events without a verdict are therefore put in doubt: what they are about to send counts as
`unknown` first, and evidence decides (see `outbox.settling`), as after a request without an answer. A new word of the
person ends the doubt of the run it takes on. What people wrote after the backup is found by catching up, which does
not answer what has been answered since. Everybody is logged out.

What was deleted after the backup was made is deleted again in the restored copy, before it takes its place
(`privacy.erase_again`). What that is, `erasures.log` tells: the home's, and the copy beside the backup; and the
database that was there. Everything that the copy must not bring back is gone before the exchange, so a restore that
is killed leaves the old database or one without it.
"""

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from pamosnik import _sqlite, config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.errors import HomeError, NotFound, PamosnikError
from pamosnik.privacy import erase_again
from pamosnik.privacy.erase_again import Again
from pamosnik.security import keyring
from pamosnik.security.held_keys import key_lock
from pamosnik.services import credentials, home, sealed_backups
from pamosnik.store import (
    accounts,
    aging,
    backup,
    backup_files,
    broadcasts,
    contacts,
    copies,
    deletions,
    entrances,
    exports,
    inbox,
    instagram_logins,
    ledger,
    mailed_links,
    outbox,
    room,
    runs,
    sessions,
    vacuum,
    verified,
)
from pamosnik.store.backup import Manifest, Tell
from pamosnik.store.backup_files import told_in_words
from pamosnik.store.damage import require_there
from pamosnik.store.database import open_database
from pamosnik.store.deletions import Papers
from pamosnik.store.ledger import Ledger
from pamosnik.store.mailed_links import Purpose


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file as the list shows it."""

    path: Path
    size_bytes: int
    manifest: Manifest | None
    problem: str | None
    """Why it cannot be used; None as far as its frame tells."""
    verified_at: datetime | None = None
    """When all of it was examined last, as it is now; None: it was not."""

    @property
    def sealed(self) -> bool:
        return self.manifest is not None and self.manifest.seal is not None


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
    again: Again
    """What had been deleted since the backup was made, and was deleted again."""
    replaced_held: bool
    """Whether the database that was there held what has to be deleted, and was not kept for that reason."""
    unread: int
    """Lines of `erasures.log` that nobody understands."""


def create(
    settings: Config,
    output: Path | None,
    now: datetime,
    *,
    passphrase: str | None = None,
    nightly: bool = False,
    spare: int = 0,
    tell: Tell = lambda _done, _everything: None,
) -> Backup:
    """Makes a backup, in the home's folder or as `output`, sealed where a passphrase is given or set. Raises
    `HomeError`; then nothing is left behind."""
    require_there(settings.database)
    home.require_private(settings)
    folder = backup_files.folder_of(settings.home) if output is None else output.absolute().parent
    if output is None:
        config.make_inside(folder)
    passphrase = passphrase or settings.backup_passphrase
    path, manifest = backup.create(
        settings.database,
        folder,
        None if output is None else output.name,
        version("pamosnik"),
        now,
        place=place_of(settings.home),
        nightly=nightly,
        seal=None if passphrase is None else sealed_backups.sealing(passphrase),
        spare=spare,
        tell=tell,
    )
    try:
        ledger.copy(settings.home, folder, now)
    except HomeError:
        path.unlink(missing_ok=True)
        raise
    backup_files.remove_outdated(settings.home, now)
    return Backup(path, path.stat().st_size, manifest, None)


def place_of(home: Path) -> str:
    """Tells one home on one machine from others, and nothing else."""
    try:
        machine = Path("/etc/machine-id").read_text("utf-8").strip()
    except (OSError, ValueError):
        machine = ""
    told = f"pamosnik place\0{machine}\0{socket.gethostname()}\0{home.resolve()}"
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def every(settings: Config) -> list[Backup]:
    """The home's backups, and those in the other folder, each the newest first. Looks at their frames only: `verify`
    reads every byte."""
    home.require_private(settings)
    elsewhere = [] if settings.other_folder is None else backup_files.found_in(settings.other_folder)
    return [_look_at(settings, path) for path in (*backup_files.found(settings.home), *elsewhere)]


def _look_at(settings: Config, path: Path) -> Backup:
    size = path.stat().st_size
    try:
        manifest = backup.manifest_of(path)
    except HomeError as error:
        return Backup(path, size, None, error.message)
    return Backup(path, size, manifest, None, verified.at(settings.home, path))


def newest(settings: Config) -> Path:
    """The home's. Raises `NotFound`."""
    known = backup_files.found(settings.home)
    if not known:
        raise NotFound(
            f"There is no backup in {backup_files.folder_of(settings.home)}.",
            hint="Try: pamosnik backup create",
        )
    return known[0]


def verify(
    settings: Config,
    file: Path | None,
    now: datetime,
    *,
    passphrase: str | None = None,
    tell: Tell = lambda _done, _everything: None,
) -> Backup:
    """Unpacks a backup, the newest unless one is named, and examines all of it. Raises `BackupUnusable`."""
    home.require_private(settings)
    file = file or newest(settings)
    at = settings.home if settings.home.is_dir() else file.absolute().parent
    with backup.workshop(at) as work:
        plain = sealed_backups.opened(file, work, passphrase or settings.backup_passphrase)
        _, inside = backup.unpack(plain, work, file, tell)
    manifest = replace(inside, seal=backup.manifest_of(file).seal)
    if settings.home.is_dir():
        verified.note(settings.home, file, now)
    return Backup(file, file.stat().st_size, manifest, None, now)


def look_at(settings: Config, file: Path) -> Manifest:
    """What it says of itself. Raises `HomeError`: `BackupUnusable`, or the home is not private."""
    if settings.home.exists():
        home.require_private(settings)
    return backup.manifest_of(file)


def is_from_elsewhere(settings: Config, file: Path) -> bool:
    """Whether a daemon may run where it was made that this home's lock does not keep out: then two would answer the
    same people. Raises `BackupUnusable`."""
    place = backup.manifest_of(file).place
    if place is None:
        return not settings.database.exists() and not (settings.home / ledger.NAME).exists()
    return place != place_of(settings.home)


def copy_out(settings: Config, now: datetime) -> Path | None:
    """Brings the home's newest backup into the other folder, with `erasures.log`, and removes there what has been
    kept long enough; its copy, or None when it was there already. The folder is never made: where a disk is to be
    mounted, the one below it would be filled. Raises `HomeError`."""
    folder = settings.other_folder
    known = backup_files.found(settings.home)
    if folder is None or not known:
        return None
    if not folder.is_dir():
        raise HomeError(
            f"There is no folder {folder} for copies of backups.",
            hint="Mount its disk, or make the folder; or change PAMOSNIK_BACKUP_FOLDER.",
        )
    target = folder / known[0].name
    with told_in_words(folder):
        _require_one_homes(folder, settings.home)
        if target.exists() and target.stat().st_size == known[0].stat().st_size:
            backup_files.rotate(folder, now)
            return None
        room.require(folder, known[0].stat().st_size, "A copy of the backup", "None was begun.")
        backup.copy_whole(known[0], target)
        ledger.copy(settings.home, folder, now)
        backup_files.rotate(folder, now)
    return target


def _require_one_homes(folder: Path, home: Path) -> None:
    """Two homes would remove each other's backups there, and two of the same second would take each other's place."""
    mine = {place_of(home), None}
    for file in backup_files.found_in(folder):
        with contextlib.suppress(backup.BackupUnusable):
            if backup.manifest_of(file).place not in mine:
                raise HomeError(
                    f"{folder} holds backups of another home, or of this one where it was before: {file.name}",
                    hint="Name a folder for each home in PAMOSNIK_BACKUP_FOLDER, or bring that file elsewhere.",
                )


def unknown_since(settings: Config, file: Path) -> datetime | None:
    """Since when nobody can tell here what was deleted: the moment of a backup that comes into a home without a past
    of its own, and without a newer `erasures.log` beside it. None: that is known. Raises `HomeError`."""
    if settings.home.exists():
        home.require_private(settings)
    made_at = backup.manifest_of(file).created_at
    if (settings.home / ledger.NAME).exists():
        return None
    if settings.database.exists() and not _is_younger(settings.database, made_at):
        return None
    told = ledger.read(file.absolute().parent / ledger.NAME).newest
    return None if told is not None and told > made_at else made_at


def _is_younger(database: Path, moment: datetime) -> bool:
    """Whether a database was begun after that moment. One that cannot be read is taken for an old one."""
    with contextlib.suppress(_sqlite.Error, HomeError), _as_it_is(database) as conn:
        return all(account.created_at > moment for account in accounts.every(conn))
    return False


_UNREADABLE = (_sqlite.Error, ValueError, TypeError, AssertionError)
"""What reading a damaged database, or one of another version, may end with."""


@contextlib.contextmanager
def _as_it_is(database: Path) -> Iterator[Connection]:
    """For looking: nothing is made, merged or brought up to date."""
    conn = _sqlite.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        yield conn
    finally:
        conn.close()


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What the database that was there knows and the backup cannot."""

    erased: Ledger
    papers: Papers
    deleting: frozenset[str]
    """Accounts in which something is being deleted."""
    with_traces: frozenset[str]
    """Accounts of whose deleted rows bytes are left in it."""


def _look_at_replaced(database: Path, now: datetime) -> _Replaced | None:
    """None: there is none, or it cannot be read; damaged, it may hold anything."""
    if not database.exists():
        return None
    try:
        with _as_it_is(database) as conn:
            begun = {receipt.account_id for receipt in deletions.under_way(conn)}
            marked = {contacts.account_of(conn, contact_id) for contact_id in contacts.marked(conn)}
            return _Replaced(
                erase_again.known(conn, now),
                deletions.papers(conn),
                frozenset(begun | marked),
                frozenset(account_id for account_id, _ in deletions.traces(conn)),
            )
    except _UNREADABLE:
        return None


def restore(
    settings: Config,
    file: Path,
    now: datetime,
    *,
    passphrase: str | None = None,
    tell: Tell = lambda _done, _everything: None,
) -> Restored:
    """Puts a backup in the place of the home's database, which is kept beside it unless it holds what has to be
    deleted.

    Refused while a daemon runs. An older database is brought up to date on the way. Raises `HomeError`; then the
    database that was there is in place as before.
    """
    config.prepare_home(settings.home)
    home.require_private(settings)
    with home.lock(settings.home), backup.workshop(settings.home) as work:
        plain = sealed_backups.opened(file, work, passphrase or settings.backup_passphrase)
        fresh, manifest = backup.unpack(plain, work, file, tell)
        replaced = _look_at_replaced(settings.database, now)
        here = ledger.read(settings.home / ledger.NAME)
        beside = ledger.read(file.absolute().parent / ledger.NAME)
        erased = ledger.unite((beside, here, replaced.erased if replaced else ledger.NOTHING))
        with open_database(fresh, migrate=True) as database:
            in_doubt = database.write(lambda conn: _put_in_doubt(conn, manifest.created_at, now))
            if replaced is not None:
                database.write(lambda conn: deletions.put_papers(conn, replaced.papers))
            again = database.write(lambda conn: erase_again.begin(conn, erased, now))
            erase_again.carry_out(database, now)
            key = _try_key(settings, database.connection, now)
        backup.flush_file(fresh)
        new = ledger.without(erased, ledger.unite([here]))
        if new.keys or new.stones or new.connections or new.accounts:
            ledger.note(settings.home, new, now)
        held = replaced is not None and _holds(settings.database, erased)
        if replaced is not None:
            _clear_copies(settings, replaced, erased, now, keeps=not held)
        aside = copies.before_restore(settings.database, now)
        kept = backup.exchange(fresh, settings.database, None if held else aside)
    unread = max(here.unread, beside.unread)
    return Restored(manifest, aside if kept else None, in_doubt, key, again, held, unread)


def _clear_copies(
    settings: Config, replaced: _Replaced, erased: Ledger, now: datetime, *, keeps: bool
) -> None:
    """What the eraser would have removed, had the database that was there not been replaced before its deletions came
    to their end. `keeps`: whether that database stays beside the new one."""
    if replaced.deleting:
        copies.forget(settings.database, lambda conn: erase_again.holds(conn, erased))
    exports.forget(settings.home, dict.fromkeys(replaced.deleting | replaced.with_traces, now))
    if keeps and replaced.with_traces:
        # Not of an older version: the copy that its upgrade would make is not wanted here.
        with contextlib.suppress(_sqlite.Error, HomeError), open_database(settings.database) as database:
            vacuum.rebuild(database.connection)
            vacuum.empty_wal(database.connection)


def _holds(database: Path, erased: Ledger) -> bool:
    """A damaged one that cannot be read to its end is kept: somebody may want to save what is in it."""
    with contextlib.suppress(*_UNREADABLE), _as_it_is(database) as conn:
        return erase_again.holds(conn, erased)
    return False


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
    instagram_logins.drop(conn, account_id)


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
