"""The file beside the database: whatever is delivered comes back as it was, and nothing else does."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.errors import HomeError
from pamosnik.model.event import Attachment, EventKind, Incoming, Verdict
from pamosnik.store import spill
from pamosnik.store.spill import Delivery, Spill
from tests.store.rows import NOW

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_ATTACHMENT = st.builds(Attachment, _TEXT, st.none() | _TEXT, st.none() | _TEXT)
_INSTANT = st.datetimes(timezones=st.just(UTC))
_OF_TYPE = {
    "str": _TEXT,
    "str | None": st.none() | _TEXT,
    "EventKind": st.sampled_from(EventKind),
    "Verdict": st.sampled_from(Verdict),
    "datetime | None": st.none() | _INSTANT,
    "bool": st.booleans(),
    "tuple[Attachment, ...]": st.lists(_ATTACHMENT, max_size=3).map(tuple),
}


def _strategy(declared: object) -> st.SearchStrategy[object]:
    name = declared.__name__ if isinstance(declared, type) and "[" not in str(declared) else str(declared)
    for prefix in ("pamosnik.model.event.", "datetime."):
        name = name.replace(f"{prefix}", "")
    strategy: st.SearchStrategy[object] = _OF_TYPE[name]
    return strategy


ITEMS = st.builds(Incoming, **{one.name: _strategy(one.type) for one in fields(Incoming)})
DELIVERIES = st.builds(Delivery, _INSTANT, st.lists(ITEMS, max_size=4).map(tuple))


def _delivery(text: str = "hello") -> Delivery:
    item = Incoming(ig_id="178", key=f"m:{text}", kind=EventKind.MESSAGE, igsid="900", text=text)
    return Delivery(NOW, (item,))


@settings(max_examples=150, deadline=None)
@given(st.lists(DELIVERIES, max_size=4))
def test_every_delivery_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, deliveries: list[Delivery]
) -> None:
    path = tmp_path_factory.mktemp("home") / spill.NAME
    with Spill(path) as file:
        for delivery in deliveries:
            file.append([spill.line(delivery)])
    assert spill.read(path) == (deliveries, 0)


@given(DELIVERIES, st.data())
@settings(max_examples=100, deadline=None)
def test_a_line_cut_short_or_changed_is_never_taken_for_another(
    tmp_path_factory: pytest.TempPathFactory, delivery: Delivery, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("home") / spill.NAME
    raw, good = spill.line(delivery), spill.line(_delivery())
    cut = data.draw(st.integers(0, len(raw) - 1))
    path.write_bytes(good + raw[:cut])
    found, damaged = spill.read(path)
    assert found in ([_delivery()], [_delivery(), delivery])  # all but the line's end may be there
    assert damaged == 0
    with Spill(path) as file:
        file.append([good])
    assert spill.read(path)[0][-1] == _delivery()
    body = data.draw(st.integers(len(b"\nincoming1 01234567 "), len(raw) - 2))
    path.write_bytes(good + raw[:body] + bytes([raw[body] ^ 1]) + raw[body + 1 :] + good)
    found, damaged = spill.read(path)
    assert (found, damaged) == ([_delivery(), _delivery()], 1) or raw[body] ^ 1 == ord("\n")


def test_it_belongs_to_its_owner_alone_and_is_empty_when_it_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / spill.NAME
    assert spill.read(path) == ([], 0)
    with Spill(path) as file:
        file.append([spill.line(_delivery())])
        assert path.stat().st_mode & 0o777 == 0o600
        file.empty()
        assert path.read_bytes() == b""
        file.append([spill.line(_delivery("again"))])
    assert spill.read(path) == ([_delivery("again")], 0)
    spill.empty(path)
    assert path.read_bytes() == b""


def test_another_programs_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / spill.NAME
    path.write_text("notes of somebody else\nin two lines\n")
    with pytest.raises(HomeError, match="another program"):
        spill.read(path)
    assert "somebody" in path.read_text()
    path.write_bytes(b"\0" * 4096)  # a crash of the machine
    assert spill.read(path) == ([], 0)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / spill.NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HomeError):
        Spill(tmp_path / spill.NAME)
    assert not os.path.lexists(tmp_path / "elsewhere")


@contextmanager
def _full_beyond(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_nothing_of_the_group_is_kept(tmp_path: Path) -> None:
    path = tmp_path / spill.NAME
    with Spill(path) as file:
        file.append([spill.line(_delivery())])
        before = path.read_bytes()
        with _full_beyond(len(before) + 150), pytest.raises(OSError):
            file.append([spill.line(_delivery(str(number))) for number in range(3)])
        assert path.read_bytes() == before
        file.append([spill.line(_delivery("after"))])
    assert spill.read(path) == ([_delivery(), _delivery("after")], 0)


def test_instants_keep_their_fractions() -> None:
    at = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC) + timedelta(microseconds=1)
    assert spill._delivery(spill.line(Delivery(at, ())).strip()) == Delivery(at, ())
