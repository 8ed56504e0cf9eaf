"""Keywords are found in what people really write, in every script."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.match import Heard, KeywordIndex, PatternSet, forbidden, matches
from pamosnik.model.text import MatchMode, Words
from pamosnik.model.words import fold


def _has(keyword: str, text: str, mode: MatchMode = MatchMode.WHOLE_WORD) -> bool:
    return matches(Words((keyword,), mode), Heard.of(text))


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        # case, in full folding
        ("price", "PRICE please"),
        ("STRASSE", "welche Straße?"),
        ("straße", "WELCHE STRASSE"),
        ("ΟΔΟΣ", "οδός"),
        # width and compatibility forms
        ("price", "ｐｒｉｃｅ?"),
        ("ﬁnd", "find it"),
        ("カタカナ", "ｶﾀｶﾅ"),
        # accents on Latin and Greek letters, and letters that have none to lose
        ("zolc", "Żółć!"),
        ("żółć", "ZOLC"),
        ("łódź", "lodz"),
        ("smørrebrød", "smorrebrod"),
        ("đak", "dak"),
        ("cafe", "CAFÉ"),
        ("cafe", "cafe\u0301"),
        ("café", "Cafe?"),
        ("τιμή", "ΤΙΜΗ παρακαλώ"),
        # Cyrillic
        ("цена", "Какая ЦЕНА?"),
        ("ёлка", "елка"),
        ("елка", "ЁЛКА!"),
        # Arabic: vowel signs and tatweel
        ("سعر", "السعر؟ سِعْر"),
        ("سعر", "ســعر"),
        ("مُحَمَّد", "محمد"),
        # scripts without spaces: the word appears
        ("ราคา", "ขอราคาหน่อยค่ะ"),
        ("値段", "この値段はいくらですか"),
        ("カタログ", "カタログください"),
        ("价格", "请问价格多少"),
        ("ລາຄາ", "ຂໍລາຄາແດ່"),
        ("តម្លៃ", "សុំតម្លៃបាទ"),
        # Korean has spaces
        ("가격", "가격 알려주세요"),
        # zero-width characters and soft hyphens
        ("price", "pri\u200bce"),
        ("price", "pri\u00adce"),
        ("\ufeffprice", "price"),
        # punctuation and emoji around it
        ("price", "«price»"),
        ("price", "💌price💌"),
        ("price", "#price!!!"),
        ("cena", "...cena?"),
        ("how much", "so HOW   MUCH\nis it"),
        # emoji
        ("💌", "send me💌now"),
        ("👍", "👍🏽"),
        ("👍🏿", "👍"),
        ("❤️", "❤"),
        ("❤", "I ❤️ it"),
        ("1️⃣", "I take 1️⃣!"),
    ],
)
def test_whole_word_is_found(keyword: str, text: str) -> None:
    assert _has(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("price", "priceless"),
        ("price", "enterprice"),
        ("price", "price2"),
        ("cena", "ocena"),
        ("how much", "how very much"),
        ("цена", "оценат"),
        ("가격", "가격은"),
        ("سعر", "السعر"),
        ("price", ""),
        # marks that make another letter stay
        ("иод", "йод"),
        ("か", "が"),
        ("ค่า", "คา"),
        ("💌", "💔"),
    ],
)
def test_whole_word_is_not_found(keyword: str, text: str) -> None:
    assert not _has(keyword, text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cena", True),
        ("jakie ceny?", True),
        ("CENNIK poproszę", True),
        ("cen", True),
        ("ocena", False),
        ("ce", False),
        ("oce cen", True),
    ],
)
def test_a_keyword_with_a_star_is_a_beginning(text: str, found: bool) -> None:
    assert _has("cen*", text) is found


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("how muc*", "how much is it", True),
        ("how muc*", "somehow much", False),
        ("цен*", "цены", True),
        ("żółt*", "zolty", True),
        ("値*", "この値段", True),
    ],
)
def test_stars_on_phrases_and_in_other_scripts(keyword: str, text: str, found: bool) -> None:
    assert _has(keyword, text) is found


@pytest.mark.parametrize(
    ("mode", "text", "found"),
    [
        (MatchMode.EXACT, "Price!", True),
        (MatchMode.EXACT, "  💌 PRICE  ", True),
        (MatchMode.EXACT, "price please", False),
        (MatchMode.STARTS_WITH, "price please", True),
        (MatchMode.STARTS_WITH, "Prices?", True),
        (MatchMode.STARTS_WITH, "the price", False),
        (MatchMode.CONTAINS, "enterPRICEs", True),
        (MatchMode.CONTAINS, "pric e", False),
    ],
)
def test_the_other_ways_to_match(mode: MatchMode, text: str, found: bool) -> None:
    assert _has("price", text, mode) is found


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("price", "price", True),
        ("price", "pricee", True),
        ("price", "prce", True),
        ("price", "prise", True),
        ("price", "rpice", True),
        ("price", "pricy list", True),
        ("price", "prcie!", True),
        ("price", "prxxe", False),
        ("price", "pri", False),
        ("price", "praise", False),
        ("cena", "cene", False),
        ("cena", "cena", True),
        ("katalog", "kataolg", True),
        ("katalog", "ktlog", False),
        ("price list", "prise lits", False),
        ("price list", "prise list", True),
        ("цветы", "цвети", True),
        ("żółty", "zolti", True),
    ],
)
def test_fuzzy_forgives_one_letter_in_words_of_five(keyword: str, text: str, found: bool) -> None:
    assert _has(keyword, text, MatchMode.FUZZY) is found


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\bprice\b", "The PRICE?", True),
        (r"\bprice\b", "prices", False),
        (r"\bцена\b", "какая цена?", True),
        (r"\bцена\b", "оцена", False),
        (r"^\d{4}$", "1234", True),
        (r"^\d{4}$", "12345", False),
        ("caf.$", "Café", True),
        ("café", "CAFÉ", True),
        ("(a+)+$", "a" * 5000 + "b", False),
    ],
)
def test_patterns(pattern: str, text: str, found: bool) -> None:
    assert _has(pattern, text, MatchMode.REGEX) is found


def test_but_not_forbids_and_is_named() -> None:
    words = Words(("price",), but_not=("refund", "zwrot*"))
    assert matches(words, Heard.of("price"))
    assert not matches(words, Heard.of("price or REFUND"))
    assert forbidden(words, Heard.of("price, zwroty")) == "zwrot*"


def test_but_not_is_looked_for_as_a_word_where_the_whole_text_is_compared() -> None:
    words = Words(("price",), MatchMode.STARTS_WITH, ("refund",))
    assert not matches(words, Heard.of("price after a refund"))
    assert matches(words, Heard.of("price of refunds"))


def test_no_words_take_every_text() -> None:
    assert matches(Words(()), Heard.of("anything"))
    assert matches(Words(()), Heard.of(None))


def test_an_index_names_the_first_keyword_of_each_owner() -> None:
    index = KeywordIndex(
        [
            (1, "price", MatchMode.WHOLE_WORD),
            (1, "pri*", MatchMode.WHOLE_WORD),
            (2, "list", MatchMode.CONTAINS),
            (3, "refund", MatchMode.WHOLE_WORD),
        ]
    )
    assert index.find(Heard.of("PRICELIST, price")) == {1: "price", 2: "list"}
    assert index.find(Heard.of("prior")) == {1: "pri*"}


def test_of_thousands_of_keywords_only_the_right_one_is_found() -> None:
    index = KeywordIndex((number, f"word{number}", MatchMode.WHOLE_WORD) for number in range(5_000))
    assert index.find(Heard.of("say WORD1234!")) == {1234: "word1234"}


_TEXTS = st.text(max_size=60)


@settings(deadline=None)
@given(_TEXTS, _TEXTS, st.sampled_from([mode for mode in MatchMode if mode is not MatchMode.REGEX]))
def test_matching_takes_any_text_and_repeats_itself(keyword: str, text: str, mode: MatchMode) -> None:
    assert _has(keyword, text, mode) is _has(keyword, text, mode)


@settings(deadline=None)
@given(st.text(alphabet="abcżółцена가격값 ", min_size=1, max_size=30).filter(lambda t: t.strip() != ""))
def test_a_text_has_itself_as_a_keyword(text: str) -> None:
    assert _has(text, text)
    assert _has(text, text.upper(), MatchMode.EXACT)
    assert _has(text, f"… {text}!", MatchMode.STARTS_WITH)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Me"], exclude_characters="*"), max_size=12))
def test_any_text_is_its_own_keyword(text: str) -> None:
    if fold(text):
        assert all(_has(text, text, mode) for mode in MatchMode if mode is not MatchMode.REGEX)


def test_patterns_too_big_for_one_set_are_looked_for_in_several() -> None:
    """RE2 refused to compile them, and with them every flow of the account."""
    patterns = [(rf"word{number}(?:$|[^\p{{L}}])", number) for number in range(100)]
    small = PatternSet(patterns, memory=300_000)
    for text in ("word7 and word99", "word", "word12"):
        assert set(small.find(text)) == set(PatternSet(patterns).find(text))
    assert set(small.find("word7 and word99")) == {7, 9, 99}
