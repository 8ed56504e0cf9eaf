"""Doing one step."""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from pamosnik.engine import (
    actions,
    calls,
    forgetting,
    messages,
    sentences,
    sums,
)
from pamosnik.engine.clock_times import next_clock_time, on_the_clock
from pamosnik.engine.working import Turn
from pamosnik.instagram import limits
from pamosnik.model.book import Sentence
from pamosnik.model.decision import (
    AddTag,
    CountGoal,
    CountShare,
    GiveOut,
    RemoveTag,
    ReplyToComment,
    StopMessages,
    TellOwner,
)
from pamosnik.model.outbox import Action
from pamosnik.model.run import RunStatus, WaitKind
from pamosnik.model.step import (
    AddToFields,
    Again,
    Ask,
    Awaited,
    Call,
    Choose,
    ClearFields,
    DeleteComment,
    ForgetMe,
    GiveCode,
    Goal,
    HandOver,
    HideComment,
    Message,
    NotifyMe,
    OptOut,
    React,
    ReplyPublicly,
    RunFlow,
    Send,
    SetFields,
    Split,
    Step,
    Stop,
    Tag,
    Untag,
    Wait,
    WaitFor,
)

TAP_COUNTS_FOR = timedelta(days=7)
"""How long a run waits for a tap on its last message before it counts as expired. Later taps still work."""

_WAITS = {
    Awaited.ANSWER: WaitKind.FOR_ANSWER,
    Awaited.TAP: WaitKind.FOR_TAP,
    Awaited.CLICK: WaitKind.FOR_CLICK,
    Awaited.TAG: WaitKind.FOR_TAG,
}

LAST_MESSAGE = "last_message"
"""Key in `Run.data`: path of the step that sent the last message."""
AGAIN = "again:"
"""Followed by the path of an `again`, a key in `Run.data`: how often it went back."""

TAKES_THE_WAY, GOES_BACK = "takes the way", "goes back"
"""What a trace says of a `split` and an `again`; which way and where to follow."""

Onward = tuple[str | None, str]
"""The path to go on with (None: the end), and the line that goes on: the branch that it belongs to."""


_AtOnce = (
    ReplyPublicly
    | Send
    | Tag
    | Untag
    | SetFields
    | AddToFields
    | ClearFields
    | Goal
    | NotifyMe
    | React
    | HideComment
    | DeleteComment
)
"""Steps after which the next one always follows at once."""


def do(turn: Turn, step: Step, branch: str) -> Onward | None:
    """Does one step. None: the line rests."""
    match step:
        case Ask():
            if _ask(turn, step, branch):
                return None
        case Wait():
            _wait(turn, step, branch)
            return None
        case WaitFor():
            if _wait_for(turn, step, branch):
                return None
        case Choose():
            return _choose(turn, step), branch
        case Split():
            return _split(turn, step), branch
        case GiveCode():
            return _give_code(turn, step), branch
        case Call():
            return calls.do(turn, step, branch)
        case RunFlow():
            turn.note(step.at, "done", f"goes on in {step.flow}")
            turn.go_to_flow(step.flow, branch)
            return None
        case Again():
            return _again(turn, step, branch)
        case Stop():
            turn.note(step.at, "done")
            turn.end(RunStatus.STOPPED, "the flow says stop")
            return None
        case OptOut():
            _opt_out(turn, step)
            return None
        case ForgetMe():
            if forgetting.ask(turn, step, branch):
                turn.run = replace(
                    turn.run, taps_open=False, data={**turn.run.data, LAST_MESSAGE: step.at.path}
                )
                return None
        case HandOver():
            _hand_over(turn, step, branch)
            return None
        case _:
            _do_at_once(turn, step)
    return step.at.next, branch


