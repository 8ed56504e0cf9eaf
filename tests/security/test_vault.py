"""Sealed things open only where they belong."""

import pytest

from pamosnik.security.vault import (
    MasterKeys,
    Unreadable,
    new_data_key,
    new_master_key,
    open_token,
    seal_token,
)

_TOKEN = "IGAA-żółć-" + "x" * 200


def test_a_token_opens_where_it_belongs() -> None:
    key = new_data_key()
    sealed = seal_token(key, _TOKEN, account_id="a1", ig_id="178")
    assert open_token(key, sealed, account_id="a1", ig_id="178") == _TOKEN
    assert _TOKEN.encode() not in sealed


def test_a_token_moved_elsewhere_does_not_open() -> None:
    key = new_data_key()
    sealed = seal_token(key, _TOKEN, account_id="a1", ig_id="178")
    for account_id, ig_id in (("a2", "178"), ("a1", "179")):
        with pytest.raises(Unreadable):
            open_token(key, sealed, account_id=account_id, ig_id=ig_id)
    with pytest.raises(Unreadable):
        open_token(new_data_key(), sealed, account_id="a1", ig_id="178")


@pytest.mark.parametrize("place", [0, 12, -1])
def test_a_changed_token_does_not_open(place: int) -> None:
    key = new_data_key()
    changed = bytearray(seal_token(key, _TOKEN, account_id="a1", ig_id="178"))
    changed[place] ^= 1
    with pytest.raises(Unreadable):
        open_token(key, bytes(changed), account_id="a1", ig_id="178")


@pytest.mark.parametrize("sealed", [b"", b"x", b"x" * 12, b"x" * 27])
def test_what_is_too_short_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unreadable):
        open_token(new_data_key(), sealed, account_id="a1", ig_id="178")


def test_the_same_token_is_sealed_differently_each_time() -> None:
    key = new_data_key()
    assert len({seal_token(key, _TOKEN, account_id="a1", ig_id="178") for _ in range(5)}) == 5


def test_every_key_of_the_ring_opens_and_the_newest_seals() -> None:
    old, new, data_key = new_master_key(None), new_master_key(None), new_data_key()
    by_old = MasterKeys((old,)).wrap("a1", data_key)
    ring = MasterKeys((new, old))
    assert ring.unwrap("a1", by_old) == data_key
    by_ring = ring.wrap("a1", data_key)
    assert MasterKeys((new,)).unwrap("a1", by_ring) == data_key
    with pytest.raises(Unreadable):
        MasterKeys((old,)).unwrap("a1", by_ring)


def test_an_account_key_opens_for_its_account_only() -> None:
    ring = MasterKeys((new_master_key(None),))
    wrapped = ring.wrap("a1", new_data_key())
    with pytest.raises(Unreadable) as refused:
        ring.unwrap("a2", wrapped)
    assert refused.value.hint is not None


def test_a_ring_does_not_show_its_keys() -> None:
    key = new_master_key(None)
    shown = repr(MasterKeys((key,))) + repr(key)
    assert repr(key.secret) not in shown
    assert key.secret.hex() not in shown
