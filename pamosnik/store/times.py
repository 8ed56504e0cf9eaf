"""Instants in the database are UTC milliseconds since 1970; in the program they are aware datetimes."""

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@overload
def ms(instant: datetime) -> int: ...
@overload
def ms(instant: None) -> None: ...
def ms(instant: datetime | None) -> int | None:
    """For a column. Whole milliseconds, rounded down."""
    return None if instant is None else (instant - _EPOCH) // _MILLISECOND


def instant(value: int) -> datetime:
    """From a column."""
    return _EPOCH + timedelta(milliseconds=value)


def optional_instant(value: int | None) -> datetime | None:
    """From a column that may be NULL."""
    return None if value is None else instant(value)