def _do_at_once(turn: Turn, step: _AtOnce) -> None:
    match step:
        case ReplyPublicly():
            _reply_publicly(turn, step)
        case Send():
            _send_step(turn, step)
        case Tag():
            _tag(turn, step)
        case Untag():
            _untag(turn, step)
        case SetFields():
            for field, text in step.values:
                turn.set_field(field, turn.fill(text) or None)
            turn.note(step.at, "done")
        case AddToFields():
            for field, amount in step.amounts:
                turn.set_field(field, sums.plus(turn.contact.fields.get(field), amount), counted=True)
            turn.note(step.at, "done")
        case ClearFields():
            for field in step.fields:
                turn.set_field(field, None)
            turn.note(step.at, "done")
        case Goal():
            turn.effects.append(CountGoal(step.name))
            turn.note(step.at, "done", f"goal {step.name}")
        case NotifyMe():
            turn.effects.append(TellOwner(step.at.path, turn.fill(step.text), step.to))
            turn.note(step.at, "done", "a mail to you")
        case React():
            actions.react(turn, step)
        case HideComment():
            actions.on_comment(turn, step.at, Action.HIDE)
        case DeleteComment():
            actions.on_comment(turn, step.at, Action.DELETE)
        case _:
            assert_never(step)


def _reply_publicly(turn: Turn, step: ReplyPublicly) -> None:
    origin = turn.run.origin
    if origin.top_comment_id is None or origin.live:
        turn.note(step.at, "skipped", "no comment that can be answered in public started this run")
        return
    number = turn.variant(step.at.path, len(step.texts))
    text = turn.fill(step.texts[number], limit_chars=limits.PUBLIC_REPLY_CHARS)
    turn.effects.append(ReplyToComment(step.at.path, text, _delay(turn, step), number))
    turn.note(step.at, "done")


def _delay(turn: Turn, step: ReplyPublicly) -> timedelta:
    if step.wait_first is None:
        return timedelta()
    shortest, longest = step.wait_first
    share = turn.number(step.at.path, "wait_first") % 10_001
    return shortest + (longest - shortest) * share / 10_000


def _send_step(turn: Turn, step: Send) -> None:
    message = step.message
    if not turn.may_send():
        turn.note(step.at, "skipped", "the 24-hour window has closed")
        return
    turn.note(step.at, "done")
    messages.send(turn, step.at, message)
    taps = any(option.does_something for option in message.options)
    turn.run = replace(turn.run, taps_open=taps, data={**turn.run.data, LAST_MESSAGE: step.at.path})
    if taps:
        turn.open_wait(WaitKind.TAP, step.at.path, turn.now + TAP_COUNTS_FOR, branch="")


def _ask(turn: Turn, step: Ask, branch: str) -> bool:
    """True when the question was sent and the line waits for its answer."""
    if not turn.may_send():
        turn.note(step.at, "skipped", "the 24-hour window has closed")
        return False
    messages.send(turn, step.at, Message(step.question, chips=step.choices), skip=step.optional)
    turn.run = replace(turn.run, taps_open=False, data={**turn.run.data, LAST_MESSAGE: step.at.path})
    turn.open_wait(WaitKind.ANSWER, step.at.path, turn.now + step.give_up_after, branch)
    turn.note(step.at, "waits", "for an answer")
    return True


def _wait_for(turn: Turn, step: WaitFor, branch: str) -> bool:
    """True when the line waits; False when what it would wait for is there already."""
    what: str | None = turn.fill(step.what)
    match step.awaited:
        case Awaited.TAG if what in turn.contact.tags:
            turn.note(step.at, "done", f"the person has the tag {what}")
            return False
        case Awaited.CLICK if what in turn.facts.clicked:
            turn.note(step.at, "done", f"the person has clicked {what}")
            return False
        case Awaited.ANSWER | Awaited.TAP:
            what = turn.run.data.get(LAST_MESSAGE)
    turn.open_wait(_WAITS[step.awaited], step.at.path, turn.now + step.up_to, branch, what)
    turn.note(step.at, "waits", f"for {awaited(turn, step)}")
    return True


def awaited(turn: Turn, step: WaitFor) -> str:
    """What it waits for, in words."""
    what = turn.fill(step.what)
    match step.awaited:
        case Awaited.ANSWER:
            return "an answer"
        case Awaited.TAP:
            return f"a tap on “{what}”"
        case Awaited.CLICK:
            return f"a click on {what}"
        case Awaited.TAG:
            return f"the tag {what}"
        case _:
            assert_never(step.awaited)


