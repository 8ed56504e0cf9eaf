"""A problem says what was meant, in words."""

import pytest

from pamosnik.flows.problems import Severity
from tests.flows.files import place, read


def _flow(step: str, key: str = "limits: once") -> str:
    """The step begins in line 8, column 7."""
    return (
        "version: 1\nfields: { guests: number }\nflows:\n  shop:\n    when: { dm: price }\n"
        f"    {key}\n    do:\n      {step}\n"
    )


@pytest.mark.parametrize(
    ("step", "expected", "meant"),
    [
        ("- sned: hi", (8, 9, "unknown-step"), "send"),
        ("- run: shpo", (8, 14, "unknown-flow"), "shop"),
        ("- clear: gusts", (8, 9, "unknown-field"), "guests"),
        ("- send: { text: a, butons: [b] }", (8, 26, "unknown-key"), "buttons"),
        ("- wait: { for: 3h, if_window_closed: skp }", (8, 44, "unknown-word"), "skip"),
        ("- send: '{gusts|?}'", (8, 15, "unknown-variable"), "guests"),
    ],
)
def test_a_close_name_is_offered(step: str, expected: tuple[int, int, str], meant: str) -> None:
    (problem,) = read(_flow(step)).problems
    assert place(problem) == expected
    assert problem.hint == f"Did you mean `{meant}`?"


def test_a_close_key_of_the_file_and_of_a_flow() -> None:
    found = [
        (place(problem), problem.hint)
        for text in ("version: 1\nfield: {}\n", _flow("- stop", key="limts: once"))
        for problem in read(text).problems
    ]
    assert found == [
        ((2, 1, "unknown-key"), "Did you mean `fields`?"),
        ((6, 5, "unknown-key"), "Did you mean `limits`?"),
    ]


@pytest.mark.parametrize(
    ("written", "meant"), [("yes", "true"), ("no", "false"), ("on", "true"), ("off", "false")]
)
def test_where_true_or_false_is_expected_the_right_word_is_named(written: str, meant: str) -> None:
    (problem,) = read(_flow(f"- ask: {{ question: q, optional: {written} }}")).problems
    assert place(problem) == (8, 39, "boolean-expected")
    assert problem.hint == f"Write `{meant}`."


def test_a_comma_in_braces_and_in_brackets() -> None:
    (problem,) = read(_flow("- send: { text: Hello, friend }")).problems
    assert (problem.severity, place(problem)) == (Severity.ERROR, (8, 30, "comma-in-braces"))
    assert problem.hint == "Put the text in double quotes."
    (problem,) = read(_flow("- send: { one_of: [Hi Anna, how are you] }")).problems
    assert (problem.severity, place(problem)) == (Severity.WARNING, (8, 26, "comma-in-brackets"))
    assert read(_flow('- send: { one_of: ["Hi Anna", "how are you"] }')).problems == ()


def test_a_colon_in_a_text_is_said_in_plain_words() -> None:
    (problem,) = read(_flow("- send: Hours: nine to five")).problems
    assert place(problem) == (8, 20, "yaml-colon")
    assert problem.message == "a text with `: ` in it needs quotes"


def test_flows_that_start_each_other_name_themselves() -> None:
    text = "version: 1\nflows:\n  a: { do: [{ run: b }] }\n  b: { do: [{ run: a }] }\n"
    problems = read(text).problems
    assert [place(problem) for problem in problems] == [(3, 12, "loop"), (4, 12, "loop")]
    assert read(text.replace("[{ run: a }]", "[{ ask: Why? }, { run: a }]")).problems == ()


def test_a_clash_names_the_word_and_both_flows() -> None:
    text = (
        "version: 1\nflows:\n  a: { when: { dm: [list, Price] }, do: [stop] }\n"
        "  b: { when: { dm: price }, do: [stop] }\n"
    )
    (problem,) = read(text).problems
    assert problem.code == "clash"
    assert all(word in problem.message for word in ("price", "`a`", "`b`"))
