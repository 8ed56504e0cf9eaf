"""Never faster than Meta's limits, and slower after every failure."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.model.outbox import ItemKind, OutMessage
from pamosnik.outbox.pacing import PerSecond, backoff, has_media, hourly_room
from tests.outbox.items import NOW, item


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (11, 900), (10_000, 900)]
)
def test_gaps_double_up_to_a_quarter_of_an_hour(attempts: int, seconds: int) -> None:
    gap = backoff(attempts, "i1").total_seconds()
    assert seconds <= gap <= seconds * 1.25


def test_gaps_differ_between_items_and_repeat_for_the_same() -> None:
    gaps = {backoff(5, f"i{number}") for number in range(50)}
    assert len(gaps) > 40
    assert backoff(5, "i1") == backoff(5, "i1")


@pytest.mark.parametrize(("sent", "room"), [(0, 750), (749, 1), (750, 0), (800, 0)])
def test_private_replies_in_an_hour(sent: int, room: int) -> None:
    assert hourly_room(sent) == room


def test_what_counts_as_media() -> None:
    pictures = OutMessage(images=("https://shop.example/a.png",))
    assert has_media(replace(item(), content=pictures))
    assert not has_media(item())
    assert not has_media(replace(item(ItemKind.COMMENT_REPLY), content=pictures))


def test_room_comes_back_after_a_second() -> None:
    pace = PerSecond(2)
    assert (pace.room(NOW), pace.free_at(NOW)) == (1, NOW)
    for milliseconds in (0, 400):
        pace.take(NOW + timedelta(milliseconds=milliseconds))
    later = NOW + timedelta(milliseconds=999)
    assert (pace.room(later), pace.free_at(later)) == (0, NOW + timedelta(seconds=1))
    assert pace.room(NOW + timedelta(seconds=1)) == 1
    assert pace.room(NOW + timedelta(milliseconds=1400)) == 1


def test_a_tenth_at_once() -> None:
    """Two hundred messages reached Meta within one second: two bursts, each within the limit."""
    pace = PerSecond(100)
    assert pace.room(NOW) == 10
    for _ in range(10):
        pace.take(NOW)
    assert (pace.room(NOW), pace.free_at(NOW)) == (0, NOW + timedelta(milliseconds=100))
    assert pace.room(NOW + timedelta(milliseconds=100)) == 10


@settings(deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(0, 400), max_size=60))
def test_no_second_has_more_than_its_limit(limit: int, gaps: list[int]) -> None:
    pace, now, taken = PerSecond(limit), NOW, []
    for gap in gaps:
        now = max(now + timedelta(milliseconds=gap), pace.free_at(now))
        pace.take(now)
        taken.append(now)
    for number, instant in enumerate(taken[limit:]):
        assert instant - taken[number] >= timedelta(seconds=1)
