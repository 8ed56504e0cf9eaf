"""Does a text fit what a test expects?

The whole text counts, letter for letter; `*` is any run of characters, line breaks too; `any` is every text. The line
that tells people they write with a machine is no part of what a flow says: a text fits with it and without it.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from pamosnik.rehearsal.happenings import Card, Sent

ANY = "any"
HEART = "❤️"


def fits(pattern: str, texts: Iterable[str]) -> bool:
    """Whether one of the forms of a text fits."""
    return pattern.strip() == ANY or any(_fits(_normal(pattern), _normal(text)) for text in texts)


def fits_but_for_case(pattern: str, texts: Iterable[str]) -> bool:
    return fits(pattern.casefold(), [text.casefold() for text in texts])


def stands_in(pattern: str, texts: Iterable[str]) -> bool:
    """Whether it would fit with `*` before and behind it."""
    return fits(f"*{_normal(pattern)}*", texts)


def forms(sent: Sent, disclosure: str | None) -> tuple[str, ...]:
    """The text of a message, and the text without the first line when that is the disclosure."""
    text = words(sent)
    line = f"{disclosure}\n"
    if disclosure is None or not text.startswith(line):
        return (text,)
    return text, text.removeprefix(line)


def words(sent: Sent) -> str:
    """What stands in a message: of cards what is written on them, of pictures and files their addresses."""
    if sent.text is not None:
        return sent.text
    if sent.cards:
        return "\n".join(map(_card, sent.cards))
    addresses = [*sent.images, *(url for _, url in sent.media)]
    return "\n".join(addresses or ([HEART] if sent.heart else []))


def _card(card: Card) -> str:
    return card.title if card.subtitle is None else f"{card.title} – {card.subtitle}"


def _normal(text: str) -> str:
    """What looks alike is alike: composed letters, one kind of line break, nothing at the ends."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()


def _fits(pattern: str, text: str) -> bool:
    first, *others = pattern.split("*")
    if not others:
        return first == text
    *between, last = others
    if not text.startswith(first):
        return False
    return _in_order(between, text, len(first), last)


def _in_order(parts: Sequence[str], text: str, start: int, last: str) -> bool:
    """Whether the parts come one after the other, and the last one at the end."""
    for part in parts:
        found = text.find(part, start)
        if found < 0:
            return False
        start = found + len(part)
    return len(text) - len(last) >= start and text.endswith(last)
