"""What a walled connection shows, and what a walled transaction refuses."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik._sqlite import Connection, DatabaseError, IntegrityError, OperationalError
from pamosnik.errors import NotFound
from pamosnik.store import accounts, alerts, contacts, inbox, notices, walls
from pamosnik.store.database import Database, open_database
from pamosnik.store.walls import Walled, write_for
from pamosnik.store.writer import GroupWriter
from tests.isolation import world
from tests.isolation.world import MINE, NOW, OTHERS

REFUSED = "is not of this account"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.make(tmp_path_factory.mktemp("walls") / "home")


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    """Nothing of what a test does in a transaction of its own stays."""
    with open_database(home) as opened:
        opened.connection.execute("BEGIN IMMEDIATE")
        yield opened


@pytest.fixture
def own(home: Path) -> Iterator[Walled]:
    with open_database(home) as opened:
        yield Walled(opened)


def _all(conn: Connection, sql: str) -> list[tuple[object, ...]]:
    return list(conn.execute(sql).fetchall())


def _refuses(database: Database, sql: str, *values: object) -> bool:
    conn = database.connection
    try:
        write_for(MINE.account, lambda conn: conn.execute(sql, values))(conn)
    except IntegrityError as error:
        return REFUSED in str(error)
    return False


# --- reading -----------------------------------------------------------------------------------------------


def test_every_table_shows_one_account_at_a_time(own: Walled, database: Database) -> None:
    tables = walls.tables(database.connection)

    def seen(conn: Connection) -> set[tuple[object, ...]]:
        return {row for table in tables for row in _all(conn, f"SELECT DISTINCT account_id FROM {table}")}

    assert own.read(MINE.account, seen) == {(MINE.account,)}
    assert own.read(OTHERS.account, seen) == {(OTHERS.account,)}
    assert own.read("nobody", seen) == set()


def test_outside_of_read_no_row_is_seen(home: Path) -> None:
    with open_database(home) as opened:
        own = Walled(opened)
        assert _all(opened.connection, "SELECT event_id FROM events") == []
        with pytest.raises(NotFound):
            own.read(MINE.account, _raises)
        assert _all(opened.connection, "SELECT event_id FROM events") == []
        assert len(own.read(MINE.account, partial(_all, sql="SELECT event_id FROM events"))) == 9


def _raises(_: Connection) -> None:
    raise NotFound("There is no such thing.")


@pytest.mark.parametrize(
    "around",
    [
        "SELECT text FROM main.events",
        "SELECT count(*) FROM main.events",
        "SELECT e.text FROM main.events e JOIN connections USING (connection_id)",
        "WITH seen AS (SELECT text FROM main.events) SELECT text FROM seen",
        "WITH events AS MATERIALIZED (SELECT text FROM main.events) SELECT text FROM events",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM main.events)",
        "SELECT seq FROM sqlite_sequence",
        "SELECT sql FROM main.sqlite_master",
        "DELETE FROM main.events",
        "DELETE FROM events",
        "UPDATE main.notices SET message=''",
        "DROP VIEW events",
        "UPDATE reading_for SET account_id='ATULIP'",
        "ATTACH 'other.db' AS other",
        "DROP TABLE main.events",
    ],
)
def test_no_statement_gets_around_the_views(own: Walled, around: str) -> None:
    with pytest.raises(DatabaseError, match=r"prohibited|is a view|not authorized"):
        own.read(MINE.account, lambda conn: conn.execute(around).fetchall())


def _with(conn: Connection) -> None:
    with conn:
        conn.execute("SELECT 1")


@pytest.mark.parametrize(
    "ends",
    [Connection.commit, _with, lambda conn: conn.execute("END"), lambda conn: conn.executescript("SELECT 1")],
)
def test_whoever_reads_next_sees_nothing_of_the_account_before(
    own: Walled, ends: Callable[[Connection], object]
) -> None:
    """Which account it is hangs on the transaction, so what is read cannot commit it."""
    with pytest.raises(DatabaseError, match="not authorized"):
        own.read(MINE.account, ends)
    seen = partial(_all, sql="SELECT DISTINCT account_id FROM events")
    assert own.read(OTHERS.account, seen) == [(OTHERS.account,)]


def test_what_concerns_the_whole_installation_is_told_to_everybody(database: Database, own: Walled) -> None:
    conn = database.connection
    tell = partial(notices.raise_notice, conn, code="disk_full", message="The disk is full.", fix="", now=NOW)
    tell(account_id="", connection_id="")
    conn.execute("COMMIT")
    for side in (MINE, OTHERS):
        told = own.read(side.account, partial(notices.of_account, account_id=side.account))
        assert {one.message for one in told} == {f"{side.mark} is blocked", "The disk is full."}
    conn.execute("BEGIN IMMEDIATE")
    settle = partial(notices.settle, account_id="", connection_id="", code="disk_full")
    with pytest.raises(IntegrityError, match=REFUSED):
        write_for(MINE.account, settle)(conn)
    settle(conn)
    conn.execute("COMMIT")


def test_a_table_that_names_no_account_is_neither_read_nor_written(tmp_path: Path) -> None:
    path = world.make(tmp_path / "home")
    with open_database(path) as database, open_database(path) as other:
        database.connection.execute("CREATE TABLE words (word TEXT)")
        own = Walled(other)
        with pytest.raises(OperationalError, match="account_id"):
            own.read(MINE.account, lambda conn: conn.execute("SELECT word FROM words").fetchall())
        add = "INSERT INTO words VALUES ('tulip')"
        with pytest.raises(OperationalError, match="account_id"):
            database.write(write_for(MINE.account, lambda conn: conn.execute(add)))


# --- writing -----------------------------------------------------------------------------------------------


def test_rows_of_the_other_account_are_refused_in_every_way(database: Database) -> None:
    conn = database.connection
    person, theirs = _person(conn, MINE.account), _person(conn, OTHERS.account)
    tag = "INSERT INTO contact_tags (account_id, contact_id, tag, added_at) VALUES (?,?,?,1)"
    assert _refuses(database, "UPDATE contacts SET name='x'")
    assert _refuses(database, "UPDATE contacts SET name='x' WHERE contact_id=?", theirs)
    assert _refuses(database, "UPDATE OR IGNORE contacts SET name='x' WHERE contact_id=?", theirs)
    assert _refuses(database, "UPDATE contacts SET account_id=? WHERE contact_id=?", OTHERS.account, person)
    assert _refuses(database, "UPDATE contact_tags SET contact_id=? WHERE contact_id=?", theirs, person)
    assert _refuses(database, "DELETE FROM contacts WHERE contact_id=?", theirs)
    assert _refuses(database, "DELETE FROM attempts")
    assert _refuses(database, tag, OTHERS.account, theirs, "new")
    assert _refuses(database, tag, MINE.account, theirs, "new")
    assert _refuses(database, tag.replace("INSERT", "INSERT OR IGNORE"), MINE.account, theirs, "new")
    assert _refuses(database, tag.replace("INSERT", "INSERT OR REPLACE"), MINE.account, theirs, OTHERS.mark)
    assert not _refuses(database, tag, MINE.account, person, "new")


def test_a_row_that_another_one_replaces_is_looked_at(database: Database) -> None:
    """REPLACE, and ON CONFLICT DO UPDATE: the new row is mine, the one in its place was not."""
    new = "INSERT OR REPLACE INTO api_tokens (token_id, account_id, name, token_hash, created_at) VALUES (?,?,?,?,1)"
    assert _refuses(database, new, f"token-{OTHERS.mark}", MINE.account, "n", b"n")
    assert _refuses(database, new, "n", MINE.account, "n", OTHERS.hash)
    assert not _refuses(database, new, f"token-{MINE.mark}", MINE.account, "n", MINE.hash)
    conflict = (
        "INSERT INTO known_browsers (token_hash, account_id, made_at, last_used_at) VALUES (?,?,1,1)"
        " ON CONFLICT DO UPDATE SET account_id=excluded.account_id"
    )
    assert _refuses(database, conflict, OTHERS.hash, MINE.account)
    assert not _refuses(database, conflict, MINE.hash, MINE.account)


def test_what_a_cascade_deletes_is_looked_at(database: Database) -> None:
    """Nothing makes such a row; if there ever is one, it is not mine to delete."""
    conn = database.connection
    person = _person(conn, MINE.account)
    conn.execute("DELETE FROM runs WHERE account_id=?", (MINE.account,))
    conn.execute("UPDATE contact_tags SET account_id=? WHERE contact_id=?", (OTHERS.account, person))
    assert _refuses(database, "DELETE FROM contacts WHERE contact_id=?", person)


def test_what_hangs_on_their_rows_without_a_foreign_key_is_refused(database: Database) -> None:
    (event,) = database.connection.execute(
        "SELECT event_id FROM events WHERE account_id=?", (OTHERS.account,)
    ).fetchone()
    alert = alerts.Alert(MINE.account, OTHERS.connection, "blocked", True, 0, "x", NOW, None)
    with pytest.raises(IntegrityError, match=REFUSED):
        write_for(MINE.account, partial(alerts.put, alert=alert))(database.connection)
    assert _refuses(database, "UPDATE turns SET event_id=? WHERE account_id=?", event, MINE.account)
    decide = partial(inbox.count_failure, event_id=event)
    with pytest.raises(IntegrityError, match=REFUSED):
        write_for(MINE.account, decide)(database.connection)


def test_afterwards_no_wall_is_left(database: Database) -> None:
    conn = database.connection
    theirs = _person(conn, OTHERS.account)
    assert _refuses(database, "DELETE FROM contacts WHERE contact_id=?", theirs)
    with pytest.raises(NotFound):
        write_for(MINE.account, _raises)(conn)
    contacts.resume(conn, theirs)
    assert _all(conn, "SELECT name FROM sqlite_temp_master") == []


@pytest.mark.parametrize("no_id", ["", "a' OR 'a'='a", "a\n", "é", "a" * 65])
def test_what_is_no_id_is_not_written_for(database: Database, no_id: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        write_for(no_id, lambda _: None)(database.connection)


def test_a_refusal_undoes_its_own_function_alone(home: Path) -> None:
    """In the daemon several functions share one transaction, and each has walls of its own, or none."""

    async def run(opened: Database) -> list[object]:
        writer = GroupWriter(opened)
        note = partial(accounts.audit, actor="test", subject=None, now=NOW, access=True)
        writing = (
            writer.write(write_for(MINE.account, partial(note, account_id=MINE.account, action="mine"))),
            writer.write(write_for(MINE.account, partial(note, account_id=OTHERS.account, action="across"))),
            writer.write(
                write_for(OTHERS.account, partial(note, account_id=OTHERS.account, action="theirs"))
            ),
            writer.write(partial(note, account_id=OTHERS.account, action="of the daemon")),
        )
        results: list[object] = list(await asyncio.gather(*writing, return_exceptions=True))
        assert not writer.failed.is_set()
        await writer.close()
        return results

    with open_database(home) as opened:
        results = asyncio.run(run(opened))
        assert [type(result) for result in results] == [type(None), IntegrityError, type(None), type(None)]
        done = _all(opened.connection, "SELECT account_id, action FROM audit WHERE actor='test' ORDER BY id")
        assert done == [(MINE.account, "mine"), (OTHERS.account, "theirs"), (OTHERS.account, "of the daemon")]
        opened.write(lambda conn: conn.execute("DELETE FROM audit WHERE actor='test'"))


def _person(conn: Connection, account_id: str) -> str:
    row = conn.execute(
        "SELECT contact_id FROM contact_tags WHERE account_id=? ORDER BY 1", (account_id,)
    ).fetchone()
    return str(row[0])


# --- whatever is written -----------------------------------------------------------------------------------

VERBS = ("INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "UPSERT", "UPDATE", "UPDATE OR REPLACE", "DELETE")


@settings(max_examples=40)
@given(st.data())
def test_no_statement_changes_a_row_of_the_other_account(home: Path, data: st.DataObject) -> None:
    """Tables, verbs and values as they come; each value stands in that column of some row, mine or theirs."""
    with open_database(home) as database:
        conn = database.connection
        before = world.rows_of(conn, OTHERS)
        conn.execute("BEGIN IMMEDIATE")
        statements = [_statement(conn, data) for _ in range(12)]
        write_for(MINE.account, partial(_try, statements=statements))(conn)
        assert world.rows_of(conn, OTHERS) == before, statements
        conn.execute("ROLLBACK")


def _statement(conn: Connection, data: st.DataObject) -> tuple[str, Sequence[object]]:
    table = data.draw(st.sampled_from(walls.tables(conn)))
    columns = [name for (name,) in conn.execute("SELECT name FROM pragma_table_info(?)", (table,))]

    def value(column: str) -> object:
        there = conn.execute(f"SELECT DISTINCT {column} FROM {table} ORDER BY 1 LIMIT 20").fetchall()
        return data.draw(st.sampled_from([one for (one,) in there]))

    row = [value(column) for column in columns]
    names, marks = ", ".join(columns), ",".join("?" * len(columns))
    found, where = data.draw(st.sampled_from(columns)), data.draw(st.booleans())
    condition, looked_for = (f" WHERE {found}=?", [value(found)]) if where else ("", [])
    changed = data.draw(st.sampled_from(columns))
    verb = data.draw(st.sampled_from(VERBS))
    match verb:
        case "DELETE":
            return f"DELETE FROM {table}{condition}", looked_for
        case "UPSERT":
            conflict = f"ON CONFLICT DO UPDATE SET {changed}=excluded.{changed}"
            return f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}", row
        case "UPDATE" | "UPDATE OR REPLACE":
            return f"{verb} {table} SET {changed}=?{condition}", [value(changed), *looked_for]
        case _:
            return f"{verb} INTO {table} ({names}) VALUES ({marks})", row


def _try(conn: Connection, statements: Sequence[tuple[str, Sequence[object]]]) -> None:
    for sql, values in statements:
        with suppress(IntegrityError):
            conn.execute(sql, values)
