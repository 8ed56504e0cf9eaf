"""A real OpenSSH server on loopback: a process of the test, with keys, users and settings of its own.

Without one the tests fail: `apt-get install openssh-server`.
"""

import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.daemon.shop import free_port

SSHD = "/usr/sbin/sshd"


@dataclass
class SshServer:
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> Path:
        """What a user has in `~/.ssh/config`."""
        return self.folder / "client"

    def start(self, *settings: str) -> None:
        (self.folder / "sshd").write_text(
            "\n".join(
                [
                    *settings,
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    f"HostKey {self.folder / 'host'}",
                    f"AuthorizedKeysFile {self.folder / 'user.pub'}",
                    *("StrictModes no", "UsePAM no", "PasswordAuthentication no", "PidFile none", ""),
                ]
            )
        )
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd")], stderr=log, stdin=subprocess.DEVNULL
            )
        for _ in range(500):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """With everybody who is logged in."""
        if self.process is None:
            return
        for pid in [*_below(self.process.pid), self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


def _below(pid: int) -> list[int]:
    """Processes that this one has started, and theirs."""
    try:
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [each for child in children for each in (*_below(child), child)]


@contextmanager
def ssh_server(folder: Path, *settings: str) -> Iterator[SshServer]:
    """`settings`: lines of sshd_config."""
    folder.mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as its service would
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    server = SshServer(folder, free_port())
    host_key = (folder / "host.pub").read_text()
    (folder / "known").write_text(f"[127.0.0.1]:{server.port} {host_key}shop {host_key}")
    server.client.write_text(
        f"Host *\n  User {getpass.getuser()}\n  IdentityFile {folder / 'user'}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder / 'known'}\n"
        f"Host shop localhost.run\n  HostName 127.0.0.1\n  Port {server.port}\n  HostKeyAlias shop\n"
    )
    server.start(*settings)
    try:
        yield server
    finally:
        server.stop()