def _wait(turn: Turn, step: Wait, branch: str) -> None:
    if step.for_ is not None:
        due = turn.now + step.for_
    else:
        assert step.until is not None
        zone = step.zone or turn.facts.settings.timezone or turn.facts.timezone
        due = next_clock_time(step.until, turn.now, zone, step.days, step.dates)
    turn.open_wait(WaitKind.TIMER, step.at.path, due, branch)
    turn.note(step.at, "waits", f"until {on_the_clock(due, turn.facts.timezone)}")


def _choose(turn: Turn, step: Choose) -> str | None:
    for number, branch in enumerate(step.branches):
        if branch.condition is not None:
            found = turn.holds(branch.condition)
            if found is not True:
                continue
        turn.note(step.at, "done", f"branch {number + 1}")
        return branch.first if branch.first is not None else step.at.next
    turn.note(step.at, "done", "no branch is true")
    return step.at.next


def _split(turn: Turn, step: Split) -> str | None:
    """Who a person is decides, so it is the same way each time. In which order the ways are written means nothing."""
    drawn, upto = turn.draw(step.at), 0
    for share in sorted(step.shares, key=lambda share: share.name):
        upto += share.percent
        if drawn < upto:
            break
    turn.effects.append(CountShare(share.name))
    turn.note(step.at, TAKES_THE_WAY, f"{share.name}, {share.percent} of 100")
    return share.first if share.first is not None else step.at.next


def _again(turn: Turn, step: Again, branch: str) -> Onward:
    """Counted in the run, so a restart forgets nothing."""
    key = f"{AGAIN}{step.at.path}"
    times = int(turn.run.data.get(key, "0"))
    if times >= step.at_most:
        turn.note(step.at, "goes on", f"at_most: {step.at_most}, and it went back {times} times")
        return step.at.next, branch
    turn.run = replace(turn.run, data={**turn.run.data, key: str(times + 1)})
    turn.note(step.at, GOES_BACK, f"to {step.step}, {times + 1} of {step.at_most} times")
    return step.first, turn.rewind(step.first, branch)


def _tag(turn: Turn, step: Tag) -> None:
    for tag in step.tags:
        turn.effects.append(AddTag(tag))
        turn.contact = replace(turn.contact, tags=turn.contact.tags | {tag})
    turn.note(step.at, "done", f"tagged {', '.join(step.tags)}")


def _untag(turn: Turn, step: Untag) -> None:
    for tag in step.tags:
        turn.effects.append(RemoveTag(tag))
        turn.contact = replace(turn.contact, tags=turn.contact.tags - {tag})
    turn.note(step.at, "done", f"untagged {', '.join(step.tags)}")


def _give_code(turn: Turn, step: GiveCode) -> str | None:
    """A message that cannot be sent costs no code."""
    if step.text is not None and not turn.may_send():
        turn.note(step.at, "skipped", "the 24-hour window has closed")
        return step.at.next
    code = turn.facts.codes.get(step.pool)
    if code is None:
        turn.note(step.at, "empty", f"no code of {step.pool} is left")
        return step.if_empty if step.if_empty is not None else step.at.next
    turn.effects.append(GiveOut(step.pool, code))
    turn.code = code
    turn.note(step.at, "done", f"gave a code of {step.pool}")
    if step.text is not None:
        messages.send(turn, step.at, Message((step.text,)))
        turn.run = replace(turn.run, taps_open=False, data={**turn.run.data, LAST_MESSAGE: step.at.path})
    return step.at.next


def _hand_over(turn: Turn, step: HandOver, branch: str) -> None:
    turn.call_human(step.pause, None if step.note is None else turn.fill(step.note))
    turn.note(step.at, "done", "a human takes over")
    if step.at.next is None:
        turn.line_ended(branch)
    else:
        turn.open_wait(WaitKind.TIMER, step.at.path, turn.now + step.pause, branch)


def _opt_out(turn: Turn, step: OptOut) -> None:
    settings = turn.facts.settings
    turn.effects.append(
        StopMessages(sentences.say(settings, Sentence.STOPPED), sentences.disclosure(settings))
    )
    turn.note(step.at, "done", "no more automatic messages for this person")
    turn.end(RunStatus.STOPPED, "the flow opted the person out")
