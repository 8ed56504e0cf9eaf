"""Two questions about an outbox item: may it leave now, and what does an answer mean for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from pamosnik.instagram import errors
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.outbox import (
    REPEATABLE,
    Action,
    ItemKind,
    ItemStatus,
    MediaKind,
    OutboxItem,
    Outcome,
    OutcomeKind,
)
from pamosnik.outbox.pacing import backoff

FETCHES_OF_MEDIA = 2
"""Meta could not fetch a picture: once more, then it is given up."""

PAUSED = "paused: the owner writes with this person"
"""Why a message waits for the end of a pause."""

GONE_ASKED_AGAIN_AFTER = timedelta(minutes=1)
"""A comment that shall be deleted is gone already: once more, for Meta has called existing ones missing."""


@dataclass(frozen=True, slots=True)
class Permit:
    """It may leave."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not before then."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It will never leave."""

    status: ItemStatus
    reason: str


def permit(item: OutboxItem, contact: Contact, now: datetime) -> Permit | Hold | Refuse:
    """Whether an item that is due may leave. Answers to safety words (no flow) pass where flows may not."""
    if item.deadline is not None and now >= item.deadline:
        return Refuse(ItemStatus.EXPIRED, _too_late(item))
    if item.kind is ItemKind.COMMENT_ACTION:
        return Permit()  # it concerns the post, not the person
    if item.flow_id is not None:
        if contact.forget_at is not None:
            return Refuse(ItemStatus.CANCELLED, "the person is forgotten")
        if contact.opted_out_at is not None:
            return Refuse(ItemStatus.CANCELLED, "the person opted out")
        if contact.unreachable_since is not None and item.kind is not ItemKind.COMMENT_REPLY:
            return Refuse(ItemStatus.FAILED, "the person cannot receive messages until they write again")
        if (
            contact.paused_until is not None
            and contact.paused_by is PausedBy.OWNER
            and now < contact.paused_until
        ):
            return Hold(contact.paused_until, PAUSED)
    if item.kind in (ItemKind.MESSAGE, ItemKind.SENDER_ACTION) and not contact.window_open(now):
        return Refuse(ItemStatus.EXPIRED, "the 24-hour window of this person is closed")
    return Permit()


def _too_late(item: OutboxItem) -> str:
    if item.kind is ItemKind.PRIVATE_REPLY:
        return "the broadcast is over" if item.live else "the comment is older than 7 days"
    media = item.content.media
    if media is not None and media.kind is MediaKind.POST and item.attempts == 0:
        return "Instagram did not tell which post the link names; is it one of this account's?"
    if item.kind is ItemKind.MESSAGE:
        return "nobody answered in time: the 24-hour window is closed"
    return "too late"


# --- answers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """Delivered, as far as Meta says."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Again at `at`; certain not to have been delivered."""

    at: datetime
    reason: str
    plain: bool = False
    """Without buttons or quote: Instagram refused them."""
    uncertain: bool = False
    """It may have been done already; again does no harm."""


@dataclass(frozen=True, slots=True)
class Settle:
    """It may have been delivered: evidence has to tell."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    reason: str


@dataclass(frozen=True, slots=True)
class NeedsOwner:
    """Held until the owner has done something; `login`: they have to log in again."""

    reason: str
    login: bool


After = Done | Retry | Settle | GiveUp | NeedsOwner


def after(outcome: Outcome, item: OutboxItem, now: datetime) -> After:
    """What to do after an attempt; `item.attempts` counts this one."""
    if item.action is Action.TYPING and outcome.kind is not OutcomeKind.SENT:
        return GiveUp(outcome.reason)  # its moment is over
    match outcome.kind:
        case OutcomeKind.SENT:
            return Done()
        case OutcomeKind.NOT_SENT:
            return Retry(now + backoff(item.attempts, item.id), outcome.reason)
        case OutcomeKind.RETRY:
            if item.attempts >= FETCHES_OF_MEDIA:
                return GiveUp(outcome.reason)
            return Retry(now + backoff(item.attempts, item.id), outcome.reason)
        case OutcomeKind.UNKNOWN if item.kind in REPEATABLE:
            return Retry(now + backoff(item.attempts, item.id), outcome.reason, uncertain=True)
        case OutcomeKind.UNKNOWN:
            return Settle(outcome.reason)
        case OutcomeKind.BACK_OFF:
            return Retry(now + timedelta(seconds=outcome.pause_s or 0), outcome.reason)
        case OutcomeKind.PERMANENT:
            return _refused(outcome, item, now)
        case OutcomeKind.LOGIN:
            return NeedsOwner(outcome.reason, login=True)
        case OutcomeKind.CONFIGURATION:
            return NeedsOwner(outcome.reason, login=False)
        case _:
            assert_never(outcome.kind)


_OF_QUOTES = (None, errors.GONE, errors.INVALID_MESSAGE_DATA)


def _refused(outcome: Outcome, item: OutboxItem, now: datetime) -> After:
    quotes = item.kind is ItemKind.MESSAGE and item.content.reply_to is not None and not item.plain
    if quotes and outcome.code == 100 and outcome.subcode in _OF_QUOTES:
        # The person may have taken back what it quotes.
        return Retry(now, "Instagram refused the quote: sent without it", plain=True)
    if item.action is Action.DELETE and errors.gone(outcome):
        if item.uncertain:
            return Done("it is gone: deleted by an earlier attempt, or by who wrote it")
        return Retry(now + GONE_ASKED_AGAIN_AFTER, outcome.reason, uncertain=True)
    if item.kind is ItemKind.PRIVATE_REPLY:
        if outcome.subcode == errors.PRIVATE_REPLY_REFUSED and item.uncertain:
            return Done("delivered by an earlier attempt")
        buttons_refused = outcome.code == 100 and outcome.subcode in (None, errors.INVALID_MESSAGE_DATA)
        if buttons_refused and not item.plain and item.content.spelled_out is not None:
            what = "cards" if item.content.cards else "buttons"
            return Retry(now, f"Instagram refused the {what}: sent as text", plain=True)
        if outcome.subcode == errors.PRIVATE_REPLY_REFUSED and item.live:
            return GiveUp("the broadcast is over, or the comment was answered privately already or deleted")
    return GiveUp(outcome.reason)
