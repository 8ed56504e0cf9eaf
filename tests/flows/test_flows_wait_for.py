"""`wait_for` in flow files: what it names exists, and what follows it can be sent."""

import pytest

from pamosnik.flows.load import load
from pamosnik.flows.problems import Severity
from tests.flows.files import read

_HEAD = """\
version: 1
facts: { prices: "https://shop.example/prices" }
fields: { size: text }
flows:
  shop:
    when: { WHEN }
    limits: once
    do:
      - send:
          text: "See {prices} or https://shop.example/new."
          buttons: [{ label: Order now, do: [tag: ordered] }, { label: Open, url: "{prices}", name: shop }]
          chips: [Later]
      - ask: { question: Which?, choices: [Small, Large], save_as: size }
"""


def _problems(step: str, when: str = "dm: price") -> list[tuple[str, Severity, str | None]]:
    text = _HEAD.replace("WHEN", when) + f"      - {step}\n      - send: On.\n"
    problems = (one for one in read(text).problems if one.code != "clicks-unseen")
    return [(one.code, one.severity, one.hint) for one in problems]


@pytest.mark.parametrize(
    "step",
    [
        "wait_for: any",
        "wait_for: { answer: any, up_to: 2h, if_not: [stop] }",
        "wait_for: { tap: order NOW! }",
        "wait_for: { tap: Later, if_not: [{ tag: silent }, stop] }",
        "wait_for: { click: shop, if_not: [send: Bye] }",
        'wait_for: { click: "{prices}" }',
        "wait_for: { click: https://shop.example/prices }",
        "wait_for: { click: https://shop.example/new }",
        "wait_for: { tag: ordered, up_to: 23h }",
    ],
)
def test_fine(step: str) -> None:
    assert _problems(step) == []


@pytest.mark.parametrize(
    ("step", "code", "hint"),
    [
        ("wait_for: { tap: Order mow }", "unknown-label", "Did you mean `Order now`?"),
        ("wait_for: { tap: Small }", "unknown-label", "Give the choice a `do:`, or take this step out."),
        ("wait_for: { click: shpo }", "unknown-link", "Did you mean `shop`?"),
        ("wait_for: { tag: orderd }", "tag-never-given", "Did you mean `ordered`?"),
        (
            'wait_for: { click: "https://x.example/{username|x}" }',
            "unknown-link",
            "Give the button a `name:`, and wait for a click on that.",
        ),
        (
            "wait_for: { tap: Later, click: shop }",
            "two-awaited",
            "Wait for one of them; for both write two steps.",
        ),
        ("wait_for: { up_to: 2h }", "wait-for-what", "Write it like: wait_for: { answer: any, up_to: 2h }"),
        ("wait_for: { answer: anything }", "unknown-word", "Known are: any."),
    ],
)
def test_refused(step: str, code: str, hint: str) -> None:
    assert _problems(step) == [(code, Severity.ERROR, hint)]


def test_a_tag_that_only_a_human_gives_is_a_warning() -> None:
    assert _problems("wait_for: { tag: paid }")[0][:2] == ("tag-never-given", Severity.WARNING)


def test_the_caret_stands_under_what_is_wrong() -> None:
    [problem] = read(
        _HEAD.replace("WHEN", "dm: price") + "      - wait_for: { up_to: 2h, tap: Order mow }\n"
    ).problems
    assert (problem.line, problem.column) == (14, 37)


def test_a_label_that_comes_later_cannot_be_tapped_before() -> None:
    text = """\
version: 1
flows:
  shop:
    when: { dm: price }
    do:
      - wait_for: { tap: Yes please }
      - send: { text: Really?, chips: [Yes please] }
"""
    assert [(one.code, one.line, one.column) for one in read(text).problems] == [("label-comes-later", 6, 26)]


def test_a_link_whose_clicks_are_not_counted() -> None:
    text = """\
version: 1
flows:
  shop:
    when: { dm: price }
    do:
      - send: { text: "See https://shop.example", track_links: false }
      - wait_for: { click: "https://shop.example" }
"""
    assert {one.code for one in read(text).problems} == {"untracked-link", "clicks-unseen"}


