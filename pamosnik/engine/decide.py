"""One turn of a run: what happened goes in, what changes comes out. Pure.

A run stands still at its waits, each of which is one path in the flow. A turn takes one of them (or the
beginning, or a tapped button) and walks from step to step along `next` until the line ends or has to wait
again. There is one main line; a tapped button or chip begins a branch that goes on beside it.

When the main line has ended the run is complete, unless the last message it sent has buttons that do
something: then one of those has to be done first.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from pamosnik.engine import forgetting, look_up, messages, sentences, steps
from pamosnik.engine.working import Turn, branch_of
from pamosnik.model.book import Sentence
from pamosnik.model.decision import (
    Answered,
    Check,
    Decision,
    EffectSettled,
    Facts,
    NotUnderstood,
    Started,
    Stimulus,
    Tapped,
    TimerFired,
    Woken,
)
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.run import ENDED, Run, RunStatus, RunWait, WaitKind, asked_by
from pamosnik.model.step import (
    Ask,
    Awaited,
    ForgetMe,
    Message,
    Option,
    Wait,
    WaitFor,
    WindowClosed,
)
from pamosnik.model.text import Text
from pamosnik.model.words import same_label

HUMAN_TAKES_OVER_FOR = timedelta(hours=12)

STEPS_PER_TURN = 10_000
"""More than any sensible flow does between two waits: a loop the compiler did not see ends as an error."""


class EndlessTurnError(RuntimeError):
    """A turn walked through more steps than a flow can sensibly have."""


def decide(flow: Flow, run: Run, stimulus: Stimulus, facts: Facts, now: datetime) -> Decision:
    """What `stimulus` makes of `run`. The same input gives the same output; nothing has happened yet."""
    turn = Turn(flow, run, facts, now)
    match stimulus:
        case Started():
            _walk(turn, flow.first, branch="")
        case Answered():
            _answered(turn, stimulus)
        case NotUnderstood():
            _not_understood(turn, stimulus)
        case Tapped():
            _tapped(turn, stimulus)
        case TimerFired():
            _timer_fired(turn, stimulus)
        case Woken():
            _woken(turn, stimulus)
        case EffectSettled():
            _settled(turn, stimulus)
        case _:
            assert_never(stimulus)
    return turn.decision()


def _answered(turn: Turn, answer: Answered) -> None:
    if isinstance(turn.flow.steps[turn.waits[answer.wait_id].path], WaitFor):
        turn.run = replace(turn.run, answer=answer.value)
        _happened(turn, turn.waits[answer.wait_id])
        return
    wait, step = _take_question(turn, answer.wait_id)
    if isinstance(step, ForgetMe):
        forgetting.forget(turn, step, answer.event)
        return
    turn.run = replace(turn.run, answer=answer.value)
    if step.save_as is not None and answer.value is not None:
        turn.set_field(step.save_as, answer.value)
    turn.note(step.at, "answered")
    option = None if answer.option is None else turn.flow.options.get(answer.option)
    if option is not None and option.run is not None:
        turn.trace.append(Check(option.path, "done", f"goes on in {option.run}"))
        turn.go_to_flow(option.run, wait.branch)
    elif option is not None and option.first is not None:
        _walk(turn, option.first, wait.branch)
    else:
        _walk(turn, step.at.next, wait.branch)


def _not_understood(turn: Turn, heard: NotUnderstood) -> None:
    wait, step = _take_question(turn, heard.wait_id)
    if isinstance(step, ForgetMe):
        turn.note(step.at, "cancelled", "the person did not say yes: nothing is deleted")
        _walk(turn, step.at.next, wait.branch)
        return
    tries = wait.tries + 1
    if tries <= step.tries:
        turn.note(step.at, "asks again", f"answer {tries} did not fit")
        text = step.say or Text((sentences.say(turn.facts.settings, Sentence.NOT_UNDERSTOOD),))
        again = Message((text,), chips=step.choices)
        messages.send(turn, step.at, again, skip=step.optional, remember_variant=False)
        turn.waits[wait.id] = replace(wait, tries=tries)
    elif step.then is not None:
        turn.note(step.at, "gives up asking", "goes on with if_not_understood")
        _walk(turn, step.then, wait.branch)
    elif step.optional:
        turn.note(step.at, "gives up asking", "optional: goes on with nothing saved")
        _walk(turn, step.at.next, wait.branch)
    else:
        turn.note(step.at, "gives up asking", "a human takes over")
        called = Text((sentences.say(turn.facts.settings, Sentence.HUMAN_CALLED),))
        messages.send(turn, step.at, Message((called,)), remember_variant=False)
        turn.call_human(HUMAN_TAKES_OVER_FOR, None)
        turn.end(RunStatus.STOPPED, "the answer was not understood; a human takes over")


def _tapped(turn: Turn, tap: Tapped) -> None:
    option = turn.flow.options[tap.option]
    if any(wait.branch == option.path and wait.kind is not WaitKind.TAP for wait in turn.waits.values()):
        turn.trace.append(Check(option.path, "ignored", "this button's steps are still under way"))
        return
    step = option.step
    asked = turn.flow.steps.get(step)
    if isinstance(asked, Ask):
        _answered_again(turn, asked, option, tap.value)
        return
    turn.trace.append(Check(option.path, "tapped"))
    awaited = [wait for wait in turn.waits.values() if _waits_for(turn, wait, option)]
    _do_option(turn, option)
    for wait in awaited:
        if wait.id in turn.waits:
            _happened(turn, wait)


def _do_option(turn: Turn, option: Option) -> None:
    if turn.run.status is RunStatus.EXPIRED:
        turn.run = replace(turn.run, status=RunStatus.ACTIVE, finished_at=None, reason=None)
    if option.does_something and turn.run.data.get(steps.LAST_MESSAGE) == option.step:
        turn.run = replace(turn.run, taps_open=False)
        turn.drop_waits(WaitKind.TAP, option.step)
    if option.run is not None:
        turn.go_to_flow(option.run, option.path)
    elif option.first is not None:
        _walk(turn, option.first, option.path)


def _waits_for(turn: Turn, wait: RunWait, option: Option) -> bool:
    """Whether a tap on this option ends a `wait_for`: it is the one, or any answer will do."""
    step = turn.flow.steps[wait.path]
    if not isinstance(step, WaitFor):
        return False
    return step.awaited is Awaited.ANSWER or (
        step.awaited is Awaited.TAP and same_label(turn.fill(option.label), turn.fill(step.what))
    )


def _woken(turn: Turn, woken: Woken) -> None:
    wait = turn.waits.get(woken.wait_id)
    if wait is not None:
        _happened(turn, wait)


def _happened(turn: Turn, wait: RunWait) -> None:
    """What a `wait_for` waits for."""
    del turn.waits[wait.id]
    step = turn.flow.steps[wait.path]
    assert isinstance(step, WaitFor)
    turn.note(step.at, "goes on", f"after {steps.awaited(turn, step)}")
    _walk(turn, step.at.next, wait.branch)


def _in_vain(turn: Turn, step: WaitFor, wait: RunWait) -> None:
    what = steps.awaited(turn, step)
    if step.if_not is not None:
        turn.note(step.at, "in vain", f"{what} did not come in time: goes on with if_not")
        _walk(turn, step.if_not, wait.branch)
    else:
        turn.note(step.at, "in vain", f"{what} did not come in time")
        turn.end(RunStatus.EXPIRED, f"{what} did not come in time")


def _answered_again(turn: Turn, step: Ask, option: Option, value: str | None) -> None:
    """A choice of a question that was answered before: the new answer counts, and the line goes on from there."""
    turn.trace.append(Check(option.path, "answered again"))
    turn.run = replace(turn.run, answer=value)
    if step.save_as is not None and value is not None:
        turn.set_field(step.save_as, value)
    branch = option.path
    if turn.run.status not in ENDED or turn.run.status is RunStatus.EXPIRED:
        branch = branch_of(step.at.path)
        turn.run = replace(turn.run, status=RunStatus.ACTIVE, finished_at=None, reason=None)
        turn.waits = {w.id: w for w in turn.waits.values() if w.branch != branch}
        if branch == "":
            turn.run = replace(turn.run, main_done=False, taps_open=False)
    if option.run is not None:
        turn.go_to_flow(option.run, branch)
    else:
        _walk(turn, option.first if option.first is not None else step.at.next, branch)


def _timer_fired(turn: Turn, fired: TimerFired) -> None:
    wait = turn.waits.pop(fired.wait_id)
    step = turn.flow.steps[wait.path]
    match step:
        case Ask() if wait.kind is WaitKind.ANSWER:
            _no_answer(turn, step, wait)
        case ForgetMe():
            turn.note(step.at, "no answer", "nothing is deleted")
            turn.end(RunStatus.EXPIRED, "nobody confirmed the deletion in time")
        case Wait():
            _wait_over(turn, step, wait)
        case WaitFor():
            _in_vain(turn, step, wait)
        case _ if wait.kind is WaitKind.TAP:
            turn.note(step.at, "expired", "nobody tapped")
            turn.run = replace(turn.run, taps_open=False)
            if turn.run.main_done and not turn.others_wait():
                turn.end(RunStatus.EXPIRED, "nobody tapped a button in time")
        case _ if wait.kind is WaitKind.EFFECT:
            late = EffectSettled("", wait.path, False, ItemStatus.FAILED, "no answer in time", wait.id)
            turn.waits[wait.id] = wait
            _came_back(turn, late, wait.id)
        case _:
            _walk(turn, step.at.next, wait.branch)


def _settled(turn: Turn, effect: EffectSettled) -> None:
    if effect.wait_id is not None:
        _came_back(turn, effect, effect.wait_id)
        return
    what = "private reply" if effect.private_reply else "message"
    turn.trace.append(Check(what, effect.status.value, effect.reason or ""))
    # Nobody can answer or tap what never arrived; a message that asks nothing leaves the run as it is.
    hangs = {asked_by(wait) for wait in turn.waits.values()}
    asked = effect.asks and effect.step is not None and effect.step in hangs
    if turn.run.status not in ENDED and (effect.private_reply or asked):
        turn.end(RunStatus.FAILED, f"the {what} did not go out: {effect.reason or effect.status}")


def _came_back(turn: Turn, effect: EffectSettled, wait_id: str) -> None:
    """An errand's end: the step that waits for it is done again, now knowing what came back."""
    wait = turn.waits.pop(wait_id, None)
    if wait is None:
        return
    if effect.kind is ItemKind.LOOKUP:
        turn.profile_came(wait.path, effect)
    else:
        turn.trace.append(Check(wait.path, "came back", effect.reason or effect.status.value))
        turn.came_back = effect
    _walk(turn, wait.path, wait.branch)


