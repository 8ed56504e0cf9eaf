"""What a picture of a flow shows: its steps, nested as they are written, each with its words and its ways on.

No places yet. Everything has the path of what it stands for, so that a page can put numbers on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from pamosnik.flows.graph import phrasing
from pamosnik.flows.graph.measure import NO_BREAK
from pamosnik.flows.graph.words import Vocabulary, plain
from pamosnik.model.condition import Condition
from pamosnik.model.flow import Flow, FlowState, Mode
from pamosnik.model.outbox import MediaKind
from pamosnik.model.step import (
    Accept,
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
    Option,
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
from pamosnik.model.text import Text

_FEW = 3


class Shape(StrEnum):
    """What a node looks like."""

    STARTS = "starts"
    GATE = "gate"
    MESSAGE = "message"
    PUBLIC = "public"
    QUESTION = "question"
    WAIT = "wait"
    AWAIT = "await"
    """Waits for the person."""
    CHOOSE = "choose"
    ACT = "act"
    """Something outside the conversation: a call, a mail to the owner, a code from a pool."""
    PERSON = "person"
    DATA = "data"
    GOAL = "goal"
    JUMP = "jump"
    AGAIN = "again"
    STOP = "stop"
    END = "end"
    LABEL = "label"
    """Words on an edge."""
    TAP = "tap"
    """The label of a button on an edge, where the edge cannot leave from the button itself."""


BUBBLES = (Shape.MESSAGE, Shape.PUBLIC, Shape.QUESTION)
"""What is said to the person: these have a tail at their left."""


class Pace(StrEnum):
    """What must happen before a way is taken."""

    AT_ONCE = "at_once"
    PERSON = "person"
    """The person answers or taps."""
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Pill:
    """A button, chip or choice as it is seen on a message."""

    path: str
    label: str
    url: str | None = None
    leads: bool = False
    """Whether a way begins here."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way that leaves a step beside the one straight on."""

    path: str
    label: str
    pace: Pace
    steps: "tuple[Item, ...]"
    joins: bool
    """Whether the next step of the owner follows."""
    tap: bool = False
    """It begins at the pill of the same path."""

    @property
    def bare(self) -> bool:
        """Whether it only leads on to the next step."""
        return self.joins and not self.tap and not self.steps


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of a step."""

    reached: int
    """How many runs came to it."""
    share: float | None
    """Of those that came into the flow, 0 to 1; None: it cannot be told."""
    here: int
    """How many people wait there now."""
    lost_most: bool = False
    """Nowhere else did so many go no further."""


@dataclass(frozen=True, slots=True)
class Item:
    """A step, or what begins or ends a flow."""

    path: str
    shape: Shape
    head: str = ""
    text: str = ""
    notes: tuple[str, ...] = ()
    pills: tuple[Pill, ...] = ()
    ways: tuple[Way, ...] = ()
    onward: Pace | None = Pace.AT_ONCE
    """How the next step is reached straight; None: only by `ways`, or not at all."""
    onward_label: str = ""
    back: str | None = None
    """Path of the step that an `again` goes back to."""
    jump: str | None = None
    """The flow that goes on."""
    rows: tuple[str, ...] = ()
    """One line each, such as the cards of a message."""
    figures: Figures | None = None
    """None: nothing is told of it."""
    counted: str = ""
    """The same in words."""

    @property
    def full(self) -> str:
        """Everything it says, uncut."""
        return "\n".join(filter(None, (self.head, self.text, *self.rows, *self.notes)))

    def goes_on(self, *, last: bool) -> bool:
        """Whether a way leads straight on. `last`: nothing follows; then a message with buttons waits for a tap."""
        waits = last and self.shape is Shape.MESSAGE and any(way.tap for way in self.ways)
        return self.onward is not None and not waits

    @property
    def ends(self) -> bool:
        """Whether no way leads to the step after it."""
        return self.onward is None and not any(way.joins and not _closed(way.steps) for way in self.ways)


def _closed(steps: tuple[Item, ...]) -> bool:
    return any(item.ends for item in steps)


@dataclass(frozen=True, slots=True)
class Outline:
    flow: str
    title: str
    items: tuple[Item, ...]
    language: str = "en"


def outline(flow: Flow, language: str) -> Outline:
    """`language`: that of the file; the words of the picture follow it."""
    return Outline(flow.id, flow.title, tuple(_Reader(flow, Vocabulary(language)).all()), language)


class _Reader:
    def __init__(self, flow: Flow, say: Vocabulary) -> None:
        self.flow = flow
        self.say = say

    def all(self) -> Iterator[Item]:
        starts = [phrasing.trigger(one, self.say) for one in self.flow.triggers]
        lines = "\n".join(f"• {one}" for one in starts) if len(starts) > 1 else "".join(starts)
        notes = [] if self.flow.mode is Mode.SINGLE else [self.say(self.flow.mode.value)]
        if self.flow.priority:
            notes.append(self.say("priority", n=self.flow.priority))
        if self.flow.state is FlowState.PAUSED:
            notes.insert(0, self.say("paused"))
        begins = lines or self.say("only_from_others")
        yield Item("when", Shape.STARTS, self.say("starts"), begins, notes=tuple(notes))
        gate = list(phrasing.gate(self.flow, self.say))
        if gate:
            yield Item("only_if", Shape.GATE, self.say("only_if"), "\n".join(gate))
        yield from self.steps("do")

    def steps(self, path: str) -> tuple[Item, ...]:
        found: list[Item] = []
        while (step := self.flow.steps.get(f"{path}.{len(found)}")) is not None:
            found.append(self.item(step))
        return tuple(found)

    def item(self, step: Step) -> Item:
        path, say = step.at.path, self.say
        match step:
            case ReplyPublicly():
                notes = () if step.wait_first is None else (self._after(step.wait_first),)
                return Item(path, Shape.PUBLIC, say("public_reply"), *self._said(step.texts, notes))
            case Send():
                return self._send(step)
            case Ask():
                return self._ask(step)
            case Wait():
                return self._wait(step)
            case WaitFor():
                return self._wait_for(step)
            case Choose():
                return self._choose(step)
            case Split():
                return self._split(step)
            case Tag():
                return Item(path, Shape.DATA, text=f"+ {say('tag')}: {', '.join(step.tags)}")
            case Untag():
                return Item(path, Shape.DATA, text=f"− {say('tag')}: {', '.join(step.tags)}")
            case SetFields():
                values = ", ".join(f"{name} = {plain(value)}" for name, value in step.values)
                return Item(path, Shape.DATA, text=f"{say('set')} {values}")
            case AddToFields():
                return Item(path, Shape.DATA, text=", ".join(_sum(*one) for one in step.amounts))
            case ClearFields():
                return Item(path, Shape.DATA, text=f"{say('clear')} {', '.join(step.fields)}")
            case GiveCode():
                return self._give_code(step)
            case Goal():
                return Item(path, Shape.GOAL, text=f"{say('goal')}: {step.name}")
            case RunFlow():
                return self._jump(path, step.flow)
            case Again():
                return self._again(step)
            case React():
                return Item(path, Shape.DATA, text=f"{say('react')} {step.emoji}")
            case HideComment():
                return Item(path, Shape.DATA, text=say("hide"))
            case DeleteComment():
                return Item(path, Shape.DATA, text=say("delete"))
            case Stop():
                return Item(path, Shape.STOP, text=say("stop"), onward=None)
            case OptOut():
                return Item(path, Shape.STOP, text=say("opt_out"), onward=None)
            case ForgetMe():
                return Item(path, Shape.STOP, text=say("forget_me"), onward=Pace.PERSON)
            case Call():
                return self._call(step)
            case NotifyMe():
                to = () if step.to is None else (step.to,)
                return Item(path, Shape.ACT, say("notify"), plain(step.text), to)
            case HandOver():
                return self._hand_over(step)
            case _:
                assert_never(step)

    def _split(self, step: Split) -> Item:
        path = step.at.path
        ways = tuple(
            self._way(f"{path}.split.{n}.do", f"{one.percent}{NO_BREAK}% {one.name}")
            for n, one in enumerate(step.shares)
        )
        return Item(path, Shape.CHOOSE, self.say("split"), ways=ways, onward=None)

    def _hand_over(self, step: HandOver) -> Item:
        note = "" if step.note is None else plain(step.note)
        rests = self.say("pauses", time=self.say.duration(step.pause))
        onward = Pace.AT_ONCE if step.at.next is None else Pace.TIME
        return Item(step.at.path, Shape.PERSON, self.say("hand_over"), note, (rests,), onward=onward)

    def _after(self, wait: tuple[timedelta, timedelta]) -> str:
        first, last = (self.say.duration(one) for one in wait)
        return self.say("after", time=first if first == last else f"{first} – {last}")

    def _said(self, texts: tuple[Text, ...], notes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """The first variant, and how many there are."""
        variants = (self.say("variants", n=len(texts)),) if len(texts) > 1 else ()
        return plain(texts[0]) if texts else "", (*notes, *variants)

    def _way(self, path: str, label: str, pace: Pace = Pace.AT_ONCE, *, joins: bool = True) -> Way:
        return Way(path, label, pace, self.steps(path), joins)

    def _send(self, step: Send) -> Item:
        message = step.message
        text, notes = self._said(message.texts, tuple(self._media(message)))
        cards = [f"{number + 1}. {plain(card.title)}" for number, card in enumerate(message.cards)]
        if any(one.kind is MediaKind.HEART for one in message.media):
            text = f"{text}\n♥".strip()
        pills, ways = self._options(message.options, joins=False)
        return Item(
            step.at.path,
            Shape.MESSAGE,
            self.say("message"),
            text,
            notes,
            rows=tuple(cards),
            pills=pills,
            ways=ways,
        )

    def _media(self, message: Message) -> Iterator[str]:
        if message.images:
            yield self.say("image") if len(message.images) == 1 else self.say("images", n=len(message.images))
        for one in message.media:
            if one.kind is not MediaKind.HEART:
                yield self.say(one.kind.value)

    def _options(
        self, options: tuple[Option, ...], *, joins: bool
    ) -> tuple[tuple[Pill, ...], tuple[Way, ...]]:
        pills, ways = [], []
        for option in options:
            _, in_card, rest = option.path.partition(".cards.")
            number = f"{int(rest.partition('.')[0]) + 1}. " if in_card else ""
            label = f"{number}{plain(option.label)}"
            url = None if option.url is None else plain(option.url)
            pills.append(Pill(option.path, label, url, leads=option.does_something))
            if option.run is not None:
                jump = self._jump(f"{option.path}.run", option.run)
                ways.append(Way(option.path, label, Pace.PERSON, (jump,), joins=False, tap=True))
            elif option.first is not None:
                way = self._way(f"{option.path}.do", label, Pace.PERSON, joins=joins)
                ways.append(replace(way, path=option.path, tap=True))
        return tuple(pills), tuple(ways)

    def _ask(self, step: Ask) -> Item:
        path, say = step.at.path, self.say
        pills, ways = self._options(step.choices, joins=True)
        all_lead = bool(pills) and all(pill.leads for pill in pills)
        others = not all_lead or step.optional or step.accept is not Accept.CHOICE
        label = self._others(step, pills) if ways and others else say("answers") if others else ""
        if step.then is not None:
            tries = say("not_understood", n=step.tries + 1)
            ways += (self._way(f"{path}.if_not_understood.then", tries, Pace.PERSON),)
        patience = say.duration(step.give_up_after)
        notes = [say("up_to", time=patience)]
        if step.if_no_answer is not None:
            notes = []
            ways += (self._way(f"{path}.if_no_answer", say("no_answer", time=patience), Pace.TIME),)
        if step.save_as is not None:
            notes.insert(0, say("saves", what=step.save_as))
        if step.accept is Accept.IMAGE:
            notes.insert(0, say("takes_image"))
        if step.then is None and not step.optional and step.accept not in (Accept.TEXT, Accept.ANYTHING):
            notes.append(say("misfit_human", n=step.tries + 1))
        return Item(
            path,
            Shape.QUESTION,
            say("question"),
            plain(step.question[0]),
            notes=tuple(notes),
            pills=pills,
            ways=ways,
            onward=Pace.PERSON if others else None,
            onward_label=label if ways else "",
        )

    def _others(self, step: Ask, pills: tuple[Pill, ...]) -> str:
        """What leads straight on beside choices with steps of their own: the others by name if they are few."""
        plain_ones = [pill.label for pill in pills if not pill.leads]
        only_these = step.accept is Accept.CHOICE and not step.optional
        if only_these and len(plain_ones) <= _FEW:
            return self.say("or").join(plain_ones)
        return self.say("other_answer")

    def _wait(self, step: Wait) -> Item:
        say = self.say
        if step.for_ is not None:
            text = say.duration(step.for_)
        else:
            days = ", ".join(
                filter(None, (say.weekdays(step.days), ", ".join(day.isoformat() for day in step.dates)))
            )
            text = say("until", time=f"{step.until:%H:%M}") + (f" ({days})" if days else "")
        closed = () if step.if_window_closed is None else (say(f"closed_{step.if_window_closed.value}"),)
        return Item(step.at.path, Shape.WAIT, say("wait"), text, notes=closed, onward=Pace.TIME)

    def _wait_for(self, step: WaitFor) -> Item:
        say, path = self.say, step.at.path
        up_to = say.duration(step.up_to)
        what = plain(step.what)
        text = {
            Awaited.ANSWER: say("an_answer"),
            Awaited.TAP: f"[{what}]",
            Awaited.CLICK: f"↗ {what}",
            Awaited.TAG: f"{say('tag')}: {what}",
        }[step.awaited]
        ways: tuple[Way, ...] = ()
        if step.if_not is not None:
            ways = (self._way(f"{path}.if_not", say("not_within", time=up_to), Pace.TIME),)
        notes = () if ways else (say("up_to", time=up_to),)
        return Item(path, Shape.AWAIT, say("wait_for"), text, notes=notes, ways=ways, onward=Pace.PERSON)

    def _choose(self, step: Choose) -> Item:
        path, say = step.at.path, self.say
        ways = [
            self._way(
                f"{path}.choose.{n}.{'else' if one.condition is None else 'do'}", self._if(one.condition)
            )
            for n, one in enumerate(step.branches)
        ]
        if all(one.condition is not None for one in step.branches):
            ways.append(Way(f"{path}.choose.else", say("otherwise"), Pace.AT_ONCE, (), joins=True))
        return Item(path, Shape.CHOOSE, say("choose"), ways=tuple(ways), onward=None)

    def _if(self, condition: Condition | None) -> str:
        return self.say("otherwise") if condition is None else phrasing.condition(condition, self.say)

    def _give_code(self, step: GiveCode) -> Item:
        path, say = step.at.path, self.say
        ways = () if step.if_empty is None else (self._way(f"{path}.if_empty", say("empty")),)
        if step.text is None:
            return Item(path, Shape.ACT, f"{say('code')}: {step.pool}", ways=ways)
        return Item(path, Shape.MESSAGE, f"{say('code')}: {step.pool}", plain(step.text), ways=ways)

    def _call(self, step: Call) -> Item:
        path = step.at.path
        ways = () if step.if_it_fails is None else (self._way(f"{path}.if_it_fails", self.say("fails")),)
        saved = ", ".join(name for name, _ in step.save)
        notes = (self.say("saves", what=saved),) if saved else ()
        return Item(path, Shape.ACT, self.say("call"), step.webhook, notes, ways=ways)

    def _jump(self, path: str, flow: str) -> Item:
        return Item(path, Shape.JUMP, self.say("jump"), flow, onward=None, jump=flow)

    def _again(self, step: Again) -> Item:
        words = self._first_words(self.flow.steps[step.first]) or step.step
        return Item(
            step.at.path,
            Shape.AGAIN,
            self.say("again", n=step.at_most),
            words,
            back=step.first,
        )

    def _first_words(self, step: Step) -> str:
        """What its node is known by; empty for one that says nothing."""
        match step:
            case Ask():
                texts = step.question
            case Send():
                texts = step.message.texts
            case ReplyPublicly():
                texts = step.texts
            case Choose():
                return self.say("choose")
            case _:
                return ""
        return plain(texts[0]) if texts else ""


def _sum(field: str, amount: str) -> str:
    return f"{field} − {amount[1:]}" if amount.startswith("-") else f"{field} + {amount}"
