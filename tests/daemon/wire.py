"""Bytes on the wire, as no decent client would send them, and a daemon of its own to send them to."""

import contextlib
import io
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from pamosnik import cli
from pamosnik.instagram.webhook import sign
from tests.daemon import events
from tests.daemon.shop import EMAIL, PASSWORD, ROOT, free_port

SECRET = events.SECRET


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: the line was closed without one."""

    status: int
    head: str
    body: str

    def header(self, name: str) -> list[str]:
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return [value.strip() for key, _, value in lines if key.lower() == name]


def parsed(raw: bytes) -> Answer:
    head, _, body = raw.decode("latin-1").partition("\r\n\r\n")
    status = int(head.split(" ")[1]) if head.startswith("HTTP/1.1 ") else 0
    return Answer(status, head, body)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(line: socket.socket) -> bytes:
    """Until the other side closes; it must, within ten seconds."""
    raw = b""
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(1 << 16):
            raw += part
    return raw


def ask(port: int, raw: bytes) -> Answer:
    """Sends, and reads all."""
    with connect(port) as line:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(raw)
        return parsed(read_all(line))


def is_cut_off(port: int, head: bytes, part: bytes) -> bool:
    """Whether it closes the line on whoever sends this part for ever."""
    with connect(port) as line:
        line.sendall(head)
        try:
            for _ in range(5000):
                line.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            return True
    return False


def get(port: int, path: str = "/healthz", *headers: str, method: str = "GET") -> Answer:
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers, "", "")
    return ask(port, "\r\n".join(lines).encode("latin-1"))


def delivery(body: bytes) -> bytes:
    """A webhook as Meta sends it."""
    head = (
        "POST /webhooks/instagram HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        f"X-Hub-Signature-256: {sign(body, SECRET)}",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return "\r\n".join(head).encode() + body


def lives(port: int) -> None:
    """It answers, and takes what Meta delivers."""
    assert get(port).status == 200
    assert ask(port, delivery(events.encode(events.envelope()))).status == 200


def make_home(folder: Path, name: str = "Rosa") -> None:
    """With one account."""
    who = ("--name", name, "--email", EMAIL, "--timezone", "Europe/Warsaw", "--password-stdin")
    assert command(folder, "init", *who, given=f"{PASSWORD}\n") == 0


def command(folder: Path, *arguments: str, given: str = "") -> int:
    """In this process; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAMOSNIK_HOME", str(folder / "home"))
        patch.setattr(sys, "stdin", io.StringIO(given))
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return cli.run(list(arguments))


@contextmanager
def a_daemon(folder: Path, *, files: int = 1024, **environment: str) -> Iterator[int]:
    """On the home that `make_home` has made there; yields its port. `files`: how many descriptors it may have."""

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    port, log = free_port(), folder / "daemon.log"
    given = {**os.environ, "PAMOSNIK_HOME": str(folder / "home"), "PAMOSNIK_INSTAGRAM_APP_SECRET": SECRET}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pamosnik", "serve", "--port", str(port)],
            env={**given, "PAMOSNIK_META_URL": f"http://127.0.0.1:{free_port()}", **environment},
            stdout=out,
            stderr=out,
            cwd=ROOT,
            preexec_fn=few_files,
        )
    try:
        _wait_for(port, log)
        yield port
    finally:
        process.terminate()
        code = process.wait(20)
    assert code == 0
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


def _wait_for(port: int, log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            if get(port, "/readyz").status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
