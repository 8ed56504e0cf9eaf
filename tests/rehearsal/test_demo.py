"""The demo is the first thing a newcomer runs."""

import subprocess
import sys


def test_the_demo_plays_and_every_reply_arrives() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pamosnik", "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    private = said.index("Tap and the list is yours.")
    public = said.index("in public    ", private)
    follow_up = said.index("Here you are: https://shop.example/prices")
    assert private < public < follow_up
    assert "Noted: 2 people on 2026-12-24." in said
    assert "goals: booked 1" in said
    assert "goals: got-prices 1" in said
    assert done.stderr == ""
