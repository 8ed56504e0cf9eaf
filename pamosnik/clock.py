"""Time is an argument. Loops read a clock once per turn and hand `now` down."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

CLOCKS_AGREE = timedelta(minutes=1)
"""Within so much two clocks say the same: an answer takes its time, and names whole seconds."""
_FOLLOWED_S = 1.0


def local_minute(moment: datetime, timezone: str) -> str:
    """For people: `2026-11-25 01:30` on the clocks of that time zone."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


def ago(passed: timedelta) -> str:
    """How long ago something was, roughly: for people."""
    minutes = int(passed.total_seconds()) // 60
    count, unit = minutes, "minute"
    if minutes >= 2 * 24 * 60:
        count, unit = minutes // (24 * 60), "day"
    elif minutes >= 2 * 60:
        count, unit = minutes // 60, "hour"
    return "just now" if minutes < 1 else f"{count} {unit}{'' if count == 1 else 's'} ago"


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def _since_boot() -> float:
    """Seconds that never jump, sleep included where the machine can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SteadyClock:
    """The machine's clock without its jumps, set right by the time that Instagram's answers name.

    An empty battery, a restored snapshot or somebody's hand can put a machine's clock wrong by days, and the first
    connection to a time server puts it right again: each is a jump. Time goes on here as the monotonic clock
    says; only small corrections are followed. A jump counts once Instagram's time agrees with it.
    """

    def __init__(
        self, machine: Callable[[], float] = time.time, steady: Callable[[], float] = _since_boot
    ) -> None:
        """`machine`: seconds since 1970 that may jump; `steady`: seconds since whenever that do not."""
        self._machine = machine
        self._steady = steady
        self._since_1970 = machine() - steady()
        self.confirmed = False
        """Whether Instagram has answered once. Until then a wrong clock looks like a right one."""

    def now(self) -> datetime:
        jump = self._machine() - self._steady() - self._since_1970
        if abs(jump) <= _FOLLOWED_S:
            self._since_1970 += jump
        return datetime.fromtimestamp(self._steady() + self._since_1970, UTC)

    def machine_ahead(self) -> timedelta:
        """How far the machine's clock is ahead of this one; negative: behind."""
        return timedelta(seconds=self._machine() - self._steady() - self._since_1970)

    def answered(self, at: datetime | None) -> None:
        """Instagram has answered, and named this time; None: it named none."""
        self.confirmed = True
        if at is None:
            return
        if abs(datetime.fromtimestamp(self._machine(), UTC) - at) <= CLOCKS_AGREE:
            self._since_1970 = self._machine() - self._steady()
        elif abs(self.now() - at) > CLOCKS_AGREE:
            self._since_1970 = at.timestamp() - self._steady()


class VirtualClock:
    """A clock that stands still until it is moved: flow tests, `chat`, and our own tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Moves forward to `instant`; a clock never goes back."""
        self._now = max(self._now, instant.astimezone(UTC))
