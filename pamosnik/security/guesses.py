"""What everybody who guesses passwords tries first: the long ones of the lists of leaked passwords, and the account's
own name and address, with a number behind them.

Only a password that is nothing else is refused. Words like these inside a longer one are no reason: throttling and
the cost of each guess stand against whoever tries combinations, and rules that surprise make people write theirs
down.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_COMMON = """
    123456789 1234567890 12345678910 0123456789 0987654321 9876543210 987654321 1234512345 1122334455
    123123123 11223344 qwertyuiop qwertzuiop azertyuiop qwerty qwertyqwerty qwerty123456 asdfghjkl
    asdfghjkl zxcvbnm 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc qazwsxedc zaq12wsx zaq1zaq1 abcdefghij
    abcd1234 abc123abc password passwordpassword mypassword newpassword password123456 passw0rd p@ssw0rd
    p@ssword passwort kennwort meinpasswort hasło hasłohasło mojehaslo contraseña contrasena
    micontraseña senhasenha motdepasse parolaparola пароль letmein letmeinplease changeme changemenow
    defaultpassword administrator adminadmin rootroot welcome welcomewelcome willkommen iloveyou
    iloveyousomuch ichliebedich kochamcie tequiero teamo sunshine princess superman spiderman
    batmanbatman starwars football baseball basketball trustno1 whatever instagram facebook pamosnik
    pamosnikpamosnik
"""
_BEHIND = re.compile(r"[\d\W_]*\Z")
_SIGNS = re.compile(r"[\W_]+")


def easy(password: str, about: Sequence[str] = ()) -> bool:
    """Whether a password is nothing but what is tried first, with digits and signs behind it or without. `about`:
    name, e-mail."""
    whole = _plain(password)
    bare = _BEHIND.sub("", whole)
    known = {*_COMMON.split()} | {_without_signs(form) for text in about for form in _forms(_plain(text))}
    return any(form in known for form in (whole, bare, _without_signs(whole), _without_signs(bare)) if form)


def _forms(text: str) -> Iterable[str]:
    """As it is, and of an address what stands before the @."""
    yield text
    name, at, _ = text.partition("@")
    if at:
        yield name


def _without_signs(text: str) -> str:
    return _SIGNS.sub("", text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
