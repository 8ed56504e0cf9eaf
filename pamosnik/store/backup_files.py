"""Where backups lie and how they are called: `backups/pamosnik-20261125T013000Z.backup` in the home."""

import contextlib
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = "backups"
SUFFIX = ".backup"
KEPT_FOR = timedelta(days=30)
"""Then a backup in the home is removed: what was deleted meanwhile is gone from there, too."""
_NAMED = "pamosnik-%Y%m%dT%H%M%SZ"

log = logging.getLogger(__name__)


def folder_of(home: Path) -> Path:
    return home / FOLDER


def name_for(now: datetime, number: int = 1) -> str:
    """`number`: the how many-th of the same second."""
    more = "" if number == 1 else f"-{number}"
    return f"{now.astimezone(UTC):{_NAMED}}{more}{SUFFIX}"


def found(home: Path) -> list[Path]:
    """The home's backups, the newest first: their names tell the time."""
    try:
        return sorted(folder_of(home).glob(f"pamosnik-*{SUFFIX}"), key=lambda path: path.stem, reverse=True)
    except OSError:
        return []


def last_made_at(home: Path) -> datetime | None:
    """When the newest backup of the home was made; None: there is none that its name tells of."""
    return next((made for path in found(home) if (made := _made_at(path)) is not None), None)


def remove_outdated(home: Path, now: datetime) -> None:
    """Removes the home's backups that have been kept long enough, but never the newest of all. One that cannot be
    removed is tried again with the next; what has a name of somebody's own stays."""
    ours = [(path, made) for path in found(home) if (made := _made_at(path)) is not None]
    for path, made in ours[1:]:
        if now - made <= KEPT_FOR:
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            why = error.strerror or "the disk refuses"
            log.warning("An old backup cannot be removed: %s", why, extra={"action": "backup.kept"})


def _made_at(path: Path) -> datetime | None:
    """None: somebody has given it a name of their own."""
    with contextlib.suppress(ValueError):
        # Behind the moment there may be a number.
        return datetime.strptime("-".join(path.stem.split("-")[:2]), _NAMED).replace(tzinfo=UTC)
    return None
