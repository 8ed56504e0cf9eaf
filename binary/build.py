"""Makes the single executable in its two forms and tries them: `make binary`.

    dist/pamosnik-VERSION-linux-MACHINE           one file, to carry
    dist/pamosnik-VERSION-linux-MACHINE.tar.gz    a folder with the documentation, for servers: it starts at once
    dist/SHA256SUMS

Runs in a virtual environment that holds what is locked, Pamosnik as a wheel, and PyInstaller: what is beside them
would be taken in.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
_WORK = ROOT / "build" / "binary"
_DIST = ROOT / "dist"
_BESIDE = ("README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "flows.example.yaml", "docs")
"""What belongs to the program without being in it."""


def main() -> None:
    subprocess.run(
        [
            *(sys.executable, "-I", "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"),
            *("--distpath", str(_WORK / "made"), "--workpath", str(_WORK / "work")),
            str(ROOT / "binary" / "pamosnik.spec"),
        ],
        check=True,
    )
    for file in _packed():
        sys.stdout.write(f"{file.relative_to(ROOT)}  {file.stat().st_size / 1e6:.1f} MB\n")


def _packed() -> list[Path]:
    """The files in dist/, their sums beside them."""
    name = f"pamosnik-{version('pamosnik')}-linux-{platform.machine()}"
    _DIST.mkdir(exist_ok=True)
    alone, folder = _DIST / name, _DIST / f"{name}.tar.gz"
    shutil.copy(_WORK / "made" / "pamosnik", alone)
    with tarfile.open(folder, "w:gz", compresslevel=6) as archive:
        archive.add(_WORK / "made" / "folder", name, filter=_nobodys)
        for beside in _BESIDE:
            archive.add(ROOT / beside, f"{name}/{beside}", filter=_nobodys)
    sums = "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (alone, folder)
    )
    (_DIST / "SHA256SUMS").write_text(sums, "utf-8")
    return [alone, folder]


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whoever built it stays at home."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


if __name__ == "__main__":
    main()
