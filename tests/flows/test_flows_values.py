"""Texts that say nothing, and values that fit no field."""

import pytest

from pamosnik.flows.problems import Severity
from tests.flows.files import found, read


def _codes(step: str) -> list[str]:
    head = "version: 1\nfields: { n: number, d: date, e: email, p: phone, u: url, t: text,"
    fields = " c: { type: choice, choices: [red, blue] } }\n"
    flow = "flows:\n  shop:\n    when: [{ dm: price }]\n    do:\n"
    return [code for *_, code in found(f"{head}{fields}{flow}      - {step}\n")]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ('send: ""', "empty-text"),
        ('send: "  "', "empty-text"),
        ('send: "\u200b"', "empty-text"),
        ('ask: { question: "" }', "empty-text"),
        ('send: { text: a, buttons: [""] }', "empty-text"),
        ('goal: ""', "empty-text"),
        ('tag: ""', "empty-text"),
        ("ask: { question: a, choices: [] }", "empty-list"),
        ("send: { one_of: [] }", "empty-list"),
        ("choose: []", "empty-list"),
        ("send: { text: a, buttons: [{ label: b, do: [] }] }", "empty-list"),
        ("send: {}", "empty-message"),
    ],
)
def test_nothing_at_all_is_no_text(step: str, code: str) -> None:
    """Empty messages passed, and Instagram refused them."""
    assert _codes(step) == [code]


def test_an_empty_variant_and_the_same_variant_twice() -> None:
    steps = 'send: { one_of: ["", "a", "a"] }'
    assert _codes(steps) == ["empty-text", "same-variant"]
    text = "version: 1\nflows: { a: { when: { dm: x }, do: [{ send: { one_of: ['a', 'a'] } }] } }\n"
    (problem,) = read(text).problems
    assert problem.severity is Severity.WARNING


@pytest.mark.parametrize(
    "step",
    [
        "set: { n: abc }",
        "set: { n: '3,5' }",
        "set: { d: '31.02.' }",
        "set: { d: 2026-02-30 }",
        "set: { e: foo }",
        "set: { p: call me }",
        "set: { u: shop }",
        "set: { c: green }",
        "choose: [{ if: { field: { n: { more_than: lots } } }, do: [stop] }]",
        "choose: [{ if: { field: { d: { before: soon } } }, do: [stop] }]",
        "choose: [{ if: { field: { c: { is: green } } }, do: [stop] }]",
        "choose: [{ if: { field: { c: [red, green] } }, do: [stop] }]",
        "choose: [{ if: { any: [{ field: { n: x } }] }, do: [stop] }]",
    ],
)
def test_a_value_that_its_field_cannot_hold(step: str) -> None:
    """`set: { guests: abc }` passed for a number."""
    assert _codes(step) == ["wrong-value"]


@pytest.mark.parametrize(
    "step",
    [
        "set: { n: '-3.5', d: 2026-12-24, e: a@b.example, p: '+48 (22) 600-100', u: 'https://x.example/a', c: red }",
        "set: { n: '{text|0}', d: '{today}' }",
        "choose: [{ if: { field: { n: { more_than: 3 }, d: { after: 2026-12-24 }, c: RED } }, do: [stop] }]",
        "choose: [{ if: { field: { e: { contains: shop } } }, do: [stop] }]",
        "choose: [{ if: { field: { n: { known: true } } }, do: [stop] }]",
    ],
)
def test_a_value_that_fits(step: str) -> None:
    assert _codes(step) == []
