"""A flow in lines, to be compared by people: the file's words, one layout, every short form the same.

Not for reading back: that is `flows export`.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from pamosnik.flows import durations, schema
from pamosnik.flows.normal import Raw
from pamosnik.flows.reader import Row
from pamosnik.flows.schema_steps import STEPS
from pamosnik.flows.schema_triggers import TRIGGERS
from pamosnik.flows.schema_words import DAYS

_NOT_SHOWN = ("tests", "was")
_DURATIONS = ("for", "up_to", "give_up_after", "timeout", "pause", "typing", "per_person")
_STEPS = ("do", "else", "then", "if_no_answer", "if_not", "if_it_fails", "if_empty")
_ONE_BELOW_THE_OTHER = ("one_of:",)
_INLINE_CHARS = 90


def flow_lines(body: Raw) -> list[str]:
    """Two flows of different versions give different lines."""
    keys = [key.name for key in schema.FLOW.keys if key.name in body and key.name not in _NOT_SHOWN]
    return [line for key in keys for line in _entry(key, body[key])]


def _entry(key: str, value: object) -> Iterator[str]:
    yield from _under(f"{key}:", _readable(key, value))


def _under(head: str, value: object) -> Iterator[str]:
    """A value behind its key where it fits, else below it."""
    inline = None if head in _ONE_BELOW_THE_OTHER else _inline(value)
    if inline is not None and len(inline) <= _INLINE_CHARS:
        yield f"{head} {inline}".rstrip()
    elif isinstance(value, str):
        yield head
        yield from (f"  {line}" for line in value.split("\n"))
    else:
        yield head
        yield from (f"  {line}" for line in _block(value))


def _block(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _under(f"{key}:", inner)
    elif isinstance(value, list):
        for item in value:
            yield from _item(item)
    else:
        yield str(_inline(value))


def _item(item: object) -> Iterator[str]:
    inline = _inline(item)
    if inline is not None and len(inline) <= _INLINE_CHARS:
        yield f"- {inline}"
        return
    for number, line in enumerate(_block(item)):
        yield f"{'  ' if number else '- '}{line}"


def _inline(value: object) -> str | None:
    """On one line; None for what needs several."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case str():
            return None if "\n" in value else f'"{value}"' if value != value.strip() or not value else value
        case list():
            parts = [f'"{one}"' if isinstance(one, str) and "," in one else _inline(one) for one in value]
            plain = all(
                part is not None and not isinstance(one, dict) for part, one in zip(parts, value, strict=True)
            )
            return f"[{', '.join(str(part) for part in parts)}]" if plain else None
        case dict():
            if len(value) == 1:
                ((key, inner),) = value.items()
                said = None if f"{key}:" in _ONE_BELOW_THE_OTHER else _inline(inner)
                return None if said is None else f"{key}: {said}"
            return "" if not value else None
        case _:
            return str(value)


# --- from the normal form to the words of the file -----------------------------------------------------------


def _readable(key: str, value: object) -> object:
    if key in _DURATIONS and isinstance(value, int):
        return durations.written(value)
    if key == "wait_first":
        first, last = cast("list[int]", value)
        return f"{durations.written(first)} to {durations.written(last)}"
    if key == "days":
        return [DAYS[day] if isinstance(day, int) else day for day in cast("list[object]", value)]
    if key in _STEPS:
        return [_step(step) for step in cast("list[Raw]", value)]
    if key == "when":
        return [
            _verb(str(one["trigger"]), _without(one, "trigger"), TRIGGERS) for one in cast("list[Raw]", value)
        ]
    if key in ("only_if", "if", "audience"):
        return [_condition(one) for one in cast("list[Raw]", value)]
    return _inner(value)


def _inner(value: object) -> object:
    if isinstance(value, Mapping):
        return _first_alone({key: _readable(key, inner) for key, inner in value.items()}, "label")
    if isinstance(value, list):
        return [_inner(item) for item in value]
    return value


def _without(raw: Raw, *keys: str) -> Raw:
    return {key: value for key, value in raw.items() if key not in keys}


def _first_alone(raw: Raw, first: str) -> object:
    """The short form: the first key's value, where nothing stands beside it; a list of one word is that word."""
    if raw.keys() != {first}:
        return raw
    value = raw[first]
    alone = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
    return value[0] if alone and isinstance(value, list) else value


def _verb(verb: str, rest: Raw, rows: Mapping[str, object]) -> object:
    row = rows.get(verb)
    first = row.keys[0].name if isinstance(row, Row) and row.keys else verb
    if not rest:
        return verb
    return {verb: _first_alone({key: _readable(key, value) for key, value in rest.items()}, first)}


def _step(step: Raw) -> object:
    verb = str(step["do"])
    rest = _without(step, "do", "id", "at_most")
    if verb == "split":
        ways = {str(way["name"]): _without(way, "name") for way in cast("list[Raw]", step.get(verb, []))}
        rest = {verb: ways}
    shown = _verb(verb, rest, STEPS)
    beside = {key: step[key] for key in ("id", "at_most") if key in step}
    if not beside:
        return shown
    return {**(shown if isinstance(shown, dict) else {verb: {}}), **beside}


def _condition(raw: Raw) -> object:
    kind, value = str(raw["if"]), raw["value"]
    if kind in ("any", "all", "none"):
        return {kind: [_condition(one) for one in cast("list[Raw]", value)]}
    if kind == "field":
        return {kind: {name: _test(test) for name, test in cast("Mapping[str, Raw]", value).items()}}
    if value is True:
        return kind
    return {kind: _first_alone(cast("Raw", value), "words") if isinstance(value, dict) else value}


def _test(raw: Raw) -> object:
    values = cast("list[str]", raw["values"])
    said: object = values[0] if len(values) == 1 else values
    return said if raw["test"] == "is" and len(values) == 1 else {str(raw["test"]): said}
