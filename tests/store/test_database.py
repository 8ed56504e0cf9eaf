"""Transactions, refusals, and the schema as it is written down."""

import asyncio
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError
from pamosnik.services import home
from pamosnik.store import migrations
from pamosnik.store.database import GroupWriter, open_database

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _put(code: str, *, fail: bool = False) -> "object":
    def work(conn: Connection) -> str:
        conn.execute(
            "INSERT INTO notices (account_id, connection_id, code, message, fix, since) VALUES ('','',?,'','',0)",
            (code,),
        )
        if fail:
            raise ValueError(code)
        return code

    return work


async def test_one_failing_function_undoes_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    with open_database(path, migrate=True) as database:
        writer = GroupWriter(database)
        works = [_put(str(number), fail=number % 3 == 0) for number in range(30)]
        results = await asyncio.gather(
            *(writer.write(work) for work in works),  # type: ignore[arg-type]
            return_exceptions=True,
        )
        await writer.close()
    with open_database(path) as reopened:
        stored = {code for (code,) in reopened.connection.execute("SELECT code FROM notices")}
    assert stored == {str(number) for number in range(30) if number % 3}
    assert [isinstance(result, ValueError) for result in results] == [n % 3 == 0 for n in range(30)]


async def test_every_connection_has_the_pragmas(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    open_database(path, migrate=True).close()
    with open_database(path) as database:
        for pragma, value in (
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("auto_vacuum", 2),
        ):
            assert database.connection.execute(f"PRAGMA {pragma}").fetchone()[0] == value, pragma


async def test_the_schema_file_is_what_the_migrations_make() -> None:
    written = Path(migrations.__file__).with_name("schema.sql").read_text("utf-8")
    assert written.endswith(migrations.schema_sql())


async def test_a_newer_database_is_refused_with_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    with open_database(path, migrate=True) as database:
        database.connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('pamosnik', 'm9999_future', '')"
        )
    with pytest.raises(HomeError, match="has version 2; this Pamosnik knows versions up to 1"):
        open_database(path)


async def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    conn = _sqlite.connect(str(path))
    conn.execute("CREATE TABLE theirs (x)")
    conn.commit()
    conn.close()
    with pytest.raises(HomeError, match="another program"):
        open_database(path, migrate=True)


async def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(HomeError, match="cannot be used"):
        open_database(path, migrate=True)
    assert path.read_bytes() == b"this is no database" * 100


async def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    with home.lock(tmp_path):
        assert home.daemon_running(tmp_path)
        with pytest.raises(HomeError, match="Another Pamosnik"), home.lock(tmp_path):
            pass
    assert not home.daemon_running(tmp_path)
