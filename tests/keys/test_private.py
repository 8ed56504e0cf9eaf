"""Nobody else on the machine reads what is in the home."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.cli_reference import commands
from pamosnik.errors import HomeError
from pamosnik.security import keyring
from pamosnik.services import home as homes
from pamosnik.store import ledger
from pamosnik.store.database import open_database
from tests.cli.in_process import PASSWORD, Said
from tests.cli.in_process import home as home

Run = Callable[..., Said]

_NEEDS_NO_HOME = {"demo", "init", "sandbox", "version", "config show", "doctor", "keys status", "chat"}
_FLOWS_OF_THE_HOME = {"list", "show", "history", "pause", "resume", "rollback"}
_ARGUMENTS = {
    "accounts create": ("--name", "X", "--email", "x@y.example", "--password-stdin"),
    "serve": ("--port", "0"),
    "flows pause": ("x",),
    "flows resume": ("x",),
    "api-token create": ("--name", "x"),
}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _modes(folder: Path) -> set[tuple[str, int]]:
    kinds = ((path, "folder" if path.is_dir() else "file") for path in [folder, *folder.rglob("*")])
    return {(kind, stat.S_IMODE(path.stat().st_mode)) for path, kind in kinds}


@pytest.mark.usefixtures("open_umask")
def test_every_file_is_its_owners_alone_whatever_the_umask(home: Run, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    assert home("backup", "create").returncode == 0
    assert home("keys", "rotate", "--yes").returncode == 0
    settings = config.load({"home": str(folder)}, environ={})
    with homes.lock(folder), open_database(settings.database) as database:
        database.write(lambda conn: conn.execute("UPDATE accounts SET name='Rosa'"))
        names = {path.name for path in folder.iterdir()}
        assert {"pamosnik.db-wal", "pamosnik.db-shm", "keys.lock", "daemon.lock", "pamosnik.toml"} <= names
        assert _modes(folder) == {("folder", 0o700), ("file", 0o600)}
    (backup,) = (path for path in (folder / "backups").iterdir() if path.name != ledger.NAME)
    assert home("restore", str(backup), "--yes").returncode == 0
    assert _modes(folder) == {("folder", 0o700), ("file", 0o600)}


@pytest.mark.usefixtures("open_umask")
def test_an_empty_folder_becomes_private_and_no_other(tmp_path: Path) -> None:
    for inside, refused in ((None, False), ("notes.txt", True)):
        folder = tmp_path / f"{inside}"
        folder.mkdir(mode=0o777)
        if inside is not None:
            (folder / inside).touch()
        if refused:
            with pytest.raises(HomeError, match="can get into"):
                config.prepare_home(folder)
        else:
            config.prepare_home(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == (0o777 if refused else 0o700)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755])
def test_every_command_refuses_a_home_that_others_can_get_into(home: Run, tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "home"
    folder.chmod(mode)
    said = home("status")
    assert (said.returncode, f"chmod 700 {folder}" in said.stderr) == (1, True), said
    assert f"chmod 700 {folder}" in home("keys", "status").stdout


def test_a_key_file_that_is_a_link_is_told_as_one(home: Run, tmp_path: Path) -> None:
    key = tmp_path / "home" / "master.key"
    key.symlink_to(key.rename(tmp_path / "elsewhere"))
    for command in (("accounts", "list"), ("keys", "rotate", "--yes"), ("keys", "status")):
        said = home(*command)
        assert "is a link" in said.stdout + said.stderr, said
        assert "chmod" not in said.stdout + said.stderr


def test_no_command_works_with_a_home_or_key_of_everybody(home: Run, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    home("backup", "create")
    tried, wrong = 0, []
    for name, command in commands():
        words = name.split()
        if name in _NEEDS_NO_HOME or (words[0] == "flows" and words[1] not in _FLOWS_OF_THE_HOME):
            continue
        needed = ["x"] * sum(p.param_type_name == "argument" and p.required for p in command.params)
        needed += ["--yes"] * any("--yes" in p.opts for p in command.params)
        for path, mode in ((folder, 0o755), (folder / "master.key", 0o640)):
            before = path.stat().st_mode
            path.chmod(mode)
            said = home(*words, *_ARGUMENTS.get(name, ()), *needed, given=f"{PASSWORD}\n")
            path.chmod(before)
            if said.returncode == 2:
                continue  # this command wants more words than are known here
            tried += 1
            if (said.returncode, "chmod" in said.stderr) != (1, True):
                wrong.append((name, said))
    assert not wrong, "\n".join(map(str, wrong))
    assert tried > 60


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_of_somebody_else_is_refused(home: Run, tmp_path: Path) -> None:
    os.chown(tmp_path / "home", 12345, -1)
    said = home("status")
    assert (said.returncode, "belongs to another user" in said.stderr) == (1, True)


def test_status_tells_of_a_key_file_that_is_of_no_use(home: Run, tmp_path: Path) -> None:
    key = tmp_path / "home" / "master.key"
    shutil.copy(key, tmp_path / "copy")
    for break_ in (key.unlink, lambda: key.write_bytes(b"{}")):
        break_()
        if key.exists():
            key.chmod(0o600)
        said = home("status").stdout
        assert "pamosnik keys rotate --lost-key" in said
    shutil.copy(tmp_path / "copy", key)
    assert keyring.trouble_outside(key) is None
    assert "key file" not in home("status").stdout
