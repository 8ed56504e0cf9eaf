"""The busiest hour, and what Meta's 750 an hour make of it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pamosnik.instagram import limits
from pamosnik.outbox.pacing import COUNTS_FOR, HOUR
from pamosnik.outbox.peaks import busiest_hour, jam

NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)
SECONDS = st.lists(st.integers(0, 3 * 3600), max_size=60).map(sorted)


def _at(seconds: list[int]) -> list[datetime]:
    return [NOON + timedelta(seconds=one) for one in seconds]


@given(SECONDS)
def test_no_hour_has_more_than_the_busiest_one(seconds: list[int]) -> None:
    instants = _at(seconds)
    found = busiest_hour(instants)
    counts = [sum(begin <= one < begin + HOUR for one in instants) for begin in instants]
    assert (0 if found is None else found.count) == max(counts, default=0)
    if found is not None:
        assert found.begins_at == instants[counts.index(found.count)]


def test_nobody_waits_where_the_hour_has_room() -> None:
    told = jam(_at(list(range(limits.PRIVATE_REPLIES_PER_HOUR))))
    assert (told.longest_wait, told.too_late) == (timedelta(), 0)


def test_who_is_too_many_waits_until_the_hour_has_room_again() -> None:
    told = jam([NOON] * (limits.PRIVATE_REPLIES_PER_HOUR + 1))
    assert (told.longest_wait, told.too_late) == (COUNTS_FOR, 0)
    told = jam([NOON] * limits.PRIVATE_REPLIES_PER_HOUR * 3)
    assert told.longest_wait == 2 * COUNTS_FOR


def test_more_than_seven_days_can_take_are_too_late() -> None:
    hours = limits.PRIVATE_REPLY_WITHIN // COUNTS_FOR + 1
    told = jam([NOON] * (limits.PRIVATE_REPLIES_PER_HOUR * hours + 5))
    assert told.too_late == 5
    assert told.longest_wait < limits.PRIVATE_REPLY_WITHIN
