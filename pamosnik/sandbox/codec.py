"""Frozen dataclasses as JSON and back, by their declared types.

Only what `things` is made of: dataclasses, enums, aware instants, tuples, frozensets, dicts, optional values.
A key nobody knows is refused, for it means a newer writer; a missing one takes the field's default.
"""

import dataclasses
import functools
import types
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Unreadable(ValueError):
    """The JSON does not describe such a value; the text names the place."""


def encode(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case frozenset():
            return sorted(value)
        case tuple():
            return [encode(one) for one in value]
        case _ if dataclasses.is_dataclass(value):
            return {one.name: encode(getattr(value, one.name)) for one in dataclasses.fields(value)}
        case _:
            return value


def decode(kind: type[T], value: object, place: str = "the file") -> T:
    """The value of that type; raises `Unreadable`."""
    decoded: T = _decode(kind, value, place)
    return decoded


def _decode(kind: Any, value: object, place: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return (
            None
            if value is None
            else _decode(next(one for one in inner if one is not type(None)), value, place)
        )
    if origin is tuple:
        return _tuple(inner, _a(list, value, place), place)
    if origin is frozenset:
        return frozenset(_decode(inner[0], one, place) for one in _a(list, value, place))
    if origin is dict:
        pairs = _a(dict, value, place).items()
        return {_a(str, key, place): _decode(inner[1], one, f"{place}.{key}") for key, one in pairs}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _a(dict, value, place), place)
    if kind is float:
        return float(_a((int, float), value, place))
    if isinstance(kind, type) and issubclass(kind, (Enum, datetime)):
        return _named(kind, _a(str, value, place), place)
    return _a(kind, value, place)


def _a(kind: Any, value: object, place: str) -> Any:
    """`value` if it is of that type; true and false are no numbers."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Unreadable(f"{place} is not what it has to be")
    return value


def _tuple(inner: tuple[Any, ...], values: list[object], place: str) -> tuple[Any, ...]:
    if inner[-1] is Ellipsis:
        return tuple(_decode(inner[0], one, f"{place}[{number}]") for number, one in enumerate(values))
    if len(values) != len(inner):
        raise Unreadable(f"{place} has {len(values)} values, not {len(inner)}")
    return tuple(_decode(kind, one, place) for kind, one in zip(inner, values, strict=True))


def _named(kind: Any, text: str, place: str) -> Any:
    try:
        named = datetime.fromisoformat(text) if kind is datetime else kind(text)
    except ValueError:
        raise Unreadable(f"{place} must not be {text!r}") from None
    if kind is datetime and named.tzinfo is None:
        raise Unreadable(f"{place} has no time zone")
    return named


def _dataclass(kind: Any, values: Mapping[str, object], place: str) -> Any:
    known = _hints(kind)
    for name in values:
        if name not in known:
            raise Unreadable(f"{place} has the unknown key {name!r}")
    given = {name: _decode(known[name], one, f"{place}.{name}") for name, one in values.items()}
    try:
        return kind(**given)
    except TypeError:
        missing = sorted(name for name in known if name not in given)
        raise Unreadable(f"{place} lacks {', '.join(missing)}") from None


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    names = {one.name for one in dataclasses.fields(kind)}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in names}
