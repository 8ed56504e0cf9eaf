"""The book: all flows that are applied in one account, and the settings they share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pamosnik.model.flow import Flow
from pamosnik.model.hours import Hours
from pamosnik.model.step import FieldType
from pamosnik.model.text import Text


class Sentence(StrEnum):
    """Built-in sentences that `says` can replace."""

    STOPPED = "stopped"
    STARTED = "started"
    HUMAN_CALLED = "human_called"
    NOT_UNDERSTOOD = "not_understood"
    SKIP = "skip"
    REPLY_WITH = "reply_with"
    FORGET_SURE = "forget_sure"
    FORGOTTEN = "forgotten"
    FORGET_YES = "forget_yes"
    FORGET_NO = "forget_no"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    type: FieldType
    choices: tuple[str, ...] = ()
    keep_for_s: int | None = None
    """Seconds after which the value is deleted; None: as long as the contact."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that flows call."""

    url: Text | None = None
    """Its variables are facts. None: a variable of the environment holds it."""
    url_from: str | None = None
    secret_from: str | None = None
    """Variable of the environment with what signs calls; None: they are not signed."""
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all flows of an account; looked up when used, not when a run began."""

    timezone: str | None = None
    """IANA name; None: the account's."""
    language: str = "en"
    says: Mapping[Sentence, str] = field(default_factory=dict)
    """Only the sentences that the owner put into other words."""
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, int] = field(default_factory=dict)
    """Pool of codes → the owner is told when fewer are left than this."""
    hours: Mapping[str, Hours] = field(default_factory=dict)
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    stop_words: tuple[str, ...] = ()
    """Beside the built-in ones; likewise the next two."""
    start_words: tuple[str, ...] = ()
    human_words: tuple[str, ...] = ()
    disclosure: str | bool = True
    """First line of the first automated message: True the built-in text, False none, or own words."""


@dataclass(frozen=True, slots=True)
class Book:
    """Flows in file order, and their settings."""

    flows: tuple[Flow, ...] = ()
    settings: Settings = Settings()
