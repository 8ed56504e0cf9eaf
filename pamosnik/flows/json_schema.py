"""The JSON Schema that editors complete and check flow files with, written from the rows of the flow language.

Draft 7, which the YAML language servers know best. It takes every file that `validate` takes, and cannot see what
needs more than one place of a file; `validate` has the last word.
"""

from collections.abc import Iterable, Mapping
from typing import assert_never

from pamosnik.flows import schema
from pamosnik.flows.reader import Key, Read, Row
from pamosnik.flows.schema_conditions import BARE_CONDITIONS, CONDITION_DOCS, CONDITIONS
from pamosnik.flows.schema_steps import BESIDE, STEPS
from pamosnik.flows.schema_tests import TEST_STEP_DOCS, TEST_STEPS
from pamosnik.flows.schema_triggers import TRIGGER_DOCS, TRIGGERS
from pamosnik.flows.shapes import (
    AnyJson,
    AnyText,
    Either,
    ListOf,
    MappingOf,
    Ref,
    Shape,
    Shaped,
    TrueOrFalse,
    Whole,
    Words,
    Written,
)
from pamosnik.flows.step_docs import STEP_DOCS

Json = dict[str, object]

_SCALAR = ["string", "number", "boolean"]
"""`03` and `true` are texts where a text is expected; an editor reads a number or a boolean."""
_ANYTHING: Mapping[str, object] = {"type": [*_SCALAR, "object", "array", "null"]}
_AS_NO_TEXT: Mapping[str, object] = {"true": True, "false": False}


def document() -> Json:
    """The whole schema."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Flow file of Pamosnik",
        **_mapping(schema.FILE.keys),
        "definitions": {
            "steps": _list({"$ref": "#/definitions/step"}),
            "step": _one_of_many(_steps(), bare=_bare(STEPS), docs=STEP_DOCS, more=BESIDE.values()),
            "conditions": _list({"$ref": "#/definitions/condition"}),
            "condition": _one_of_many(_conditions(), bare=sorted(BARE_CONDITIONS), docs=CONDITION_DOCS),
            "trigger": _one_of_many(_triggers(), bare=_bare(TRIGGERS), docs=TRIGGER_DOCS),
            "test_step": _one_of_many(_test_steps(), bare=_bare(TEST_STEPS), docs=TEST_STEP_DOCS),
        },
    }


def _steps() -> Mapping[str, Json]:
    return {name: _described(_of(read), STEP_DOCS[name]) for name, read in STEPS.items()}


def _triggers() -> Mapping[str, Json]:
    return {name: _described(_of(row), TRIGGER_DOCS[name]) for name, row in TRIGGERS.items()}


def _test_steps() -> Mapping[str, Json]:
    return {name: _described(_of(read), TEST_STEP_DOCS[name]) for name, read in TEST_STEPS.items()}


def _conditions() -> Mapping[str, Json]:
    return {
        name: _described(
            _any([_of(read), {"type": "null"}]) if name in BARE_CONDITIONS else _of(read),
            CONDITION_DOCS[name],
        )
        for name, read in CONDITIONS.items()
    }


def _bare(kinds: Mapping[str, Read]) -> list[str]:
    """Words that may stand alone."""
    return [name for name, read in kinds.items() if isinstance(read, Row) and read.bare]


def _one_of_many(
    kinds: Mapping[str, Json], *, bare: list[str], docs: Mapping[str, str], more: Iterable[Key] = ()
) -> Json:
    """`- kind: value`, or the word alone where it needs nothing."""
    beside = {key.name: _described(_of(key.read), key.doc) for key in more}
    full: Json = {
        "type": "object",
        "properties": {**kinds, **beside},
        "additionalProperties": False,
        "minProperties": 1,
    }
    alone = [{"const": name, "description": docs[name]} for name in bare]
    return {"anyOf": [full, *alone]}


def _of(read: Read) -> Json:
    """What a reader takes; everything where nobody said."""
    if isinstance(read, Row):
        return _row(read)
    return _shape(read.shape) if isinstance(read, Shaped) else {}


def _row(row: Row) -> Json:
    """A mapping with the row's keys, its short form, or nothing at all."""
    ways: list[Json] = [_mapping(row.keys)] if row.keys else []
    if row.keys and not any(key.required for key in row.keys[1:]):
        ways.append(_of(row.keys[0].read))
    if row.bare:
        ways.append({"type": "null"})
    return _any(ways)


def _mapping(keys: Iterable[Key]) -> Json:
    keys = tuple(keys)
    required = [key.name for key in keys if key.required]
    return {
        "type": "object",
        "properties": {key.name: _described(_of(key.read), key.doc) for key in keys},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _shape(shape: Shape) -> Json:
    match shape:
        case AnyText():
            return {"type": _SCALAR}
        case AnyJson():
            return {"type": [*_SCALAR, "null", "array", "object"]}
        case Written(pattern, examples, or_number):
            shown = {"examples": list(examples)} if examples else {}
            return {"type": _SCALAR if or_number else "string", "pattern": pattern, **shown}
        case Whole(least, most):
            bounds = {"minimum": least, "maximum": most}
            return {"type": "integer", **{name: n for name, n in bounds.items() if n is not None}}
        case TrueOrFalse():
            return {"type": "boolean"}
        case Words(words):
            return {"enum": [way for word in words for way in _ways_to_write(word)]}
        case ListOf(item):
            return _list(_of(item))
        case MappingOf(value, name):
            return _chosen_names(_of(value), name)
        case Ref(name):
            return {"$ref": f"#/definitions/{name}"}
        case Either(readers):
            return _any([_of(read) for read in readers()])
        case _:
            assert_never(shape)


def _chosen_names(value: Json, name: Read) -> Json:
    if isinstance(name, Shaped) and isinstance(name.shape, Words):
        known = dict.fromkeys(name.shape.words, value)
        return {"type": "object", "properties": known, "additionalProperties": False}
    return {"type": "object", "propertyNames": _of(name), "additionalProperties": value}


def _ways_to_write(word: str) -> list[object]:
    if word in _AS_NO_TEXT:
        return [word, _AS_NO_TEXT[word]]
    return [word, int(word)] if word.isdecimal() else [word]


def _list(item: Json) -> Json:
    """One item alone is a list of one."""
    return _any([item, {"type": "array", "minItems": 1, "items": item}])


def _any(ways: list[Json]) -> Json:
    flat: list[object] = []
    for way in ways:
        inner = way["anyOf"] if set(way) == {"anyOf"} else [way]
        assert isinstance(inner, list)
        flat += [one for one in inner if one not in flat]
    return {"anyOf": flat} if len(flat) > 1 or not ways else ways[0]


def _described(of: Json, doc: str) -> Json:
    """In draft 7 nothing counts beside a `$ref`."""
    return {"description": doc, **({"allOf": [of]} if "$ref" in of else of)}
