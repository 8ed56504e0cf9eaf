"""Puts the keys of a written tree into the order of the schema.

Only where order says nothing: names that the author chose, several conditions in one mapping and the ways of a
`split` stay as they are.
"""

from collections.abc import Callable, Mapping, Sequence

from pamosnik.flows import schema
from pamosnik.flows.reader import Read, Row
from pamosnik.flows.schema_conditions import CONDITIONS
from pamosnik.flows.schema_steps import BESIDE, STEPS
from pamosnik.flows.schema_tests import TEST_STEPS
from pamosnik.flows.schema_triggers import TRIGGERS
from pamosnik.flows.shapes import Either, ListOf, MappingOf, Ref, Shaped
from pamosnik.flows.written import Alias, Collection, Entry, File, Node, Scalar


def put_in_order(file: File) -> None:
    """Changes the tree."""
    _order(file.root, schema.FILE)


def _order(node: Node, read: Read) -> None:
    if not isinstance(node, Collection):
        return
    if isinstance(read, Row):
        _row(node, read)
        return
    match read.shape if isinstance(read, Shaped) else None:
        case ListOf(item):
            for one in _items(node):
                _order(one, item)
        case MappingOf(value, _):
            for entry in node.entries if node.is_mapping else ():
                _order(entry.value, value)
        case Either(readers):
            _order(node, _meant(node, readers()))
        case Ref(name):
            for one in _items(node):
                _REFS[name](one)


def _items(node: Collection) -> list[Node]:
    return [node] if node.is_mapping else [entry.value for entry in node.entries]


def _row(node: Collection, row: Row) -> None:
    if not node.is_mapping:
        if row.keys:
            _order(node, row.keys[0].read)
        return
    _sort(node, [key.name for key in row.keys])
    by_name = {key.name: key.read for key in row.keys}
    for entry in node.entries:
        if (found := by_name.get(_name(entry))) is not None:
            _order(entry.value, found)


def _meant(node: Collection, readers: Sequence[Read]) -> Read:
    """Which of several readers takes this."""
    names = {_name(entry) for entry in node.entries}
    rows = [one for one in readers if isinstance(one, Row)]
    fitting = [row for row in rows if names <= {key.name for key in row.keys}]
    if node.is_mapping and (fitting or rows):
        return (fitting or rows)[0]
    wanted = MappingOf if node.is_mapping else ListOf
    fits = (one for one in readers if isinstance(one, Shaped) and isinstance(one.shape, wanted))
    return next(fits, readers[0])


def _step(node: Node) -> None:
    if not isinstance(node, Collection) or not node.is_mapping:
        return
    verbs = [_name(entry) for entry in node.entries if _name(entry) not in BESIDE]
    _sort(node, ["id", *verbs, *BESIDE])
    _by_kind(node, STEPS)


def _by_kind(node: Node, kinds: Mapping[str, Read]) -> None:
    for entry in node.entries if isinstance(node, Collection) and node.is_mapping else ():
        if (read := kinds.get(_name(entry))) is not None:
            _order(entry.value, read)


_REFS: Mapping[str, Callable[[Node], None]] = {
    "steps": _step,
    "conditions": lambda node: _by_kind(node, CONDITIONS),
    "trigger": lambda node: _by_kind(node, TRIGGERS),
    "test_step": lambda node: _by_kind(node, TEST_STEPS),
}


def _sort(node: Collection, names: Sequence[str]) -> None:
    places = {name: number for number, name in reversed(list(enumerate(names)))}
    wanted = sorted(node.entries, key=lambda entry: places.get(_name(entry), len(names)))
    # A mark must stay before what names it.
    if [one for one in wanted if _has_marks(one)] == [one for one in node.entries if _has_marks(one)]:
        node.entries = wanted


def _has_marks(entry: Entry) -> bool:
    return any(_is_marked(part) for part in (entry.key, entry.value) if part is not None)


def _is_marked(node: Node) -> bool:
    if isinstance(node, Alias) or node.anchor:
        return True
    return isinstance(node, Collection) and any(_has_marks(entry) for entry in node.entries)


def _name(entry: Entry) -> str:
    return entry.key.value if isinstance(entry.key, Scalar) else ""
