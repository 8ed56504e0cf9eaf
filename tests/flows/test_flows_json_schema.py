"""The schema for editors: takes what `validate` takes, refuses what no reader could take, explains every key."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pamosnik.flows import (
    json_schema,
    reference,
    schema,
    schema_conditions,
    schema_steps,
    schema_triggers,
    source,
)
from tests.flows.corpus_files import Case, cases

_SCHEMA: dict[str, Any] = json_schema.document()
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}
_KEYWORDS = {
    *(
        "$schema",
        "$ref",
        "title",
        "description",
        "definitions",
        "examples",
        "type",
        "enum",
        "const",
        "pattern",
    ),
    *(
        "properties",
        "additionalProperties",
        "propertyNames",
        "minProperties",
        "required",
        "items",
        "minItems",
    ),
    *("anyOf", "allOf", "minimum", "maximum"),
}


def _data(node: source.Node | None) -> object:
    """What an editor reads: YAML 1.2."""
    if isinstance(node, source.Sequence):
        return [_data(item) for item in node.items]
    if isinstance(node, source.Mapping):
        return {key.value: _data(value) for key, value in node.entries}
    assert node is not None
    if not node.plain:
        return node.value
    if re.fullmatch(r"[-+]?\d+", node.value):
        return int(node.value)
    return {"": None, "~": None, "null": None, "true": True, "false": False}.get(node.value, node.value)


def _is(value: object, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number if kind in ("integer", "number") else isinstance(value, _TYPES[kind])


def _fits(of: dict[str, Any], value: Any) -> bool:
    """As much of draft 7 as the schema uses."""
    assert set(of) <= _KEYWORDS, set(of) - _KEYWORDS
    if "$ref" in of:
        return _fits(_SCHEMA["definitions"][of["$ref"].rpartition("/")[2]], value)
    kinds = of.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    alike = [*of.get("enum", []), *([of["const"]] if "const" in of else [])]
    return (
        (not kinds or any(_is(value, kind) for kind in kinds))
        and (not alike or any(item == value and type(item) is type(value) for item in alike))
        and ("anyOf" not in of or any(_fits(one, value) for one in of["anyOf"]))
        and all(_fits(one, value) for one in of.get("allOf", []))
        and (not isinstance(value, str) or re.search(of.get("pattern", ""), value) is not None)
        and (not isinstance(value, list) or _list_fits(of, value))
        and (not isinstance(value, dict) or _mapping_fits(of, value))
    )


def _list_fits(of: dict[str, Any], value: list[Any]) -> bool:
    return len(value) >= of.get("minItems", 0) and all(_fits(of.get("items", {}), item) for item in value)


def _mapping_fits(of: dict[str, Any], value: dict[str, Any]) -> bool:
    known, more = of.get("properties", {}), of.get("additionalProperties", True)
    return (
        set(of.get("required", ())) <= set(value)
        and len(value) >= of.get("minProperties", 0)
        and all(_fits(of.get("propertyNames", {}), key) for key in value)
        and all(
            _fits(known[key], inner)
            if key in known
            else _fits(more, inner)
            if isinstance(more, dict)
            else more
            for key, inner in value.items()
        )
    )


def _takes(text: str) -> bool:
    return _fits(_SCHEMA, _data(source.read(text, "x")[0]))


_FILES = {"flows.example.yaml": Path("flows.example.yaml").read_text("utf-8"), **reference.EXAMPLES}


@pytest.mark.parametrize("name", _FILES)
def test_it_takes_the_example_and_every_file_of_the_reference(name: str) -> None:
    assert _takes(_FILES[name])


@pytest.mark.parametrize(
    ("flow", "taken"),
    [
        ("when: dm\n    do: stop", True),
        ("when: { dm: [1, true] }\n    do: { tag: 2024 }", True),
        ("when: { comment: price }\n    limits: once\n    do: [{ send: { text: a, buttons: More } }]", True),
        ("only_if: [first_time, first_time: false]\n    do: [{ id: x, wait: 1h30m }]", True),
        (
            "do: [{ ask: { question: q, choices: [a, { label: b, do: [{ choose: { else: stop } }] }] } }]",
            True,
        ),
        ("do: [{ sned: a }]", False),
        ("do: [{ send: { txt: a } }]", False),
        ("do: [{ wait: 90 }]", False),
        ("do: [{ wait: 1.5h }]", False),
        ("do: [{ ask: { question: q, optional: yes } }]", False),
        ("do: [{ ask: { question: q, choices: [{ label: b, do: [{ choose: { els: stop } }] }] } }]", False),
        ("when: { dmm: x }\n    do: stop", False),
        ("only_if: [last_time]\n    do: stop", False),
        ("mode: twice\n    do: stop", False),
        ("when: dm", False),
    ],
)
def test_short_forms_and_mistakes(flow: str, taken: bool) -> None:
    assert _takes(f"version: 1\nflows:\n  a:\n    {flow}\n") is taken


def test_every_word_of_the_language_is_in_it_with_its_meaning() -> None:
    kinds: dict[str, Mapping[str, object]] = {
        "step": schema_steps.STEPS,
        "condition": schema_conditions.CONDITIONS,
        "trigger": schema_triggers.TRIGGERS,
    }
    for name, words in kinds.items():
        full = _SCHEMA["definitions"][name]["anyOf"][0]["properties"]
        assert set(full) - {"id", "at_most"} == set(words)
        assert all(full[word]["description"] for word in words)
    flow = _SCHEMA["properties"]["flows"]["additionalProperties"]["properties"]
    assert {key.name: key.doc for key in schema.FLOW.keys} == {
        name: of["description"] for name, of in flow.items()
    }
    assert set(_SCHEMA["properties"]) == {key.name for key in schema.FILE.keys}


def test_every_part_that_is_referred_to_is_there() -> None:
    referred = set(re.findall(r'"#/definitions/(\w+)"', json.dumps(_SCHEMA)))
    assert referred <= set(_SCHEMA["definitions"])


def _without_a_shape(of: object, path: str) -> list[str]:
    """Places of the schema that take everything: a reader that nobody described."""
    if of == {} and not path.endswith((".properties", ".examples")):
        return [path]
    if isinstance(of, dict):
        return [place for key, inner in of.items() for place in _without_a_shape(inner, f"{path}.{key}")]
    if isinstance(of, list):
        return [place for n, inner in enumerate(of) for place in _without_a_shape(inner, f"{path}.{n}")]
    return []


def test_every_reader_says_what_it_takes() -> None:
    """A reader without a shape let editors take anything."""
    assert _without_a_shape(_SCHEMA, "") == []


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.title)
def test_it_takes_every_valid_file_of_the_corpus(case: Case) -> None:
    for name, text in case.files.items():
        node, _ = source.read(text, name)
        assert _fits(_SCHEMA, _data(node)), name
