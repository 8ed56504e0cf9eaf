"""When a request may leave: Meta's limits, and growing gaps after failures. The clock and the past are arguments."""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pamosnik.instagram import limits
from pamosnik.model.outbox import ItemKind, OutboxItem

HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)
_SLICE = _SECOND / 10
_FIRST_GAP_S = 2.0
_LONGEST_GAP_S = 900.0


def backoff(attempts: int, seed: str) -> timedelta:
    """The gap after the `attempts`-th failure: doubling from 2 s to 15 min, up to a quarter longer by chance.

    The chance is derived from `seed`, so a repeated computation gives the same gap.
    """
    gap = min(_FIRST_GAP_S * 2 ** min(attempts - 1, 20), _LONGEST_GAP_S)
    share = int.from_bytes(hashlib.sha256(f"{seed}|{attempts}".encode()).digest()[:2]) / 65536
    return timedelta(seconds=gap * (1 + share / 4))


def hourly_room(sent: int) -> int:
    """How many private replies may leave now, when `sent` attempts left within the last hour."""
    return max(limits.PRIVATE_REPLIES_PER_HOUR - sent, 0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of waiting private replies at Meta's pace."""

    last_at: datetime
    """When the last one that makes it leaves."""
    too_late: int
    """How many will not make it before their deadline."""


def outlook(deadlines: Sequence[datetime], sent: Sequence[datetime], now: datetime) -> Outlook:
    """`deadlines` of waiting private replies, `sent`: the attempts of the last hour, both rising.

    The earliest deadline leaves first; what would be too late leaves its place to the next one.
    """
    taken = deque(sent)
    last, too_late = now, 0
    for deadline in deadlines:
        at = last
        if len(taken) >= limits.PRIVATE_REPLIES_PER_HOUR:
            at = max(last, taken[0] + HOUR)
        if at >= deadline:
            too_late += 1
            continue
        last = at
        taken.append(at)
        if len(taken) > limits.PRIVATE_REPLIES_PER_HOUR:
            taken.popleft()
    return Outlook(last, too_late)


def has_media(item: OutboxItem) -> bool:
    """Whether the item counts against the limit for media."""
    return item.kind is ItemKind.MESSAGE and bool(item.content.images)


class Caution:
    """After several uncertain outcomes in a row a connection probes with one item at a time, at growing gaps.

    Forgets with the process: a restart begins as carefully as any start.
    """

    ROW = 3
    _LONGEST = timedelta(minutes=2)

    def __init__(self) -> None:
        self._in_a_row = 0
        self._since: datetime | None = None
        self._probes = 0
        self._next: datetime | None = None

    def next_probe(self) -> datetime | None:
        """When the next single item may leave; None: no caution is needed."""
        return self._next

    def uncertain(self, begun: datetime, now: datetime) -> None:
        """An attempt that began then has an unknown outcome."""
        self._in_a_row += 1
        if self._since is None and self._in_a_row >= self.ROW:
            self._since, self._next = now, now + _SECOND
        elif self._since is not None and begun >= self._since:
            self._probes += 1
            self._next = now + min(_SECOND * 2.0 ** min(self._probes, 10), self._LONGEST)

    def probe(self, at: datetime) -> None:
        """One item alone from then on, until Instagram has answered it: after a rest comes no burst."""
        self._since, self._next = at, at

    def certain(self) -> None:
        """Instagram answered."""
        self._in_a_row, self._since, self._probes, self._next = 0, None, 0, None


SLOWER_FROM = 80
"""Percent of Meta's usage headers from which on the pace halves, and halves again with every further 5."""


def slower(usage_percent: int | None) -> int:
    """By how much the gaps between calls grow: 1 below 80 %, then 2, 4, 8, 16; 100 % is a rest, not a pace."""
    if usage_percent is None or usage_percent < SLOWER_FROM:
        return 1
    return int(2 ** (min((usage_percent - SLOWER_FROM) // 5, 3) + 1))


class Slowdown:
    """Keeps the sends of one kind apart while Meta's usage headers ask for it, and lets them rest."""

    _ANSWER_WITHIN = timedelta(seconds=30)

    def __init__(self) -> None:
        self._factor = 1
        self._next: datetime | None = None
        self._rests = False

    def heard(self, usage_percent: int | None, rest_until: datetime | None) -> None:
        """An answer: the newest header (none says nothing), and until when this kind is to rest, if at all."""
        if usage_percent is not None:
            self._factor = slower(usage_percent)
        if rest_until is not None:
            self._rests, self._next = True, rest_until
        elif self._rests:
            self._rests, self._next = False, None

    def left(self, now: datetime, per_hour: int) -> None:
        """A request left, of a kind that may leave so often in an hour. The first after a rest goes alone."""
        if self._rests:
            self._next = now + self._ANSWER_WITHIN
        else:
            self._next = None if self._factor == 1 else now + HOUR / per_hour * self._factor

    @property
    def slow(self) -> bool:
        """Whether requests leave one by one."""
        return self._rests or self._factor > 1

    def free_at(self, now: datetime) -> datetime:
        return now if self._next is None else max(self._next, now)


def with_reserve(limit: int) -> int:
    """A tenth less than Meta allows in a second: requests bunch up on their way."""
    return limit - limit // 10


class PerSecond:
    """At most `limit` in any sliding second, and no more than a tenth of it at once.

    Meta counts when requests arrive, not when they leave: two bursts a second apart could arrive as one. Forgets with
    the process: a restart takes longer than a second.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._at_once = max(limit // 10, 1)
        self._times: deque[datetime] = deque()

    def room(self, now: datetime) -> int:
        """How many may leave now."""
        while self._times and not now - _SECOND < self._times[0] <= now:
            self._times.popleft()  # over, or noted before the clock was put back
        just_now = sum(1 for at in islice(reversed(self._times), self._at_once) if at > now - _SLICE)
        return min(self._limit - len(self._times), self._at_once - just_now)

    def take(self, now: datetime) -> None:
        self._times.append(now)

    def free_at(self, now: datetime) -> datetime:
        """When there is room again."""
        if self.room(now) > 0:
            return now
        if len(self._times) >= self._limit:
            return self._times[0] + _SECOND
        return self._times[-self._at_once] + _SLICE
