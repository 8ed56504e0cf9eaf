"""What one performance has come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik.model.event import Verdict
from pamosnik.rehearsal.replay.deeds import Deed
from pamosnik.store.recorded import Who


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an event."""

    verdict: Verdict
    flow: str | None
    reason: str | None

    @property
    def answered(self) -> bool:
        """A flow took it."""
        return self.verdict in (Verdict.STARTED, Verdict.RESUMED)

    @property
    def trigger(self) -> str | None:
        """What started the flow, like `comment “cennik”`; None: an answer or a tap in a run under way."""
        return self.reason if self.verdict is Verdict.STARTED else None


@dataclass(frozen=True, slots=True)
class Tap:
    """What became of a tap on a button of ours."""

    label: str
    payload: str | None
    """Of the button here; None: there is none, and so nobody taps it."""
    instead: str | None = None
    """The label that stands in its place, when the tapped one is gone."""

    @property
    def found(self) -> bool:
        return self.payload is not None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything about one person."""

    deeds: tuple[Deed, ...]
    held: tuple[tuple[str, str], ...]
    """(what, value) of tags, fields, goals, opt-outs at the end."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest hour."""

    count: int
    begins: datetime | None = None


_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PrivateReplies:
    """Of one connection: when each was wanted, and when it left (None: it never did)."""

    times: tuple[tuple[datetime, datetime | None], ...]

    @property
    def wanted(self) -> Peak:
        """How many were wanted within an hour at most; Meta lets only so many leave."""
        return peak([at for at, _ in self.times])

    @property
    def longest_wait(self) -> timedelta:
        return max((left - at for at, left in self.times if left is not None), default=timedelta())


def peak(times: list[datetime]) -> Peak:
    """`times` rise. Of several busiest hours the first."""
    best, start = Peak(0), 0
    for end, at in enumerate(times):
        while times[start] <= at - _HOUR:
            start += 1
        if end - start + 1 > best.count:
            best = Peak(end - start + 1, times[start])
    return best


@dataclass(frozen=True, slots=True, repr=False)
class Played:
    """Its repr shows nobody."""

    verdicts: Mapping[str, Ended]
    """Event of the record → what became of it."""
    taps: Mapping[str, Tap]
    people: Mapping[Who, Story]
    unsent: tuple[tuple[str, str, str, str | None], ...]
    """(connection, kind, status, reason) of messages that have not left."""
    private_replies: Mapping[str, PrivateReplies]
    unknown_posts: int
    """Events under posts that flows may name, and whose links nobody knows."""
