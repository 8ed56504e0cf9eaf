"""An older database: whatever changes something brings it up to date first, whatever reads says what to do."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from pamosnik.cli_reference import commands
from pamosnik.commands import upgrading
from pamosnik.services import home as homes
from pamosnik.services.upgrading import NEWEST, version_of
from pamosnik.store.database import open_database
from tests.cli.in_process import Command
from tests.cli.in_process import home as home
from tests.privacy.test_audited import CHANGES, ELSEWHERE, READ
from tests.store.rows import back_to_the_first_version
from tests.terminals import terminal


@pytest.fixture
def older(home: Command, tmp_path: Path) -> Path:
    database = tmp_path / "home" / "pamosnik.db"
    with open_database(database) as opened:
        back_to_the_first_version(opened.connection)
    return database


def test_the_list_of_changing_commands_is_whole() -> None:
    by_themselves = {"init", "serve", "restore", "backup create", "service install", "service uninstall"}
    assert set(upgrading.CHANGING) == (ELSEWHERE.keys() | CHANGES.keys()) - by_themselves
    assert {name for name, _ in commands()} >= upgrading.CHANGING | by_themselves
    assert not upgrading.CHANGING & set(READ)


def test_reading_says_what_to_do_and_changes_nothing(home: Command, older: Path) -> None:
    before = older.read_bytes()
    for words in (("status",), ("contacts", "list"), ("retention", "run", "--dry-run")):
        said = home(*words)
        assert said.returncode == 1
        assert f"has version 1; this Pamosnik needs version {NEWEST}" in said.stderr
        assert "pamosnik serve" in said.stderr
    assert older.read_bytes() == before


def test_changing_brings_it_up_to_date_after_a_copy(home: Command, older: Path) -> None:
    said = home("api-token", "create", "--name", "script")
    assert said.returncode == 0, said.stderr
    assert f"brought from version 1 to {NEWEST}" in said.stderr
    copy = older.with_name("pamosnik.before-version-2.db")
    assert str(copy) in said.stderr
    assert (version_of(older), version_of(copy)) == (NEWEST, 1)
    assert len(said.stdout.split()) == 1, "the token alone"
    assert home("status").returncode == 0


def test_init_does_it_too(home: Command, older: Path) -> None:
    said = home("init")
    assert (said.returncode, "There is an account already" in said.stderr) == (0, True)
    assert version_of(older) == NEWEST


def test_an_older_daemon_that_still_runs_is_named(home: Command, older: Path) -> None:
    with homes.lock(older.parent):
        said = home("api-token", "create", "--name", "script")
    assert (said.returncode, "Restart it" in said.stderr) == (1, True)
    assert version_of(older) == 1


def test_a_newer_one_is_refused_by_whatever_changes(home: Command, tmp_path: Path) -> None:
    database = tmp_path / "home" / "pamosnik.db"
    with open_database(database) as opened:
        opened.connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('pamosnik', 'm9_later', '')"
        )
    for words in (("api-token", "create", "--name", "script"), ("serve", "--port", "0"), ("init",)):
        said = home(*words)
        assert (said.returncode, f"has version {NEWEST + 1}" in said.stderr) == (1, True), words


def test_without_a_terminal_a_long_one_says_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr("time.monotonic", lambda: moment)
    with redirect_stderr(io.StringIO()) as said, upgrading.progress() as tell:
        for second in range(25):
            moment = float(second)
            tell(1, 4)
        tell(4, 4)
    assert said.getvalue().splitlines() == ["Bringing the database up to date: step 2 of 4."] * 2


def test_a_terminal_shows_a_bar(older: Path) -> None:
    with terminal(("init",), {"PAMOSNIK_HOME": str(older.parent)}) as person:
        assert "Upgrade" in person.sees(f"brought from version 1 to {NEWEST}")
        assert person.ended() == 0


def test_a_terminal_shows_no_bar_where_there_is_nothing_to_do(home: Command, tmp_path: Path) -> None:
    """One flashed up before whatever changes something."""
    words = ("connect", "--token-stdin")
    with terminal(words, {"PAMOSNIK_HOME": str(tmp_path / "home")}) as person:
        assert "Upgrade" not in person.sees("Token")
