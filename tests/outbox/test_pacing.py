"""Never faster than Meta's limits, and slower after every failure."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.model.outbox import ItemKind, MediaKind, OutMedia, OutMessage, Quota
from pamosnik.outbox.pacing import (
    COUNTS_FOR,
    Caution,
    PerSecond,
    Slowdown,
    Usage,
    backoff,
    has_media,
    hourly_room,
    outlook,
    slower,
)
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
    assert has_media(
        replace(item(), content=OutMessage(media=OutMedia(MediaKind.AUDIO, "https://x.example/a")))
    )
    assert not has_media(replace(item(), content=OutMessage(media=OutMedia(MediaKind.HEART))))
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


@pytest.mark.parametrize(
    ("percent", "factor"),
    [(None, 1), (79, 1), (80, 2), (84, 2), (85, 4), (90, 8), (95, 16), (99, 16), (120, 16)],
)
def test_the_pace_halves_with_every_five_percent(percent: int | None, factor: int) -> None:
    assert slower(percent) == factor


def test_the_rest_that_an_earlier_process_was_told_of_ends_with_one_request() -> None:
    """Each restart began with a burst, whatever Meta had said before."""
    assert (Slowdown().free_at(NOW), Slowdown().slow(Quota.PRIVATE_REPLY, NOW)) == (NOW, False)
    told = NOW + timedelta(minutes=20)
    pace = Slowdown(told)
    assert (pace.free_at(NOW), pace.slow(Quota.PRIVATE_REPLY, NOW)) == (told, True)
    pace.left(told, Quota.PRIVATE_REPLY)
    assert pace.free_at(told) > told
    pace.heard(None, None, told, told)
    assert (pace.free_at(told), pace.slow(Quota.PRIVATE_REPLY, told)) == (told, False)


def test_usage_headers_keep_sends_apart() -> None:
    pace = Slowdown()
    pace.left(NOW, Quota.PRIVATE_REPLY)
    assert pace.free_at(NOW) == NOW, "no header, no pause"
    pace.heard(90, None, NOW, NOW)
    pace.heard(None, None, NOW, NOW)
    pace.left(NOW, Quota.PRIVATE_REPLY)
    assert pace.free_at(NOW) == NOW + 8 * timedelta(hours=1) / 750
    pace.heard(20, None, NOW, NOW)
    pace.left(NOW, Quota.PRIVATE_REPLY)
    assert pace.free_at(NOW) == NOW


def test_headers_that_come_no_more_are_forgotten_step_by_step() -> None:
    """97 % heard once held one private reply a minute for ever."""
    pace = Slowdown()
    pace.heard(97, None, NOW, NOW)
    gaps = []
    for minutes in (0, 6, 11, 16, 21):
        now = NOW + timedelta(minutes=minutes)
        pace.left(now, Quota.PRIVATE_REPLY)
        gaps.append((pace.free_at(now) - now) / (timedelta(hours=1) / 750))
    assert gaps == [16, 8, 4, 2, 0]


def test_a_restart_keeps_the_pace_that_headers_asked_for() -> None:
    pace = Slowdown(usage=Usage(90, NOW - timedelta(minutes=6)))
    pace.left(NOW, Quota.PRIVATE_REPLY)
    assert pace.free_at(NOW) == NOW + 4 * timedelta(hours=1) / 750


def test_the_outlook_knows_the_slower_pace() -> None:
    """The queue promised that all would leave at once while headers of 90 % held them half a minute apart."""
    gap = Usage(90, NOW).gap(Quota.PRIVATE_REPLY, NOW)
    week = NOW + timedelta(days=7)
    found = outlook([week] * 100, [], NOW, gap=gap)
    assert found.leaves == tuple(NOW + gap * number for number in range(100))
    assert outlook([week], [NOW - gap / 2], NOW, gap=gap).leaves == (NOW + gap / 2,)
    assert outlook([NOW + gap * 10] * 20, [], NOW, gap=gap).too_late == 10


def test_a_kind_that_rests_probes_with_one() -> None:
    pace, until = Slowdown(), NOW + timedelta(minutes=5)
    pace.heard(100, until, NOW, NOW)
    assert (pace.free_at(NOW), pace.slow(Quota.PRIVATE_REPLY, NOW)) == (until, True)
    pace.heard(None, None, NOW - timedelta(seconds=1), NOW)
    assert pace.free_at(NOW) == until, "what was under way already says nothing"
    pace.left(until, Quota.PRIVATE_REPLY)
    assert pace.free_at(until) > until, "nothing beside the probe"
    pace.heard(10, None, until, until)
    assert (pace.free_at(until), pace.slow(Quota.PRIVATE_REPLY, until)) == (until, False)


def test_after_a_rest_one_item_goes_alone() -> None:
    caution = Caution()
    assert caution.next_probe() is None
    caution.probe(NOW)
    assert caution.next_probe() == NOW
    caution.certain()
    assert caution.next_probe() is None


def test_the_outlook_of_a_viral_hour() -> None:
    """20,000 comments: 750 leave at once, the rest at 750 an hour, and nothing expires that could be sent."""
    week = NOW + timedelta(days=7)
    found = outlook([week] * 20_000, [], NOW)
    assert found.too_late == 0
    assert found.last_at == NOW + 26 * COUNTS_FOR
    assert outlook([week] * 130_000, [], NOW).too_late == 130_000 - 750 * 168


def test_the_outlook_after_a_full_hour_waits_for_the_earliest() -> None:
    sent = [NOW - timedelta(minutes=30)] * 750
    assert outlook([NOW + timedelta(days=7)], sent, NOW).last_at == NOW - timedelta(minutes=30) + COUNTS_FOR
    assert outlook([NOW + timedelta(minutes=20)], sent, NOW).too_late == 1
    assert outlook([], sent, NOW).last_at is None
