"""What people answer, and which choice or value they meant."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.answers import choose_option, understand
from pamosnik.model.event import Attachment
from pamosnik.model.step import Accept

_NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)
_DRINKS = ("Coffee", "Green tea", "Wasser ohne")


def _value(accept: Accept, text: str | None, *attachments: Attachment) -> str | None:
    return understand(
        accept, text, attachments, choices=_DRINKS, language="en", zone="Europe/Warsaw", now=_NOW
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Coffee", 0),
        ("  COFFEE! ", 0),
        ("green TEA 🍵", 1),
        ("2", 1),
        ("3.", 2),
        ("2️⃣", 1),
        ("0", None),
        ("4", None),
        ("coffe", 0),
        ("gren tea", 1),
        ("I would like coffee please", 0),
        ("coffee or green tea", None),
        ("decaffeinated", None),
        ("", None),
        (None, None),
        ("💌", None),
    ],
)
def test_which_label_was_meant(text: str | None, number: int | None) -> None:
    assert choose_option(_DRINKS, text) == number


def test_a_label_inside_a_sentence_does_not_count_as_the_whole() -> None:
    assert choose_option(_DRINKS, "I would like coffee please", whole_only=True) is None
    assert choose_option(_DRINKS, "coffe", whole_only=True) == 0


def test_where_labels_are_numbers_a_number_is_a_label() -> None:
    assert choose_option(("2", "4", "6"), "4") == 1
    assert choose_option(("2", "4", "6"), "3") is None
    assert choose_option(("2", "4", "6"), "we are 6") == 2
    assert choose_option(("2", "4", "6"), "4️⃣") == 1
    assert choose_option(("1️⃣", "2️⃣"), "2") == 1


def test_labels_in_other_scripts() -> None:
    assert choose_option(("Żółty", "Zielony"), "zolty") == 0
    assert choose_option(("Кофе", "Чай"), "чай!") == 1
    assert choose_option(("はい", "いいえ"), "はい") == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("anna@shop.example", "anna@shop.example"),
        ("It is Anna.K+x@Shop.EXAMPLE.", "Anna.K+x@shop.example"),
        ("<anna@shop.example>", "anna@shop.example"),
        ("anna at shop", None),
        ("anna@shop", None),
        ("", None),
    ],
)
def test_email(text: str, value: str | None) -> None:
    assert _value(Accept.EMAIL, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("600 100 200", "600100200"),
        ("call +48 (600) 100-200!", "+48600100200"),
        ("12345", None),
        ("1234567890123456", None),
        ("none", None),
    ],
)
def test_phone(text: str, value: str | None) -> None:
    assert _value(Accept.PHONE, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", "4"),
        ("we are 12.", "12"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("1.200,50", "1200.50"),
        ("1,200.50", "1200.50"),
        ("1 200", "1200"),
        ("1'200", "1200"),
        ("1.200", "1200"),
        ("2,5", "2.5"),
        ("0.125", "0.125"),
        ("1.200.300", "1200300"),
        ("2 or 3", None),
        ("four", None),
    ],
)
def test_number(text: str, value: str | None) -> None:
    assert _value(Accept.NUMBER, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("shop.example/a", "https://shop.example/a"),
        ("see http://shop.example/a?b=1.", "http://shop.example/a?b=1"),
        ("HTTPS://shop.example", "HTTPS://shop.example"),
        ("anna@shop.example", None),
        ("no link", None),
    ],
)
def test_url(text: str, value: str | None) -> None:
    assert _value(Accept.URL, text) == value


def test_a_choice_field_keeps_the_choice_as_written() -> None:
    assert _value(Accept.CHOICE, "gren tea") == "Green tea"
    assert _value(Accept.CHOICE, "juice") is None


@pytest.mark.parametrize(("text", "value"), [("24.12.", "2026-12-24"), ("1/3", "2027-01-03"), ("soon", None)])
def test_a_date_is_kept_in_one_form(text: str, value: str | None) -> None:
    assert _value(Accept.DATE, text) == value


def test_today_is_the_day_of_the_zone() -> None:
    late = datetime(2026, 12, 2, 23, 30, tzinfo=UTC)
    found = [
        understand(Accept.DATE, "today", (), language="en", zone=zone, now=late)
        for zone in ("UTC", "Europe/Warsaw")
    ]
    assert found == ["2026-12-02", "2026-12-03"]


def test_text_image_and_anything() -> None:
    image, voice = Attachment("image", "https://cdn.example/1"), Attachment("audio")
    assert _value(Accept.TEXT, "  hello ") == "hello"
    assert _value(Accept.TEXT, "   ", image) is None
    assert _value(Accept.IMAGE, "look", voice, image) == "https://cdn.example/1"
    assert _value(Accept.IMAGE, "look", voice) is None
    assert _value(Accept.ANYTHING, None, voice) == "(audio)"
    assert _value(Accept.ANYTHING, "words", image) == "words"
    assert _value(Accept.ANYTHING, None) is None


@settings(deadline=None)
@given(st.sampled_from(Accept), st.text(max_size=80))
def test_any_text_is_understood_or_not_and_never_an_error(accept: Accept, text: str) -> None:
    value = _value(accept, text)
    assert value is None or value


@pytest.mark.parametrize(
    ("accept", "text", "value"),
    [
        (Accept.NUMBER, "1️⃣0️⃣", "10"),
        (Accept.EMAIL, "Anna@Shop.xn--P1AI", "Anna@shop.xn--p1ai"),
        (Accept.EMAIL, "anna@shop.xn--", None),
        (Accept.EMAIL, "anna@shop.c1", None),
        (Accept.URL, "shop.xn--p1ai/prices", "https://shop.xn--p1ai/prices"),
        (Accept.URL, "shop.example?size=2", "https://shop.example?size=2"),
        (Accept.URL, "shop.xn--", None),
    ],
)
def test_an_address_is_taken_whole_or_not_at_all(accept: Accept, text: str, value: str | None) -> None:
    """Endings in punycode were cut short: shop.xn--p1ai became shop.xn."""
    assert _value(accept, text) == value


def test_the_beginning_of_several_labels_is_none_of_them() -> None:
    labels = ["Opening hours today", "Opening hours now"]
    assert choose_option(labels, "opening hours") is None
    assert choose_option(labels, "opening hours noe") == 1
