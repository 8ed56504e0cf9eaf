"""The machinery under `schema`: reads nodes into plain JSON and remembers where each value stood."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pamosnik.flows import source
from pamosnik.flows.durations import A_DURATION, as_a_duration, seconds
from pamosnik.flows.near import nearest, with_spaces
from pamosnik.flows.places import elsewhere
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.shapes import AnyText, ListOf, MappingOf, TrueOrFalse, Whole, Words, Written, shaped
from pamosnik.flows.source import Mark, Node, Scalar
from pamosnik.flows.yaml_words import CURLY_QUOTES
from pamosnik.model.words import fold

Json = object
Read = Callable[["Reader", Node, str], Json]
"""Reads a node at a path; None when it could not, after saying why. Of lists and mappings what could be read is kept,
and their path is `broken`."""

_NAME = re.compile(r"[^\W_][\w-]{0,63}|_[\w-]{0,63}", re.UNICODE)
_OF_A_TEST = re.compile(r"(^|[:.])tests\.\d+\.steps\.")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping. The first key of a row is what its short form gives."""

    name: str
    read: Read
    doc: str
    required: bool = False
    if_missing: str | None = None
    """What is said then."""


@dataclass(frozen=True, slots=True)
class Row:
    """A mapping with known keys."""

    name: str
    keys: tuple[Key, ...]
    bare: bool = False
    """May stand alone, without a value."""

    def __call__(self, reader: "Reader", node: Node, path: str) -> Json:
        return reader.row(self, node, path)


