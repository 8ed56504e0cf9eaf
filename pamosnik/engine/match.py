"""Finding keywords in a text, however many there are.

Words and phrases are looked up in dictionaries, everything that is not made of plain words (emoji, scripts without
spaces, `contains`, patterns) in one RE2 set. So the cost depends on the text, hardly on the number of keywords.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from pamosnik.model.text import MatchMode, Words
from pamosnik.model.words import NO_WORD, fold, in_word, spaceless, tokens, trim, unicode_edges, within_one

FUZZY_FROM = 5
"""Shorter words have too many neighbours to be guessed."""

SET_BYTES = 256 << 20
"""RE2's default of 8 MiB is too small for thousands of patterns."""

_EDGE_BEFORE = rf"(?:^|{NO_WORD})"
_EDGE_AFTER = rf"(?:$|{NO_WORD})"


@dataclass(frozen=True, slots=True)
class Heard:
    """A text in the forms that matching needs, made once."""

    raw: str
    folded: str
    trimmed: str
    tokens: tuple[tuple[str, bool], ...]

    @staticmethod
    def of(text: str | None) -> "Heard":
        folded = fold(text or "")
        return Heard(text or "", folded, trim(folded), tuple(tokens(folded)))


@dataclass(slots=True)
class _Tables:
    phrases: dict[str, list[int]] = field(default_factory=dict)
    longest_phrase: int = 0
    prefixes: dict[str, list[int]] = field(default_factory=dict)
    exact: dict[str, list[int]] = field(default_factory=dict)
    starts: dict[str, list[int]] = field(default_factory=dict)
    fuzzy: dict[str, list[int]] = field(default_factory=dict)
    """First words with one letter taken out (and whole) → entries to look at closely."""
    folded_patterns: list[tuple[str, int]] = field(default_factory=list)
    raw_patterns: list[tuple[str, int]] = field(default_factory=list)


class KeywordIndex:
    """Many keywords, compiled once. `find` tells which owners have one in a text."""

    def __init__(self, entries: Iterable[tuple[int, str, MatchMode]]) -> None:
        """Entries are (owner, keyword as written, how to look for it); owners may have many."""
        self._entries = list(entries)
        self._tables = _Tables()
        for number, (_, keyword, mode) in enumerate(self._entries):
            self._enter(number, keyword, mode)
        t = self._tables
        self._prefix_lengths = sorted({len(prefix) for prefix in t.prefixes})
        self._start_lengths = sorted({len(start) for start in t.starts})
        self._folded_set, self._raw_set = PatternSet(t.folded_patterns), PatternSet(t.raw_patterns)

    def find(self, heard: Heard) -> dict[int, str]:
        """Owner → the first of its keywords, in the order entered, that the text has."""
        hits: set[int] = set()
        self._find_words(heard, hits)
        self._find_whole(heard, hits)
        self._find_fuzzy(heard, hits)
        self._find_patterns(heard, hits)
        found: dict[int, str] = {}
        for number in sorted(hits):
            owner, keyword, _ = self._entries[number]
            found.setdefault(owner, keyword)
        return found

    # --- entering ------------------------------------------------------------------------------------

    def _enter(self, number: int, keyword: str, mode: MatchMode) -> None:
        t = self._tables
        if mode is MatchMode.REGEX:
            pattern = unicode_edges(keyword)
            t.folded_patterns.append((f"(?i:{pattern})", number))
            t.raw_patterns.append((f"(?i:{pattern})", number))
            return
        open_end = keyword.endswith("*") and len(keyword) > 1
        word = trim(fold(keyword.removesuffix("*") if open_end else keyword))
        if not word:
            return
        match mode:
            case MatchMode.EXACT:
                (t.starts if open_end else t.exact).setdefault(word, []).append(number)
            case MatchMode.STARTS_WITH:
                t.starts.setdefault(word, []).append(number)
            case MatchMode.CONTAINS:
                t.folded_patterns.append((re2.escape(word), number))
            case MatchMode.FUZZY if _plain(word) and not open_end:
                for variant in _one_out(word.split(" ")[0]):
                    t.fuzzy.setdefault(variant, []).append(number)
            case _:
                self._enter_word(number, word, open_end=open_end)

    def _enter_word(self, number: int, word: str, *, open_end: bool) -> None:
        t = self._tables
        if _plain(word) and open_end and " " not in word:
            t.prefixes.setdefault(word, []).append(number)
        elif _plain(word) and not open_end:
            t.phrases.setdefault(word, []).append(number)
            t.longest_phrase = max(t.longest_phrase, word.count(" ") + 1)
        else:
            before = _EDGE_BEFORE if _needs_edge(word[0]) else ""
            after = _EDGE_AFTER if _needs_edge(word[-1]) and not open_end else ""
            t.folded_patterns.append((before + re2.escape(word) + after, number))

    # --- finding -------------------------------------------------------------------------------------

    def _find_words(self, heard: Heard, hits: set[int]) -> None:
        t = self._tables
        for place, (token, _) in enumerate(heard.tokens):
            phrase = token
            hits.update(t.phrases.get(phrase, ()))
            for follower, joined in heard.tokens[place + 1 : place + t.longest_phrase]:
                if not joined:
                    break
                phrase = f"{phrase} {follower}"
                hits.update(t.phrases.get(phrase, ()))
            for length in self._prefix_lengths:
                if length > len(token):
                    break
                hits.update(t.prefixes.get(token[:length], ()))

    def _find_whole(self, heard: Heard, hits: set[int]) -> None:
        t = self._tables
        hits.update(t.exact.get(heard.trimmed, ()))
        hits.update(t.exact.get(heard.folded, ()))
        for length in self._start_lengths:
            hits.update(t.starts.get(heard.trimmed[:length], ()))
            hits.update(t.starts.get(heard.folded[:length], ()))

    def _find_fuzzy(self, heard: Heard, hits: set[int]) -> None:
        if not self._tables.fuzzy:
            return
        for place, (token, _) in enumerate(heard.tokens):
            for variant in _one_out(token):
                for number in self._tables.fuzzy.get(variant, ()):
                    if number not in hits and _close_phrase(
                        trim(fold(self._entries[number][1])).split(" "), heard.tokens[place:]
                    ):
                        hits.add(number)

    def _find_patterns(self, heard: Heard, hits: set[int]) -> None:
        hits.update(self._folded_set.find(heard.folded))
        hits.update(self._raw_set.find(heard.raw))


