"""`erasures.log` outlasts a power cut."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pamosnik.store import ledger
from pamosnik.store.ledger import Ledger

_AT = datetime(2026, 11, 30, tzinfo=UTC)


def test_what_was_erased_is_noted_under_a_name_that_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is made anew is gone after a power cut as long as its folder was not flushed."""
    flushed: list[int] = []
    flush = os.fsync

    def fsync(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    ledger.note(tmp_path, Ledger({}, [], accounts={"a": _AT}), _AT)
    assert flushed == [(tmp_path / ledger.NAME).stat().st_ino, tmp_path.stat().st_ino]
    assert ledger.read(tmp_path / ledger.NAME).accounts == {"a": _AT}
