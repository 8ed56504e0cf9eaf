"""Where the home lies: how much room is left there, and whether SQLite may trust that file system."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pamosnik.services.doctor.checks import Check, bad, good, note, skipped
from pamosnik.services.reading.problems import ROOM_BYTES_TOLD

MOUNTS = Path("/proc/self/mountinfo")
ROOM_BYTES_NOTED = 1 << 30
"""Less than that is worth a remark, long before it is worth an alarm."""

_ACROSS_THE_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "vboxsf"}
)
"""https://www.sqlite.org/wal.html, read 2026-11-30: WAL does not work over a network file system."""
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def room(home: Path) -> Check:
    try:
        there = shutil.disk_usage(home)
    except OSError as error:
        return skipped("disk", f"the machine does not say how much room there is ({error.strerror})")
    return room_of(there.free, there.total)


def room_of(free: int, total: int) -> Check:
    figures = f"{size(free)} of {size(total)} are free on the disk of the home"
    if free < ROOM_BYTES_TOLD:
        return bad(
            "disk",
            f"Only {figures}. Once it is full, nothing can be stored and nobody is answered.",
            "Make room there. Try: df -h; old copies are in `backups/` of the home: pamosnik backup list",
        )
    if free < ROOM_BYTES_NOTED:
        return note("disk", f"{figures}.", "Make room there before it is needed. Try: df -h")
    return good("disk", f"{figures}.")


def size(count: int) -> str:
    """`512 MB`, `3.4 GB`."""
    return f"{count / (1 << 30):.1f} GB" if count >= 1 << 30 else f"{count >> 20} MB"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system and where it begins."""

    at: str
    kind: str


def file_system(home: Path, mounts: Path = MOUNTS) -> Check:
    mount = mount_of(home.resolve(), mounts)
    if mount is None:
        return skipped("file_system", "this machine does not tell which file system it is")
    where = f"The home lies on {mount.kind} ({mount.at})"
    if mount.kind in _ACROSS_THE_NETWORK or (mount.kind.startswith("fuse.")):
        return bad(
            "file_system",
            f"{where}, which is no file system of this machine's own: SQLite's database can be damaged there.",
            "Stop `pamosnik serve`, move the folder to a disk of this machine, and set PAMOSNIK_HOME to it.",
        )
    if mount.kind in _IN_MEMORY:
        return note(
            "file_system",
            f"{where}, which is memory: everything is lost when the machine restarts.",
            "Set PAMOSNIK_HOME to a folder on a disk.",
        )
    if mount.kind == "overlay":
        return note(
            "file_system",
            f"{where}, the inside of a container: everything is lost with the container.",
            "Mount a volume, and set PAMOSNIK_HOME to a folder in it.",
        )
    return good("file_system", f"{where}.")


def mount_of(place: Path, mounts: Path) -> Mount | None:
    """The mount that `place` belongs to; None where the machine does not tell.

    https://www.kernel.org/doc/html/latest/filesystems/proc.html#proc-pid-mountinfo-information-about-mounts
    """
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    found: Mount | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        parts, kind = before.split(" "), after.split(" ")[0]
        if len(parts) < 5 or not kind:
            continue
        at = parts[4].replace("\\040", " ")
        # Of two mounts at one place the later one is seen.
        if place.is_relative_to(at) and (found is None or len(at) >= len(found.at)):
            found = Mount(at, kind)
    return found
