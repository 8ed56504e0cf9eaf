"""How written words are compared: folding away what people do not mean, and telling words apart.

Folded: case, width, accents on Latin and Greek letters, Arabic vowel signs, ё, what cannot be seen, the tone of an
emoji's skin. Kept: marks that make another letter (й, が, Thai vowels).
"""

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = frozenset(
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_ARABIC_SIGNS = frozenset([*map(chr, range(0x064B, 0x0653)), "\u0670", "\u0640"])
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
_GONE = _INVISIBLE | _ARABIC_SIGNS | _SKIN_TONES | _VARIATION_SELECTORS
_OTHERS = {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ё": "е"}

NO_WORD = r"[^\p{L}\p{N}\p{M}]"
"""RE2: what is neither letter nor digit nor mark, in any script."""

_SPACES = re.compile(r"\s+")

# Chinese, Japanese, Thai, Lao, Khmer: written without spaces between words.
_SPACELESS = (
    (0x0E00, 0x0EFF),
    (0x1780, 0x17FF),
    (0x19E0, 0x19FF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)


def fold(text: str) -> str:
    """The text as it is compared; runs of white space become one space, none at the ends."""
    if text.isascii():
        return _SPACES.sub(" ", text.casefold()).strip()
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded: list[str] = []
    accents_go = False
    for char in plain:
        base, loses_accents = _part(char)
        if loses_accents is not None:
            accents_go = loses_accents
        elif accents_go:
            continue
        folded.append(base)
    return _SPACES.sub(" ", "".join(folded)).strip()


@lru_cache(maxsize=8192)
def _part(char: str) -> tuple[str, bool | None]:
    """What stays of a character, and whether accents after it go; None for marks and what is gone: as before."""
    if char in _GONE:
        return "", None
    if unicodedata.category(char) == "Mn":
        return char, None
    base = _base(char)
    return base, _loses_accents(base[0])


def _base(char: str) -> str:
    if char in _OTHERS:
        return _OTHERS[char]
    decomposed = unicodedata.normalize("NFD", char)
    base = decomposed[0] if len(decomposed) > 1 and _loses_accents(decomposed[0]) else char
    # ǿ has an accent, too.
    return _OTHERS.get(base, base)


def _loses_accents(char: str) -> bool:
    return unicodedata.name(char, "").startswith(("LATIN", "GREEK"))


@lru_cache(maxsize=8192)
def in_word(char: str) -> bool:
    """Letters, digits and marks; everything else is a boundary."""
    return unicodedata.category(char)[0] in "LNM"


def spaceless(char: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    code = ord(char)
    return any(first <= code <= last for first, last in _SPACELESS)


def is_emoji(char: str) -> bool:
    """Pictures and what holds them together: symbols, keycaps, flags."""
    return unicodedata.category(char) in ("So", "Sk", "Me", "Cs")


def trim(folded: str) -> str:
    """Without the punctuation and emoji around it; as it is when nothing else would be left."""
    start, end = 0, len(folded)
    while start < end and _around(folded[start]):
        start += 1
    while end > start and _around(_base_before(folded, end)):
        end -= 1
    return folded[start:end] or folded


def same_label(one: str, other: str) -> bool:
    """Whether two labels read the same, apart from what people do not mean."""
    return trim(fold(one)) == trim(fold(other))


def _base_before(folded: str, end: int) -> str:
    """The character that ends there; of an enclosing mark (a keycap) what it encloses."""
    last = end - 1
    while last > 0 and unicodedata.category(folded[last]) == "Me":
        last -= 1
    return folded[last]


def _around(char: str) -> bool:
    return char == " " or unicodedata.category(char)[0] == "P" or is_emoji(char)


def tokens(folded: str) -> list[tuple[str, bool]]:
    """The words of a folded text, each with whether only a space stands between it and the word before."""
    found: list[tuple[str, bool]] = []
    start: int | None = None
    gap_from = 0
    for place, char in enumerate(folded):
        if in_word(char):
            if start is None:
                start = place
        elif start is not None:
            found.append((folded[start:place], folded[gap_from:start] == " "))
            start, gap_from = None, place
    if start is not None:
        found.append((folded[start:], folded[gap_from:start] == " "))
    return found


def within_one(a: str, b: str) -> bool:
    """Whether one letter added, lost or changed, or two neighbours swapped, makes one word of the other."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    if len(a) == len(b):
        swapped = a[same : same + 2] == b[same : same + 2][::-1] and a[same + 2 :] == b[same + 2 :]
        return a[same + 1 :] == b[same + 1 :] or swapped
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[same + 1 :] == shorter[same:]


def unicode_edges(pattern: str) -> str:
    r"""A pattern whose `\b` knows letters of every script: RE2's own knows ASCII only."""
    parts = pattern.split("\\\\")
    return "\\\\".join(part.replace(r"\b", rf"(?:^|$|{NO_WORD})") for part in parts)
