"""A backup is one consistent moment, there as a whole or not at all, and examined before it counts."""

import concurrent.futures
import hashlib
import json
import os
import shutil
import signal
import stat
import threading
import zipfile
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.errors import DatabaseDamaged, HomeError
from pamosnik.store import accounts, backup, backup_files
from pamosnik.store.backup import BackupUnusable
from pamosnik.store.database import open_database
from tests.store.rows import NOW, database, meet


def _make(folder: Path, name: str | None = None) -> Path:
    return backup.create(folder / "pamosnik.db", folder, name, "1.0", NOW)[0]


def _check(file: Path) -> backup.Manifest:
    with backup.workshop(file.parent) as room:
        return backup.unpack(file, room)[1]


def _home(folder: Path) -> Path:
    with database(folder) as opened:
        opened.write(meet)
    return folder


def test_a_backup_holds_the_database_and_says_what_is_in_it(tmp_path: Path) -> None:
    file = _make(_home(tmp_path))
    assert file.name == "pamosnik-20261202T110000Z.backup"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = _check(file)
    assert found == backup.manifest_of(file)
    counts = found.counts or {}
    assert (found.created_at, counts["contacts"], counts["accounts"]) == (NOW, 1, 1)
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == ["manifest.json", "pamosnik.db"]
        raw = archive.read("pamosnik.db")
    assert hashlib.sha256(raw).hexdigest() == found.database_sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name, "pamosnik.db"]


def _two_rows(conn: Connection) -> None:
    for _ in range(2):
        accounts.audit(conn, "a1", actor="x", action="x" * 999, subject=None, now=NOW)


def _many_rows(conn: Connection) -> None:
    for _ in range(1000):
        _two_rows(conn)


def test_it_is_one_moment_while_others_write(tmp_path: Path) -> None:
    """Every write makes two rows: a backup never holds one of them alone."""
    with database(tmp_path) as opened:
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                opened.write(_two_rows)

        writing = threading.Thread(target=write)
        writing.start()
        try:
            files = [_make(tmp_path) for _ in range(5)]
        finally:
            done.set()
            writing.join()
        counts = [(_check(file).counts or {})["audit"] for file in files]
    assert [n % 2 for n in counts] == [0] * 5
    assert counts == sorted(counts)
    assert counts[0] < counts[-1], "nobody wrote meanwhile"


