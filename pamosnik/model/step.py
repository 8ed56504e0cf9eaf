"""What a flow does, step by step. `At.next` is the path of the step that follows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

from pamosnik.model.condition import Condition
from pamosnik.model.outbox import MediaKind
from pamosnik.model.text import Text


class FieldType(StrEnum):
    """Types of custom fields."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    URL = "url"
    CHOICE = "choice"


class Accept(StrEnum):
    """What an `ask` takes for an answer: a field type, or one of the last two."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    URL = "url"
    CHOICE = "choice"
    IMAGE = "image"
    ANYTHING = "anything"


class WindowClosed(StrEnum):
    """What a `wait` does when the 24-hour window has closed at its end."""

    SKIP = "skip"
    """Goes on; messages that may not be sent are passed over."""
    STOP = "stop"
    TELL_ME = "tell_me"


@dataclass(frozen=True, slots=True)
class Option:
    """A button, a chip or a choice."""

    path: str
    """Where it stands: `do.1.buttons.0`. The payload of its tap names this."""
    label: Text
    url: Text | None = None
    name: str | None = None
    """Of a tracked link."""
    first: str | None = None
    """The first step of its `do`; None when it has none."""
    run: str | None = None
    """The flow that a tap goes on in."""

    @property
    def does_something(self) -> bool:
        return self.first is not None or self.run is not None

    @property
    def step(self) -> str:
        """The step it stands in: `do.1.buttons.0` and `do.1.cards.0.buttons.0` → `do.1`."""
        return _OPTION.sub("", self.path)


_OPTION = re.compile(r"(\.cards\.\d+)?\.\w+\.\d+$")


@dataclass(frozen=True, slots=True)
class Media:
    """A video, a sound, a file, a heart: each is a message of its own at Instagram."""

    kind: MediaKind
    url: Text | None = None
    """None for a heart; of a post its link or id."""


@dataclass(frozen=True, slots=True)
class Card:
    title: Text
    subtitle: Text | None = None
    image: Text | None = None
    url: Text | None = None
    buttons: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What a `send` says. `texts` are the variants; empty for a message without text."""

    texts: tuple[Text, ...] = ()
    buttons: tuple[Option, ...] = ()
    chips: tuple[Option, ...] = ()
    images: tuple[Text, ...] = ()
    media: tuple[Media, ...] = ()
    cards: tuple[Card, ...] = ()
    typing: timedelta | None = None
    """So long before it the person sees that somebody is typing."""
    quote: bool = False
    """As a reply to the message that started the run."""
    track_links: bool = False
    """Whether clicks on its addresses are counted, where a public address makes that possible."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Everything that can be tapped, in the order it is seen."""
        of_cards = tuple(button for card in self.cards for button in card.buttons)
        return (*self.buttons, *of_cards, *self.chips)


@dataclass(frozen=True, slots=True)
class At:
    """A step's place: its own path, the path of the step after it (None: the end), its `id` if it has one."""

    path: str
    next: str | None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyPublicly:
    at: At
    texts: tuple[Text, ...]
    wait_first: tuple[timedelta, timedelta] | None = None


@dataclass(frozen=True, slots=True)
class Send:
    at: At
    message: Message


@dataclass(frozen=True, slots=True)
class Ask:
    at: At
    question: tuple[Text, ...]
    """Variants."""
    accept: Accept
    save_as: str | None = None
    choices: tuple[Option, ...] = ()
    optional: bool = False
    say: Text | None = None
    """Said when an answer does not fit; None: the built-in sentence."""
    tries: int = 2
    then: str | None = None
    """First step after the last try; None: on with nothing saved if optional, else a human takes over."""
    give_up_after: timedelta = timedelta(hours=23)
    if_no_answer: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    at: At
    for_: timedelta | None = None
    until: time | None = None
    """A clock time in `zone`; exactly one of `for_` and `until` is set."""
    days: tuple[int, ...] = ()
    """Weekdays on which `until` counts, Monday is 0; empty: every day."""
    dates: tuple[date, ...] = ()
    zone: str | None = None
    if_window_closed: WindowClosed | None = None


