"""Ways by chance, and counting."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.engine.decide import decide
from pamosnik.engine.sums import plus
from pamosnik.model.decision import (
    AddTag,
    Answered,
    CountShare,
    Decision,
    SendMessage,
    SetField,
    Started,
    Stimulus,
    Tapped,
    TimerFired,
)
from pamosnik.model.event import EventKind
from pamosnik.model.run import RunStatus, WaitKind
from tests.engine.shop import NOW, anna, event, facts, run, steps

_SPLIT = """\
      - split:
          long: { share: 25, do: [{ tag: long }] }
          short: { share: 75, do: [{ tag: short }] }
      - goal: seen"""


def _start(lines: str, *, draws_from: str = "", fields: dict[str, str] | None = None) -> Decision:
    made, flow = steps(lines, "fields: { points: number }")
    who = replace(anna(), fields=fields or {})
    known = replace(facts(made, who), draws_from=draws_from)
    return decide(flow, run(flow), Started(), known, NOW)


def _way(lines: str, draws_from: str) -> str:
    (name,) = [
        effect.name
        for effect in _start(lines, draws_from=draws_from).effects
        if isinstance(effect, CountShare)
    ]
    return name


# --- split -----------------------------------------------------------------------------------------------


def test_a_way_is_counted_walked_and_left_again() -> None:
    decision = _start(_SPLIT, draws_from="178|900|shop")
    tags = [effect.tag for effect in decision.effects if isinstance(effect, AddTag)]
    assert tags == [_way(_SPLIT, "178|900|shop")]
    assert [check.what for check in decision.trace] == [
        "do.0",
        f"do.0.split.{['long', 'short'].index(tags[0])}.do.0",
        "do.1",
    ]
    assert decision.trace[0].detail == f"{tags[0]}, {25 if tags == ['long'] else 75} of 100"


def test_shares_are_kept_and_the_same_person_goes_the_same_way() -> None:
    people = [f"178|{number}|shop" for number in range(2000)]
    ways = [_way(_SPLIT, person) for person in people]
    assert 420 <= ways.count("long") <= 580
    assert [_way(_SPLIT, person) for person in people[:50]] == ways[:50]


def test_the_order_of_the_ways_and_what_stands_around_a_named_split_change_nothing() -> None:
    named = _SPLIT.replace("- split:", "- id: list\n        split:")
    turned = """\
      - tag: first
      - id: list
        split:
          short: { share: 75, do: [{ tag: short }] }
          long: { share: 25, do: [{ tag: long }] }"""
    people = [f"178|{number}|shop" for number in range(200)]
    assert [_way(named, person) for person in people] == [_way(turned, person) for person in people]
    assert [_way(named, person) for person in people] != [_way(_SPLIT, person) for person in people]


def test_a_way_without_steps_goes_on_after_the_split() -> None:
    lines = "      - split: { some: { share: 1, do: [stop] }, none: { share: 99 } }\n      - send: On"
    decision = _start(lines, draws_from="178|900|shop")
    assert [type(effect) for effect in decision.effects] == [CountShare, SendMessage]


# --- add -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "amount", "total"),
    [
        (None, "5", "5"),
        ("3", "5", "8"),
        ("3", "-5", "-2"),
        ("0.1", "0.2", "0.3"),
        ("12.50", "1", "13.50"),
        ("0.5", "0.50", "1"),
        ("-1", "1", "0"),
        (".5", "-0.5", "0"),
        ("many", "+2", "2"),
        ("NaN", "2", "2"),
        ("12345678901234567890.01", "0.02", "12345678901234567890.03"),
        ("9" * 40, "1", "1" + "0" * 40),
    ],
)
def test_sums(value: str | None, amount: str, total: str) -> None:
    assert plus(value, amount) == total


@given(st.lists(st.integers(-(10**9), 10**9), max_size=20))
def test_cents_are_never_lost(cents: list[int]) -> None:
    total: str | None = None
    for one in cents:
        total = plus(total, f"{'-' if one < 0 else ''}{abs(one) // 100}.{abs(one) % 100:02}")
    assert round(float(total or 0) * 100) == sum(cents)


def test_what_was_added_counts_in_the_next_step() -> None:
    lines = "      - add: { points: 5 }\n      - add: { points: -1.5 }\n      - send: 'You have {points|0}'"
    decision = _start(lines, fields={"points": "2"})
    assert [effect for effect in decision.effects if isinstance(effect, SetField)] == [
        SetField("points", "7", counted=True),
        SetField("points", "5.5", counted=True),
    ]
    (message,) = [effect.content for effect in decision.effects if isinstance(effect, SendMessage)]
    assert message.text == "You have 5.5"


# --- again -----------------------------------------------------------------------------------------------

_SIZE = """\
      - id: size
        ask: { question: "Which size?", save_as: size }
      - choose:
          - if: { field: { size: { is_not: large } } }
            do: [{ again: size, at_most: 2 }, { send: "Then not." }, stop]
      - send: "Large it is." """

_MENU = """\
      - id: menu
        send:
          text: "What?"
          buttons: [{ label: Prices, do: [{ send: "Ten" }, { again: menu, at_most: 2 }, { send: "Enough" }] }]
      - ask: "Or ask me"
      - send: "I will look." """


class _Person:
    """Somebody in a run, turn by turn."""

    def __init__(self, lines: str) -> None:
        self.made, self.flow = steps(lines, "fields: { size: text }")
        self.who = anna()
        self.run = run(self.flow)
        self.heard: list[str] = []

    def does(self, stimulus: Stimulus) -> list[str | None]:
        """What they read then."""
        decision = decide(self.flow, self.run, stimulus, facts(self.made, self.who), NOW)
        self.run = decision.run
        fields = {
            e.field: e.value for e in decision.effects if isinstance(e, SetField) and e.value is not None
        }
        self.who = replace(self.who, fields={**self.who.fields, **fields})
        return [e.content.text for e in decision.effects if isinstance(e, SendMessage)]

    def answers(self, text: str) -> list[str | None]:
        (wait,) = [wait for wait in self.run.waits if wait.kind is WaitKind.ANSWER]
        return self.does(Answered(wait.id, text, None, event(text=text)))

    def taps(self, option: str) -> list[str | None]:
        return self.does(Tapped(option, event(EventKind.POSTBACK)))

    @property
    def waits(self) -> list[tuple[WaitKind, str, str]]:
        return sorted((wait.kind, wait.path, wait.branch) for wait in self.run.waits)


def test_a_question_is_asked_again_so_often_and_then_the_next_step_follows() -> None:
    person = _Person(_SIZE)
    assert person.does(Started()) == ["Which size?"]
    assert person.answers("small") == ["Which size?"]
    assert person.answers("medium") == ["Which size?"]
    assert person.answers("tiny") == ["Then not."]
    assert (person.run.status, person.run.waits) == (RunStatus.STOPPED, ())


def test_the_right_answer_ends_it() -> None:
    person = _Person(_SIZE)
    person.does(Started())
    person.answers("small")
    assert person.answers("large") == ["Large it is."]
    assert person.run.status is RunStatus.COMPLETED


def test_a_tap_leads_back_to_the_menu_and_every_wait_is_there_once() -> None:
    person = _Person(_MENU)
    once = [(WaitKind.ANSWER, "do.1", ""), (WaitKind.TAP, "do.0", "")]
    assert person.does(Started()) == ["What?", "Or ask me"]
    assert person.waits == once
    for _ in range(2):
        assert person.taps("do.0.buttons.0") == ["Ten", "What?", "Or ask me"]
        assert person.waits == once
        assert person.run.status is RunStatus.WAITING
    # The third time the branch goes on, beside the question that waits.
    assert person.taps("do.0.buttons.0") == ["Ten", "Enough"]
    assert person.answers("Really?") == ["I will look."]
    assert person.run.status is RunStatus.COMPLETED


def test_a_run_that_has_ended_stays_so_when_an_old_button_leads_back() -> None:
    person = _Person(_MENU.replace('      - ask: "Or ask me"\n', ""))
    person.does(Started())
    assert person.taps("do.0.buttons.0") == ["Ten", "What?", "I will look."]
    assert person.run.status is RunStatus.COMPLETED
    assert person.taps("do.0.buttons.0") == ["Ten", "What?", "I will look."]
    assert (person.run.status, person.taps("do.0.buttons.0")) == (RunStatus.COMPLETED, ["Ten", "Enough"])


def test_a_pause_that_is_gone_back_over_is_not_over_twice() -> None:
    lines = """\
      - id: menu
        send: { text: "What?", buttons: [{ label: More, do: [{ again: menu, at_most: 1 }] }] }
      - wait: 2h
      - send: "Any question?" """
    person = _Person(lines)
    person.does(Started())
    assert person.taps("do.0.buttons.0") == ["What?"]
    (timer,) = [wait for wait in person.run.waits if wait.kind is WaitKind.TIMER]
    assert person.does(TimerFired(timer.id)) == ["Any question?"]
    assert [kind for kind, _, _ in person.waits] == []


def test_variants_take_turns_within_one_turn() -> None:
    lines = """\
      - id: hello
        send: { one_of: [One, Two, Three] }
      - again: hello
        at_most: 3"""
    texts = _Person(lines).does(Started())
    assert len(texts) == 4
    assert all(before != after for before, after in pairwise(texts))
