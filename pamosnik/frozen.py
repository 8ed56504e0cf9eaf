"""What is different where Pamosnik runs as a single executable, without a Python beside it.

PyInstaller makes it (`make binary`). Its bootloader starts this program with a search path for libraries that is
meant for this program alone. The one file unpacks itself first, and so is two processes: the bootloader and this one.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = "--guard"
"""First argument: the executable is the guardian of one program (`daemon.guardian`), and nothing else."""
_LIBRARIES = "LD_LIBRARY_PATH"
_BOOTLOADERS_OWN = "_PYI_"
_PR_SET_PDEATHSIG = 1


def is_frozen() -> bool:
    """Whether this is the executable."""
    return bool(getattr(sys, "frozen", False))


def is_one_file() -> bool:
    """Whether it has unpacked itself, and so is the second of two processes."""
    return is_frozen() and _unpacked()


def this_program() -> Sequence[str]:
    """How to run a command of this very installation."""
    return (sys.executable,) if is_frozen() else (sys.executable, "-m", "pamosnik")


def guarding(guardian: str) -> Sequence[str]:
    """How to run the guardian, whose source file this is: with as little around it as can be."""
    return (sys.executable, GUARD) if is_frozen() else (sys.executable, "-I", "-S", guardian)


def for_ourselves(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the environment lets another process of the executable use what is unpacked already."""
    return {name: value for name, value in environ.items() if name.startswith(_BOOTLOADERS_OWN)}


def settle() -> None:
    """The first thing that the executable does."""
    _give_back_the_search_path()
    if _unpacked():
        _end_with_the_bootloader()


def _give_back_the_search_path() -> None:
    """ssh, a browser, a tunnel's program take the system's libraries, not ours. This process has read the path."""
    before = os.environ.pop(f"{_LIBRARIES}_ORIG", None)
    if before is None:
        os.environ.pop(_LIBRARIES, None)
    else:
        os.environ[_LIBRARIES] = before


def _unpacked() -> bool:
    """Whether this is the one file: the folder has what belongs to it beside itself."""
    return Path(sys._MEIPASS).parent != Path(sys.executable).parent  # type: ignore[attr-defined]


def _end_with_the_bootloader() -> None:
    """Whoever kills the process that was started means this one. The bootloader hands on what it can; of a SIGKILL it
    cannot, and a daemon that nobody knows of would go on."""
    bootloader = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != bootloader:
        os.kill(os.getpid(), signal.SIGTERM)
