"""`flows history`, `flows pause` and `flows resume` as a person and a script see them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.in_process import Command, home

__all__ = ["home"]

SHOP = """
version: 1
flows:
  price:
    when: [{ dm: price }]
    do: [{ send: "It costs 5." }]
  menu:
    when: [{ dm: menu }]
    do: [{ send: { text: "What?", buttons: [{ label: Prices, run: price }] } }]
"""

Applied = Callable[..., None]


@pytest.fixture
def apply(home: Command, tmp_path: Path) -> Applied:
    """Applies the text of a file."""

    def apply(text: str, *more: str) -> None:
        file = tmp_path / "shop.yaml"
        file.write_text(text, "utf-8")
        done = home("flows", "apply", str(file), "--yes", *more)
        assert done.returncode == 0, done

    return apply


def _states(home: Command) -> dict[str, str]:
    return {one["flow"]: one["state"] for one in json.loads(home("flows", "list", "--json").stdout)}


def test_a_pause_survives_apply_prune_and_coming_back(home: Command, apply: Applied) -> None:
    apply(SHOP)
    paused = home("flows", "pause", "price")
    assert (paused.returncode, paused.stderr) == (
        0,
        "price is paused: it starts nobody until `pamosnik flows resume price`.\n"
        "  menu leads into it (`run:`): whoever comes there now goes no further.\n",
    )
    apply(SHOP.replace("5", "6"))
    assert _states(home) == {"price": "paused", "menu": "live"}
    only_menu = "version: 1\nflows: { menu: { when: [{ dm: menu }], do: [{ send: Hi }] } }\n"
    apply(only_menu, "--prune")
    apply(SHOP)
    assert _states(home) == {"menu": "live", "price": "paused"}
    assert "is paused already, since 20" in home("flows", "pause", "price").stderr
    assert "price starts people again." in home("flows", "resume", "price").stderr
    again = home("flows", "resume", "price")
    assert (again.returncode, again.stderr) == (0, "price is not paused.\n")
    apply(only_menu, "--prune")
    apply(SHOP)
    assert _states(home) == {"menu": "live", "price": "live"}


def test_what_the_file_pauses_only_the_file_resumes(home: Command, apply: Applied) -> None:
    apply(SHOP.replace("  price:\n", "  price:\n    state: paused\n"))
    assert home("flows", "pause", "price").returncode == 0
    for _ in range(2):
        resumed = home("flows", "resume", "price")
        assert (resumed.returncode, "its file says so" in resumed.stderr) == (1, True), resumed
        assert "`state: paused`" in resumed.stderr
    shown = json.loads(home("flows", "show", "price", "--json").stdout)
    assert (shown["state"], shown["paused_at"], shown["paused_in_file"]) == ("paused", None, True)


def test_several_are_paused_together_or_none_is(home: Command, apply: Applied) -> None:
    apply(SHOP)
    done = home("flows", "pause", "price", "menue")
    assert (done.returncode, "Try: pamosnik flows pause menu" in done.stderr) == (1, True), done
    assert _states(home) == {"price": "live", "menu": "live"}
    rows = json.loads(home("flows", "pause", "--all", "--json").stdout)
    assert [(one["flow"], one["state"], one["changed"]) for one in rows] == [
        ("price", "paused", True),
        ("menu", "paused", True),
    ]
    assert home("flows", "resume").returncode == 2
    assert home("flows", "resume", "price", "--all").returncode == 2


def test_the_history_tells_what_when_by_whom_and_follows_a_new_id(home: Command, apply: Applied) -> None:
    apply(SHOP, "--note", "first")
    home("flows", "pause", "price")
    home("flows", "resume", "price")
    renamed = SHOP.replace("  price:\n", "  prices:\n    was: price\n").replace("run: price", "run: prices")
    apply(renamed, "--note", "a better name")
    apply(renamed)
    apply(renamed.replace("5", "6"))
    rows = json.loads(home("flows", "history", "prices", "--json").stdout)
    assert [(one["flow"], one["change"], one["former_id"], one["note"]) for one in rows] == [
        ("prices", "changed", None, None),
        ("prices", "renamed", "price", "a better name"),
        ("price", "resumed", None, None),
        ("price", "paused", None, None),
        ("price", "added", None, "first"),
    ]
    assert {one["by"] for one in rows} == {"command"}
    assert {one["flow_now"] for one in rows} == {"prices"}
    old = home("flows", "history", "price")
    assert (old.returncode, old.stderr) == (
        1,
        "The flow price is called prices now.\nTry: pamosnik flows history prices\n",
    )
    everything = json.loads(home("flows", "history", "--json").stdout)
    assert len(everything) == len(rows) + 2
    assert len(json.loads(home("flows", "history", "--limit", "2", "--json").stdout)) == 2
    assert json.loads(home("flows", "history", "--since", "2100-01-01", "--json").stdout) == []
    assert "renamed, was price" in home("flows", "history", "prices").stdout


def test_a_former_id_that_was_never_here_is_told_once(home: Command, apply: Applied, tmp_path: Path) -> None:
    text = SHOP.replace("  price:\n", "  prices:\n    was: prise\n").replace("run: price", "run: prices")
    file = tmp_path / "shop.yaml"
    file.write_text(text, "utf-8")
    told = home("flows", "apply", str(file), "--yes")
    assert (told.returncode, "no flow `prise` was ever applied here" in told.stdout) == (0, True), told
    again = home("flows", "apply", str(file), "--yes")
    assert ("was-unknown" in again.stdout, "applied already" in again.stderr) == (False, True), again


def test_ids_may_change_one_after_the_other(home: Command, apply: Applied) -> None:
    for old, new in (("price", "b"), ("b", "c"), ("c", "price")):
        text = SHOP.replace("  price:\n", f"  {new}:\n    was: {old}\n").replace("run: price", f"run: {new}")
        apply(SHOP if old == "price" else text)
        apply(text)
    rows = json.loads(home("flows", "history", "price", "--json").stdout)
    assert [(one["flow"], one["former_id"]) for one in rows] == [
        ("price", "c"),
        ("c", "b"),
        ("b", "price"),
        ("price", None),
    ]


def test_an_empty_history_says_what_to_do(home: Command) -> None:
    empty = home("flows", "history")
    assert (empty.returncode, "Try: pamosnik flows new" in empty.stderr) == (0, True)
    assert json.loads(home("flows", "history", "--json").stdout) == []
    assert home("flows", "history", "nothing").returncode == 1
