"""Whoever says no at a question changes nothing and is told so, and the command ends with 1: each one that asks."""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from pamosnik import cli
from pamosnik._sqlite import Connection
from pamosnik.cli_reference import commands
from pamosnik.store.database import open_database
from tests.homes import EMAIL, with_one_account
from tests.isolation import world
from tests.isolation.world import ANNA, MINE, NOW
from tests.privacy import exported

ELSEWHERE: Mapping[str, str] = {
    "accounts create": "tests/cli/test_accounts.py: its password is typed on a terminal",
    "delete-account": "wants the e-mail typed: tests/cli/test_erasing_commands.py",
    "import": "into an empty account: below",
    "init": "asks as `accounts create` does",
    "restore": "of the machine: below",
    "service uninstall": "needs systemd: tests/cli/test_service.py",
}
ASKS: Mapping[str, Sequence[str]] = {
    "accounts set": ("--email", "new@shop.example"),
    "api-token revoke": (f"token-{MINE.mark}",),
    "contacts forget": (ANNA,),
    "disconnect": (f"shop.{MINE.mark}",),
    "events replay": ("EVENT", "--again"),
    "flows apply": ("FILE",),
    "flows export": ("-o", "THERE"),
    "flows rollback": ("price",),
    "keys rotate": (),
    "queue cancel": ("queued",),
    "queue retry": ("failed",),
    "queue settle": ("unknown", "--sent"),
    "retention run": (),
    "runs cancel": ("RUN",),
}
"""Words after the command. `EVENT`, `FILE`, `RUN`, `THERE` and the state of a message stand for one."""


class _Terminal(StringIO):
    """Somebody who can be asked."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("declined")
    world.make(folder / "home")
    return folder / "home"


@pytest.fixture
def conn(home: Path) -> Iterator[Connection]:
    with open_database(home / "pamosnik.db") as opened:
        yield opened.connection


def _says_no(
    monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str, account: str = MINE.email
) -> tuple[int, str]:
    monkeypatch.setenv("PAMOSNIK_HOME", str(home))
    monkeypatch.setenv("PAMOSNIK_ACCOUNT", account)
    monkeypatch.setenv("PAMOSNIK_PUBLIC_URL", world.PUBLIC)
    monkeypatch.setattr(sys, "stdin", _Terminal("n\n"))
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as err:
        return cli.run(list(arguments)), err.getvalue()


def _given(conn: Connection, word: str, folder: Path) -> str:
    if word == "FILE":
        flows = world.FLOWS.replace("MARK", MINE.mark).replace("NEXT_YEAR", str(NOW.year + 1))
        (folder / "new.yaml").write_text(flows.replace("The list of", "Our list of"))
        return str(folder / "new.yaml")
    if word == "THERE":
        (folder / "there.yaml").write_text("somebody's")
        return str(folder / "there.yaml")
    asked = {
        "EVENT": "SELECT event_id FROM events WHERE account_id=? AND text='price' ORDER BY event_id DESC",
        "RUN": "SELECT run_id FROM runs WHERE account_id=? AND status='waiting'",
    }.get(word, f"SELECT item_id FROM outbox WHERE account_id=? AND status='{word}'")
    found = conn.execute(asked, (MINE.account,)).fetchone()
    return word if found is None else str(found[0])


def test_every_command_that_asks_is_known_here() -> None:
    asking = {
        name for name, command in commands() if any("--yes" in parameter.opts for parameter in command.params)
    }
    assert asking == {*ELSEWHERE, *ASKS}


@pytest.mark.parametrize("command", ASKS)
def test_a_no_changes_nothing_and_ends_with_1(
    command: str, home: Path, conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if command == "retention run":
        conn.execute("UPDATE events SET received_at=0, event_id='0' || substr(event_id, 2)")
    if command == "flows rollback":
        _says_no(monkeypatch, home, "flows", "apply", _given(conn, "FILE", tmp_path), "--yes")
    words = [_given(conn, word, tmp_path) for word in ASKS[command]]
    before = world.rows_of(conn, MINE)
    code, said = _says_no(monkeypatch, home, *command.split(), *words)
    assert code == 1, said
    assert re.search(r"\[y/N\]:\s*Nothing was (changed|written|applied|deleted)\.\n$", said), said
    assert world.rows_of(conn, MINE) == before


def test_a_no_to_putting_a_backup_in_the_place_of_a_database_ends_with_1(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home, tmp_path / "home")
    assert _says_no(monkeypatch, tmp_path / "home", "backup", "create", "-o", str(tmp_path / "b"))[0] == 0
    code, said = _says_no(monkeypatch, tmp_path / "home", "restore", str(tmp_path / "b"))
    assert (code, said.rstrip().endswith("Nothing was changed.")) == (1, True), said


def test_a_no_to_an_import_ends_with_1(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_one_account(tmp_path / "home")
    exported.write(tmp_path / "export.zip", exported.data(conn, MINE.account))
    code, said = _says_no(
        monkeypatch, tmp_path / "home", "import", str(tmp_path / "export.zip"), account=EMAIL
    )
    assert (code, said.rstrip().endswith("Nothing was changed.")) == (1, True), said
