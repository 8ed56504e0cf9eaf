"""Password hashes: PBKDF2-HMAC-SHA256. A check takes about a quarter of a second: run it in a thread.

Every check costs `ROUNDS` rounds, whatever the stored hash is: an older one with fewer, a damaged one, nobody's. Else
the time of an answer would tell which e-mail addresses have an account.

Keyboards write é as one sign or as two. Passwords are hashed in the composed form (Unicode's NFC); one that comes in
another form is checked as it came, too, for hashes that were made from it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pamosnik.errors import UsageError
from pamosnik.security import guesses

ROUNDS = 600_000
"""OWASP's figure of 2023 for PBKDF2-HMAC-SHA256, read in October 2026."""
MOST_ROUNDS = 10 * ROUNDS
"""A hash that asks for more is damaged, or was put there to keep the machine busy."""

SHORTEST = 10
LONGEST = 1000
_FORM = "pbkdf2_sha256"
_DIGEST_BYTES = 32
_WORDS = "Take three or four random words."


@dataclass(frozen=True, slots=True, repr=False)
class _Stored:
    rounds: int
    salt: bytes
    digest: bytes


def hash_password(password: str) -> str:
    """`pbkdf2_sha256$rounds$salt$hash`, with a new salt."""
    salt = secrets.token_bytes(16)
    digest = _digest(_composed(password), salt, ROUNDS)
    return f"{_FORM}${ROUNDS}${_text(salt)}${_text(digest)}"


def check_password(password: str, stored: str) -> bool:
    """Whether this is the password, compared in constant time. False also for what is no hash of ours, and for what
    is longer than a password can be."""
    known = _parsed(stored) or _NOBODY
    given = password[:LONGEST]
    fits = False
    # Both, always: how long it takes depends on what was typed, never on what is stored.
    for form in dict.fromkeys((_composed(given), given)):
        found = _digest(form, known.salt, known.rounds)
        if known.rounds < ROUNDS:
            _digest(form, known.salt, ROUNDS - known.rounds)
        fits |= hmac.compare_digest(found, known.digest)
    return fits and known is not _NOBODY and len(password) <= LONGEST


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with fewer rounds than are made today: after a login that fits, make it anew."""
    known = _parsed(stored)
    return known is not None and known.rounds < ROUNDS


def require_good(password: str, about: Sequence[str] = ()) -> None:
    """Refuses passwords that are too short, too long, or easy to guess. `about`: name and e-mail of their owner,
    which everybody tries first."""
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in password):
        raise UsageError(
            "The password has a sign in it that cannot be typed, like a tab or a NUL byte.",
            hint="Give it as one line of text in UTF-8.",
        )
    if not password.strip():
        raise UsageError("The password is empty.", hint=_WORDS)
    if len(password) < SHORTEST:
        raise UsageError(
            f"The password has {len(password)} characters; it needs at least {SHORTEST}.", hint=_WORDS
        )
    if len(password) > LONGEST:
        raise UsageError(f"The password is longer than {LONGEST} characters.", hint="Take a shorter one.")
    if len(set(password)) < 4:
        raise UsageError("The password repeats the same few characters.", hint=_WORDS)
    if guesses.easy(password, about):
        raise UsageError(
            "The password is easy to guess: it is one that everybody tries first (a common one, your name, your"
            " e-mail address).",
            hint=_WORDS,
        )


NOBODY = f"{_FORM}${ROUNDS}${'A' * 22}==${'A' * 43}="
"""A hash nothing fits: checking it takes as long as for an account that exists."""
_NOBODY = _Stored(ROUNDS, bytes(16), bytes(_DIGEST_BYTES))


def _parsed(stored: str) -> _Stored | None:
    """None: damaged, or no hash of ours."""
    form, _, rest = stored.partition("$")
    rounds, _, rest = rest.partition("$")
    salt, _, digest = rest.partition("$")
    if form != _FORM or not (rounds.isascii() and rounds.isdecimal() and len(rounds) <= 9):
        return None
    try:
        known = _Stored(
            int(rounds), base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
        )
    except (binascii.Error, ValueError):
        return None
    if not 1 <= known.rounds <= MOST_ROUNDS or not known.salt or len(known.digest) != _DIGEST_BYTES:
        return None
    return known


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _digest(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "replace"), salt, rounds)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
