"""An import that is killed, and people who do not come back with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.privacy import erase, importing, importing_file
from pamosnik.privacy import importing_rows as rules
from pamosnik.privacy.importing_check import Checked, check
from pamosnik.privacy.importing_file import ExportFile
from pamosnik.services import connecting, flows, logins
from pamosnik.services.connecting import Found
from pamosnik.store import accounts, connections, contacts, imports, ledger, tombstones
from pamosnik.store.database import Database, open_database
from pamosnik.store.deletions import Cause
from pamosnik.store.ledger import Ledger
from pamosnik.store.times import instant
from pamosnik.store.tombstones import Tombstone
from pamosnik.store.walls import write_for
from tests.isolation import world
from tests.isolation.world import ANNA, FORGOTTEN, MINE
from tests.privacy import exported

NEW = "ANEW"
Data = dict[str, list[dict[str, object]]]


class Killed(BaseException):
    """Like a kill: nothing of ours catches it."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    with open_database(world.make(tmp_path_factory.mktemp("shop") / "home")) as database:
        return exported.data(database.connection, MINE.account)


@pytest.fixture(scope="module")
def zipped(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported.write(tmp_path_factory.mktemp("zip") / "export.zip", data)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "pamosnik.db", migrate=True) as database:
        database.write(_account)
        yield database


def _account(conn: Connection) -> None:
    account = accounts.Account(NEW, "New", "new@shop.example", "Europe/Warsaw", exported.NOW)
    accounts.insert(conn, account, password_hash="x", wrapped_key=b"x", adult_stated_at=exported.NOW)


def import_(
    database: Database,
    path: Path,
    ledgers: list[Path] | None = None,
    before_write: Callable[[int], None] = lambda _: None,
) -> Checked:
    """`before_write` hears the number of each transaction, from 1."""
    with importing_file.opened(path) as file:
        checked = database.read(lambda conn: check(file, conn, NEW, ledgers or []))
        if checked.problems:
            raise PamosnikError("; ".join(checked.problems))
        bring_in(database, file, checked, before_write)
    return checked


def bring_in(
    database: Database, file: ExportFile, checked: Checked, before_write: Callable[[int], None]
) -> None:
    number = 0

    def write(fn: Callable[[Connection], Any]) -> Any:
        nonlocal number
        number += 1
        before_write(number)
        return database.write(write_for(NEW, fn))

    importing.bring_in(write, file, checked, exported.NOW, _needs_login, pause=lambda _: None)


def _needs_login(conn: Connection, connection_id: str) -> None:
    logins.moved(conn, connection_id, rules.MOVED, exported.NOW)


def rows(database: Database) -> Data:
    return exported.data(database.connection, NEW)


# --- broken off --------------------------------------------------------------------------------------------


def test_killed_before_any_transaction_and_repeated_all_is_there_once(
    here: Database, zipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 4)
    numbers: list[int] = []
    import_(here, zipped, before_write=numbers.append)
    whole = rows(here)
    assert len(numbers) > 12

    def dies(at: int) -> Callable[[int], None]:
        def die(number: int) -> None:
            if number == at:
                raise Killed

        return die

    with open_database(tmp_path / "again.db", migrate=True) as database:
        database.write(_account)
        with importing_file.opened(zipped) as file:
            checked = database.read(lambda conn: check(file, conn, NEW, []))
            for number in range(1, len(numbers) + 1):  # each time one transaction further
                with pytest.raises(Killed):
                    bring_in(database, file, checked, dies(number))
        assert import_(database, zipped).resumes
        assert rows(database) == whole
        with pytest.raises(PamosnikError, match="not empty"):
            import_(database, zipped)


@pytest.fixture
def half(here: Database, zipped: Path) -> Database:
    """All people are here, nothing else."""

    def die(number: int) -> None:
        if number == 3:
            raise Killed

    with pytest.raises(Killed):
        import_(here, zipped, before_write=die)
    return here


