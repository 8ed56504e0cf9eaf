"""`backups/verified.json`: which backup files were examined as a whole, when, and what they looked like then.

A file that has changed since is not known any more. Nothing depends on it but what `backup list` shows.
"""

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pamosnik.store import backup_files
from pamosnik.store.times import instant, ms

NAME = "verified.json"


def at(home: Path, file: Path) -> datetime | None:
    """When it was examined, as it is now; None: nobody knows."""
    found = _read(home).get(str(file.absolute()))
    try:
        if isinstance(found, dict) and found["stamp"] == _stamp(file):
            return instant(int(found["at"]))
    except (OSError, KeyError, TypeError, ValueError, OverflowError):
        pass
    return None


def note(home: Path, file: Path, now: datetime) -> None:
    """Where it cannot be written down, nothing is."""
    folder = backup_files.folder_of(home)
    with suppress(OSError):
        known = {path: what for path, what in _read(home).items() if Path(path).exists()}
        known[str(file.absolute())] = {"at": ms(now), "stamp": _stamp(file)}
        if not folder.is_dir():
            return
        new = folder / f"{NAME}.new"
        new.unlink(missing_ok=True)  # of a run that was killed
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(known, out, indent=1)
        new.replace(folder / NAME)


def _stamp(file: Path) -> list[int]:
    found = file.stat()
    return [found.st_size, found.st_mtime_ns]


def _read(home: Path) -> dict[str, object]:
    with suppress(OSError, ValueError, RecursionError):
        known = json.loads((backup_files.folder_of(home) / NAME).read_text("utf-8"))
        if isinstance(known, dict):
            return known
    return {}
