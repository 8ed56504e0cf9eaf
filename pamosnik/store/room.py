"""Room on a disk, asked for before something big is begun: what does not fit is refused, and the disk not filled."""

import shutil
from pathlib import Path

from pamosnik.errors import HomeError


def require(folder: Path, needed: int, what: str, otherwise: str = "Nothing was begun.") -> None:
    """Raises `HomeError` when fewer bytes are free there. Where the machine does not say, it is tried."""
    free = free_bytes(folder)
    if free is not None and free < needed:
        raise HomeError(
            f"{what} takes up to {told(needed)} on the disk that holds {folder}, and {told(free)} are free."
            f" {otherwise}",
            hint=f"Free some space, then try again. Try: df -h {folder}",
        )


def free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def told(count: int) -> str:
    """`512 MB`, `3.4 GB`."""
    return f"{count / (1 << 30):.1f} GB" if count >= 1 << 30 else f"{max(1, count >> 20)} MB"
