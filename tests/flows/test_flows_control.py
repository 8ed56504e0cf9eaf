"""Steps that steer: ways by chance, counting, going back."""

import pytest

from pamosnik.model.step import AddToFields, Again, Split
from tests.flows.files import compiled, found, read

_TOP = "fields: { points: number, left: number, email: email }"


def _flow(step: str, when: str = "dm: price") -> str:
    """One step on line 8, column 7."""
    head = f"version: 1\n{_TOP}\nflows:\n  shop:\n    when: {{ {when} }}\n    limits: {{ per_person: 1h }}\n"
    return f"{head}    do:\n      {step}\n"


def _said(step: str) -> list[tuple[str, str | None]]:
    return [(problem.message, problem.hint) for problem in read(_flow(step)).problems]


# --- split -----------------------------------------------------------------------------------------------


def test_the_ways_of_a_split_go_on_after_it() -> None:
    ways = "a: { share: 30, do: [{ tag: x }, { tag: y }] }, b: { share: 70 }"
    flow = compiled(_flow(f"- split: {{ {ways} }}\n      - tag: z"))
    split = flow.steps["do.0"]
    assert isinstance(split, Split)
    assert [(way.name, way.percent, way.first) for way in split.shares] == [
        ("a", 30, "do.0.split.0.do.0"),
        ("b", 70, "do.1"),
    ]
    assert flow.steps["do.0.split.0.do.1"].at.next == "do.1"


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ("{ a: { share: 50, do: [stop] }, b: { share: 40 } }", (8, 9, "bad-shares")),
        ("{ a: { share: 50, do: [stop] }, b: { share: 60 } }", (8, 9, "bad-shares")),
        ("{ a: { share: 99, do: [stop] } }", (8, 9, "bad-shares")),
        ("{ a: { share: 50 }, b: { share: 50 } }", (8, 9, "empty-split")),
        ("{ a: { share: 50%, do: [stop] }, b: { share: 50 } }", (8, 30, "number-expected")),
        ("{ a: { share: 0, do: [stop] }, b: { share: 99 } }", (8, 30, "number-expected")),
        ("{ a: { share: 33.3, do: [stop] }, b: { share: 66 } }", (8, 30, "number-expected")),
        ("{ a: { do: [stop] }, b: { share: 50 } }", (8, 18, "missing-key")),
        ("{ a: { share: 50, steps: [stop] }, b: { share: 50 } }", (8, 34, "unknown-key")),
        ("{ a.b: { share: 50, do: [stop] }, b: { share: 50 } }", (8, 18, "bad-name")),
        ("[a, b]", (8, 16, "mapping-expected")),
    ],
)
def test_a_split_that_is_none(ways: str, expected: tuple[int, int, str]) -> None:
    assert found(_flow(f"- split: {ways}")) == [expected]


def test_what_is_said_about_shares() -> None:
    assert _said("- split: { a: { share: 50, do: [stop] }, b: { share: 40 } }") == [
        ("the shares of this `split` add up to 90, and have to add up to 100", "Change one of them.")
    ]
    ((_, hint),) = _said("- split: { a: { share: 50 %, do: [stop] }, b: { share: 50 } }")
    assert hint == "Write: share: 50"


def test_nothing_follows_a_split_whose_ways_all_stop() -> None:
    both = "{ a: { share: 50, do: [stop] }, b: { share: 50, do: [{ tag: x }, stop] } }"
    one = "{ a: { share: 50, do: [stop] }, b: { share: 50 } }"
    assert found(_flow(f"- split: {both}\n      - tag: z")) == [(9, 9, "unreachable")]
    assert found(_flow(f"- split: {one}\n      - tag: z")) == []


def test_a_split_is_followed_like_a_choose() -> None:
    """The second message after a comment, the wait that outlasts the window, flows that start each other."""
    one = "{ a: { share: 50, do: [{ send: One }] }, b: { share: 50, do: [{ tag: x }] } }"
    split = f"- split: {one}\n      - send: Two"
    assert found(_flow(split, "comment: price")) == [(9, 9, "second-message")]
    ended = "{ a: { share: 50, do: [{ send: One }, stop] }, b: { share: 50, do: [{ tag: x }] } }"
    assert found(_flow(f"- split: {ended}\n      - send: Two", "comment: price")) == []
    waits = "{ a: { share: 50, do: [{ wait: 25h }, { send: x }] }, b: { share: 50 } }"
    assert [code for _, _, code in found(_flow(f"- split: {waits}"))] == ["wait-outlasts-window"]
    runs = "{ a: { share: 50, do: [{ run: shop }] }, b: { share: 50 } }"
    assert [code for _, _, code in found(_flow(f"- split: {runs}"))] == ["loop"]


