"""What came close: keywords that a text has or nearly has."""

from hypothesis import given
from hypothesis import strategies as st

from pamosnik.engine.catalog import Posts
from pamosnik.engine.match import Heard
from pamosnik.engine.nearness import Near, closest, letters_off
from pamosnik.model.event import EventKind
from pamosnik.model.words import within_one
from tests.engine import shop

WORD = st.text("abcdef", max_size=7)


def near(triggers: str, text: str, kind: EventKind = EventKind.MESSAGE) -> list[Near]:
    """Of a shop with flows a, b, … of one trigger each."""
    flows = "".join(
        f'  {chr(97 + number)}: {{ when: [{one}], limits: {{ per_person: once }}, do: [{{ send: "x" }}] }}\n'
        for number, one in enumerate(triggers.strip().splitlines())
    )
    catalog = shop.catalog(f"flows:\n{flows}")
    event = shop.event(kind, text)
    return closest(catalog, event, Heard.of(text), posts=Posts(), username="rose.shop")


def told(triggers: str, text: str, kind: EventKind = EventKind.MESSAGE) -> list[tuple[str, str, int, str]]:
    return [(one.flow.id, one.keyword, one.letters, one.why) for one in near(triggers, text, kind)]


def test_one_letter_added_lost_changed_or_swapped() -> None:
    for text in ("prices", "prce", "prixe", "prcie", "the PRÌXE please!"):
        ((_, keyword, letters, _),) = told("{ dm: [hours, price] }", text)
        assert (keyword, letters) == ("price", 1) or (text == "prices" and letters == 0)


def test_the_nearest_keyword_is_named_and_what_would_take_the_text() -> None:
    first, second = near("{ dm: [opening] }\n{ dm: [openings] }", "oppening hours")
    assert (first.flow.id, first.letters, second.flow.id, second.letters) == ("a", 1, "b", 2)
    assert first.mend == "add oppening to its words, or write `match: fuzzy`"
    assert second.mend == "add oppening to its words"


def test_short_words_and_patterns_and_scripts_without_letters_to_be_off_are_left_alone() -> None:
    assert told("{ dm: [men] }", "ten") == []
    assert told("{ dm: { words: ['^pri.e$'], match: regex } }", "prix") == []
    assert told("{ dm: [価格] }", "価値") == []
    assert told("{ dm: ['🔥'] }", "🎉") == []
    assert told("{ dm: [price] }", "") == []
    assert told("{ dm: [price] }", "\u200b\u202e") == []


def test_a_phrase_is_compared_as_a_whole() -> None:
    assert told("{ dm: [how much] }", "hi, how mcuh is it") == [
        ("a", "how much", 1, "“how mcuh” is one letter off")
    ]
    assert told("{ dm: [how much] }", "much") == []


def test_a_keyword_that_takes_every_ending_is_compared_with_beginnings() -> None:
    assert told("{ dm: ['rezerw*'] }", "rezrwacja na sobotę") == [
        ("a", "rezerw*", 1, "“rezrwacja” is one letter off")
    ]


def test_a_keyword_inside_another_word() -> None:
    ((_, _, letters, why),) = told("{ dm: ['cen*'] }", "ocena")
    assert (letters, why) == (0, "it stands inside the word “ocena”")
    (inside,) = near("{ dm: [price] }", "your prices?")
    assert inside.mend == "write price* for every ending"


def test_another_match_mode_says_no() -> None:
    assert told("{ dm: { words: [menu], match: exact } }", "the menu please") == [
        ("a", "menu", 0, "`match: exact` takes it only as the whole text")
    ]
    ((_, _, _, why),) = told("{ dm: { words: [menu], match: starts_with } }", "the menu please")
    assert why == "`match: starts_with` takes it only at the beginning"


def test_a_keyword_that_is_there_goes_first_and_another_kind_of_event_last() -> None:
    found = told(
        "{ dm: [pricey] }\n{ dm: { words: [price], but_not: [refund] } }\n{ comment: [refund] }",
        "price refund",
    )
    assert found == [
        ("b", "price", 0, "`but_not` forbids “refund”"),
        ("a", "pricey", 1, "“price” is one letter off"),
        ("c", "refund", 0, "its trigger is `comment`, and this is a message"),
    ]


def test_a_right_letter_in_the_wrong_place_is_said_to_be_both() -> None:
    (one,) = near("{ comment: [price] }", "prise")
    assert one.elsewhere
    assert one.why == "“prise” is one letter off; and its trigger is `comment`, and this is a message"


def test_ten_thousand_keywords_and_ten_thousand_characters() -> None:
    """The answer is there at once: few keywords are compared letter by letter."""
    many = ", ".join(f"word{number:05}" for number in range(10_000))
    assert [one[1] for one in told(f"{{ dm: [{many}, delivery] }}", "x" * 10_000 + " delivry")] == [
        "delivery"
    ]


@given(WORD, WORD)
def test_letters_off_is_the_same_both_ways_and_knows_one_letter(one: str, other: str) -> None:
    off = letters_off(one, other, 2)
    assert off == letters_off(other, one, 2)
    assert (off is not None and off <= 1) == within_one(one, other)
    assert (off == 0) == (one == other)
