"""Where backups lie and how they are called: `backups/pamosnik-20261125T013000Z.backup` in the home."""

from datetime import UTC, datetime
from pathlib import Path

FOLDER = "backups"
SUFFIX = ".backup"


def folder_of(home: Path) -> Path:
    return home / FOLDER


def name_for(now: datetime, number: int = 1) -> str:
    """`number`: the how many-th of the same second."""
    more = "" if number == 1 else f"-{number}"
    return f"pamosnik-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{more}{SUFFIX}"


def found(home: Path) -> list[Path]:
    """The home's backups, the newest first: their names tell the time."""
    try:
        return sorted(folder_of(home).glob(f"pamosnik-*{SUFFIX}"), key=lambda path: path.stem, reverse=True)
    except OSError:
        return []
