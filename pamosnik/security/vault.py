"""The key ring and what it seals.

`master.key` in the home folder is a small ring of keys, the newest first. It wraps one data key per account; tokens
are sealed under the account's key (AES-256-GCM) together with what they belong to, so that a sealed token moved to
another row does not open. Destroying an account's wrapped key makes everything sealed under it unreadable.

With a passphrase the ring itself is sealed: Argon2id makes the key from it.
"""

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pamosnik.errors import HomeError

KEY_BYTES = 32
_NONCE_BYTES = 12
_SALT_BYTES = 16
_ARGON2 = {"time_cost": 3, "memory_cost": 65536, "parallelism": 4}


class Unreadable(HomeError):
    """Something sealed does not open with the keys at hand."""


@dataclass(frozen=True, slots=True, repr=False)
class MasterKeys:
    """The ring. `keys[0]` seals; all of them open. Its repr shows nothing."""

    keys: tuple[bytes, ...]

    def wrap(self, account_id: str, data_key: bytes) -> bytes:
        """An account's data key, sealed under the newest master key."""
        return _seal(self.keys[0], data_key, f"account-key:{account_id}")

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        for key in self.keys:
            opened = _open(key, wrapped, f"account-key:{account_id}")
            if opened is not None:
                return opened
        raise Unreadable(
            "The key of this account was wrapped with another master.key.",
            hint="Put back the master.key that belongs to this database, or run `pamosnik connect` again.",
        )


def new_data_key() -> bytes:
    """A key for one account."""
    return secrets.token_bytes(KEY_BYTES)


def seal_token(data_key: bytes, token: str, *, account_id: str, ig_id: str) -> bytes:
    """A token under its account's key, bound to account, Instagram account and purpose."""
    return _seal(data_key, token.encode(), _purpose(account_id, ig_id))


def open_token(data_key: bytes, sealed: bytes, *, account_id: str, ig_id: str) -> str:
    """The inverse of `seal_token`; raises `Unreadable`."""
    opened = _open(data_key, sealed, _purpose(account_id, ig_id))
    if opened is None:
        raise Unreadable(
            "The stored token does not open with the account's key.", hint="Try: pamosnik connect"
        )
    return opened.decode()


def _purpose(account_id: str, ig_id: str) -> str:
    return f"instagram-token:{account_id}:{ig_id}"


def _seal(key: bytes, secret: bytes, purpose: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())


def _open(key: bytes, sealed: bytes, purpose: str) -> bytes | None:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError):
        return None


# --- the file --------------------------------------------------------------------------------------------


def create_master_keys(path: Path, passphrase: str | None) -> MasterKeys:
    """Makes `master.key` with one new key. Raises FileExistsError rather than replace one."""
    ring = MasterKeys((new_data_key(),))
    raw = json.dumps(_file_content(ring, passphrase)).encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    return ring


def load_master_keys(path: Path, passphrase: str | None) -> MasterKeys:
    """Reads `master.key`. Raises `HomeError` when it is missing, sealed without a passphrase at hand, or damaged."""
    try:
        if path.stat().st_mode & 0o077:
            raise HomeError(
                f"The key file {path} can be read by other users of this machine.",
                hint=f"Try: chmod 600 {path}",
            )
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise HomeError(
            f"There is no key file at {path}.",
            hint="Put back the master.key that belongs to this database; without it the stored tokens are lost.",
        ) from None
    except ValueError:
        raise HomeError(f"The key file {path} is damaged.", hint="Put back a copy of it.") from None
    try:
        ring = tuple(base64.b64decode(key) for key in _open_ring(raw, path, passphrase))
    except (KeyError, TypeError, binascii.Error):
        ring = ()
    if not ring or any(len(key) != KEY_BYTES for key in ring):
        raise HomeError(f"The key file {path} is damaged.", hint="Put back a copy of it.")
    return MasterKeys(ring)


def _file_content(ring: MasterKeys, passphrase: str | None) -> dict[str, object]:
    keys = [base64.b64encode(key).decode() for key in ring.keys]
    if passphrase is None:
        return {"pamosnik_keys": 1, "keys": keys}
    salt = secrets.token_bytes(_SALT_BYTES)
    sealed = _seal(_from_passphrase(passphrase, salt), json.dumps(keys).encode(), "master-keys")
    return {
        "pamosnik_keys": 1,
        "sealed_with": "argon2id",
        "salt": base64.b64encode(salt).decode(),
        "sealed": base64.b64encode(sealed).decode(),
    }


def _open_ring(raw: dict[str, str], path: Path, passphrase: str | None) -> list[str]:
    if "sealed" not in raw:
        return list(raw["keys"])
    if passphrase is None:
        raise HomeError(
            f"The key file {path} is sealed with a passphrase.",
            hint="Set PAMOSNIK_PASSPHRASE, or PAMOSNIK_PASSPHRASE_FILE to a file that holds it.",
        )
    key = _from_passphrase(passphrase, base64.b64decode(raw["salt"]))
    opened = _open(key, base64.b64decode(raw["sealed"]), "master-keys")
    if opened is None:
        raise HomeError(
            f"The passphrase does not open the key file {path}.", hint="Check PAMOSNIK_PASSPHRASE."
        )
    return list(json.loads(opened))


def _from_passphrase(passphrase: str, salt: bytes) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, hash_len=KEY_BYTES, type=Type.ID, **_ARGON2)