def test_meanwhile_nothing_works_on_it_and_nothing_gets_in_its_way(
    half: Database, zipped: Path, data: Data, tmp_path: Path
) -> None:
    assert connections.by_ig_id(half.connection, MINE.ig_id) is None, "its webhooks are nobody's"
    found = Found("token", MINE.ig_id, None, "shop", ())
    with pytest.raises(PamosnikError, match="not finished"):
        half.write(lambda conn: connecting.keep(conn, None, NEW, found, exported.NOW))  # type: ignore[arg-type]
    files = [("shop.yaml", "version: 1\nflows:\n  a: { when: [dm: a], do: [send: A] }\n")]
    proposal = half.read(
        lambda conn: flows.propose(conn, NEW, files, prune=False, now=exported.NOW, is_public=True)
    )
    with pytest.raises(PamosnikError, match="not finished"):
        half.write(
            lambda conn: flows.apply(conn, NEW, proposal, note=None, actor="command", now=exported.NOW)
        )
    another = exported.write(tmp_path / "another.zip", data, program="another")
    with pytest.raises(PamosnikError, match="another file into this account is not finished"):
        import_(half, another)
    assert import_(half, zipped).resumes


def test_who_is_forgotten_meanwhile_does_not_come_back(half: Database, zipped: Path) -> None:
    (contact_id,) = half.connection.execute(
        "SELECT contact_id FROM contacts WHERE igsid=?", (ANNA,)
    ).fetchone()
    half.write(lambda conn: _forget(conn, contact_id))
    checked = import_(half, zipped)
    assert [person.contact_id for person in checked.left_out] == [contact_id]
    assert ANNA not in repr(rows(half))


def _forget(conn: Connection, contact_id: str) -> None:
    contact = contacts.load(conn, contact_id)
    assert contact is not None
    tombstones.put_key(conn, NEW, b"k" * 32)
    hashed = tombstones.hasher(conn, contact.connection_id)
    assert hashed is not None
    stone = Tombstone(contact.connection_id, hashed(ANNA), exported.NOW, exported.NOW, opted_out=False)
    tombstones.put(conn, NEW, stone)
    conn.execute("DELETE FROM contacts WHERE contact_id=?", (contact_id,))


def test_who_is_forgotten_while_it_runs_leaves_no_rows_that_hang_in_the_air(
    here: Database, zipped: Path
) -> None:
    def forgets(number: int) -> None:
        if number == 3:
            (contact_id,) = here.connection.execute(
                "SELECT contact_id FROM contacts WHERE igsid=?", (ANNA,)
            ).fetchone()
            here.write(lambda conn: _forget(conn, contact_id))

    import_(here, zipped, before_write=forgets)
    assert here.connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert ANNA not in repr(rows(here))


def test_a_deletion_that_begins_meanwhile_ends_it(here: Database, zipped: Path) -> None:
    def disconnects(number: int) -> None:
        if number == 4:
            here.write(
                lambda conn: erase.begin_connection(
                    conn, MINE.connection, Cause.COMMAND, actor="command", now=exported.NOW
                )
            )

    with pytest.raises(PamosnikError, match="ended from elsewhere"):
        import_(here, zipped, before_write=disconnects)
    assert rows(here)["flows"] == []


def test_after_its_connections_are_gone_another_file_may_come(half: Database, zipped: Path) -> None:
    def gone(conn: Connection) -> None:
        for table in ("variants", "totals", "bound_posts", "broadcasts", "contacts", "connections"):
            conn.execute(f"DELETE FROM {table}")

    half.write(gone)
    assert imports.unfinished(half.connection, NEW) is None
    assert not import_(half, zipped).resumes


# --- forgotten people --------------------------------------------------------------------------------------


def _ledger(path: Path, data: Data, *igsids: str, said_at_ms: int | None = None) -> Path:
    """As the old home wrote it when these people were forgotten there."""
    with open_database(path / "old.db", migrate=True) as database:
        database.write(_account)
        conn = database.connection
        conn.execute("INSERT INTO ledger VALUES (?,?)", (NEW, b"o" * 32))
        connected = {**data["connections"][0], "account_id": NEW}
        imports.put(conn, "connections", [connected], ["connection_id"])
        hashed = tombstones.hasher(conn, MINE.connection)
        assert hashed is not None
        at = exported.NOW if said_at_ms is None else instant(said_at_ms)
        stones = [Tombstone(MINE.connection, hashed(igsid), at, at, opted_out=True) for igsid in igsids]
    ledger.write(path / ledger.NAME, Ledger({MINE.account: b"o" * 32}, stones))
    return path / ledger.NAME