class Awaited(StrEnum):
    """What a `wait_for` waits for."""

    ANSWER = "answer"
    TAP = "tap"
    CLICK = "click"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class WaitFor:
    at: At
    awaited: Awaited
    what: Text
    """The label, the link's name or address, or the tag; of an answer empty."""
    up_to: timedelta = timedelta(hours=23)
    if_not: str | None = None
    """First step when it does not happen in time; None: the run expires."""


@dataclass(frozen=True, slots=True)
class Branch:
    condition: Condition | None
    """None: `else`."""
    first: str | None
    """None: an empty `do`, on with the step after the `choose`."""


@dataclass(frozen=True, slots=True)
class Choose:
    at: At
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """One way of a `split`."""

    name: str
    percent: int
    first: str | None
    """None: nothing to do, on with the step after the `split`."""


@dataclass(frozen=True, slots=True)
class Split:
    at: At
    shares: tuple[Share, ...]
    """Their percents add up to 100."""


@dataclass(frozen=True, slots=True)
class Tag:
    at: At
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Untag:
    at: At
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetFields:
    at: At
    values: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class AddToFields:
    at: At
    amounts: tuple[tuple[str, str], ...]
    """Field and number, which may be negative."""


@dataclass(frozen=True, slots=True)
class ClearFields:
    at: At
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GiveCode:
    at: At
    pool: str
    text: Text | None = None
    """None: nothing is sent; later texts say the code."""
    if_empty: str | None = None
    """First step when no code is left; None: the next step."""


@dataclass(frozen=True, slots=True)
class Goal:
    at: At
    name: str


@dataclass(frozen=True, slots=True)
class RunFlow:
    at: At
    flow: str


@dataclass(frozen=True, slots=True)
class Again:
    at: At
    step: str
    """The `id` of the step it goes back to."""
    first: str
    """That step's path."""
    at_most: int
    """How often in one run; then the next step follows."""


@dataclass(frozen=True, slots=True)
class React:
    at: At
    emoji: str


@dataclass(frozen=True, slots=True)
class HideComment:
    at: At


@dataclass(frozen=True, slots=True)
class DeleteComment:
    at: At


@dataclass(frozen=True, slots=True)
class Stop:
    at: At


@dataclass(frozen=True, slots=True)
class OptOut:
    at: At


JsonText = Mapping[str, "JsonText"] | tuple["JsonText", ...] | Text | int | float | bool | None
"""JSON whose texts have variables."""


@dataclass(frozen=True, slots=True)
class Call:
    at: At
    webhook: str
    method: str = "POST"
    names: tuple[str, ...] | None = None
    """Fields and variables that are sent; None: all fields, or what `json` says."""
    json: JsonText = None
    """What is sent in place of everything else; None: the usual."""
    save: tuple[tuple[str, str], ...] = ()
    """(field or variable, path in the answer)."""
    timeout: timedelta = timedelta(seconds=10)
    if_it_fails: str | None = None
    """None: the next step."""


@dataclass(frozen=True, slots=True)
class NotifyMe:
    at: At
    text: Text
    to: str | None = None
    """None: the account's address."""


@dataclass(frozen=True, slots=True)
class ForgetMe:
    at: At


@dataclass(frozen=True, slots=True)
class HandOver:
    at: At
    note: Text | None = None
    pause: timedelta = timedelta(hours=12)


Step = (
    ReplyPublicly
    | Send
    | Ask
    | Wait
    | WaitFor
    | Choose
    | Split
    | Tag
    | Untag
    | SetFields
    | AddToFields
    | ClearFields
    | GiveCode
    | Goal
    | RunFlow
    | Again
    | Stop
    | React
    | HideComment
    | DeleteComment
    | HandOver
    | NotifyMe
    | Call
    | OptOut
    | ForgetMe
)
