"""The outbox: everything that leaves the machine, one item each, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ItemKind(StrEnum):
    MESSAGE = "message"
    PRIVATE_REPLY = "private_reply"
    COMMENT_REPLY = "comment_reply"
    COMMENT_ACTION = "comment_action"
    SENDER_ACTION = "sender_action"
    CALL = "call"
    EMAIL = "email"
    LOOKUP = "lookup"


ERRANDS = frozenset({ItemKind.CALL, ItemKind.EMAIL, ItemKind.LOOKUP})
"""What is no message: it carries a task, and its result may come back to the step that asked."""


REPEATABLE = frozenset({ItemKind.COMMENT_ACTION, ItemKind.SENDER_ACTION})
"""Doing it twice is as good as doing it once: a repetition needs no evidence that the first time failed."""


class Action(StrEnum):
    """What an item of these kinds does."""

    REACT = "react"
    TYPING = "typing_on"
    HIDE = "hide"
    DELETE = "delete"

    @property
    def kind(self) -> ItemKind:
        on_comment = self in (Action.HIDE, Action.DELETE)
        return ItemKind.COMMENT_ACTION if on_comment else ItemKind.SENDER_ACTION


class Quota(StrEnum):
    """What Meta counts apart, for each connection."""

    PRIVATE_REPLY = "private_reply"
    """To comments on posts and reels."""
    LIVE_PRIVATE_REPLY = "live_private_reply"
    """To comments during a broadcast: another limit, and no time to wait."""
    MESSAGE = "message"
    COMMENT_REPLY = "comment_reply"
    COMMENT_ACTION = "comment_action"
    SENDER_ACTION = "sender_action"

    @property
    def live(self) -> bool:
        return self is Quota.LIVE_PRIVATE_REPLY

    @property
    def kind(self) -> ItemKind:
        return ItemKind.PRIVATE_REPLY if self.live else ItemKind(self.value)


class ItemStatus(StrEnum):
    QUEUED = "queued"
    """May leave at `due_at`."""
    HELD = "held"
    """Waits for something that has no time: the person's answer, the private reply, the owner."""
    SENDING = "sending"
    """Committed before the request leaves; found after a restart it becomes `UNKNOWN`."""
    SENT = "sent"
    """Accepted by Meta. There is no delivery receipt."""
    UNKNOWN = "unknown"
    """It may have been delivered; evidence or the owner settles it."""
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"


ITEM_TRANSITIONS: Mapping[ItemStatus, frozenset[ItemStatus]] = {
    ItemStatus.QUEUED: frozenset(
        {
            ItemStatus.HELD,
            ItemStatus.SENDING,
            # An earlier attempt of uncertain outcome shows after all, before it is repeated.
            ItemStatus.SENT,
            ItemStatus.EXPIRED,
            ItemStatus.FAILED,
            ItemStatus.CANCELLED,
        }
    ),
    ItemStatus.HELD: frozenset(
        {ItemStatus.QUEUED, ItemStatus.EXPIRED, ItemStatus.FAILED, ItemStatus.CANCELLED}
    ),
    ItemStatus.SENDING: frozenset(
        {
            ItemStatus.SENT,
            ItemStatus.UNKNOWN,
            ItemStatus.QUEUED,
            ItemStatus.HELD,
            ItemStatus.EXPIRED,
            ItemStatus.FAILED,
        }
    ),
    ItemStatus.UNKNOWN: frozenset(
        {ItemStatus.SENT, ItemStatus.QUEUED, ItemStatus.FAILED, ItemStatus.EXPIRED, ItemStatus.CANCELLED}
    ),
    ItemStatus.SENT: frozenset(),
    # `queue retry` by the owner puts these back.
    ItemStatus.EXPIRED: frozenset({ItemStatus.QUEUED}),
    ItemStatus.FAILED: frozenset({ItemStatus.QUEUED}),
    ItemStatus.CANCELLED: frozenset({ItemStatus.QUEUED}),
}
"""Which status may follow which. The store refuses everything else."""


SETTLED = frozenset({ItemStatus.SENT, ItemStatus.EXPIRED, ItemStatus.FAILED, ItemStatus.CANCELLED})
"""It has come to its end, unless the owner puts it back."""


class HeldFor(StrEnum):
    """What a held item waits for."""

    ANSWER = "answer"
    """The person's answer: only a private reply may precede it."""
    PRIVATE_REPLY = "private_reply"
    """The private message that a public reply announces."""
    LOGIN = "login"
    """The connection's owner: a login, a permission."""


@dataclass(frozen=True, slots=True)
class OutButton:
    """A button as it leaves: an address or a payload, never both."""

    label: str
    url: str | None = None
    payload: str | None = None


