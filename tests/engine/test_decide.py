"""One turn of a run: what happened goes in, what changes comes out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.decide import decide
from pamosnik.engine.payload import from_payload
from pamosnik.engine.steps import TAP_COUNTS_FOR
from pamosnik.model.book import Book
from pamosnik.model.contact import Contact
from pamosnik.model.decision import (
    AddTag,
    Answered,
    CountGoal,
    Decision,
    Disclosed,
    EffectSettled,
    NotUnderstood,
    PauseContact,
    RemoveTag,
    ReplyToComment,
    SendMessage,
    SetField,
    Started,
    StartRun,
    Stimulus,
    StopMessages,
    Tapped,
    TimerFired,
)
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import ItemStatus, OutMessage
from pamosnik.model.run import Run, RunStatus, RunWait, WaitKind
from tests.engine.shop import NOW, anna, event, facts, run, steps


def _start(
    lines: str, *, comment: bool = False, contact: Contact | None = None, top: str = ""
) -> tuple[Book, Flow, Decision]:
    made, flow = steps(lines, top)
    who = anna() if contact is None else contact
    return made, flow, decide(flow, run(flow, comment=comment), Started(), facts(made, who), NOW)


def _go_on(
    made: Book,
    flow: Flow,
    before: Run,
    stimulus: Stimulus,
    *,
    now: datetime = NOW,
    contact: Contact | None = None,
) -> Decision:
    return decide(flow, before, stimulus, facts(made, anna() if contact is None else contact), now)


def _messages(decision: Decision) -> list[OutMessage]:
    return [effect.content for effect in decision.effects if isinstance(effect, SendMessage)]


def _texts(decision: Decision) -> list[str | None]:
    return [message.text for message in _messages(decision)]


def _waits(decision: Decision) -> list[tuple[WaitKind, str]]:
    return [(wait.kind, wait.path) for wait in decision.run.waits]


# --- steps -----------------------------------------------------------------------------------------------


def test_steps_are_done_in_order_and_the_run_completes() -> None:
    lines = """\
      - tag: [new, vip]
      - untag: new
      - send: "Hi {first_name|there}"
      - goal: greeted"""
    _, _, decision = _start(lines)
    assert decision.effects == (
        AddTag("new"),
        AddTag("vip"),
        RemoveTag("new"),
        SendMessage("do.2", OutMessage("Hi Anna"), variant=0),
        CountGoal("greeted"),
    )
    assert (decision.run.status, decision.run.turn, decision.run.finished_at) == (RunStatus.COMPLETED, 1, NOW)
    assert [check.what for check in decision.trace] == ["do.0", "do.1", "do.2", "do.3"]


def test_what_was_set_counts_in_the_next_step() -> None:
    lines = """\
      - set: { guests: "4" }
      - choose:
          - if: { field: { guests: { more_than: 3 } } }
            do: [{ send: "{guests|?} of you" }]
          - else: [{ send: few }]
      - clear: guests
      - send: "{guests|nobody}" """
    _, _, decision = _start(lines, top="fields: { guests: number }")
    assert _texts(decision) == ["4 of you", "nobody"]
    assert [e for e in decision.effects if isinstance(e, SetField)] == [
        SetField("guests", "4"),
        SetField("guests", None),
    ]


def test_a_choose_without_a_true_branch_goes_on() -> None:
    lines = """\
      - choose:
          - if: first_time
            do: [{ send: Welcome }]
          - if: { came_from: comment }
            do: [{ send: Never }]
      - send: On"""
    _, _, decision = _start(lines)
    assert _texts(decision) == ["Welcome", "On"]


def test_stop_ends_the_run_early() -> None:
    lines = """\
      - send: Bye
      - choose: [{ if: window_open, do: [stop] }]
      - send: Never"""
    _, _, decision = _start(lines)
    assert _texts(decision) == ["Bye"]
    assert decision.run.status is RunStatus.STOPPED


def test_opt_out_ends_the_run_and_confirms_in_the_owners_words() -> None:
    _, _, decision = _start(
        "      - opt_out", top='says: { stopped: "Quiet now." }\ndisclosure: "A machine."'
    )
    assert decision.effects == (StopMessages("Quiet now.", "A machine."),)
    assert (decision.run.status, decision.run.waits) == (RunStatus.STOPPED, ())


def test_run_goes_on_in_another_flow_and_does_not_come_back() -> None:
    top = "facts: { x: y }\n"
    made, flow = steps("      - run: other\n  other:\n    do: [{ send: There }]", top)
    decision = decide(flow, run(flow), Started(), facts(made, anna()), NOW)
    assert decision.effects == (StartRun("other"),)
    assert decision.run.status is RunStatus.COMPLETED
    gone = replace(facts(made, anna()), can_start=frozenset())
    assert decide(flow, run(flow), Started(), gone, NOW).effects == ()


def test_hand_over_pauses_and_the_rest_waits_for_the_human() -> None:
    made, flow, decision = _start(
        '      - hand_over: { note: "Hi {username}", pause: 2h }\n      - send: Back'
    )
    assert decision.effects == (PauseContact(NOW + timedelta(hours=2), "Hi anna"),)
    assert _waits(decision) == [(WaitKind.TIMER, "do.0")]
    later = NOW + timedelta(hours=2)
    after = _go_on(made, flow, decision.run, TimerFired(decision.run.waits[0].id), now=later)
    assert _texts(after) == ["Back"]


def test_pictures_come_before_the_text_with_its_buttons() -> None:
    lines = '      - send: { text: Look, image: "https://shop.example/a.png", buttons: [More] }'
    _, _, decision = _start(lines)
    first, second = _messages(decision)
    assert first == OutMessage(images=("https://shop.example/a.png",))
    assert (second.text, [button.label for button in second.buttons]) == ("Look", ["More"])


# --- comments and the window -----------------------------------------------------------------------------


def test_the_first_message_after_a_comment_is_the_private_reply() -> None:
    lines = """\
      - reply_publicly: { one_of: [a, b, c], wait_first: 20s to 90s }
      - send: { text: Hi, buttons: [{ label: More, do: [{ send: Here }] }] }
      - tag: x"""
    _, _, decision = _start(lines, comment=True, contact=anna(window=False))
    public, private, tag = decision.effects
    assert isinstance(public, ReplyToComment)
    assert public.text in ("a", "b", "c")
    assert timedelta(seconds=20) <= public.delay <= timedelta(seconds=90)
    assert isinstance(private, SendMessage)
    assert private.private_reply
    assert private.content.spelled_out == "Hi\nReply: More"
    assert tag == AddTag("x")


def test_a_public_reply_needs_a_comment_that_can_have_one() -> None:
    lines = "      - reply_publicly: { one_of: [a, b, c] }"
    made, flow, decision = _start(lines)
    assert decision.effects == ()
    live = run(flow, comment=True)
    live = replace(live, origin=replace(live.origin, live=True))
    assert _go_on(made, flow, live, Started()).effects == ()


def test_with_a_closed_window_messages_are_passed_over() -> None:
    _, _, decision = _start("      - send: Hi\n      - ask: Why?\n      - tag: x", contact=anna(window=False))
    assert decision.effects == (AddTag("x"),)
    assert [check.result for check in decision.trace] == ["skipped", "skipped", "done"]


def test_the_disclosure_is_the_first_line_of_the_first_message_only() -> None:
    _, _, decision = _start("      - send: Hi\n      - send: There", contact=anna(disclosed=False))
    assert _texts(decision) == ["Automated reply.\nHi", "There"]
    assert [effect for effect in decision.effects if isinstance(effect, Disclosed)] == [Disclosed()]
    _, _, quiet = _start("      - send: Hi", contact=anna(disclosed=False), top="disclosure: false")
    assert _texts(quiet) == ["Hi"]


def test_the_disclosure_counts_against_the_thousand_bytes() -> None:
    _, _, decision = _start(
        "      - send: '{text|x} end'", contact=anna(disclosed=False), top="disclosure: A machine writes."
    )
    assert _texts(decision) == ["A machine writes.\nprice end"]
    made, flow = steps("      - send: '{text|x} end'", "disclosure: A machine writes.")
    long = run(flow)
    long = replace(long, origin=replace(long.origin, text="ż" * 900))
    (text,) = _texts(_go_on(made, flow, long, Started(), contact=anna(disclosed=False)))
    assert text is not None
    assert 990 <= len(text.encode()) <= 1000
    assert text.startswith("A machine writes.\nżż")
    assert text.endswith("… end")


def test_a_variant_is_not_used_twice_running() -> None:
    made, flow = steps("      - send: { one_of: [a, b, c] }")
    for used in range(3):
        known = replace(facts(made, anna()), last_variants={"do.0": used})
        (effect,) = decide(flow, run(flow), Started(), known, NOW).effects
        assert isinstance(effect, SendMessage)
        assert effect.variant != used


# --- waits -----------------------------------------------------------------------------------------------


def test_a_wait_goes_on_when_its_time_has_come() -> None:
    made, flow, decision = _start("      - wait: 3h\n      - send: Hello again")
    (wait,) = decision.run.waits
    assert (wait.kind, wait.path, wait.due_at) == (WaitKind.TIMER, "do.0", NOW + timedelta(hours=3))
    assert decision.run.status is RunStatus.WAITING
    after = _go_on(made, flow, decision.run, TimerFired(wait.id), now=wait.due_at)
    assert _texts(after) == ["Hello again"]
    assert (after.run.status, after.run.waits) == (RunStatus.COMPLETED, ())


def test_a_wait_until_a_clock_time_is_in_the_zone_of_the_file() -> None:
    lines = '      - wait: { until: "09:00", days: [sat, sun], if_window_closed: skip }\n      - send: Hi'
    _, _, decision = _start(lines, top="timezone: America/New_York")
    assert decision.run.waits[0].due_at == datetime(2026, 12, 5, 14, tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(
    ("word", "status", "effects"),
    [("skip", RunStatus.COMPLETED, 1), ("stop", RunStatus.STOPPED, 0), ("tell_me", RunStatus.STOPPED, 1)],
)
def test_what_a_wait_does_when_the_window_has_closed(word: str, status: RunStatus, effects: int) -> None:
    lines = f"      - wait: {{ for: 30h, if_window_closed: {word} }}\n      - send: Hi\n      - tag: x"
    made, flow, decision = _start(lines)
    later = NOW + timedelta(hours=30)
    after = _go_on(made, flow, decision.run, TimerFired(decision.run.waits[0].id), now=later)
    assert (after.run.status, len(after.effects)) == (status, effects)


# --- questions -------------------------------------------------------------------------------------------

_ASK = """\
      - ask:
          question: How many?
          save_as: guests
          choices: [{ label: "1", do: [{ send: Alone }] }, "2"]
          if_not_understood: { say: "A number, please", tries: 1, then: [{ send: Later }] }
          if_no_answer: [{ send: Gone }]
      - send: "Noted {answer|nothing}" """
_GUESTS = "fields: { guests: number }"


def _asked() -> tuple[Book, Flow, Decision]:
    made, flow, decision = _start(_ASK, top=_GUESTS)
    assert _waits(decision) == [(WaitKind.ANSWER, "do.0")]
    assert decision.run.waits[0].due_at == NOW + timedelta(hours=23)
    return made, flow, decision


def test_a_question_waits_and_its_answer_is_saved() -> None:
    made, flow, asked = _asked()
    (question,) = _messages(asked)
    assert [chip.label for chip in question.chips] == ["1", "2"]
    answer = Answered(asked.run.waits[0].id, "2", "do.0.choices.1", event(text="2"))
    after = _go_on(made, flow, asked.run, answer)
    assert after.effects[0] == SetField("guests", "2")
    assert _texts(after) == ["Noted 2"]
    assert after.run.status is RunStatus.COMPLETED


def test_a_choice_does_its_steps_and_then_the_next_one() -> None:
    made, flow, asked = _asked()
    answer = Answered(asked.run.waits[0].id, "1", "do.0.choices.0", event(text="1"))
    assert _texts(_go_on(made, flow, asked.run, answer)) == ["Alone", "Noted 1"]


def test_what_does_not_fit_is_asked_again_and_then_given_up() -> None:
    made, flow, asked = _asked()
    misfit = NotUnderstood(asked.run.waits[0].id, event(text="many"))
    again = _go_on(made, flow, asked.run, misfit)
    assert _texts(again) == ["A number, please"]
    assert [chip.label for chip in _messages(again)[0].chips] == ["1", "2"]
    assert again.run.waits[0].tries == 1
    assert _texts(_go_on(made, flow, again.run, misfit)) == ["Later", "Noted nothing"]


def test_nobody_answers() -> None:
    made, flow, asked = _asked()
    fired = TimerFired(asked.run.waits[0].id)
    assert _texts(_go_on(made, flow, asked.run, fired)) == ["Gone", "Noted nothing"]
    made, flow, asked = _start("      - ask: Why?\n      - send: On")
    after = _go_on(made, flow, asked.run, TimerFired(asked.run.waits[0].id))
    assert (after.effects, after.run.status, after.run.waits) == ((), RunStatus.EXPIRED, ())


def test_without_words_of_its_own_a_human_is_called_after_two_tries() -> None:
    made, flow, decision = _start("      - ask: { question: When?, accept: date }\n      - send: On")
    misfit = NotUnderstood(decision.run.waits[0].id, event(text="soon"))
    said: list[str | None] = []
    for _ in range(3):
        decision = _go_on(made, flow, decision.run, misfit)
        said += _texts(decision)
    sorry = "Sorry, I did not understand that. Please try again."
    assert said == [sorry, sorry, "A person will answer you here."]
    assert decision.effects[-1] == PauseContact(NOW + timedelta(hours=12), None)
    assert decision.run.status is RunStatus.STOPPED


def test_an_optional_question_goes_on_with_nothing() -> None:
    lines = "      - ask: { question: When?, accept: date, optional: true }\n      - send: On"
    made, flow, decision = _start(lines)
    assert [chip.label for chip in _messages(decision)[0].chips] == ["Skip"]
    wait = decision.run.waits[0].id
    assert _texts(_go_on(made, flow, decision.run, Answered(wait, None, None, event()))) == ["On"]
    for _ in range(3):
        decision = _go_on(made, flow, decision.run, NotUnderstood(wait, event(text="soon")))
    assert _texts(decision) == ["On"]


# --- buttons ---------------------------------------------------------------------------------------------

_BUTTONS = """\
      - send:
          text: Hi
          buttons:
            - label: More
              do: [{ wait: 1h }, { send: Here }]
            - { label: Open, url: "https://shop.example" }
      - tag: seen"""
_MORE = "do.0.buttons.0"


def test_buttons_hold_nothing_up_and_the_run_waits_for_a_tap() -> None:
    _, flow, decision = _start(_BUTTONS)
    assert decision.effects[-1] == AddTag("seen")
    assert _waits(decision) == [(WaitKind.TAP, "do.0")]
    assert decision.run.waits[0].due_at == NOW + TAP_COUNTS_FOR
    assert (decision.run.status, decision.run.main_done, decision.run.taps_open) == (
        RunStatus.WAITING,
        True,
        True,
    )
    more, link = _messages(decision)[0].buttons
    target = from_payload(more.payload)
    assert target is not None
    assert (target.run_id, target.flow_id, target.option) == ("r1", flow.id, _MORE)
    assert (link.url, link.payload) == ("https://shop.example", None)


def test_a_tap_does_its_steps_and_completes_the_run_once() -> None:
    made, flow, decision = _start(_BUTTONS)
    tapped = _go_on(made, flow, decision.run, Tapped(_MORE, event()))
    assert _waits(tapped) == [(WaitKind.TIMER, "do.0.buttons.0.do.0")]
    busy = _go_on(made, flow, tapped.run, Tapped(_MORE, event()))
    assert (busy.effects, busy.trace[0].result) == ((), "ignored")
    done = _go_on(made, flow, tapped.run, TimerFired(tapped.run.waits[0].id), now=NOW + timedelta(hours=1))
    assert (_texts(done), done.run.status) == (["Here"], RunStatus.COMPLETED)
    again = _go_on(made, flow, done.run, Tapped(_MORE, event()))
    assert (len(again.run.waits), again.run.status, again.run.finished_at) == (
        1,
        RunStatus.COMPLETED,
        done.run.finished_at,
    )


def test_nobody_taps_and_a_late_tap_brings_the_run_back() -> None:
    made, flow, decision = _start(_BUTTONS)
    later = NOW + TAP_COUNTS_FOR
    expired = _go_on(made, flow, decision.run, TimerFired(decision.run.waits[0].id), now=later)
    assert (expired.run.status, expired.run.waits) == (RunStatus.EXPIRED, ())
    back = _go_on(made, flow, expired.run, Tapped(_MORE, event()), now=later)
    assert (back.run.status, back.run.finished_at) == (RunStatus.WAITING, None)


def test_a_refused_private_reply_fails_the_run() -> None:
    made, flow, decision = _start(_BUTTONS, comment=True, contact=anna(window=False))
    settled = EffectSettled("i1", "do.0", True, ItemStatus.FAILED, "too old")
    after = _go_on(made, flow, decision.run, settled)
    assert (after.run.status, after.run.waits) == (RunStatus.FAILED, ())
    assert after.run.reason is not None
    assert "too old" in after.run.reason


# --- the same input, the same output ---------------------------------------------------------------------

_LINES: Sequence[str] = (
    "      - send: { one_of: [a, b, c] }",
    "      - send: { text: Hi, buttons: [{ label: More, do: [{ tag: x }, { send: Here }] }] }",
    "      - ask: { question: How many?, save_as: guests, choices: [a, b] }",
    "      - reply_publicly: { one_of: [a, b, c], wait_first: 20s to 90s }",
    "      - wait: 1h",
    "      - tag: x",
    "      - choose: [{ if: first_time, do: [{ tag: y }] }, { else: [{ untag: y }] }]",
    "      - goal: g",
)


def _stimulus(state: Run, flow: Flow, number: int) -> Stimulus:
    """Something that can happen to this run now."""
    options: list[Stimulus] = [Tapped(path, event()) for path, o in flow.options.items() if o.does_something]
    for wait in state.waits:
        options.append(TimerFired(wait.id))
        if wait.kind is WaitKind.ANSWER:
            options += [Answered(wait.id, "4", None, event()), NotUnderstood(wait.id, event())]
    return (
        options[number % len(options)]
        if options
        else EffectSettled("i1", "do.0", False, ItemStatus.FAILED, None)
    )


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(_LINES), min_size=1, max_size=5),
    st.lists(st.integers(0, 9), max_size=6),
    st.booleans(),
)
def test_the_same_input_gives_the_same_output(lines: list[str], happens: list[int], window: bool) -> None:
    made, flow = steps("\n".join(lines), "fields: { guests: text }")
    known = facts(made, anna(window=window, disclosed=False))
    state, stimulus, now = run(flow), Started(), NOW
    for number in [-1, *happens]:
        happened: Stimulus = stimulus if number < 0 else _stimulus(state, flow, number)
        decision = decide(flow, state, happened, known, now)
        assert decision == decide(flow, state, happened, known, now)
        assert decision.run.turn == state.turn + 1
        assert all(wait.path in flow.steps for wait in decision.run.waits)
        assert (decision.run.finished_at is None) == (
            decision.run.status in (RunStatus.ACTIVE, RunStatus.WAITING)
        )
        state, now = decision.run, now + timedelta(minutes=7)


def test_a_late_tap_on_an_expired_run_comes_to_an_end() -> None:
    made, flow = steps(
        "      - send: { text: Hi, buttons: [{ label: More, do: [{ tag: x }] }] }\n      - ask: Why?\n      - tag: y"
    )
    known = facts(made, anna())
    begun = decide(flow, run(flow), Started(), known, NOW).run
    [question] = [wait for wait in begun.waits if wait.kind is WaitKind.ANSWER]
    expired = decide(flow, begun, TimerFired(question.id), known, NOW + timedelta(hours=23)).run
    assert expired.status is RunStatus.EXPIRED
    late = decide(flow, expired, Tapped("do.0.buttons.0", event()), known, NOW + timedelta(hours=24))
    assert late.run.status is RunStatus.COMPLETED
    assert late.run.waits == ()


@pytest.mark.parametrize("status", [ItemStatus.SENT, ItemStatus.FAILED])
def test_an_errand_that_ended_well_or_badly_resumes_the_step_that_asked(status: ItemStatus) -> None:
    made, flow, _ = _start("      - tag: asked\n      - tag: after")
    wait = RunWait("w1", WaitKind.EFFECT, "do.0", NOW, NOW + timedelta(hours=1))
    waiting = replace(run(flow), waits=(wait,), status=RunStatus.WAITING)
    settled = EffectSettled("i1", "do.0", False, status, None, "w1", {"follows": None})
    after = _go_on(made, flow, waiting, settled)
    assert after.effects == (AddTag("asked"), AddTag("after"))
    assert after.run.status is RunStatus.COMPLETED
    assert _go_on(made, flow, after.run, settled).effects == ()  # its wait is over: once
    assert _go_on(made, flow, waiting, TimerFired("w1")).effects == after.effects
