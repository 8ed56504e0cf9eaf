"""Every mistake is found at its line and column, under a code that stays."""

import pytest

from pamosnik.flows.load import load
from pamosnik.flows.places import OF_A_STEP
from pamosnik.flows.problems import Severity
from pamosnik.flows.schema_steps import STEPS
from tests.flows.files import found, place, read

_TOP = "version: 1\nfields: { guests: number, day: date }\nfacts: { prices: 'https://shop.example' }\n"


def _flow(steps: str, *, when: str = "{ dm: price }", keys: str = "limits: once") -> str:
    """Steps begin in line 9, column 7."""
    return f"{_TOP}flows:\n  shop:\n    when: {when}\n    {keys}\n    do:\n      {steps}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (1, 1, "empty-file")),
        ("flows: {}\n", (1, 1, "missing-key")),
        ("version: 2\n", (1, 10, "unknown-word")),
        ("version: 1\nflow: {}\n", (2, 1, "unknown-key")),
        ("version: 1\ntimezone: Europe/Warschau\n", (2, 11, "unknown-timezone")),
        ("version: 1\nfields: { username: text }\n", (2, 11, "name-taken")),
        ("version: 1\nfields: { size: choice }\n", (2, 11, "choices-missing")),
        ("version: 1\nhours: { open: { days: mon, zone: Europe/Warschau } }\n", (2, 35, "unknown-timezone")),
        ("version: 1\nhours: { open: { days: mon, to: '24:00' } }\n", (2, 33, "clock-expected")),
        ("version: 1\nhours: { open: { from: '9:00', to: '09:00' } }\n", (2, 36, "empty-hours")),
        ("version: 1\nhours: { open: [{}] }\n", (2, 17, "empty-hours")),
        ("version: 1\nhours: { open: montag }\n", (2, 16, "days-expected")),
        ("version: 1\nhours: { open: { day: mon } }\n", (2, 18, "unknown-key")),
        ("version: 1\ndisclosure: false\n", (2, 13, "no-disclosure")),
    ],
)
def test_the_file(text: str, expected: tuple[int, int, str]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- sned: hi", (9, 9, "unknown-step")),
        ("- split: {}", (9, 16, "mapping-expected")),
        ("- send: { track_links: x }", (9, 30, "boolean-expected")),
        ("- send: { text: Hello, friend }", (9, 30, "comma-in-braces")),
        ("- send: hi\n        tag: x", (10, 9, "two-verbs")),
        ("- send: hi # there", (9, 15, "comment-cuts-text")),
        ("- send: 'a\\n b'", (9, 15, "backslash-n")),
        ("- send: 'Hi {frist_name|you}'", (9, 19, "unknown-variable")),
        ("- send: 'Hi {first_name}'", (9, 19, "stand-in")),
        ("- send: 'Hi {'", (9, 19, "bad-variable")),
        ("- run: shpo", (9, 14, "unknown-flow")),
        ("- clear: gusts", (9, 16, "unknown-field")),
        ("- choose: [{ if: { during: opn }, do: [stop] }]", (9, 34, "unknown-hours")),
        ("- choose: [{ if: { any: [{ outside: opn }] }, do: [stop] }]", (9, 43, "unknown-hours")),
        ("- wait: soon", (9, 15, "duration-expected")),
        ("- ask: { question: q, optional: yes }", (9, 39, "boolean-expected")),
        ("- choose: [{ else: [stop] }, { if: first_time, do: [stop] }]", (9, 18, "else-first")),
        ("- stop\n      - tag: x", (10, 9, "unreachable")),
        ("- { id: x, tag: a }\n      - { id: x, tag: b }", (10, 15, "duplicate-id")),
        ("- send: { text: a, one_of: ['b', 'c'] }", (9, 9, "two-texts")),
        ("- run: shop", (9, 9, "loop")),
    ],
)
def test_a_step(step: str, expected: tuple[int, int, str]) -> None:
    assert found(_flow(step)) == [expected]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("{ dmm: price }", (6, 13, "unknown-trigger")),
        ("{ dm: stop }", (6, 17, "safety-word")),
        ("{ dm: { words: '(', match: regex } }", (6, 26, "bad-pattern")),
        ("{ dm: { words: x, mach: exact } }", (6, 29, "unknown-key")),
        ("{ dm: '*' }", (6, 17, "empty-word")),
    ],
)
def test_a_trigger(when: str, expected: tuple[int, int, str]) -> None:
    assert found(_flow("- send: hi", when=when)) == [expected]


