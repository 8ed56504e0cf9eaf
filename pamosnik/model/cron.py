"""Cron expressions, as cron understands them: five fields, names, lists, ranges, steps; Sunday is 0 and 7.

When day of the month and weekday are both given, either is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class BadCron(ValueError):
    """No cron expression. `place`: of the first character that is to blame."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    """Words for `first` and what follows."""


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """On which days, and at which clock times of such a day."""

    written: str
    times: tuple[time, ...]
    days: frozenset[int]
    """Of the month."""
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either: bool
    """Day and weekday are both named, neither with a star: one of them is enough."""

    def on(self, day: date) -> bool:
        fits = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return day.month in self.months and (any(fits) if self.either else all(fits))

    @property
    def never(self) -> bool:
        """Only days that no month has, like 31 February."""
        return not self.either and all(min(self.days) > _DAYS_OF_MONTH[month - 1] for month in self.months)


def parse(written: str) -> Cron:
    """Raises `BadCron`."""
    words = _NICKNAMES.get(written.strip().lower(), written)
    places, at = [], 0
    for word in words.split():
        at = words.index(word, at)
        places.append((word, at))
        at += len(word)
    if len(places) != len(_FIELDS):
        message = f"a cron expression has five fields, and this has {len(places)}"
        raise BadCron(message, places[len(_FIELDS)][1] if len(places) > len(_FIELDS) else 0)
    minutes, hours, days, months, weekdays = (
        _values(field, word, place) for field, (word, place) in zip(_FIELDS, places, strict=True)
    )
    return Cron(
        written=" ".join(words.split()),
        times=tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)),
        days=days,
        months=months,
        weekdays=weekdays,
        either=not any(places[number][0].startswith("*") for number in (2, 4)),
    )


def _values(field: _Field, word: str, place: int) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        found.update(_part(field, part, place))
        place += len(part) + 1
    return frozenset(value % 7 for value in found) if field.names is _WEEKDAYS else frozenset(found)


def _part(field: _Field, part: str, place: int) -> Sequence[int]:
    body, slash, step = part.partition("/")
    if slash and not (_is_number(step) and 0 < int(step) <= field.last):
        raise BadCron(f"`{step}` is no step for the {field.name}: 1 to {field.last}", place + len(body) + 1)
    if body == "*":
        last = 6 if field.names is _WEEKDAYS else field.last
        return range(field.first, last + 1, int(step or 1))
    low, dash, high = body.partition("-")
    first = _value(field, low, place)
    if dash:
        last = _value(field, high, place + len(low) + 1)
        if last < first:
            raise BadCron(f"`{body}` ends before it begins", place)
    else:
        last = field.last if slash else first
    return range(first, last + 1, int(step or 1))


def _value(field: _Field, word: str, place: int) -> int:
    if word.lower() in field.names:
        return field.names.index(word.lower()) + field.first
    if _is_number(word) and field.first <= int(word) <= field.last:
        return int(word)
    also = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
    raise BadCron(f"`{word}` is no {field.name}: {field.first} to {field.last}{also}", place)


def _is_number(word: str) -> bool:
    """One that Python takes, too: it refuses thousands of digits."""
    return word.isascii() and word.isdecimal() and len(word) < 10
