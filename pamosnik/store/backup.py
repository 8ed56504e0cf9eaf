"""Backups: one zip archive of `manifest.json` and `pamosnik.db`.

The database is copied by SQLite's own backup in one step from a second connection, so that it is one consistent
moment while others write (in several steps it would begin again with every commit in between). The copy is examined
before it counts. Everything is made under a temporary name in the folder where it will lie, flushed, and then given
its name: a backup is there as a whole or not at all.

The manifest can be read without unpacking. Neither part holds the master key; tokens are in the database, sealed.

A sealed backup (`services.sealed_backups`) is an archive of a manifest that says less, and of such a backup as a
whole.
"""

import contextlib
import errno
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.errors import Again, DatabaseDamaged, HomeError
from pamosnik.store import exports, migrations, room
from pamosnik.store.backup_files import folder_of, name_for
from pamosnik.store.database import APPLICATION_ID, open_database
from pamosnik.store.refusals import told_in_words, way_back

FORMAT = 1
SEALED_FORMAT = 2
SEALED = "sealed"
DATABASE = "pamosnik.db"
MANIFEST = "manifest.json"
_MANIFEST_BYTES = 1 << 20
_PRIVACY = (
    "This backup holds what the database held at its moment. What was deleted since is deleted again before it takes"
    " the place of a database: keep erasures.log, which lies beside it, together with it. Backups in the home are"
    " removed after 30 days; keep others no longer, either."
)
_CHUNK = 1 << 20
_WORK_BETWEEN_WORDS = 10_000
"""Of SQLite's steps."""
_WORKSHOP = ".pamosnik-work-"
_HELD = "held"
"""In a workshop: locked as long as the process lives that works there."""
_LEFT_BEHIND_AFTER = timedelta(days=1)


class BackupUnusable(HomeError):
    """A file is no backup of ours, is damaged, or comes from a newer Pamosnik."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says about itself."""

    created_at: datetime
    """Not later than what the copy shows: what it does not know as sent may have been sent since."""
    program: str
    """The version of Pamosnik that made it."""
    schema_version: int
    """How many migrations its database has had."""
    place: str | None = None
    """Of the home that it is of; None: older backups do not say."""
    database_bytes: int | None = None
    """None, and likewise below: sealed, so nobody says before it is opened."""
    database_sha256: str | None = None
    counts: Mapping[str, int] | None = None
    """Rows by table."""
    seal: Mapping[str, object] | None = field(default=None, repr=False)
    """What it is sealed with; None: not at all."""


Tell = Callable[[int, int], None]
"""Hears how many bytes of how many are done. What it raises ends the work."""


class BrokenOff(HomeError):
    """The work was ended from outside, by what it tells how far it is."""


def _nothing(_done: int, _everything: int) -> None:
    pass


# --- making ----------------------------------------------------------------------------------------------


