"""One mistake hides no other, and brings none with it that is not there."""

from pathlib import Path

import pytest

from pamosnik.flows.load import load, read_files
from tests.flows.files import found, place, read


def _problems(*files: tuple[str, str]) -> list[tuple[str, int, str]]:
    written = [(name, f"version: 1\n{text}") for name, text in files]
    return [(p.file, p.line, p.code) for p in load(written).problems]


def test_every_kind_of_error_of_a_file_is_shown_together() -> None:
    """Only the first two were shown: the others came after those were mended."""
    text = """\
version: 1
flows:
  a:
    whn:
      - dm: x
    do:
      - sned: "hi"
      - send: "{fistname|x}"
      - run: nowhere
  b:
    when: [{dm: STOP}]
    do:
      - send: {text: x, buttons: [{label: "aaaaaaaaaaaaaaaaaaaaaaaa", do: [stop]}]}
"""
    assert found(text) == [
        (4, 5, "unknown-key"),
        (7, 9, "unknown-step"),
        (8, 16, "unknown-variable"),
        (9, 14, "unknown-flow"),
        (11, 17, "safety-word"),
        (13, 43, "label-too-long"),
    ]


def test_a_flow_that_stands_twice_hides_nothing_in_other_files_nor_in_its_second_copy() -> None:
    assert _problems(
        ("a.yaml", "flows: { a: { do: [stop] } }\n"),
        ("b.yaml", "flows:\n  a: { do: [{ run: there }, { tag: vip }] }\n"),
        ("c.yaml", "flows:\n  c: { only_if: { has_tag: vip }, do: [{ run: nowhere }] }\n"),
    ) == [
        ("b.yaml", 3, "said-twice"),
        ("b.yaml", 3, "unknown-flow"),
        ("b.yaml", 3, "unreachable"),
        ("c.yaml", 3, "unknown-flow"),
    ]


_ASKS = "flows: { b: { only_if: { has_tag: vip }, do: [{ send: '{size|?} {price}' }, { run: a }] } }\n"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (
            "fields: { size: txt }\nfacts: { price: x }\nflows: { a: { do: [{ tag: vip }] } }\n",
            "unknown-word",
        ),
        (
            "feilds: { size: text }\nfacts: { price: x }\nflows: { a: { do: [{ tag: vip }] } }\n",
            "unknown-key",
        ),
        (
            "fields: { size: text }\nfacts: { price: x }\nflows: { a: { dos: [{ tag: vip }], do: [stop] } }\n",
            "unknown-key",
        ),
        (
            "fields: { size: text }\nfacts: { price: x }\nflows: { a: { do: [{ tga: vip }] } }\n",
            "unknown-step",
        ),
        (
            "fields: { size: text }\nfacts: { price: x }\nflows: { a: { do: [{ tag: vip }, { send: a: b }] } }\n",
            "yaml-brackets",
        ),
    ],
)
def test_what_stands_in_a_broken_part_is_not_unknown_elsewhere(file: str, code: str) -> None:
    assert [(name, found) for name, _, found in _problems(("a.yaml", file), ("b.yaml", _ASKS))] == [
        ("a.yaml", code)
    ]


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        ("when: { comment: x }\n    limts: once\n    do: [{ send: a }]", "unknown-key"),
        (
            "when: { comment: x }\n    limits: once\n    do: [{ aks: a }, { send: b }, { aks: c }]",
            "unknown-step",
        ),
        ("whn: { comment: x }\n    do: [{ send: '{username}' }]", "unknown-key"),
        (
            "when: { dm: x }\n    do: [{ wait: { for: 30h, if_window_closed: skp } }, { send: a }]",
            "unknown-word",
        ),
        ("when: { dm: x }\n    do: [{ send: { txt: a } }, { wait: { four: 3h } }]", "unknown-key"),
        (
            "when: { dm: x }\n    do: [{ choose: [{ if: first_tim, do: [stop] }, { else: [stop] }] }, { tag: x }]",
            "",
        ),
        ("when: { dm: { wrds: x } }\n    do: [stop]\n  b: { when: dm, do: [stop] }", "unknown-key"),
    ],
)
def test_a_broken_part_brings_no_error_of_its_own(flow: str, code: str) -> None:
    codes = {problem.code for problem in read(f"version: 1\nflows:\n  a:\n    {flow}\n").problems}
    assert codes == ({code} if code else {"unknown-condition", "missing-key", "unreachable"} & codes)
    assert code or "unreachable" in codes


def test_a_flow_that_stands_twice_leaves_problems_of_other_files_where_they_are() -> None:
    assert _problems(
        ("a.yaml", "facts: { name: x }\nflows: { a: { do: [stop] } }\n"),
        ("b.yaml", "flows: { a: { do: [{ tag: x }] } }\n"),
    ) == [("a.yaml", 2, "name-taken"), ("b.yaml", 2, "said-twice")]


def test_a_file_that_is_no_text_is_a_problem_and_the_others_are_checked(tmp_path: Path) -> None:
    """It ended the command, and nothing else was checked."""
    strange, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    strange.write_bytes("version: 1\n".encode("utf-16"))
    other.write_text("version: 1\nflows: { b: { do: [{ sned: x }, { run: a }] } }\n", encoding="utf-8")
    problems = load(read_files([strange, other])).problems
    assert [(Path(p.file).name, *place(p)) for p in problems] == [
        ("a.yaml", 1, 1, "not-utf-8"),
        ("b.yaml", 2, 22, "unknown-step"),
    ]
    assert problems[0].hint is not None
    assert "UTF-8" in problems[0].hint


@pytest.mark.parametrize(
    "flow", ["a: hello", "a: []", "a: [x]", "a:", "a: {}", "a: { do: {} }", "a: { do: [[]] }"]
)
def test_a_flow_that_is_none_is_an_error_and_no_crash(flow: str) -> None:
    assert read(f"version: 1\nflows:\n  {flow}\n").has_errors
