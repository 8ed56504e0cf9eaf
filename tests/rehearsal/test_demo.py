"""The demo is the first thing a newcomer runs."""

import os
import pty
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DEMO = [sys.executable, "-W", "error", "-m", "pamosnik", "demo"]


def test_the_demo_plays_and_every_reply_arrives() -> None:
    done = subprocess.run([*DEMO, "--once"], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    private = said.index("Tap and the list is yours.")
    public = said.index("in public    ", private)
    follow_up = said.index("Here you are: https://shop.example/prices")
    assert private < public < follow_up
    assert "Noted: 2 people on 2026-12-24." in said
    assert "goals: booked 1" in said
    assert re.search(r"  Ben .*day 2026-12-24, guests 2$", said, re.MULTILINE)
    assert re.search(r"  @mia +tag got-prices$", said, re.MULTILINE)
    assert "goals: got-prices 1" in said
    assert done.stderr == ""


def test_without_a_terminal_it_ends_by_itself_and_opens_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "BROWSER": str(_browser(tmp_path))}
    done = subprocess.run(
        DEMO,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "/phone" not in done.stdout
    assert not (tmp_path / "opened").exists()


def test_on_a_terminal_it_opens_the_phone_and_stays(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    with _on_a_terminal({"BROWSER": str(_browser(tmp_path))}) as (demo, said):
        address = said[-1]
        assert "Rosa's shop gets a past" in said[0]
        assert opened.read_text().strip() == address
        with urllib.request.urlopen(address) as page:
            assert page.status == 200
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0


def test_the_browser_can_be_switched_off(tmp_path: Path) -> None:
    variables = {"BROWSER": str(_browser(tmp_path)), "PAMOSNIK_NO_BROWSER": "1"}
    with _on_a_terminal(variables) as (demo, _):
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0
    assert not (tmp_path / "opened").exists()


def test_a_machine_without_a_browser_is_no_failure() -> None:
    with _on_a_terminal({"PATH": "/nowhere", "DISPLAY": "", "BROWSER": ""}) as (demo, _):
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0


def _browser(folder: Path) -> Path:
    """A browser that writes down what it is asked to open."""
    program = folder / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n')
    program.chmod(0o700)
    return program


@contextmanager
def _on_a_terminal(
    variables: Mapping[str, str],
) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """The demo once it has said that it stays, and the lines so far; the last one is the phone's address."""
    ours, theirs = pty.openpty()
    demo = subprocess.Popen(DEMO, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **variables})
    os.close(theirs)
    said = b""
    try:
        while b"Ctrl-C ends" not in said:
            said += os.read(ours, 4096)
        lines = said.decode().splitlines()
        found = re.search(r"(http://\S+/phone)\s", said.decode())
        assert found is not None
        yield demo, [*lines, found[1]]
    finally:
        demo.kill()
        demo.wait()
        os.close(ours)
