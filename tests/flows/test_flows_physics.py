"""What Instagram will not allow is an error in the file."""

import pytest

from pamosnik.flows.problems import Severity
from tests.flows.files import found, read

_LETTERS = [chr(ord("a") + number) for number in range(20)]


def _codes(steps: str, when: str = "{ dm: price }") -> list[tuple[str, Severity]]:
    text = f"version: 1\nflows:\n  shop:\n    when: {when}\n    limits: once\n    do:\n{steps}\n"
    return [(problem.code, problem.severity) for problem in read(text).problems]


def _labels(count: int) -> str:
    return ", ".join(_LETTERS[:count])


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (f"- send: '{'x' * 984}'", "text-too-long"),
        (f"- send: '{'💌' * 246}'", "text-too-long"),
        (f"- ask: '{'x' * 984}'", "text-too-long"),
        (f"- send: {{ text: '{'x' * 624}', buttons: [a] }}", "text-too-long"),
        (f"- send: {{ text: a, buttons: [{_labels(4)}] }}", "too-many-buttons"),
        (f"- send: {{ text: a, chips: [{_labels(14)}] }}", "too-many-chips"),
        (f"- ask: {{ question: a, optional: true, choices: [{_labels(13)}] }}", "too-many-choices"),
        (f"- send: {{ text: a, chips: ['{'x' * 21}'] }}", "label-too-long"),
        ("- send: { text: a, chips: [{ label: b, url: 'https://x.example' }] }", "link-needs-button"),
        ("- send: { text: a, buttons: [{ label: b, url: x.example }] }", "bad-address"),
        ("- send: { image: prices.png }", "media-address"),
        ("- send: { image: 'http://shop.example/a.png' }", "media-address"),
        ("- send: { image: 'https://shop.example/a.webp' }", "media-type"),
        ("- send: { video: film.mp4 }", "media-address"),
        ("- send: { video: 'https://shop.example/a.mkv' }", "media-type"),
        ("- send: { audio: 'https://shop.example/a.mp3' }", "media-type"),
        ("- send: { file: 'https://shop.example/a.docx' }", "media-type"),
        ("- send: { cards: [{ title: a }] }", "bare-card"),
        ("- send: { cards: [a] }", "bare-card"),
        (f"- send: {{ cards: [{{ title: '{'x' * 81}', subtitle: b }}] }}", "card-too-long"),
        (f"- send: {{ cards: [{{ title: a, subtitle: '{'x' * 81}' }}] }}", "card-too-long"),
        (f"- send: {{ cards: [{{ title: a, buttons: [{_labels(4)}] }}] }}", "too-many-buttons"),
        (f"- send: {{ cards: [{{ title: a, buttons: ['{'x' * 21}'] }}] }}", "label-too-long"),
        ("- send: { cards: [{ title: a, image: 'http://x.example/a.png' }] }", "media-address"),
        ("- send: { cards: [{ title: a, url: x.example }] }", "bad-address"),
        (f"- send: {{ cards: [{', '.join(['{ title: a, subtitle: b }'] * 11)}] }}", "too-many-cards"),
        ("- send: { cards: [{ title: a, subtitle: b }], chips: [c] }", "buttons-without-text"),
        ("- send: { heart: false }", "empty-message"),
        ("- send: { post: 'https://shop.example/hat' }", "post-expected"),
        ("- send: { post: hat }", "post-expected"),
        ("- send: { typing: 2s }", "empty-message"),
        ("- send: { text: a, typing: 21s }", "typing-too-long"),
        ("- send: { cards: [{ title: a, buttons: [b, b] }] }", "same-label"),
        ("- { wait: 24h }\n      - send: Hello", "wait-outlasts-window"),
        ("- wait: 20h\n      - tag: x\n      - wait: 20h\n      - send: Hello", "wait-outlasts-window"),
        (
            "- wait: 20h\n      - choose: [{ if: first_time, do: [{ wait: 5h }, { send: Hello }] }]",
            "wait-outlasts-window",
        ),
    ],
)
def test_refused(step: str, code: str) -> None:
    assert _codes(f"      {step}") == [(code, Severity.ERROR)]


