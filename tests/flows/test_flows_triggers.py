"""Triggers beside words, as people write them."""

import pytest

from pamosnik.model.trigger import (
    AdTrigger,
    LinkTrigger,
    LiveCommentTrigger,
    ReactionTrigger,
    SharedPostTrigger,
    Trigger,
)
from tests.flows.files import compiled, found, read


def _flow(trigger: str, step: str = "send: Hi") -> str:
    return (
        f"version: 1\nflows:\n  a:\n    when:\n      - {trigger}\n    limits: once\n    do:\n      - {step}\n"
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("shared_post", SharedPostTrigger()),
        ("shared_post: any", SharedPostTrigger()),
        ("shared_post: '18000000000000055'", SharedPostTrigger(("18000000000000055",))),
        (
            "shared_post: { post: ['1', 'https://instagram.com/p/Abc/'] }",
            SharedPostTrigger(("1", "https://instagram.com/p/Abc/")),
        ),
        ("reaction", ReactionTrigger()),
        ("reaction: ❤️", ReactionTrigger(("❤️",))),
        ("reaction: 1️⃣", ReactionTrigger(("1️⃣",))),
        ("reaction: '#️⃣'", ReactionTrigger(("#️⃣",))),
        ("reaction: { emoji: [love, 👍🏽] }", ReactionTrigger(("love", "👍🏽"))),
        ("link", LinkTrigger()),
        ("link: flyer-7_a=", LinkTrigger(("flyer-7_a=",))),
        ("link: { ref: [a, 007] }", LinkTrigger(("a", "007"))),
        ("ad", AdTrigger()),
        ("ad: 23850000000000001", AdTrigger(("23850000000000001",))),
        ("ad: { ads: ['1', '2'] }", AdTrigger(("1", "2"))),
    ],
)
def test_written_and_meant(written: str, expected: Trigger) -> None:
    assert compiled(_flow(written)).triggers == (expected,)


@pytest.mark.parametrize("written", ["reaction: #️⃣", "dm: #sale"])
def test_a_hash_without_quotes_begins_a_comment(written: str) -> None:
    (problem,) = read(_flow(written)).problems
    assert (problem.line, problem.code, problem.severity) == (5, "comment-cuts-text", "warning")
    assert read(_flow(written.partition(":")[0])).problems == ()


def test_a_live_comment_has_words() -> None:
    (trigger,) = compiled(_flow("live_comment: [price, 'cen*']")).triggers
    assert isinstance(trigger, LiveCommentTrigger)
    assert trigger.words is not None
    assert trigger.words.words == ("price", "cen*")


@pytest.mark.parametrize(
    ("written", "column", "code", "hint"),
    [
        ("reaction: ok", 19, "emoji-expected", "Write it like: reaction: ❤️"),
        ("reaction: ❤️🔥", 19, "emoji-expected", "Write several as a list: [❤️, 🔥]"),
        (
            "link: 'fly er'",
            15,
            "ref-expected",
            "Take letters from a to z, digits, _ and -.",
        ),
        (
            "link: https://ig.me/m/rose.shop?ref=flyer7",
            15,
            "ref-expected",
            "Write what stands behind `ref=`: flyer7",
        ),
        (f"link: {'x' * 251}", 15, "ref-too-long", None),
        ("ad: autumn", 13, "ad-expected", "Write the ad's number, as Ads Manager shows it."),
        (
            "shared_post: next",
            22,
            "post-expected",
            "Write `any` (alone), an id, or a link like https://www.instagram.com/p/ABC/.",
        ),
        ("reacton: ❤️", 9, "unknown-trigger", "Did you mean `reaction`?"),
    ],
)
def test_what_is_none_is_said(written: str, column: int, code: str, hint: str | None) -> None:
    (problem,) = [p for p in read(_flow(written)).problems if p.severity == "error"]
    assert (problem.line, problem.column, problem.code, problem.hint) == (5, column, code, hint)


def test_a_live_comment_cannot_be_answered_in_public() -> None:
    step = "reply_publicly: { one_of: [A, B, C] }"
    assert found(_flow("live_comment: price", step)) == [(8, 9, "live-comment-action")]
    both = _flow("live_comment: price\n      - comment: price", step)
    assert [code for *_, code in found(both)] == ["live-comment-action"]


def test_after_a_live_comment_only_one_message_goes() -> None:
    two = "send: One\n      - send: Two"
    (problem,) = read(_flow("live_comment: price", two)).problems
    assert (problem.code, problem.severity) == ("second-message", "error")
    (problem,) = read(_flow("live_comment: price\n      - dm: price", two)).problems
    assert (problem.code, problem.severity) == ("second-message", "warning")


def _two(first: str, second: str) -> list[str]:
    flows = f"  a: {{ when: {{ {first} }}, do: [stop] }}\n  b: {{ when: {{ {second} }}, do: [stop] }}\n"
    return [problem.code for problem in read(f"version: 1\nflows:\n{flows}").problems]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("reaction: ❤️", "reaction: [🔥, love]"),
        ("link: flyer7", "link: [other, flyer7]"),
        ("ad: '1'", "ad: { ads: ['2', '1'] }"),
        ("shared_post: '9'", "shared_post: { post: ['8', '9'] }"),
        ("reaction: {}", "reaction: {}"),
        ("link: {}", "link: {}"),
    ],
)
def test_two_flows_for_the_same_clash(first: str, second: str) -> None:
    assert _two(first, second) == ["clash"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("reaction: ❤️", "reaction: {}"),
        ("link: flyer7", "link: Flyer7"),
        ("link: '1'", "ad: '1'"),
        ("shared_post: '9'", "shared_post: any"),
    ],
)
def test_a_named_one_and_any_do_not_clash(first: str, second: str) -> None:
    assert _two(first, second) == []
