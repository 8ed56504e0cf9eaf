"""Texts with variables, and keywords."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Variable:
    """`{name|stand-in}` in a text; `stand_in` is None when none was written."""

    name: str
    stand_in: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with variables, in the order written. `{{` is already a brace."""

    parts: tuple[str | Variable, ...]


class MatchMode(StrEnum):
    """How keywords are looked for."""

    WHOLE_WORD = "whole_word"
    EXACT = "exact"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"
    FUZZY = "fuzzy"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class Words:
    """Keywords as written (not folded), how to look for them, and the ones that forbid a match."""

    words: tuple[str, ...]
    match: MatchMode = MatchMode.WHOLE_WORD
    but_not: tuple[str, ...] = ()
