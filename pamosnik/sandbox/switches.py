"""Switches as data: a field of a frozen dataclass with its default, the section it comes from, and a sentence.

Reading them from JSON, showing them and documenting them all go by the fields, so none can be forgotten.
Sections are those of our reference of Meta's platform; docs/sandbox.md lists every switch.
"""

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, TypeVar

from pamosnik.errors import UsageError
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Json

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Described:
    """One switch as the documentation and the phone page show it."""

    name: str
    default: object
    section: str
    says: str
    choices: tuple[str, ...] = ()


def switch(
    default: Any,
    section: str,
    says: str,
    *,
    choices: tuple[str, ...] = (),
    at_least: float | None = None,
    at_most: float | None = None,
) -> Any:
    """The declaration of one switch; the bounds are included."""
    told = {"section": section, "says": says, "choices": choices, "at_least": at_least, "at_most": at_most}
    return field(default=default, metadata=told)


def described(kind: Any) -> tuple[Described, ...]:
    return tuple(
        Described(one.name, one.default, one.metadata["section"], one.metadata["says"], _choices(one))
        for one in _switches(kind)
    )


def names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in _switches(kind))


def changed(now: S, params: Params) -> S:
    """`now` with the switches that `params` names; a value out of bounds is a `UsageError`."""
    given = {one.name: _read(one, params) for one in _switches(now) if one.name in params}
    return replace(now, **given)  # type: ignore[type-var]


def shown(now: object) -> Json:
    return {name: getattr(now, name) for name in names(now)}


def _switches(kind: Any) -> Iterator["Field[Any]"]:
    return (one for one in fields(kind) if "says" in one.metadata)


def _choices(one: "Field[Any]") -> tuple[str, ...]:
    return tuple(one.metadata["choices"])


def _read(one: "Field[Any]", params: Params) -> object:
    match one.default:
        case bool():
            return params.flag(one.name)
        case int():
            return _bounded(one, params.integer(one.name))
        case float():
            return _bounded(one, params.number(one.name))
        case tuple():
            return params.numbers(one.name) or one.default
        case _:
            return _chosen(one, params.text(one.name))


def _bounded(one: "Field[Any]", value: float) -> float:
    least, most = one.metadata["at_least"], one.metadata["at_most"]
    if (least is not None and value < least) or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise UsageError(f"{one.name} is {limits}, not {value}")
    return value


def _chosen(one: "Field[Any]", value: str) -> str:
    if value not in _choices(one):
        raise UsageError(f"{one.name} is one of {', '.join(_choices(one))}, not {value}")
    return value
