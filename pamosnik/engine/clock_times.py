"""When a clock time comes round again, summer time included."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_YEARS_AHEAD = 366 * 5


def next_clock_time(
    at: time, now: datetime, zone: str, days: Collection[int] = (), dates: Collection[date] = ()
) -> datetime:
    """The next instant after `now` when clocks in `zone` show `at`, on one of the weekdays (Monday 0) or dates.

    A time that summer time skips comes an hour later on the clock; one that occurs twice counts the first time.
    """
    local = ZoneInfo(zone)
    day = now.astimezone(local).date()
    for ahead in range(_YEARS_AHEAD):
        candidate = day + timedelta(days=ahead)
        if (days or dates) and candidate.weekday() not in days and candidate not in dates:
            continue
        instant = datetime.combine(candidate, at, tzinfo=local).astimezone(UTC)
        if instant > now:
            return instant
    # All dates lie in the past: the wait is over at once.
    return now
