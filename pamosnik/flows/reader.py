"""The machinery under `schema`: reads nodes into plain JSON and remembers where each value stood."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pamosnik.flows import source
from pamosnik.flows.near import nearest, with_spaces
from pamosnik.flows.places import elsewhere
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.source import Mark, Node, Scalar

Json = object
Read = Callable[["Reader", Node, str], Json]
"""Reads a node at a path; None when it could not, after saying why. Of lists and mappings what could be read is kept,
and their path is `broken`."""
KEY = ":key"
"""Behind the path of a value with a name that the writer chose: the place of the name."""


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