@pytest.mark.parametrize(
    "step",
    [
        f"- send: '{'x' * 983}'",
        f"- send: '{'💌' * 245}'",
        f"- send: {{ text: '{'x' * 623}', buttons: [{_labels(3)}] }}",
        f"- send: {{ text: a, chips: [{_labels(13)}] }}",
        f"- ask: {{ question: a, optional: true, choices: [{_labels(12)}] }}",
        f"- send: {{ text: a, chips: ['{'x' * 20}'] }}",
        "- send: { images: ['https://shop.example/a.PNG?size=2', 'https://shop.example/b.jpeg'] }",
        "- send: { video: 'https://shop.example/a.MP4?x=1', audio: 'https://x.example/a.m4a' }",
        "- send: { file: 'https://shop.example/menu.pdf', heart: true }",
        "- send: { text: a, typing: 20s, quote: true }",
        "- send: { post: 'https://www.instagram.com/reel/Abc_1/' }",
        "- send: { post: 18000000000000055, text: Look }",
        f"- send: {{ cards: [{', '.join(['{ title: a, buttons: [b] }'] * 10)}] }}",
        f"- send: {{ cards: [{{ title: '{'x' * 80}', subtitle: '{'y' * 80}' }}] }}",
        "- wait: { for: 30h, if_window_closed: skip }\n      - send: Hello",
        "- wait: 23h\n      - send: Hello",
        "- wait: 48h\n      - untag: x",
        "- wait: 20h\n      - ask: Well?\n      - wait: 20h\n      - send: Hello",
        "- wait: 20h\n      - send: { text: a, buttons: [{ label: b, do: [{ wait: 20h }, { send: c }] }] }",
    ],
)
def test_allowed_at_the_limit(step: str) -> None:
    assert _codes(f"      {step}") == []


_TWO = "      - send: One\n      - tag: x\n      - send: Two"


def test_a_second_message_after_a_comment() -> None:
    assert _codes(_TWO, "{ comment: price }") == [("second-message", Severity.ERROR)]
    assert _codes(_TWO, "[{ comment: price }, { dm: price }]") == [("second-message", Severity.WARNING)]
    assert _codes(_TWO, "{ dm: price }") == []


@pytest.mark.parametrize(
    "steps",
    [
        "      - ask: One\n      - send: Two",
        "      - send: { text: One, buttons: [{ label: More, do: [{ send: Two }, { send: Three }] }] }",
        "      - choose: [{ if: first_time, do: [{ send: One }] }, { else: [{ send: Two }] }]",
        "      - choose: [{ if: first_time, do: [{ send: One }, stop] }]\n      - send: Two",
    ],
)
def test_one_message_and_the_rest_after_an_answer(steps: str) -> None:
    assert _codes(steps, "{ comment: price }") == []


@pytest.mark.parametrize(
    "content",
    [
        "{ video: 'https://x.example/a.mp4' }",
        "{ heart: true }",
        "{ post: 18000000000000055 }",
        "{ image: 'https://x.example/a.png' }",
        "{ image: 'https://x.example/a.png', heart: true }",
    ],
)
def test_after_a_comment_comes_a_text_or_cards(content: str) -> None:
    step = f"      - send: {content}"
    assert _codes(step, "{ comment: price }") == [("private-reply-media", Severity.ERROR)]
    assert _codes(step, "[{ comment: price }, { dm: price }]") == [("private-reply-media", Severity.WARNING)]


def test_each_kind_of_content_is_a_message_of_its_own() -> None:
    cards = "      - send: { cards: [{ title: a, subtitle: b }] }"
    assert _codes(cards, "{ comment: price }") == []
    both = "      - send: { text: Look, cards: [{ title: a, subtitle: b }] }"
    assert _codes(both, "{ comment: price }") == [("second-message", Severity.ERROR)]
    assert _codes("      - send: { text: Look, heart: true }", "{ comment: price }") == [
        ("second-message", Severity.ERROR)
    ]


def test_an_address_that_does_not_tell_what_is_there() -> None:
    assert _codes("      - send: { video: 'https://shop.example/film.php' }") == [
        ("media-type", Severity.WARNING)
    ]
    assert _codes("      - send: { image: '{username|none}' }") == []
    assert _codes("      - send: { video: 'https://shop.example/watch' }") == []
    facts = (
        "version: 1\nfacts: { list: 'https://x.example/a.mp3' }\nflows:\n  a:\n    when: { dm: p }\n    do:\n"
    )
    assert [p.code for p in read(f"{facts}      - send: {{ audio: '{{list}}' }}\n").problems] == [
        "media-type"
    ]


