"""The commands around backups, and what every command says on a damaged database."""

import hashlib
import io
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik import cli
from pamosnik._sqlite import Connection
from pamosnik.security import keyring
from pamosnik.services import home as homes
from pamosnik.store import accounts, mailed_links, migrations, sessions
from pamosnik.store.database import open_database
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.sessions import Session
from tests.crash import forked
from tests.daemon.shop import PASSWORD

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an account and flows, made once."""
    folder = tmp_path_factory.mktemp("made") / "home"
    environment = {"PAMOSNIK_HOME": str(folder), "PATH": "/usr/bin:/bin"}
    who = ("--name", "Rosa", "--email", "rosa@shop.example", "--password-stdin")
    for arguments, given in (
        (("init", *who), f"{PASSWORD}\n"),
        (("flows", "apply", "flows.example.yaml", "--yes"), ""),
    ):
        assert forked.run(arguments, environment, given).returncode == 0
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my home"
    folder.mkdir(mode=0o700)
    for file in made.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
        (folder / file.name).chmod(0o600)
    monkeypatch.setenv("PAMOSNIK_HOME", str(folder))
    return folder


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def run_one(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.run(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run_one


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_create_list_and_verify(home: Path, run: Run) -> None:
    code, out, err = run("backup", "create", "--json")
    assert code == 0
    assert "master.key is not inside" in err
    made = json.loads(out)
    assert made["counts"]["flows"] == 4
    assert (home / "backups").stat().st_mode & 0o777 == 0o700
    assert Path(made["file"]).stat().st_mode & 0o777 == 0o600
    (home / "backups" / "pamosnik-19990101T000000Z.backup").write_text("damaged")
    code, out, _ = run("backup", "list", "--json")
    rows = json.loads(out)
    assert [(row["problem"] is None, row["schema_version"]) for row in rows] == [
        (True, len(migrations.MIGRATIONS)),
        (False, None),
    ]
    code, out, err = run("backup", "verify")
    assert (code, "0 contacts" in out, "is good" in err) == (0, True, True)
    # A backup is of every account in the home, so it is on nobody's clock: which one has to be said.
    assert f"{rows[0]['created_at'][:10]} {rows[0]['created_at'][11:19]} UTC" in out
    code, _, err = run("backup", "verify", str(home / "backups" / "pamosnik-19990101T000000Z.backup"))
    assert (code, "damaged" in err, "Try: " in err) == (1, True, True)
    assert [name for name in _names(home) if name.startswith(".")] == []
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    assert [key for key in rows[0] if f"`{key}`" not in documented] == []


def test_without_a_backup_there_is_a_next_step(home: Path, run: Run) -> None:
    code, _, err = run("backup", "verify")
    assert (code, "Try: pamosnik backup create" in err) == (1, True)
    assert run("backup", "list", "--json")[:2] == (0, "[]\n")


def test_restore_keeps_the_database_that_was_there(home: Path, run: Run) -> None:
    run("backup", "create", "-o", str(home / "mine"))
    run("flows", "pause", "price")
    before = (home / "pamosnik.db").read_bytes()
    code, _, err = run("restore", str(home / "mine"))
    assert (code, "--yes" in err) == (2, True)
    assert (home / "pamosnik.db").read_bytes() == before
    code, out, err = run("restore", str(home / "mine"), "--yes")
    assert code == 0
    (kept,) = home.glob("pamosnik.db.before-restore-*")
    assert str(kept) in out
    assert kept.read_bytes() == before
    assert "master.key" not in out + err
    assert run("status")[0] == 0


def test_a_restore_opens_no_login_and_no_link_again(home: Path, run: Run) -> None:
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(hours=1)
    with open_database(home / "pamosnik.db") as database:
        (account,) = accounts.every(database.connection)

        def log_in(conn: Connection) -> None:
            sessions.open_session(conn, b"session", Session("S1", account.id, "", now, now, later))
            sessions.know_browser(conn, b"browser", account.id, now)
            link = MailedLink(account.id, Purpose.RESET_PASSWORD, account.email)
            mailed_links.add(conn, b"link", link, now=now, expires_at=later)

        database.write(log_in)
    assert run("backup", "create", "-o", str(home / "one.backup"))[0] == 0
    code, _, err = run("restore", str(home / "one.backup"), "--yes")
    assert (code, "log in again" in err) == (0, True)
    with open_database(home / "pamosnik.db") as database:
        conn = database.connection
        assert sessions.by_token(conn, b"session", now) is None
        assert sessions.browser_account(conn, b"browser") is None
        assert mailed_links.waiting(conn, account.id, Purpose.RESET_PASSWORD, now) is None


def test_restore_is_refused_while_a_daemon_runs_and_for_a_spoiled_backup(home: Path, run: Run) -> None:
    run("backup", "create", "-o", str(home / "mine"))
    before = _names(home)
    with homes.lock(home):
        code, _, err = run("restore", str(home / "mine"), "--yes")
    assert (code, "Stop it first" in err) == (1, True)
    (home / "mine").write_bytes((home / "mine").read_bytes()[:-9])
    code, _, err = run("restore", str(home / "mine"), "--yes")
    assert (code, "damaged" in err) == (1, True)
    assert _names(home) == before


def test_a_backup_that_nobody_can_check_is_asked_about(home: Path, run: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a disk"
    elsewhere.mkdir()
    run("backup", "create", "-o", str(elsewhere / "mine"))
    assert _names(elsewhere) == ["erasures.log", "mine"]
    for lost in home.glob("pamosnik.db*"):
        lost.unlink()
    code, _, err = run("restore", str(elsewhere / "mine"))
    assert (code, "nobody can tell here" in err, "--yes" in err) == (2, True, True)
    assert not (home / "pamosnik.db").exists()
    code, _, err = run("restore", str(elsewhere / "mine"), "--yes")
    assert (code, "nobody can tell here" in err) == (0, True)
    # A home that was begun after the backup knows nothing of the time between.
    with open_database(home / "pamosnik.db") as database:
        database.write(lambda conn: conn.execute("UPDATE accounts SET created_at=created_at+86400000"))
    assert "nobody can tell here" in run("restore", str(elsewhere / "mine"), "--yes")[2]
    # A newer file beside the backup tells; so does a later backup's.
    with (elsewhere / "erasures.log").open("a") as log:
        log.write('{"connection_erased": "C9", "erased_at": 4102444800000}\n')
    assert "nobody can tell here" not in run("restore", str(elsewhere / "mine"), "--yes")[2]


def test_restore_tells_when_the_key_is_another_or_missing(home: Path, run: Run) -> None:
    run("backup", "create", "-o", str(home / "mine"))
    (home / "master.key").unlink()
    code, _, err = run("restore", str(home / "mine"), "--yes")
    assert (code, "There was no master.key; a new one was made" in err) == (0, True)
    assert "pamosnik keys rotate --lost-key" in err
    (home / "master.key").unlink()
    keyring.create(home / "master.key", None, datetime.now(UTC))
    for lost in home.glob("pamosnik.db*"):
        lost.unlink()
    code, _, err = run("restore", str(home / "mine"))
    assert (code, "wrapped with another master.key" in err) == (0, True)
    assert run("flows", "list")[0] == 0


def test_restore_killed_anywhere_leaves_a_whole_database(home: Path, run: Run) -> None:
    run("backup", "create", "-o", str(home / "mine"))
    run("flows", "pause", "price")
    chance = random.Random(7)
    for _ in range(6):
        command = [sys.executable, "-m", "pamosnik", "restore", str(home / "mine"), "--yes"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        try:
            process.wait(chance.uniform(0.15, 0.45))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        assert run("status")[0] == 0
    assert run("flows", "list")[0] == 0


# --- a damaged database ----------------------------------------------------------------------------------


def _header(file: Path) -> None:
    file.write_bytes(b"\xff" * 100 + file.read_bytes()[100:])


def _zeros(file: Path) -> None:
    raw = file.read_bytes()
    middle = len(raw) // 4096 // 2 * 4096
    file.write_bytes(raw[:middle] + bytes(4096) + raw[middle + 4096 :])


def _noise(file: Path) -> None:
    raw = file.read_bytes()
    middle = len(raw) // 4096 // 2 * 4096
    file.write_bytes(raw[:middle] + random.Random(1).randbytes(4096) + raw[middle + 4096 :])


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 4096 * 9 + 100])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _text(file: Path) -> None:
    file.write_text("Shopping list: bread, milk.\n" * 30)


DAMAGE = [_header, _zeros, _noise, _truncated, _empty, _text]


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("spoil", DAMAGE)
@pytest.mark.parametrize("has_backup", [True, False], ids=["backup", "no backup"])
def test_every_command_names_the_way_back_and_changes_nothing(
    home: Path, run: Run, spoil: Callable[[Path], None], has_backup: bool
) -> None:
    backup = ""
    if has_backup:
        backup = json.loads(run("backup", "create", "--json")[1])["file"]
    spoil(home / "pamosnik.db")
    before = _digests(home)
    commands = (
        ("serve", "--port", "0"),
        ("status",),
        ("flows", "apply", str(ROOT / "flows.example.yaml"), "--yes"),
        ("contacts", "list"),
        ("backup", "create"),
    )
    for command in commands:
        code, _, err = run(*command)
        assert code == 1, (command, err)
        if has_backup:
            assert "pamosnik backup verify" in err, command
            assert f"pamosnik restore '{backup}'" in err, command
        elif spoil is not _empty:
            assert "pamosnik restore FILE" in err, command
        after = _digests(home)
        after.pop("daemon.lock", None)
        assert after == {name: digest for name, digest in before.items() if name != "daemon.lock"}, command
    if has_backup:
        assert run("restore", backup, "--yes")[0] == 0
        assert run("status")[0] == 0


def test_an_emptied_database_is_not_made_anew(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init` would have made an empty one where people's data had been."""
    run("backup", "create")
    (home / "pamosnik.db").write_bytes(b"")
    before = _digests(home)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    code, _, err = run("init", "--name", "R", "--email", "r@shop.example", "--password-stdin")
    assert (code, "is empty" in err, "pamosnik restore" in err) == (1, True, True)
    assert {**_digests(home), "daemon.lock": ""} == {**before, "daemon.lock": ""}
