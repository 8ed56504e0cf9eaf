"""YAML as people write it: nothing is guessed, and what is refused is refused at its place."""

import pytest

from pamosnik.flows import source
from pamosnik.flows.problems import Problem, Severity, render
from pamosnik.flows.source import Mapping, Mark, Scalar, Sequence
from tests.flows.files import found


def _only_problem(text: str) -> tuple[int, int, str]:
    (problem,) = source.read(text, "shop.yaml")[1]
    assert problem.file == "shop.yaml"
    return problem.line, problem.column, problem.code


@pytest.mark.parametrize("written", ["no", "on", "y", "03", "1e3", "09:00", "null", "0x1F", "600100200"])
def test_a_scalar_stays_what_was_written(written: str) -> None:
    node, problems = source.read(f"key: {written}\n", "shop.yaml")
    assert problems == []
    assert isinstance(node, Mapping)
    assert node.entries[0][1] == Scalar(written, plain=True, mark=Mark(1, 6))


def test_columns_count_characters() -> None:
    node, _ = source.read('{ "💌ż": x }\n', "shop.yaml")
    assert isinstance(node, Mapping)
    assert node.entries[0][1].mark == Mark(1, 9)


def test_an_alias_is_what_it_names() -> None:
    node, problems = source.read("a: &words [one, two]\nb: *words\n", "shop.yaml")
    assert problems == []
    assert isinstance(node, Mapping)
    first, second = (value for _, value in node.entries)
    assert isinstance(second, Sequence)
    assert first == second


def test_an_empty_file_has_no_tree_and_no_problem() -> None:
    assert source.read("# nothing yet\n", "shop.yaml") == (None, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("send: Hours: nine\n", (1, 12, "yaml-colon")),
        ("send: @anna\n", (1, 7, "yaml-character")),
        ("send: %x\n", (1, 7, "yaml-character")),
        ("send: *sale\n", (1, 7, "yaml-alias")),
        ("send: !x y\n", (1, 7, "tag")),
        ('send: "a\\0b"\n', (1, 7, "nul")),
        ('send: "open\n', (1, 7, "yaml-quotes")),
        ("words: [a, b\nsend: x\n", (1, 8, "yaml-brackets")),
        ("flows:\n\ta: 1\n", (2, 1, "tab")),
        ("flows:\n  a: 1\n \u00a0b: 2\n", (3, 2, "no-break-space")),
        ("a: 1\nb: 2\na: 3\n", (3, 1, "duplicate-key")),
        ("a: &a [*a]\n", (1, 8, "recursion")),
        ("a: &a {x: 1}\nb: {<<: *a}\n", (2, 5, "merge-key")),
        ("[a]: b\n", (1, 1, "yaml-key")),
        ("a: 1\n---\nb: 2\n", (2, 1, "documents")),
        ("a: \x07\n", (1, 1, "yaml")),
    ],
)
def test_what_is_refused(text: str, expected: tuple[int, int, str]) -> None:
    assert _only_problem(text) == expected


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 6):
        before = ", ".join([f"*a{number - 1}"] * 10)
        lines.append(f"a{number}: &a{number} [{before}]")
    assert _only_problem("\n".join(lines))[2] == "too-many"


def test_what_is_nested_too_deeply_is_refused_where_it_is() -> None:
    """It was a traceback: whoever reads the tree goes as deep as the tree."""
    levels = source.MAX_DEPTH - 2  # the mapping, and the x
    assert source.read(f"a: {'[' * levels}x{']' * levels}", "deep.yaml")[1] == []
    assert _only_problem(f"a: {'[' * levels}[x]{']' * levels}") == (1, levels + 5, "too-deep")


def test_names_of_names_of_names_nest_as_well() -> None:
    lines = ["a0: &a0 [x]", *(f"a{number}: &a{number} [*a{number - 1}]" for number in range(1, 500))]
    line, _, code = _only_problem("\n".join(lines))
    assert (line, code) == (source.MAX_DEPTH - 1, "too-deep")


def test_many_values_are_read_and_too_many_refused() -> None:
    """Ten thousand keywords fit in one file; the limit is not for them."""
    assert source.read(f"a: [{'word, ' * 60_000}]", "many.yaml")[1] == []
    assert _only_problem(f"a: [{'b,' * source.MAX_VALUES}]")[2] == "too-many"


def test_a_file_over_one_mebibyte_is_refused() -> None:
    assert _only_problem("# " + "x" * source.MAX_BYTES) == (1, 1, "too-big")


