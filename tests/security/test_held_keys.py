"""A ring that is held for long follows its file, and nobody changes the file while somebody wraps."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pamosnik.security import keyring, vault
from pamosnik.security.held_keys import HeldKeys, KeysInUse, bring_up_to_date, key_lock
from pamosnik.security.keyring import Argon2, KeyFileError
from pamosnik.security.vault import MasterKeys, Unreadable

NOW = datetime(2026, 11, 30, 8, 15, tzinfo=UTC)
DATA_KEY = bytes(range(32))
LIGHT = Argon2(time_cost=1, memory_kib=64, parallelism=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    keyring.create(tmp_path / "master.key", None, NOW)
    return tmp_path / "master.key"


def _replaced(path: Path) -> MasterKeys:
    """Another ring altogether."""
    ring = MasterKeys((vault.new_master_key(NOW),))
    keyring.write(path, ring, None)
    return ring


def test_what_a_newer_key_has_wrapped_is_opened_by_the_file_as_it_is_now(path: Path) -> None:
    held = HeldKeys(path, None)
    before = held.looked_at
    wrapped = _replaced(path).wrap("a1", DATA_KEY)
    assert held.unwrap("a1", wrapped) == DATA_KEY
    assert held.looked_at != before
    with pytest.raises(Unreadable):
        held.unwrap("a2", wrapped)


def test_it_wraps_with_the_newest_key_of_the_file(path: Path) -> None:
    held = HeldKeys(path, None)
    ring = _replaced(path)
    assert ring.unwrap("a1", held.wrap("a1", DATA_KEY)) == DATA_KEY
    path.write_text("{}")
    for _ in range(2):
        with pytest.raises(KeyFileError, match="damaged"):
            held.wrap("a1", DATA_KEY)


def test_it_follows_and_keeps_what_it_has_when_the_file_is_of_no_use(path: Path) -> None:
    held = HeldKeys(path, None)
    wrapped = keyring.load(path, None).wrap("a1", DATA_KEY)
    assert not held.changed()
    assert not held.follow()
    path.unlink()
    assert held.changed()
    with pytest.raises(KeyFileError, match="no key file"):
        held.follow()
    assert not held.follow(), "the same trouble is told once"
    told = held.trouble
    assert told is not None
    assert held.unwrap("a1", wrapped) == DATA_KEY
    ring = _replaced(path)
    assert held.follow()
    assert held.trouble is None
    assert held.unwrap("a1", ring.wrap("a1", DATA_KEY)) == DATA_KEY


def test_many_threads_meet_newer_keys(path: Path) -> None:
    held, failures, stopped = HeldKeys(path, None), [], threading.Event()
    newest = [keyring.load(path, None).wrap("a1", DATA_KEY)]

    def opens() -> None:
        while not stopped.is_set():
            try:
                assert held.unwrap("a1", newest[0]) == DATA_KEY
            except Unreadable as error:
                failures.append(error)

    threads = [threading.Thread(target=opens) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        ring = keyring.load(path, None)
        # As a rotation has it: an old key stays while anything is wrapped by it, if only in the hands of a thread
        # that was not given the processor since. And a clock's tick passes between two files.
        wider = MasterKeys((vault.new_master_key(NOW), *ring.keys))
        keyring.write(path, wider, None)
        newest[0] = wider.wrap("a1", DATA_KEY)
        time.sleep(0.02)
    stopped.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_file_that_is_behind_is_sealed_with_todays_figures(path: Path) -> None:
    ring = keyring.load(path, None)
    assert not bring_up_to_date(path, None)
    for passphrase, argon2 in ((None, LIGHT), ("a passphrase of four", LIGHT)):
        keyring.write(path, ring, passphrase, argon2)
        assert bring_up_to_date(path, "a passphrase of four")
        file = keyring.read(path, "a passphrase of four")
        assert (file.ring, file.sealed_with) == (ring, keyring.TODAY)
    assert not bring_up_to_date(path, "a passphrase of four")


def test_a_file_that_is_behind_waits_while_others_use_the_keys(path: Path) -> None:
    before = path.read_bytes()
    with key_lock(path.parent):
        assert not bring_up_to_date(path, "a passphrase of four")
    assert path.read_bytes() == before


def test_several_wrap_at_once_and_one_changes_alone(path: Path) -> None:
    home = path.parent
    with key_lock(home), key_lock(home), pytest.raises(KeysInUse), key_lock(home, alone=True, within_s=0.05):
        raise AssertionError
    with key_lock(home, alone=True), pytest.raises(KeysInUse), key_lock(home, within_s=0.05):
        raise AssertionError
    with key_lock(home, alone=True, within_s=0.0):
        assert (home / "keys.lock").stat().st_mode & 0o777 == 0o600
