"""Dates as people write them, in four languages."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.dates import find_date

# A Wednesday.
_TODAY = date(2026, 12, 2)


def _found(text: str, *, month_first: bool = False) -> str | None:
    found = find_date(text, today=_TODAY, month_first=month_first)
    return None if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24", "2026-12-24"),
        ("on 2027-1-5 please", "2027-01-05"),
        ("24.12.", "2026-12-24"),
        ("24.12", "2026-12-24"),
        ("24. 12. 2027", "2027-12-24"),
        ("24.12.27", "2027-12-24"),
        ("1.12.", "2027-12-01"),
        ("2.12.", "2026-12-02"),
        ("24-12", "2026-12-24"),
        ("29.2.", "2028-02-29"),
        ("24 December", "2026-12-24"),
        ("Dec 24th", "2026-12-24"),
        ("the 3rd of January 2027", "2027-01-03"),
        ("December 24, 2027", "2027-12-24"),
        ("24. Dezember", "2026-12-24"),
        ("3. März", "2027-03-03"),
        ("24 grudnia", "2026-12-24"),
        ("5 października", "2027-10-05"),
        ("24 de diciembre de 2027", "2027-12-24"),
        ("today", "2026-12-02"),
        ("Heute!", "2026-12-02"),
        ("dziś", "2026-12-02"),
        ("tomorrow at 5", "2026-12-03"),
        ("jutro", "2026-12-03"),
        ("mañana", "2026-12-03"),
        ("the day after tomorrow", "2026-12-04"),
        ("übermorgen", "2026-12-04"),
        ("pojutrze", "2026-12-04"),
        ("pasado mañana", "2026-12-04"),
        ("next Friday", "2026-12-04"),
        ("Wednesday", "2026-12-09"),
        ("w sobotę", "2026-12-05"),
        ("piątek", "2026-12-04"),
        ("Sonntag", "2026-12-06"),
        ("miércoles", "2026-12-09"),
    ],
)
def test_found(text: str, expected: str) -> None:
    assert _found(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "31.2.", "2026-02-30", "99.99.", "at 5", "💌"])
def test_not_a_date(text: str) -> None:
    assert _found(text) is None


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("1/3", "2027-03-01", "2027-01-03"),
        ("3.1.", "2027-01-03", "2027-01-03"),
        ("12/24", "2026-12-24", "2026-12-24"),
        ("24/12", "2026-12-24", "2026-12-24"),
    ],
)
def test_which_number_is_the_month(text: str, day_first: str, month_first: str) -> None:
    assert _found(text) == day_first
    assert _found(text, month_first=True) == month_first


@settings(deadline=None)
@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)), st.integers(0, 365))
def test_without_a_year_it_is_the_next_one(today: date, ahead: int) -> None:
    day = today + timedelta(days=ahead)
    found = find_date(f"{day.day}.{day.month}.", today=today, month_first=False)
    assert found is not None
    assert (found.day, found.month) == (day.day, day.month)
    assert found >= today


@settings(deadline=None)
@given(st.dates(min_value=date(2000, 1, 1)))
def test_what_is_written_with_a_year_is_read_back(day: date) -> None:
    for written in (day.isoformat(), f"{day.day}.{day.month}.{day.year:04}"):
        assert find_date(written, today=_TODAY, month_first=True) == day


@settings(deadline=None)
@given(st.text(max_size=60), st.booleans())
def test_any_text_is_a_date_or_not(text: str, month_first: bool) -> None:
    found = find_date(text, today=_TODAY, month_first=month_first)
    assert found is None or isinstance(found, date)


def test_a_clock_time_after_a_date_is_no_year() -> None:
    assert find_date("24.12. 18:00", today=date(2026, 12, 2), month_first=False) == date(2026, 12, 24)
