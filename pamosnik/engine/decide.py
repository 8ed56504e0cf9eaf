"""One turn of a run: what happened goes in, what changes comes out. Pure.

A run stands still at its waits, each of which is one path in the flow. A turn takes one of them (or the
beginning, or a tapped button) and walks from step to step along `next` until the line ends or has to wait
again. There is one main line; a tapped button or chip begins a branch that goes on beside it.

When the main line has ended the run is complete, unless the last message it sent has buttons that do
something: then one of those has to be done first.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from pamosnik.engine import conditions, payload, render, sentences
from pamosnik.engine.clock_times import next_clock_time, on_the_clock
from pamosnik.instagram import limits
from pamosnik.model.book import Sentence
from pamosnik.model.condition import Condition
from pamosnik.model.contact import Contact
from pamosnik.model.decision import (
    AddTag,
    Answered,
    Check,
    CountGoal,
    Decision,
    Disclosed,
    Effect,
    EffectSettled,
    Facts,
    NotUnderstood,
    PauseContact,
    RemoveTag,
    ReplyToComment,
    SendMessage,
    SetField,
    Started,
    StartRun,
    Stimulus,
    Tapped,
    TimerFired,
)
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import OutButton, OutMessage
from pamosnik.model.run import ENDED, Run, RunStatus, RunWait, WaitKind
from pamosnik.model.step import (
    Ask,
    At,
    Choose,
    ClearFields,
    Goal,
    HandOver,
    Message,
    Option,
    ReplyPublicly,
    RunFlow,
    Send,
    SetFields,
    Step,
    Stop,
    Tag,
    Untag,
    Wait,
    WindowClosed,
)
from pamosnik.model.text import Text

TAP_COUNTS_FOR = timedelta(days=7)
"""How long a run waits for a tap on its last message before it counts as expired. Later taps still work."""

HUMAN_TAKES_OVER_FOR = timedelta(hours=12)

STEPS_PER_TURN = 1000
"""More than any sensible flow does between two waits: a loop the compiler did not see ends as an error."""

_ANSWERED = frozenset({WaitKind.ANSWER, WaitKind.TAP})
_LAST_MESSAGE = "last_message"
"""Key in `Run.data`: path of the step that sent the last message."""


class EndlessTurnError(RuntimeError):
    """A turn walked through more steps than a flow can sensibly have."""


def decide(flow: Flow, run: Run, stimulus: Stimulus, facts: Facts, now: datetime) -> Decision:
    """What `stimulus` makes of `run`. The same input gives the same output; nothing has happened yet."""
    turn = _Turn(flow, run, facts, now)
    match stimulus:
        case Started():
            turn.walk(flow.first, branch="")
        case Answered():
            turn.answered(stimulus)
        case NotUnderstood():
            turn.not_understood(stimulus)
        case Tapped():
            turn.tapped(stimulus)
        case TimerFired():
            turn.timer_fired(stimulus)
        case EffectSettled():
            turn.settled(stimulus)
        case _:
            assert_never(stimulus)
    return turn.decision()


class _Turn:
    """The working copy of one decision."""

    def __init__(self, flow: Flow, run: Run, facts: Facts, now: datetime) -> None:
        self.flow = flow
        self.run = replace(run, turn=run.turn + 1)
        self.facts = facts
        self.now = now
        self.contact: Contact = facts.contact
        self.waits = {wait.id: wait for wait in run.waits}
        self.effects: list[Effect] = []
        self.trace: list[Check] = []
        self.ended_as: RunStatus | None = None
        self.private_reply_made = run.origin.private_item is not None
        self.walked = 0

    # --- what comes in -------------------------------------------------------------------------------

    def answered(self, answer: Answered) -> None:
        wait, step = self._take_question(answer.wait_id)
        self.run = replace(self.run, answer=answer.value)
        if step.save_as is not None and answer.value is not None:
            self._set_field(step.save_as, answer.value)
        self._note(step.at, "answered")
        option = None if answer.option is None else self.flow.options.get(answer.option)
        if option is not None and option.run is not None:
            self._go_to_flow(option.run, wait.branch)
        elif option is not None and option.first is not None:
            self.walk(option.first, wait.branch)
        else:
            self.walk(step.at.next, wait.branch)

    def not_understood(self, heard: NotUnderstood) -> None:
        wait, step = self._take_question(heard.wait_id)
        tries = wait.tries + 1
        if tries <= step.tries:
            self._note(step.at, "asks again", f"answer {tries} did not fit")
            text = step.say or Text((sentences.say(self.facts.settings, Sentence.NOT_UNDERSTOOD),))
            self._send(step.at, (text,), chips=step.choices, skip=step.optional, remember_variant=False)
            self.waits[wait.id] = replace(wait, tries=tries)
        elif step.then is not None:
            self._note(step.at, "gives up asking", "goes on with if_not_understood")
            self.walk(step.then, wait.branch)
        elif step.optional:
            self._note(step.at, "gives up asking", "optional: goes on with nothing saved")
            self.walk(step.at.next, wait.branch)
        else:
            self._note(step.at, "gives up asking", "a human takes over")
            self._send(
                step.at,
                (Text((sentences.say(self.facts.settings, Sentence.HUMAN_CALLED),)),),
                remember_variant=False,
            )
            self._call_human(HUMAN_TAKES_OVER_FOR, None)
            self._end(RunStatus.STOPPED, "the answer was not understood; a human takes over")

    def tapped(self, tap: Tapped) -> None:
        option = self.flow.options[tap.option]
        if any(wait.branch == option.path and wait.kind is not WaitKind.TAP for wait in self.waits.values()):
            self.trace.append(Check(option.path, "ignored", "this button's steps are still under way"))
            return
        step = _owner(option.path)
        asked = self.flow.steps.get(step)
        if isinstance(asked, Ask):
            self._answered_again(asked, option, tap.value)
            return
        self.trace.append(Check(option.path, "tapped"))
        if self.run.status is RunStatus.EXPIRED:
            self.run = replace(self.run, status=RunStatus.ACTIVE, finished_at=None, reason=None)
        if self.run.data.get(_LAST_MESSAGE) == step:
            self.run = replace(self.run, taps_open=False)
            self._drop_waits(WaitKind.TAP, step)
        if option.run is not None:
            self._go_to_flow(option.run, option.path)
        elif option.first is not None:
            self.walk(option.first, option.path)

    def _answered_again(self, step: Ask, option: Option, value: str | None) -> None:
        """A choice of a question that was answered before: the new answer counts, and the line goes on from there."""
        self.trace.append(Check(option.path, "answered again"))
        self.run = replace(self.run, answer=value)
        if step.save_as is not None and value is not None:
            self._set_field(step.save_as, value)
        branch = option.path
        if self.run.status not in ENDED or self.run.status is RunStatus.EXPIRED:
            branch = _branch_of(step.at.path)
            self.run = replace(self.run, status=RunStatus.ACTIVE, finished_at=None, reason=None)
            self.waits = {w.id: w for w in self.waits.values() if w.branch != branch}
            if branch == "":
                self.run = replace(self.run, main_done=False, taps_open=False)
        if option.run is not None:
            self._go_to_flow(option.run, branch)
        else:
            self.walk(option.first if option.first is not None else step.at.next, branch)

    def timer_fired(self, fired: TimerFired) -> None:
        wait = self.waits.pop(fired.wait_id)
        step = self.flow.steps[wait.path]
        match step:
            case Ask() if wait.kind is WaitKind.ANSWER:
                self._no_answer(step, wait)
            case Wait():
                self._wait_over(step, wait)
            case _ if wait.kind is WaitKind.TAP:
                self._note(step.at, "expired", "nobody tapped")
                self.run = replace(self.run, taps_open=False)
                if self.run.main_done and not self._others_wait():
                    self._end(RunStatus.EXPIRED, "nobody tapped a button in time")
            case _:
                self.walk(step.at.next, wait.branch)

    def settled(self, effect: EffectSettled) -> None:
        what = "private reply" if effect.private_reply else "message"
        self.trace.append(Check(what, effect.status.value, effect.reason or ""))
        # Nobody can answer or tap what never arrived; a message that asks nothing leaves the run as it is.
        asked = any(wait.path == effect.step and wait.kind in _ANSWERED for wait in self.waits.values())
        if self.run.status not in ENDED and (effect.private_reply or asked):
            self._end(RunStatus.FAILED, f"the {what} did not go out: {effect.reason or effect.status}")

    def _take_question(self, wait_id: str) -> tuple[RunWait, Ask]:
        wait = self.waits.pop(wait_id)
        step = self.flow.steps[wait.path]
        assert isinstance(step, Ask)
        return wait, step

    def _no_answer(self, step: Ask, wait: RunWait) -> None:
        if step.if_no_answer is not None:
            self._note(step.at, "no answer", "goes on with if_no_answer")
            self.walk(step.if_no_answer, wait.branch)
        else:
            self._note(step.at, "no answer")
            self._end(RunStatus.EXPIRED, "nobody answered the question in time")

    def _wait_over(self, step: Wait, wait: RunWait) -> None:
        closed = not self._may_send()
        if closed and step.if_window_closed is WindowClosed.STOP:
            self._note(step.at, "stops", "the 24-hour window has closed")
            self._end(RunStatus.STOPPED, "the 24-hour window closed during a wait")
        elif closed and step.if_window_closed is WindowClosed.TELL_ME:
            self._note(step.at, "tells you", "the 24-hour window has closed")
            self._call_human(HUMAN_TAKES_OVER_FOR, "The 24-hour window closed before the flow could go on.")
            self._end(RunStatus.STOPPED, "the 24-hour window closed during a wait")
        else:
            self._note(step.at, "goes on")
            self.walk(step.at.next, wait.branch)

    # --- walking -------------------------------------------------------------------------------------

    def walk(self, path: str | None, branch: str) -> None:
        """From step to step until the line waits, leaves or ends."""
        while path is not None:
            self.walked += 1
            if self.walked > STEPS_PER_TURN:
                raise EndlessTurnError(f"flow {self.flow.id} does not come to rest at {path}")
            step = self.flow.steps[path]
            self.run = replace(self.run, step=path)
            goes_on = self._do(step, branch)
            if goes_on is None:
                return
            path = goes_on[0]
        self._line_ended(branch)

    def _do(self, step: Step, branch: str) -> tuple[str | None] | None:
        """Does one step. The path to go on with, in a tuple (its None is the end), or None: the line rests."""
        match step:
            case ReplyPublicly():
                self._reply_publicly(step)
            case Send():
                self._send_step(step)
            case Ask():
                if self._ask(step, branch):
                    return None
            case Wait():
                self._wait(step, branch)
                return None
            case Choose():
                return (self._choose(step),)
            case Tag():
                self._tag(step)
            case Untag():
                self._untag(step)
            case SetFields():
                for field, text in step.values:
                    self._set_field(field, self._fill(text) or None)
                self._note(step.at, "done")
            case ClearFields():
                for field in step.fields:
                    self._set_field(field, None)
                self._note(step.at, "done")
            case Goal():
                self.effects.append(CountGoal(step.name))
                self._note(step.at, "done", f"goal {step.name}")
            case RunFlow():
                self._note(step.at, "done", f"goes on in {step.flow}")
                self._go_to_flow(step.flow, branch)
                return None
            case Stop():
                self._note(step.at, "done")
                self._end(RunStatus.STOPPED, "the flow says stop")
                return None
            case HandOver():
                self._hand_over(step, branch)
                return None
            case _:
                assert_never(step)
        return (step.at.next,)

    def _line_ended(self, branch: str) -> None:
        if branch == "":
            self.run = replace(self.run, main_done=True)
        over = self.run.main_done or (branch != "" and not self.waits)
        if over and not self.run.taps_open and self.run.status not in ENDED:
            self._end(RunStatus.COMPLETED, None)

    def _go_to_flow(self, flow_id: str, branch: str) -> None:
        if flow_id in self.facts.can_start:
            self.effects.append(StartRun(flow_id))
        else:
            self.trace.append(Check("run", "skipped", f"the flow {flow_id} is not applied any more"))
        self._line_ended(branch)

    def _end(self, status: RunStatus, reason: str | None) -> None:
        """The run is over. Only branches of a completed run go on."""
        if self.run.status in ENDED and self.run.finished_at is not None:
            return
        self.ended_as = status
        self.run = replace(self.run, status=status, finished_at=self.now, reason=reason, taps_open=False)
        if status is not RunStatus.COMPLETED:
            self.waits.clear()
        else:
            self.waits = {w.id: w for w in self.waits.values() if w.kind is not WaitKind.TAP}

    def decision(self) -> Decision:
        waits = tuple(self.waits.values())
        status = self.run.status
        if self.run.finished_at is None:
            status = RunStatus.WAITING if waits else RunStatus.ACTIVE
        return Decision(
            run=replace(self.run, status=status, waits=waits),
            effects=tuple(self.effects),
            trace=tuple(self.trace),
        )

    # --- steps ---------------------------------------------------------------------------------------

    def _reply_publicly(self, step: ReplyPublicly) -> None:
        origin = self.run.origin
        if origin.top_comment_id is None or origin.live:
            self._note(step.at, "skipped", "no comment that can be answered in public started this run")
            return
        number = self._variant(step.at.path, len(step.texts))
        text = self._fill(step.texts[number], limit_chars=limits.PUBLIC_REPLY_CHARS)
        self.effects.append(ReplyToComment(step.at.path, text, self._delay(step), number))
        self._note(step.at, "done")

    def _delay(self, step: ReplyPublicly) -> timedelta:
        if step.wait_first is None:
            return timedelta()
        shortest, longest = step.wait_first
        share = self._number(step.at.path, "wait_first") % 10_001
        return shortest + (longest - shortest) * share / 10_000

    def _send_step(self, step: Send) -> None:
        message = step.message
        if not self._may_send():
            self._note(step.at, "skipped", "the 24-hour window has closed")
            return
        self._note(step.at, "done")
        self._send(
            step.at, message.texts, buttons=message.buttons, chips=message.chips, images=message.images
        )
        taps = _taps(message)
        self.run = replace(self.run, taps_open=taps, data={**self.run.data, _LAST_MESSAGE: step.at.path})
        if taps:
            self._open(WaitKind.TAP, step.at.path, self.now + TAP_COUNTS_FOR, branch="")

    def _ask(self, step: Ask, branch: str) -> bool:
        """True when the question was sent and the line waits for its answer."""
        if not self._may_send():
            self._note(step.at, "skipped", "the 24-hour window has closed")
            return False
        self._send(step.at, step.question, chips=step.choices, skip=step.optional)
        self.run = replace(self.run, taps_open=False, data={**self.run.data, _LAST_MESSAGE: step.at.path})
        self._open(WaitKind.ANSWER, step.at.path, self.now + step.give_up_after, branch)
        self._note(step.at, "waits", "for an answer")
        return True

    def _wait(self, step: Wait, branch: str) -> None:
        if step.for_ is not None:
            due = self.now + step.for_
        else:
            assert step.until is not None
            zone = step.zone or self.facts.settings.timezone or self.facts.timezone
            due = next_clock_time(step.until, self.now, zone, step.days, step.dates)
        self._open(WaitKind.TIMER, step.at.path, due, branch)
        self._note(step.at, "waits", f"until {on_the_clock(due, self.facts.timezone)}")

    def _choose(self, step: Choose) -> str | None:
        for number, branch in enumerate(step.branches):
            if branch.condition is not None:
                found = self._holds(branch.condition)
                if found is not True:
                    continue
            self._note(step.at, "done", f"branch {number + 1}")
            return branch.first if branch.first is not None else step.at.next
        self._note(step.at, "done", "no branch is true")
        return step.at.next

    def _tag(self, step: Tag) -> None:
        for tag in step.tags:
            self.effects.append(AddTag(tag))
            self.contact = replace(self.contact, tags=self.contact.tags | {tag})
        self._note(step.at, "done", f"tagged {', '.join(step.tags)}")

    def _untag(self, step: Untag) -> None:
        for tag in step.tags:
            self.effects.append(RemoveTag(tag))
            self.contact = replace(self.contact, tags=self.contact.tags - {tag})
        self._note(step.at, "done", f"untagged {', '.join(step.tags)}")

    def _hand_over(self, step: HandOver, branch: str) -> None:
        self._call_human(step.pause, None if step.note is None else self._fill(step.note))
        self._note(step.at, "done", "a human takes over")
        if step.at.next is None:
            self._line_ended(branch)
        else:
            self._open(WaitKind.TIMER, step.at.path, self.now + step.pause, branch)

    def _call_human(self, pause: timedelta, note: str | None) -> None:
        self.effects.append(PauseContact(self.now + pause, note))

    def _set_field(self, field: str, value: str | None) -> None:
        self.effects.append(SetField(field, value))
        fields = {name: old for name, old in self.contact.fields.items() if name != field}
        if value is not None:
            fields[field] = value
        self.contact = replace(self.contact, fields=fields)

    # --- messages ------------------------------------------------------------------------------------

    def _may_send(self) -> bool:
        """Whether a message can reach the person: their window is open, or a private reply holds the door."""
        return self.contact.window_open(self.now) or self.run.origin.comment_id is not None

    def _send(
        self,
        at: At,
        texts: tuple[Text, ...],
        *,
        buttons: tuple[Option, ...] = (),
        chips: tuple[Option, ...] = (),
        images: tuple[Text, ...] = (),
        skip: bool = False,
        remember_variant: bool = True,
    ) -> None:
        """Text and pictures are separate messages at Instagram; buttons and chips hang on the text."""
        pictures = tuple(self._fill(image) for image in images)
        private = self.run.origin.comment_id is not None and not self.private_reply_made
        written: list[OutMessage] = []
        number = self._variant(at.path, len(texts)) if texts else None
        if texts:
            assert number is not None
            written.append(self._written(texts[number], buttons, chips, skip=skip))
        if pictures:
            # A private reply is text only, so the pictures follow it; otherwise the buttons come last.
            written.insert(len(written) if private else 0, OutMessage(images=pictures))
        for content in written:
            self.effects.append(
                SendMessage(
                    step=at.path,
                    content=content,
                    private_reply=private,
                    variant=number if remember_variant and content.text is not None else None,
                )
            )
            self.private_reply_made = self.private_reply_made or private
            private = False

    def _written(
        self, text: Text, buttons: tuple[Option, ...], chips: tuple[Option, ...], *, skip: bool
    ) -> OutMessage:
        prefix = self._disclosure()
        out_buttons = tuple(self._out(option) for option in buttons)
        out_chips = tuple(self._out(option) for option in chips)
        if skip:
            out_chips = (*out_chips, OutButton(sentences.say(self.facts.settings, Sentence.SKIP)))
        filled = render.render(
            text,
            self._values(),
            limit_bytes=limits.TEXT_BYTES,
            limit_chars=limits.BUTTON_TEXT_CHARS if out_buttons else None,
            prefix=prefix,
        )
        return OutMessage(
            text=filled,
            buttons=out_buttons,
            chips=out_chips,
            spelled_out=self._spelled_out(text, prefix, (*out_buttons, *out_chips)),
        )

    def _spelled_out(self, text: Text, prefix: str, options: tuple[OutButton, ...]) -> str | None:
        """The same in plain text, for when Instagram refuses the buttons: labels to write, addresses to follow."""
        if not options:
            return None
        links = [f"{option.label}: {option.url}" for option in options if option.url is not None]
        labels = [option.label for option in options if option.url is None]
        if labels:
            links.append(f"{sentences.say(self.facts.settings, Sentence.REPLY_WITH)}: {' / '.join(labels)}")
        tail = "".join(f"\n{line}" for line in links)
        room = limits.TEXT_BYTES - len(tail.encode())
        if room < limits.TEXT_BYTES // 4:
            tail, room = "", limits.TEXT_BYTES
        return render.render(text, self._values(), limit_bytes=room, prefix=prefix) + tail

    def _disclosure(self) -> str:
        """The line that says a machine is writing: once per person, as the first line of a message."""
        line = sentences.disclosure(self.facts.settings)
        if line is None or self.contact.disclosed_at is not None:
            return ""
        self.contact = replace(self.contact, disclosed_at=self.now)
        self.effects.append(Disclosed())
        return f"{line}\n"

    def _out(self, option: Option) -> OutButton:
        label = self._fill(option.label, limit_chars=limits.LABEL_CHARS)
        if option.url is not None:
            return OutButton(label, url=self._fill(option.url))
        target = payload.TapTarget(
            run_id=self.run.id,
            flow_id=self.flow.id,
            version=self.flow.version[:16],
            option=option.path,
        )
        return OutButton(label, payload=payload.to_payload(target))

    def _fill(self, text: Text, limit_chars: int | None = None) -> str:
        return render.render(text, self._values(), limit_bytes=None, limit_chars=limit_chars)

    def _values(self) -> Mapping[str, str | None]:
        return render.values(
            replace(self.facts, contact=self.contact),
            text=self.run.origin.text,
            answer=self.run.answer,
            now=self.now,
        )

    # --- small things --------------------------------------------------------------------------------

    def _holds(self, condition: Condition) -> bool | None:
        return conditions.holds(
            condition,
            replace(self.facts, contact=self.contact),
            text=self.run.origin.text,
            came_from=self.run.origin.came_from,
            now=self.now,
        )

    def _open(self, kind: WaitKind, path: str, due: datetime, branch: str) -> None:
        wait_id = f"{self.run.id}-{self.run.turn}-{len(self.waits)}-{self.walked}"
        self.waits[wait_id] = RunWait(
            id=wait_id, kind=kind, path=path, opened_at=self.now, due_at=due, branch=branch
        )

    def _drop_waits(self, kind: WaitKind, path: str) -> None:
        self.waits = {w.id: w for w in self.waits.values() if not (w.kind is kind and w.path == path)}

    def _others_wait(self) -> bool:
        return bool(self.waits)

    def _variant(self, path: str, count: int) -> int:
        """Derived from run, turn and step, so a repeated turn says the same; never the one used last."""
        if count < 2:
            return 0
        number = self._number(path, "variant") % count
        return (number + 1) % count if number == self.facts.last_variants.get(path) else number

    def _number(self, path: str, what: str) -> int:
        seed = f"{self.run.id}|{self.run.turn}|{path}|{what}".encode()
        return int.from_bytes(hashlib.sha256(seed).digest()[:8])

    def _note(self, at: At, result: str, detail: str = "") -> None:
        self.trace.append(Check(at.path, result, detail))


def _owner(option_path: str) -> str:
    """The step that a button, chip or choice stands in: `do.1.buttons.0` → `do.1`."""
    return option_path.rsplit(".", 2)[0]


def _branch_of(path: str) -> str:
    """The button or chip in whose `do` a step stands; empty on the main line."""
    parts = path.split(".")
    for place in range(len(parts) - 1, 0, -1):
        if parts[place - 1] in ("buttons", "chips"):
            return ".".join(parts[: place + 1])
    return ""


def _taps(message: Message) -> bool:
    return any(option.does_something for option in (*message.buttons, *message.chips))
