"""Big files under a passphrase.

A key made for one file alone is sealed under the passphrase (Argon2id, then AES-256-GCM as everywhere in
`vault`): what opens it is the right passphrase, so a wrong one is told apart from damage.

Under that key the file stands in pieces, each AES-256-GCM; the nonce of a piece is its number and whether it is the
last one. That is STREAM (Hoang and others, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance",
2015): pieces that are changed, missing, swapped, repeated or cut off at the end do not open, and no more than two
have to be in memory. Every piece is bound to what stands beside the file in the open, too.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pamosnik.security import vault
from pamosnik.security.stretching import KEY_BYTES, TODAY, Argon2, stretched

PIECE_BYTES = 1 << 20
_TAG_BYTES = 16
_SALT_BYTES = 16
_PURPOSE = "sealed-file"
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, binascii.Error)


class Damaged(Exception):
    """It is not as it was sealed."""


def new_seal(passphrase: str, argon2: Argon2 = TODAY) -> tuple[dict[str, object], bytes]:
    """What has to stand beside the file, in the open, and the key for it."""
    key, salt = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_SALT_BYTES)
    beside = {
        "sealed_with": "argon2id, aes-256-gcm",
        "time_cost": argon2.time_cost,
        "memory_kib": argon2.memory_kib,
        "parallelism": argon2.parallelism,
        "salt": _text(salt),
        "key": _text(vault.seal(stretched(passphrase, salt, argon2), key, _PURPOSE)),
    }
    return beside, key


def key_of(beside: Mapping[str, Any], passphrase: str) -> bytes | None:
    """None: it is another passphrase. Raises `Damaged`; `HomeError` when the machine lacks the memory."""
    try:
        asked = Argon2(*(int(beside[name]) for name in ("time_cost", "memory_kib", "parallelism")))
        asked.require_sane()
        salt, sealed = (base64.b64decode(beside[name], validate=True) for name in ("salt", "key"))
        if len(salt) != _SALT_BYTES or len(sealed) != 12 + KEY_BYTES + _TAG_BYTES:
            raise ValueError("length")
    except _MALFORMED:
        raise Damaged from None
    return vault.open_sealed(stretched(passphrase, salt, asked), sealed, _PURPOSE)


def seal(
    source: IO[bytes], target: IO[bytes], key: bytes, bound_to: bytes, tell: Callable[[int], None]
) -> None:
    """`tell` hears of each piece how many bytes it took."""
    cipher = AESGCM(key)
    number, piece = 0, source.read(PIECE_BYTES)
    while True:
        following = source.read(PIECE_BYTES)
        target.write(cipher.encrypt(_nonce(number, last=not following), piece, bound_to))
        tell(len(piece))
        if not following:
            return
        number, piece = number + 1, following


def unseal(source: IO[bytes], target: IO[bytes], key: bytes, bound_to: bytes) -> None:
    """Raises `Damaged`; what was written until then counts for nothing."""
    cipher = AESGCM(key)
    number, piece = 0, source.read(PIECE_BYTES + _TAG_BYTES)
    while True:
        following = source.read(PIECE_BYTES + _TAG_BYTES)
        try:
            target.write(cipher.decrypt(_nonce(number, last=not following), piece, bound_to))
        except (InvalidTag, ValueError):
            raise Damaged from None
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