@dataclass(slots=True)
class Reader:
    """Collects problems and positions of one file."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    positions: dict[str, Mark] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Paths of values of which a part could not be read. What could be is kept, so that it is checked."""
    lost: set[str] = field(default_factory=set)
    """Every word of what could not be read: a name that may be declared there is not unknown."""

    # --- saying ----------------------------------------------------------------------------------------

    def error(self, mark: Mark, code: str, message: str, hint: str | None = None) -> None:
        self._say(Severity.ERROR, mark, code, message, hint)

    def warn(self, mark: Mark, code: str, message: str, hint: str | None = None) -> None:
        self._say(Severity.WARNING, mark, code, message, hint)

    def _say(self, severity: Severity, mark: Mark, code: str, message: str, hint: str | None) -> None:
        self.problems.append(Problem(self.file, mark.line, mark.column, severity, code, message, hint))

    def unknown(
        self, mark: Mark, what: str, name: str, known: Iterable[str], hint: str | None = None
    ) -> None:
        """An unknown word, with the nearest known one."""
        names = list(known)
        no_break = source.NO_BREAK.search(name)
        if no_break is not None:
            self.error(Mark(mark.line, mark.column + no_break.start()), "no-break-space", *source.NO_SPACE)
            return
        spaced = with_spaces(name, names)
        if spaced is not None:
            message = f"a space is missing in `{name}`"
            self.error(mark, f"unknown-{what.replace(' ', '-')}", message, f"Write it like: {spaced}")
            return
        near = nearest(name, names)
        hint = hint or (f"Did you mean `{near}`?" if near else f"Known are: {', '.join(names)}.")
        self.error(mark, f"unknown-{what.replace(' ', '-')}", f"unknown {what}: `{name}`", hint)

    def lose(self, path: str, *nodes: Node) -> None:
        """These parts of what stands at a path could not be read."""
        self.broken.add(path)
        for node in nodes:
            if isinstance(node, Scalar):
                self.lost.add(node.value)
            elif isinstance(node, source.Sequence):
                self.lose(path, *node.items)
            else:
                self.lose(path, *(part for entry in node.entries for part in entry))

    def is_broken(self, path: str) -> bool:
        """Whether a part of what stands there could not be read."""
        return any(part == path or part.startswith(f"{path}.") for part in self.broken)

    # --- mappings and lists ----------------------------------------------------------------------------

    def row(self, row: Row, node: Node, path: str) -> Json:
        """A mapping with the row's keys; its short form is the value of the first key."""
        self.positions.setdefault(path, node.mark)
        if not isinstance(node, source.Mapping):
            if is_empty(node):
                if not row.bare:
                    self.error(
                        node.mark,
                        "missing-value",
                        f"`{row.name}` needs a value",
                        f"Write it like: {row.name}: …",
                    )
                    return None
                if isinstance(node, Scalar) and node.comment_follows:
                    message = f"nothing stands here, so `{row.name}` means any; what follows is a comment"
                    hint = "Put it in double quotes if the # belongs to it."
                    self.warn(node.mark, "comment-cuts-text", message, hint)
                return {}
            if not row.keys:
                hint = f"Leave only the word: {row.name}"
                self.error(node.mark, "needs-nothing", f"`{row.name}` takes no value", hint)
                return None
            first = row.keys[0]
            value = first.read(self, node, f"{path}.{first.name}")
            if value is None:
                self.lose(path, node)
                return {}
            self._missing(row, {first.name}, node, path)
            return {first.name: value}
        return self.entries(row, node, path)

    def entries(self, row: Row, node: source.Mapping, path: str) -> Json:
        by_name = {key.name: key for key in row.keys}
        found: dict[str, Json] = {}
        if any(isinstance(part, Scalar) and part.plain and part.value == "<<" for part in node.dropped):
            self.lose(path, *node.dropped)
        if is_braced_text(node) and (node.entries[0][0].value not in by_name or row.keys[0].name == "text"):
            self.braces_without_quotes(node)
            self.lose(path, node)
            return {}
        for key, value in node.entries:
            known = by_name.get(key.value)
            if known is None:
                self.lose(path, key, value)
                self._unknown_key(row, key, value, node, by_name)
                continue
            self.positions[f"{path}.{key.value}"] = value.mark
            read = known.read(self, value, f"{path}.{key.value}")
            if read is None:
                self.lose(path, value)
            else:
                found[key.value] = read
        self._missing(row, {key.value for key, _ in node.entries}, node, path)
        return found

    def _missing(self, row: Row, written: set[str], node: Node, path: str) -> None:
        if isinstance(node, source.Mapping) and node.dropped:
            return
        names = [key.name for key in row.keys]
        meant = {*written, *(nearest(name, names) for name in written)}
        for wanted in row.keys:
            if wanted.required and wanted.name not in meant:
                message = wanted.if_missing or f"`{row.name}` needs `{wanted.name}`"
                self.error(
                    self.positions.get(path, node.mark),
                    "missing-key",
                    message,
                    None if wanted.if_missing else wanted.doc,
                )

    def _unknown_key(
        self, row: Row, key: Scalar, value: Node, node: source.Mapping, known: Mapping[str, Key]
    ) -> None:
        if self.comma_in_braces(node, key, value):
            return
        self.unknown(key.mark, "key", key.value, known, elsewhere(key.value, row.name))

    def comma_in_braces(self, node: source.Mapping, key: Scalar, value: Node) -> bool:
        """Whether a key is the rest of a text or list that a comma cut in two; then it is said."""
        if not node.in_braces or not is_empty(value):
            return False
        number = [one for one, _ in node.entries].index(key)
        before, first = node.entries[number - 1]
        message = f"inside {{ }} a comma begins a new key, so `{key.value}` is read as one"
        hint = "Put the text in double quotes."
        if number > 0 and before.value in _LISTS and isinstance(first, Scalar) and first.value:
            hint = f"Put several into [ ]: {before.value}: [{first.value}, {key.value}]"
        elif number > 0 and before.value in ("has_tag", "has_not_tag"):
            hint = f"Give each tag a line of its own: - {before.value}: {key.value}"
        self.error(key.mark, "comma-in-braces", message, hint)
        return True

    def braces_without_quotes(self, node: source.Mapping) -> None:
        """`send: {username}`"""
        written = ", ".join(key.value for key, _ in node.entries)
        message = "a text that begins with { needs quotes"
        self.error(node.mark, "braces-without-quotes", message, f'Write it like: "{{{written}}}"')


_LISTS = frozenset(
    {
        *(
            "words",
            "but_not",
            "dm",
            "comment",
            "live_comment",
            "story_reply",
            "shared_post",
            "reaction",
            "emoji",
            "link",
            "ref",
            "ad",
            "ads",
            "post",
            "story",
            "connections",
            "came_from",
            "days",
        ),
        *("tag", "untag", "clear", "one_of", "images", "choices", "buttons", "chips", "cards"),
        *("stop", "start", "human"),
    }
)
"""Keys under which several things may stand."""


def is_braced_text(node: Node) -> bool:
    """Whether somebody meant a text with a variable and left the quotes out: { } with names and no values."""
    if not isinstance(node, source.Mapping):
        return False
    return node.in_braces and all(is_empty(value) for _, value in node.entries) and bool(node.entries)


def is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.value in ("", "~")


def items(node: Node) -> Sequence[Node]:
    """A list's items; one thing is a list of one."""
    return node.items if isinstance(node, source.Sequence) else (node,)


# --- kinds of values -------------------------------------------------------------------------------------


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


KEY = ":key"
"""Behind the path of a value with a name that the writer chose: the place of the name."""


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
