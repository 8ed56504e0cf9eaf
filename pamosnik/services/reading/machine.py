"""The machine under it: room on the disk, and when it was backed up last."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pamosnik.store import backup_files

AMPLE_BYTES = 10 << 30
"""More is told as that: nobody has to watch it."""


@dataclass(frozen=True, slots=True)
class Machine:
    free_bytes: int | None
    """On the disk of the home; None: the machine does not say."""
    backed_up_at: datetime | None
    """None: there is no backup in the home."""


def of_home(home: Path) -> Machine:
    return Machine(free_bytes(home), backup_files.last_made_at(home))


def free_bytes(home: Path) -> int | None:
    """On the disk of the home."""
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return None
