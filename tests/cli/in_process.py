"""Commands in this process: for tests that run many, where starting a program for each takes most of the time."""

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from pamosnik import cli
from tests.homes import PASSWORD as PASSWORD
from tests.homes import with_one_account


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Said]


def in_this_process(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Command:
    """Runs commands on this home."""
    monkeypatch.setenv("PAMOSNIK_HOME", str(folder))
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*arguments: str, given: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        before = dict(os.environ)
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = cli.run(list(arguments))
        for name in set(os.environ) - set(before):  # --account and --quiet of this command
            del os.environ[name]
        os.environ.update(before)
        return Said(code, out.getvalue(), err.getvalue())

    return command


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs commands on a home with one account."""
    with_one_account(tmp_path / "home")
    return in_this_process(monkeypatch, tmp_path / "home")
