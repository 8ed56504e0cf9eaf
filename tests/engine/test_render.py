"""Variables are filled in, and nothing grows over a limit."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.render import render, values, whole
from pamosnik.model.book import FieldSpec, Settings
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Facts
from pamosnik.model.step import FieldType
from pamosnik.model.text import Text, Variable

_HELLO = Text(("Hi ", Variable("first_name", "there"), ", see ", Variable("prices"), "!"))
_NOW = datetime(2026, 12, 2, 23, 30, tzinfo=UTC)


def _person(name: str | None = None) -> Contact:
    return Contact("c", "a", "k", "900", username="anna", name=name, fields={"guests": "4"})


def _facts(contact: Contact, timezone: str | None = None) -> Facts:
    fields = {"guests": FieldSpec(FieldType.NUMBER), "day": FieldSpec(FieldType.DATE)}
    settings = Settings(timezone=timezone, fields=fields, facts={"prices": "https://shop.example"})
    return Facts(contact, settings, "UTC", "rose.shop", post_link="https://instagram.example/p/1")


def test_known_values_stand_in_the_text() -> None:
    filled = render(_HELLO, {"first_name": "Anna", "prices": "x"}, limit_bytes=None)
    assert filled == "Hi Anna, see x!"


def test_unknown_and_empty_values_give_way_to_the_stand_in() -> None:
    for unknown in ({}, {"first_name": None}, {"first_name": ""}):
        assert render(_HELLO, unknown, limit_bytes=None) == "Hi there, see!"


def test_a_name_that_is_not_known_leaves_no_gap() -> None:
    """A direct message began with "Hi !"."""
    text = Text(("Hi ", Variable("username"), "! Tap."))
    assert render(text, {"username": None}, limit_bytes=None) == "Hi! Tap."
    assert render(text, {"username": "anna"}, limit_bytes=None) == "Hi anna! Tap."


def test_a_value_is_not_read_as_a_text_with_variables() -> None:
    assert render(_HELLO, {"first_name": "{prices}"}, limit_bytes=None) == "Hi {prices}, see!"


def test_the_longest_value_is_shortened_first() -> None:
    text = Text((Variable("a"), "|", Variable("b")))
    assert render(text, {"a": "x" * 10, "b": "yyy"}, limit_bytes=None, limit_chars=10) == "xxxxx…|yyy"


def test_bytes_are_counted_in_utf8_and_letters_stay_whole() -> None:
    filled = render(Text((Variable("a"),)), {"a": "ż" * 20}, limit_bytes=20)
    assert filled == "ż" * 8 + "…"


def test_written_words_are_cut_last_and_the_prefix_counts() -> None:
    assert render(Text(("Hello dear friend",)), {}, limit_bytes=11, prefix="A\n") == "A\nHello…"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("See ", Variable("prices")), "… https://shop.example"),
        ((Variable("a"), " and ", Variable("prices")), "x… and https://shop.example"),
        (("Long words: ", Variable("prices"), " or write to us"), "L… https://shop.example…"),
    ],
)
def test_an_address_is_not_cut_in_the_middle(parts: tuple[str | Variable, ...], expected: str) -> None:
    """Half of it leads nowhere: the words before it give way."""
    filled = render(
        Text(parts),
        {"a": "x" * 40, "prices": "https://shop.example"},
        limit_bytes=None,
        limit_chars=len(expected),
        whole={"prices"},
    )
    assert filled == expected


def test_what_is_never_cut() -> None:
    kept = whole(_facts(_person()).settings)
    assert kept == {"today", "now", "post_link", "code", "prices", "guests", "day"}


def test_what_every_variable_stands_for() -> None:
    found = values(_facts(_person("Anna Maria Nowak")), text="price", answer="4", now=_NOW)
    assert found == {
        "guests": "4",
        "day": None,
        "prices": "https://shop.example",
        "username": "anna",
        "name": "Anna Maria Nowak",
        "first_name": "Anna",
        "text": "price",
        "answer": "4",
        "post_link": "https://instagram.example/p/1",
        "code": None,
        "today": "2026-12-02",
        "now": "23:30",
    }


def test_of_somebody_without_a_name_there_is_no_first_name() -> None:
    found = values(_facts(_person()), text=None, answer=None, now=_NOW)
    assert (found["name"], found["first_name"]) == (None, None)


def test_the_clock_is_that_of_the_flow_files() -> None:
    found = values(_facts(_person(), "Europe/Warsaw"), text=None, answer=None, now=_NOW)
    assert (found["today"], found["now"]) == ("2026-12-03", "00:30")


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.text(max_size=30), st.sampled_from([Variable("a", "x"), Variable("b")])), max_size=6
    ),
    st.fixed_dictionaries({"a": st.none() | st.text(max_size=80), "b": st.text(max_size=80)}),
    st.integers(10, 60),
    st.integers(10, 60),
)
def test_no_text_is_over_its_limits(
    parts: list[str | Variable], filled: dict[str, str | None], in_bytes: int, in_chars: int
) -> None:
    text = render(Text(tuple(parts)), filled, limit_bytes=in_bytes, limit_chars=in_chars, whole={"a"})
    assert len(text.encode()) <= in_bytes
    assert len(text) <= in_chars
