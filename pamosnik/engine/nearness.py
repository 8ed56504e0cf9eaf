"""What came close: keywords that a text has or nearly has, of triggers that did not take it.

A keyword comes close when it stands there and something else says no, when it stands there in another way than its
`match` wants, or when one or two letters are off. Patterns are left out: nobody can say how far off a text is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pamosnik.engine.catalog import Catalog, Posts, why_not, words_of
from pamosnik.engine.match import FUZZY_FROM, Heard
from pamosnik.model.event import Event, EventKind
from pamosnik.model.flow import Flow
from pamosnik.model.text import MatchMode
from pamosnik.model.trigger import CommentTrigger, DmTrigger, LiveCommentTrigger, StoryReplyTrigger, Trigger
from pamosnik.model.words import fold, in_word, spaceless, trim

WORDS_COMPARED = 200
"""Of a long text so many different words are compared letter by letter."""

_ONE_LETTER_FROM, _TWO_LETTERS_FROM = 4, 6
"""How long a keyword is before a word that is so many letters off is thought to mean it."""

_INSIDE_FROM = 3
"""How long a keyword is before it is worth telling that it stands inside another word."""

_NUMBERS = ("", "one letter", "two letters")


@dataclass(frozen=True, slots=True)
class Near:
    """A keyword that came close."""

    flow: Flow
    trigger: Trigger
    keyword: str
    """As written."""
    letters: int
    """So many are off; 0: it stands in the text."""
    why: str
    """Why its trigger did not take the event, for people."""
    mend: str | None = None
    """What to write so that it would; None where that is no question of words."""
    elsewhere: bool = False
    """Its trigger would not take this event with the right word either."""


def closest(
    catalog: Catalog, event: Event, heard: Heard, *, posts: Posts, username: str, most: int = 3
) -> list[Near]:
    """The nearest first, a flow at most once. `username`: the connection's."""
    words = _Spoken(heard)
    found: dict[str, tuple[tuple[int, int], Near]] = {}
    for flow, trigger, hit in catalog.listeners(heard):
        against = why_not(trigger, event, flow, heard, posts, username)
        if hit is None:
            near = words.nearest(flow, trigger, against)
        elif against is not None:
            elsewhere = event.kind not in _HEARS[type(trigger)]
            near = Near(flow, trigger, hit, 0, against, elsewhere=elsewhere)
        else:
            continue
        if near is None:
            continue
        rank = (near.elsewhere, near.letters if hit else near.letters + 1)
        if flow.id not in found or rank < found[flow.id][0]:
            found[flow.id] = (rank, near)
    return [near for _, near in sorted(found.values(), key=lambda one: one[0])][:most]


_HEARS: Mapping[type[Trigger], frozenset[EventKind]] = {
    CommentTrigger: frozenset({EventKind.COMMENT}),
    LiveCommentTrigger: frozenset({EventKind.LIVE_COMMENT}),
    DmTrigger: frozenset({EventKind.MESSAGE, EventKind.POSTBACK}),
    StoryReplyTrigger: frozenset({EventKind.STORY_REPLY}),
}
"""Triggers that wait for words, and what may say them."""


