"""The key ring and what it seals. Its file is `keyring`'s.

The ring is a few keys, the newest first. It wraps one data key per account; tokens are sealed under the account's key
(AES-256-GCM) together with what they belong to, so that a sealed token moved to another row does not open. Destroying
an account's wrapped key makes everything sealed under it unreadable.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pamosnik.errors import HomeError

KEY_BYTES = 32
WRONG_MASTER_KEY = "The key of this account was wrapped with another master.key."
WRONG_ACCOUNT_KEY = "The stored token does not open with the account's key."
"""What stops a connection whose login does not open: it goes on when that opens again."""
_NONCE_BYTES = 12


class Unreadable(HomeError):
    """Something sealed does not open with the keys at hand."""


class Keys(Protocol):
    """Whatever wraps accounts' data keys: a ring, or `keyring.HeldKeys` that follows its file."""

    def wrap(self, account_id: str, data_key: bytes) -> bytes:
        """An account's data key, sealed under the newest master key."""
        ...

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        """The inverse, with any key of the ring; raises `Unreadable`."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """One key of the ring. Its repr shows nothing."""

    secret: bytes
    made_at: datetime | None
    """None: older than the key files that tell."""


@dataclass(frozen=True, slots=True, repr=False)
class MasterKeys:
    """The ring. `keys[0]` seals; all of them open. Its repr shows nothing."""

    keys: tuple[MasterKey, ...]

    def wrap(self, account_id: str, data_key: bytes) -> bytes:
        return seal(self.keys[0].secret, data_key, f"account-key:{account_id}")

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        for key in self.keys:
            opened = open_sealed(key.secret, wrapped, f"account-key:{account_id}")
            if opened is not None:
                return opened
        raise Unreadable(
            WRONG_MASTER_KEY,
            hint="Put back the master.key that belongs to this database. If it is lost: pamosnik keys status",
        )


def new_master_key(now: datetime | None) -> MasterKey:
    return MasterKey(secrets.token_bytes(KEY_BYTES), None if now is None else now.replace(microsecond=0))


def new_data_key() -> bytes:
    """A key for one account."""
    return secrets.token_bytes(KEY_BYTES)


def seal_token(data_key: bytes, token: str, *, account_id: str, ig_id: str) -> bytes:
    """A token under its account's key, bound to account, Instagram account and purpose."""
    return seal(data_key, token.encode(), _purpose(account_id, ig_id))


def open_token(data_key: bytes, sealed: bytes, *, account_id: str, ig_id: str) -> str:
    """The inverse of `seal_token`; raises `Unreadable`."""
    opened = open_sealed(data_key, sealed, _purpose(account_id, ig_id))
    if opened is None:
        raise Unreadable(WRONG_ACCOUNT_KEY, hint="Try: pamosnik connect")
    return opened.decode()


def _purpose(account_id: str, ig_id: str) -> str:
    return f"instagram-token:{account_id}:{ig_id}"


def seal(key: bytes, secret: bytes, purpose: str) -> bytes:
    """AES-256-GCM with a new nonce, which stands in front; bound to its purpose."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())


def open_sealed(key: bytes, sealed: bytes, purpose: str) -> bytes | None:
    """The inverse of `seal`; None when it does not open."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError):
        return None
