"""When a request may leave: Meta's limits, and growing gaps after failures. The clock and the past are arguments."""

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pamosnik.instagram import limits
from pamosnik.model.outbox import ItemKind, MediaKind, OutboxItem, Quota

HOUR = timedelta(hours=1)
PER_HOUR: Mapping[Quota, int] = {
    Quota.PRIVATE_REPLY: limits.PRIVATE_REPLIES_PER_HOUR,
    Quota.LIVE_PRIVATE_REPLY: limits.LIVE_PRIVATE_REPLIES_PER_SECOND * 3600,
    Quota.MESSAGE: limits.TEXTS_PER_SECOND * 3600,
    Quota.COMMENT_REPLY: limits.TEXTS_PER_SECOND * 3600,
    Quota.COMMENT_ACTION: limits.TEXTS_PER_SECOND * 3600,
    Quota.SENDER_ACTION: limits.TEXTS_PER_SECOND * 3600,
}
"""The full pace of each kind, which usage headers slow down."""
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


ON_THE_WAY = timedelta(seconds=5)
"""Meta counts requests when they arrive: one that was slow may do so less than an hour before one that was quick."""
COUNTS_FOR = HOUR + ON_THE_WAY
"""How long an attempt counts against Meta's hour."""


def hourly_room(sent: int) -> int:
    """How many private replies may leave now, when `sent` attempts still count."""
    return max(limits.PRIVATE_REPLIES_PER_HOUR - sent, 0)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of waiting private replies at Meta's pace."""

    leaves: tuple[datetime | None, ...]
    """When each of them leaves; None: not before its deadline."""

    @property
    def last_at(self) -> datetime | None:
        """When the last one that makes it leaves."""
        return max((at for at in self.leaves if at is not None), default=None)

    @property
    def too_late(self) -> int:
        """How many will not make it."""
        return self.leaves.count(None)


def outlook(
    deadlines: Sequence[datetime], sent: Sequence[datetime], now: datetime, *, gap: timedelta = timedelta()
) -> Outlook:
    """`deadlines` of waiting private replies, `sent`: the attempts that still count, both rising; `gap`: what lies
    between two of them at least.

    The earliest deadline leaves first; what would be too late leaves its place to the next one.
    """
    taken = deque(sent)
    next_at = now if not gap or not taken else max(now, taken[-1] + gap)
    leaves: list[datetime | None] = []
    for deadline in deadlines:
        at = next_at
        if len(taken) >= limits.PRIVATE_REPLIES_PER_HOUR:
            at = max(next_at, taken[0] + COUNTS_FOR)
        if at >= deadline:
            leaves.append(None)
            continue
        next_at = at + gap
        leaves.append(at)
        taken.append(at)
        if len(taken) > limits.PRIVATE_REPLIES_PER_HOUR:
            taken.popleft()
    return Outlook(tuple(leaves))


_FETCHED = frozenset({MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.FILE})


def has_media(item: OutboxItem) -> bool:
    """Whether the item counts against the limit for media."""
    media = item.content.media
    fetched = bool(item.content.images) or (media is not None and media.kind in _FETCHED)
    return item.kind is ItemKind.MESSAGE and fetched


class Caution:
    """After several attempts in a row without an answer a connection probes with one item at a time, at growing gaps.

    Forgets with the process: a restart begins as carefully as any start.
    """

    ROW = 3
    _LONGEST = timedelta(minutes=2)

    def __init__(self) -> None:
        self._in_a_row = 0
        self.silent_since: datetime | None = None
        """When the first of those attempts began; None: the last one was answered."""
        self._since: datetime | None = None
        self._probes = 0
        self._next: datetime | None = None

    def next_probe(self) -> datetime | None:
        """When the next single item may leave; None: no caution is needed."""
        return self._next

    def unanswered(self, begun: datetime, now: datetime) -> None:
        """An attempt that began then was not answered, or did not even leave."""
        self._in_a_row += 1
        self.silent_since = self.silent_since or begun
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
        self.silent_since = None


