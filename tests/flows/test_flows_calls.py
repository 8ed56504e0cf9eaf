"""`call` and `webhooks`: where a flow may call, what it sends and what it keeps."""

from datetime import timedelta

import pytest

from pamosnik.flows.load import load
from pamosnik.flows.problems import Severity
from pamosnik.model.step import Call
from pamosnik.model.text import Text, Variable
from tests.flows.files import compiled, found

_TOP = (
    'version: 1\nwebhooks: { crm: { url: "https://crm.example/x" } }\nfields: { guests: number }\n'
    "flows:\n  shop:\n    when: { dm: ask }\n    limits: { per_person: 1h }\n    do:\n"
)


def _places(text: str) -> list[tuple[int, int, str]]:
    return [place for place in found(text) if place[2] != "variable-unseen"]


def test_the_step_as_it_is_compiled() -> None:
    steps = (
        "      - call: { webhook: crm, method: PUT, timeout: 5s, save: { guests: a.0, hint: b },\n"
        '                send: { n: 4, price: 12.50, "4": "4", yes: true, none: null,\n'
        '                        who: ["{answer|?}", { x: y }] }, if_it_fails: [stop] }\n'
        '      - send: "{hint|none}"\n'
        "      - call: crm\n"
        "      - call: { webhook: crm, send: guests }\n"
    )
    flow = compiled(f"{_TOP}{steps}")
    full, short, names = (step for step in flow.steps.values() if isinstance(step, Call))
    assert (full.method, full.timeout, full.if_it_fails) == (
        "PUT",
        timedelta(seconds=5),
        "do.0.if_it_fails.0",
    )
    assert full.save == (("guests", "a.0"), ("hint", "b"))
    who = Text((Variable("answer", "?"),))
    assert full.json == {
        "n": 4,
        "price": 12.5,
        "4": Text(("4",)),
        "yes": True,
        "none": None,
        "who": (who, {"x": Text(("y",))}),
    }
    assert (short.method, short.names, short.json, short.if_it_fails) == ("POST", None, None, None)
    assert names.names == ("guests",)
    assert flow.steps["do.0.if_it_fails.0"].at.next == "do.1"


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("- call: cmr", (9, 15, "unknown-webhook")),
        ("- call: { send: guests }", (9, 9, "missing-key")),
        ("- call: { webhook: crm, method: post }", (9, 39, "unknown-word")),
        ("- call: { webhook: crm, timeout: 2m }", (9, 40, "timeout-too-long")),
        ("- call: { webhook: crm, send: [guests, gests] }", (9, 46, "unknown-field")),
        ('- call: { webhook: crm, send: { a.b: ["x", "{gests|?}"] } }', (9, 51, "unknown-variable")),
        ('- call: { webhook: crm, send: { who: "{first_name}" } }', (9, 45, "stand-in")),
        ("- call: { webhook: crm, send: { guests } }", (9, 37, "braces-without-quotes")),
        ("- call: { webhook: crm, method: GET, send: { a: [b] } }", (9, 55, "too-deep")),
        ("- call: { webhook: crm, save: { code: x } }", (9, 39, "name-taken")),
        ("- call: { webhook: crm, save: { guests: a..b } }", (9, 47, "path-expected")),
        ('- call: { webhook: crm, save: { hint: x } }\n      - send: "{hint}"', (10, 16, "stand-in")),
        (
            '- call: { webhook: crm, save: { hint: x } }\n      - send: "{hnit|?}"',
            (10, 16, "unknown-variable"),
        ),
    ],
)
def test_what_is_said_about_it(step: str, place: tuple[int, int, str]) -> None:
    assert _places(f"{_TOP}      {step}\n") == [place]


@pytest.mark.parametrize(
    ("webhook", "column", "code"),
    [
        ("{ secret_from: FLOW_KEY }", 19, "webhook-address"),
        ('{ url: "https://a.example", url_from: FLOW_A }', 19, "webhook-address"),
        ('"http://a.example"', 19, "webhook-address"),
        ('"a.example/x"', 19, "webhook-address"),
        ('"https://anna:pass@a.example"', 19, "webhook-address"),
        ('"https://127.0.0.1/"', 19, "webhook-address"),
        ('"https://[::1]:8080/"', 19, "webhook-address"),
        ('"https://printer.local/"', 19, "webhook-address"),
        ('"https://{username}.example"', 19, "unknown-variable"),
        ('"https://{"', 19, "bad-variable"),
        ("{ url_from: PAMOSNIK_PASSPHRASE }", 31, "webhook-variable"),
        ("{ url_from: FLOW_A, secret_from: KEY }", 52, "webhook-variable"),
    ],
)
def test_where_a_flow_may_not_call(webhook: str, column: int, code: str) -> None:
    text = f"version: 1\nwebhooks: {{ crm:  {webhook} }}\n"
    places = _places(text)
    assert [place[2] for place in places] == [code]
    assert places[0][:2] in ((2, column), (2, 13)), places


@pytest.mark.parametrize(
    "webhook",
    [
        '{ url: "http://192.168.1.20:8080/x", allow_private: true }',
        '{ url: "https://{host}/x", secret_from: FLOW_KEY }',
        "{ url_from: FLOW_URL, secret_from: FLOW_KEY }",
        '"https://crm.example:8443/x?y=1"',
    ],
)
def test_where_a_flow_may_call(webhook: str) -> None:
    assert _places(f"version: 1\nfacts: {{ host: shop.example }}\nwebhooks: {{ crm: {webhook} }}\n") == []


def test_only_the_machine_knows_its_environment() -> None:
    file = [("shop.yaml", "version: 1\nwebhooks: { crm: { url_from: FLOW_URL } }\n")]
    assert [(p.code, p.severity) for p in load(file).problems] == [("variable-unseen", Severity.NOTE)]
    assert load(file, unset=lambda _: None).problems == ()
    [problem] = load(file, unset=lambda name: (f"{name} is not set", "Set it.")).problems
    assert (problem.column, problem.severity, problem.message) == (30, Severity.ERROR, "FLOW_URL is not set")


def test_it_is_a_way_of_its_own_where_instagram_counts() -> None:
    body = _TOP.replace("dm: ask", "comment: ask")
    both = '      - call: { webhook: crm, if_it_fails: [{ send: "Later." }] }\n      - send: "Here."\n'
    assert "second-message" in [place[2] for place in found(f"{body}{both}")]
    one = '      - call: { webhook: crm, if_it_fails: [{ send: "Later." }, stop] }\n      - send: "Here."\n'
    assert "second-message" not in [place[2] for place in found(f"{body}{one}")]
    loop = "      - call: { webhook: crm, if_it_fails: [{ run: shop }] }\n"
    assert "loop" in [place[2] for place in found(f"{_TOP}{loop}")]
