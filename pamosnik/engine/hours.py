"""Whether hours are open at an instant: what counts is what the clocks show, summer time included.

Hours that begin or end within the hour that clocks skip begin or end when they have skipped it. Where clocks show a
time twice, hours begin and end the first time, so that nothing opens twice in one night.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pamosnik.model.hours import Hours, Span


def is_open(hours: Hours, now: datetime, zone: str) -> bool:
    """`zone`: of those hours that name none."""
    return any(_within(span, now, ZoneInfo(span.zone or zone)) for span in hours)


def _within(span: Span, now: datetime, zone: ZoneInfo) -> bool:
    today = now.astimezone(zone).date()
    # Those of yesterday may run past midnight.
    return any(
        span.begins_on(day)
        and _has_come(now, day, span.from_, zone)
        and not _has_come(now, _last_day(span, day), span.to, zone)
        for day in (today - timedelta(days=1), today)
    )


def _last_day(span: Span, day: date) -> date:
    return day if span.from_ < span.to else day + timedelta(days=1)


def _has_come(now: datetime, day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether clocks in this zone show, or have shown, this time."""
    first = datetime.combine(day, at, tzinfo=zone)
    shown = now.astimezone(zone).replace(tzinfo=None)
    # The first by the clock on the wall: a time that is skipped has come once clocks are beyond it.
    return shown >= datetime.combine(day, at) or now.timestamp() >= first.timestamp()
