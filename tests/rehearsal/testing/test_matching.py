"""How texts fit what a test expects."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.rehearsal.testing.matching import fits

_LETTERS = st.text(alphabet="ab*\n", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "text", "fit"),
    [
        ("Hello", "Hello", True),
        ("Hello", "hello", False),
        ("Hello", "Hello!", False),
        ("Hello*", "Hello, you", True),
        ("*you", "Hello, you", True),
        ("*lo*yo*", "Hello\nyou", True),
        ("*yo*lo*", "Hello\nyou", False),
        ("any", "whatever", True),
        ("any", "", True),
        (" any\n", "whatever", True),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("ab*ba", "aba", False),
        ("Hello\n", "  Hello\n\n", True),
        ("one\ntwo", "one\r\ntwo", True),
        ("Zaz\u0307o\u0301\u0142c\u0301", "Za\u017c\u00f3\u0142\u0107", True),
        ("5 * 3 = 15", "5 * 3 = 15", True),
        ("Really?", "Really!", False),
        ("[a]", "a", False),
    ],
)
def test_whole_texts_with_stars(pattern: str, text: str, fit: bool) -> None:
    assert fits(pattern, [text]) is fit


@given(pattern=_LETTERS, text=_LETTERS)
def test_a_star_is_what_it_is_everywhere(pattern: str, text: str) -> None:
    """The same as the regular expression, which takes too long for many stars."""
    wanted = ".*".join(re.escape(part) for part in pattern.strip().split("*"))
    assert fits(pattern, [text]) is bool(re.fullmatch(wanted, text.strip(), re.DOTALL))


def test_many_stars_take_no_time() -> None:
    assert not fits("*a" * 400 + "b", ["a" * 1000])
