"""What happens on a stage, as plain values in the order of time. Instants are UTC; people are named by username."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pamosnik.model.contact import PausedBy
from pamosnik.model.event import EventKind, Verdict
from pamosnik.model.outbox import Action, ItemKind, ItemStatus
from pamosnik.model.run import RunStatus


class Deed(StrEnum):
    """What somebody can do on a stage."""

    COMMENT = "comment"
    REPLY = "reply"
    """A reply to a comment of their own."""
    LIVE_COMMENT = "live_comment"
    MESSAGE = "message"
    STORY_REPLY = "story_reply"
    STORY_MENTION = "story_mention"
    SHARED_POST = "shared_post"
    TAP = "tap"
    CLICK = "click"
    """On a link in a message."""
    REACTION = "reaction"
    LINK = "link"
    """They opened an ig.me link; a stranger's is told with what they do next."""
    OWNER = "owner"
    """The owner writes to the person by hand."""


@dataclass(frozen=True, slots=True)
class Did:
    """A person, or the owner, did something."""

    at: datetime
    who: str
    deed: Deed
    text: str | None = None
    post: int | None = None
    """Number of the post, as `Stage.posts` counts."""
    opened: str | None = None
    """The address that a tapped button or a link opened."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An event got its verdict."""

    at: datetime
    event_id: str
    kind: EventKind
    who: str
    text: str | None
    verdict: Verdict
    flow: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Option:
    """A button or chip as the person sees it."""

    label: str
    url: str | None = None
    card: str | None = None
    """Title of the card it stands on, where several cards have the same label."""

    @property
    def name(self) -> str:
        """What tells it from the others of its message."""
        return self.label if self.card is None else f"{self.label} ({self.card})"


@dataclass(frozen=True, slots=True)
class Card:
    """One of several cards side by side; its buttons are among those of the message, too."""

    title: str
    subtitle: str | None = None
    url: str | None = None
    buttons: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """Instagram took a private message: what the person sees of it."""

    at: datetime
    to: str
    text: str | None
    buttons: tuple[Option, ...] = ()
    chips: tuple[Option, ...] = ()
    images: tuple[str, ...] = ()
    media: tuple[tuple[str, str], ...] = ()
    """Videos, sounds and files: Meta's word for the kind, and the address."""
    heart: bool = False
    cards: tuple[Card, ...] = ()
    private_reply: bool = False
    """The one message that a comment allows."""
    flow: str | None = None


@dataclass(frozen=True, slots=True)
class PublicReply:
    """Instagram took a reply under a comment."""

    at: datetime
    to: str
    text: str
    comment_id: str
    flow: str | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """Instagram took a reaction, or hid or deleted a comment."""

    at: datetime
    to: str
    action: Action
    emoji: str | None = None
    flow: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something is going out later, or when something has happened."""

    at: datetime
    to: str
    kind: ItemKind
    status: ItemStatus
    flow: str | None
    until: datetime | None
    """When it may leave; None when no clock tells."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Something will not go out any more."""

    at: datetime
    to: str
    kind: ItemKind
    status: ItemStatus
    flow: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Ran:
    """A run came to this state."""

    at: datetime
    who: str
    run_id: str
    flow: str
    status: RunStatus
    reason: str | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A run went past a step without doing it."""

    at: datetime
    who: str
    flow: str
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Steered:
    """A run took a way of a `split`, or went back."""

    at: datetime
    who: str
    flow: str
    how: str


@dataclass(frozen=True, slots=True)
class Called:
    """A flow asked a service; on a stage nothing leaves the machine."""

    at: datetime
    webhook: str
    body: str | None
    again: bool = False
    """A repetition, because the answer before was none."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """The owner got a mail from a flow."""

    at: datetime
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class GoalReached:
    at: datetime
    who: str
    flow: str
    goal: str


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """A person got a code, or was told theirs again."""

    at: datetime
    who: str
    pool: str
    code: str


@dataclass(frozen=True, slots=True)
class Tagged:
    at: datetime
    who: str
    tag: str
    given: bool
    """False: taken away."""


@dataclass(frozen=True, slots=True)
class FieldSet:
    at: datetime
    who: str
    field: str
    value: str | None
    """None: cleared."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Automation rests for this person until then."""

    at: datetime
    who: str
    until: datetime
    by: PausedBy


@dataclass(frozen=True, slots=True)
class OptedOut:
    at: datetime
    who: str
    opted_out: bool
    """False: they want messages again."""


Happening = (
    Did
    | Judged
    | Sent
    | PublicReply
    | Acted
    | Waiting
    | NotSent
    | Ran
    | Skipped
    | Steered
    | Mailed
    | Called
    | GoalReached
    | CodeGiven
    | Tagged
    | FieldSet
    | Paused
    | OptedOut
)


# --- how things stand ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Post:
    """Something people can comment on, or a story they can answer."""

    number: int
    kind: str
    """post, reel, story or live."""
    caption: str
    link: str
    flows: tuple[str, ...]
    """Flows that name it."""


@dataclass(frozen=True, slots=True)
class RunState:
    run_id: str
    flow: str
    status: RunStatus
    step: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PersonState:
    """What Pamosnik knows of a person now."""

    username: str
    tags: frozenset[str] = frozenset()
    fields: tuple[tuple[str, str], ...] = ()
    """Sorted by name."""
    window_open_until: datetime | None = None
    paused_until: datetime | None = None
    """None when nothing is paused now."""
    handed_over: bool = False
    """Paused because a human takes over, not because the owner wrote."""
    opted_out: bool = False
    runs: tuple[RunState, ...] = ()
    """The latest first."""

    @property
    def waiting(self) -> bool:
        """Whether a run waits for them or for a time."""
        return any(run.status is RunStatus.WAITING for run in self.runs)
