"""Commands on a real terminal: what a person sees, and types."""

import codecs
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

PATIENCE_S = 30


class Terminal:
    """A person in front of a command."""

    def __init__(self, master: int, process: int) -> None:
        self._master = master
        self.process = process
        self.over = False
        self._unread = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def _read(self) -> None:
        """What is there, within a moment. Raises OSError when the terminal is gone."""
        if select.select([self._master], [], [], 0.1)[0]:
            self._unread += self._decoder.decode(os.read(self._master, 65536))

    @property
    def rest(self) -> str:
        """What came behind the last that `sees` has read."""
        return self._unread

    def types(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def sees(self, text: str) -> str:
        """Reads up to this text; returns what was read."""
        end = time.monotonic() + PATIENCE_S
        while text not in self._unread:
            assert time.monotonic() < end, f"{text!r} did not come: {self._unread!r}"
            self._read()
        before, found, self._unread = self._unread.partition(text)
        return before + found

    def ends(self, key: str) -> int:
        """Its exit code after this key; pressed again when it was lost between two looks at the keyboard."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.types(key)
            again = time.monotonic() + 3
            with contextlib.suppress(OSError):
                while time.monotonic() < again:
                    self._read()
            while time.monotonic() < again:
                process, status = os.waitpid(self.process, os.WNOHANG)
                if process == self.process:
                    self.over = True
                    return os.waitstatus_to_exitcode(status)
                time.sleep(0.02)
        raise AssertionError(f"it goes on: {self._unread!r}")

    def ended(self) -> int:
        """Its exit code, when it ends by itself."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                self._read()
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process == self.process:
                self.over = True
                with contextlib.suppress(OSError):  # at the end of what it has said
                    for _ in range(20):
                        self._read()
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"it goes on: {self._unread!r}")

    def leave(self) -> None:
        """Turns the terminal off."""
        os.close(self._master)
        if not self.over:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


@contextmanager
def terminal(
    command: Sequence[str], environment: Mapping[str, str], *, ctrl_c: signal.Handlers = signal.SIG_DFL
) -> Iterator[Terminal]:
    """`command`: words behind `pamosnik`; `ctrl_c`: what it inherits for SIGINT."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    process, master = pty.fork()
    if process == 0:
        signal.signal(signal.SIGINT, ctrl_c)
        words = [sys.executable, "-m", "pamosnik", *command]
        os.execve(sys.executable, words, {**kept, "TERM": "xterm-256color", **environment})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    person = Terminal(master, process)
    try:
        yield person
    finally:
        person.leave()