def test_a_problem_is_shown_with_its_line_and_a_caret() -> None:
    problem = Problem(
        "shop.yaml", 2, 3, Severity.ERROR, "unknown-step", "unknown step: `sned`", "Look again."
    )
    assert render(problem, "do:\n- sned: x\n").splitlines() == [
        "shop.yaml:2:3: error: unknown step: `sned` [unknown-step]",
        "    - sned: x",
        "      ^",
        "    Look again.",
    ]


@pytest.mark.parametrize(
    ("line", "column", "code", "hint"),
    [
        ("- send: 'It's here'", 12, "yaml-quotes-inside", 'Write it like: "It\'s here"'),
        ("- send: 'It's here", 12, "yaml-quotes-inside", 'Write it like: "It\'s here"'),
        ('- send: "He said "hi" to me"', 18, "yaml-quotes-inside", "Write it like: 'He said \"hi\" to me'"),
        ('- send: "price" offer', 15, "yaml-quotes-inside", "Write it like: '\"price\" offer'"),
        ("- dm: ['it's', that]", 11, "yaml-quotes-inside", 'Write it like: "it\'s"'),
        ("- send: {username} hi", 9, "yaml-character", 'Write it like: "{username} hi"'),
        ("- { send: {username} hi }", 11, "yaml-character", 'Write it like: "{username} hi"'),
        ("- send: Hours: nine", 14, "yaml-colon", 'Write it like: send: "Hours: nine"'),
        ("- send: %50 off", 9, "yaml-character", 'Write it like: send: "%50 off"'),
        ("- send: “Hello: you”", 9, "curly-quotes", 'Type straight quotes: "…".'),
        ("- send: > x", 11, "yaml-block", None),
    ],
)
def test_a_text_that_needs_quotes_is_shown_in_them(
    line: str, column: int, code: str, hint: str | None
) -> None:
    """They were said to be indented wrongly."""
    (problem,) = source.read(f"a: b\ndo:\n  {line}\n", "shop.yaml")[1]
    assert (problem.line, problem.column, problem.code) == (3, column + 2, code)
    assert hint is None or problem.hint == hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('do:\n  - send: "Hello\n  - tag: x\n', (2, 11, "yaml-quotes")),
        ('do:\n  - send: "Hello\n  - send: "x"\n', (2, 11, "yaml-quotes")),
        ("flows:\n  a\n    when:\n      - dm: x\n", (2, 3, "yaml-key-colon")),
        ("flows:\n  a:\n    when\n      - dm: x\n", (3, 5, "yaml-key-colon")),
        ("a: b\n c: d\n", (2, 2, "yaml-indentation")),
    ],
)
def test_a_mistake_is_shown_where_it_was_made(text: str, expected: tuple[int, int, str]) -> None:
    """The end of the file, or the line after, was shown."""
    assert _only_problem(text) == expected


def test_a_line_between_two_indentations_is_told_both() -> None:
    text = "flows:\n  a:\n    when:\n      - dm: x\n   do:\n      - stop\n"
    (problem,) = source.read(text, "shop.yaml")[1]
    assert (problem.line, problem.code) == (5, "yaml-indentation")
    assert problem.hint == "It begins with 3 spaces; the lines above it begin with 2 or 4."


def test_what_stands_twice_does_not_hide_the_rest() -> None:
    text = "version: 1\nflows:\n  a: { do: [{ sned: x }] }\n  a: { do: [stop] }\n"
    assert found(text) == [(3, 15, "unknown-step"), (4, 3, "duplicate-key")]


def test_a_text_between_stars_needs_quotes() -> None:
    """It was called a wrong indentation."""
    (problem,) = source.read("a:\n  - send: *sale* today\n", "x")[1]
    assert (problem.line, problem.column, problem.code) == (2, 11, "yaml-character")
    assert problem.hint == 'Write it like: "*sale* today"'


def test_a_line_without_its_quotes_does_not_hide_the_rest() -> None:
    text = "a: Hours: nine\nb: @anna\nc: [x\n"
    assert [(one.line, one.code) for one in source.read(text, "shop.yaml")[1]][:2] == [
        (1, "yaml-colon"),
        (2, "yaml-character"),
    ]
    root, problems = source.read("a: Hours: nine\nb: ok\n", "shop.yaml")
    assert isinstance(root, source.Mapping)
    assert [(key.value, getattr(value, "value", None)) for key, value in root.entries] == [
        ("a", "Hours: nine"),
        ("b", "ok"),
    ]
    assert len(problems) == 1


def test_what_may_be_several_texts_is_not_mended() -> None:
    root, problems = source.read("a: { b: c: d, e: f }\n", "shop.yaml")
    assert root is None
    assert len(problems) == 1
