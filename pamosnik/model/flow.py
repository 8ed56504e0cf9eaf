"""A compiled flow: a flat table of steps, each of which names the step after it.

The steps of a flow file are nested; here every step has a path (`do.1.buttons.0.do.2`) and `next`, the path
of the step that follows when it is done. At the end of a branch of `choose` or of a choice of `ask`, `next`
is the step after that `choose` or `ask`; at the end of a button's branch it is None, the end. So the engine
needs no stack: a place in a flow is one path, and a run that survives a restart remembers nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

# --- texts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variable:
    """`{name|stand-in}` in a text; `stand_in` is None when none was written."""

    name: str
    stand_in: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with variables, in the order written. `{{` is already a brace."""

    parts: tuple[str | Variable, ...]


# --- words and triggers ----------------------------------------------------------------------------------


class MatchMode(StrEnum):
    """How keywords are looked for."""

    WHOLE_WORD = "whole_word"
    EXACT = "exact"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"
    FUZZY = "fuzzy"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class Words:
    """Keywords as written (not folded), how to look for them, and the ones that forbid a match."""

    words: tuple[str, ...]
    match: MatchMode = MatchMode.WHOLE_WORD
    but_not: tuple[str, ...] = ()


class AnyPost(StrEnum):
    """Posts that are not named."""

    ANY = "any"
    NEXT = "next"
    """Bound once, to the first post after the version that first said it."""


Posts = AnyPost | tuple[str, ...]
"""Any, the next one, or named ones: media ids, or permalinks as written."""


@dataclass(frozen=True, slots=True)
class CommentTrigger:
    words: Words | None
    """None: every comment."""
    posts: Posts = AnyPost.ANY
    replies: bool = False
    """Whether replies to comments count."""


@dataclass(frozen=True, slots=True)
class DmTrigger:
    words: Words | None


@dataclass(frozen=True, slots=True)
class StoryReplyTrigger:
    words: Words | None
    stories: tuple[str, ...] = ()
    """Ids or links; empty: any story."""


@dataclass(frozen=True, slots=True)
class StoryMentionTrigger:
    pass


@dataclass(frozen=True, slots=True)
class FirstMessageTrigger:
    pass


@dataclass(frozen=True, slots=True)
class AnythingElseTrigger:
    pass


Trigger = (
    CommentTrigger
    | DmTrigger
    | StoryReplyTrigger
    | StoryMentionTrigger
    | FirstMessageTrigger
    | AnythingElseTrigger
)

# --- conditions ------------------------------------------------------------------------------------------


class CameFrom(StrEnum):
    """How a run began, for people: `came_from`."""

    COMMENT = "comment"
    DM = "dm"
    STORY = "story"
    LINK = "link"
    AD = "ad"


class FieldTest(StrEnum):
    """Comparisons of a custom field; `field: {NAME: value}` is `is`."""

    IS = "is"
    IS_NOT = "is_not"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    BEFORE = "before"
    AFTER = "after"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str


@dataclass(frozen=True, slots=True)
class HasNotTag:
    tag: str


@dataclass(frozen=True, slots=True)
class FieldCondition:
    field: str
    test: FieldTest
    values: tuple[str, ...]
    """One value but for `one_of`; `known` has "true" or "false"."""


@dataclass(frozen=True, slots=True)
class TextCondition:
    words: Words


@dataclass(frozen=True, slots=True)
class FirstTime:
    """This person never started this flow before."""


@dataclass(frozen=True, slots=True)
class WindowOpen:
    """An ordinary message may be sent to this person now."""


@dataclass(frozen=True, slots=True)
class CameFromCondition:
    origins: tuple[CameFrom, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    conditions: tuple["Condition", ...]


Condition = (
    HasTag
    | HasNotTag
    | FieldCondition
    | TextCondition
    | FirstTime
    | WindowOpen
    | CameFromCondition
    | AnyOf
    | AllOf
    | NoneOf
)

# --- steps -----------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Message:
    """What a `send` says. `texts` are the variants; empty for a message without text."""

    texts: tuple[Text, ...] = ()
    buttons: tuple[Option, ...] = ()
    chips: tuple[Option, ...] = ()
    images: tuple[Text, ...] = ()


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
class ClearFields:
    at: At
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    at: At
    name: str


@dataclass(frozen=True, slots=True)
class RunFlow:
    at: At
    flow: str


@dataclass(frozen=True, slots=True)
class Stop:
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
    | Choose
    | Tag
    | Untag
    | SetFields
    | ClearFields
    | Goal
    | RunFlow
    | Stop
    | HandOver
)

# --- the flow --------------------------------------------------------------------------------------------


class Mode(StrEnum):
    """What happens when a flow triggers while this person is already in it."""

    SINGLE = "single"
    RESTART = "restart"
    PARALLEL = "parallel"


class FlowState(StrEnum):
    LIVE = "live"
    PAUSED = "paused"


ONCE = "once"


@dataclass(frozen=True, slots=True)
class Limits:
    per_person: timedelta | str | None = None
    """A cool-down, or `ONCE`."""
    per_post: bool = False
    """Once per person and post."""


@dataclass(frozen=True, slots=True)
class Active:
    """When a flow takes anything at all; instants, both ends may be open, `until` is exclusive."""

    from_: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One version of a flow. Immutable; `version` is the hash of what was written."""

    id: str
    version: str
    title: str
    triggers: tuple[Trigger, ...]
    only_if: tuple[Condition, ...]
    steps: Mapping[str, Step]
    first: str | None
    """None: a flow without steps, which completes at once."""
    limits: Limits = Limits()
    mode: Mode = Mode.SINGLE
    priority: int = 0
    active: Active = Active()
    state: FlowState = FlowState.LIVE
    connections: tuple[str, ...] = ()
    """Usernames; empty: every connection of the account."""
    options: Mapping[str, Option] = field(default_factory=dict)
    """Every button, chip and choice by its path."""
    has_goal: bool = False
