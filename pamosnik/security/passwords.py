"""Password hashes: PBKDF2-HMAC-SHA256. A check takes about a quarter of a second: run it in a thread."""

import base64
import hashlib
import hmac
import secrets

from pamosnik.errors import UsageError

ROUNDS = 600_000
"""OWASP's figure of 2023 for PBKDF2-HMAC-SHA256, read in October 2026."""

SHORTEST = 10
LONGEST = 1000
_FORM = "pbkdf2_sha256"


def hash_password(password: str) -> str:
    """`pbkdf2_sha256$rounds$salt$hash`, with a new salt."""
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    return f"{_FORM}${ROUNDS}${_text(salt)}${_text(digest)}"


def check_password(password: str, stored: str) -> bool:
    """Whether this is the password, compared in constant time. False also for what is no hash of ours."""
    parts = stored.split("$")
    if len(parts) != 4 or parts[0] != _FORM:
        return False
    salt, digest = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    found = hashlib.pbkdf2_hmac("sha256", password[:LONGEST].encode("utf-8", "replace"), salt, int(parts[1]))
    return hmac.compare_digest(found, digest)


def require_good(password: str) -> None:
    """Refuses passwords that are too short, too long or one repeated character."""
    if len(password) < SHORTEST:
        raise UsageError(
            f"The password has {len(password)} characters; it needs at least {SHORTEST}.",
            hint="Take three or four random words.",
        )
    if len(password) > LONGEST:
        raise UsageError(f"The password is longer than {LONGEST} characters.", hint="Take a shorter one.")
    if len(set(password)) < 4:
        raise UsageError(
            "The password repeats the same few characters.", hint="Take three or four random words."
        )


NOBODY = f"{_FORM}${ROUNDS}${'A' * 22}==${'A' * 43}="
"""A hash nothing fits: checking it takes as long as for an account that exists."""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
