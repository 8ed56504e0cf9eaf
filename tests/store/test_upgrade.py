"""Every version since the first is brought up to date, with all that stands in it, whenever the power goes."""

import os
import shutil
import signal
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError
from pamosnik.store import migrations
from pamosnik.store.database import open_database
from pamosnik.store.migrations import MIGRATIONS
from tests.store import of_every_version
from tests.store.of_every_version import content, schema

NEWEST = len(MIGRATIONS)
CHANGED = {
    ("deletions", "subject_id"),
    ("audit", "kind"),
    ("outbox", "look_at"),
    ("connections", "token_issued_at"),
    ("connections", "token_refresh_at"),
    ("contacts", "search"),
    ("runs", "counted"),
    ("sessions", "session_id"),
}
"""Columns that a migration fills anew."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return of_every_version.make(tmp_path_factory.mktemp("versions"))


def _taken(file: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "pamosnik.db"
    shutil.copy2(file, path)
    return path


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_each_version_becomes_the_newest_with_all_that_was_in_it(
    files: list[Path], tmp_path: Path, version: int
) -> None:
    before = content(files[version - 1])
    assert before["contacts"], "a database with people"
    assert all(before.values()), "a table without a row"
    path = _taken(files[version - 1], tmp_path)
    with open_database(path, migrate=True) as opened:
        assert opened.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert opened.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert migrations.applied(opened.connection) == [one.__name__ for one in MIGRATIONS]
    after = content(path)
    for table, rows in before.items():
        assert len(after[table]) >= len(rows), table
        known = [_columns(row, rows[0], table) for row in after[table]]
        for row in rows:
            assert _columns(row, row, table) in known, table
    assert schema(path) == schema(files[-1])
    copy = tmp_path / f"pamosnik.before-version-{version + 1}.db"
    assert (content(copy), copy.stat().st_mode & 0o777) == (before, 0o600)


def _columns(row: dict[str, object], like: dict[str, object], table: str) -> dict[str, object]:
    return {name: row.get(name) for name in like if (table, name) not in CHANGED}


def test_what_migrations_fill_in_is_what_they_say(files: list[Path], tmp_path: Path) -> None:
    path = _taken(files[0], tmp_path)
    open_database(path, migrate=True).close()
    after = content(path)
    ((message,), (connection,), (run,), (person,)) = (
        after[table] for table in ("outbox", "connections", "runs", "contacts")
    )
    assert (message["look_at"], message["looks"]) == (of_every_version.AT + 7, 0)
    assert connection["token_refresh_at"] == of_every_version.AT + 86_400_000
    assert run["counted"] == " started  at:do.0  at:do.1  on:do.0 "
    assert str(person["search"]).split() == ["anna", "name", "paused_note", "vip", "XL"]
    assert [(row["what"], row["how"]) for row in after["consents"]] == [
        ("adulthood", "command"),
        ("connect", "page"),
        ("opt_out", "words"),
    ]
    assert after["flow_history"][0]["known_as"] == "flow_id"


@pytest.mark.parametrize("number", range(2, NEWEST + 1))
def test_the_power_goes_at_the_end_of_each_migration(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """All of it is written and none committed: the next start finds the version before, and goes on."""
    path = _taken(files[0], tmp_path)
    killed = _killed_at_the_end(MIGRATIONS[number - 1])
    with monkeypatch.context() as changed:
        changed.setattr(migrations, "MIGRATIONS", (*MIGRATIONS[: number - 1], killed, *MIGRATIONS[number:]))
        process = os.fork()
        if process == 0:
            try:
                open_database(path, migrate=True)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    with pytest.raises(HomeError, match=f"has version {number - 1}"):
        open_database(path)
    open_database(path, migrate=True).close()
    whole = _taken(files[0], tmp_path / "whole")
    open_database(whole, migrate=True).close()
    assert _settled(content(path)) == _settled(content(whole))
    assert schema(path) == schema(whole)
    assert content(tmp_path / "pamosnik.before-version-2.db") == content(files[0])


def _settled(rows: dict[str, list[dict[str, object]]]) -> object:
    """Without the one random name."""
    return {
        table: [{name: value for name, value in row.items() if name != "session_id"} for row in found]
        for table, found in rows.items()
    }


def _killed_at_the_end(migration: Callable[[Connection], None]) -> Callable[[Connection], None]:
    def run(conn: Connection) -> None:
        migration(conn)
        os.kill(os.getpid(), signal.SIGKILL)

    run.__name__ = migration.__name__
    return run


def test_the_power_goes_while_the_copy_is_made(files: list[Path], tmp_path: Path) -> None:
    path = _taken(files[0], tmp_path)
    (tmp_path / "pamosnik.before-version-2-part.db").write_bytes(b"half of it")
    open_database(path, migrate=True).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pamosnik.before-version-2.db", "pamosnik.db"]
    assert content(tmp_path / "pamosnik.before-version-2.db") == content(files[0])


def test_a_disk_without_room_for_the_copy_is_told_before_anything_is_done(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _taken(files[0], tmp_path)
    usage = namedtuple("usage", ("total", "used", "free"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 2 * path.stat().st_size - 1))
    with pytest.raises(HomeError, match="takes up to 1 MB") as refused:
        open_database(path, migrate=True)
    assert "df -h" in str(refused.value.hint)
    assert [file.name for file in tmp_path.iterdir()] == ["pamosnik.db"]
    assert content(path) == content(files[0])


def test_whoever_waits_hears_how_far_it_is(files: list[Path], tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    with open_database(
        _taken(files[0], tmp_path), migrate=True, tell=lambda *how_far: heard.append(how_far)
    ) as opened:
        assert heard[0] == (0, NEWEST)
        assert heard[-1] == (NEWEST, NEWEST)
        assert heard == sorted(heard)
        assert {done for done, _ in heard} == set(range(NEWEST + 1))
        told = len(heard)
        opened.connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 300000) SELECT sum(i) FROM n"
        ).fetchone()
        assert len(heard) == told, "nobody listens any more"


def test_a_long_migration_tells_again_and_again(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def m0001_first_tables(conn: Connection) -> None:
        MIGRATIONS[0](conn)

    def m9999_slow(conn: Connection) -> None:
        conn.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 300000) SELECT sum(i) FROM n"
        ).fetchone()

    monkeypatch.setattr(migrations, "MIGRATIONS", (m0001_first_tables, m9999_slow))
    heard: list[tuple[int, int]] = []
    path = _taken(files[0], tmp_path)
    open_database(path, migrate=True, tell=lambda *how_far: heard.append(how_far)).close()
    assert heard.count((1, 2)) > 2
