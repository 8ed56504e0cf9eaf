"""Emoji as people react with them: how they are compared, and whether a text is one.

The tone of a skin and the variation selectors (❤ or ❤️, 1⃣ or 1️⃣) are not told apart. Meta calls a heart `love`.
"""

import re
import unicodedata

LOVE = "love"
"""https://developers.facebook.com/docs/instagram-platform/webhooks/examples"""
_HEART = "\u2764"
_IGNORED = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_JOINER, _KEYCAP = "\u200d", "\u20e3"
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]")
_TAGS = re.compile("[\U000e0020-\U000e007f]")
_NEW = re.compile("[\U0001f000-\U0001faff]")
"""Where Unicode puts new emoji, each year some that Python does not know."""
_ODD = frozenset("\u203c\u2049\u2139\u3030\u303d")
"""‼️ ⁉️ ℹ️ 〰️ 〽️: emoji that are punctuation or letters to Unicode."""


def key(written: str) -> str:
    """The same for what counts as the same emoji."""
    bare = _IGNORED.sub("", written).strip() or written.strip()
    return _HEART if bare.casefold() == LOVE else bare


def is_one(written: str) -> bool:
    """Whether a text is one emoji, or Meta's word for a heart."""
    left = key(written)
    first = _without_first(left)
    return first is not None and first == ""


def are_several(written: str) -> bool:
    """Whether a text is nothing but emoji, and more than one."""
    left: str | None = key(written)
    count = 0
    while left:
        left = _without_first(left.strip())
        count += 1
    return left is not None and count > 1


def _without_first(text: str) -> str | None:
    """What follows the emoji that a text begins with; None when it begins with none."""
    rest = _without_picture(text)
    while rest is not None and rest.startswith(_JOINER):
        rest = _without_picture(rest[1:])
    return rest


def _without_picture(text: str) -> str | None:
    if _FLAG_LETTERS.match(text):
        return text[2:] if len(text) > 1 and _FLAG_LETTERS.match(text[1]) else None
    if text[:1] and text[0] in "0123456789#*" and text[1:2] == _KEYCAP:
        return text[2:]
    if not text or text[0].isascii() or not _is_picture(text[0]):
        return None
    rest = text[1:].removeprefix(_KEYCAP)
    while _TAGS.match(rest):
        rest = rest[1:]
    return rest


def _is_picture(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sm") or char in _ODD or bool(_NEW.match(char))
