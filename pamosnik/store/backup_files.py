"""Where backups lie and how they are called: `backups/pamosnik-20261125T013000Z.backup` in the home, those that the
daemon made by itself `…Z-nightly.backup`."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pamosnik.errors import HomeError

FOLDER = "backups"
SUFFIX = ".backup"
KEPT_FOR = timedelta(days=30)
"""Then a backup in the home is removed: what was deleted meanwhile is gone from there, too."""
EACH_KEPT_FOR = timedelta(days=7)
"""Of the nightly ones each; then one a week."""
_NIGHTLY = "-nightly"
_NAMED = "pamosnik-%Y%m%dT%H%M%SZ"

log = logging.getLogger(__name__)


def folder_of(home: Path) -> Path:
    return home / FOLDER


def name_for(now: datetime, number: int = 1, *, nightly: bool = False) -> str:
    """`number`: the how many-th of the same second."""
    more = (_NIGHTLY if nightly else "") + ("" if number == 1 else f"-{number}")
    return f"{now.astimezone(UTC):{_NAMED}}{more}{SUFFIX}"


def found(home: Path) -> list[Path]:
    """The home's backups, the newest first: their names tell the time."""
    return found_in(folder_of(home))


def found_in(folder: Path) -> list[Path]:
    """Likewise, in any folder."""
    try:
        return sorted(folder.glob(f"pamosnik-*{SUFFIX}"), key=lambda path: path.stem, reverse=True)
    except OSError:
        return []


def last_made_at(home: Path) -> datetime | None:
    """When the newest backup of the home was made; None: there is none that its name tells of."""
    return next((made for path in found(home) if (made := made_at(path)) is not None), None)


def remove_outdated(home: Path, now: datetime) -> None:
    """Removes the home's backups that have been kept long enough, but never the newest of all. One that cannot be
    removed is tried again with the next; what has a name of somebody's own stays."""
    rotate(folder_of(home), now)


def rotate(folder: Path, now: datetime) -> None:
    """Likewise, in any folder. Of the nightly ones of more than a week ago one for each week stays."""
    ours = [(path, made) for path in found_in(folder) if (made := made_at(path)) is not None]
    weeks: set[tuple[int, int]] = set()
    for place, (path, made) in enumerate(ours):
        week = made.isocalendar()[:2]
        another = now - made > EACH_KEPT_FOR and _NIGHTLY in path.stem and week in weeks
        weeks.add(week)
        if place and (another or now - made > KEPT_FOR):
            _remove(path)


@contextlib.contextmanager
def told_in_words(folder: Path) -> Iterator[None]:
    """Inside, what a disk refuses becomes `HomeError`."""
    try:
        yield
    except OSError as error:
        raise HomeError(
            f"The folder {folder} cannot be used for copies of backups: {error.strerror or error}.",
            hint=f"Try: ls -ld {folder}; df -h {folder}",
        ) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or "the disk refuses"
        log.warning("An old backup cannot be removed: %s", why, extra={"action": "backup.kept"})


def made_at(path: Path) -> datetime | None:
    """None: somebody has given it a name of their own."""
    with contextlib.suppress(ValueError):
        # Behind the moment there may be a number.
        return datetime.strptime("-".join(path.stem.split("-")[:2]), _NAMED).replace(tzinfo=UTC)
    return None
