"""The way back from the normal form: flows and settings as a person would write them, short forms and all.

The rows of the schema lead the way here as they lead `reader` on the way in, so a new key needs nothing here. What is
read from the outcome is the normal form that it was made of.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import cast

from pamosnik.flows import durations, layout, schema
from pamosnik.flows.formatting import space_out
from pamosnik.flows.kinds import DURATION, RANGE
from pamosnik.flows.reader import Read, Row
from pamosnik.flows.schema_conditions import CONDITIONS
from pamosnik.flows.schema_steps import BESIDE, STEPS
from pamosnik.flows.schema_tests import TEST_STEPS
from pamosnik.flows.schema_triggers import TRIGGERS
from pamosnik.flows.schema_words import A_DAY, DAYS
from pamosnik.flows.shapes import AnyJson, Either, ListOf, MappingOf, Ref, Shape, Shaped, Words
from pamosnik.flows.written import BLANK, Collection, Entry, File, Node, Scalar
from pamosnik.model.condition import FieldTest

_WIDTH = 100
_SENTENCE = 20
"""Characters from which on the texts of a list get a line each."""
_IN_FULL = frozenset(
    {"limits", "active", "words", "followers", "wait_for", "person", "expect", "option", "else"}
)
"""Rows whose first key is written though it need not be: without it nobody would know what is meant."""
_SAYS_SOMETHING_ELSE = re.compile(r"(?i:true|false|null|yes|no|on|off)")
_WORD = re.compile(r"[^\W\d_][\w/-]*")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_UNSEEN = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]")

Raw = Mapping[str, object]


class _Lines(Collection):
    """One that is never put into brackets."""


def flow_file(
    flows: Sequence[tuple[str, Raw]],
    settings: Raw,
    *,
    head: Sequence[str] = (),
    remarks: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """A whole flow file, in the layout of `formatting`. `flows`: (id, normal form) in their order; `head`: comments
    above everything; `remarks`: flow id → comments above it."""
    root = _tree(flows, settings)
    for part in root.entries:
        if _name(part) == "flows":
            assert isinstance(part.value, Collection)
            for flow in part.value.entries:
                flow.before = [f"# {one}" for one in (remarks or {}).get(_name(flow), ())]
    file = File([*(f"# {one}" for one in head), *([BLANK] if head else [])], has_marker=False, root=root)
    space_out(file)
    return layout.print_file(file)


def _tree(flows: Sequence[tuple[str, Raw]], settings: Raw) -> Collection:
    bodies = {flow_id: _without_what_fields_say(body, settings) for flow_id, body in flows}
    whole: Raw = {"version": "1", **settings, **({"flows": bodies} if bodies else {})}
    root = _row(schema.FILE, whole, "")
    assert isinstance(root, Collection)
    for part in root.entries:
        part.value = _on_lines(part.value)
        if _name(part) == "flows":
            assert isinstance(part.value, Collection)
            for flow in part.value.entries:
                flow.value = _on_lines(flow.value)
    _arrange(root, 0)
    return root


def _on_lines(node: Node) -> Node:
    return _Lines(node.entries, node.is_mapping) if isinstance(node, Collection) else node


def _without_what_fields_say(body: Raw, settings: Raw) -> Raw:
    """The reader adds to a question what its field holds: what it would add again need not stand there."""
    fields = cast("Mapping[str, Raw]", settings.get("fields", {}))

    def without(value: object) -> object:
        if isinstance(value, list):
            return [without(one) for one in value]
        if not isinstance(value, dict):
            return value
        field = fields.get(str(value.get("save_as")), {}) if value.get("do") == "ask" else {}
        choices = [{"label": choice} for choice in cast("list[str]", field.get("choices", ()))]
        told = {"accept": field.get("type")}
        if field.get("type") == "choice":
            told = {"choices": choices}
        same = {key for key, one in told.items() if one is not None and value.get(key) == one}
        # With both, the one that stayed would keep the reader from adding the other.
        drop = same if not {"accept", "choices"} & (value.keys() - same) else set()
        return {key: without(one) for key, one in value.items() if key not in drop}

    return cast("Raw", without(body))


# --- by shape --------------------------------------------------------------------------------------------


def _write(read: Read, value: object, key: str) -> Node:
    """The value of a key as `read` would read it."""
    if isinstance(read, Row):
        return _row(read, cast("Raw", value), key)
    shape = read.shape if isinstance(read, Shaped) else None
    if isinstance(value, bool) and not isinstance(shape, AnyJson):
        return _plain("true" if value else "false")
    if shape == DURATION and isinstance(value, int):
        return _plain(durations.written(value))
    if shape == RANGE and isinstance(value, list):
        first, last = (durations.written(one) for one in value)
        return _plain(first if first == last else f"{first} to {last}")
    return _by_shape(shape, value, key)


def _by_shape(shape: Shape | None, value: object, key: str) -> Node:
    match shape:
        case ListOf(item) if isinstance(item, Shaped) and item.shape == A_DAY:
            return _list([_plain(one) for one in days_as_written(cast("list[int | str]", value))])
        case ListOf(item):
            return _list_of(item, cast("list[object]", value), key)
        case MappingOf(inner, _) if isinstance(value, list):
            ways = [(str(way["name"]), _write(inner, _without(way, "name"), key)) for way in value]
            return _on_lines(_mapping(ways))
        case MappingOf(inner, _):
            named = cast("Mapping[str, object]", value)
            return _mapping([(name, _write(inner, one, name)) for name, one in named.items()])
        case Either(readers):
            return _either(readers(), value, key)
        case Ref(name):
            return _REFS[name](value, key)
        case AnyJson():
            return _json(value)
        case Words():
            return _plain(str(value))
    return _plain(str(value)) if isinstance(value, int) else _text(str(value))


def _list_of(item: Read, values: list[object], key: str) -> Node:
    nodes = [_write(item, one, key) for one in values]
    if isinstance(item, Row):
        # A list here would be taken for several of them.
        nodes = [
            _row(item, cast("Raw", one), key, short=False) if _is_list(node) else node
            for one, node in zip(values, nodes, strict=True)
        ]
        if len(nodes) == 1:
            return nodes[0]
    if isinstance(item, Shaped) and item.shape in (Ref("trigger"), Ref("test_step")):
        return _Lines([Entry(None, node) for node in nodes], is_mapping=False)
    if any(isinstance(one, dict) for one in values) or key in _MORE_THAN_ONE:
        many = Collection([Entry(None, node) for node in nodes], is_mapping=False)
        return _on_lines(many) if key in ("choose", "tests") else many
    return _list(nodes)


_MORE_THAN_ONE = frozenset({"choices", "buttons", "chips", "cards", "one_of"})
"""Lists even where one stands alone: there is hardly ever one."""


def _either(readers: Sequence[Read], value: object, key: str) -> Node:
    """The one of several readers that made this."""
    if isinstance(value, dict):
        rows = [one for one in readers if isinstance(one, Row)]
        fits = [row for row in rows if value.keys() <= {one.name for one in row.keys}]
        named = (one for one in readers if _has_shape(one, MappingOf))
        return _write(fits[0] if fits else next(named, rows[0] if rows else readers[0]), value, key)
    wanted = ListOf if isinstance(value, list) else MappingOf
    if isinstance(value, list):
        return _write(next(one for one in readers if _has_shape(one, wanted)), value, key)
    if isinstance(value, int) and not isinstance(value, bool):
        return _write(next(one for one in readers if _has_shape(one, type(DURATION))), value, key)
    if isinstance(value, str) and any(_is_word(one, value) for one in readers):
        return _plain(value)
    return _plain("true" if value else "false") if isinstance(value, bool) else _text(str(value))


def _has_shape(read: Read, kind: type) -> bool:
    return isinstance(read, Shaped) and isinstance(read.shape, kind)


def _is_word(read: Read, value: str) -> bool:
    return isinstance(read, Shaped) and isinstance(read.shape, Words) and value in read.shape.words


def _row(row: Row, value: Raw, key: str, *, short: bool = True) -> Node:
    if not value and row.bare:
        return _plain("")
    here = [(one.name, _write(one.read, value[one.name], one.name)) for one in row.keys if one.name in value]
    may = short and row.name not in _IN_FULL and not any(one.required for one in row.keys[1:])
    if row.name == "option":
        may = len(here) == 1
    if may and len(here) == 1 and here[0][0] == row.keys[0].name and not _is_mapping(here[0][1]):
        return here[0][1]
    return _mapping(here)


# --- steps, conditions, triggers -------------------------------------------------------------------------


def _steps(value: object, _key: str) -> Node:
    return _Lines([Entry(None, _step(one)) for one in cast("list[Raw]", value)], is_mapping=False)


def _step(raw: Raw) -> Node:
    kind = str(raw["do"])
    body = _without(raw, "do", *BESIDE)
    read = STEPS[kind]
    takes_all = isinstance(read, Row) or isinstance(cast("Shaped", read).shape, Either)
    verb = _write(read, body if takes_all else body[kind], kind)
    beside = {name: _write(one.read, raw[name], name) for name, one in BESIDE.items() if name in raw}
    first = [("id", beside.pop("id"))] if "id" in beside else []
    return _kind(kind, verb, first, list(beside.items()))


def _kind(
    kind: str,
    value: Node,
    before: Sequence[tuple[str, Node]] = (),
    after: Sequence[tuple[str, Node]] = (),
) -> Node:
    """`kind: value`, or the word alone."""
    if not before and not after and isinstance(value, Scalar) and not value.written:
        return _plain(kind)
    return _mapping([*before, (kind, value), *after])


def _by_kind(word: str, kinds: Mapping[str, Read]) -> Callable[[object, str], Node]:
    """Of a normal form that names its kind under `word`."""

    def write(value: object, key: str) -> Node:
        raw = cast("Raw", value)
        kind = str(raw[word])
        return _kind(kind, _write(kinds[kind], _without(raw, word), key))

    return write


def _conditions(value: object, key: str) -> Node:
    nodes = [_condition(one) for one in cast("list[Raw]", value)]
    if key == "only_if":
        return _Lines([Entry(None, node) for node in nodes], is_mapping=False)
    return _list(nodes)


def _condition(raw: Raw) -> Node:
    kind, value = str(raw["if"]), raw["value"]
    if kind == "all":
        inner = cast("list[Raw]", value)
        kinds = {str(one["if"]) for one in inner}
        if len(kinds) == len(inner) > 1:
            return _mapping([_named_condition(one) for one in inner])
    name, node = _named_condition(raw)
    return _kind(name, node)


def _named_condition(raw: Raw) -> tuple[str, Node]:
    kind, value = str(raw["if"]), raw["value"]
    if value is True:
        return kind, _plain("")
    if kind == "followers" and value == {}:
        return kind, _plain("unknown")
    if kind == "field":
        tests = cast("Mapping[str, Raw]", value)
        return kind, _mapping([(name, _field_test(test)) for name, test in tests.items()])
    return kind, _write(CONDITIONS[kind], value, kind)


def _field_test(raw: Raw) -> Node:
    test, values = FieldTest(str(raw["test"])), cast("list[str]", raw["values"])
    if test is FieldTest.KNOWN:
        return _mapping([(test.value, _plain(values[0]))])
    if test is FieldTest.IS:
        return _text(values[0])
    if test is FieldTest.ONE_OF and len(values) > 1:
        return _list([_text(one) for one in values])
    return _mapping([(test.value, _list([_text(one) for one in values]))])


_REFS: Mapping[str, Callable[[object, str], Node]] = {
    "steps": _steps,
    "conditions": _conditions,
    "trigger": _by_kind("trigger", TRIGGERS),
    "test_step": _by_kind("step", TEST_STEPS),
}


# --- texts and numbers -----------------------------------------------------------------------------------


def _plain(written: str) -> Scalar:
    return Scalar(written, written)


def _text(value: str) -> Scalar:
    """Over several lines as a block, where every sign of it can be seen there."""
    lines = value.removesuffix("\n").split("\n")
    sayable = value.replace("\n", "").isprintable() and "\\" not in value and not _UNSEEN.search(value)
    if len(lines) > 1 and sayable and all(lines) and not any(_has_edges(line) for line in lines):
        return Scalar("|" if value.endswith("\n") else "|-", value, "|", lines=lines)
    return _line(value)


def _line(value: str) -> Scalar:
    """Without quotes where it is a word that nobody reads otherwise."""
    word = _WORD.fullmatch(value) and not _SAYS_SOMETHING_ELSE.fullmatch(value)
    if word or _NUMBER.fullmatch(value):
        return _plain(value)
    quoted = _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value, ensure_ascii=False))
    return Scalar(quoted, value, '"')


def _has_edges(line: str) -> bool:
    return line != line.strip() or line.startswith(("\t", "#"))


def _json(value: object) -> Node:
    match value:
        case None:
            return _plain("null")
        case bool():
            return _plain("true" if value else "false")
        case int():
            return _plain(str(value))
        case float():
            return _plain(f"{Decimal(repr(value)):f}")
        case list():
            return Collection([Entry(None, _json(one)) for one in value], is_mapping=False)
        case dict():
            return _mapping([(str(name), _json(one)) for name, one in value.items()])
        case _:
            return _quoted(str(value))


def _quoted(value: str) -> Scalar:
    """A text that must not be taken for a number."""
    found = _text(value)
    return Scalar(f'"{value}"', value, '"') if not found.style else found


def days_as_written(days: list[int | str]) -> list[str]:
    """Three days in a row and more as `mon to wed`."""
    found: list[str] = []
    while days:
        length = 1
        while _follows(days, length):
            length += 1
        first, last = days[0], days[length - 1]
        if isinstance(first, int) and isinstance(last, int) and length > 2:
            found.append(f"{DAYS[first]} to {DAYS[last]}")
            days = days[length:]
        else:
            found.append(DAYS[first] if isinstance(first, int) else first)
            days = days[1:]
    return found


def _follows(days: list[int | str], length: int) -> bool:
    """Whether the day there is the one after the day before it. A week ends where it would begin again."""
    if length == len(days) or length == len(DAYS):
        return False
    before, day = days[length - 1], days[length]
    return isinstance(before, int) and isinstance(day, int) and day == (before + 1) % len(DAYS)


# --- lists and mappings ----------------------------------------------------------------------------------


def _mapping(entries: Sequence[tuple[str, Node]]) -> Collection:
    return Collection([Entry(_line(name), node) for name, node in entries], is_mapping=True)


def _list(nodes: list[Node]) -> Node:
    """One item stands for a list of one."""
    if len(nodes) == 1 and not _is_list(nodes[0]):
        return nodes[0]
    return Collection([Entry(None, node) for node in nodes], is_mapping=False)


def _is_mapping(node: Node) -> bool:
    return isinstance(node, Collection) and node.is_mapping


def _is_list(node: Node) -> bool:
    return isinstance(node, Collection) and not node.is_mapping


def _without(raw: Raw, *names: str) -> Raw:
    return {name: value for name, value in raw.items() if name not in names}


def _name(entry: Entry) -> str:
    return entry.key.value if isinstance(entry.key, Scalar) else ""


def _arrange(node: Collection, indent: int) -> None:
    """Puts what fits on a line into brackets, below a node that takes several lines."""
    for entry in node.entries:
        value = entry.value
        if not isinstance(value, Collection):
            continue
        head = 2 if entry.key is None else len(_name(entry)) + 2
        fits = indent + head + len(layout.inline(value)) <= _WIDTH
        item = entry.key is None and isinstance(node, _Lines)
        value.in_brackets = fits and not item and not _needs_lines(value)
        if not value.in_brackets:
            _arrange(value, indent + 2)


def _needs_lines(node: Node) -> bool:
    if not isinstance(node, Collection):
        return isinstance(node, Scalar) and node.is_block
    if isinstance(node, _Lines) or any(_needs_lines(entry.value) for entry in node.entries):
        return True
    sentences = [
        one for one in node.entries if isinstance(one.value, Scalar) and len(one.value.value) > _SENTENCE
    ]
    return not node.is_mapping and len(node.entries) > 1 and bool(sentences)
