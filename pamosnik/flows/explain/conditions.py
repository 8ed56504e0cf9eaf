"""Conditions as clauses that stand behind "if"."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import assert_never

from pamosnik.flows.explain.speech import Speech
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
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

_Join = Callable[[Iterable[str]], str]


def clause(speech: Speech, condition: Condition, *, inside: bool = False) -> str:
    """`inside`: of another condition, so that several in one stand in brackets."""
    said = speech.language.conditions
    match condition:
        case HasTag():
            return said.has_tag.format(tag=speech.quoted(condition.tag))
        case HasNotTag():
            return said.has_not_tag.format(tag=speech.quoted(condition.tag))
        case FieldCondition():
            return _field(speech, condition)
        case TextCondition():
            return said.text.format(words=speech.words(condition.words))
        case FirstTime():
            return said.first_time
        case WindowOpen():
            return said.window_open
        case FollowsMe():
            return said.follows[_known(condition.wanted)]
        case Verified():
            return said.verified[_known(condition.wanted)]
        case Followers():
            return _followers(speech, condition)
        case During():
            return said.during.format(hours=speech.quoted(condition.hours))
        case Outside():
            return said.outside.format(hours=speech.quoted(condition.hours))
        case CameFromCondition():
            return said.came_from.format(
                origins=speech.any_of(said.origins[origin] for origin in condition.origins)
            )
        case AnyOf():
            return _several(speech, condition.conditions, speech.any_clause, inside=inside)
        case AllOf():
            return _several(speech, condition.conditions, speech.all_clauses, inside=inside)
        case NoneOf():
            return _none(speech, condition.conditions, inside=inside)
        case _:
            assert_never(condition)


def asks_instagram(condition: Condition) -> bool:
    """Whether only Instagram knows it, and not of everybody."""
    match condition:
        case FollowsMe() | Verified() | Followers():
            return True
        case AnyOf() | AllOf() | NoneOf():
            return any(map(asks_instagram, condition.conditions))
        case _:
            return False


def all_clauses(speech: Speech, conditions: Sequence[Condition]) -> str:
    return clause(speech, conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions)))


def _several(speech: Speech, conditions: Sequence[Condition], join: _Join, *, inside: bool) -> str:
    joined = join(clause(speech, one, inside=len(conditions) > 1) for one in conditions)
    return f"({joined})" if inside and len(conditions) > 1 else joined


def _none(speech: Speech, conditions: Sequence[Condition], *, inside: bool) -> str:
    said = speech.language.conditions
    if conditions == (FirstTime(),):
        return said.not_first_time
    if conditions == (WindowOpen(),):
        return said.window_closed
    parts = [said.none_item.format(condition=clause(speech, one, inside=True)) for one in conditions]
    made = said.none.format(conditions=", ".join(parts))
    if any(map(asks_instagram, conditions)):
        made = said.none_of_known.format(condition=made)
    return f"({made})" if inside else made


def _known(wanted: Known) -> int:
    return (Known.TRUE, Known.FALSE, Known.UNKNOWN).index(wanted)


def _followers(speech: Speech, condition: Followers) -> str:
    said, more, less = speech.language.conditions, condition.more_than, condition.less_than
    if more is not None and less is not None:
        return said.followers_between.format(more=more, less=less)
    if more is not None:
        return said.more_followers.format(more=more)
    return said.followers_unknown if less is None else said.less_followers.format(less=less)


def _field(speech: Speech, condition: FieldCondition) -> str:
    said, field = speech.language.conditions, speech.quoted(condition.field)
    value = condition.values[0]
    match condition.test:
        case FieldTest.KNOWN:
            return (said.known if value == "true" else said.unknown).format(field=field)
        case FieldTest.IS:
            return said.is_.format(field=field, value=_value(speech, value))
        case FieldTest.IS_NOT:
            return said.is_not.format(field=field, value=_value(speech, value))
        case FieldTest.ONE_OF:
            values = speech.any_of(_value(speech, one) for one in condition.values)
            return said.one_of.format(field=field, values=values)
        case FieldTest.CONTAINS:
            return said.contains.format(field=field, value=speech.quoted(value))
        case FieldTest.MORE_THAN:
            return said.more_than.format(field=field, value=value)
        case FieldTest.LESS_THAN:
            return said.less_than.format(field=field, value=value)
        case FieldTest.BEFORE:
            return said.before.format(field=field, value=_day(speech, value) or value)
        case FieldTest.AFTER:
            return said.after.format(field=field, value=_day(speech, value) or value)
        case _:
            assert_never(condition.test)


def _value(speech: Speech, value: str) -> str:
    return _day(speech, value) or speech.quoted(value)


def _day(speech: Speech, value: str) -> str | None:
    """A date in words; None when it is none."""
    try:
        return speech.day(date.fromisoformat(value))
    except ValueError:
        return None