class MediaKind(StrEnum):
    """What stands in a message of its own, in place of a text."""

    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    HEART = "heart"
    POST = "post"


@dataclass(frozen=True, slots=True)
class OutMedia:
    kind: MediaKind
    url: str | None = None
    """None for a heart; of a post its link or id."""


@dataclass(frozen=True, slots=True)
class OutCard:
    """One of several cards side by side."""

    title: str
    subtitle: str | None = None
    image: str | None = None
    url: str | None = None
    buttons: tuple[OutButton, ...] = ()


@dataclass(frozen=True, slots=True)
class OutMessage:
    """The content of one message, with all variables filled in: a text, pictures, cards, or a single medium."""

    text: str | None = None
    buttons: tuple[OutButton, ...] = ()
    chips: tuple[OutButton, ...] = ()
    images: tuple[str, ...] = ()
    spelled_out: str | None = None
    """The same as plain text with the labels written out, for private replies whose buttons are refused."""
    media: OutMedia | None = None
    cards: tuple[OutCard, ...] = ()
    reply_to: str | None = None
    """Meta's id of the message that it quotes."""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One item of the outbox."""

    id: str
    account_id: str
    connection_id: str
    contact_id: str
    run_id: str | None
    flow_id: str | None
    step: str | None
    kind: ItemKind
    status: ItemStatus
    content: OutMessage
    """A comment reply has only a text."""
    due_at: datetime
    deadline: datetime | None
    """None: never too late."""
    attempts: int
    igsid: str
    comment_id: str | None = None
    """Of a private reply or a comment reply."""
    held_for: HeldFor | None = None
    depends_on: str | None = None
    """The private reply that must be accepted first."""
    plain: bool = False
    """Buttons of a private reply were refused: send `content.spelled_out`; or the quote of a message was."""
    wire: str | None = None
    """The body as it left first; repetitions are the same byte for byte."""
    first_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    uncertain: bool = False
    """An earlier attempt may have been delivered."""
    reason: str | None = None
    message_id: str | None = None
    """Meta's id of what was sent: message or comment."""
    looks: int = 0
    """How often evidence was looked for since the last attempt."""
    not_there_at: datetime | None = None
    """When a look first showed that it had not arrived."""
    doubt_from: datetime | None = None
    """Since then a database that is lost may have sent it: before it leaves, Instagram is asked."""
    live: bool = False
    """A private reply to a comment on a live broadcast."""
    task: Mapping[str, str] = field(default_factory=dict)
    """Of an errand: what is asked, by name. `wait` is the id of the run's wait that its result ends. Of an action:
    `action`; of a reaction `message` and `emoji`, too."""
    result: Mapping[str, str | None] = field(default_factory=dict)
    """Of an errand that was done: what came back."""

    @property
    def action(self) -> Action | None:
        """None for other kinds."""
        return Action(self.task["action"]) if self.kind in REPEATABLE and "action" in self.task else None

    @property
    def quota(self) -> Quota:
        """What it counts against. Raises `ValueError` for kinds that do not go to people on Instagram."""
        return Quota.LIVE_PRIVATE_REPLY if self.live else Quota(self.kind.value)


class OutcomeKind(StrEnum):
    """What an answer of Meta's, or its absence, means; grouped by who has to act."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    """The request never left: connection refused, DNS, TLS, no free connection."""
    RETRY = "retry"
    """Refused for now; repeating is safe."""
    UNKNOWN = "unknown"
    """It may have been done."""
    BACK_OFF = "back_off"
    """A limit of the account or the app."""
    PERMANENT = "permanent"
    """This item will never go."""
    LOGIN = "login"
    """The owner has to log in again."""
    CONFIGURATION = "configuration"
    """A permission or setting is missing: stop this feature, tell the owner."""


class RestOf(StrEnum):
    """What a limit of Meta's concerns."""

    ITEM = "item"
    """One person."""
    QUOTA = "quota"
    """One kind of call."""
    CONNECTION = "connection"
    APP = "app"
    """Everything sent through the app: all connections."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The typed result of one request to Meta."""

    kind: OutcomeKind
    reason: str
    """A sentence for people, in our words, without secrets or message texts."""
    http_status: int | None = None
    code: int | None = None
    subcode: int | None = None
    recipient_id: str | None = None
    message_id: str | None = None
    pause_s: float | None = None
    """Seconds the account or class should rest: Meta, the class of error, or a limit that is used up names them."""
    rest_of: RestOf = RestOf.QUOTA
    """What that rest concerns."""
    usage_percent: int | None = None
    """Highest figure of the usage headers."""