class PatternSet:
    """Patterns looked for all at once; in two sets where one would take too much memory."""

    def __init__(self, patterns: Sequence[tuple[str, int]], *, memory: int = SET_BYTES) -> None:
        """Each with its number; `memory` in bytes, for the automata of one set."""
        self._numbers = [number for _, number in patterns]
        self._sets: list[PatternSet] = []
        options = re2.Options()
        options.log_errors = False
        options.max_mem = memory
        self._set = re2.Set.SearchSet(options)
        for pattern, _ in patterns:
            self._set.Add(pattern)
        try:
            self._set.Compile()
        except re2.error:
            if len(patterns) < 2:
                raise
            half = len(patterns) // 2
            self._sets = [PatternSet(part, memory=memory) for part in (patterns[:half], patterns[half:])]

    def find(self, text: str) -> Iterator[int]:
        """The numbers of the patterns that the text has."""
        if self._sets:
            for part in self._sets:
                yield from part.find(text)
        elif self._numbers:
            yield from (self._numbers[place] for place in self._set.Match(text) or ())


def _needs_edge(char: str) -> bool:
    return in_word(char) and not spaceless(char)


def _plain(word: str) -> bool:
    """Made of words and single spaces, in scripts that have spaces."""
    return all(char == " " or _needs_edge(char) for char in word)


def _one_out(word: str) -> set[str]:
    if len(word) < FUZZY_FROM - 1:
        return {word}
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _close_phrase(wanted: list[str], heard: Sequence[tuple[str, bool]]) -> bool:
    if len(heard) < len(wanted):
        return False
    for number, word in enumerate(wanted):
        token, joined = heard[number]
        if number and not joined:
            return False
        if token != word and not (len(word) >= FUZZY_FROM and within_one(token, word)):
            return False
    return True


# --- one set of words ------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _index(keywords: tuple[str, ...], mode: MatchMode) -> KeywordIndex:
    return KeywordIndex((0, keyword, mode) for keyword in keywords)


def forbidden(words: Words, heard: Heard) -> str | None:
    """The word of `but_not` that the text has."""
    if not words.but_not:
        return None
    whole_text = words.match in (MatchMode.EXACT, MatchMode.STARTS_WITH)
    mode = MatchMode.WHOLE_WORD if whole_text else words.match
    return _index(words.but_not, mode).find(heard).get(0)


def matches(words: Words, heard: Heard) -> bool:
    """Whether a text has one of the words and none of `but_not`."""
    if words.words and not _index(words.words, words.match).find(heard):
        return False
    return forbidden(words, heard) is None