def test_a_second_message_behind_a_branch() -> None:
    steps = "      - choose:\n          - if: first_time\n            do: [{ send: One }]\n      - send: Two"
    assert _codes(steps, "{ comment: price }") == [("second-message", Severity.ERROR)]


def test_warnings_for_comment_flows() -> None:
    text = (
        "version: 1\nflows:\n  shop:\n    when:\n      - comment: price\n    do:\n"
        "      - reply_publicly: { one_of: ['Sent!', 'Look at your messages'] }\n"
    )
    problems = read(text).problems
    places = [(p.line, p.column, p.code) for p in problems]
    assert places == [(5, 9, "no-limits"), (7, 9, "few-variants")]
    assert {p.severity for p in problems} == {Severity.WARNING}


def test_the_name_of_a_mere_commenter_is_not_known() -> None:
    text = (
        "version: 1\nflows:\n  a:\n    when: [comment: price]\n    limits: { per_person: 1h }\n    do:\n"
        '      - send: "Hi {first_name|there}"\n'
    )
    assert found(text) == [(7, 19, "commenter-name")]


_LINE = len("Automated reply.\n")


def _long(steps: str, top: str = "") -> list[tuple[str, str]]:
    text = f"version: 1\n{top}flows:\n  shop:\n    when: {{ dm: price }}\n    do:\n{steps}\n"
    return [(problem.code, problem.message) for problem in read(text).problems]


def test_the_first_text_leaves_room_for_the_line_that_says_a_machine_writes() -> None:
    """It was not counted: the engine cut the text."""
    first = f"      - send: '{'x' * 1000}'"
    ((code, message),) = _long(first)
    assert code == "text-too-long"
    assert message == f"the text has 1000 bytes (an emoji counts 4); here it may have {1000 - _LINE}"
    assert _long(f"      - send: Hello\n{first}") == []
    assert [code for code, _ in _long(first, "disclosure: false\n")] == ["no-disclosure"]
    assert [code for code, _ in _long(f"      - send: '{'x' * 980}'", "language: es\n")] == ["text-too-long"]
    assert _long(f"      - send: '{'x' * 980}'", "disclosure: Bot.\n") == []
    assert [code for code, _ in _long("      - send: a", f"disclosure: {'x' * 400}\n")] == ["text-too-long"]


@pytest.mark.parametrize(
    ("steps", "first"),
    [
        ("      - send: { image: 'https://x.example/a.png' }\n      - send: '%s'", True),
        ("      - ask: Well?\n      - send: '%s'", False),
        ("      - choose: [{ if: first_time, do: [{ send: a }] }]\n      - send: '%s'", True),
        (
            "      - choose: [{ if: first_time, do: [{ send: a }] }, { else: [stop] }]\n      - send: '%s'",
            False,
        ),
        ("      - choose: [{ if: first_time, do: [{ tag: a }] }, { else: [{ send: '%s' }] }]", True),
        ("      - send: { text: a, buttons: [{ label: b, do: [{ send: '%s' }] }] }", False),
    ],
)
def test_which_text_may_be_the_first(steps: str, first: bool) -> None:
    codes = [code for code, _ in _long(steps % ("x" * 1000))]
    assert codes == (["text-too-long"] if first else [])


def test_a_second_message_in_a_flow_that_is_gone_through_twice() -> None:
    """The first way there was harmless, and the second was not looked at."""
    steps = (
        "      - choose: [{ if: first_time, do: [{ run: other }] }]\n"
        "      - send: One\n      - run: other\n  other:\n    do:\n      - send: Two"
    )
    text = (
        f"version: 1\nflows:\n  shop:\n    when: {{ comment: price }}\n    limits: once\n    do:\n{steps}\n"
    )
    assert found(text) == [(9, 9, "second-message")]


@pytest.mark.parametrize(
    ("step", "codes"),
    [
        (f"- send: '{'x' * 930} https://x.example'", [("no-room-to-track", Severity.NOTE)]),
        (
            f"- send: {{ text: '{'x' * 580} https://x.example', buttons: [a] }}",
            [("no-room-to-track", Severity.NOTE)],
        ),
        (f"- send: '{'x' * 880} https://x.example'", []),
        (f"- send: {{ text: '{'x' * 930} https://x.example', track_links: false }}", []),
        (f"- ask: '{'x' * 930} https://x.example'", []),
    ],
)
def test_tracked_addresses_are_counted(step: str, codes: list[tuple[str, Severity]]) -> None:
    assert _codes(f"      {step}") == codes
