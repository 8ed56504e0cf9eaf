"""Contacts: people, as one business account knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


def known_by_name(username: str) -> str:
    """What takes the place of an id while somebody is forgotten of whom Instagram told the username alone."""
    return f"@{username.lower()}"


class PausedBy(StrEnum):
    """Who made automation stop for a person."""

    OWNER = "owner"
    HAND_OVER = "hand_over"


@dataclass(frozen=True, slots=True)
class Profile:
    """What Instagram tells of somebody who is asked for; None: it does not tell."""

    username: str | None = None
    name: str | None = None
    follows_me: bool | None = None
    verified: bool | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person and everything remembered about them. Belongs to one connection."""

    id: str
    account_id: str
    connection_id: str
    igsid: str
    """Instagram-scoped id: the same person has another one at another business."""
    username: str | None = None
    name: str | None = None
    tags: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=dict)
    """Custom fields by name; dates as 2026-12-24, numbers as written without grouping."""
    first_message_at: datetime | None = None
    """None until they wrote: comments do not count."""
    window_open_until: datetime | None = None
    """None until their first message; may lie in the past."""
    opted_out_at: datetime | None = None
    unreachable_since: datetime | None = None
    """Meta said this person cannot receive messages; ends with their next message."""
    paused_until: datetime | None = None
    paused_by: PausedBy | None = None
    disclosed_at: datetime | None = None
    """When the line that tells people they talk to a machine was first sent."""
    forget_at: datetime | None = None
    """They wanted to be forgotten: what is older is being deleted, and nothing is done for them meanwhile."""
    follows_me: bool | None = None
    """What Instagram told of them last, with the next two and the name; None: it did not."""
    verified: bool | None = None
    followers: int | None = None
    looked_up_at: datetime | None = None
    """When it told that."""
    look_up_again_at: datetime | None = None
    """Until then Instagram is not asked again, because of how it answered last."""
    look_up_problem: str | None = None
    """Why it did not tell when it was asked last."""

    def window_open(self, now: datetime) -> bool:
        """Whether an ordinary message may be sent now."""
        return self.window_open_until is not None and now < self.window_open_until
