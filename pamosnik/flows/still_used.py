"""What --prune leaves: settings that no file mentions any more, and that people who are in a flow still need.

Hours, facts, addresses, pools and fields count as they are now, for people who finish an older version, too. Without
them somebody would be sent a text with a hole in it, or be told that the codes are gone. The next --prune takes them,
when those people are through.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pamosnik.flows.bodies import asked_hours
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import variables

Entries = Mapping[str, object]
BodiesOf = Callable[[str], Sequence[Entries]]

_MAPS_OF_FIELDS = ("set", "add", "save")
_LISTS_OF_FIELDS = ("clear", "send")
_SHARE_NAMES = ("fields", "facts", "codes")
"""No two of these may have an entry of the same name."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """People in one version of a flow."""

    flow_id: str
    body: Mapping[str, object]
    people: int


def leave(
    settings: Mapping[str, object],
    before: Mapping[str, object],
    in_flight: Iterable[InFlight],
    bodies_of: BodiesOf,
    file: str,
) -> tuple[Mapping[str, object], tuple[Problem, ...]]:
    """The settings of the files, and beside them what cannot go yet; what is to be said about that. `bodies_of`: of
    the flows that a `run:` to an id may lead to."""
    left: dict[tuple[str, str], InFlight] = {}
    for one in in_flight:
        for key, name in _needed(_all_ahead(one, bodies_of), before):
            if name in _entries(before, key) and name not in _entries(settings, key):
                left.setdefault((key, name), one)
    outcome = dict(settings)
    for key, name in left:
        outcome[key] = {**_entries(outcome, key), name: _entries(before, key)[name]}
    return outcome, tuple(_problem(key, name, one, settings, file) for (key, name), one in left.items())


def _all_ahead(one: InFlight, bodies_of: BodiesOf) -> list[object]:
    """The steps of this version, and of every flow that it leads into."""
    ahead, seen, to_see = [one.body.get("do")], {one.flow_id}, [one.body.get("do")]
    while to_see:
        for part in _parts(to_see.pop()):
            flow_id = str(part.get("run", one.flow_id))
            if flow_id not in seen:
                seen.add(flow_id)
                steps = [body.get("do") for body in bodies_of(flow_id)]
                ahead += steps
                to_see += steps
    return ahead


def _entries(settings: Mapping[str, object], key: str) -> Entries:
    return cast("Entries", settings.get(key, {}))


def _needed(body: object, before: Mapping[str, object]) -> set[tuple[str, str]]:
    found = {(key, name) for key, names in _NEEDS.items() for name in names(body)}
    texts = set(_variables(body))
    for key, name in sorted(found):
        if key == "webhooks":
            texts |= set(_variables(_entries(before, key).get(name)))
    return found | {(key, name) for key in ("facts", "fields") for name in texts}


def _parts(body: object) -> Iterator[Mapping[str, object]]:
    """Every mapping within."""
    if isinstance(body, Mapping):
        yield body
    inner = body.values() if isinstance(body, Mapping) else body if isinstance(body, list) else ()
    for one in inner:
        yield from _parts(one)


def _variables(body: object) -> Iterator[str]:
    if isinstance(body, str):
        yield from variables(body)
    inner = body.values() if isinstance(body, Mapping) else body if isinstance(body, list) else ()
    for one in inner:
        yield from _variables(one)


def _webhooks(body: object) -> Iterator[str]:
    return (str(part["webhook"]) for part in _parts(body) if part.get("do") == "call")


def _pools(body: object) -> Iterator[str]:
    return (str(part["from"]) for part in _parts(body) if part.get("do") == "give_code")


def _fields(body: object) -> Iterator[str]:
    for part in _parts(body):
        if "save_as" in part:
            yield str(part["save_as"])
        if part.get("if") == "field":
            yield from cast("Entries", part["value"])
        for key in _MAPS_OF_FIELDS:
            if isinstance(within := part.get(key), Mapping):
                yield from within
        for key in _LISTS_OF_FIELDS:
            if isinstance(within := part.get(key), list):
                yield from (one for one in within if isinstance(one, str))


_NEEDS: Mapping[str, Callable[[object], Iterable[str]]] = {
    "hours": asked_hours,
    "webhooks": _webhooks,
    "codes": _pools,
    "fields": _fields,
}
_CALLED = {
    "hours": "the hours",
    "webhooks": "the address",
    "codes": "the codes",
    "fields": "the field",
    "facts": "the fact",
}


def _problem(key: str, name: str, one: InFlight, settings: Mapping[str, object], file: str) -> Problem:
    who = "somebody" if one.people == 1 else f"{one.people} people"
    because = f"{who} in `{one.flow_id}` {'is' if one.people == 1 else 'are'} not through yet"
    shares = _SHARE_NAMES if key in _SHARE_NAMES else ()
    other = next((other for other in shares if name in _entries(settings, other)), None)
    if other is not None:
        message = f"`{name}` cannot move from {key} to {other} yet: {because}"
        hint = "Take another name, or wait until they are through."
        return Problem(file, 1, 1, Severity.ERROR, "still-used", message, hint)
    message = f"no file names {_CALLED[key]} `{name}` any more; for now this stays: {because}"
    hint = "Nothing to do: a later --prune takes it."
    return Problem(file, 1, 1, Severity.NOTE, "left-for-people", message, hint)
