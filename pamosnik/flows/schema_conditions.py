"""Conditions: a reader each."""

from pamosnik.flows import source
from pamosnik.flows.kinds import boolean, integer, kept_items, list_of, mapping_of, name, one_of, text
from pamosnik.flows.reader import Json, Key, Read, Reader, Row, is_empty, items
from pamosnik.flows.schema_words import BUT_NOT, MATCH_KEY, WORDS, texts
from pamosnik.flows.shapes import Either, Ref, Whole, Words, shaped
from pamosnik.flows.source import Node, Scalar
from pamosnik.model.condition import CameFrom, FieldTest

_TESTS = Row(
    "field",
    tuple(
        Key(
            test.value,
            boolean if test is FieldTest.KNOWN else texts,
            f"How the field's value compares: {test}.",
        )
        for test in FieldTest
    ),
)


@shaped(Either(lambda: (texts, _TESTS)))
def _field_test(reader: Reader, node: Node, path: str) -> Json:
    """{test, values} of one field; a value alone is `is`."""
    reader.positions[path] = node.mark
    if not isinstance(node, source.Mapping):
        if isinstance(node, source.Sequence):
            values = texts(reader, node, path)
            return None if values is None else {"test": FieldTest.ONE_OF.value, "values": values}
        value = text(reader, node, path)
        return None if value is None else {"test": FieldTest.IS.value, "values": [value]}
    if len(node.entries) != 1:
        reader.error(node.mark, "one-test", "one comparison is expected here", "Put several under `all:`.")
        return None
    key, inner = node.entries[0]
    if key.value not in tuple(FieldTest):
        reader.unknown(key.mark, "comparison", key.value, tuple(FieldTest))
        return None
    if key.value == FieldTest.KNOWN:
        known = boolean(reader, inner, path)
        return None if known is None else {"test": key.value, "values": ["true" if known else "false"]}
    values = texts(reader, inner, path)
    if isinstance(values, list) and len(values) > 1 and key.value != FieldTest.ONE_OF:
        reader.error(inner.mark, "one-value", f"`{key.value}` takes one value", "Use `one_of` for several.")
        return None
    return None if values is None else {"test": key.value, "values": values}


@shaped(Words(("true", "false", "unknown")))
def _known(reader: Reader, node: Node, path: str) -> Json:
    """A three-valued fact."""
    reader.positions[path] = node.mark
    if isinstance(node, Scalar) and node.value in ("true", "false", "unknown"):
        return node.value
    written = node.value.strip().lower() if isinstance(node, Scalar) else ""
    right = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(written)
    hint = f"Write `{right}`." if right else None
    message = "`true`, `false` or `unknown` is expected here"
    reader.error(node.mark, "boolean-expected", message, hint)
    return None


@shaped(Whole(0))
def _count(reader: Reader, node: Node, path: str) -> Json:
    found = integer(reader, node, path)
    if isinstance(found, int) and found < 0:
        reader.error(node.mark, "number-expected", "nobody has fewer than 0 followers")
        return None
    return found


_BOUNDS = Row(
    "followers",
    (
        Key("more_than", _count, "More people than this follow them."),
        Key("less_than", _count, "Fewer people than this follow them."),
    ),
)


@shaped(Either(lambda: (one_of("unknown"), _BOUNDS)))
def _followers(reader: Reader, node: Node, path: str) -> Json:
    if isinstance(node, Scalar) and node.value == "unknown":
        reader.positions[path] = node.mark
        return {}
    found = _BOUNDS(reader, node, path)
    if found == {} and isinstance(node, source.Mapping) and not node.entries:
        reader.error(
            node.mark, "number-expected", "a number is expected here", "Write it like { more_than: 1000 }."
        )
    return found or None


@shaped(Ref("conditions"))
def conditions(reader: Reader, node: Node, path: str) -> Json:
    """A list of conditions, all of which must hold. Each is {if: kind, …}."""
    reader.positions[path] = node.mark
    if is_empty(node) or items(node) == ():
        reader.error(node.mark, "empty-list", "a condition is expected here")
        return None
    return kept_items(reader, node, path, _conditions_of_one_item) or None


def _conditions_of_one_item(reader: Reader, node: Node, path: str) -> Json:
    """Several in one mapping mean all of them."""
    if isinstance(node, Scalar):
        return _condition(reader, node, None, path)
    if not isinstance(node, source.Mapping) or not node.entries:
        reader.error(node.mark, "condition-expected", "a condition is expected here")
        return None
    if len(node.entries) == 1:
        return _condition(reader, *node.entries[0], path)
    inner: list[Json] = []
    for key, value in node.entries:
        if key.value not in CONDITIONS and reader.comma_in_braces(node, key, value):
            reader.lose(path, key)
            continue
        found = _condition(reader, key, value, f"{path}.all.{len(inner)}")
        if found is None:
            reader.lose(path, key, value)
        else:
            inner.append(found)
    return {"if": "all", "value": inner}


def _condition(reader: Reader, key: Scalar, value: Node | None, path: str) -> Json:
    kind = key.value
    reader.positions[path] = key.mark
    if kind not in CONDITIONS:
        reader.unknown(key.mark, "condition", kind, CONDITIONS)
        return None
    read = CONDITIONS[kind]
    if value is None or is_empty(value):
        if kind in BARE_CONDITIONS:
            return {"if": kind, "value": True}
        reader.error(key.mark, "missing-value", f"`{kind}` needs a value")
        return None
    inner = read(reader, value, f"{path}.{kind}")
    return None if inner is None else {"if": kind, "value": inner}


CONDITIONS: dict[str, Read] = {
    "has_tag": name,
    "has_not_tag": name,
    "field": mapping_of(_field_test),
    "text": Row("text", (WORDS, MATCH_KEY, BUT_NOT)),
    "first_time": boolean,
    "window_open": boolean,
    "follows_me": _known,
    "verified": _known,
    "followers": _followers,
    "during": name,
    "outside": name,
    "came_from": list_of(one_of(*CameFrom)),
    "any": conditions,
    "all": conditions,
    "none": conditions,
}
BARE_CONDITIONS = frozenset({"first_time", "window_open", "follows_me", "verified"})
CONDITION_DOCS = {
    "has_tag": "The person has this tag.",
    "has_not_tag": "The person does not have this tag.",
    "field": "A custom field: `NAME: value`, or `NAME: {is, is_not, one_of, contains, more_than, …}`.",
    "text": "What they wrote has one of these words.",
    "first_time": "This person never started this flow before.",
    "window_open": "An ordinary message may be sent to them now.",
    "follows_me": "They follow you: `true`, `false` or `unknown`. Instagram is asked when it is needed; of people who"
    " have only commented it is unknown. The same holds for the next two.",
    "verified": "Instagram has verified them: `true`, `false` or `unknown`.",
    "followers": "How many follow them: `more_than: N`, `less_than: N`, both, or `unknown`.",
    "during": "These `hours` are open now.",
    "outside": "These `hours` are not open now.",
    "came_from": "How the run began: `comment`, `dm`, `story`, `link`, `ad`.",
    "any": "At least one of these is true.",
    "all": "All of these are true.",
    "none": "None of these is true.",
}
