"""A key from a passphrase, by Argon2id: slow to guess, whatever machine tries."""

from dataclasses import dataclass

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from pamosnik.errors import HomeError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Argon2:
    """What makes a passphrase slow to guess."""

    time_cost: int
    memory_kib: int
    parallelism: int

    def is_weaker_than(self, other: "Argon2") -> bool:
        return self.time_cost < other.time_cost or self.memory_kib < other.memory_kib

    def require_sane(self) -> None:
        """Raises ValueError for what no file of ours asks for: it would take all memory, or minutes."""
        if not (
            1 <= self.time_cost <= _MOST.time_cost
            and 1 <= self.parallelism <= _MOST.parallelism
            and 8 * self.parallelism <= self.memory_kib <= _MOST.memory_kib
        ):
            raise ValueError("out of bounds")


TODAY = Argon2(time_cost=3, memory_kib=65536, parallelism=4)
"""The second recommendation of RFC 9106, section 4, read in October 2026; the first takes 2 GiB."""
_MOST = Argon2(time_cost=16, memory_kib=1 << 20, parallelism=16)


class CannotStretch(HomeError):
    """The machine lacks what Argon2id was told to take."""


def stretched(passphrase: str, salt: bytes, asked: Argon2) -> bytes:
    """Raises `CannotStretch`."""
    try:
        return hash_secret_raw(
            passphrase.encode("utf-8", "surrogateescape"),
            salt,
            time_cost=asked.time_cost,
            memory_cost=asked.memory_kib,
            parallelism=asked.parallelism,
            hash_len=KEY_BYTES,
            type=Type.ID,
        )
    except HashingError as error:
        raise CannotStretch(
            f"{error}.", hint=f"It takes {asked.memory_kib >> 10} MiB of free memory."
        ) from None
