"""Files with a mistake are refused at its line, in words that help; files without one are not."""

import pytest

from pamosnik.flows.load import load
from pamosnik.flows.problems import Problem, Severity
from tests.flows.corpus_files import Case, Expected, cases


@pytest.mark.parametrize("case", cases("invalid"), ids=lambda case: case.title)
def test_invalid(case: Case) -> None:
    problems = load(list(case.files.items())).problems
    shown = "\n".join(map(str, problems)) or "nothing was found"
    assert case.expected, "no mark in this case"
    missing = [one for one in case.expected if not any(_is_meant(one, problem) for problem in problems)]
    assert missing == [], shown
    unexpected = [
        problem
        for problem in problems
        if problem.severity is not Severity.NOTE and not any(_is_meant(one, problem) for one in case.expected)
    ]
    assert unexpected == [], shown


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.title)
def test_valid(case: Case) -> None:
    problems = load(list(case.files.items())).problems
    assert [problem for problem in problems if problem.severity is not Severity.NOTE] == []


def test_the_corpus_stays_large() -> None:
    assert len(cases("invalid")) > 450
    assert len(cases("valid")) > 100


def _is_meant(expected: Expected, problem: Problem) -> bool:
    said = f"{problem.message} {problem.hint or ''}".casefold()
    return (
        (problem.file, problem.line, problem.severity) == (expected.file, expected.line, expected.severity)
        and expected.column in (None, problem.column)
        and all(word.casefold() in said for word in expected.words)
    )
