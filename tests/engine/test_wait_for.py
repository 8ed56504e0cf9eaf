"""The step `wait_for`: what ends it, what goes on then, and that a run never stands still for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.decide import decide
from pamosnik.model.book import Book
from pamosnik.model.decision import (
    AddTag,
    Answered,
    Decision,
    EffectSettled,
    SendMessage,
    Started,
    Stimulus,
    Tapped,
    TimerFired,
    Woken,
)
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import ItemStatus
from pamosnik.model.run import ENDED, Run, RunStatus, WaitKind
from tests.engine.shop import NOW, anna, event, facts, run, steps


def _start(lines: str) -> tuple[Book, Flow, Decision]:
    made, flow = steps(lines)
    return made, flow, decide(flow, run(flow), Started(), facts(made, anna()), NOW)


def _on(made: Book, flow: Flow, before: Run, stimulus: Stimulus) -> Decision:
    return decide(flow, before, stimulus, facts(made, anna()), NOW)


def _texts(decision: Decision) -> list[str | None]:
    return [effect.content.text for effect in decision.effects if isinstance(effect, SendMessage)]


ANSWER = """\
      - send: "Tell me."
      - wait_for: { answer: any, up_to: 2h, if_not: [send: "Still there?"] }
      - send: "You said {answer|nothing}" """


def test_any_answer_goes_on() -> None:
    made, flow, first = _start(ANSWER)
    [wait] = first.run.waits
    assert (wait.kind, wait.path, wait.what, wait.due_at) == (
        WaitKind.FOR_ANSWER,
        "do.1",
        "do.0",
        NOW + timedelta(hours=2),
    )
    answered = _on(made, flow, first.run, Answered(wait.id, "red", None, event(text="red")))
    assert _texts(answered) == ["You said red"]
    assert answered.run.status is RunStatus.COMPLETED
    assert next((check.what, check.result, check.detail) for check in answered.trace) == (
        "do.1",
        "goes on",
        "after an answer",
    )


def test_in_vain_if_not_comes_before_the_next_step() -> None:
    made, flow, first = _start(ANSWER)
    over = _on(made, flow, first.run, TimerFired(first.run.waits[0].id))
    assert _texts(over) == ["Still there?", "You said nothing"]
    assert over.run.status is RunStatus.COMPLETED


def test_in_vain_without_if_not_the_run_expires() -> None:
    made, flow, first = _start("      - send: Hi\n      - wait_for: any\n      - send: On")
    [wait] = first.run.waits
    assert wait.due_at == NOW + timedelta(hours=23)
    over = _on(made, flow, first.run, TimerFired(wait.id))
    assert (over.run.status, over.run.reason) == (RunStatus.EXPIRED, "an answer did not come in time")


def test_an_answer_to_what_never_arrived_is_not_waited_for() -> None:
    made, flow, first = _start(ANSWER)
    lost = EffectSettled("i1", "do.0", False, ItemStatus.FAILED, "refused")
    assert _on(made, flow, first.run, lost).run.status is RunStatus.FAILED


TAP = """\
      - send:
          text: "Which?"
          buttons:
            - { label: Roses, do: [tag: roses] }
            - { label: Tulips }
            - { label: Stop it, do: [stop] }
      - wait_for: { tap: LABEL, up_to: 1h, if_not: [tag: silent] }
      - send: "Good." """


@pytest.mark.parametrize(
    ("label", "tapped", "did"),
    [
        ("Roses", 0, [AddTag("roses"), "Good."]),
        ("tulips!", 1, ["Good."]),
        ("Roses", 2, []),
    ],
)
def test_a_tap_does_its_button_first(label: str, tapped: int, did: list[object]) -> None:
    made, flow, first = _start(TAP.replace("LABEL", f'"{label}"'))
    then = _on(made, flow, first.run, Tapped(f"do.0.buttons.{tapped}", event(text="x")))
    done = [e.content.text if isinstance(e, SendMessage) else e for e in then.effects]
    assert done == did
    assert then.run.status in ENDED or [w.kind for w in then.run.waits if w.kind is WaitKind.TAP]


def test_a_tap_on_another_button_leaves_it_waiting() -> None:
    made, flow, first = _start(TAP.replace("LABEL", "Tulips"))
    then = _on(made, flow, first.run, Tapped("do.0.buttons.0", event(text="x")))
    assert then.effects == (AddTag("roses"),)
    assert [wait.kind for wait in then.run.waits] == [WaitKind.FOR_TAP]
    assert then.run.status is RunStatus.WAITING


def test_any_answer_is_a_tap_too_but_not_within_the_tapped_buttons_own_steps() -> None:
    lines = """\
      - send: { text: Which?, buttons: [{ label: A, do: [{ wait_for: any }, { send: inner }] }] }
      - wait_for: any
      - send: outer"""
    made, flow, first = _start(lines)
    then = _on(made, flow, first.run, Tapped("do.0.buttons.0", event(text="A")))
    assert _texts(then) == ["outer"]
    [wait] = then.run.waits
    assert (wait.path, wait.branch) == ("do.0.buttons.0.do.0", "do.0.buttons.0")
    answered = _on(made, flow, then.run, Answered(wait.id, "ok", None, event(text="ok")))
    assert (_texts(answered), answered.run.waits) == (["inner"], ())


def test_a_tag_and_a_click_wake_it() -> None:
    lines = """\
      - send: { text: Shop, buttons: [{ label: Open, url: "https://shop.example", name: shop }] }
      - wait_for: { click: shop }
      - wait_for: { tag: paid, up_to: 7d }
      - send: Thanks"""
    made, flow, first = _start(lines)
    [click] = first.run.waits
    assert (click.kind, click.what) == (WaitKind.FOR_CLICK, "shop")
    clicked = _on(made, flow, first.run, Woken(click.id))
    [tag] = clicked.run.waits
    assert (tag.kind, tag.what, tag.due_at) == (WaitKind.FOR_TAG, "paid", NOW + timedelta(days=7))
    assert _texts(_on(made, flow, clicked.run, Woken(tag.id))) == ["Thanks"]


def test_what_is_there_already_is_not_waited_for() -> None:
    lines = """\
      - wait_for: { tag: paid }
      - wait_for: { click: shop }
      - send: { text: Thanks, buttons: [{ label: Open, url: "https://shop.example", name: shop }] }"""
    made, flow = steps(lines)
    known = replace(facts(made, replace(anna(), tags=frozenset({"paid"}))), clicked=frozenset({"shop"}))
    decision = decide(flow, run(flow), Started(), known, NOW)
    assert _texts(decision) == ["Thanks"]
    assert [check.detail for check in decision.trace][:2] == [
        "the person has the tag paid",
        "the person has clicked shop",
    ]


# --- a run always has a future ---------------------------------------------------------------------------

_MAZE = """\
      - send:
          text: Which?
          buttons:
            - { label: A, do: [{ wait_for: { tap: B, up_to: 2d, if_not: [tag: b] } }, { send: a }] }
            - { label: B }
          chips: [{ label: C, do: [{ wait_for: any }, { tag: x }] }]
      - wait_for: { tap: B, up_to: 30d, if_not: [{ wait_for: { tag: t } }, { send: late }] }
      - ask: { question: Sure?, choices: [{ label: "Yes", do: [wait_for: any] }, "No"], if_no_answer: [tag: quiet] }
      - wait_for: { click: "https://shop.example" , up_to: 1h, if_not: [stop] }
      - send: "See https://shop.example"
      - wait_for: any"""
_MADE, _FLOW = steps(_MAZE)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_run_always_has_a_future(data: st.DataObject) -> None:
    now, state = NOW, decide(_FLOW, run(_FLOW), Started(), facts(_MADE, anna()), NOW).run
    for _ in range(data.draw(st.integers(1, 12))):
        stimuli: list[Stimulus] = [Tapped(path, event(text="x")) for path in _FLOW.options]
        for wait in state.waits:
            stimuli.append(TimerFired(wait.id))
            if wait.kind in (WaitKind.ANSWER, WaitKind.FOR_ANSWER):
                stimuli.append(Answered(wait.id, "yes", None, event(text="yes")))
            if wait.kind in (WaitKind.FOR_CLICK, WaitKind.FOR_TAG):
                stimuli.append(Woken(wait.id))
        stimulus = data.draw(st.sampled_from(stimuli))
        if isinstance(stimulus, Tapped) and not _can_tap(state, stimulus.option):
            continue
        now += timedelta(hours=data.draw(st.integers(0, 30)))
        state = decide(_FLOW, state, stimulus, facts(_MADE, anna()), now).run
        assert state.status in ENDED or state.waits, "nothing would ever go on"


def _can_tap(state: Run, option: str) -> bool:
    """As `choose` lets taps through: options that do something, choices, and what is waited for."""
    awaited = any(wait.kind is WaitKind.FOR_TAP for wait in state.waits) and option == "do.0.buttons.1"
    return _FLOW.options[option].does_something or ".choices." in option or awaited
