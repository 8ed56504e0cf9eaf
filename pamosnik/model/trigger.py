"""What a flow waits for."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from pamosnik.model.condition import Condition
from pamosnik.model.cron import Cron
from pamosnik.model.text import Words


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
class LiveCommentTrigger:
    words: Words | None


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
class SharedPostTrigger:
    posts: tuple[str, ...] = ()
    """Media ids, or permalinks as written; empty: any post."""


@dataclass(frozen=True, slots=True)
class ReactionTrigger:
    emoji: tuple[str, ...] = ()
    """As written; empty: any reaction."""


@dataclass(frozen=True, slots=True)
class LinkTrigger:
    refs: tuple[str, ...] = ()
    """Empty: any ig.me link of the account."""


@dataclass(frozen=True, slots=True)
class AdTrigger:
    ads: tuple[str, ...] = ()
    """Ids of ads; empty: any click-to-message ad."""


@dataclass(frozen=True, slots=True)
class TagAddedTrigger:
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldSetTrigger:
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IceBreakerTrigger:
    question: str


@dataclass(frozen=True, slots=True)
class MenuTrigger:
    label: str


@dataclass(frozen=True, slots=True)
class FirstMessageTrigger:
    pass


@dataclass(frozen=True, slots=True)
class AnythingElseTrigger:
    pass


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """A broadcast: begins by the clock, for everybody in its audience whose window is open.

    One of `at`, `once` and `cron` is set.
    """

    audience: tuple[Condition, ...] = ()
    """All of them; empty: everybody."""
    at: time | None = None
    """On `days` and `dates`; every day when both are empty."""
    days: tuple[int, ...] = ()
    """Monday is 0."""
    dates: tuple[date, ...] = ()
    once: datetime | None = None
    """On the clock of `zone`, so without a time zone of its own."""
    cron: Cron | None = None
    zone: str | None = None
    """None: the settings'."""

    def timing(self, zone: str) -> str:
        """When it begins, as one text: two with the same begin at the same instants."""
        cron = None if self.cron is None else self.cron.written
        dates = [day.isoformat() for day in sorted(self.dates)]
        return f"{self.at} {sorted(self.days)} {dates} {self.once} {cron} {self.zone or zone}"


Trigger = (
    CommentTrigger
    | LiveCommentTrigger
    | DmTrigger
    | StoryReplyTrigger
    | StoryMentionTrigger
    | SharedPostTrigger
    | ReactionTrigger
    | LinkTrigger
    | AdTrigger
    | TagAddedTrigger
    | FieldSetTrigger
    | IceBreakerTrigger
    | MenuTrigger
    | FirstMessageTrigger
    | AnythingElseTrigger
    | ScheduleTrigger
)