def test_a_hint_names_what_was_meant() -> None:
    (problem,) = read(_flow("- send: 'Hi {frist_name|you}'")).problems
    assert problem.hint == "Did you mean `first_name`?"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("follows_me: true", []),
        ("follows_me", []),
        ("{ verified: unknown, follows_me: false }", []),
        ("followers: 1000", []),
        ("followers: { more_than: 10, less_than: 500 }", []),
        ("followers: unknown", []),
        ("follows_me: yes", [(7, 28, "boolean-expected")]),
        ("folows_me: true", [(7, 16, "unknown-condition")]),
        ("followers: many", [(7, 27, "number-expected")]),
        ("followers: { mor_than: 3 }", [(7, 29, "unknown-key")]),
        ("followers: { more_than: -1 }", [(7, 40, "number-expected")]),
        ("followers: {}", [(7, 27, "number-expected")]),
    ],
)
def test_what_instagram_tells_of_people(condition: str, expected: list[tuple[int, int, str]]) -> None:
    inner = condition if condition.startswith("{") or ":" not in condition else f"{{ {condition} }}"
    assert found(_flow("- tag: x", keys=f"only_if: {inner}")) == expected


@pytest.mark.parametrize(
    ("when", "keys", "step", "expected"),
    [
        ("{ comment: x }", "limits: once", "- choose: [{ if: follows_me, do: [send: a] }]", [(9, 24)]),
        (
            "{ comment: x }",
            "limits: once",
            "- choose: [{ if: { any: [verified] }, do: [send: a] }]",
            [(9, 32)],
        ),
        ("{ comment: x }", "limits: once", "- choose: [{ if: { follows_me: unknown }, do: [send: a] }]", []),
        ("{ comment: x }", "only_if: follows_me", "- tag: x", [(7, 14)]),
        ("[{ comment: x }, { dm: x }]", "only_if: { all: [verified] }", "- tag: x", [(7, 22)]),
        ("{ dm: x }", "only_if: follows_me", "- tag: x", []),
        ("{ dm: x }", "limits: once", "- choose: [{ if: follows_me, do: [send: a] }]", []),
        (
            "[{ comment: x }, { dm: x }]",
            "limits: once",
            "- choose: [{ if: follows_me, do: [stop] }]",
            [(9, 24)],
        ),
        (
            "{ comment: x }",
            "limits: once",
            "- send: { text: a, buttons: [{ label: b, do: [choose: [{ if: follows_me, do: [stop] }]] }] }",
            [],
        ),
        ("{ comment: x }", "limits: once", "- ask: a\n      - choose: [{ if: follows_me, do: [stop] }]", []),
        (
            "{ comment: x }",
            "limits: once",
            "- choose: [{ if: { window_open: true, follows_me: true }, do: [stop] }]",
            [],
        ),
    ],
)
def test_facts_are_not_asked_of_who_has_only_commented(
    when: str, keys: str, step: str, expected: list[tuple[int, int]]
) -> None:
    problems = found(_flow(step, when=when, keys=keys))
    assert [(line, column) for line, column, code in problems if code == "commenter-facts"] == expected


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ("{ day: { more_than: 3 } }", "Use `after`, or declare `day` as number."),
        ("{ guests: { before: 2026-12-24 } }", "Use `less_than`, or declare `guests` as date."),
    ],
)
def test_a_comparison_that_never_holds(condition: str, hint: str) -> None:
    (problem,) = read(_flow("- tag: x", keys=f"only_if: {{ field: {condition} }}")).problems
    assert (problem.code, problem.hint) == ("wrong-comparison", hint)


def test_deep_nesting_gets_a_hint() -> None:
    inner = "{ send: { text: t, buttons: [{ label: b%s, do: [%s] }] } }"
    deep = inner % (1, inner % (2, inner % (3, "{ tag: x }")))
    (problem,) = read(_flow(f"- {deep}")).problems
    assert (problem.code, problem.severity) == ("deep-nesting", Severity.NOTE)
    assert read(_flow(f"- {inner % (1, inner % (2, '{ tag: x }'))}")).problems == ()


def test_a_tag_that_nothing_gives() -> None:
    problems = read(_flow("- tag: customer", keys="only_if: [{ has_tag: custmer }]")).problems
    assert [(p.code, p.hint) for p in problems] == [("tag-never-given", "Did you mean `customer`?")]


