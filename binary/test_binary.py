"""The executable in its two forms, tried where it has to run: without Python, and without the source tree."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

DIST = Path(__file__).parent.parent / "dist"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a home that lives for one test
PATIENCE_S = 30
_LOADER = "/lib64/ld-linux-x86-64.so.2"
_LIBRARIES = ("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libz.so.1")
"""All that it takes from the system."""


@pytest.fixture(scope="session")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name of each form → the program, as somebody has it who has downloaded it."""
    (archive,) = DIST.glob("pamosnik-*.tar.gz")
    place = tmp_path_factory.mktemp("downloaded")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    name = archive.name.removesuffix(".tar.gz")
    return {"one file": DIST / name, "folder": place / name / "pamosnik"}


@pytest.fixture(params=["one file", "folder"])
def program(request: pytest.FixtureRequest, forms: dict[str, Path]) -> Path:
    return forms[request.param]


def test_in_a_bare_chroot(program: Path, tmp_path: Path) -> None:
    """No Python, no shell, no time zones, no /proc, no /dev: a C library and /tmp."""
    for folder in ("lib64", "lib/x86_64-linux-gnu", "tmp"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(_LOADER, tmp_path / "lib64")
    for library in _LIBRARIES:
        shutil.copy(f"/lib/x86_64-linux-gnu/{library}", tmp_path / "lib/x86_64-linux-gnu")
    if (program.parent / "_internal").is_dir():
        shutil.copytree(program.parent, tmp_path / "bin")
    else:
        (tmp_path / "bin").mkdir()
        shutil.copy(program, tmp_path / "bin/pamosnik")
    chroot = shutil.which("chroot", path="/usr/sbin:/usr/bin") or "chroot"
    as_root = () if os.getuid() == 0 else ("unshare", "--user", "--map-root-user")

    def inside(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*as_root, chroot, str(tmp_path), "/bin/pamosnik", *words],
            env={"HOME": "/tmp"},  # noqa: S108 - the only folder there is
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    told = inside("version")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("pamosnik ")
    played = inside("demo", "--once")
    assert (played.returncode, played.stderr) == (0, "")
    assert (
        "price-list           started 1, sent 1, clicked 1, completed 1, goals: got-prices 1" in played.stdout
    )
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_daily_commands(program: Path, tmp_path: Path) -> None:
    pamosnik = Pamosnik(program, tmp_path)
    pamosnik.init()
    pamosnik.run("flows", "new", "price-list", "-o", str(tmp_path))
    assert "passed" in pamosnik.run("flows", "test", str(tmp_path / "price-list.yaml")).stdout
    pamosnik.run("flows", "apply", str(tmp_path / "price-list.yaml"), "--yes")
    assert [flow["flow"] for flow in json.loads(pamosnik.run("flows", "list", "--json").stdout)] == [
        "price-list"
    ]
    pamosnik.run("flows", "graph", str(tmp_path / "price-list.yaml"), "-o", str(tmp_path / "picture.svg"))
    pamosnik.run("export", "-o", str(tmp_path / "all.zip"))
    pamosnik.run("backup", "create")
    pamosnik.run("backup", "verify")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pamosnik").symlink_to(program)
    script = (
        'eval "$(pamosnik --show-completion)"; COMP_WORDS=(pamosnik flows show pri); COMP_CWORD=3;'
        ' _pamosnik_completion pamosnik; echo "${COMPREPLY[*]}"'
    )
    offered = subprocess.run(
        ["bash", "-c", script],
        env=pamosnik.env | {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (offered.stdout.strip(), offered.stderr) == ("price-list", "")


def test_serves_and_stops(program: Path, tmp_path: Path) -> None:
    pamosnik = Pamosnik(program, tmp_path)
    pamosnik.init()
    with pamosnik.serving() as daemon:
        assert pamosnik.health() == "ok"
        pamosnik.run("status", "--require-daemon")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE_S) == 0
    assert list(pamosnik.temporary.iterdir()) == []


def test_a_killed_daemon_leaves_nothing_running(program: Path, tmp_path: Path) -> None:
    """The one file is two processes, its tunnel's guardian and program are more: all end with the first."""
    pamosnik = Pamosnik(program, tmp_path)
    pamosnik.init()
    tunnel = tmp_path / "tunnel"
    tunnel.write_text(
        "#!/bin/sh\n(env; echo $$) > seen.new\nmv seen.new seen\necho https://tunnel.example\nexec sleep 600\n",
        "utf-8",
    )
    tunnel.chmod(0o755)
    with pamosnik.serving("--tunnel", f"command:{tunnel}") as daemon:
        seen = _until(lambda: (tmp_path / "seen").exists() and (tmp_path / "seen").read_text("utf-8"))
        *environment, pid = str(seen).splitlines()
        assert not [line for line in environment if line.startswith("LD_LIBRARY_PATH")]
        assert Path(f"/proc/{pid}").exists()
        daemon.kill()
        daemon.wait(PATIENCE_S)
        _until(lambda: not Path(f"/proc/{pid}").exists())
        _until(lambda: not pamosnik.listens())
    with pamosnik.serving():
        assert pamosnik.health() == "ok"


class Pamosnik:
    """The program on a home of its own, with a folder of its own to unpack itself in."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(self.temporary),
            "PAMOSNIK_HOME": str(folder / "home"),
            "PAMOSNIK_PORT": str(self._port),
        }

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [str(self._program), *words],
            env=self.env,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended

    def init(self) -> None:
        words = ("--name", "Shop", "--email", "owner@shop.example", "--timezone", "Europe/Berlin", "--yes")
        self.run("init", *words, "--password-stdin", given=PASSWORD)

    def serving(self, *words: str) -> "Serving":
        return Serving([str(self._program), "serve", *words], self)

    def listens(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self._port)) == 0

    def health(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=PATIENCE_S) as answer:
            return str(answer.read().decode()).strip()

    @property
    def folder(self) -> Path:
        return self._folder


class Serving:
    """A running daemon, killed at the end if it has not ended."""

    def __init__(self, command: Sequence[str], of: Pamosnik) -> None:
        self._command, self._of = command, of

    def __enter__(self) -> subprocess.Popen[bytes]:
        with (self._of.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._of.env,
                cwd=self._of.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        _until(self._of.listens)
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)


def _until(happens: Callable[[], object]) -> object:
    end = time.monotonic() + PATIENCE_S
    while not (found := happens()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found
