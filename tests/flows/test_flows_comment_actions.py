"""Steps on the message or comment that started a run: where they do nothing, and what cannot follow them."""

import pytest

from pamosnik.flows.problems import Severity
from tests.flows.files import found, read

_COMMENT, _BOTH = "{ comment: x }", "[{ comment: x }, { dm: x }]"


def _codes(steps: str, when: str) -> list[tuple[str, Severity]]:
    text = f"version: 1\nflows:\n  shop:\n    when: {when}\n    limits: once\n    do: {steps}\n"
    return [(problem.code, problem.severity) for problem in read(text).problems]


@pytest.mark.parametrize(
    ("steps", "when", "code"),
    [
        ("[hide_comment]", "{ dm: x }", "no-comment"),
        ("[delete_comment]", "story_mention", "no-comment"),
        ("[{ react: ❤️ }]", _COMMENT, "no-message-here"),
        ("[{ react: ❤️ }]", "reaction", "no-message-here"),
        ("[{ send: { text: a, quote: true } }]", _COMMENT, "no-message-here"),
    ],
)
def test_where_a_step_does_nothing(steps: str, when: str, code: str) -> None:
    assert _codes(steps, when) == [(code, Severity.WARNING)]


@pytest.mark.parametrize(
    ("steps", "when"),
    [
        ("[hide_comment, delete_comment]", _COMMENT),
        ("[hide_comment, { react: ❤️ }]", _BOTH),
        ("[{ react: 👍🏽 }]", "[{ dm: x }, story_mention]"),
        ("[{ send: a }, delete_comment]", _COMMENT),
        ("[hide_comment, { send: a }]", _COMMENT),
        ("[{ reply_publicly: { one_of: [A., B., C.] } }, hide_comment]", _COMMENT),
        ("[{ choose: [{ if: first_time, do: [delete_comment, stop] }] }, { send: a }]", _COMMENT),
        ("[{ send: { text: a, buttons: [{ label: b, do: [delete_comment, { send: c }] }] } }]", _COMMENT),
    ],
)
def test_where_they_are_right(steps: str, when: str) -> None:
    assert _codes(steps, when) == []


def test_a_flow_that_another_one_goes_on_in_may_have_a_comment_behind_it() -> None:
    text = (
        "version: 1\nflows:\n  a: { when: { comment: x }, limits: once, do: [{ run: b }] }\n"
        "  b: { when: { dm: x }, do: [hide_comment] }\n"
    )
    assert found(text) == []


@pytest.mark.parametrize(
    "steps",
    [
        "[delete_comment, { send: a }]",
        "[delete_comment, { ask: a }]",
        "[hide_comment, { reply_publicly: { one_of: [A., B., C.] } }]",
        "[{ send: a }, delete_comment, { reply_publicly: { one_of: [A., B., C.] } }]",
        "[{ choose: [{ if: first_time, do: [delete_comment] }] }, { send: a }]",
        "[hide_comment, { choose: [{ if: first_time, do: [{ reply_publicly: { one_of: [A., B., C.] } }] }] }]",
    ],
)
def test_what_instagram_refuses_once_the_comment_is_gone(steps: str) -> None:
    assert _codes(steps, _COMMENT) == [("comment-gone", Severity.ERROR)]
    assert _codes(steps, _BOTH) == [("comment-gone", Severity.ERROR)]


@pytest.mark.parametrize("step", ["hide_comment", "delete_comment"])
def test_a_broadcast_allows_neither(step: str) -> None:
    assert _codes(f"[{step}]", "live_comment") == [("live-comment-action", Severity.ERROR)]


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("- react: nice", (7, 16, "emoji-expected")),
        ("- react: ❤️❤️", (7, 16, "emoji-expected")),
        ("- react", (7, 9, "missing-value")),
        ("- hide_comment: yes", (7, 23, "needs-nothing")),
        ("- hide_coment", (7, 9, "unknown-step")),
    ],
)
def test_what_is_written_wrong(step: str, place: tuple[int, int, str]) -> None:
    head = "version: 1\nflows:\n  a:\n    when: [{ comment: x }, { dm: x }]\n    limits: once\n    do:\n"
    assert found(f"{head}      {step}\n") == [place]
