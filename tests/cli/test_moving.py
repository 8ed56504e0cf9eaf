"""The recipe of docs/operations.md for another machine, word for word: two homes, real commands, real daemons."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

from pamosnik.config import load
from pamosnik.services.home import daemon_address, daemon_running
from tests.crash import forked
from tests.homes import with_one_account

ROOT = Path(__file__).parents[2]
STICK = "/mnt/stick"


def _recipe() -> tuple[str, str]:
    """What is typed on the old machine, and on the new one."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    moving = page.split("## Moving to another machine or account\n")[1].split("\n**One account")[0]
    old, new = re.findall(r"```sh\n(.*?)```", moving, re.DOTALL)
    return old, new


def _typed(lines: str, stick: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-e", "-c", lines.replace(STICK, str(stick))],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def _daemon(environment: Mapping[str, str], log: Path) -> BaseProcess:
    """One that listens."""
    process = forked.start(("serve", "--port", "0"), environment, log)
    settings = load(environ=dict(environment))
    while daemon_address(settings) is None:
        assert process.is_alive(), log.read_text()
    return process


def _stopped(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(20)
    assert process.exitcode == 0


def test_the_whole_home_moves_to_another_machine(tmp_path: Path) -> None:
    stick, program = tmp_path / "stick", tmp_path / "bin"
    for folder in (stick, program):
        folder.mkdir()
    (program / "pamosnik").write_text(f'#!/bin/sh\nexec {sys.executable} -m pamosnik "$@"\n')
    (program / "pamosnik").chmod(0o755)
    with_one_account(tmp_path / "old")
    ways = {"PATH": f"{program}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    there, here = ({**ways, "PAMOSNIK_HOME": str(tmp_path / name)} for name in ("old", "new"))
    applied = forked.run(("flows", "apply", "flows.example.yaml", "--yes"), there)
    assert applied.returncode == 0, applied
    _stopped(_daemon(there, tmp_path / "old.log"))
    (tmp_path / "old" / "incoming.log").write_bytes(b"")

    old, new = _recipe()
    _typed(old, stick, there)
    assert sorted(path.name for path in stick.iterdir()) == [
        *("erasures.log", "master.key", "pamosnik.toml", "shop.backup"),
    ]
    # Doctor says that nothing is connected and set up at Meta; the rest of it is not what is moved.
    said = _typed(new.replace("pamosnik doctor", "pamosnik doctor || [ $? = 5 ]"), stick, here)
    assert "Restored the backup" in said
    assert "Everything opens" in said
    process = _daemon(here, tmp_path / "new.log")
    try:
        told = {
            words: [forked.run((*words, "--json"), home).stdout for home in (there, here)]
            for words in (("flows", "list"), ("accounts", "list"), ("keys", "status"))
        }
        flows, accounts, keys = ([json.loads(text) for text in both] for both in told.values())
        assert [flow["flow"] for flow in flows[0]] == [flow["flow"] for flow in flows[1]]
        assert len(flows[1]) == 4
        assert [one["email"] for one in accounts[0]] == [one["email"] for one in accounts[1]]
        assert [one["opens"] for one in keys[1]["accounts"]] == [True]
        assert daemon_running(tmp_path / "new")
        assert not daemon_running(tmp_path / "old")
    finally:
        _stopped(process)