# --- add -------------------------------------------------------------------------------------------------


def test_add_keeps_numbers_as_they_are_written() -> None:
    flow = compiled(_flow("- add: { points: 0.10, left: -3 }"))
    step = flow.steps["do.0"]
    assert isinstance(step, AddToFields)
    assert step.amounts == (("points", "0.10"), ("left", "-3"))


@pytest.mark.parametrize(
    ("amounts", "expected", "hint"),
    [
        ("{ email: 1 }", (8, 16, "wrong-field"), "Declare `email` as number, or use `set`."),
        ("{ pionts: 1 }", (8, 16, "unknown-field"), "Did you mean `points`?"),
        ("{ points: many }", (8, 24, "number-expected"), "Write it like 5, -1 or 0.50."),
        ("{ points: '1,50' }", (8, 24, "number-expected"), "Write it like 1.50."),
        ("{ points: 1e3 }", (8, 24, "number-expected"), "Write it like 5, -1 or 0.50."),
        (
            "{ points: '{points|0}' }",
            (8, 24, "number-expected"),
            "`add` takes no variables. Write it like 5, -1 or 0.50.",
        ),
    ],
)
def test_an_add_that_counts_nothing(amounts: str, expected: tuple[int, int, str], hint: str) -> None:
    step = f"- add: {amounts}"
    assert found(_flow(step)) == [expected]
    assert _said(step)[0][1] == hint


# --- again -----------------------------------------------------------------------------------------------

_BACK = "- { id: size, ask: 'Which size?' }\n      "


def test_again_knows_the_step_it_goes_back_to() -> None:
    flow = compiled(_flow(f"{_BACK}- again: size\n        at_most: 2"))
    step = flow.steps["do.1"]
    assert isinstance(step, Again)
    assert (step.step, step.first, step.at_most, step.at.next) == ("size", "do.0", 2, None)


def test_again_may_name_the_step_that_it_stands_in() -> None:
    ask = (
        "{ id: size, ask: { question: q, choices: [{ label: No, do: [{ again: size, at_most: 1 }] }, Yes] } }"
    )
    flow = compiled(_flow(f"- {ask}"))
    step = flow.steps["do.0.choices.0.do.0"]
    assert isinstance(step, Again)
    assert step.first == "do.0"


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        ("- again: size", (9, 9, "missing-key")),
        ("- { again: size, at_most: 0 }", (9, 33, "number-expected")),
        ("- { again: size, at_most: 21 }", (9, 33, "number-expected")),
        ("- { again: size, at_mots: 2 }", (9, 24, "two-verbs")),
        ("- { again: siez, at_most: 2 }", (9, 18, "unknown-id")),
        ("- { id: own, again: own, at_most: 2 }", (9, 27, "not-before")),
        ("- { again: end, at_most: 2 }\n      - { id: end, tag: x }", (9, 18, "not-before")),
        ("- { again: , at_most: 2 }", (9, 18, "id-expected")),
        ("- { again: { step: size }, at_most: 2 }", (9, 18, "id-expected")),
        ("- { tag: x, at_most: 2 }", (9, 19, "at-most-alone")),
        ("- at_most: 2", (9, 9, "at-most-alone")),
        (
            "- choose: [{ if: first_time, do: [{ id: in, tag: x }, stop] }]\n      - { again: in, at_most: 1 }",
            (10, 18, "not-before"),
        ),
        (
            "- send: { text: t, buttons: [{ label: b, do: [{ id: in, tag: x }] }] }\n"
            "      - { again: in, at_most: 1 }",
            (10, 18, "not-before"),
        ),
    ],
)
def test_an_again_that_goes_nowhere(again: str, expected: tuple[int, int, str]) -> None:
    assert [one for one in found(_flow(f"{_BACK}{again}")) if one[2] != "missing-key" or one == expected] == [
        expected
    ]


def test_what_is_said_about_again() -> None:
    assert _said(f"{_BACK}- again: size") == [
        (
            "`again` needs `at_most:` beside it, how often it may go back",
            "Write in the line below it, as far from the left as `again`: at_most: 2",
        )
    ]
    assert _said(f"{_BACK}- {{ again: siez, at_most: 2 }}") == [
        ("no step of this flow has the id `siez`", "Did you mean `size`?")
    ]
    ((_, hint),) = _said(f"{_BACK}- {{ again: size, at_mots: 2 }}")[:1]
    assert hint == "Did you mean `at_most`?"
    ((message, _),) = _said("- { again: end, at_most: 2 }\n      - { id: end, tag: x }")
    assert (
        message
        == "`again` goes back only, and the step `end` (line 9) is not before this one on any way here"
    )
