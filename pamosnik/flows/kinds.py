"""Kinds of values, each with what it says to what does not fit: texts, names, durations, lists."""

import re
from collections.abc import Sequence
from itertools import pairwise

from pamosnik.flows import source
from pamosnik.flows.durations import A_DURATION, as_a_duration, seconds
from pamosnik.flows.reader import KEY, Json, Read, Reader, is_braced_text, is_empty, items
from pamosnik.flows.shapes import AnyText, ListOf, MappingOf, TrueOrFalse, Whole, Words, Written, shaped
from pamosnik.flows.source import Node, Scalar
from pamosnik.flows.yaml_words import CURLY_QUOTES
from pamosnik.model.words import fold

_NAME = re.compile(r"[^\W_][\w-]{0,63}|_[\w-]{0,63}", re.UNICODE)
_OF_A_TEST = re.compile(r"(^|[:.])tests\.\d+\.steps\.")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@shaped(AnyText())
def text(reader: Reader, node: Node, path: str) -> Json:
    """What is written, character by character."""
    reader.positions[path] = node.mark
    if isinstance(node, source.Mapping) and is_braced_text(node):
        reader.braces_without_quotes(node)
        return None
    if not isinstance(node, Scalar):
        is_list = isinstance(node, source.Sequence)
        in_a_test = _OF_A_TEST.search(path) is not None
        several = (
            "each further one gets a step of its own"
            if in_a_test
            else "variants of a text go under `one_of:`"
        )
        hint = f"Write one; {several}." if is_list else "Put the text in double quotes."
        reader.error(
            node.mark,
            "text-expected",
            f"one text is expected here, and this is {'a list' if is_list else 'a key with a value'}",
            hint,
        )
        return None
    if is_empty(node):
        reader.error(node.mark, "empty-text", "a text is expected here, and there is none")
        return None
    if not fold(node.value):
        reader.error(node.mark, "empty-text", "this text is empty", "Write something, or take the line out.")
        return None
    if node.plain and node.value[0] in CURLY_QUOTES and node.value[-1] in CURLY_QUOTES:
        reader.warn(
            node.mark,
            "curly-quotes",
            "“ and ” are no quotes to the computer: they are sent as a part of the text",
            'Type straight quotes around the text: "…".',
        )
    if node.comment_follows:
        reader.warn(
            node.mark,
            "comment-cuts-text",
            "the text ends before ` #`; what follows is a comment",
            "Put the text in double quotes if the # belongs to it.",
        )
    if node.raw_backslash:
        reader.warn(
            node.mark,
            "backslash-n",
            "`\\n` is a new line only inside double quotes",
            "Use double quotes, or a block under `|`.",
        )
    return node.value


def is_name(written: str) -> bool:
    """Whether an id, a tag or a name can be written like this."""
    return _NAME.fullmatch(written) is not None


@shaped(Written(r"^[^\s.:]{1,64}$", or_number=True))
def name(reader: Reader, node: Node, path: str) -> Json:
    """An id, tag or name."""
    found = text(reader, node, path)
    if isinstance(node, Scalar) and isinstance(found, str) and not is_name(found):
        reader.error(
            node.mark,
            "bad-name",
            f"`{found}` is no name: letters, digits, - and _ only, 64 characters at most",
            _as_names(found) if node.plain and "," in found else _as_a_name(found),
        )
        return None
    return found


def _as_names(written: str) -> str:
    made = [part for part in (re.sub(r"[^\w-]+", "-", one.strip()) for one in written.split(",")) if part]
    return f"Put several into [ ]: [{', '.join(made)}]"


def _as_a_name(written: str) -> str | None:
    made = re.sub(r"[^\w-]+", "-", written).strip("-")[:64].strip("-")
    return f"Write it like: {made}" if _NAME.fullmatch(made) else None


MEANT = {
    "true": ("true", "yes", "on", "y", "1", "ja", "tak", "sí", "si"),
    "false": ("false", "no", "off", "n", "0", "nein", "nie"),
}
"""What people write for true and false."""


@shaped(TrueOrFalse())
def boolean(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, Scalar) and node.plain and node.value in ("true", "false"):
        return node.value == "true"
    word = node.value.strip().lower() if isinstance(node, Scalar) else ""
    right = next((right for right, words in MEANT.items() if word in words), None)
    without = " without quotes" if isinstance(node, Scalar) and not node.plain else ""
    hint = f"Write `{right}`{without}." if right else "Write `true` or `false`."
    reader.error(node.mark, "boolean-expected", "`true` or `false` is expected here", hint)
    return None


@shaped(Whole())
def integer(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, Scalar) and re.fullmatch(r"-?\d{1,9}", node.value):
        return int(node.value)
    reader.error(node.mark, "number-expected", "a whole number is expected here")
    return None


DURATION = Written(f"^{A_DURATION}$", ("10m", "2h", "3d"))


