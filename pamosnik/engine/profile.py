"""A person's profile at Instagram: when it is asked for, and for how long the answer counts.

Whoever asks for one person is told their name, whether they follow the account and are verified, and how many follow
them; nobody is told when that changes, and nothing is told of people who have only commented.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/user-profile
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pamosnik.model.condition import AllOf, AnyOf, Condition, Followers, FollowsMe, NoneOf, Verified
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Facts

WITHIN = timedelta(seconds=5)
"""So long somebody waits for the answer; then it is unknown."""
FACTS_FOR = timedelta(seconds=3)
"""Whoever is told "follow us, then tap" may have followed a few seconds later."""
NAMES_FOR = timedelta(hours=24)


def asks(condition: Condition) -> bool:
    """Whether a condition looks at the profile."""
    match condition:
        case FollowsMe() | Verified() | Followers():
            return True
        case AnyOf() | AllOf() | NoneOf():
            return any(map(asks, condition.conditions))
        case _:
            return False


def may_ask(contact: Contact, now: datetime) -> bool:
    """Whether Instagram may be asked: they have written or tapped, and it has not just refused."""
    again = contact.look_up_again_at
    return (
        contact.first_message_at is not None
        and contact.opted_out_at is None
        and (again is None or again <= now)
    )


def settled(facts: Facts, now: datetime) -> Facts:
    """The facts with what counts of the profile now, and whether Instagram could still tell more."""
    contact = facts.contact
    if facts.profile_asked or is_fresh(contact, now):
        return replace(facts, profile_asked=True)
    return replace(facts, contact=unknown(contact), profile_asked=not may_ask(contact, now))


def is_fresh(contact: Contact, now: datetime) -> bool:
    """Whether Instagram has told just now what conditions ask for."""
    return _told_within(FACTS_FOR, contact, now)


def unknown(contact: Contact) -> Contact:
    """Nothing that conditions ask for is known. A name stays what it was."""
    return replace(contact, follows_me=None, verified=None, followers=None)


def wanted_for(variable: str, contact: Contact, now: datetime) -> bool:
    """Whether a text with this variable needs the profile."""
    if variable in ("name", "first_name"):
        return not _told_within(NAMES_FOR, contact, now)
    return variable == "username" and contact.username is None and not _told_within(NAMES_FOR, contact, now)


def _told_within(age: timedelta, contact: Contact, now: datetime) -> bool:
    return contact.looked_up_at is not None and now - contact.looked_up_at < age


def told(contact: Contact) -> str:
    """What conditions may ask for, in words."""
    words = {True: "yes", False: "no", None: "unknown"}
    followers = "unknown" if contact.followers is None else str(contact.followers)
    return f"follows_me: {words[contact.follows_me]}, verified: {words[contact.verified]}, followers: {followers}"
