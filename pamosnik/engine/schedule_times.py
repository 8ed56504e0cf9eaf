"""When the broadcasts of a flow are to begin, summer time included."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from pamosnik.model.trigger import ScheduleTrigger

_DAYS_AHEAD = 366 * 9
"""A 29 February is at most eight years away."""
_DAY = timedelta(days=1)


def times(trigger: ScheduleTrigger, after: datetime, zone: str) -> Iterator[datetime]:
    """Its instants after that one, in order. `zone`: of triggers that name none.

    A clock time that summer time skips comes an hour later on the clock; one that occurs twice counts the first time.
    """
    local = ZoneInfo(trigger.zone or zone)
    first = after.astimezone(local).date() - _DAY
    before = after
    for ahead in range(_DAYS_AHEAD):
        day = first + ahead * _DAY
        for instant in sorted({_instant(day, clock, local) for clock in _clock_times(trigger, day)}):
            if instant > before:
                yield instant
                before = instant


def next_time(triggers: Sequence[ScheduleTrigger], after: datetime, zone: str) -> datetime | None:
    """The first of any of them; None when nothing comes any more."""
    firsts = (next(times(trigger, after, zone), None) for trigger in triggers)
    return min((first for first in firsts if first is not None), default=None)


def latest_time(
    triggers: Sequence[ScheduleTrigger], after: datetime, until: datetime, zone: str
) -> datetime | None:
    """The last of any of them after the one and until the other, that one included."""
    found: list[datetime] = []
    for trigger in triggers:
        found += takewhile(lambda instant: instant <= until, times(trigger, after, zone))
    return max(found, default=None)


def due_at(triggers: Sequence[ScheduleTrigger], instant: datetime, zone: str) -> list[int]:
    """Which of them begin at this instant, by their number."""
    just_before = instant - timedelta(milliseconds=1)
    return [
        n for n, trigger in enumerate(triggers) if next(times(trigger, just_before, zone), None) == instant
    ]


def _clock_times(trigger: ScheduleTrigger, day: date) -> Sequence[time]:
    if trigger.cron is not None:
        return trigger.cron.times if trigger.cron.on(day) else ()
    if trigger.once is not None:
        return (trigger.once.time(),) if trigger.once.date() == day else ()
    every_day = not trigger.days and not trigger.dates
    wanted = every_day or day.weekday() in trigger.days or day in trigger.dates
    return (trigger.at,) if wanted and trigger.at is not None else ()


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
