"""One daemon for a home, and others may look whether there is one at any moment."""

import threading
from pathlib import Path

import pytest

from pamosnik.services import home
from pamosnik.services.home import InUse


def test_who_only_looks_keeps_no_daemon_from_starting(tmp_path: Path) -> None:
    """`serve` was refused when `status` looked in the very moment in which it took the lock."""
    with home.lock(tmp_path):
        pass
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            home.daemon_running(tmp_path)

    looking = [threading.Thread(target=look) for _ in range(3)]
    for one in looking:
        one.start()
    try:
        for _ in range(200):
            with home.lock(tmp_path):
                pass
    finally:
        over.set()
        for one in looking:
            one.join()


def test_a_daemon_keeps_another_one_out(tmp_path: Path) -> None:
    with home.lock(tmp_path):
        assert home.daemon_running(tmp_path)
        with pytest.raises(InUse), home.lock(tmp_path):
            pass
    assert not home.daemon_running(tmp_path)
