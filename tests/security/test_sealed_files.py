"""What is sealed opens with its passphrase alone, as it was, or not at all."""

import io
import itertools
import secrets

import pytest

from pamosnik.security import sealed_files
from pamosnik.security.sealed_files import Damaged
from pamosnik.security.stretching import Argon2

LIGHT = Argon2(time_cost=1, memory_kib=64, parallelism=1)
PIECE = sealed_files.PIECE_BYTES
SEALED_PIECE = PIECE + 16
BOUND = b"what stands beside"


def _sealed(content: bytes, key: bytes = b"k" * 32, bound_to: bytes = BOUND) -> bytes:
    target = io.BytesIO()
    taken: list[int] = []
    sealed_files.seal(io.BytesIO(content), target, key, bound_to, taken.append)
    assert sum(taken) == len(content)
    return target.getvalue()


def _opened(sealed: bytes, key: bytes = b"k" * 32, bound_to: bytes = BOUND) -> bytes:
    target = io.BytesIO()
    sealed_files.unseal(io.BytesIO(sealed), target, key, bound_to)
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7])
def test_it_comes_out_as_it_went_in(size: int) -> None:
    content = secrets.token_bytes(size)
    assert _opened(_sealed(content)) == content


def test_nothing_but_what_was_sealed_opens() -> None:
    content = b"one" * PIECE
    sealed = _sealed(content)
    first, second, third = (sealed[n * SEALED_PIECE : (n + 1) * SEALED_PIECE] for n in range(3))
    changed = bytearray(sealed)
    changed[SEALED_PIECE + 5] ^= 1
    for spoiled in (
        bytes(changed),
        sealed[:-1],
        sealed + b"x",
        first + second,  # cut off between two pieces
        first,
        b"",
        second + first + third,
        first + first + second + third,
        first + third,
    ):
        with pytest.raises(Damaged):
            _opened(spoiled)
    with pytest.raises(Damaged):
        _opened(sealed, b"x" * 32)
    with pytest.raises(Damaged):
        _opened(sealed, bound_to=b"something else")


def test_each_file_has_a_key_of_its_own_which_the_passphrase_opens() -> None:
    seals = [sealed_files.new_seal("three random words", LIGHT) for _ in range(3)]
    assert len({key for _, key in seals}) == len({str(beside["salt"]) for beside, _ in seals}) == 3
    for beside, key in seals:
        assert sealed_files.key_of(beside, "three random words") == key
        assert sealed_files.key_of(beside, "three random word") is None
        assert key.hex() not in str(beside)
    (one, _), (other, _) = itertools.islice(seals, 2)
    assert sealed_files.key_of({**one, "salt": other["salt"]}, "three random words") is None


@pytest.mark.parametrize(
    "spoiled",
    [
        {"memory_kib": 1 << 30},
        {"time_cost": 0},
        {"parallelism": "many"},
        {"salt": "!"},
        {"salt": "AAAA"},
        {"key": None},
        {"key": "AAAA"},
    ],
)
def test_what_stands_beside_it_may_be_damaged(spoiled: dict[str, object]) -> None:
    beside, _ = sealed_files.new_seal("three random words", LIGHT)
    with pytest.raises(Damaged):
        sealed_files.key_of({**beside, **spoiled}, "three random words")
    with pytest.raises(Damaged):
        sealed_files.key_of({}, "three random words")
