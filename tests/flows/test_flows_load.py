"""Several files become one outcome; what applying it would change is told beforehand."""

from pathlib import Path
from typing import Any

import pytest

from pamosnik.errors import UsageError
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.load import AppliedSource, find_files, load, read_files
from pamosnik.flows.problems import Severity

_ROOT = Path(__file__).parents[2]


def _file(name: str, rest: str) -> tuple[str, str]:
    return name, f"version: 1\n{rest}"


def test_files_are_merged_entry_by_entry() -> None:
    loaded = load(
        [
            _file("a.yaml", "facts: { one: x }\nflows: { a: { do: [{ send: '{two}' }] } }\n"),
            _file("b.yaml", "facts: { one: x, two: y }\nflows: { b: { do: [{ run: a }] } }\n"),
        ]
    )
    assert loaded.problems == ()
    assert [(flow.id, flow.file, flow.line) for flow in loaded.flows] == [
        ("a", "a.yaml", 3),
        ("b", "b.yaml", 3),
    ]
    assert loaded.settings["facts"] == {"one": "x", "two": "y"}


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("flows: { a: { do: [stop] } }\n", "flows: { a: { do: [stop] } }\n", "a.yaml:2"),
        ("facts: { one: x }\n", "facts: { one: y }\n", "a.yaml:2"),
        ("hours: { open: sat }\n", "hours: { open: sun }\n", "a.yaml:2"),
        ("timezone: UTC\n", "timezone: Europe/Warsaw\n", "a.yaml:2"),
    ],
)
def test_two_values_for_one_thing_name_both_places(first: str, second: str, named: str) -> None:
    (problem,) = load([_file("a.yaml", first), _file("b.yaml", second)]).problems
    assert (problem.file, problem.line, problem.code) == ("b.yaml", 2, "said-twice")
    assert named in problem.message


def test_the_outcome_is_checked_together_with_what_stays() -> None:
    applied = AppliedSource(
        flows={"old": {"when": [{"trigger": "dm", "words": ["price"]}], "do": [{"do": "stop"}]}},
        settings={"facts": {"prices": "x"}},
    )
    text = "flows: { new: { when: { dm: price }, do: [{ send: '{prices}' }, { run: old }] } }\n"
    problems = load([_file("a.yaml", text)], applied=applied).problems
    assert [problem.code for problem in problems] == ["clash"]


def test_hours_of_several_files_and_of_what_stays_are_one_list() -> None:
    asks = "flows: { a: { do: [choose: [{ if: { during: %s }, do: [stop] }, { else: [{ tag: x }] }]] } }\n"
    applied = AppliedSource(settings={"hours": {"late": [{"from": "22:00"}]}})
    files = [
        _file("a.yaml", 'hours: { open: { days: mon to fri, from: "09:00" } }\n'),
        _file("b.yaml", "hours: { open: { days: mon to fri, from: '9:00' }, holidays: 2026-12-25 }\n"),
    ]
    for name in ("open", "holidays", "late"):
        loaded = load([*files, _file("c.yaml", asks % name)], applied=applied)
        assert loaded.problems == ()
    assert list(compile_settings(loaded.settings).hours) == ["late", "open", "holidays"]
    (problem,) = load([*files, _file("c.yaml", asks % "holiday")], applied=applied).problems
    assert (problem.code, problem.hint) == ("unknown-hours", "Did you mean `holidays`?")


def test_finding_files(tmp_path: Path) -> None:
    (tmp_path / "shops").mkdir()
    for name in ("b.yaml", "a.yml", "notes.txt", "shops/c.yaml"):
        (tmp_path / name).write_text("version: 1\n", encoding="utf-8")
    assert find_files([tmp_path]) == [tmp_path / "a.yml", tmp_path / "b.yaml", tmp_path / "shops/c.yaml"]
    assert find_files([tmp_path / "notes.txt"]) == [tmp_path / "notes.txt"]
    with pytest.raises(UsageError):
        find_files([tmp_path / "missing.yaml"])


def test_the_example_file_has_no_problem_and_compiles() -> None:
    loaded = load(read_files([_ROOT / "flows.example.yaml"]))
    assert loaded.problems == ()
    compile_settings(loaded.settings)
    for flow in loaded.flows:
        assert compile_flow(flow.id, flow.body, timezone="UTC").steps


def _codes(text: str, **known: Any) -> list[tuple[int, str, str | None]]:
    return [(p.line, p.code, p.hint) for p in load([_file("a.yaml", text)], **known).problems]


_AT = "flows: { a: { connections: [%s], when: { dm: x }, do: [stop] } }\n"


def test_a_username_that_is_not_connected_is_a_note_for_validate_and_an_error_for_apply() -> None:
    """`connections: [shpo]` went live and took nothing."""
    (note,) = load([_file("a.yaml", _AT % "shpo")]).problems
    assert (note.severity, note.code) == (Severity.NOTE, "connection-unseen")
    assert _codes(_AT % "shpo", connected=("shop",)) == [(2, "unknown-connection", "Did you mean `shop`?")]
    assert _codes(_AT % "shop", connected=()) == [(2, "unknown-connection", "Try: pamosnik connect")]
    assert _codes(_AT % "Shop", connected=("shop",)) == []


def test_was_names_a_flow_that_is_gone() -> None:
    """`was: b` with `b` still there passed, and hid `b` from the checks."""
    both = "flows:\n  a: { was: b, do: [stop] }\n  b: { do: [stop] }\n"
    assert [(line, code) for line, code, _ in _codes(both)] == [(3, "was-still-there")]
    alone = "flows:\n  a: { was: b, do: [stop] }\n"
    body = {"do": [{"do": "stop"}]}
    assert _codes(alone, applied=AppliedSource({"b": body})) == []
    beside = _codes(alone, applied=AppliedSource({"a": body, "b": body}))
    assert [code for _, code, _ in beside] == ["was-still-there"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    """Its flows were said to stand in two files."""
    (tmp_path / "shops").mkdir()
    first, other = tmp_path / "b.yaml", tmp_path / "a.yaml"
    for file in (first, other):
        file.write_text("version: 1\n")
    assert find_files([first, other, tmp_path / "shops" / ".." / "b.yaml"]) == [first, other]
