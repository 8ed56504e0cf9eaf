"""What counts as evidence that a message arrived, or did not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.model.outbox import ItemKind, MediaKind, OutCard, OutMedia, OutMessage
from pamosnik.outbox.settling import (
    LOOKS,
    Arrived,
    Evidence,
    NoEvidence,
    NotThere,
    Seen,
    View,
    absence_proven,
    judge,
    look_alike,
    next_look,
    private_reply_again,
    same_content,
)
from tests.outbox.items import NOW, item

_EARLIER = NOW - timedelta(minutes=10)
_OURS = Seen("m2", True, NOW, "Hi")
_THEIRS = Seen("m1", False, _EARLIER, "price?")


def _judge(*seen: Seen, known: Mapping[str, datetime] | None = None, twins: int = 0) -> Evidence:
    known = {"m1": _EARLIER} if known is None else known
    return judge(item(), View(seen), attempted_at=NOW, known=known, twins=twins)


@pytest.mark.parametrize(
    ("seen", "evidence"),
    [
        ((_OURS, _THEIRS), Arrived("m2")),
        ((replace(_OURS, text="  hi "), _THEIRS), Arrived("m2")),
        ((replace(_OURS, from_business=False), _THEIRS), NotThere()),
        # Nobody knows this one: it may be the owner's, or ours with a text that Meta tells otherwise.
        ((replace(_OURS, text="Something else"), _THEIRS), NoEvidence()),
        ((replace(_OURS, at=NOW - timedelta(hours=1)), _THEIRS), NotThere()),
        ((_THEIRS,), NotThere()),
        ((), NoEvidence()),
        ((Seen("x", False, NOW, "unknown to us"),), NoEvidence()),
    ],
)
def test_one_look(seen: tuple[Seen, ...], evidence: Evidence) -> None:
    assert _judge(*seen) == evidence


def test_a_message_that_is_known_already_proves_nothing_about_another() -> None:
    known = {"m1": _EARLIER, "m2": NOW}
    assert _judge(_OURS, _THEIRS, known=known) == NotThere()


def test_twins_need_as_many_messages() -> None:
    assert _judge(_OURS, _THEIRS, twins=1) == NoEvidence()
    assert _judge(replace(_OURS, id="m3"), _OURS, _THEIRS, twins=1) == Arrived("m3")


def test_an_empty_list_of_replies_under_a_readable_comment_is_the_whole_view() -> None:
    view = View((), whole=True)
    assert judge(item(), view, attempted_at=NOW, known={}, twins=0) == NotThere()


def test_absence_takes_two_looks_and_half_a_minute() -> None:
    first = NOW + timedelta(seconds=30)
    assert not absence_proven(NOW, None, first)
    assert not absence_proven(NOW, first, first + timedelta(seconds=24))
    assert absence_proven(NOW, first, first + timedelta(seconds=25))
    assert not absence_proven(NOW, NOW - timedelta(minutes=5), NOW + timedelta(seconds=29))


def test_looks_grow_apart_and_end() -> None:
    assert [next_look(n, NOW, NOW) for n in range(6)] == [*(NOW + gap for gap in LOOKS), None]
    late = NOW + timedelta(days=1)
    assert next_look(1, NOW, late) == late, "after a night the next look is now"


def test_only_private_replies_are_repeated_without_evidence_and_ever_later() -> None:
    private = replace(item(ItemKind.PRIVATE_REPLY), attempts=1)
    assert not private_reply_again(private, NOW, NOW + timedelta(seconds=29))
    assert private_reply_again(private, NOW, NOW + timedelta(seconds=30))
    assert not private_reply_again(replace(private, attempts=2), NOW, NOW + timedelta(seconds=119))
    assert not private_reply_again(item(), NOW, NOW + timedelta(days=1))


def test_buttons_may_show_as_a_title_or_spelled_out() -> None:
    content = OutMessage("Pick one", spelled_out="Pick one\nReply: Red / Blue")
    assert same_content(content, "Pick one", types=set())
    assert same_content(content, "Pick one\nReply: Red / Blue", types=set())
    assert not same_content(content, "", types={"image"})
    assert same_content(OutMessage(images=("https://x.example/a.png",)), None, types={"image"})


@given(
    st.lists(
        st.builds(
            Seen,
            id=st.sampled_from(["m1", "m2", "m3", "m4"]),
            from_business=st.booleans(),
            at=st.sampled_from([None, _EARLIER, NOW, NOW + timedelta(minutes=1)]),
            text=st.sampled_from([None, "Hi", "hi!", "Hello"]),
        ),
        max_size=6,
    ),
    st.integers(0, 3),
)
def test_what_is_known_is_never_taken_for_the_message(seen: list[Seen], twins: int) -> None:
    known = {"m1": _EARLIER, "m3": NOW}
    found = judge(item(), View(tuple(seen)), attempted_at=NOW, known=known, twins=twins)
    if isinstance(found, Arrived):
        assert found.id not in known
        assert any(one.id == found.id and one.from_business for one in seen)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (MediaKind.VIDEO, "video"),
        (MediaKind.AUDIO, "audio"),
        (MediaKind.AUDIO, "file"),
        (MediaKind.FILE, "file"),
        (MediaKind.HEART, "image"),
    ],
)
def test_what_has_no_text_is_known_by_its_kind(kind: MediaKind, shown: str) -> None:
    content = OutMessage(media=OutMedia(kind, "https://x.example/a"))
    assert same_content(content, None, types={shown})
    assert not same_content(content, "Hello", types={shown})
    assert not same_content(content, None, types={"ig_post"})


def test_cards_are_known_by_their_first_title() -> None:
    cards = OutMessage(cards=(OutCard("Hat", "Wool"), OutCard("Scarf", "Silk")), spelled_out="Hat\nScarf")
    assert same_content(cards, "hat", types={"template"})
    assert same_content(cards, "Hat\nScarf", types=set())
    assert not same_content(cards, "Scarf", types={"template"})


def test_which_messages_cannot_be_told_apart() -> None:
    film, other = (OutMessage(media=OutMedia(MediaKind.VIDEO, f"https://x.example/{n}")) for n in "ab")
    heart = OutMessage(media=OutMedia(MediaKind.HEART))
    assert look_alike(film, other)
    assert not look_alike(film, heart)
    assert look_alike(OutMessage(images=("https://x.example/a.png",)), heart)
    assert look_alike(OutMessage("Hi"), OutMessage("Hi"))
    assert not look_alike(OutMessage("Hi"), film)
    assert not look_alike(OutMessage(cards=(OutCard("Hat"),)), OutMessage(cards=(OutCard("Scarf"),)))
