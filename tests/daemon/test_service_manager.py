"""What systemd hears of the daemon, over a real socket of its protocol."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pamosnik.daemon import service_manager
from pamosnik.daemon.service_manager import ServiceManager
from tests.homes import with_one_account

pytestmark = pytest.mark.anyio
PATIENCE_S = 30


@pytest.fixture(params=["a file", "no file"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address for the environment, and the socket behind it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.settimeout(PATIENCE_S)
        if request.param == "a file":
            line.bind(str(tmp_path / "notify"))
            yield str(tmp_path / "notify"), line
        else:
            line.bind(f"\0pamosnik-{os.getpid()}-{tmp_path.name}")
            yield f"@pamosnik-{os.getpid()}-{tmp_path.name}", line


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP])
def test_of_a_daemon_from_its_start_to_its_end(
    heard: tuple[str, socket.socket], tmp_path: Path, by: signal.Signals
) -> None:
    """A closed terminal is an end in order, too: SIGHUP had ended it with no word anywhere."""
    address, line = heard
    with_one_account(tmp_path / "home")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = os.environ | {
        "PAMOSNIK_HOME": str(tmp_path / "home"),
        "PAMOSNIK_PORT": str(port),
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "300000",
    }
    with (tmp_path / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "pamosnik", "serve"], env=environ, stdout=log, stderr=log
        )
    try:
        ready, status = line.recv(4096).decode().split("\n")
        assert (ready, status) == ("READY=1", f"STATUS=Listening on http://127.0.0.1:{port}")
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
        assert [line.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        daemon.send_signal(by)
        while (told := line.recv(4096)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1\nSTATUS=Stopping"
        assert daemon.wait(PATIENCE_S) == 0
    finally:
        daemon.kill()
        daemon.wait(PATIENCE_S)


async def test_nothing_is_said_while_the_database_does_not_answer(heard: tuple[str, socket.socket]) -> None:
    import anyio

    address, line = heard
    line.setblocking(False)
    now = 0.0
    manager = ServiceManager({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000"}, steady=lambda: now)
    async with anyio.create_task_group() as group:
        group.start_soon(manager.watch)
        await anyio.sleep(0.05)
        assert _waiting(line)
        now = service_manager.STUCK_AFTER_S
        await anyio.sleep(0.05)
        _waiting(line)
        await anyio.sleep(0.05)
        assert not _waiting(line)
        manager.stored(None)
        await anyio.sleep(0.05)
        assert b"WATCHDOG=1" in _waiting(line)
        group.cancel_scope.cancel()


def test_what_storage_refuses_is_said_once_and_so_is_its_end(heard: tuple[str, socket.socket]) -> None:
    address, line = heard
    line.setblocking(False)
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.ready("http://127.0.0.1:1")
    manager.stored(None)
    manager.stored("The disk\nis full.")
    manager.stored("The disk\nis full.")
    manager.stored(None)
    assert _waiting(line) == [
        b"READY=1\nSTATUS=Listening on http://127.0.0.1:1",
        b"STATUS=The disk is full.",
        b"STATUS=Listening on http://127.0.0.1:1",
    ]


def test_no_program_that_the_daemon_starts_can_speak_for_it(tmp_path: Path) -> None:
    environ = {
        "NOTIFY_SOCKET": str(tmp_path / "gone"),
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "LANG": "C",
    }
    manager = ServiceManager(environ)
    assert environ == {"LANG": "C"}
    manager.ready("http://127.0.0.1:1")  # nobody listens, and nothing happens


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "3000"},
        {"NOTIFY_SOCKET": "@somebody", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "@somebody", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "@somebody", "WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1234567"},
        {"NOTIFY_SOCKET": "relative", "WATCHDOG_USEC": "3000"},
    ],
)
async def test_where_nobody_watches_nothing_is_said(environ: dict[str, str]) -> None:
    await ServiceManager(environ).watch()


def _waiting(line: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(line.recv(4096))
        except BlockingIOError:
            return found