@shaped(DURATION)
def duration(reader: Reader, node: Node, path: str) -> Json:
    """Seconds."""
    reader.positions[path] = node.mark
    found = seconds(node.value) if isinstance(node, Scalar) else None
    if found is None:
        reader.error(
            node.mark,
            "duration-expected",
            "a duration is expected here",
            as_a_duration(node.value if isinstance(node, Scalar) else ""),
        )
    return found


RANGE = Written(f"^{A_DURATION}( to {A_DURATION})?$", ("20s to 90s",))


@shaped(RANGE)
def duration_range(reader: Reader, node: Node, path: str) -> Json:
    """[shortest, longest] in seconds."""
    reader.positions[path] = node.mark
    parts = node.value.split(" to ") if isinstance(node, Scalar) else []
    found = [seconds(part) for part in parts]
    if len(found) == 1 and found[0] is not None:
        return [found[0], found[0]]
    if len(found) != 2 or found[0] is None or found[1] is None or found[0] > found[1]:
        reader.error(node.mark, "range-expected", "a range is expected here", "Write it like 20s to 90s.")
        return None
    return found


@shaped(Written(r"^([01]?\d|2[0-3]):[0-5]\d$", ("09:00",)))
def clock(reader: Reader, node: Node, path: str) -> Json:
    """HH:MM."""
    reader.positions[path] = node.mark
    found = _CLOCK.fullmatch(node.value) if isinstance(node, Scalar) else None
    if found is None:
        reader.error(node.mark, "clock-expected", "a clock time is expected here", 'Write it like "09:00".')
        return None
    return f"{int(found[1]):02}:{found[2]}"


def one_of(*words: str) -> Read:
    """One of these words."""

    @shaped(Words(tuple(map(str, words))))
    def read(reader: Reader, node: Node, path: str) -> Json:
        reader.positions[path] = node.mark
        if isinstance(node, Scalar) and node.value in words:
            return node.value
        hint = f"Write one of: {', '.join(words)}." if len(words) > 1 else f"Write `{words[0]}`."
        if is_empty(node):
            reader.error(node.mark, "missing-value", "a word is missing here", hint)
        elif isinstance(node, Scalar):
            reader.unknown(node.mark, "word", node.value, words)
        else:
            what = "a list" if isinstance(node, source.Sequence) else "a key with a value"
            reader.error(node.mark, "unknown-word", f"one word is expected here, and this is {what}", hint)
        return None

    return read


def list_of(read_one: Read) -> Read:
    """A list; one thing is a list of one."""

    @shaped(ListOf(read_one))
    def read(reader: Reader, node: Node, path: str) -> Json:
        reader.positions[path] = node.mark
        if is_empty(node) or items(node) == ():
            message = "something is expected here, and there is nothing"
            reader.error(node.mark, "empty-list", message, "Write at least one, or take the line out.")
            return None
        if path.endswith(".one_of"):
            _warn_about_commas(reader, items(node))
        return kept_items(reader, node, path, read_one) or None

    return read


def kept_items(reader: Reader, node: Node, path: str, read_one: Read) -> list[Json]:
    """What could be read of a list; the rest takes no number."""
    found: list[Json] = []
    for item in items(node):
        here = f"{path}.{len(found)}"
        reader.positions[here] = item.mark
        read = read_one(reader, item, here)
        if read is None:
            reader.lose(path, item)
        else:
            found.append(read)
    return found


def _warn_about_commas(reader: Reader, texts: Sequence[Node]) -> None:
    """A sentence cut at its comma goes on in small letters; `[Sent, Done]` is a list of texts."""
    for before, item in pairwise(texts):
        if isinstance(item, Scalar) and item.plain and item.in_brackets and item.value[:1].islower():
            reader.warn(
                before.mark,
                "comma-in-brackets",
                "inside [ ] a comma begins a new text",
                "Put each text in double quotes, or on a line of its own.",
            )
            return


def _as_a_mapping(node: Node, path: str) -> str:
    key = path.rpartition(".")[2]
    if isinstance(node, source.Sequence):
        return f"Take the `-` out: under `{key}:` each line begins with a name."
    return f"Write it like: {key}: {{ NAME: … }}"


def mapping_of(read_one: Read, read_name: Read = name) -> Read:
    """Names that the writer chose, each with a value."""

    @shaped(MappingOf(read_one, read_name))
    def read(reader: Reader, node: Node, path: str) -> Json:
        reader.positions[path] = node.mark
        if not isinstance(node, source.Mapping):
            message = "names with values are expected here, like `name: value`"
            reader.error(node.mark, "mapping-expected", message, _as_a_mapping(node, path))
            return None
        found: dict[str, Json] = {}
        for key, value in node.entries:
            named = read_name(reader, key, f"{path}.{key.value}") is not None
            # A dot or a colon would look like a part of the path.
            known_as = key.value if named else re.sub(r"[.:]", "_", key.value)
            reader.positions[f"{path}.{known_as}"] = key.mark
            reader.positions[f"{path}.{known_as}{KEY}"] = key.mark
            read_value = read_one(reader, value, f"{path}.{known_as}")
            if read_value is None or not named:
                reader.lose(path, key, value)
            if read_value is not None:
                found[known_as] = read_value
        return found

    return read
