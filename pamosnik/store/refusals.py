"""What SQLite says of disk, file or lock, in words for the machine's owner."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from pamosnik import _sqlite
from pamosnik._sqlite import Code
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.store import backup_files

BUSY_TIMEOUT_S = 5.0
"""How long SQLite waits for another program's lock before it refuses."""


@contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """Inside, what SQLite says of disk, file or lock becomes a `HomeError`; a mistake in a statement stays."""
    try:
        yield
    except _sqlite.Error as error:
        if _sqlite.code_of(error) is None:
            raise
        raise storage_error(path, error) from error


def storage_error(path: Path, error: BaseException) -> StorageRefused | DatabaseDamaged:
    """An SQLite error that the machine's owner has to act on, in words. `DatabaseDamaged`: trying again is no use."""
    code, name = _sqlite.code_of(error), _sqlite.name_of(error)
    match code:
        case Code.FULL:
            return StorageRefused(
                f"The disk that holds {path} is full; nothing of this change was stored.",
                hint=f"Free some space; the daemon goes on by itself. Try: df -h {path.parent}",
            )
        case Code.BUSY | Code.LOCKED | Code.PROTOCOL:
            return locked(path, BUSY_TIMEOUT_S)
        case Code.READONLY | Code.PERM | Code.CANTOPEN:
            return cannot_be_written(path, name, "database")
        case Code.IOERR:
            return StorageRefused(
                f"The disk that holds {path} failed, or has no room for the files beside it ({name}).",
                hint=f"Try: df -h {path.parent}   If there is room, look at the disk and the system's log. The daemon"
                " goes on by itself.",
            )
        case Code.CORRUPT:
            return damaged(path)
        case Code.NOTADB:
            return damaged(path, "its beginning was overwritten, so it is no database any more")
        case None:
            return StorageRefused(f"The database {path} cannot be used: {error}.", hint="Try again.")
        case _:
            assert_never(code)


def damaged(path: Path, what: str = "a part of it cannot be read") -> DatabaseDamaged:
    """The way back is the hint."""
    return DatabaseDamaged(
        f"The database {path} is damaged: {what}. It was left as it is.", hint=way_back(path)
    )


def locked(path: Path, waited_s: float) -> StorageRefused:
    """Somebody else has been writing all the time."""
    return StorageRefused(
        f"The database {path} was locked by another program for {waited_s:.0f} seconds.",
        hint=f"Close the other program and try again. Try: fuser -v {path}",
    )


def cannot_be_written(path: Path, why: str, what: str = "file") -> StorageRefused:
    """Of a file, a folder or a disk that is read-only."""
    return StorageRefused(
        f"The {what} {path} cannot be written ({why}).",
        hint=f"Try: ls -ld {path.parent} {path} (both must belong to you, on a disk that can be written)",
    )


def way_back(path: Path) -> str:
    """What to do when the database is lost: the newest backup, if there is one."""
    backups = backup_files.found(path.parent)
    if not backups:
        return (
            f"There is no backup in {backup_files.folder_of(path.parent)}. With one from elsewhere, try:"
            " pamosnik backup verify FILE, then: pamosnik restore FILE"
        )
    return f"Try: pamosnik backup verify, then: pamosnik restore {shlex.quote(str(backups[0]))}"
