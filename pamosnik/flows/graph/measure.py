"""How wide text is, without a font.

Nobody knows which font will show a picture: `sans-serif` is Arial here, DejaVu Sans or Noto there. The table holds
the widths of DejaVu Sans, which with Verdana is the widest in use, so in any other font text is narrower than its box
and never wider. Other scripts are estimated from above by what they are: an ideograph is as wide as it is high in
every font, an emoji a little wider. A test measures in a browser.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_STEP = 0.025
"""What one sign of a table counts, in em; "0" is nothing."""
_TABLES = (
    (0x20, "=ACRJWP;@@DR=?=>JJJJJJJJJJ>>RRRFXLLLOJHOO<<KGSNPIPLJINLXLIL@>@RDDIJFJI?JJ<<H<WJIJJAE@JHQHHEJ>JR"),
    (0xA0, "=AJJJJ>DDXCIRXDDRAADJJ=DACIWWWFLLLLLLWLJJJJ<<<<ONPPPPPRPNNNNIIJIIIIIIXFIIII<<<<IJIIIIIRIJJJJHJH"),
    (
        0x100,
        "LILILILFLFLFLFOJOJJIJIJIJIJIOJOJOJOJOJUL<<<<<<<<<<HG<<KHHG<G<G?G>G<NJNJNJQNJPIPIPI[YLALALAJEJEJEJEI@I@I@"
        "NJNJNJNJNJNJXQIHILELELE?",
    ),
    (
        0x370,
        "KGSJ<<NJIIDFFF><IIIIDDL=NSAIQIQR>LLGLJLOP<KLSNJPOIIJIIPLPO<IKFJ>HKJHIFFJI>HHJGGIIJHJIHKHKR>HIHRKIILRLKRKPI"
        "JHHCKKSJVROKPILIOILIIFKJF<PIIIJLSKJMLM",
    ),
    (
        0x400,
        "JJPILJ<<<\\ZPMNIOLLLIPJ\\JNNMOSOPOILIISLPL[\\RTLL\\LIIHFLIUFJJIJOKIKJFHHSHLHUVMPHFRIIIIFFE<<<UTKIJHK",
    ),
    (0x5D0, "KHAFK;>KJ9FFGKL;AJJJIFHMGMK"),
    (0x620, "IC<<D<P<VEVVJJJBBDDaaaaUUHHIIIII<ZPQNINEDPP"),
    (
        0x66E,
        "VP0III<IIIIVVVVVVVVJJJJJJJBBBBBBBBBDDDFIFDDDaaaaaUHZZZZZZPPT[TQQQTTTTTTNNNNNNNNNLJEIIIIIDDDIIDPIPIPIII",
    ),
)
_BLOCKS: tuple[tuple[int, int, float], ...] = (
    (0x0180, 0x024F, 1.0),
    (0x0460, 0x052F, 1.1),
    (0x0590, 0x05FF, 0.75),
    (0x0600, 0x06FF, 0.95),
    (0x0750, 0x077F, 0.95),
    (0x2010, 0x2027, 1.0),
    (0x20A0, 0x20CF, 1.3),
    (0xFDF0, 0xFDFF, 9.0),
)
_UNKNOWN = 1.1
"""Of a sign no table knows: the box that a browser shows in its place is narrower."""
_IDEOGRAPH = 1.05
_EMOJI = 1.45
_BOLD = 1.24
"""Bold letters against the same in normal weight; single ones differ more, words do not."""

_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_NO_LETTERS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
    "|[" + "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)) + "]"
)
"""What XML forbids or nobody can see. Emoji newer than this Python stay."""
_TURNS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
"""Signs that turn the direction of what follows, beyond their own text."""
_VARIABLE = re.compile(r"\{[^{}\n]*\}")
ELLIPSIS = "…"
NO_BREAK = "\u00a0"


def clean(text: str) -> str:
    """Without what no picture can hold: control characters, halves of letters, signs that turn the direction."""
    return _TURNS.sub("", _NO_LETTERS.sub(" ", text))


def width(text: str, size: float, *, bold: bool = False) -> float:
    """At most so many units wide is a line of text in a font of that size."""
    return sum(map(_em, text)) * size * (_BOLD if bold else 1)


@lru_cache(maxsize=4096)
def _em(char: str) -> float:
    code = ord(char)
    if unicodedata.category(char) in ("Mn", "Me", "Cf") or 0xFE00 <= code <= 0xFE0F:
        return 0.0
    for first, table in _TABLES:
        if first <= code < first + len(table):
            return (ord(table[code - first]) - ord("0")) * _STEP
    base = unicodedata.normalize("NFD", char)[0]
    if base != char and ord(base) < 0x400:
        return _em(base)
    if code >= 0x1F000 or 0x2300 <= code <= 0x2BFF:
        return _EMOJI
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return _IDEOGRAPH
    return next((wide for first, last, wide in _BLOCKS if first <= code <= last), _UNKNOWN)


def wrap(text: str, room: float, size: float, *, lines: int, bold: bool = False) -> tuple[str, ...]:
    """At most so many lines, each at most `room` wide; what does not fit is cut off with …."""
    pieces = _lines(clean(text), room, size, bold=bold)
    made: list[str] = []
    for piece in pieces:
        if len(made) == lines:
            made[-1] = cut(made[-1] + ELLIPSIS, room, size, bold=bold, ended=True)
            break
        made.append(piece)
    return tuple(made)


def cut(text: str, room: float, size: float, *, bold: bool = False, ended: bool = False) -> str:
    """One line that fits, with … where something was left out. `ended`: it ends in … in any case."""
    text = " ".join(clean(text).split())
    if width(text, size, bold=bold) <= room:
        return text
    kept = ""
    for cluster in clusters(text.removesuffix(ELLIPSIS) if ended else text):
        if width(kept + cluster + ELLIPSIS, size, bold=bold) > room:
            break
        kept += cluster
    return kept.rstrip() + ELLIPSIS


def _lines(text: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    for paragraph in text.split("\n"):
        line = ""
        for word in _words(paragraph, room, size, bold=bold):
            if line and width((line + word).rstrip(), size, bold=bold) > room:
                yield line.rstrip()
                line = word.lstrip()
            else:
                line = (line + word) if line else word.lstrip()
        if line.rstrip():
            yield line.rstrip()


def _words(paragraph: str, room: float, size: float, *, bold: bool) -> Iterator[str]:
    """What stays on one line: words with the space before them, ideographs, pieces of words that are too long."""
    for part in re.findall(rf"[^\S{NO_BREAK}]*[\S{NO_BREAK}]+", paragraph):
        piece = ""
        for cluster in clusters(part):
            alone = unicodedata.east_asian_width(cluster[0]) in ("W", "F")
            if piece.strip() and (alone or width((piece + cluster).strip(), size, bold=bold) > room):
                yield piece
                piece = ""
            piece += " " if cluster.isspace() else cluster
        if piece.strip():
            yield piece


def clusters(text: str) -> Iterator[str]:
    """Letters with the marks on them, and emoji made of several, in one piece each."""
    cluster = ""
    for char in text:
        joined = cluster.endswith(_JOINER) or char == _JOINER or ord(char) in _SKIN_TONES
        if cluster and (
            joined or unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf") or _pairs(cluster, char)
        ):
            cluster += char
            continue
        if cluster:
            yield cluster
        cluster = char
    if cluster:
        yield cluster


def _pairs(cluster: str, char: str) -> bool:
    """Two letters that make a flag."""
    return len(cluster) == 1 and all(0x1F1E6 <= ord(one) <= 0x1F1FF for one in (cluster, char))


def runs_leftward(text: str) -> bool:
    """Whether a text is read from the right: its first letter outside a `{variable}` says so."""
    for char in _VARIABLE.sub("", text):
        direction = unicodedata.bidirectional(char)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False
