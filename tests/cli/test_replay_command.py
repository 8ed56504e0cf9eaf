"""`flows diff --replay` on a home with a record of its own."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik.rehearsal.play import Play
from tests.crash import forked

ROOT = Path(__file__).parents[2]
FLOWS = (ROOT / "flows.example.yaml").read_text("utf-8")
NEW = FLOWS.replace('"cen*"], but_not', '"cost"], but_not').replace("Here you are: {prices}", "New: {prices}")

Run = Callable[..., forked.Said]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A home where two people have asked for prices, the day before yesterday, and the changed file beside it."""
    folder = tmp_path_factory.mktemp("replay")
    home = folder / "home"
    home.mkdir(mode=0o700)
    (folder / "new.yaml").write_text(NEW, "utf-8")
    (folder / "same.yaml").write_text(FLOWS, "utf-8")
    with Play([("flows.yaml", FLOWS)]) as play, play.open(datetime.now(UTC) - timedelta(days=2)) as stage:
        for who, text in (("anna", "price?"), ("ben", "Cena?")):
            stage.meet(who)
            stage.comment(who, text)
            stage.settle()
            stage.tap(who, "Send it to me")
            stage.settle()
        stage._works.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(stage._works.database.path, home / "pamosnik.db")

    environment = {**os.environ, "PAMOSNIK_HOME": str(home), "NO_COLOR": "1"}

    def run(*arguments: str) -> forked.Said:
        return forked.run(("flows", "diff", *arguments), environment, cwd=folder)

    return run


def test_it_tells_who_would_get_something_else(run: Run) -> None:
    done = run("new.yaml", "--replay", "7d")
    assert done.returncode == 3, done.stderr
    _, replay = done.stdout.split("\nReplay of ")
    assert "4 events of 2 people" in replay
    assert "the keyword “cen*” in comments took 1 comment of 1 person; nothing would take them" in replay
    assert "    - Here you are: https://shop.example/prices\n    + New: https://shop.example/prices" in replay
    assert "“Send it to me” of price-list: 1 tap (@ben)" in replay
    assert done.stderr == "", "no bar where nobody looks"


def test_scripts_get_it_with_the_plan(run: Run) -> None:
    done = run("new.yaml", "--replay", "7d", "--json")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert [change["flow"] for change in told["changes"] if change["change"] == "changed"] == ["price-list"]
    replay = told["replay"]
    assert (replay["events"], replay["as_recorded"]) == (4, 4)
    assert [one["who"]["username"] for one in replay["different"]] == ["ben", "anna"]
    assert replay["stopped"][0]["texts"] == ["Cena?"]
    assert replay["private_replies"][0]["before"]["peak"] == 2
    assert replay["private_replies"][0]["after"]["peak"] == 1


def test_where_nothing_changes_there_is_nothing_to_replay(run: Run) -> None:
    done = run("same.yaml", "--replay", "7d", "--json")
    assert (done.returncode, json.loads(done.stdout)["replay"]) == (0, None)


@pytest.mark.parametrize("wrong", ["soon", "0d", "-3d"])
def test_what_is_no_length_of_time_is_told(run: Run, wrong: str) -> None:
    done = run("new.yaml", f"--replay={wrong}")
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("--replay 30d")


def test_everybody_of_no_replay_is_nobody(run: Run) -> None:
    done = run("new.yaml", "--all")
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("--replay 30d")
