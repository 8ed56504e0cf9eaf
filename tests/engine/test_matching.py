"""Keywords, as docs/flow-reference.md and the language describe them."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pamosnik.engine.match import Heard, KeywordIndex, matches
from pamosnik.model.text import MatchMode, Words
from pamosnik.model.words import fold, within_one


def _has(keyword: str, text: str, mode: str = "whole_word", but_not: tuple[str, ...] = ()) -> bool:
    return matches(Words((keyword,), MatchMode(mode), but_not), Heard.of(text))


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("price", "Price please!"),
        ("price", "pri\u200bce"),
        ("price", "ＰＲＩＣＥ"),
        ("cen*", "Ile kosztuje? CENNIK"),
        ("zażółć", "ZAZOLC gęślą"),
        ("łódź", "lodz"),
        ("straße", "STRASSE"),
        ("τιμή", "ΤΙΜΗ;"),
        ("цена", "Цена?"),
        ("ещё", "еще"),
        ("سعر", "سَعْر كم؟"),
        ("ราคา", "ขอราคาหน่อย"),
        ("価格", "この価格は"),
        ("가격", "가격 얼마"),
        ("🔥", "nice🔥🔥"),
        ("👍", "👍🏽"),
        ("❤️", "❤"),
        ("how much", "so, how   much is it"),
        ("price?", "the price"),
        ("c++", "i like c++ a lot"),
    ],
)
def test_a_word_is_found(keyword: str, text: str) -> None:
    assert _has(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("price", "prices"),
        ("cen*", "ocena"),
        ("и", "й"),
        ("か", "が"),
        ("سعر", "السعر"),
        ("how much", "how, much"),
        ("1", "10"),
        ("c++", "c"),
    ],
)
def test_a_word_is_not_found_within_another(keyword: str, text: str) -> None:
    assert not _has(keyword, text)


@pytest.mark.parametrize(
    ("mode", "keyword", "text", "found"),
    [
        ("exact", "price", "PRICE!!! 🔥", True),
        ("exact", "price", "price now", False),
        ("starts_with", "pri", "Price now", True),
        ("contains", "ric", "price", True),
        ("fuzzy", "price", "proce please", True),
        ("fuzzy", "price", "pirce", True),
        ("fuzzy", "price", "priceses", False),
        ("fuzzy", "cena", "cana", False),
        ("regex", r"\bпривет\b", "ну привет!", True),
        ("regex", r"\bприв\b", "привет", False),
        ("regex", r"^\d{3}$", "123", True),
    ],
)
def test_modes(mode: str, keyword: str, text: str, found: bool) -> None:
    assert _has(keyword, text, mode) is found


def test_but_not_forbids() -> None:
    assert not _has("price", "price refund", but_not=("refund",))


@example("Ǿ ǽ ё")
@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60), st.text(max_size=10))
def test_no_text_and_no_keyword_raises(text: str, keyword: str) -> None:
    for mode in MatchMode:
        if mode is not MatchMode.REGEX:
            KeywordIndex([(0, keyword, mode)]).find(Heard.of(text))


@given(st.text(string.ascii_lowercase, min_size=5, max_size=9), st.integers(0, 8), st.sampled_from("xyz"))
def test_one_changed_letter_is_within_one(word: str, place: int, letter: str) -> None:
    place %= len(word)
    assert within_one(word, word[:place] + letter + word[place + 1 :])
    assert within_one(word, word[:place] + letter + word[place:])
    assert within_one(word[:place] + word[place + 1 :], word)
