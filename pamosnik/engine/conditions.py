"""Whether a condition holds. Three-valued: None is "unknown", which satisfies nothing but its own name."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import assert_never

from pamosnik.engine.hours import is_open
from pamosnik.engine.match import Heard, matches
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
    CameFrom,
    CameFromCondition,
    Condition,
    During,
    FieldCondition,
    FieldTest,
    FirstTime,
    Followers,
    FollowsMe,
    HasNotTag,
    HasTag,
    Known,
    NoneOf,
    Outside,
    TextCondition,
    Verified,
    WindowOpen,
)
from pamosnik.model.decision import Facts
from pamosnik.model.step import FieldType
from pamosnik.model.words import fold


def holds(
    condition: Condition, facts: Facts, *, text: str | None, came_from: CameFrom | None, now: datetime
) -> bool | None:
    """None: cannot be known. `text` is what started the run; `came_from` how; a broadcast has neither."""

    def inner(conditions: Iterable[Condition]) -> list[bool | None]:
        return [holds(c, facts, text=text, came_from=came_from, now=now) for c in conditions]

    match condition:
        case HasTag():
            return condition.tag in facts.contact.tags
        case HasNotTag():
            return condition.tag not in facts.contact.tags
        case FieldCondition():
            spec = facts.settings.fields.get(condition.field)
            numeric = spec is not None and spec.type is FieldType.NUMBER
            return _field(condition, facts.contact.fields.get(condition.field), numeric=numeric)
        case TextCondition():
            return matches(condition.words, Heard.of(text))
        case FirstTime():
            return facts.first_time
        case WindowOpen():
            return facts.contact.window_open(now)
        case FollowsMe():
            return _is(condition.wanted, facts.contact.follows_me, facts)
        case Verified():
            return _is(condition.wanted, facts.contact.verified, facts)
        case Followers():
            return _followers(condition, facts)
        case During():
            return _open(condition.hours, facts, now)
        case Outside():
            found = _open(condition.hours, facts, now)
            return None if found is None else not found
        case CameFromCondition():
            return came_from in condition.origins
        case AnyOf():
            return any_of(inner(condition.conditions))
        case AllOf():
            return all_of(inner(condition.conditions))
        case NoneOf():
            found = any_of(inner(condition.conditions))
            return None if found is None else not found
        case _:
            assert_never(condition)


def all_of(results: Iterable[bool | None]) -> bool | None:
    """False if one is, else unknown if one is."""
    found = list(results)
    return False if False in found else None if None in found else True


def any_of(results: Iterable[bool | None]) -> bool | None:
    """True if one is, else unknown if one is."""
    found = list(results)
    return True if True in found else None if None in found else False


def _is(wanted: Known, value: bool | None, facts: Facts) -> bool | None:
    """None also while Instagram could still tell."""
    if not facts.profile_asked:
        return None
    if wanted is Known.UNKNOWN:
        return value is None
    return None if value is None else value is (wanted is Known.TRUE)


def _followers(condition: Followers, facts: Facts) -> bool | None:
    value, more, less = facts.contact.followers, condition.more_than, condition.less_than
    if more is None and less is None:
        return (value is None) if facts.profile_asked else None
    if value is None or not facts.profile_asked:
        return None
    return (more is None or value > more) and (less is None or value < less)


def _open(name: str, facts: Facts, now: datetime) -> bool | None:
    """None: there are no such hours any more."""
    hours = facts.settings.hours.get(name)
    return None if hours is None else is_open(hours, now, facts.settings.timezone or facts.timezone)


def _field(condition: FieldCondition, value: str | None, *, numeric: bool) -> bool:
    wanted = condition.values
    match condition.test:
        case FieldTest.KNOWN:
            return (value is not None) == (wanted[0] == "true")
        case FieldTest.IS_NOT:
            return value is None or not _same(value, wanted[0], numeric=numeric)
        case _ if value is None:
            return False
        case FieldTest.IS | FieldTest.ONE_OF:
            return any(_same(value, one, numeric=numeric) for one in wanted)
        case FieldTest.CONTAINS:
            return fold(wanted[0]) in fold(value)
        case FieldTest.MORE_THAN:
            return _compare(value, wanted[0]) > 0
        case FieldTest.LESS_THAN:
            return _compare(value, wanted[0]) < 0
        case FieldTest.BEFORE:
            return value < wanted[0]
        case FieldTest.AFTER:
            return value > wanted[0]
        case _:
            assert_never(condition.test)


def _same(value: str, wanted: str, *, numeric: bool) -> bool:
    """Numbers by their value in a number field only: a door code 03 is not 3."""
    a, b = (_number(value), _number(wanted)) if numeric else (None, None)
    return a == b if a is not None and b is not None else fold(value) == fold(wanted)


def _compare(value: str, wanted: str) -> int:
    """Below, equal, above as -1, 0, 1; 0 when either is no number."""
    a, b = _number(value), _number(wanted)
    return 0 if a is None or b is None else (a > b) - (a < b)


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def describe(condition: Condition) -> str:
    """A condition as it stands in a flow file, for people."""
    match condition:
        case HasTag():
            return f"has_tag: {condition.tag}"
        case HasNotTag():
            return f"has_not_tag: {condition.tag}"
        case FieldCondition():
            return f"field: {condition.field} {condition.test.value} {', '.join(condition.values)}"
        case TextCondition():
            return f"text: {', '.join(condition.words.words)}"
        case FirstTime():
            return "first_time"
        case WindowOpen():
            return "window_open"
        case FollowsMe():
            return f"follows_me: {condition.wanted}"
        case Verified():
            return f"verified: {condition.wanted}"
        case Followers():
            return f"followers: {_numbers(condition)}"
        case During():
            return f"during: {condition.hours}"
        case Outside():
            return f"outside: {condition.hours}"
        case CameFromCondition():
            return f"came_from: {', '.join(condition.origins)}"
        case AnyOf():
            return f"any: [{'; '.join(map(describe, condition.conditions))}]"
        case AllOf():
            return f"all: [{'; '.join(map(describe, condition.conditions))}]"
        case NoneOf():
            return f"none: [{'; '.join(map(describe, condition.conditions))}]"
        case _:
            assert_never(condition)


def _numbers(condition: Followers) -> str:
    bounds = (("more_than", condition.more_than), ("less_than", condition.less_than))
    return ", ".join(f"{name} {bound}" for name, bound in bounds if bound is not None) or "unknown"
