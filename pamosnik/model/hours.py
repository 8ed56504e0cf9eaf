"""Opening hours by name."""

from dataclasses import dataclass
from datetime import date, time


@dataclass(frozen=True, slots=True)
class Span:
    """Some hours on some days. Hours past midnight belong to the day on which they begin."""

    weekdays: frozenset[int] = frozenset()
    """Monday is 0."""
    dates: frozenset[date] = frozenset()
    """Neither weekdays nor dates: every day."""
    from_: time = time()
    to: time = time()
    """Not after `from_`: on the next day. Midnight to midnight is the whole day."""
    zone: str | None = None
    """IANA name; None: the flow file's, or the account's."""

    def begins_on(self, day: date) -> bool:
        """Whether its hours begin on this day."""
        every_day = not self.weekdays and not self.dates
        return every_day or day.weekday() in self.weekdays or day in self.dates


Hours = tuple[Span, ...]
"""Open while one of them is."""
