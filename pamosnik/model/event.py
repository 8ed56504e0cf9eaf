"""Events: the things Meta told us, each once, and what flows did that other flows wait for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened. The names are those of the JSON contract."""

    COMMENT = "comment"
    LIVE_COMMENT = "live_comment"
    MESSAGE = "message"
    STORY_REPLY = "story_reply"
    STORY_MENTION = "story_mention"
    SHARED_POST = "shared_post"
    REACTION = "reaction"
    POSTBACK = "postback"
    REFERRAL = "referral"
    SEEN = "seen"
    EDIT = "edit"
    DELETION = "deletion"
    ECHO = "echo"
    HANDOVER = "handover"
    UNSUPPORTED = "unsupported"
    TAG_ADDED = "tag_added"
    FIELD_SET = "field_set"


INBOUND_MESSAGES = frozenset(
    {
        EventKind.MESSAGE,
        EventKind.STORY_REPLY,
        EventKind.STORY_MENTION,
        EventKind.SHARED_POST,
        EventKind.POSTBACK,
    }
)
"""What a person does that opens the 24-hour messaging window (`instagram.limits.WINDOW`)."""

MESSAGES = INBOUND_MESSAGES - {EventKind.POSTBACK}
"""What the person sees as a message of their own in the conversation."""

COMMENTS = frozenset({EventKind.COMMENT, EventKind.LIVE_COMMENT})

SILENT = frozenset({EventKind.REACTION, EventKind.REFERRAL})
"""What a person does to us without writing: it opens no window (unconfirmed; `instagram.limits.WINDOW`) and answers
no question."""


CHANGES = frozenset({EventKind.TAG_ADDED, EventKind.FIELD_SET})
"""What a step of a flow did to what is known of a person; written down where another flow waits for it."""


class Verdict(StrEnum):
    """What became of an event. Every event ends with one; only `PENDING` is not yet one."""

    PENDING = "pending"
    STARTED = "started"
    RESUMED = "resumed"
    NO_MATCH = "no_match"
    FILTERED = "filtered"
    NOTED = "noted"
    PAUSED = "paused"
    HANDED_OVER = "handed_over"
    OPTED_OUT = "opted_out"
    DUPLICATE = "duplicate"
    OWN = "own"
    TEST = "test"
    UNSUPPORTED = "unsupported"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, post or story that came with a message. Links of Meta's CDN expire; they are not fetched."""

    type: str
    """Meta's word: image, video, audio, file, share, ig_post, ig_reel, story_mention, template, …"""
    url: str | None = None
    media_id: str | None = None
    """The post or reel that was shared, when Meta names it."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One item of a webhook, translated once and for all; not stored yet."""

    ig_id: str
    """The business account it belongs to (`entry.id`); "0" in dashboard tests."""
    key: str
    """Repetitions of the same item have the same key within one account."""
    kind: EventKind
    occurred_at: datetime | None = None
    """When it happened by Meta's word; None when Meta did not say."""
    igsid: str | None = None
    """The person, never the business: in echoes the recipient."""
    username: str | None = None
    text: str | None = None
    mid: str | None = None
    """The message it is or is about (edit, deletion, reaction and seen name another message's id)."""
    payload: str | None = None
    """Of the button, chip, ice breaker or menu item that was tapped."""
    title: str | None = None
    """The label of what was tapped."""
    comment_id: str | None = None
    parent_id: str | None = None
    """The comment this one answers."""
    media_id: str | None = None
    """The post commented on or shared; of a boosted post the organic one."""
    ad_id: str | None = None
    """The ad that was commented on, or through which they came; '' when Meta tells of an ad and not which."""
    story_id: str | None = None
    ref: str | None = None
    """What an ig.me link or an ad carried; '' of a link that carried nothing, None when they came by none."""
    emoji: str | None = None
    """Of a reaction."""
    reply_to_mid: str | None = None
    attachments: tuple[Attachment, ...] = ()
    changed: str | None = None
    """The tag or field that a flow gave or set."""
    by_run: str | None = None
    """The run whose step did that."""
    recovered: bool = False
    """Found by reading conversations and comments, because no webhook told it (in time)."""
    verdict: Verdict = Verdict.PENDING
    """Own comments, tests, `num_edit` 0 and the like have their verdict before the engine sees them."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event."""

    id: str
    account_id: str
    connection_id: str
    incoming: Incoming
    received_at: datetime
    attempts: int
    """How many turns failed on it."""
    decided_at: datetime | None = None
    """When it got its first verdict; a pending one that has this is tried again (`services.replaying`)."""

    @property
    def kind(self) -> EventKind:
        return self.incoming.kind

    @property
    def at(self) -> datetime:
        """When it happened, or arrived when Meta did not say; never later than that, for windows count from here."""
        return min(self.incoming.occurred_at or self.received_at, self.received_at)
