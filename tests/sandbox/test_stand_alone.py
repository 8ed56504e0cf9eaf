"""`pamosnik sandbox` as its users start it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "pamosnik", "sandbox", "--port", "0")


class Running:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            self.lines[line[:15].strip()] = line[15:].strip()
            if line.startswith("webhooks"):
                break
        self.url = self.lines["base address"].split()[0]

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Authorization": f"Bearer {self.token}"})
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    @property
    def token(self) -> str:
        return self.lines["token"]


@contextmanager
def running(*options: str) -> Iterator[Running]:
    """Stopped with Ctrl-C, and then it must have ended well."""
    with subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            yield Running(process)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
            assert (process.returncode, errors) == (0, "")
        finally:
            process.kill()


def refused(*options: str, code: int = 1) -> str:
    process = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=30, check=False)
    assert process.returncode == code
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    return process.stderr


def test_a_world_file_is_made_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    with running("--world", str(path), "--virtual-clock") as first:
        first.call("/sandbox/dm", {"person": "anna", "text": "Hello"})
        _, moved = first.call("/sandbox/clock", {"advance_s": 7200})
        token = first.token
    assert path.stat().st_mode & 0o777 == 0o600
    with running("--world", str(path), "--virtual-clock") as second:
        assert second.token == token
        assert second.call("/sandbox/thread/anna")[1][0]["text"] == "Hello"
        now = second.call("/sandbox/state")[1]["now"]
        assert now[:19] == moved["now"][:19]
    with running("--world", str(path)) as third:
        assert third.call("/sandbox/clock", {"advance_s": 1})[0] == 400


def test_faults_are_armed_at_start() -> None:
    with running("--fault", "me:code_2_not_delivered:times=2", "--fault", "any:slow:person=ben") as sandbox:
        assert [sandbox.call("/v26.0/me")[0] for _ in range(3)] == [503, 503, 200]
        assert [one["fault"] for one in sandbox.call("/sandbox/faults")[1]["active"]] == ["slow"]


def test_what_cannot_start_says_why_and_changes_nothing(tmp_path: Path) -> None:
    foreign = tmp_path / "notes.json"
    foreign.write_text('{"format": "recipes"}')
    assert "not the file of a sandbox world" in refused("--world", str(foreign))
    assert foreign.read_text() == '{"format": "recipes"}'
    assert "folder" in refused("--world", str(tmp_path / "missing" / "world.json"))
    assert "no fault" in refused("--fault", "me:sunshine", code=2)
    assert "anna, ben" in refused("--fault", "me:slow:person=nobody", code=2)
    assert "ENDPOINT:FAULT" in refused("--fault", "slow", code=2)
    for port in ("99999", "-1"):
        assert f"port (flag) is no port number: {port}" in refused("--port", port, code=2)
    assert [one.name for one in tmp_path.iterdir()] == ["notes.json"]
