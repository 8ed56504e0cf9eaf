"""Private replies against Meta's hour: when most of them come, and how long the last of them waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik.instagram import limits
from pamosnik.outbox.pacing import COUNTS_FOR, HOUR


@dataclass(frozen=True, slots=True)
class BusiestHour:
    """The hour with the most of them; any hour, not only full ones."""

    begins_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Jam:
    """What comes of more than Meta allows."""

    longest_wait: timedelta
    too_late: int
    """How many would have to wait longer than a comment may be answered."""


def busiest_hour(instants: Sequence[datetime]) -> BusiestHour | None:
    """The earliest of the busiest. `instants`: rising; None when there are none."""
    found: BusiestHour | None = None
    first = 0
    for number, instant in enumerate(instants):
        while instants[first] <= instant - HOUR:
            first += 1
        count = number - first + 1
        if found is None or count > found.count:
            found = BusiestHour(instants[first], count)
    return found


def jam(instants: Sequence[datetime]) -> Jam:
    """`instants`: when private replies become due, rising. Who waits too long leaves the place to the next."""
    leave: list[datetime] = []
    longest, too_late = timedelta(), 0
    for instant in instants:
        at = instant
        if len(leave) >= limits.PRIVATE_REPLIES_PER_HOUR:
            at = max(instant, leave[-limits.PRIVATE_REPLIES_PER_HOUR] + COUNTS_FOR)
        if at - instant >= limits.PRIVATE_REPLY_WITHIN:
            too_late += 1
            continue
        leave.append(at)
        longest = max(longest, at - instant)
    return Jam(longest, too_late)
