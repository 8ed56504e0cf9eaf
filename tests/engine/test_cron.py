"""Cron expressions as cron reads them."""

from datetime import date, time

import pytest

from pamosnik.model.cron import BadCron, Cron, parse

MONDAY, SUNDAY = date(2026, 11, 30), date(2026, 11, 29)


def _days(cron: Cron, month: int = 11) -> list[int]:
    return [day for day in range(1, 31) if cron.on(date(2026, month, day))]


def test_fields_names_ranges_lists_steps() -> None:
    cron = parse("*/20 9,17-18 * * mon-FRI")
    assert [f"{at:%H:%M}" for at in cron.times] == [
        f"{hour:02}:{minute:02}" for hour in (9, 17, 18) for minute in (0, 20, 40)
    ]
    assert cron.on(MONDAY)
    assert not cron.on(SUNDAY)
    assert parse("5/20 0 * * *").times == (time(0, 5), time(0, 25), time(0, 45))
    assert parse("0 9 * jan,dec *").months == {1, 12}


def test_sunday_is_0_and_7_and_monday_1() -> None:
    for written in ("0 9 * * 0", "0 9 * * 7", "0 9 * * sun", "@weekly", "0 9 * * 6-7"):
        assert parse(written).on(SUNDAY), written
        assert not parse(written).on(MONDAY), written
    assert parse("0 9 * * 1").on(MONDAY)


def test_day_of_month_or_weekday_unless_one_begins_with_a_star() -> None:
    assert _days(parse("0 9 13 * fri")) == [6, 13, 20, 27]
    assert _days(parse("0 9 1,15 * tue")) == [1, 3, 10, 15, 17, 24]
    assert _days(parse("0 9 */10 * *")) == [1, 11, 21]
    assert _days(parse("0 9 */2 * tue")) == [3, 17]


def test_days_that_never_come() -> None:
    assert parse("0 9 31 2 *").never
    assert parse("0 9 31 4,6,9,11 *").never
    assert not parse("0 9 29 2 *").never
    assert not parse("0 9 31 2 mon").never


@pytest.mark.parametrize(
    ("written", "place", "blamed"),
    [
        ("0 9 * *", 0, "five fields, and this has 4"),
        ("0 9 * * * 2027", 10, "has 6"),
        ("60 9 * * *", 0, "`60` is no minute: 0 to 59"),
        ("0 9,25 * * *", 4, "`25` is no hour"),
        ("0 9 0 * *", 4, "`0` is no day of the month"),
        ("0 9 * foo *", 6, "`foo` is no month: 1 to 12, or jan to dec"),
        ("0 9 * * fri-mon", 8, "ends before it begins"),
        ("0 9 * * monday", 8, "`monday` is no weekday: 0 to 7, or sun to sat"),
        ("*/0 9 * * *", 2, "`0` is no step"),
        ("*/90 9 * * *", 2, "`90` is no step"),
        ("0  9 * * 8", 9, "`8` is no weekday"),
        ("@often", 0, "has 1"),
    ],
)
def test_what_is_wrong_and_where(written: str, place: int, blamed: str) -> None:
    with pytest.raises(BadCron) as bad:
        parse(written)
    assert (bad.value.place, blamed in bad.value.message) == (place, True), bad.value.message
