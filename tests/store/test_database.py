"""Writes are durable together, undone apart, and only ever made to a database that is ours."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

import pamosnik.store
from pamosnik import _sqlite
from pamosnik._sqlite import Action, Authorized, Connection
from pamosnik.errors import DatabaseDamaged, HomeError
from pamosnik.model.contact import Contact
from pamosnik.services import home
from pamosnik.store import accounts, contacts, migrations, outbox
from pamosnik.store.damage import look_for_damage
from pamosnik.store.database import Database, open_database
from pamosnik.store.refusals import BUSY_TIMEOUT_S
from pamosnik.store.vacuum import empty_wal, rebuild
from pamosnik.store.writer import GroupWriter
from tests.store.rows import NOW, back_to_the_first_version, database, meet, new_item


def _note(action: str) -> Callable[[Connection], str]:
    def write(conn: Connection) -> str:
        accounts.audit(conn, "a1", actor="test", action=action, subject=None, now=NOW)
        return action

    return write


def _failing(action: str) -> Callable[[Connection], str]:
    def write(conn: Connection) -> str:
        _note(action)(conn)
        raise ValueError(action)

    return write


def _also_known_as(conn: Connection, contact: Contact, igsids: list[str]) -> None:
    for igsid in igsids:
        contacts.also_known_as(conn, contact, igsid)


def _noted(opened: Database) -> list[str]:
    return opened.read(lambda conn: [a for (a,) in conn.execute("SELECT action FROM audit ORDER BY id")])


def _with_writer(opened: Database, work: Callable[[GroupWriter], Awaitable[object]]) -> object:
    async def run() -> object:
        writer = GroupWriter(opened)
        try:
            return await work(writer)
        finally:
            await writer.close()

    return asyncio.run(run())


# --- one write -------------------------------------------------------------------------------------------


def test_a_write_is_all_or_nothing(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        assert opened.write(_note("one")) == "one"
        with pytest.raises(ValueError, match="two"):
            opened.write(_failing("two"))
        assert not opened.connection.in_transaction
        assert _noted(opened) == ["one"]


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(_note("one"))
    with open_database(tmp_path / "pamosnik.db") as again:
        assert _noted(again) == ["one"]


def test_foreign_keys_hold(tmp_path: Path) -> None:
    with database(tmp_path) as opened, pytest.raises(_sqlite.IntegrityError):
        opened.write(
            lambda conn: accounts.audit(conn, "nobody", actor="x", action="x", subject=None, now=NOW)
        )


def test_a_read_changes_nothing(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.read(_note("one"))
        assert _noted(opened) == []


# --- groups ----------------------------------------------------------------------------------------------


def test_one_failing_function_of_a_group_undoes_only_itself(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> list[object]:
        jobs = [writer.write(_failing(str(n)) if n % 5 == 3 else _note(str(n))) for n in range(40)]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    with database(tmp_path) as opened:
        results = _with_writer(opened, work)
        assert isinstance(results, list)
        failed = [str(result) for result in results if isinstance(result, ValueError)]
        assert failed == [str(n) for n in range(40) if n % 5 == 3]
        assert _noted(opened) == [str(n) for n in range(40) if n % 5 != 3]


def test_an_error_of_sqlite_in_one_function_spares_the_others(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> list[object]:
        jobs = (_note("one"), lambda conn: conn.execute("SELECT * FROM nothing"), _note("two"))
        return list(await asyncio.gather(*map(writer.write, jobs), return_exceptions=True))

    with database(tmp_path) as opened:
        results = _with_writer(opened, work)
        assert isinstance(results, list)
        assert [type(result) for result in results] == [str, _sqlite.OperationalError, str]
        assert _noted(opened) == ["one", "two"]


def test_a_transaction_that_ends_early_fails_the_whole_group(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> list[object]:
        def ends(conn: Connection) -> None:
            conn.execute("ROLLBACK")
            raise ValueError("disk full")

        jobs = (_note("one"), ends, _note("two"))
        results = list(await asyncio.gather(*map(writer.write, jobs), return_exceptions=True))
        return [*results, await writer.write(_note("three"))]

    with database(tmp_path) as opened:
        results = _with_writer(opened, work)
        assert isinstance(results, list)
        assert not any(isinstance(result, str) for result in results[:2])
        # What was not told of a failure is stored; what was is not.
        assert _noted(opened) == [result for result in results if isinstance(result, str)]
        assert results[-1] == "three"


def test_urgent_functions_go_first(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> None:
        slow = [writer.write(_note(f"slow {n}")) for n in range(200)]
        urgent = [writer.write(_note(f"urgent {n}"), urgent=True) for n in range(3)]
        await asyncio.gather(*slow, *urgent)

    with database(tmp_path) as opened:
        _with_writer(opened, work)
        noted = _noted(opened)
        assert len(noted) == 203
        assert noted.index("urgent 2") < noted.index("slow 199")
        assert [n for n in noted if n.startswith("slow")] == [f"slow {n}" for n in range(200)]


def test_closing_finishes_what_was_handed_in(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> None:
        tasks = [asyncio.ensure_future(writer.write(_note(str(n)))) for n in range(20)]
        await asyncio.sleep(0)
        await writer.close()
        await asyncio.gather(*tasks)

    with database(tmp_path) as opened:
        _with_writer(opened, work)
        assert len(_noted(opened)) == 20


def test_what_runs_alone_is_in_no_transaction_and_holds_nobody_up_for_good(tmp_path: Path) -> None:
    def fails(conn: Connection) -> None:
        conn.execute("SELECT * FROM nothing")

    async def work(writer: GroupWriter) -> list[object]:
        jobs = [writer.write(_note(str(n))) for n in range(60)]
        alone = writer.alone(lambda conn: conn.in_transaction)
        return list(await asyncio.gather(*jobs, alone, writer.alone(fails), return_exceptions=True))

    with database(tmp_path) as opened:
        results = _with_writer(opened, work)
        assert isinstance(results, list)
        assert results[:61] == [*(str(n) for n in range(60)), False]
        assert isinstance(results[61], HomeError)
        assert len(_noted(opened)) == 60


def test_copies_of_deleted_rows_stay_in_pages_until_the_file_is_written_anew(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        conn = opened.connection
        contact = opened.write(meet)
        names = [f"{'gone' if n % 2 else 'kept'}-{n * 7919 % 2000:04}" for n in range(2000)]
        opened.write(partial(_also_known_as, contact=contact, igsids=names))
        conn.execute("DELETE FROM contact_ids WHERE igsid LIKE 'gone-%'")
        assert empty_wal(conn)
        assert b"gone-" in opened.path.read_bytes(), "secure_delete is enough after all"
        rebuild(conn)
        with open_database(opened.path) as other:
            other.connection.execute("BEGIN")
            other.connection.execute("SELECT count(*) FROM contact_ids").fetchone()
            assert not empty_wal(conn)
        assert empty_wal(conn)
        files = [opened.path, opened.path.with_name("pamosnik.db-wal")]
        assert b"gone-" not in b"".join(file.read_bytes() for file in files)
        assert conn.execute("SELECT count(*) FROM contact_ids").fetchone() == (1000,)


# --- files that are refused ------------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="There is no database") as refused:
        open_database(tmp_path / "pamosnik.db")
    assert refused.value.hint == "Try: pamosnik init"
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with database(tmp_path):
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "pamosnik.db"
    other = _sqlite.connect(str(path))
    other.execute("CREATE TABLE x (y)")
    other.close()
    for migrate in (False, True):
        with pytest.raises(HomeError, match="another program"):
            open_database(path, migrate=migrate)


def test_a_newer_database(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, 'm9999_later', '')",
            (migrations.SET,),
        )
    for migrate in (False, True):
        known = len(migrations.MIGRATIONS)
        says = f"has version {known + 1}; this Pamosnik knows versions up to {known}"
        with pytest.raises(HomeError, match=says) as refused:
            open_database(tmp_path / "pamosnik.db", migrate=migrate)
        assert refused.value.hint is not None


def test_an_older_database_is_refused_until_it_is_brought_up_to_date(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.connection.execute("DELETE FROM _sqlite_migrations")
    with pytest.raises(HomeError, match="needs version"):
        open_database(tmp_path / "pamosnik.db")


@pytest.mark.parametrize("content", [b"no database at all " * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_broken_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pamosnik.db"
    path.write_bytes(content)
    for migrate in (False, True):
        with pytest.raises(HomeError, match="is damaged"):
            open_database(path, migrate=migrate)
    assert path.read_bytes() == content


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        assert migrations.applied(opened.connection) == [m.__name__ for m in migrations.MIGRATIONS]
    with open_database(tmp_path / "pamosnik.db", migrate=True) as again:
        assert migrations.apply(again.connection, again.path) == []
    assert not list(tmp_path.glob("*.before-version-*"))


# --- the schema ------------------------------------------------------------------------------------------


def test_the_written_schema_is_that_of_the_migrations() -> None:
    written = (Path(pamosnik.store.__file__).parent / "schema.sql").read_text(encoding="utf-8")
    assert written.split("\n\n", 1)[1] == migrations.schema_sql()


def test_every_table_carries_the_account_and_is_strict(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        rows = opened.connection.execute(
            "SELECT name, strict FROM pragma_table_list WHERE schema='main' AND type='table'"
            " AND name NOT LIKE 'sqlite_%' AND name<>'_sqlite_migrations'"
        ).fetchall()
        assert len(rows) > 20
        for name, strict in rows:
            columns = [row[1] for row in opened.connection.execute(f"PRAGMA table_info({name})")]
            assert "account_id" in columns, name
            assert strict == 1, name


def test_the_pragmas_that_every_connection_has(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        found = {
            name: opened.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "auto_vacuum")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "auto_vacuum": 2,
    }


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    with home.lock(tmp_path):
        assert home.daemon_running(tmp_path)
        with pytest.raises(HomeError, match="Another Pamosnik"), home.lock(tmp_path):
            pass
    assert not home.daemon_running(tmp_path)


def test_a_filled_database_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its unknown items get looks for evidence; a copy from before stays beside it."""
    path = tmp_path / "pamosnik.db"
    with database(tmp_path) as opened:
        contact = opened.write(meet)
        opened.write(lambda conn: outbox.add(conn, new_item(contact, 0), NOW))
        conn = opened.connection
        conn.execute("UPDATE outbox SET status='unknown', last_attempt_at=5")
        back_to_the_first_version(conn)
    with pytest.raises(HomeError, match="version 1"):
        open_database(path)
    with open_database(path, migrate=True) as opened:
        assert opened.connection.execute("SELECT look_at, looks FROM outbox").fetchall() == [(5, 0)]
        (age,) = opened.connection.execute(
            "SELECT token_refresh_at - connected_at FROM connections"
        ).fetchone()
        assert age == 24 * 3600 * 1000
    assert (tmp_path / "pamosnik.before-version-2.db").stat().st_mode & 0o777 == 0o600
    with open_database(path) as opened:
        assert migrations.applied(opened.connection) == [m.__name__ for m in migrations.MIGRATIONS]


