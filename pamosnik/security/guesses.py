"""What everybody who guesses passwords tries first: words of the lists of leaked passwords, rows of keys, and what is
known of the account. In a password these count for nothing: what is left must be enough.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

OF_ITS_OWN = 6
"""So many characters must be left."""
_SHORTEST_WORD = 4

_COMMON = """
    123456789 987654321 0123 1234 12345 123456 1234567 12345678 1234567890 0987654321 4321 11111 00000 abcdefghij
    abcd1234 abc123 1q2w3e4r5t 1q2w3e4r 1qaz2wsx qazwsx zaq12wsx qwertyuiop qwertzuiop azertyuiop qwerty qwertz
    azerty asdfghjkl asdfgh zxcvbnm yxcvbnm wasd
    password passw0rd p@ssw0rd p@ssword passwort kennwort hasło haslo contraseña contrasena senha motdepasse parola
    пароль geheim secret letmein changeme default admin administrator root login access welcome willkommen witaj
    hello hallo instagram facebook whatsapp google pamosnik business
    iloveyou loveyou lovely princess sunshine superman batman spiderman pokemon starwars football baseball basketball
    monkey dragon master shadow michael jennifer charlie jordan summer winter spring autumn flower cookie
    chocolate trustno1 whatever computer internet samsung
"""
_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"[^\W_]+")


def easy(password: str, about: Sequence[str] = ()) -> bool:
    """Whether little is left of a password without what is tried first. `about`: name, e-mail."""
    left = _plain(password)
    for word in sorted({*_COMMON.split(), *_words(about)}, key=len, reverse=True):
        left = left.replace(word, "")
    return len(_YEAR.sub("", left)) < OF_ITS_OWN


def _words(about: Iterable[str]) -> Iterable[str]:
    for text in map(_plain, about):
        yield from (word for word in (text, *_WORD.findall(text)) if len(word) >= _SHORTEST_WORD)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
