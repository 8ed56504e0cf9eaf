"""Random tokens that leave the machine once; only their hash is kept."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, fit for a cookie or a header."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored. A plain hash is enough: the token cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
