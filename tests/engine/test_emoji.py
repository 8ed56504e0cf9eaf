"""Emoji: which are the same, and what is one."""

import pytest

from pamosnik.model import emoji

_ONE = [
    *(
        "❤️",
        "❤",
        "love",
        "Love",
        "🔥",
        "👍🏽",
        "1️⃣",
        "#️⃣",
        "*️⃣",
        "0\u20e3",
        "🔟",
        "👨‍👩‍👧",
        "🇵🇱",
        "🏳️‍🌈",
        "❤️‍🔥",
        "👩🏽‍❤️‍💋‍👨🏿",
    ),
    *("ℹ️", "™️", "㊗️", "🈁", "↔️", "➕", "‼️", "〰️", "▪️", "\U0001fae9", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
]


@pytest.mark.parametrize("written", _ONE)
def test_one_emoji(written: str) -> None:
    assert emoji.is_one(written)
    assert not emoji.are_several(written)


@pytest.mark.parametrize("written", ["", " ", "ok", "1", "#", "$", "lovely", "🇵", "❤️ok", "“", "ё"])
def test_no_emoji(written: str) -> None:
    assert not emoji.is_one(written)
    assert not emoji.are_several(written)


@pytest.mark.parametrize("written", ["❤️🔥", "🔥 🔥", "1️⃣2️⃣", "🇵🇱🇩🇪"])
def test_several(written: str) -> None:
    assert not emoji.is_one(written)
    assert emoji.are_several(written)


@pytest.mark.parametrize(
    ("one", "other"), [("❤️", "love"), ("👋🏿", "👋"), ("1️⃣", "1\u20e3"), ("☝🏿", "☝️"), (" 🔥", "🔥")]
)
def test_not_told_apart(one: str, other: str) -> None:
    assert emoji.key(one) == emoji.key(other)


def test_told_apart() -> None:
    assert len({emoji.key(one) for one in ("❤️", "🧡", "❤️‍🔥", "1️⃣", "2️⃣", "🇵🇱", "🇩🇪")}) == 7