SLOWER_FROM = 80
"""Percent of Meta's usage headers from which on the pace halves, and halves again with every further 5."""


def slower(usage_percent: int | None) -> int:
    """By how much the gaps between calls grow: 1 below 80 %, then 2, 4, 8, 16; 100 % is a rest, not a pace."""
    if usage_percent is None or usage_percent < SLOWER_FROM:
        return 1
    return int(2 ** (min((usage_percent - SLOWER_FROM) // 5, 3) + 1))


HEADERS_HOLD = timedelta(minutes=5)
"""How long a usage header slows down without another one after it."""


def slower_now(factor: int, heard_at: datetime, now: datetime) -> int:
    """What is left of a slower pace: answers without a header must not keep it down for ever, so it doubles again
    with every five minutes since the last header."""
    return max(factor >> max(int((now - heard_at) / HEADERS_HOLD), 0), 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """The last of Meta's usage headers for one kind of message."""

    percent: int
    heard_at: datetime

    def gap(self, quota: Quota, now: datetime) -> timedelta:
        """What must lie between two requests of this kind now; nothing at full pace."""
        factor = slower_now(slower(self.percent), self.heard_at, now)
        return HOUR / PER_HOUR[quota] * factor if factor > 1 else timedelta()


FIRST_REFUSAL = timedelta(minutes=1)
"""The gap after which one message is tried again that a missing permission stopped."""


class Slowdown:
    """Keeps the sends of one kind apart while Meta's usage headers ask for it, and lets them rest.

    Forgets with the process, but for what the next one is told: a rest, after which the first request goes alone, and
    the last usage header.
    """

    _ANSWER_WITHIN = timedelta(seconds=30)
    _LONGEST_REFUSAL = timedelta(minutes=15)

    def __init__(self, rest_until: datetime | None = None, usage: Usage | None = None) -> None:
        """A rest and a header that an earlier process was told of."""
        self._usage = usage
        self._next = rest_until
        self._rests = rest_until is not None
        self._rests_since: datetime | None = None
        self._refusals = 0
        self._refused_at: datetime | None = None

    def heard(
        self, usage_percent: int | None, rest_until: datetime | None, begun: datetime, now: datetime
    ) -> None:
        """An answer to a request that began then: the newest header (none says nothing), and until when this kind is
        to rest, if at all."""
        if usage_percent is not None:
            self._usage = Usage(usage_percent, now)
        if rest_until is not None:
            self._rests, self._rests_since, self._next = True, now, rest_until
        elif self._rests and not self._refusals and (self._rests_since is None or begun >= self._rests_since):
            self._rests, self._next = False, None

    def refused(self, begun: datetime, now: datetime) -> None:
        """Meta does not let this account send this kind, until its owner mends something: one is tried at a time."""
        if self._refused_at is not None and begun < self._refused_at:
            return  # left together with the one that was refused first
        gap = min(FIRST_REFUSAL * 2.0 ** min(self._refusals, 10), self._LONGEST_REFUSAL)
        self._refusals += 1
        self._refused_at, self._rests, self._next = now, True, now + gap

    def accepted(self) -> None:
        """Meta took one."""
        self._refusals, self._refused_at = 0, None

    @property
    def stopped(self) -> bool:
        """Whether the owner has to mend something first, as far as the last attempts tell."""
        return self._refusals > 0

    def left(self, now: datetime, quota: Quota) -> None:
        """A request of this kind left. The first after a rest goes alone."""
        if self._rests:
            self._next = now + self._ANSWER_WITHIN
        else:
            gap = self._gap(quota, now)
            self._next = now + gap if gap else None

    def slow(self, quota: Quota, now: datetime) -> bool:
        """Whether requests leave one by one."""
        return self._rests or bool(self._gap(quota, now))

    def _gap(self, quota: Quota, now: datetime) -> timedelta:
        return timedelta() if self._usage is None else self._usage.gap(quota, now)

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
