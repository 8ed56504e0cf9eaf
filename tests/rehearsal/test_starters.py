"""The files of `flows new`: ready to be applied, in order, and with tests that pass and leave no way out."""

from pathlib import Path

import pytest

from pamosnik.flows.compile import compile_flow
from pamosnik.flows.formatting import Formatted, formatted
from pamosnik.flows.load import load
from pamosnik.flows.ways import ways
from pamosnik.flows.written_tests import of_files
from pamosnik.model.step import HandOver, Stop
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.testing.coverage import coverage
from pamosnik.rehearsal.testing.player import play_all

ROOT = Path(__file__).parents[2]
STARTERS = sorted((ROOT / "pamosnik" / "starters").glob("*.yaml"))


@pytest.mark.parametrize("path", STARTERS, ids=lambda path: path.stem)
def test_a_starter_has_no_problem_and_its_tests_pass_and_go_every_way(path: Path) -> None:
    text = path.read_text("utf-8")
    loaded = load([(path.name, text)])
    assert loaded.problems == ()
    assert formatted(text, path.name) == Formatted(text)
    tests = of_files(loaded)
    assert len(tests) >= 4
    with Play([(path.name, text)]) as play:
        results = list(play_all(play, tests))
    assert [one.test.name for one in results if not one.passed] == []
    covered = coverage(ways(loaded), (walk for one in results for walk in one.walks))
    assert [way.path for way in covered.missed] == []


def test_a_shop_may_take_all_of_them() -> None:
    files = [(path.name, path.read_text("utf-8")) for path in STARTERS]
    loaded = load(files)
    assert loaded.problems == ()
    assert len(STARTERS) == 5
    with Play(files) as play:
        assert [one.test.name for one in play_all(play, of_files(loaded)) if not one.passed] == []


def test_the_guide_and_the_readme_name_them() -> None:
    told = (ROOT / "docs" / "guide.md").read_text("utf-8")
    assert [path.stem for path in STARTERS if f"`{path.stem}`" not in told] == []
    assert "flows new price-list" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", [*STARTERS, ROOT / "flows.example.yaml"], ids=lambda path: path.stem)
def test_nothing_comes_of_itself_after_a_human_took_over(path: Path) -> None:
    """The booking of somebody who was not understood went on with the next question 12 hours later."""
    loaded = load([(path.name, path.read_text("utf-8"))])
    for flow in [compile_flow(one.id, one.body, timezone="UTC") for one in loaded.flows]:
        for step in flow.steps.values():
            if isinstance(step, HandOver):
                assert step.at.next is None or isinstance(flow.steps[step.at.next], Stop)
