"""Conditions hold, do not hold, or cannot be known."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from pamosnik.engine.conditions import all_of, any_of, describe, holds
from pamosnik.model.book import FieldSpec, Settings
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
    CameFrom,
    CameFromCondition,
    Condition,
    FieldCondition,
    FieldTest,
    FirstTime,
    HasNotTag,
    HasTag,
    NoneOf,
    TextCondition,
    WindowOpen,
)
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Facts
from pamosnik.model.step import FieldType
from pamosnik.model.text import MatchMode, Words

_NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)
_VIP, _NEW = HasTag("vip"), HasTag("new")


def _holds(
    condition: Condition,
    *,
    fields: Mapping[str, str] | None = None,
    window: datetime | None = None,
    first_time: bool = True,
    text: str | None = "price please",
    types: Mapping[str, FieldType] | None = None,
) -> bool | None:
    contact = Contact(
        "c", "a", "k", "900", tags=frozenset({"vip"}), fields=fields or {}, window_open_until=window
    )
    settings = Settings(fields={name: FieldSpec(type_) for name, type_ in (types or {}).items()})
    facts = Facts(contact, settings, "UTC", "rose.shop", first_time=first_time)
    return holds(condition, facts, text=text, came_from=CameFrom.DM, now=_NOW)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (_VIP, True),
        (_NEW, False),
        (HasNotTag("vip"), False),
        (HasNotTag("new"), True),
        (HasTag("VIP"), False),
        (TextCondition(Words(("price",))), True),
        (TextCondition(Words(("price",), MatchMode.EXACT)), False),
        (TextCondition(Words(("price",), but_not=("please",))), False),
        (CameFromCondition((CameFrom.DM, CameFrom.STORY)), True),
        (CameFromCondition((CameFrom.COMMENT,)), False),
        (FirstTime(), True),
        (AnyOf((_VIP, _NEW)), True),
        (AnyOf((_NEW,)), False),
        (AllOf((_VIP, _NEW)), False),
        (AllOf((_VIP, FirstTime())), True),
        (NoneOf((_NEW,)), True),
        (NoneOf((_NEW, _VIP)), False),
        (AllOf((AnyOf((_NEW, _VIP)), NoneOf((_NEW,)))), True),
    ],
)
def test_conditions(condition: Condition, expected: bool) -> None:
    assert _holds(condition) is expected


@pytest.mark.parametrize(
    ("test", "wanted", "value", "expected"),
    [
        (FieldTest.IS, "red", "RED", True),
        (FieldTest.IS, "4", "4.0", True),
        (FieldTest.IS, "4", "40", False),
        (FieldTest.IS, "4", None, False),
        (FieldTest.IS_NOT, "red", "blue", True),
        (FieldTest.IS_NOT, "red", "Red", False),
        (FieldTest.IS_NOT, "red", None, True),
        (FieldTest.CONTAINS, "zolt", "Żółty", True),
        (FieldTest.CONTAINS, "red", None, False),
        (FieldTest.MORE_THAN, "4", "10", True),
        (FieldTest.MORE_THAN, "4", "4", False),
        (FieldTest.MORE_THAN, "4", "many", False),
        (FieldTest.LESS_THAN, "4", "3.5", True),
        (FieldTest.LESS_THAN, "10", "9", True),
        (FieldTest.LESS_THAN, "4", None, False),
        (FieldTest.BEFORE, "2026-12-24", "2026-12-23", True),
        (FieldTest.BEFORE, "2026-12-24", "2026-12-24", False),
        (FieldTest.AFTER, "2026-12-24", "2027-01-01", True),
        (FieldTest.AFTER, "2026-12-24", None, False),
        (FieldTest.KNOWN, "true", "x", True),
        (FieldTest.KNOWN, "true", None, False),
        (FieldTest.KNOWN, "false", None, True),
    ],
)
def test_comparisons_of_a_field(test: FieldTest, wanted: str, value: str | None, expected: bool) -> None:
    fields = {} if value is None else {"x": value}
    types = {"x": FieldType.NUMBER} if wanted.isdecimal() else {}
    assert _holds(FieldCondition("x", test, (wanted,)), fields=fields, types=types) is expected


def test_one_of() -> None:
    condition = FieldCondition("size", FieldTest.ONE_OF, ("S", "M"))
    assert _holds(condition, fields={"size": "m"}) is True
    assert _holds(condition, fields={"size": "L"}) is False


def test_the_window_is_open_until_its_last_instant() -> None:
    assert _holds(WindowOpen()) is False
    assert _holds(WindowOpen(), window=_NOW) is False
    assert _holds(WindowOpen(), window=_NOW + timedelta(seconds=1)) is True


def test_first_time_is_only_true_once() -> None:
    assert _holds(FirstTime(), first_time=False) is False


def test_no_text_has_no_words() -> None:
    assert _holds(TextCondition(Words(("price",))), text=None) is False


@pytest.mark.parametrize(
    ("results", "every", "some"),
    [
        ((), True, False),
        ((True, None), None, True),
        ((False, None), False, None),
        ((None,), None, None),
        ((True, False), False, True),
    ],
)
def test_the_unknown_stays_unknown_unless_it_cannot_matter(
    results: tuple[bool | None, ...], every: bool | None, some: bool | None
) -> None:
    assert all_of(results) is every
    assert any_of(results) is some


def test_a_condition_is_described_as_it_stands_in_the_file() -> None:
    condition = AnyOf((_VIP, NoneOf((FieldCondition("size", FieldTest.ONE_OF, ("S", "M")),))))
    assert describe(condition) == "any: [has_tag: vip; none: [field: size one_of S, M]]"


def test_only_number_fields_compare_by_value() -> None:
    """A door code 03 was the same as 3."""
    is_3 = FieldCondition("code", FieldTest.IS, ("3",))
    assert _holds(is_3, fields={"code": "3.0"}, types={"code": FieldType.NUMBER}) is True
    assert _holds(is_3, fields={"code": "03"}, types={"code": FieldType.TEXT}) is False
    assert _holds(is_3, fields={"code": "3"}, types={"code": FieldType.TEXT}) is True