def create(
    database: Path,
    folder: Path,
    name: str | None,
    program: str,
    now: datetime,
    *,
    place: str | None = None,
    nightly: bool = False,
    seal: Callable[[Path, Manifest, Tell], Path] | None = None,
    spare: int = 0,
    tell: Tell = _nothing,
) -> tuple[Path, Manifest]:
    """Makes a backup in `folder`, which exists; without a name under one that tells the time.

    `seal` makes of the finished file a sealed one beside it. So many bytes as `spare` says are to stay free. Works
    beside a running daemon. Raises `HomeError`, and then has left nothing behind; a file that is there already is
    never replaced.
    """
    with workshop(folder) as work:
        copy = work / DATABASE
        size = _copy(database, copy, folder, spare)
        parts = 3 if seal is None else 4

        def part(number: int) -> Callable[[int], None]:
            return lambda done: tell(number * size + min(done, size), parts * size)

        part(1)(0)
        try:
            schema_version, counts = examine(copy, lambda: part(1)(0))
        except BackupUnusable as error:
            raise DatabaseDamaged(
                f"No backup was made: the database {database} is damaged ({error.message}).",
                hint=way_back(database),
            ) from error
        packed = work / "packed"
        manifest = Manifest(now, program, schema_version, place, counts=counts)
        manifest = _pack(copy, packed, manifest, part(2))
        copy.unlink()
        if seal is not None:
            packed = seal(packed, manifest, lambda done, everything: part(3)(size * done // everything))
            manifest = manifest_of(packed)
        path = give_name(packed, folder, name, now, nightly=nightly)
    tell(1, 1)
    return path, manifest


def _copy(database: Path, copy: Path, folder: Path, spare: int) -> int:
    """Its size."""
    copy.touch(mode=0o600)
    with open_database(database, any_version=True) as source, told_in_words(database):
        size = migrations.bytes_of(source.connection)
        # Copy and archive; then the archive and its sealed twin.
        room.require(folder, 2 * size + spare, "A backup", "None was begun.")
        target = _sqlite.connect(str(copy), isolation_level=None)
        try:
            source.connection.backup(target, pages=-1)
            # The copy shall be one file: no -wal beside it.
            target.execute("PRAGMA journal_mode=DELETE")
        finally:
            target.close()
    return max(1, size)


def _pack(copy: Path, packed: Path, manifest: Manifest, tell: Callable[[int], None]) -> Manifest:
    """The manifest with what only now is known."""
    digest = hashlib.sha256()
    done = 0
    with packed.open("xb") as file:
        packed.chmod(0o600)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with copy.open("rb") as raw, archive.open(DATABASE, "w", force_zip64=True) as entry:
                while chunk := raw.read(_CHUNK):
                    digest.update(chunk)
                    entry.write(chunk)
                    tell(done := done + len(chunk))
            manifest = replace(
                manifest, database_bytes=copy.stat().st_size, database_sha256=digest.hexdigest()
            )
            archive.writestr(MANIFEST, json.dumps(_raw(manifest), indent=2))
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _raw(manifest: Manifest) -> dict[str, object]:
    return {
        "pamosnik_backup": FORMAT,
        **_open_to_all(manifest),
        "database_bytes": manifest.database_bytes,
        "database_sha256": manifest.database_sha256,
        "counts": dict(manifest.counts or {}),
        "holds_master_key": False,
        "privacy": _PRIVACY,
    }


def sealed_manifest(manifest: Manifest, seal: Mapping[str, object]) -> bytes:
    """What stands beside the sealed part: nothing that tells of people, not even how many there are."""
    raw = {
        "pamosnik_backup": SEALED_FORMAT,
        **_open_to_all(manifest),
        "seal": dict(seal),
        "holds_master_key": False,
        "privacy": _PRIVACY,
    }
    return json.dumps(raw, indent=2).encode()


def _open_to_all(manifest: Manifest) -> dict[str, object]:
    return {
        "created_at": manifest.created_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "program": manifest.program,
        "schema_version": manifest.schema_version,
        "place": manifest.place,
    }


def another_name(taken: Path) -> Again:
    """The same command, for a file that is not there yet."""
    names = (taken.with_name(f"{taken.stem}-{number}{taken.suffix}") for number in itertools.count(2))
    return Again(("-o", str(next(name for name in names if not name.exists()))))


def give_name(packed: Path, folder: Path, name: str | None, now: datetime, *, nightly: bool = False) -> Path:
    """Gives a finished file its name, which nothing may have yet, and returns when that is on disk. Without a name it
    gets one that tells the time."""
    number = 1
    while True:
        path = folder / (name or name_for(now, number, nightly=nightly))
        try:
            _link(packed, path)
        except FileExistsError:
            if name is not None:
                raise HomeError(f"There is a file already: {path}", again=another_name(path)) from None
            number += 1
            continue
        flush_folder(folder)
        return path


def copy_whole(file: Path, target: Path) -> None:
    """Into another folder, there as a whole or not at all; replaces what has that name. Raises OSError."""
    with workshop(target.parent) as work:
        copy = work / "copy"
        with file.open("rb") as source, copy.open("xb") as out:
            copy.chmod(0o600)
            shutil.copyfileobj(source, out, _CHUNK)
            out.flush()
            os.fsync(out.fileno())
        copy.replace(target)
        flush_folder(target.parent)


def _link(packed: Path, path: Path) -> None:
    """Gives a name that must be free. Raises FileExistsError."""
    try:
        os.link(packed, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # A disk without hard links, like a memory stick: between the look and the renaming somebody could come in.
        if path.exists():
            raise FileExistsError(path) from error
        packed.rename(path)


# --- reading ---------------------------------------------------------------------------------------------


def manifest_of(file: Path) -> Manifest:
    """The manifest alone; the database inside is not looked at. Raises `BackupUnusable`."""
    with opened(file) as archive:
        return _manifest(archive, file)


def unpack(file: Path, work: Path, named: Path | None = None, tell: Tell = _nothing) -> tuple[Path, Manifest]:
    """Unpacks the database of a backup that is not sealed into a folder of our own and examines it. `named`: the file
    that errors tell of. Raises `BackupUnusable`."""
    shown = named or file
    with opened(file, shown) as archive:
        manifest = _manifest(archive, shown)
        expected = manifest.database_bytes
        if expected is None:
            raise unusable(shown, "it is sealed twice")
        room.require(work, expected, f"Unpacking {shown}")
        path = work / DATABASE
        digest, size = hashlib.sha256(), 0
        with archive.open(DATABASE) as entry, path.open("xb") as raw:
            path.chmod(0o600)
            while chunk := entry.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if size > expected:
                    break
                raw.write(chunk)
                tell(size, 2 * expected)
    if (size, digest.hexdigest()) != (expected, manifest.database_sha256):
        raise unusable(shown, "its database is not the one that was put in (SHA-256 differs)")
    try:
        schema_version, counts = examine(path, lambda: tell(size, 2 * expected))
    except BackupUnusable as error:
        raise unusable(shown, error.message) from error
    if (schema_version, counts) != (manifest.schema_version, dict(manifest.counts or {})):
        raise unusable(shown, "its database holds other counts than its manifest says")
    tell(1, 1)
    return path, manifest


@contextlib.contextmanager
def opened(file: Path, named: Path | None = None) -> Iterator[zipfile.ZipFile]:
    """The archive. `named`: the file that errors tell of. Raises `BackupUnusable`."""
    shown = named or file
    broken = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError)
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError:
        raise BackupUnusable(f"There is no file {file}.", hint="Try: pamosnik backup list") from None
    except OSError as error:
        raise unusable(shown, error.strerror or "it cannot be read") from error
    except broken as error:
        raise unusable(shown, f"the archive is damaged ({error})") from error
    with archive:
        try:
            yield archive
        except broken as error:
            raise unusable(shown, f"the archive is damaged ({error})") from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        if archive.getinfo(MANIFEST).file_size > _MANIFEST_BYTES:
            raise ValueError("too long")
        raw = json.loads(archive.read(MANIFEST))
        format_ = raw["pamosnik_backup"]
        if format_ > SEALED_FORMAT or raw["schema_version"] > len(migrations.MIGRATIONS):
            raise BackupUnusable(
                f"{file} was made by a newer Pamosnik ({raw['program']}).",
                hint="Install that Pamosnik or a later one, then try again.",
            )
        place = raw.get("place")
        manifest = Manifest(
            created_at=datetime.fromisoformat(raw["created_at"]),
            program=str(raw["program"]),
            schema_version=int(raw["schema_version"]),
            place=None if place is None else str(place),
        )
        if format_ == SEALED_FORMAT:
            return replace(manifest, seal=dict(raw["seal"]))
        return replace(
            manifest,
            database_bytes=int(raw["database_bytes"]),
            database_sha256=str(raw["database_sha256"]),
            counts={str(table): int(n) for table, n in raw["counts"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unusable(file, "its manifest is missing or cannot be read") from error


def unusable(file: Path, reason: str) -> BackupUnusable:
    return BackupUnusable(f"{file} cannot be used: {reason}.", hint="Try: pamosnik backup list")


def examine(path: Path, again: Callable[[], None] = lambda: None) -> tuple[int, dict[str, int]]:
    """Reads every page of a database file; (schema version, rows by table). `again` is called now and then. Raises
    `BackupUnusable`, and `BrokenOff` when `again` does."""
    conn = _sqlite.connect(str(path), isolation_level=None)
    broken_off: list[BrokenOff] = []

    def look_up() -> int:
        try:
            again()
        except BrokenOff as error:
            broken_off.append(error)
        return len(broken_off)

    try:
        conn.set_progress_handler(look_up, _WORK_BETWEEN_WORDS)
        found = [
            *(text for (text,) in conn.execute("PRAGMA integrity_check(1)") if text != "ok"),
            *(
                f"a row of {row[0]} points nowhere"
                for row in conn.execute("PRAGMA foreign_key_check").fetchmany(1)
            ),
        ]
        if conn.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            found = ["it is a database of another program"]
        if found:
            raise BackupUnusable(" ".join(found[0].split()))
        migrations.require_not_newer(conn, path)
        return len(migrations.applied(conn)), _counts(conn)
    except _sqlite.Error as error:
        if broken_off:
            raise broken_off[0] from error
        raise BackupUnusable(_sqlite.name_of(error)) from error
    finally:
        conn.close()


def _counts(conn: Connection) -> dict[str, int]:
    tables = conn.execute(
        "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        " AND name<>'_sqlite_migrations' ORDER BY name"
    ).fetchall()
    return {
        name: conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - names of our own tables
        for (name,) in tables
    }


# --- putting back ----------------------------------------------------------------------------------------


def exchange(
    fresh: Path, database: Path, aside: Path | None, step: Callable[[str], None] = lambda _: None
) -> bool:
    """Puts `fresh` in the place of `database`, which is kept as `aside`, unless that is None; whether one was kept.

    The caller holds the home's lock. At every moment one of the two is in place: the last step is one renaming.
    `step` hears of each step before it is made.
    """
    there = database.exists()
    step("keep")
    if there and aside is not None:
        for ending in ("", "-wal"):
            if database.with_name(database.name + ending).exists():
                _keep(database.with_name(database.name + ending), aside.with_name(aside.name + ending))
        flush_folder(database.parent)
    step("merge")
    if there and _merge_wal(database) and aside is not None:
        aside.with_name(f"{aside.name}-wal").unlink(missing_ok=True)
    step("drop")
    # A -wal of the old database would be read into the new one.
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    flush_folder(database.parent)
    step("rename")
    fresh.replace(database)
    flush_folder(database.parent)
    step("done")
    return there and aside is not None


def _merge_wal(database: Path) -> bool:
    """Brings what the -wal holds into the file, as closing does; whether it did. Damage may forbid it."""
    if database.stat().st_size == 0:
        return False  # SQLite would delete the -wal of an empty file
    try:
        conn = _sqlite.connect(str(database), isolation_level=None)
        try:
            (busy, _, _) = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            conn.close()
    except _sqlite.Error:
        return False
    return not busy


def _keep(path: Path, aside: Path) -> None:
    """A second name for the same file; a copy where the disk knows no second names."""
    try:
        os.link(path, aside)
    except FileExistsError:
        raise HomeError(f"There is a file already: {aside}", hint="Try again in a second.") from None
    except OSError:
        shutil.copy2(path, aside)
        flush_file(aside)


# --- folders ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """A folder of our own (0700) inside `folder`, gone at the end. What the disk refuses becomes `HomeError`."""
    try:
        _sweep(folder)
        room = Path(tempfile.mkdtemp(prefix=_WORKSHOP, dir=folder))
        unlocked = room / f"{_HELD}.new"
        held = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            # Only now has it the name that others look for: they never find it without its lock and sweep us away.
            unlocked.rename(room / _HELD)
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
            os.close(held)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message, hint = (
                f"The disk that holds {folder} is full; nothing was left there.",
                "Free some space.",
            )
        else:
            message = f"The folder {folder} cannot be used: {error.strerror or error}."
            hint = f"Try: ls -ld {folder} (it must exist and belong to you)"
        raise HomeError(message, hint=hint) from error


def leftovers_gone(home: Path) -> bool:
    """Removes what killed processes have left in the home, in the folders of its backups and exports too: it holds
    people's messages. False when somebody is at work there whose copy may hold what was deleted meanwhile."""
    _sweep(folder_of(home))
    at_work = [_sweep(folder) for folder in (home, home / exports.FOLDER)]
    return not any(at_work)


def _sweep(folder: Path) -> bool:
    """Removes what killed processes have left behind in a folder; whether a living one is at work there."""
    left = [room for room in folder.glob(f"{_WORKSHOP}*") if not _removed(room)]
    return bool(left)


def _removed(room: Path) -> bool:
    """False when somebody is at work there. A workshop without a lock is just being made, or was left by an older
    version; that one goes after a day."""
    try:
        held = os.open(room / _HELD, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        before = datetime.now(UTC) - _LEFT_BEHIND_AFTER
        with contextlib.suppress(FileNotFoundError):
            if room.stat().st_mtime < before.timestamp():
                shutil.rmtree(room, ignore_errors=True)
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(room, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return True


def flush_file(path: Path) -> None:
    """Returns when the file's content is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Returns when the names in the folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
