"""Changing commands wait while the daemon writes the file anew; another program's lock is told soon."""

import io
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from pamosnik import cli, config
from pamosnik.commands.patience import REBUILT_WITHIN_S, WAITS, Patience
from pamosnik.errors import StorageRefused
from pamosnik.services import home as home_service
from pamosnik.services.home import Lock
from pamosnik.store.database import Database, open_database
from pamosnik.store.refusals import BUSY_TIMEOUT_S
from tests.cli.in_process import Command, home

__all__ = ["home"]


@pytest.fixture
def daemon(home: Command, tmp_path: Path) -> Iterator[Lock]:
    """As if one ran."""
    with home_service.lock(tmp_path / "home") as held:
        yield held


class _Ends(io.StringIO):
    """Standard error; the other's transaction ends when it is read there that somebody waits."""

    def __init__(self, writing: Database) -> None:
        super().__init__()
        self._writing = writing

    def write(self, text: str) -> int:
        if WAITS in text:
            self._writing.connection.execute("ROLLBACK")
        return super().write(text)


def test_a_command_waits_for_the_daemon_and_says_so(home: Command, daemon: Lock, tmp_path: Path) -> None:
    with open_database(tmp_path / "home" / "pamosnik.db") as writing:
        writing.connection.execute("BEGIN IMMEDIATE")
        with redirect_stderr(_Ends(writing)) as said:
            code = cli.run(["accounts", "set", "--name", "Rosa's"])
    assert (code, said.getvalue().count(WAITS)) == (0, 1), said.getvalue()
    assert "Rosa's" in home("accounts", "list").stdout


def test_how_long_a_command_waits(home: Command, tmp_path: Path) -> None:
    told: list[str] = []
    patience = Patience(config.load(), told.append)
    assert patience(1.9)
    assert patience(BUSY_TIMEOUT_S - 0.1)
    assert not patience(BUSY_TIMEOUT_S)
    assert told == []
    with home_service.lock(tmp_path / "home") as daemon:
        assert patience(2.0)
        assert patience(REBUILT_WITHIN_S - 1)
        assert not patience(REBUILT_WITHIN_S)
        assert told == [WAITS]
        # Another program locks the daemon out.
        daemon.tell(StorageRefused("The database was locked."))
        assert not patience(BUSY_TIMEOUT_S)
