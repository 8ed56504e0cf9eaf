"""What a reader of values takes, said as data: the JSON Schema for editors is written from it.

A reader decides; its shape only promises that whatever it takes looks like this. A reader without a shape is one that
editors let everything pass for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pamosnik.flows.reader import Json, Read, Reader
    from pamosnik.flows.source import Node


@dataclass(frozen=True, slots=True)
class AnyText:
    """Any scalar: what is written counts character by character."""


@dataclass(frozen=True, slots=True)
class AnyJson:
    """Whatever YAML can write."""


@dataclass(frozen=True, slots=True)
class Written:
    """A scalar of a certain form, as a regular expression that JavaScript knows, too."""

    pattern: str
    examples: tuple[str, ...] = ()
    or_number: bool = False
    """May be all digits, which is a number to an editor, and no pattern looks at it."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class TrueOrFalse:
    pass


@dataclass(frozen=True, slots=True)
class Words:
    """One of these words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; one item alone is a list of one."""

    item: "Read"


@dataclass(frozen=True, slots=True)
class MappingOf:
    """Names that the writer chose, each with a value."""

    value: "Read"
    name: "Read"


@dataclass(frozen=True, slots=True)
class Ref:
    """A part of the language that holds itself: steps, conditions, triggers."""

    name: str


@dataclass(frozen=True, slots=True)
class Either:
    """What one of several readers takes. Asked for late: they may stand further below in their module."""

    readers: "Callable[[], tuple[Read, ...]]"


Shape = AnyText | AnyJson | Written | Whole | TrueOrFalse | Words | ListOf | MappingOf | Ref | Either


@dataclass(frozen=True, slots=True)
class Shaped:
    """A reader together with its shape."""

    shape: Shape
    read: "Read"

    def __call__(self, reader: "Reader", node: "Node", path: str) -> "Json":
        return self.read(reader, node, path)


def shaped(shape: Shape) -> "Callable[[Read], Shaped]":
    """Says what a reader takes."""
    return lambda read: Shaped(shape, read)
