"""Meta's `signed_request`, the form field of its privacy callbacks: who signed it, and whom it is about.

    base64url(HMAC-SHA256(app secret, second part as it stands)) "." base64url(JSON), usually without padding

https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback (October 2026).
The signature is made over the second part as it came, so that is what is checked. Which of the app's two secrets
signs for Instagram is not written down: either may. When it was issued or expires refuses nothing: Meta repeats what
was not answered, and a deletion that was wanted then is wanted still.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FIELD = "signed_request"
_ALGORITHM = "HMAC-SHA256"
_CODE_BYTES = 10
_SECONDS_BELOW = 10**11


class Malformed(Exception):
    """It has not the form of a signed request. The text says what is wrong, and quotes nothing of it."""


class WrongSignature(Exception):
    """None of the secrets signed it."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that Meta signed."""

    user_id: str
    """Of the Instagram account: its id for this app, or its own; which one Meta sends is not certain."""
    issued_at: datetime | None
    code: str
    """What it is answered with. The same request always has the same one; nobody can tell it without the secret."""


def read(text: str, secrets: Sequence[str]) -> SignedRequest:
    """Raises `Malformed` and `WrongSignature`, and nothing else, whatever a stranger sends."""
    mac, dot, payload = text.partition(".")
    if not (mac and dot and payload):
        raise Malformed("It is not two parts with a dot between them.")
    secret = _signer(mac, payload, secrets)
    if secret is None:
        raise WrongSignature
    raw = _object(payload)
    if str(raw.get("algorithm")).upper() != _ALGORITHM:
        raise Malformed(f"Its algorithm is not {_ALGORITHM}.")
    return SignedRequest(_user_id(raw), _instant(raw.get("issued_at")), _code(secret, payload))


def _signer(mac: str, payload: str, secrets: Sequence[str]) -> str | None:
    """The secret that signed; all are tried, in constant time."""
    try:
        given = _decoded(mac)
    except ValueError:
        return None
    found: str | None = None
    for secret in secrets:
        right = hmac.new(secret.encode(), _bytes(payload), hashlib.sha256).digest()
        if hmac.compare_digest(right, given) and found is None:
            found = secret
    return found


def _code(secret: str, payload: str) -> str:
    """80 bits, in capital letters and the digits 2 to 7: no two of them are easily mistaken for each other."""
    made = hmac.new(secret.encode(), b"deletion:" + _bytes(payload), hashlib.sha256).digest()
    return base64.b32encode(made[:_CODE_BYTES]).decode()


def _object(payload: str) -> dict[str, object]:
    try:
        raw = json.loads(_decoded(payload))
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        raise Malformed("Its second part is no JSON object in base64url.")
    return raw


def _user_id(raw: dict[str, object]) -> str:
    """As text or as a number."""
    given = raw.get("user_id")
    if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
        raise Malformed("It names no user_id.")
    # Half of a pair of surrogates, which JSON can spell, is no text that could be looked for.
    return str(given).encode("utf-8", "replace").decode()


def _instant(given: object) -> datetime | None:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given < _SECONDS_BELOW:
        return None
    return datetime.fromtimestamp(given, UTC)


def _decoded(text: str) -> bytes:
    """base64url, with padding or without. Raises ValueError."""
    bare = text.rstrip("=")
    return base64.b64decode(f"{bare}{'=' * (-len(bare) % 4)}".encode("ascii"), altchars=b"-_", validate=True)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