class _Spoken:
    """A text, prepared to be compared with many keywords."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.tokens = tuple(dict.fromkeys(token for token, _ in heard.tokens))[:WORDS_COMPARED]
        self.spaced = f" {' '.join(token for token, _ in heard.tokens)} "
        self._windows: dict[int, list[str]] = {1: list(self.tokens)}

    def nearest(self, flow: Flow, trigger: Trigger, against: str | None) -> Near | None:
        words = words_of(trigger)
        assert words is not None
        if words.match is MatchMode.REGEX:
            return None
        best: Near | None = None
        for keyword in words.words:
            for near in self._near(flow, trigger, keyword, words.match):
                if best is None or near.letters < best.letters:
                    best = near
            if best is not None and best.letters == 0:
                break
        if best is None or against is None:
            return best
        return Near(flow, trigger, best.keyword, best.letters, f"{best.why}; and {against}", elsewhere=True)

    def _near(self, flow: Flow, trigger: Trigger, keyword: str, mode: MatchMode) -> Iterator[Near]:
        word, open_end = _folded(keyword)
        if not word:
            return
        there = self._there(keyword, word, mode)
        if there is not None:
            yield Near(flow, trigger, keyword, 0, *there)
            return
        most = _allowed(word)
        if most:
            found = self._letters_off(word, most, open_end=open_end)
            if found is not None:
                off, heard = found
                mend = f"add {heard} to its words"
                if off == 1 and len(word) >= FUZZY_FROM and not open_end and mode is MatchMode.WHOLE_WORD:
                    mend += ", or write `match: fuzzy`"
                yield Near(flow, trigger, keyword, off, f"“{heard}” is {_NUMBERS[off]} off", mend)

    def _there(self, keyword: str, word: str, mode: MatchMode) -> tuple[str, str | None] | None:
        """The keyword stands in the text, and its mode wants it in another way: why not, and what to write."""
        if word not in self.heard.folded:
            return None
        if mode in (MatchMode.EXACT, MatchMode.STARTS_WITH) and f" {word} " in self.spaced:
            only = "as the whole text" if mode is MatchMode.EXACT else "at the beginning"
            return f"`match: {mode}` takes it only {only}", f"take `match: {mode}` out"
        if len(word) < _INSIDE_FROM:
            return None
        longer = next((token for token in self.tokens if word in token), None)
        if longer is None:
            return "it stands there as a part of longer words", "write `match: contains`"
        ending = longer.startswith(word) and not keyword.endswith("*")
        mend = f"write {word}* for every ending" if ending else "write `match: contains`"
        return f"it stands inside the word “{longer}”", mend

    def _letters_off(self, word: str, most: int, *, open_end: bool) -> tuple[int, str] | None:
        """How many letters are off, and in which word of the text; of as many words as the keyword has."""
        best: tuple[int, str] | None = None
        wanted = _letters(word)
        for heard in self._of_words(word.count(" ") + 1):
            if open_end:
                beginning = heard[: len(word) + most]
                if len(beginning) < len(word) - most or (wanted & ~_letters(beginning)).bit_count() > most:
                    continue
                off = _beginning_off(word, beginning, most)
            elif abs(len(heard) - len(word)) > most or (wanted ^ _letters(heard)).bit_count() > 2 * most:
                continue
            else:
                off = letters_off(word, heard, most)
            if off is not None and (best is None or off < best[0]):
                best = (off, heard)
        return best

    def _of_words(self, number: int) -> Sequence[str]:
        """What stands side by side in the text, so many words each."""
        if number not in self._windows:
            tokens = self.heard.tokens[: WORDS_COMPARED + number]
            self._windows[number] = [
                " ".join(token for token, _ in tokens[start : start + number])
                for start in range(len(tokens) - number + 1)
            ]
        return self._windows[number]


def letters_off(one: str, other: str, most: int) -> int | None:
    """How many letters are added, lost, changed or swapped with their neighbour between two words; None when more
    than `most` are."""
    if abs(len(one) - len(other)) > most:
        return None
    before: list[int] = []
    line = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, line = line, [i]
        for j, b in enumerate(other, start=1):
            off = min(above[j] + 1, line[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                off = min(off, before[j - 2] + 1)
            line.append(off)
        if min(line) > most:
            return None
        before = above
    return line[-1] if line[-1] <= most else None


def _beginning_off(word: str, heard: str, most: int) -> int | None:
    """Of a keyword that takes every ending."""
    offs = (
        letters_off(word, heard[:length], most) for length in range(max(1, len(word) - most), len(heard) + 1)
    )
    return min((off for off in offs if off is not None), default=None)


@lru_cache(maxsize=65536)
def _folded(keyword: str) -> tuple[str, bool]:
    """As the text is folded, and whether every ending counts."""
    open_end = keyword.endswith("*") and len(keyword) > 1
    return trim(fold(keyword.removesuffix("*") if open_end else keyword)), open_end


@lru_cache(maxsize=65536)
def _letters(word: str) -> int:
    """A set of its letters, in bits: words that share few of them need no closer look."""
    bits = 0
    for char in word:
        bits |= 1 << (ord(char) % 61)
    return bits


@lru_cache(maxsize=65536)
def _allowed(word: str) -> int:
    """How many letters may be off. Emoji and scripts without spaces have no letters to be off."""
    if not all(char == " " or (in_word(char) and not spaceless(char)) for char in word):
        return 0
    return (len(word) >= _ONE_LETTER_FROM) + (len(word) >= _TWO_LETTERS_FROM)
