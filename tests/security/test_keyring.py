"""The key file: nobody else's, whole whatever happens, read in every form it ever had."""

import base64
import json
import os
import resource
import secrets
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2.low_level import Type, hash_secret_raw

from pamosnik.errors import HomeError
from pamosnik.security import keyring, vault
from pamosnik.security.keyring import Argon2, KeyFileError, Trouble
from pamosnik.security.vault import KEY_BYTES, MasterKeys

NOW = datetime(2026, 11, 30, 8, 15, 30, tzinfo=UTC)
PASSPHRASE = "correct horse żółć"
LIGHT = Argon2(time_cost=1, memory_kib=64, parallelism=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


def _trouble(path: Path, passphrase: str | None = None) -> Trouble:
    with pytest.raises(KeyFileError) as refused:
        keyring.load(path, passphrase)
    assert refused.value.hint
    return refused.value.trouble


def test_the_key_file_is_read_back_and_is_for_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        made = keyring.create(path, None, NOW)
    finally:
        os.umask(before)
    assert keyring.load(path, None) == made
    assert [(len(key.secret), key.made_at) for key in made.keys] == [(KEY_BYTES, NOW)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_is_never_replaced_by_a_new_one(path: Path) -> None:
    made = keyring.create(path, None, NOW)
    with pytest.raises(FileExistsError):
        keyring.create(path, None, NOW)
    assert keyring.load(path, None) == made


def test_a_passphrase_seals_the_file_and_says_how(path: Path) -> None:
    made = keyring.create(path, PASSPHRASE, NOW)
    assert base64.b64encode(made.keys[0].secret) not in path.read_bytes()
    assert b"2026" not in path.read_bytes()
    opened = keyring.read(path, PASSPHRASE)
    assert (opened.ring, opened.format, opened.sealed_with) == (made, 2, keyring.TODAY)
    assert keyring.look_at(path) == keyring.Outside(0o600, 2, keyring.TODAY)
    assert _trouble(path) is Trouble.SEALED
    assert _trouble(path, "wrong horse") is Trouble.WRONG_PASSPHRASE


def test_figures_of_the_file_count_and_not_todays(path: Path) -> None:
    ring = MasterKeys((vault.new_master_key(NOW), vault.new_master_key(None)))
    keyring.write(path, ring, PASSPHRASE, LIGHT)
    opened = keyring.read(path, PASSPHRASE)
    assert (opened.ring, opened.sealed_with) == (ring, LIGHT)
    raw = json.loads(path.read_bytes())
    path.write_text(json.dumps({**raw, "time_cost": 2}))
    assert _trouble(path, PASSPHRASE) is Trouble.WRONG_PASSPHRASE


# --- the first format --------------------------------------------------------------------------------------


def test_format_1_is_read(path: Path) -> None:
    keys = [secrets.token_bytes(KEY_BYTES) for _ in range(2)]
    _write(path, {"pamosnik_keys": 1, "keys": [base64.b64encode(key).decode() for key in keys]})
    assert [(key.secret, key.made_at) for key in keyring.load(path, None).keys] == [(k, None) for k in keys]
    assert keyring.load(path, "needed no more") == keyring.load(path, None)


def test_format_1_sealed_is_read_and_is_behind(path: Path) -> None:
    keys, salt = [base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()], secrets.token_bytes(16)
    key = hash_secret_raw(
        PASSPHRASE.encode(), salt, time_cost=3, memory_cost=65536, parallelism=4, hash_len=32, type=Type.ID
    )
    sealed = vault.seal(key, json.dumps(keys).encode(), "master-keys")
    content = {"pamosnik_keys": 1, "sealed_with": "argon2id", "salt": base64.b64encode(salt).decode()}
    _write(path, {**content, "sealed": base64.b64encode(sealed).decode()})
    opened = keyring.read(path, PASSPHRASE)
    assert base64.b64encode(opened.ring.keys[0].secret).decode() == keys[0]
    assert keyring.is_behind(opened, PASSPHRASE)


def test_what_is_behind(path: Path) -> None:
    ring = MasterKeys((vault.new_master_key(NOW),))

    def behind(sealed: str | None, given: str | None, argon2: Argon2 = LIGHT) -> bool:
        keyring.write(path, ring, sealed, argon2)
        return keyring.is_behind(keyring.look_at(path), given)

    assert behind(PASSPHRASE, PASSPHRASE)
    assert not behind(PASSPHRASE, PASSPHRASE, keyring.TODAY)
    assert behind(None, PASSPHRASE)
    assert not behind(None, None)


# --- what is no key file of ours ---------------------------------------------------------------------------


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def _sealed(**changed: object) -> bytes:
    content = {"pamosnik_keys": 2, "sealed_with": "argon2id", "time_cost": 1, "memory_kib": 64}
    content |= {"parallelism": 1, "salt": "A" * 24, "sealed": "A" * 80, **changed}
    return json.dumps(content).encode()


_ONE = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[]",
        b"1",
        b"[" * 30000,
        b'{"keys": 1}',
        b'{"pamosnik_keys": 1, "keys": [1]}',
        b'{"pamosnik_keys": 1, "keys": ["x"]}',
        b'{"pamosnik_keys": 1, "keys": []}',
        b'{"pamosnik_keys": 1, "keys": ["AAAA"]}',
        b'{"pamosnik_keys": 0, "keys": ["%s"]}' % _ONE.encode(),
        b'{"pamosnik_keys": 2, "keys": [{"key": "%s"}]}' % _ONE.encode(),
        b'{"pamosnik_keys": 2, "keys": [{"key": "%s", "made_at": 5}]}' % _ONE.encode(),
        b'{"pamosnik_keys": 2, "keys": [{"key": "%s", "made_at": "0001-01-01T00:00:00+23:00"}]}'
        % _ONE.encode(),
        b'{"pamosnik_keys": 1, "sealed": "x", "salt": "x"}',
        b'{"pamosnik_keys": 1, "sealed": "AAAA"}',
        _sealed(salt="AAAA"),
        _sealed(salt="A" * 4000),
        _sealed(salt=5),
        _sealed(time_cost=0),
        _sealed(time_cost=10**9),
        _sealed(time_cost=float("inf")),
        _sealed(time_cost="many"),
        _sealed(memory_kib=1 << 30),
        _sealed(memory_kib=-1),
        _sealed(parallelism=0),
        _sealed(parallelism=1 << 20),
        _sealed(more="x" * 70000),
    ],
)
def test_a_damaged_or_hostile_file_is_told_at_once(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert _trouble(path, "a passphrase") is Trouble.DAMAGED
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 200_000
    assert keyring.look_at(path).mode == 0o600


def test_a_missing_file_and_one_of_a_newer_pamosnik(path: Path) -> None:
    assert _trouble(path) is Trouble.MISSING
    _write(path, {"pamosnik_keys": 3, "something": "else"})
    assert _trouble(path) is Trouble.NEWER


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_is_not_for_its_owner_alone_is_refused(path: Path, mode: int) -> None:
    keyring.create(path, None, NOW)
    path.chmod(mode)
    assert _trouble(path) is Trouble.OPEN_TO_OTHERS
    with pytest.raises(KeyFileError, match="other users") as refused:
        keyring.load(path, None)
    assert f"chmod 600 {path}" in str(refused.value.hint)


def test_a_link_is_refused_and_a_pipe_does_not_hang(path: Path, tmp_path: Path) -> None:
    keyring.create(tmp_path / "elsewhere", None, NOW)
    path.symlink_to(tmp_path / "elsewhere")
    assert _trouble(path) is Trouble.NOT_OURS
    path.unlink()
    os.mkfifo(path, 0o600)
    assert _trouble(path) is Trouble.DAMAGED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(path: Path) -> None:
    keyring.create(path, None, NOW)
    os.chown(path, 12345, -1)
    assert _trouble(path) is Trouble.NOT_OURS


# --- a new file in the place of the old --------------------------------------------------------------------


class _PowerCut(BaseException):
    pass


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_leaves_a_file_that_opens(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int, after: bool
) -> None:
    old = keyring.create(path, None, NOW)
    new = MasterKeys((vault.new_master_key(NOW), *old.keys))
    counted, real = 0, getattr(os, call)

    def breaking(*arguments: object) -> None:
        nonlocal counted
        counted += 1
        if counted == nth and not after:
            raise _PowerCut
        real(*arguments)
        if counted == nth:
            raise _PowerCut

    with monkeypatch.context() as broken:
        broken.setattr(os, call, breaking)
        try:
            keyring.write(path, new, None)
        except _PowerCut:
            assert keyring.load(path, None) in (old, new)
        else:
            assert (call, nth) == ("replace", 2), "there is one renaming"
    keyring.write(path, new, None)
    assert keyring.load(path, None) == new
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = keyring.create(path, None, NOW)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _raises(OSError(28, "No space left on device")))
        with pytest.raises(HomeError, match="No space left"):
            keyring.write(path, MasterKeys((vault.new_master_key(NOW),)), None)
    assert keyring.load(path, None) == old
    assert list(path.parent.iterdir()) == [path]


def _raises(error: Exception) -> Callable[[int], None]:
    def raising(_: int) -> None:
        raise error

    return raising