@pytest.mark.parametrize(
    ("url", "codes"),
    [
        ("{site|x}", {"untracked-link"}),
        ("https://shop.example{site|x}", {"untracked-link"}),
        ("https://shop.example/?s={site|x}", set()),
        ("{prices}/{text|x}", set()),
        ("{pay|x}", set()),
    ],
)
def test_a_link_that_people_lead_elsewhere_is_not_tracked(url: str, codes: set[str]) -> None:
    text = f"""
version: 1
fields: {{ site: url }}
facts: {{ prices: "https://shop.example/prices" }}
webhooks: {{ crm: {{ url: "https://crm.example" }} }}
flows:
  price:
    when: {{ dm: price }}
    do:
      - call: {{ webhook: crm, save: {{ pay: link }} }}
      - send: {{ text: "See", buttons: [{{ label: Open, url: "{url}", name: open }}] }}
      - wait_for: {{ click: open }}
"""
    assert {one.code for one in read(text).problems} - {"clicks-unseen"} == codes


def test_only_the_machine_knows_whether_clicks_are_counted() -> None:
    text = _HEAD.replace("WHEN", "dm: price") + "      - wait_for: { click: shop }\n"
    said = {
        known: [(one.code, one.severity) for one in load([("shop.yaml", text)], is_public=known).problems]
        for known in (None, False, True)
    }
    assert said == {
        None: [("clicks-unseen", Severity.NOTE)],
        False: [("no-public-address", Severity.WARNING)],
        True: [],
    }


COMMENT = """\
version: 1
flows:
  shop:
    when: { comment: price }
    limits: once
    do:
      - send: { text: "See https://shop.example", buttons: [Yes] }
      - wait_for: WAIT
      - send: On.
"""


@pytest.mark.parametrize(
    ("wait", "codes"),
    [
        ("{ answer: any }", []),
        ("{ tap: Yes }", []),
        ("{ answer: any, if_not: [stop] }", []),
        ("{ answer: any, if_not: [tag: silent] }", ["second-message"]),
        ("{ answer: any, if_not: [{ send: Hello? }, stop] }", ["second-message"]),
        # Neither opens the 24-hour window.
        ('{ click: "https://shop.example" }', ["second-message"]),
    ],
)
def test_after_a_comment_only_an_answer_or_a_tap_lets_more_go(wait: str, codes: list[str]) -> None:
    problems = read(COMMENT.replace("WAIT", wait)).problems
    assert [one.code for one in problems if one.code != "clicks-unseen"] == codes


@pytest.mark.parametrize(
    ("step", "codes"),
    [
        ("wait_for: { answer: any, up_to: 2d, if_not: [send: Hello?] }", ["silence-outlasts-window"]),
        ("wait_for: { answer: any, up_to: 2d, if_not: [tag: silent, stop] }", []),
        ("wait_for: { answer: any, up_to: 20h, if_not: [send: Hello?] }", []),
        ("wait_for: { tap: Later, up_to: 2d }", []),
        ("wait: 20h\n      - wait_for: any\n      - wait: 20h", []),
        ("wait: 20h\n      - wait_for: { click: shop }\n      - wait: 20h", ["wait-outlasts-window"]),
    ],
)
def test_the_window(step: str, codes: list[str]) -> None:
    assert [
        code for code, _, _ in _problems(step.replace("tag: silent, stop", "{ tag: silent }, stop"))
    ] == codes


def test_a_loop_that_a_tag_does_not_stop() -> None:
    text = """\
version: 1
flows:
  one:
    when: { dm: price }
    do: [{ tag: x }, { wait_for: { WAIT } }, { run: two }]
  two:
    do: [run: one]
"""
    tag = [one.code for one in read(text.replace("WAIT", "tag: x")).problems]
    assert tag == ["loop", "loop"]
    assert read(text.replace("WAIT", "answer: any")).problems == ()


def test_names_in_its_branch_are_checked_and_its_steps_are_explained() -> None:
    step = "wait_for: { answer: any, if_not: [{ set: { sise: M } }, { sned: x }] }"
    assert [code for code, _, _ in _problems(step)] == ["unknown-field", "unknown-step"]
