"""Copies of the database that upgrades and restores leave beside it. Backups are not among them (`backup_files`)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError

_BEFORE_RESTORE = "before-restore-"


def before_version(path: Path, version: int | str) -> Path:
    """Where the database is kept as it was before an upgrade."""
    return path.with_name(f"{path.stem}.before-version-{version}{path.suffix}")


def before_restore(path: Path, now: datetime) -> Path:
    """Where the database is kept that a restore puts another one in the place of. `now`: in UTC."""
    return path.with_name(f"{path.name}.{_BEFORE_RESTORE}{now:%Y%m%dT%H%M%SZ}")


def found(path: Path) -> list[Path]:
    """What upgrades and restores have left beside the database, logs of such copies included."""
    names = (before_version(path, "*").name, f"{path.name}.{_BEFORE_RESTORE}*")
    return [copy for name in names for copy in path.parent.glob(name)]


def forget(path: Path, holds: Callable[[Connection], bool]) -> int:
    """Removes what upgrades and restores have left beside the database where `holds` says so, or cannot read it;
    returns how many files.

    Raises `HomeError` when one cannot be removed.
    """
    holding = [copy for copy in found(path) if _holds(copy, holds)]
    for copy in holding:
        try:
            copy.unlink()
        except OSError as error:
            raise HomeError(
                f"{copy} holds data that has to be deleted, and cannot be removed: {error.strerror}.",
                hint="Remove it; the deletion goes on by itself.",
            ) from error
    return len(holding)


def forget_older(path: Path, before: datetime) -> None:
    """Removes what was left before then: what is kept no longer in the database is not kept in a copy of it, either.
    What cannot be removed is tried again another time."""
    for copy in found(path):
        with suppress(OSError):
            if copy.stat().st_mtime < before.timestamp():
                copy.unlink()


def holds_connection(conn: Connection, connection_id: str) -> bool:
    found = conn.execute("SELECT 1 FROM connections WHERE connection_id=?", (connection_id,)).fetchone()
    return found is not None


def holds_account(conn: Connection, account_id: str) -> bool:
    found = conn.execute("SELECT 1 FROM accounts WHERE account_id=?", (account_id,)).fetchone()
    return found is not None


def _holds(copy: Path, holds: Callable[[Connection], bool]) -> bool:
    if copy.name.endswith("-wal") or copy.with_name(f"{copy.name}-wal").exists():
        return True  # what a log holds that could not be merged nobody knows
    try:
        conn = _sqlite.connect(f"{copy.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            return holds(conn)
        finally:
            conn.close()
    except _sqlite.Error:
        return True
