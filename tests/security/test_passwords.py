"""Passwords are kept as hashes, and weak ones are refused."""

import base64
import hashlib

import pytest

from pamosnik.errors import UsageError
from pamosnik.security.passwords import (
    LONGEST,
    NOBODY,
    ROUNDS,
    SHORTEST,
    check_password,
    hash_password,
    needs_rehash,
    require_good,
)
from pamosnik.security.tokens import new_token, token_hash

_PASSWORD = "trzy losowe słowa 🔑"


def test_a_password_fits_its_hash_alone() -> None:
    stored = hash_password(_PASSWORD)
    assert check_password(_PASSWORD, stored)
    assert not check_password(_PASSWORD + " ", stored)
    assert not check_password(_PASSWORD.upper(), stored)
    assert _PASSWORD not in stored


def test_the_same_password_has_another_hash_each_time() -> None:
    first, second = hash_password(_PASSWORD), hash_password(_PASSWORD)
    assert first != second
    assert first.split("$")[:2] == ["pbkdf2_sha256", str(ROUNDS)]


_DIGEST = "A" * 43 + "="
_SALT = "A" * 22 + "=="


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rounds that were spent; the library's own function does the work."""
    spent: list[int] = []
    derive = hashlib.pbkdf2_hmac

    def counted(name: str, password: bytes, salt: bytes, count: int) -> bytes:
        spent.append(count)
        return derive(name, password, salt, count)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    return spent


def _old_hash(password: str, made_with: int = 1000) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), bytes(16), made_with)
    return f"pbkdf2_sha256${made_with}${_SALT}${base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    "stored",
    [
        *(
            "",
            "x",
            f"md5$1${_SALT}${_DIGEST}",
            f"pbkdf2_sha256$1${_SALT}",
            f"pbkdf2_sha256$0${_SALT}${_DIGEST}",
        ),
        *(f"pbkdf2_sha256$-1${_SALT}${_DIGEST}", f"pbkdf2_sha256$x${_SALT}${_DIGEST}", NOBODY),
        *(f"pbkdf2_sha256$1$!${_DIGEST}", f"pbkdf2_sha256$1${_SALT}$AA==", f"pbkdf2_sha256$1$${_DIGEST}"),
        *(f"pbkdf2_sha256$999999999${_SALT}${_DIGEST}", f"pbkdf2_sha256${'9' * 5000}${_SALT}${_DIGEST}"),
    ],
)
def test_what_is_no_hash_of_ours_fits_nothing_and_costs_as_much(stored: str, rounds: list[int]) -> None:
    assert not check_password(_PASSWORD, stored)
    assert sum(rounds) == ROUNDS


def test_a_hash_with_fewer_rounds_fits_costs_as_much_and_is_to_be_made_anew(rounds: list[int]) -> None:
    old = _old_hash(_PASSWORD)
    rounds.clear()
    assert check_password(_PASSWORD, old)
    assert sum(rounds) == ROUNDS
    rounds.clear()
    assert not check_password("another", old)
    assert sum(rounds) == ROUNDS
    assert needs_rehash(old)
    assert not any(map(needs_rehash, (hash_password(_PASSWORD), NOBODY, "damaged")))


def test_a_sign_that_keyboards_write_in_two_ways_is_the_same_password() -> None:
    one, two = "caf\u00e9 au lait!", "cafe\u0301 au lait!"
    stored = hash_password(one)
    assert check_password(two, stored)
    assert check_password(one, hash_password(two))
    # Hashes from before passwords were composed.
    assert check_password(two, _old_hash(two, ROUNDS))


def test_what_is_longer_than_a_password_is_not_cut_to_one() -> None:
    longest = "abcd" * (LONGEST // 4)
    assert not check_password(longest + "x", hash_password(longest))


def test_the_hash_of_nobody_fits_nothing_and_costs_as_much() -> None:
    assert not check_password("", NOBODY)
    assert not check_password(_PASSWORD, NOBODY)
    assert not needs_rehash(NOBODY)
    ours, nobodys = hash_password(_PASSWORD).split("$"), NOBODY.split("$")
    assert ours[:2] == nobodys[:2]
    assert [len(part) for part in ours] == [len(part) for part in nobodys]


def test_a_password_from_a_form_may_hold_anything() -> None:
    stored = hash_password(_PASSWORD)
    assert not check_password("\ud800\x00" * 10, stored)
    assert not check_password("x" * 100_000, stored)


@pytest.mark.parametrize(
    "password",
    [
        *(
            "a" * (SHORTEST - 1),
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "x" * (LONGEST + 1),
            "",
            " " * 20,
            "   \t   \t    ",
        ),
        *(
            "three random\x00words",
            "three random\twords",
            "three random \ud800 words",
            "three random words\r",
        ),
    ],
)
def test_refused(password: str) -> None:
    with pytest.raises(UsageError) as refused:
        require_good(password)
    assert refused.value.hint


@pytest.mark.parametrize("password", [_PASSWORD, "abcd" * (LONGEST // 4), "8402957163", "shadow cabinets"])
def test_accepted(password: str) -> None:
    require_good(password)


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "qwertyuiop",
        "Password1234",
        "passw0rd2026!",
        "iloveyou!!!",
        "pass-word-1234",
        "abcdefghij",
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(UsageError, match="easy to guess"):
        require_good(password)


ROSA = ("Rosa's Flowers", "rosa.nowak@tulipan.example")


@pytest.mark.parametrize(
    "password", ["rosa.nowak@tulipan.example", "Rosa-Nowak-2026", "ROSA NOWAK 1", "Rosa's Flowers 1"]
)
def test_ones_own_name_and_address_are_refused(password: str) -> None:
    require_good(password)
    with pytest.raises(UsageError, match="your e-mail address"):
        require_good(password, ROSA)
    require_good(f"{password} and a blue horse", ROSA)


@pytest.mark.parametrize(
    "password", ["demo-password", "shop-password-1", "secret password", "tulipan 1234 x"]
)
def test_common_words_in_a_longer_one_are_no_reason(password: str) -> None:
    require_good(password, ROSA)


def test_the_longest_password_fits_its_hash() -> None:
    longest = "abcd" * (LONGEST // 4)
    assert check_password(longest, hash_password(longest))


def test_tokens_are_new_each_time_and_kept_as_hashes() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.isascii() for token in tokens)
    assert token_hash("a") == token_hash("a") != token_hash("b")
    assert len(token_hash("\ud800")) == 32
