"""A folder of `tunnel_program`: what it is to do, what it did, and whom its certificate is to be believed."""

import asyncio
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import Authority, authority

PROGRAM = Path(__file__).with_name("tunnel_program.py")


@dataclass(frozen=True, slots=True)
class Program:
    folder: Path
    certified_by: Authority

    @property
    def kind(self) -> str:
        """For `--tunnel`."""
        words = (sys.executable, str(PROGRAM), str(self.folder), "{port}")
        return f"command:{shlex.join(words)}"

    def behaves(self, *words: str) -> None:
        """One word for each start; the last one for all that follow."""
        (self.folder / "behave").write_text(" ".join(words))

    @property
    def started(self) -> list[int]:
        """The processes, in order."""
        file = self.folder / "starts"
        return [int(pid) for pid in file.read_text().split()] if file.exists() else []

    @property
    def alive(self) -> list[int]:
        return [pid for pid in self.started if _is_alive(pid)]


def program(folder: Path, *words: str, name: str = "127.0.0.1") -> Program:
    """`name`: as its certificate says."""
    folder.mkdir()
    known = authority(folder)
    known.server(name)  # writes server.pem
    made = Program(folder, known)
    made.behaves(*words)
    return made


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


async def until(holds: Callable[[], object], within_s: float = 20.0) -> None:
    for _ in range(int(within_s / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(holds())
