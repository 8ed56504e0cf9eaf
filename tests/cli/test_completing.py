"""What a shell offers while a command is typed: a real bash, and the lines that zsh and fish hand over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pamosnik import cli
from pamosnik._sqlite import Connection
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home

__all__ = ["home"]

FLOWS = """
version: 1
disclosure: "Automated."
flows:
  price-list: { when: [{ dm: price }], do: [{ send: "Here you are." }] }
  booking: { when: [{ dm: book }], do: [{ send: "Hello." }] }
"""


@pytest.fixture
def shop(home: Command, tmp_path: Path) -> Path:
    """The home folder, with a connected account and two flows applied."""
    (tmp_path / "flows.yaml").write_text(FLOWS, "utf-8")
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(_connected)
    assert home("flows", "apply", str(tmp_path / "flows.yaml"), "--yes").returncode == 0
    return tmp_path / "home"


def _connected(conn: Connection) -> None:
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, username, status, scopes, connected_at)"
        " VALUES ('K1', ?, '178411', 'tulip', 'active', '[]', 0)",
        (accounts.every(conn)[0].id,),
    )


def test_in_bash(shop: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "pamosnik"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pamosnik "$@"\n', "utf-8")
    program.chmod(0o700)
    script = """
        eval "$(pamosnik --show-completion)"
        offered() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
          _pamosnik_completion pamosnik; echo "${COMPREPLY[*]}"; }
        offered pamosnik flows va
        offered pamosnik flows new p
        offered pamosnik --home "$SHOP" flows show ""
        offered pamosnik --home = "$SHOP" flows pause price-list b
        offered pamosnik flows show ""
    """
    told = subprocess.run(
        ["bash", "-c", script],
        env={
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(cli.__file__).parents[1]),
            "HOME": str(tmp_path),
            "PAMOSNIK_HOME": str(tmp_path / "nowhere"),
            "SHOP": str(shop),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (told.stderr, told.stdout.splitlines()) == (
        "",
        ["validate", "price-list", "booking price-list", "booking", ""],
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    """As Click's documentation asks for it; there is no line yet, and that ended with a traceback."""
    monkeypatch.setenv("_PAMOSNIK_COMPLETE", f"source_{shell}")
    assert cli.run([]) == 0
    assert "_PAMOSNIK_COMPLETE=complete_" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pamosnik flows new gi", ["giveaway"]),
        ("pamosnik flows show ", ["booking", "price-list"]),
        ("pamosnik stats --flow bo", ["booking"]),
        ("pamosnik --home {home} flows show p", ["price-list"]),
        ("pamosnik --home={home} flows history ", ["booking", "price-list"]),
        ("pamosnik --home={home}/nowhere flows show ", []),
        ("pamosnik connections refresh ", ["tulip"]),
        ("pamosnik --home ", []),
        ("pamosnik flows show 'bo", ["booking"]),
    ],
)
def test_in_fish(
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    offered: list[str],
) -> None:
    monkeypatch.setenv("PAMOSNIK_HOME", str(shop))
    monkeypatch.setenv("PAMOSNIK_QUIET", "")
    monkeypatch.setenv("_PAMOSNIK_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line.format(home=shop))
    assert cli.run([]) == 0
    told = capsys.readouterr()
    assert (told.err, told.out.split()) == ("", offered)
