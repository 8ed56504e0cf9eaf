"""How long things are kept: `[retention]` of `pamosnik.toml`, like `30d`, `12w`, `2y` or `forever`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

FOREVER = "forever"
_AGE = re.compile(r"(\d{1,5}) ?([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}
LONGEST = timedelta(days=100 * 365)

_SHORTEST: Mapping[str, tuple[int, str]] = {
    "events": (8, "Instagram tells things again, and lets comments be answered, for up to 7 days"),
    "messages": (8, "what was answered under a comment is told from what others answered for 7 days"),
    "runs": (8, "people may still answer and tap for 7 days"),
    "contacts": (30, "tags, answers and limits like `per_person: once` go with the person"),
    "logs": (8, "who wants to know who logged in looks some days later"),
}
"""Days below which something that still works would break, and why."""


@dataclass(frozen=True, slots=True)
class Ages:
    """None: for ever."""

    events: timedelta | None = timedelta(days=30)
    messages: timedelta | None = timedelta(days=90)
    runs: timedelta | None = timedelta(days=90)
    contacts: timedelta | None = timedelta(days=365)
    logs: timedelta | None = timedelta(days=30)

    def shortest_of_people(self) -> timedelta | None:
        """Of what holds people; None: all of it is kept for ever."""
        kept = (self.events, self.messages, self.runs, self.contacts)
        return min((age for age in kept if age is not None), default=None)

    def of(self, kind: str) -> timedelta | None:
        """By the name of its setting."""
        age: timedelta | None = getattr(self, kind)
        return age


KINDS = tuple(field.name for field in fields(Ages))


def age(kind: str, written: str) -> timedelta | None:
    """What the setting of this kind says. Raises `ValueError` with a sentence for people."""
    if written.strip().lower() == FOREVER:
        return None
    found = _AGE.fullmatch(written.strip().lower())
    if found is None:
        raise ValueError(f"{written!r} is no age; write it like 30d, 12w, 2y or forever")
    days = timedelta(days=int(found[1]) * _DAYS[found[2]])
    least, why = _SHORTEST[kind]
    if days < timedelta(days=least):
        raise ValueError(f"{written} is too short: {why}; the shortest is {least}d")
    if days > LONGEST:
        raise ValueError(f"{written} is longer than a hundred years; write forever")
    return days


def written(kept: timedelta | None) -> str:
    """As it stands in settings."""
    return FOREVER if kept is None else f"{kept.days}d"
