"""Random tokens that leave the machine once; only their hash is kept."""

import hashlib
import secrets

from pamosnik import unsaid

API_TOKEN_PREFIX = "pamo_"  # noqa: S105 - it only says what the rest is
"""Tokens of the API begin so: where one leaked, people and secret scanners know it."""


def new_token() -> str:
    """256 random bits, fit for a cookie or a header."""
    return unsaid.keep(secrets.token_urlsafe(32))


def new_api_token() -> str:
    """256 random bits, recognisable."""
    return API_TOKEN_PREFIX + new_token()


def token_hash(token: str) -> bytes:
    """What is stored. A plain hash is enough: the token cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
