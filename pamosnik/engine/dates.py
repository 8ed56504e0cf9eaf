"""Dates as people write them: 24.12., Dec 24, tomorrow, next Friday; in English, German, Polish and Spanish."""

import re
from datetime import date, timedelta

from pamosnik.model.words import fold

_MONTHS = (
    "january jan januar styczen stycznia sty enero ene",
    "february feb februar luty lutego lut febrero",
    "march mar marz marzo marzec marca",
    "april apr kwiecien kwietnia kwi abril abr",
    "may mai maj maja mayo",
    "june jun juni czerwiec czerwca cze junio",
    "july jul juli lipiec lipca lip julio",
    "august aug sierpien sierpnia sie agosto ago",
    "september sep sept wrzesien wrzesnia wrz septiembre",
    "october oct oktober okt pazdziernik pazdziernika paz octubre",
    "november nov listopad listopada lis noviembre",
    "december dec dezember dez grudzien grudnia gru diciembre dic",
)
_WEEKDAYS = (
    "monday mon montag poniedzialek pon lunes",
    "tuesday tue tues dienstag wtorek martes",
    "wednesday wed mittwoch sroda srode miercoles",
    "thursday thu thurs donnerstag czwartek jueves",
    "friday fri freitag piatek viernes",
    "saturday sat samstag sonnabend sobota sobote sabado",
    "sunday sun sonntag niedziela niedziele domingo",
)
_NEAR = {
    0: "today heute dzisiaj dzis dzisia hoy",
    1: "tomorrow morgen jutro manana",
    2: "ubermorgen pojutrze",
}
_IN_TWO_DAYS = ("day after tomorrow", "pasado manana")

_MONTH_BY_NAME = {name: n for n, names in enumerate(_MONTHS, 1) for name in names.split()}
_WEEKDAY_BY_NAME = {name: n for n, names in enumerate(_WEEKDAYS) for name in names.split()}
_NEAR_BY_NAME = {name: n for n, names in _NEAR.items() for name in names.split()}

_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMBERS = re.compile(
    r"(?<![\d.])(\d{1,2})\s?([./-])\s?(\d{1,2})(?:\s?[./-]\s?(\d{4})|[./-](\d{2})(?![\d:]))?(?!\d)"
)
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\.?\s*(?:of |de )?([^\W\d_]+)(?:\s*,?\s*(?:de )?(\d{4}))?"
)
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.?\s*(\d{1,2})(?:st|nd|rd|th)?(?:\s*,?\s+(\d{4}))?(?![\d:])")


def find_date(text: str, *, today: date, month_first: bool) -> date | None:
    """The date a text names; without a year the next one from `today` on. None when it names none that exists."""
    said = fold(text)
    return (
        _iso(said)
        or _numbers(said, today, month_first=month_first)
        or _with_month(said, today)
        or _near(said, today)
    )


def _iso(said: str) -> date | None:
    found = _ISO.search(said)
    return None if found is None else _real(int(found[1]), int(found[2]), int(found[3]))


def _numbers(said: str, today: date, *, month_first: bool) -> date | None:
    found = _NUMBERS.search(said)
    if found is None:
        return None
    first, second = int(found[1]), int(found[3])
    # A dot is a German or Polish habit and puts the day first, whatever the language.
    swap = first <= 12 and (second > 12 or (month_first and found[2] == "/"))
    day, month = (second, first) if swap else (first, second)
    return _with_year(day, month, found[4] or found[5], today)


def _with_month(said: str, today: date) -> date | None:
    for pattern, day_group, month_group in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        for found in pattern.finditer(said):
            month = _MONTH_BY_NAME.get(found[month_group])
            if month is not None:
                return _with_year(int(found[day_group]), month, found[3], today)
    return None


def _with_year(day: int, month: int, year: str | None, today: date) -> date | None:
    if year is not None:
        return _real(int(year) + (2000 if len(year) == 2 else 0), month, day)
    # A leap day may be eight years away.
    for ahead in range(9):
        found = _real(today.year + ahead, month, day)
        if found is not None and found >= today:
            return found
    return None


def _near(said: str, today: date) -> date | None:
    if any(phrase in said for phrase in _IN_TWO_DAYS):
        return today + timedelta(days=2)
    for word in re.findall(r"[^\W\d_]+", said):
        if word in _NEAR_BY_NAME:
            return today + timedelta(days=_NEAR_BY_NAME[word])
        if word in _WEEKDAY_BY_NAME:
            return today + timedelta(days=(_WEEKDAY_BY_NAME[word] - today.weekday() - 1) % 7 + 1)
    return None


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
