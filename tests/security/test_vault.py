"""Sealed things open only where they belong, and the key file is nobody else's."""

import base64
import json
import stat
from pathlib import Path

import pytest

from pamosnik.errors import HomeError
from pamosnik.security.vault import (
    KEY_BYTES,
    MasterKeys,
    Unreadable,
    create_master_keys,
    load_master_keys,
    new_data_key,
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
    old, new, data_key = new_data_key(), new_data_key(), new_data_key()
    by_old = MasterKeys((old,)).wrap("a1", data_key)
    ring = MasterKeys((new, old))
    assert ring.unwrap("a1", by_old) == data_key
    by_ring = ring.wrap("a1", data_key)
    assert MasterKeys((new,)).unwrap("a1", by_ring) == data_key
    with pytest.raises(Unreadable):
        MasterKeys((old,)).unwrap("a1", by_ring)


def test_an_account_key_opens_for_its_account_only() -> None:
    ring = MasterKeys((new_data_key(),))
    wrapped = ring.wrap("a1", new_data_key())
    with pytest.raises(Unreadable) as refused:
        ring.unwrap("a2", wrapped)
    assert refused.value.hint is not None


def test_a_ring_does_not_show_its_keys() -> None:
    key = new_data_key()
    shown = repr(MasterKeys((key,)))
    assert repr(key) not in shown
    assert key.hex() not in shown


# --- the file --------------------------------------------------------------------------------------------


def test_the_key_file_is_read_back_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = create_master_keys(path, None)
    assert load_master_keys(path, None) == made
    assert [len(key) for key in made.keys] == [KEY_BYTES]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = create_master_keys(path, None)
    with pytest.raises(FileExistsError):
        create_master_keys(path, None)
    assert load_master_keys(path, None) == made


def test_a_passphrase_seals_the_file(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = create_master_keys(path, "correct horse żółć")
    assert base64.b64encode(made.keys[0]) not in path.read_bytes()
    assert load_master_keys(path, "correct horse żółć") == made
    with pytest.raises(HomeError, match="sealed with a passphrase"):
        load_master_keys(path, None)
    with pytest.raises(HomeError, match="does not open"):
        load_master_keys(path, "wrong horse")


def test_a_missing_key_file(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="no key file") as refused:
        load_master_keys(tmp_path / "master.key", None)
    assert refused.value.hint is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"1",
        b'{"keys": 1}',
        b'{"keys": [1]}',
        b'{"keys": ["x"]}',
        b'{"keys": []}',
        b'{"keys": ["AAAA"]}',
        json.dumps({"sealed": "x", "salt": "x"}).encode(),
        json.dumps({"sealed": "AAAA"}).encode(),
    ],
)
def test_a_damaged_key_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    with pytest.raises(HomeError, match=r"damaged"):
        load_master_keys(path, "a passphrase")