# --- what disk, file and locks say -----------------------------------------------------------------------


def _fill(conn: Connection) -> None:
    """More than the pages the database may grow to in these tests."""
    for n in range(2000):
        _note(f"{n} " + "x" * 400)(conn)


def _full(opened: Database) -> None:
    pages = opened.connection.execute("PRAGMA page_count").fetchone()[0]
    opened.connection.execute(f"PRAGMA max_page_count={pages + 5}")


def test_a_full_disk_is_told_in_words_and_nothing_is_stored(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _full(opened)
        with pytest.raises(HomeError, match="is full; nothing of this change was stored"):
            opened.write(_fill)
        assert _noted(opened) == []


def test_a_full_disk_within_a_group(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> list[object]:
        jobs = (_note("one"), _fill, _note("two"))
        return list(await asyncio.gather(*map(writer.write, jobs), return_exceptions=True))

    with database(tmp_path) as opened:
        _full(opened)
        results = _with_writer(opened, work)
        assert isinstance(results, list)
        assert isinstance(results[1], HomeError)
        assert "is full" in str(results[1])
        assert _noted(opened) == [result for result in results if isinstance(result, str)]


def test_a_database_locked_by_another_program_is_told_in_words(tmp_path: Path) -> None:
    with database(tmp_path) as opened, open_database(opened.path) as other:
        opened.connection.execute("PRAGMA busy_timeout=1")
        other.connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(HomeError, match="locked by another program"):
            opened.write(_note("one"))


def test_a_damaged_page_is_told_as_such(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(_note("one"))
        page = opened.connection.execute("SELECT rootpage FROM sqlite_master WHERE name='audit'").fetchone()[
            0
        ]
    raw = bytearray(opened.path.read_bytes())
    raw[(page - 1) * 4096 : page * 4096] = bytes(4096)
    opened.path.write_bytes(raw)
    with open_database(opened.path) as again:
        with pytest.raises(DatabaseDamaged, match="is damaged"):
            _noted(again)
        with pytest.raises(DatabaseDamaged):
            again.write(_note("two"))


def test_a_mistake_in_a_statement_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    with database(tmp_path) as opened, pytest.raises(_sqlite.OperationalError, match="no such table"):
        opened.write(lambda conn: conn.execute("SELECT 1 FROM no_such_table"))


def test_after_a_damaged_page_the_writer_writes_nothing_more(tmp_path: Path) -> None:
    async def work(writer: GroupWriter) -> list[object]:
        jobs = (_note("one"), lambda conn: conn.execute("SELECT * FROM variants").fetchall(), _note("two"))
        first = await asyncio.gather(*map(writer.write, jobs), return_exceptions=True)
        await asyncio.wait_for(writer.failed.wait(), 5)
        return [*first, *await asyncio.gather(writer.write(_note("three")), return_exceptions=True)]

    with database(tmp_path) as opened:
        sql = "SELECT rootpage FROM sqlite_master WHERE name='variants'"
        page = opened.connection.execute(sql).fetchone()[0]
    raw = bytearray(opened.path.read_bytes())
    raw[(page - 1) * 4096 : page * 4096] = bytes(4096)
    opened.path.write_bytes(raw)
    with open_database(opened.path) as again:
        results = _with_writer(again, work)
        assert isinstance(results, list)
        # The first may have been committed in a group of its own.
        assert [type(result) for result in results[1:]] == [DatabaseDamaged] * 3
        assert _noted(again) == [result for result in results if isinstance(result, str)]


def test_the_look_for_damage_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(_fill)
    assert look_for_damage(opened.path, lambda: True) is True
    assert look_for_damage(opened.path, lambda: False) is False


def test_who_is_patient_is_asked_whether_to_wait_on(tmp_path: Path) -> None:
    asked: list[float] = []
    with database(tmp_path) as opened, open_database(opened.path) as other:

        def until_asked_twice(waited_s: float) -> bool:
            asked.append(waited_s)
            if len(asked) == 2:
                other.connection.execute("ROLLBACK")
            return True

        opened.wait_while(until_asked_twice)
        other.connection.execute("BEGIN IMMEDIATE")
        opened.write(_note("one"))
        assert (_noted(opened), asked == sorted(asked), len(asked)) == (["one"], True, 2)


@pytest.mark.parametrize("ending", [False, KeyboardInterrupt()], ids=["refused", "Ctrl-C"])
def test_who_waits_no_longer_has_changed_nothing(tmp_path: Path, ending: bool | KeyboardInterrupt) -> None:
    def end(_waited_s: float) -> bool:
        if isinstance(ending, KeyboardInterrupt):
            raise ending
        return ending

    with database(tmp_path) as opened, open_database(opened.path) as other:
        opened.wait_while(end)
        other.connection.execute("BEGIN IMMEDIATE")
        with pytest.raises((HomeError, KeyboardInterrupt)):
            opened.write(_note("one"))
        other.connection.execute("ROLLBACK")
        assert _noted(opened) == []
        assert not opened.connection.in_transaction
        assert opened.connection.execute("PRAGMA busy_timeout").fetchone() == (BUSY_TIMEOUT_S * 1000,)


def test_statements_that_follow_one_another_are_prepared_once(tmp_path: Path) -> None:
    """However many came before them: a page that asks three things of each person took ten times as long."""
    prepared: list[int] = []

    def ask(action: int, *_: str | None) -> Authorized:
        prepared.append(action)
        return Authorized.OK

    with database(tmp_path) as opened:
        conn = opened.connection
        for number in range(300):
            conn.execute(f"SELECT {number}").fetchall()
        conn.set_authorizer(ask)
        for _ in range(3):
            for column in ("name", "username", "igsid"):
                conn.execute(f"SELECT {column} FROM contacts").fetchall()
        assert prepared.count(Action.SELECT) == 3
