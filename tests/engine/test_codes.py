"""`give_code`: what a turn does with the code that it is offered."""

from dataclasses import replace

from pamosnik.engine.decide import decide
from pamosnik.model.decision import AddTag, Decision, Effect, GiveOut, SendMessage, Started, TimerFired
from pamosnik.model.run import RunStatus
from tests.engine.shop import NOW, anna, facts, run, steps

_TOP = "codes: { spring: spring.csv, summer: summer.csv }"
_GIVE = """\
      - give_code: { from: spring, text: "Yours: {code}", if_empty: [{ send: "Gone." }] }
      - tag: after"""


def _begin(lines: str, codes: dict[str, str], *, window: bool = True, code: str | None = None) -> Decision:
    made, flow = steps(lines, _TOP)
    known = replace(facts(made, anna(window=window)), codes=codes, code=code)
    return decide(flow, run(flow), Started(), known, NOW)


def _texts(decision: Decision) -> list[str | None]:
    return [effect.content.text for effect in decision.effects if isinstance(effect, SendMessage)]


def _given(decision: Decision) -> list[Effect]:
    return [effect for effect in decision.effects if isinstance(effect, GiveOut)]


def test_it_gives_and_says_the_code() -> None:
    done = _begin(_GIVE, {"spring": "A-1"})
    assert _given(done) == [GiveOut("spring", "A-1")]
    assert _texts(done) == ["Yours: A-1"]
    assert AddTag("after") in done.effects
    assert done.run.status is RunStatus.COMPLETED
    assert "A-1" not in str(done.trace), "the trace is shown and kept"


def test_an_empty_pool_takes_the_other_way_and_goes_on() -> None:
    done = _begin(_GIVE, {"summer": "S-1"})
    assert _given(done) == []
    assert _texts(done) == ["Gone."]
    assert AddTag("after") in done.effects
    silent = _begin("      - give_code: spring\n      - tag: after", {})
    assert silent.effects == (AddTag("after"),)


def test_a_message_that_cannot_be_sent_costs_no_code() -> None:
    done = _begin(_GIVE, {"spring": "A-1"}, window=False)
    assert done.effects == (AddTag("after"),)


def test_later_texts_say_the_code_that_was_given_last() -> None:
    lines = """\
      - send: "Before: {code}"
      - give_code: spring
      - send: "One: {code}"
      - give_code: summer
      - wait: 1h
      - send: "Two: {code}"
"""
    made, flow = steps(lines, _TOP)
    known = replace(facts(made, anna()), codes={"spring": "A-1", "summer": "S-1"}, code="old")
    first = decide(flow, run(flow), Started(), known, NOW)
    assert _texts(first) == ["Before: old", "One: A-1"]
    [wait] = first.run.waits
    later = decide(flow, first.run, TimerFired(wait.id), replace(known, code="S-1"), NOW)
    assert _texts(later) == ["Two: S-1"]


def test_after_a_comment_it_is_the_private_reply() -> None:
    made, flow = steps(_GIVE, _TOP)
    known = replace(facts(made, anna(window=False)), codes={"spring": "A-1"})
    done = decide(flow, run(flow, comment=True), Started(), known, NOW)
    [sent] = [effect for effect in done.effects if isinstance(effect, SendMessage)]
    assert sent.private_reply
