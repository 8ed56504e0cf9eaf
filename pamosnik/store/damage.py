"""Looking for damage before a database is used: a missing, an emptied, or a broken file is never written to."""

import shlex
import time
from collections.abc import Callable
from pathlib import Path

from pamosnik import _sqlite
from pamosnik.errors import DatabaseDamaged, HomeError
from pamosnik.store import backup_files
from pamosnik.store.refusals import BUSY_TIMEOUT_S, damaged, told_in_words, way_back

QUICK_LOOK_S = 0.3
"""How long a start, or a command, may look for damage before it goes on: enough for some 200 MB."""
_STEPS_BETWEEN_QUESTIONS = 10_000
"""Of SQLite's machine, before it asks whether to go on."""


def look_for_damage(path: Path, go_on: Callable[[], bool]) -> bool:
    """Looks through the pages of an existing database; whether it came to the end before `go_on` said no.

    Finds broken pages and broken chains of pages; not a changed letter inside a text. Writes nothing.
    Raises `DatabaseDamaged`.
    """
    with told_in_words(path):
        conn = _sqlite.connect(str(path), isolation_level=None, timeout=BUSY_TIMEOUT_S)
        try:
            conn.set_progress_handler(lambda: int(not go_on()), _STEPS_BETWEEN_QUESTIONS)
            (found,) = conn.execute("PRAGMA quick_check(1)").fetchone()
        except _sqlite.OperationalError as error:
            if _sqlite.was_interrupted(error):
                return False
            raise
        finally:
            conn.close()
    if found != "ok":
        raise damaged(path)
    return True


def look_quickly(path: Path) -> bool:
    """`look_for_damage` for `QUICK_LOOK_S` at most."""
    until = time.monotonic() + QUICK_LOOK_S
    return look_for_damage(path, lambda: time.monotonic() < until)


def require_there(path: Path) -> None:
    """Refuses a database that is missing, or empty although there was one."""
    if _size(path):
        return
    require_not_emptied(path)
    backups = backup_files.found(path.parent)
    hint = "Try: pamosnik init"
    if backups:
        hint += f", or with the data of the newest backup: pamosnik restore {shlex.quote(str(backups[0]))}"
    raise HomeError(f"There is no database at {path}.", hint=hint)


def require_not_emptied(path: Path) -> None:
    """An empty file with a backup or a -wal beside it was a database once. SQLite would make a new one of it."""
    was_there = backup_files.found(path.parent) or _size(path.with_name(f"{path.name}-wal"))
    if path.exists() and not _size(path) and was_there:
        raise DatabaseDamaged(f"The database {path} is empty; it was left as it is.", hint=way_back(path))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
