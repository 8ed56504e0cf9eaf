"""A problem says what was meant, in words."""

import pytest

from pamosnik.flows import patterns
from pamosnik.flows.problems import Problem, Severity, render
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
        ("- clear: gusts", (8, 16, "unknown-field"), "guests"),
        ("- send: { text: a, butons: [b] }", (8, 26, "unknown-key"), "buttons"),
        ("- wait: { for: 3h, if_window_closed: skp }", (8, 44, "unknown-word"), "skip"),
        ("- send: '{gusts|?}'", (8, 16, "unknown-variable"), "guests"),
    ],
)
def test_a_close_name_is_offered(step: str, expected: tuple[int, int, str], meant: str) -> None:
    (problem,) = read(_flow(step)).problems
    assert place(problem) == expected
    assert problem.hint == f"Did you mean `{meant}`?"


def test_a_mapping_in_the_place_of_a_word_is_called_so() -> None:
    """It was the "unknown word: `this`"."""
    (problem,) = read(_flow("- wait_for: { answer: { tap: Yes }, up_to: 1h }")).problems
    assert problem.code == "unknown-word"
    assert problem.message == "one word is expected here, and this is a key with a value"
    assert problem.hint == "Write `any`."


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
    assert read(_flow("- send: { one_of: [Hi, Hello, Good day] }")).problems == (), "a list of texts"


def test_a_colon_in_a_text_is_said_in_plain_words() -> None:
    (problem,) = read(_flow("- send: Hours: nine to five")).problems
    assert place(problem) == (8, 20, "yaml-colon")
    assert problem.message == "a text with `: ` in it needs quotes"


def test_flows_that_start_each_other_name_themselves() -> None:
    text = "version: 1\nflows:\n  a: { do: [{ run: b }] }\n  b: { do: [{ run: a }] }\n"
    problems = read(text).problems
    assert [place(problem) for problem in problems] == [(3, 13, "loop"), (4, 13, "loop")]
    assert read(text.replace("[{ run: a }]", "[{ ask: Why? }, { run: a }]")).problems == ()


def test_a_clash_names_the_word_and_both_flows() -> None:
    text = (
        "version: 1\nflows:\n  a: { when: { dm: [list, Price] }, do: [stop] }\n"
        "  b: { when: { dm: price }, do: [stop] }\n"
    )
    (problem,) = read(text).problems
    assert problem.code == "clash"
    assert all(word in problem.message for word in ("price", "`a`", "`b`"))


@pytest.mark.parametrize(
    ("step", "expected", "hint"),
    [
        ("- send: {username}", (8, 15, "braces-without-quotes"), 'Write it like: "{username}"'),
        (
            "- hand_over: { note: {first_name|?} }",
            (8, 28, "braces-without-quotes"),
            'Write it like: "{first_name|?}"',
        ),
        ("- send: {text}", (8, 15, "braces-without-quotes"), 'Write it like: "{text}"'),
        (
            "- choose: [{ send: a }]",
            (8, 18, "branch-expected"),
            "Write it like: - if: first_time, and under it: do: …",
        ),
        (
            "- choose: [{ if: { has_tag: a, b }, do: [stop] }]",
            (8, 38, "comma-in-braces"),
            "Give each tag a line of its own: - has_tag: b",
        ),
        ("- { send: Hello, friend }", (8, 24, "comma-in-braces"), "Put the text in double quotes."),
        ("- { tag: a, b }", (8, 19, "comma-in-braces"), "Put several into [ ]: tag: [a, b]"),
        ("- send: [a, b]", (8, 15, "text-expected"), "Write one; variants of a text go under `one_of:`."),
        ("- -send: a", (8, 9, "unknown-step"), "Write it like: - send"),
        ("- send:a", (8, 9, "unknown-step"), "Write it like: send: a"),
        ("- tag: my tag", (8, 14, "bad-name"), "Write it like: my-tag"),
        ("- send: Hi {gusts|?} and {fist_name|?}", (8, 18, "unknown-variable"), "Did you mean `guests`?"),
        (
            "- if: first_time\n        do: [stop]",
            (8, 9, "choose-missing"),
            "Write `- choose:` above it, and put every `- if:` and `- else:` four spaces deeper.",
        ),
    ],
)
def test_what_to_write_instead(step: str, expected: tuple[int, int, str], hint: str) -> None:
    problem = next(p for p in read(_flow(step)).problems if p.severity is Severity.ERROR)
    assert (place(problem), problem.hint) == (expected, hint)


def test_several_texts_in_a_test_are_several_steps() -> None:
    expected = "    tests: [{ steps: [{ dm: price }, { expect: { dm: [a, b] } }] }]\n"
    [problem] = [p for p in read(_flow("- send: a") + expected).problems if p.code == "text-expected"]
    assert problem.hint == "Write one; each further one gets a step of its own."


def test_a_key_that_is_misspelt_is_not_missing_besides() -> None:
    problems = read(_flow("- ask: { qestion: a }")).problems
    assert [(problem.code, problem.hint) for problem in problems] == [
        ("unknown-key", "Did you mean `question`?")
    ]


def test_words_without_brackets_in_a_trigger() -> None:
    (problem,) = read(_flow("- stop").replace("{ dm: price }", "[{ dm: price, offer }]")).problems
    assert (place(problem), problem.hint) == (
        (5, 25, "comma-in-braces"),
        "Put several into [ ]: dm: [price, offer]",
    )


def test_curly_quotes_around_a_text() -> None:
    (problem,) = read(_flow("- send: “Hello”")).problems
    assert (problem.severity, place(problem)) == (Severity.WARNING, (8, 15, "curly-quotes"))
    assert read(_flow('- send: "“Hello”"')).problems == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flows: {}\n", "a flow file needs the line `version: 1`; put it at the top"),
        ("version: 2\n", "this version of Pamosnik reads flow files of version 1"),
        ("version: 1\nflows:\n  a: { when: { dm: x } }\n", "a flow needs `do:`, the steps"),
    ],
)
def test_what_a_file_must_have_is_said_in_plain_words(text: str, message: str) -> None:
    assert [problem.message for problem in read(text).problems] == [message]


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("(a", "a ( is opened and not closed"),
        ("[a", "a [ is opened and not closed"),
        ("*a", "nothing stands before the *, + or ? that it could repeat"),
        ("(?=a)", "looking ahead or behind with (?= or (?! is not possible here"),
        ("a\\", "it ends with a single \\"),
        ("\\y", "a \\ stands before a character that means nothing special"),
        (r"\bcen\w+\b", None),
    ],
)
def test_a_pattern_is_refused_in_plain_words(pattern: str, wrong: str | None) -> None:
    """Python's own way of writing bytes was shown."""
    assert patterns.error(pattern) == wrong


def test_a_long_line_is_cut_around_the_place_and_wide_letters_move_the_caret() -> None:
    (problem,) = read(_flow(f"- send: '{'x' * 300}{{gusts|?}}{'y' * 300}'")).problems
    _, line, caret, _ = render(problem, _flow(f"- send: '{'x' * 300}{{gusts|?}}{'y' * 300}'")).split("\n")
    assert line[len(caret) - 1 :].startswith("{gusts|?}")
    assert len(line) < 180
    wide = Problem("a.yaml", 1, 3, Severity.ERROR, "x", "x")
    assert render(wide, "价格x").split("\n")[2] == "        ^"
