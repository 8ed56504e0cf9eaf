"""Passwords are kept as hashes, and weak ones are refused."""

import pytest

from pamosnik.errors import UsageError
from pamosnik.security.passwords import (
    LONGEST,
    NOBODY,
    ROUNDS,
    SHORTEST,
    check_password,
    hash_password,
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


@pytest.mark.parametrize("stored", ["", "x", "md5$1$AA==$AA==", "pbkdf2_sha256$1$AA=="])
def test_what_is_no_hash_of_ours_fits_nothing(stored: str) -> None:
    assert not check_password(_PASSWORD, stored)


def test_the_hash_of_nobody_fits_nothing_and_costs_as_much() -> None:
    assert not check_password("", NOBODY)
    assert not check_password(_PASSWORD, NOBODY)
    ours, nobodys = hash_password(_PASSWORD).split("$"), NOBODY.split("$")
    assert ours[:2] == nobodys[:2]
    assert [len(part) for part in ours] == [len(part) for part in nobodys]


def test_a_password_from_a_form_may_hold_anything() -> None:
    stored = hash_password(_PASSWORD)
    assert not check_password("\ud800\x00" * 10, stored)
    assert not check_password("x" * 100_000, stored)


@pytest.mark.parametrize(
    "password", ["a" * (SHORTEST - 1), "aaaaaaaaaaaa", "abcabcabcabc", "x" * (LONGEST + 1), ""]
)
def test_refused(password: str) -> None:
    with pytest.raises(UsageError) as refused:
        require_good(password)
    assert refused.value.hint


@pytest.mark.parametrize("password", [_PASSWORD, "abcdefghij", "abcd" * (LONGEST // 4)])
def test_accepted(password: str) -> None:
    require_good(password)


def test_the_longest_password_fits_its_hash() -> None:
    longest = "abcd" * (LONGEST // 4)
    assert check_password(longest, hash_password(longest))


def test_tokens_are_new_each_time_and_kept_as_hashes() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.isascii() for token in tokens)
    assert token_hash("a") == token_hash("a") != token_hash("b")
    assert len(token_hash("\ud800")) == 32