def test_all_problems_of_all_files_at_once_and_in_order() -> None:
    files = [("b.yaml", "version: 1\nflow: {}\nfact: {}\n"), ("a.yaml", "flows: {}\n")]
    problems = load(files).problems
    assert [(p.file, *place(p)) for p in problems] == [
        ("a.yaml", 1, 1, "missing-key"),
        ("b.yaml", 2, 1, "unknown-key"),
        ("b.yaml", 3, 1, "unknown-key"),
    ]


def test_the_same_keyword_twice_is_a_clash_unless_priority_decides() -> None:
    two = "version: 1\nflows:\n  a: { when: { dm: price }, do: [stop] }\n  b: { when: { dm: PRICE }, do: [stop]%s }\n"
    assert [code for *_, code in found(two % "")] == ["clash"]
    assert found(two % ", priority: 1") == []
    assert found(two % ", state: paused") == []


_BOTH_END = (
    "- choose: [{ if: first_time, do: [stop] }, { else: [{ tag: x }, { run: other }] }]\n      - send: never"
)


def test_the_first_pattern_too_many_is_named() -> None:
    flow = "  f{}:\n    when: [dm: {{ match: regex, words: [{}] }}]\n    do: [send: a]\n"
    text = "version: 1\ndisclosure: A.\nflows:\n" + "".join(
        flow.format(number, ", ".join(f"a{number}x{place}" for place in range(100))) for number in range(6)
    )
    assert found(text) == [(20, 40, "too-many-patterns")]
    assert found(text[: text.index("  f5:")]) == []


def test_a_step_behind_a_choose_whose_branches_all_end() -> None:
    text = _flow(_BOTH_END) + "  other: { do: [{ tag: y }] }\n"
    assert found(text) == [(10, 9, "unreachable")]
    goes_on = _flow(_BOTH_END.replace("do: [stop]", "do: [{ tag: z }]")) + "  other: { do: [{ tag: y }] }\n"
    assert found(goes_on) == []


@pytest.mark.parametrize(
    ("active", "codes"),
    [
        ('{ from: "2026-12-31", until: "2026-12-01" }', ["never-active"]),
        ('{ from: "2026-12-01 09:00", until: "2026-12-01 09:00" }', ["never-active"]),
        ('{ from: "2026-12-01", until: "2026-12-01" }', []),
        ('{ from: "2026-12-01 09:00", until: "2026-12-01" }', []),
    ],
)
def test_a_flow_that_is_never_active(active: str, codes: list[str]) -> None:
    assert [code for *_, code in found(_flow("- tag: x", keys=f"active: {active}"))] == codes


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (_flow("- tag: x", when="[{ dm: hi, only_if: first_time }]"), "`only_if` belongs to the flow"),
        (_flow("- tag: x", when="{ dm: { words: hi, limits: once } }"), "`limits` belongs to the flow"),
        (_flow("- send: hi\n        only_if: first_time"), "`only_if` belongs to the flow"),
        (_flow("- send: { id: greeting, text: hi }"), "`id` stands beside `send`, not in it"),
    ],
)
def test_a_key_in_the_wrong_place_is_sent_where_it_belongs(text: str, hint: str) -> None:
    (problem,) = read(text).problems
    assert problem.hint is not None
    assert problem.hint.startswith(hint)


def test_the_steps_that_may_take_an_id_inside_by_mistake_are_steps() -> None:
    assert set(OF_A_STEP) <= set(STEPS)


@pytest.mark.parametrize(
    ("silent", "hint"),
    [
        ("{ send: Later }, stop", "Send nothing in `if_no_answer`"),
        ("{ tag: late }", "End `if_no_answer` with `stop`"),
    ],
)
def test_a_reminder_of_a_commenter_is_not_mended_by_stop(silent: str, hint: str) -> None:
    ask = f"- ask: {{ question: Size?, choices: [A, B], if_no_answer: [{silent}] }}"
    (problem,) = read(_flow(f"{ask}\n      - send: Thanks", when="{ comment: price }")).problems
    assert problem.code == "second-message"
    assert problem.hint is not None
    assert problem.hint.startswith(hint)


def test_a_reminder_after_waiting_in_vain_is_not_mended_by_stop() -> None:
    wait = "- send: Hi\n      - wait_for: { answer: any, up_to: 1h, if_not: [{ send: Later }, stop] }"
    (problem,) = read(_flow(wait, when="{ comment: price }")).problems
    assert problem.hint is not None
    assert problem.hint.startswith("Send nothing in `if_not`")
