"""Steps that hold no other steps: their rows, and how their values are read."""

import re

from pamosnik.flows import source
from pamosnik.flows.kinds import clock, duration_range, mapping_of, name, one_of, text
from pamosnik.flows.reader import Json, Key, Reader, Row, is_empty
from pamosnik.flows.schema_words import days, some_time, texts
from pamosnik.flows.shapes import MappingOf, Whole, Written, shaped
from pamosnik.flows.source import Node, Scalar
from pamosnik.model.step import WindowClosed

_AMOUNT = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


@shaped(MappingOf(text, name))
def values(reader: Reader, node: Node, path: str) -> Json:
    found = mapping_of(text)(reader, node, path)
    return None if found is None else {"set": found}


@shaped(Written(r"^[-+]?[0-9]+(\.[0-9]+)?$", ("5", "-1", "0.50"), or_number=True))
def _amount(reader: Reader, node: Node, path: str) -> Json:
    """A number to add, as it is written."""
    reader.positions[path] = node.mark
    written = node.value.strip() if isinstance(node, Scalar) else ""
    if _AMOUNT.fullmatch(written):
        return written
    with_point = written.replace(",", ".")
    hint = f"Write it like {with_point if _AMOUNT.fullmatch(with_point) else '5, -1 or 0.50'}."
    if "{" in written or isinstance(node, source.Mapping):
        hint = "`add` takes no variables. " + hint
    reader.error(node.mark, "number-expected", "a number is expected here", hint)
    return None


@shaped(name.shape)
def again(reader: Reader, node: Node, path: str) -> Json:
    """The id of a step."""
    if is_empty(node) or not isinstance(node, Scalar):
        hint = "Give the step an `id`, and write its name here; `at_most` stands beside `again`."
        reader.error(node.mark, "id-expected", "the `id` of a step is expected here", hint)
        return None
    found = name(reader, node, f"{path}.again")
    return None if found is None else {"again": found}


@shaped(MappingOf(_amount, name))
def amounts(reader: Reader, node: Node, path: str) -> Json:
    found = mapping_of(_amount)(reader, node, path)
    return None if found is None else {"add": found}


@shaped(Whole(1, 99))
def percent(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    written = node.value.strip() if isinstance(node, Scalar) else ""
    if re.fullmatch(r"0?[1-9][0-9]?", written):
        return int(written)
    number = written.removesuffix("%").strip()
    hint = f"Write: share: {number}" if written.endswith("%") and number.isdecimal() else None
    if written == "100":
        hint = "A `split` has at least two ways."
    reader.error(node.mark, "number-expected", "a share is a whole number of 100 people, from 1 to 99", hint)
    return None


REPLY_PUBLICLY = Row(
    "reply_publicly",
    (
        Key("text", text, "The reply."),
        Key("one_of", texts, "Variants; never the same twice running."),
        Key("wait_first", duration_range, "A pause before it, like `20s to 90s`."),
    ),
)
WAIT = Row(
    "wait",
    (
        Key("for", some_time, "How long."),
        Key("until", clock, 'Until the clock shows this, like "09:00".'),
        Key("days", days, "Days on which `until` counts."),
        Key("zone", text, "Time zone of `until`."),
        Key("if_window_closed", one_of(*WindowClosed), "`skip`, `stop` or `tell_me`."),
    ),
)
NOTIFY_ME = Row(
    "notify_me",
    (
        Key(
            "text",
            text,
            "What you are told; the person and the flow are named below it.",
            required=True,
            if_missing="`notify_me` needs `text:`, what you are told",
        ),
        Key("by", one_of("email"), "`email`, the only way so far."),
        Key("to", text, "Another e-mail address than your account's."),
    ),
)
HAND_OVER = Row(
    "hand_over",
    (
        Key("note", text, "For the human who takes over."),
        Key("pause", some_time, "How long automation stops for this person; default 12h."),
    ),
    bare=True,
)