def _take_question(turn: Turn, wait_id: str) -> tuple[RunWait, Ask | ForgetMe]:
    wait = turn.waits.pop(wait_id)
    step = turn.flow.steps[wait.path]
    assert isinstance(step, Ask | ForgetMe)
    return wait, step


def _no_answer(turn: Turn, step: Ask, wait: RunWait) -> None:
    if step.if_no_answer is not None:
        turn.note(step.at, "no answer", "goes on with if_no_answer")
        _walk(turn, step.if_no_answer, wait.branch)
    else:
        turn.note(step.at, "no answer")
        turn.end(RunStatus.EXPIRED, "nobody answered the question in time")


def _wait_over(turn: Turn, step: Wait, wait: RunWait) -> None:
    closed = not turn.may_send()
    if closed and step.if_window_closed is WindowClosed.STOP:
        turn.note(step.at, "stops", "the 24-hour window has closed")
        turn.end(RunStatus.STOPPED, "the 24-hour window closed during a wait")
    elif closed and step.if_window_closed is WindowClosed.TELL_ME:
        turn.note(step.at, "tells you", "the 24-hour window has closed")
        turn.call_human(HUMAN_TAKES_OVER_FOR, "The 24-hour window closed before the flow could go on.")
        turn.end(RunStatus.STOPPED, "the 24-hour window closed during a wait")
    else:
        turn.note(step.at, "goes on")
        _walk(turn, step.at.next, wait.branch)


def _walk(turn: Turn, path: str | None, branch: str) -> None:
    """From step to step until the line waits, leaves or ends."""
    while path is not None:
        turn.walked += 1
        if turn.walked > STEPS_PER_TURN:
            raise EndlessTurnError(f"flow {turn.flow.id} does not come to rest at {path}")
        step = turn.flow.steps[path]
        turn.run = replace(turn.run, step=path)
        if look_up.needed(turn, step):
            turn.look_up(step.at, branch)
            return
        goes_on = steps.do(turn, step, branch)
        if goes_on is None:
            return
        path, branch = goes_on
    turn.line_ended(branch)
