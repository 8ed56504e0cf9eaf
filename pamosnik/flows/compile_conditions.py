"""Conditions of the normal form."""

from collections.abc import Mapping
from typing import cast

from pamosnik.flows.normal import Raw, strings, words_of
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


def conditions(raw: list[Raw]) -> tuple[Condition, ...]:
    return tuple(one for item in raw for one in _condition(item))


def _condition(raw: Raw) -> tuple[Condition, ...]:
    value = raw["value"]
    match raw["if"]:
        case "has_tag":
            return (HasTag(str(value)),)
        case "has_not_tag":
            return (HasNotTag(str(value)),)
        case "field":
            return tuple(
                FieldCondition(field, FieldTest(str(test["test"])), strings(test, "values"))
                for field, test in cast("Mapping[str, Raw]", value).items()
            )
        case "text":
            words = words_of(cast("Raw", value))
            return () if words is None else (TextCondition(words),)
        case "first_time":
            return (FirstTime(),) if value else (NoneOf((FirstTime(),)),)
        case "window_open":
            return (WindowOpen(),) if value else (NoneOf((WindowOpen(),)),)
        case "follows_me":
            return (FollowsMe(_known(value)),)
        case "verified":
            return (Verified(_known(value)),)
        case "followers":
            bounds = cast("Mapping[str, int]", value)
            return (Followers(bounds.get("more_than"), bounds.get("less_than")),)
        case "during":
            return (During(str(value)),)
        case "outside":
            return (Outside(str(value)),)
        case "came_from":
            return (CameFromCondition(tuple(CameFrom(word) for word in cast("list[str]", value))),)
        case "any":
            return (AnyOf(conditions(cast("list[Raw]", value))),)
        case "all":
            return (AllOf(conditions(cast("list[Raw]", value))),)
        case "none":
            return (NoneOf(conditions(cast("list[Raw]", value))),)
        case other:
            raise ValueError(f"unknown condition {other}")


def _known(value: object) -> Known:
    """A word that stands alone is true."""
    return Known.TRUE if value is True else Known(str(value))