def test_two_at_once_do_not_clash(tmp_path: Path) -> None:
    _home(tmp_path)
    made: list[Path] = []
    threads = [threading.Thread(target=lambda: made.append(_make(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 4
    (tmp_path / "backups").mkdir()
    for file in made:
        _check(file)
        file.rename(tmp_path / "backups" / file.name)
    assert [file.name for file in backup_files.found(tmp_path)][-1] == "pamosnik-20261202T110000Z.backup"


def test_nobody_sweeps_away_a_workshop_that_is_just_being_made(tmp_path: Path) -> None:
    """A workshop had its lock file a moment before the lock: another backup beside it took it for left behind."""

    def work() -> int:
        for _ in range(200):
            with backup.workshop(tmp_path) as room:
                (room / "copy").touch()
        return 200

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        works = [pool.submit(work) for _ in range(8)]
        assert sum(done.result() for done in works) == 1600
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    _home(tmp_path)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(HomeError, match="There is a file already"):
        _make(tmp_path, "mine")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not list(tmp_path.glob(".pamosnik*"))


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _home(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(HomeError, match="is full; nothing was left there") as refused:
        _make(tmp_path)
    assert refused.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    with pytest.raises(HomeError, match="cannot be used"):
        backup.create(tmp_path / "pamosnik.db", tmp_path / "nowhere", None, "1.0", NOW)


def test_a_damaged_database_gives_no_backup(tmp_path: Path) -> None:
    """Damage that opening does not notice."""
    _home(tmp_path)
    with open_database(tmp_path / "pamosnik.db") as opened:
        (page,) = opened.connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name='audit'"
        ).fetchone()
    raw = bytearray((tmp_path / "pamosnik.db").read_bytes())
    raw[(page - 1) * 4096 : page * 4096] = bytes(4096)
    (tmp_path / "pamosnik.db").write_bytes(raw)
    with pytest.raises(DatabaseDamaged, match="No backup was made"):
        _make(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pamosnik.db"]


def test_what_a_killed_backup_left_is_swept_up(tmp_path: Path) -> None:
    _home(tmp_path)
    old, new = tmp_path / ".pamosnik-work-old", tmp_path / ".pamosnik-work-new"
    for room in (old, new):
        room.mkdir()
        (room / "pamosnik.db").write_text("people's messages")
    os.utime(old, (0, 0))
    _make(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


# --- files that are refused ------------------------------------------------------------------------------


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _flipped(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 255
    file.write_bytes(raw)


def _text(file: Path) -> None:
    file.write_text("no backup at all")


def _rewritten(file: Path, change: Callable[[dict[str, object], bytes], tuple[object, bytes]]) -> None:
    with zipfile.ZipFile(file) as archive:
        manifest, raw = json.loads(archive.read("manifest.json")), archive.read("pamosnik.db")
    told, raw = change(manifest, raw)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("pamosnik.db", raw)
        archive.writestr("manifest.json", json.dumps(told))


def _signed(manifest: dict[str, object], raw: bytes) -> tuple[object, bytes]:
    digest = hashlib.sha256(raw).hexdigest()
    return {**manifest, "database_sha256": digest, "database_bytes": len(raw)}, raw


def _other_bytes(file: Path) -> None:
    _rewritten(file, lambda manifest, raw: (manifest, raw[:-1] + bytes([raw[-1] ^ 255])))


def _more_bytes(file: Path) -> None:
    _rewritten(file, lambda manifest, raw: (manifest, raw + bytes(5 << 20)))


def _broken_page(file: Path) -> None:
    _rewritten(file, lambda manifest, raw: _signed(manifest, raw[:8192] + bytes(4096) + raw[12288:]))


def _other_program(file: Path) -> None:
    _rewritten(file, lambda manifest, raw: _signed(manifest, raw[:68] + bytes(4) + raw[72:]))


def _other_counts(file: Path) -> None:
    _rewritten(file, lambda manifest, raw: ({**manifest, "counts": {"contacts": 7}}, raw))


def _no_manifest(file: Path) -> None:
    _rewritten(file, lambda _, raw: ([], raw))


def _newer(file: Path) -> None:
    _rewritten(file, lambda manifest, raw: ({**manifest, "schema_version": 9999}, raw))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_truncated, "archive is damaged"),
        (_flipped, "archive is damaged"),
        (_text, "archive is damaged"),
        (_other_bytes, "SHA-256 differs"),
        (_more_bytes, "SHA-256 differs"),
        (_broken_page, "cannot be used"),
        (_other_program, "another program"),
        (_other_counts, "other counts"),
        (_no_manifest, "manifest is missing or cannot be read"),
        (_newer, "newer Pamosnik"),
        (Path.unlink, "There is no file"),
    ],
)
def test_a_backup_that_cannot_be_used(tmp_path: Path, spoil: Callable[[Path], None], says: str) -> None:
    file = _make(_home(tmp_path))
    spoil(file)
    with pytest.raises(BackupUnusable, match=says) as refused:
        _check(file)
    assert refused.value.hint
    assert not list(tmp_path.glob(".pamosnik*"))


# --- putting back ----------------------------------------------------------------------------------------


class Killed(BaseException):
    """Here the process ends."""


@pytest.mark.parametrize("at", ["keep", "merge", "drop", "rename", "done"])
@pytest.mark.parametrize("open_wal", [True, False], ids=["with -wal", "closed"])
@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not kept"])
def test_an_exchange_that_ends_anywhere_leaves_the_old_or_the_new(
    tmp_path: Path, at: str, open_wal: bool, keeps: bool
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        with database(tmp_path / name) as opened:
            opened.write(partial(meet, igsid=name))
            if open_wal and name == "old":
                # As a killed process leaves it: the newest rows stand in the -wal alone.
                for ending in ("", "-wal", "-shm"):
                    path = tmp_path / "old" / f"pamosnik.db{ending}"
                    (tmp_path / f"pamosnik.db{ending}").write_bytes(path.read_bytes())
    place, aside = tmp_path / "pamosnik.db", tmp_path / "aside"
    if not open_wal:
        place.write_bytes((tmp_path / "old" / "pamosnik.db").read_bytes())

    def step(name: str) -> None:
        if name == at:
            raise Killed

    with pytest.raises(Killed):
        backup.exchange(tmp_path / "new" / "pamosnik.db", place, aside if keeps else None, step)
    assert _people(place) == (["new"] if at == "done" else ["old"])
    assert aside.exists() is (keeps and at != "keep")
    if keeps and at not in ("keep", "merge"):
        assert _people(aside) == ["old"]


def _people(path: Path) -> list[str]:
    with open_database(path) as opened:
        assert opened.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [igsid for (igsid,) in opened.connection.execute("SELECT igsid FROM contacts")]


def test_a_damaged_database_is_kept_with_its_wal(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with database(tmp_path / "new"):
        pass
    place = tmp_path / "pamosnik.db"
    place.write_bytes(b"broken" * 2000)
    (tmp_path / "pamosnik.db-wal").write_bytes(b"what was written last")
    assert backup.exchange(tmp_path / "new" / "pamosnik.db", place, tmp_path / "aside") is True
    assert (tmp_path / "aside").read_bytes() == b"broken" * 2000
    assert (tmp_path / "aside-wal").read_bytes() == b"what was written last"
    assert not (tmp_path / "pamosnik.db-wal").exists()
    assert _people(place) == []


def test_backups_of_more_than_30_days_ago_go_but_never_the_newest(tmp_path: Path) -> None:
    folder = backup_files.folder_of(tmp_path)
    folder.mkdir()

    def has(*ages_in_days: float) -> None:
        for days in ages_in_days:
            (folder / backup_files.name_for(NOW - timedelta(days=days))).touch()

    def ages() -> list[int]:
        made = [backup_files.name_for(NOW - timedelta(days=days)) for days in range(100)]
        return [made.index(path.name) for path in backup_files.found(tmp_path)]

    backup_files.remove_outdated(tmp_path, NOW)
    has(40, 50)
    (folder / "pamosnik-by-hand.backup").touch()
    (folder / "another.file").touch()
    backup_files.remove_outdated(tmp_path, NOW)
    (folder / "pamosnik-by-hand.backup").unlink()
    has(50)
    backup_files.remove_outdated(tmp_path, NOW)
    assert ages() == [40], "a home without another one keeps it"
    has(29, 30, 31)
    (folder / backup_files.name_for(NOW - timedelta(days=45), number=2)).touch()
    backup_files.remove_outdated(tmp_path, NOW)
    assert ages() == [29, 30]
    assert (folder / "another.file").exists()


def test_of_nightly_ones_each_stays_for_a_week_and_then_one_a_week(tmp_path: Path) -> None:
    folder = backup_files.folder_of(tmp_path)
    folder.mkdir()
    for days in range(40):
        (folder / backup_files.name_for(NOW - timedelta(days=days), nightly=True)).touch()
    by_hand = backup_files.name_for(NOW - timedelta(days=12))
    (folder / by_hand).touch()
    backup_files.remove_outdated(tmp_path, NOW)
    left = [made for path in backup_files.found(tmp_path) if (made := backup_files.made_at(path))]
    # NOW is a Wednesday: what is older than a week ends with Sundays.
    assert [(NOW - made).days for made in left] == [*range(8), 10, 12, 17, 24]
    assert (folder / by_hand).exists()
    before = backup_files.found(tmp_path)
    backup_files.remove_outdated(tmp_path, NOW)
    assert backup_files.found(tmp_path) == before


def test_a_backup_killed_anywhere_is_not_there(tmp_path: Path) -> None:
    """At each of the moments at which it tells how far it is."""
    home = _home(tmp_path)
    told: list[tuple[int, int]] = []
    first = backup.create(
        home / "pamosnik.db", home, "first", "1.0", NOW, tell=lambda *far: told.append(far)
    )[0]
    assert told == sorted(told, key=lambda far: far[0] / far[1])
    assert told[-1] == (1, 1)
    for number in range(len(told)):
        process = os.fork()
        if process == 0:
            left = [number]

            def tell(_done: int, _all: int, left: list[int] = left) -> None:
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1

            try:
                backup.create(home / "pamosnik.db", home, "one", "1.0", NOW, tell=tell)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
        # Whole, and only when all that was left was to say so.
        assert (home / "one").exists() is (number == len(told) - 1)
    assert _check(home / "one").counts == _check(first).counts
    assert list(tmp_path.glob(".pamosnik*")) == []


def test_what_ends_it_from_outside_leaves_nothing(tmp_path: Path) -> None:
    home = _home(tmp_path)
    with open_database(home / "pamosnik.db") as opened:
        opened.write(_many_rows)
    before = sorted(home.iterdir())

    def ends(_done: int, _everything: int) -> None:
        raise backup.BrokenOff("The daemon ends.")

    with pytest.raises(backup.BrokenOff):
        backup.create(home / "pamosnik.db", home, "one", "1.0", NOW, tell=ends)
    with pytest.raises(backup.BrokenOff):
        backup.examine(home / "pamosnik.db", lambda: ends(0, 0))
    assert sorted(home.iterdir()) == before


def test_without_room_none_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _home(tmp_path)
    size = (home / "pamosnik.db").stat().st_size
    usage = namedtuple("usage", ("total", "used", "free"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 2 * size + 99))
    _make(home, "fits")
    with pytest.raises(HomeError, match="A backup takes up to"):
        backup.create(home / "pamosnik.db", home, "two", "1.0", NOW, spare=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, size - 1))
    with pytest.raises(HomeError, match="Unpacking"):
        _check(home / "fits")
    assert sorted(path.name for path in home.iterdir()) == ["fits", "pamosnik.db"]
