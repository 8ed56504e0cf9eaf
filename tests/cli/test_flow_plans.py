"""`flows diff` and `flows apply` as a person and a script see them."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.cli.test_commands import ROOT, Run, home, run

__all__ = ["home", "run"]

SHOP = """
version: 1
facts: { prices: "https://shop.example/prices" }
flows:
  price:
    title: Prices
    when: [{ dm: price }]
    do: [{ send: "Here you are: {prices}" }]
  hello:
    when: [{ dm: hello }]
    do: [{ send: Hi }]
"""


@pytest.fixture
def shop(home: Run, tmp_path: Path) -> Path:
    """A home in which `SHOP` is applied, and its file."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP, "utf-8")
    assert home("flows", "apply", str(file), "--yes").returncode == 0
    return file


def test_diff_tells_by_its_exit_code_and_changes_nothing(home: Run, shop: Path) -> None:
    same = home("flows", "diff", str(shop))
    assert (same.returncode, "applied already" in same.stderr) == (0, True), same
    shop.write_text(SHOP.replace("Hi", "Hello there"), "utf-8")
    for _ in range(2):
        changed = home("flows", "diff", str(shop))
        assert (changed.returncode, "~ hello" in changed.stdout) == (3, True), changed
    shop.write_text(SHOP.replace("send: Hi", "sned: Hi"), "utf-8")
    broken = home("flows", "diff", str(shop))
    assert (broken.returncode, "Did you mean `send`?" in broken.stdout) == (4, True), broken


def test_diff_in_json_is_the_plan_alone(home: Run, shop: Path) -> None:
    shop.write_text(SHOP.replace("  hello:", "  hullo:"), "utf-8")
    done = home("flows", "diff", str(shop), "--prune", "--json")
    assert done.returncode == 3
    found = {one["flow"]: one["change"] for one in json.loads(done.stdout)["changes"]}
    assert found == {"price": "unchanged", "hullo": "added", "hello": "removed"}


def test_another_order_of_the_flows_alone_is_shown_and_applied(home: Run, shop: Path) -> None:
    """It was "nothing to change", though file order decides who answers."""
    head, price, hello = SHOP.partition("  price:\n")
    body, cut, last = (price + hello).partition("  hello:\n")
    shop.write_text(head + cut + last + body, "utf-8")
    shown = home("flows", "diff", str(shop))
    assert (shown.returncode, "hello now stands first" in shown.stdout) == (3, True), shown
    assert home("flows", "apply", str(shop), "--yes").returncode == 0
    assert [flow["flow"] for flow in json.loads(home("flows", "list", "--json").stdout)] == ["hello", "price"]
    assert home("flows", "diff", str(shop)).returncode == 0


def test_prune_keeps_a_flow_that_another_one_runs(home: Run, shop: Path) -> None:
    shop.write_text("version: 1\nflows: { a: { when: { dm: a }, do: [{ run: price }] } }\n", "utf-8")
    assert home("flows", "diff", str(shop)).returncode == 3
    refused = home("flows", "apply", str(shop), "--prune", "--yes")
    assert (refused.returncode, "unknown-flow" in refused.stdout) == (4, True), refused
    assert len(json.loads(home("flows", "list", "--json").stdout)) == 2


def test_a_folder_without_flow_files_is_a_mistake_and_prunes_nothing(home: Run, shop: Path) -> None:
    (shop.parent / "empty").mkdir()
    refused = home("flows", "apply", str(shop.parent / "empty"), "--prune", "--yes")
    assert (refused.returncode, "holds no flow file" in refused.stderr) == (2, True), refused
    assert len(json.loads(home("flows", "list", "--json").stdout)) == 2


def test_a_plan_somebody_overtook_while_it_was_asked_about_is_not_carried_out(
    home: Run, shop: Path, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours.yaml", tmp_path / "theirs.yaml"
    ours.write_text(SHOP.replace("Hi", "Hello from us"), "utf-8")
    theirs.write_text(SHOP.replace("Hi", "Hello from them"), "utf-8")
    terminal, inside = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "pamosnik", "flows", "apply", str(ours)],
        env={**os.environ, "PAMOSNIK_HOME": str(tmp_path / "home"), "NO_COLOR": "1"},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        cwd=ROOT,
    )
    os.close(inside)
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        shown = _until(screen, b"Apply this?")
        assert "Hello from us" in shown
        assert home("flows", "apply", str(theirs), "--yes").returncode == 0
        screen.write(b"y\n")
        said = _until(screen, b"flows diff")
    assert asked.wait(20) == 1
    assert "have changed since this plan was made" in said
    assert "Hello from them" in home("flows", "show", "hello", "--json").stdout


def _until(screen: IO[bytes], words: bytes) -> str:
    """What a terminal shows until these words come."""
    shown = b""
    while words not in shown:
        shown += screen.read(1024)
    return shown.decode()