def test_whom_a_ledger_names_stays_behind_and_stays_opted_out(
    here: Database, zipped: Path, data: Data, tmp_path: Path
) -> None:
    was = _ledger(tmp_path, data, f"also-{MINE.mark}", FORGOTTEN)  # Anna, by another id of hers
    checked = import_(here, zipped, [was, tmp_path / "none"])
    assert len(checked.left_out) == 1
    then = rows(here)
    assert ANNA not in repr(then)
    left = checked.left_out[0].contact_id
    assert all(row.get("contact_id") != left for table in rules.RESTORED for row in then[table])
    for igsid in (ANNA, f"also-{MINE.mark}", FORGOTTEN):
        stone = tombstones.of(here.connection, MINE.connection, igsid)
        assert stone is not None, igsid
        assert stone.opted_out


def test_whoever_came_back_after_being_forgotten_is_a_new_person(
    here: Database, zipped: Path, data: Data, tmp_path: Path
) -> None:
    created_at = min(int(str(row["created_at"])) for row in data["contacts"])
    was = _ledger(tmp_path, data, ANNA, said_at_ms=created_at - 1000)
    assert import_(here, zipped, [was]).left_out == []
    assert len(rows(here)["contacts"]) == len(data["contacts"])


def test_a_connection_that_was_deleted_in_this_home_comes_back_under_another_id(
    here: Database, zipped: Path, data: Data, tmp_path: Path
) -> None:
    """Otherwise the next backup that is restored would delete it again."""
    was = _ledger(tmp_path, data, ANNA)
    ledger.write(was, Ledger({}, [], connections={MINE.connection: exported.NOW}))
    import_(here, zipped, [was])
    then = rows(here)
    (connected,) = then["connections"]
    assert (connected["ig_id"], connected["status"]) == (MINE.ig_id, "needs_login")
    tables = [table for table in rules.RESTORED if table != "consents"]
    ids = {row["connection_id"] for table in tables for row in then[table] if row.get("connection_id")}
    assert ids == {connected["connection_id"]}
    assert ids != {MINE.connection}
    assert len(then["contacts"]) == len(data["contacts"]) - 1
    assert tombstones.of(here.connection, str(connected["connection_id"]), ANNA) is not None


def test_a_key_of_ones_own_is_kept_and_hashes_are_made_with_it(
    here: Database, zipped: Path, data: Data, tmp_path: Path
) -> None:
    here.write(lambda conn: tombstones.put_key(conn, NEW, b"n" * 32))
    import_(here, zipped, [_ledger(tmp_path, data, ANNA, FORGOTTEN)])
    assert tombstones.key(here.connection, NEW) == b"n" * 32
    assert tombstones.of(here.connection, MINE.connection, ANNA) is not None


def test_whoever_was_on_the_way_out_stays_behind(here: Database, data: Data, tmp_path: Path) -> None:
    changed = {table: [dict(row) for row in found] for table, found in data.items()}
    first, second = changed["contacts"]
    first["forget_at"] = first["created_at"]
    changed["deletions"] = [
        {
            **changed["deletions"][0],
            "scope": "person",
            "subject_id": second["contact_id"],
            "ended_at": None,
        }
    ]
    checked = import_(here, exported.write(tmp_path / "e.zip", changed))
    assert len(checked.left_out) == 2
    assert rows(here)["contacts"] == []
    assert rows(here)["flows"] != []


def test_a_connection_on_its_way_out_stays_behind(here: Database, data: Data, tmp_path: Path) -> None:
    changed = {
        **data,
        "deletions": [{**data["deletions"][0], "subject_id": MINE.connection, "ended_at": None}],
    }
    checked = import_(here, exported.write(tmp_path / "e.zip", changed))
    assert checked.connections == []
    then = rows(here)
    assert (then["connections"], then["contacts"], then["totals"]) == ([], [], [])
    assert then["flows"] != []
    assert then["codes"] != []


def test_where_the_app_was_removed_its_data_goes_when_it_would_have_gone(
    here: Database, data: Data, tmp_path: Path
) -> None:
    (connected,) = data["connections"]
    removed = {**connected, "status": "disconnected", "reason": "removed", "delete_after": 5}
    import_(here, exported.write(tmp_path / "e.zip", {**data, "connections": [removed]}))
    found = connections.load(here.connection, MINE.connection)
    assert (found.status.value, found.reason) == ("disconnected", "removed")
    assert [one.id for one in connections.to_delete(here.connection, exported.NOW)] == [MINE.connection]
