"""When broadcasts begin: every day, on some days, once, by cron; summer time included."""

from datetime import UTC, date, datetime, time
from itertools import islice

from pamosnik.engine.schedule_times import due_at, latest_time, next_time, times
from pamosnik.model import cron
from pamosnik.model.trigger import ScheduleTrigger

WARSAW = "Europe/Warsaw"
DAILY = ScheduleTrigger(at=time(9))


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def _next(trigger: ScheduleTrigger, after: str, n: int = 1, zone: str = WARSAW) -> list[str]:
    return [f"{instant:%m-%d %H:%M}" for instant in islice(times(trigger, _at(after), zone), n)]


def test_every_day_some_days_dates_once() -> None:
    assert _next(DAILY, "2026-12-02 08:00", 2) == ["12-03 08:00", "12-04 08:00"]
    assert _next(ScheduleTrigger(at=time(9), days=(5, 6)), "2026-12-02 08:00", 2) == [
        "12-05 08:00",
        "12-06 08:00",
    ]
    dates = ScheduleTrigger(at=time(9), dates=(date(2026, 12, 24), date(2026, 12, 31)))
    assert _next(dates, "2026-12-24 08:00", 3) == ["12-31 08:00"]
    once = ScheduleTrigger(once=datetime(2026, 12, 24, 9))  # noqa: DTZ001 - of the trigger's zone
    assert _next(once, "2026-12-02 08:00", 3) == ["12-24 08:00"]
    assert _next(once, "2026-12-24 08:00") == []
    assert _next(ScheduleTrigger(at=time(9), zone="Asia/Tokyo"), "2026-12-02 08:00") == ["12-03 00:00"]


def test_in_spring_the_skipped_hour_comes_an_hour_later_on_the_clock() -> None:
    # 28 March 2027: 02:00 becomes 03:00 in Warsaw.
    assert _next(ScheduleTrigger(at=time(2, 30)), "2027-03-27 02:00", 2) == ["03-28 01:30", "03-29 00:30"]
    half_hours = ScheduleTrigger(cron=cron.parse("*/30 * * * *"))
    assert _next(half_hours, "2027-03-28 00:00", 4) == [
        "03-28 00:30",
        "03-28 01:00",
        "03-28 01:30",
        "03-28 02:00",
    ]


def test_in_autumn_the_doubled_hour_counts_once() -> None:
    # 25 October 2026: 03:00 becomes 02:00 in Warsaw.
    assert _next(ScheduleTrigger(at=time(2, 30)), "2026-10-24 12:00", 2) == ["10-25 00:30", "10-26 01:30"]
    assert _next(ScheduleTrigger(cron=cron.parse("30 2 * * *")), "2026-10-24 12:00", 2) == [
        "10-25 00:30",
        "10-26 01:30",
    ]
    # Asked in the second of the two hours.
    assert _next(ScheduleTrigger(at=time(2, 30)), "2026-10-25 01:10", 1) == ["10-26 01:30"]


def test_several_schedules_of_one_flow() -> None:
    noon = ScheduleTrigger(at=time(12))
    both = (noon, DAILY, ScheduleTrigger(cron=cron.parse("0 12 * * *")))
    assert next_time(both, _at("2026-12-02 07:00"), WARSAW) == _at("2026-12-02 08:00")
    assert due_at(both, _at("2026-12-02 11:00"), WARSAW) == [0, 2]
    assert latest_time(both, _at("2026-12-02 07:59"), _at("2026-12-02 11:00"), WARSAW) == _at(
        "2026-12-02 11:00"
    )
    assert latest_time(both, _at("2026-12-02 11:00"), _at("2026-12-02 12:00"), WARSAW) is None
    assert next_time((), _at("2026-12-02 07:00"), WARSAW) is None
