"""Clock times: when one comes round again, summer time included, and how an instant reads on somebody's clock."""

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


def on_the_clock(moment: datetime, zone: str) -> str:
    """An instant for people: 2026-12-03 09:00 (Europe/Warsaw)."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
