"""One code per person and one person per code, whatever happens at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.model.book import Settings
from pamosnik.model.contact import Contact
from pamosnik.privacy import erase
from pamosnik.services import codes
from pamosnik.store import codes as store
from pamosnik.store import deletions, notices
from pamosnik.store.database import Database, open_database
from pamosnik.store.deletions import Cause
from tests.store.rows import NOW, database, meet


def _fill(opened: Database, *found: str, pool: str = "spring") -> None:
    def bring(conn: Connection) -> None:
        changes = codes.changes(conn, "a1", {pool: found}, {"spring", "summer"})
        codes.carry_out(conn, "a1", changes)

    opened.write(bring)


def _meet(opened: Database, igsid: str) -> Contact:
    return opened.write(lambda conn: meet(conn, igsid))


def _give(conn: Connection, contact: Contact, pool: str = "spring") -> str | None:
    code = store.of_person(conn, contact.id, pool) or store.next_free(conn, "a1", pool)
    if code is not None:
        store.give(conn, contact, pool, code, NOW)
    return code


def test_codes_are_given_in_order_and_again_the_same(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _fill(opened, "Z-9", "A-1")
        anna, ben, cleo = (_meet(opened, who) for who in ("1", "2", "3"))
        assert [opened.write(partial(_give, contact=p)) for p in (anna, ben, anna, cleo)] == [
            "Z-9",
            "A-1",
            "Z-9",
            None,
        ]
        _fill(opened, "S-1", pool="summer")
        opened.write(lambda conn: _give(conn, anna, "summer"))
        assert store.latest_of_person(opened.connection, anna.id) == "S-1"
        later = NOW + timedelta(days=1)
        opened.write(lambda conn: store.give(conn, anna, "spring", "Z-9", later))
        assert store.latest_of_person(opened.connection, anna.id) == "Z-9", "told again last"
        assert store.latest_of_person(opened.connection, cleo.id) is None


def test_a_file_adds_and_withdraws_and_never_takes_back(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _fill(opened, "A-1", "B-2", "C-3")
        anna = opened.write(meet)
        opened.write(lambda conn: _give(conn, anna))
        _fill(opened, "D-4", "C-3")
        assert store.known(opened.connection, "a1", "spring") == {"A-1": True, "C-3": False, "D-4": False}
        assert store.next_free(opened.connection, "a1", "spring") == "C-3"
        _fill(opened, "A-1", "D-4")
        assert store.known(opened.connection, "a1", "spring") == {"A-1": True, "D-4": False}
        assert codes.changes(opened.connection, "a1", {}, {"spring"}) == ()
        [gone] = codes.changes(opened.connection, "a1", {}, ())
        assert (gone.pool, gone.new, gone.gone) == ("spring", (), ("D-4",))
        assert "D-4" not in repr(gone)


def test_nobody_gets_the_code_of_somebody_who_was_forgotten(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _fill(opened, "A-1", "B-2")
        anna = opened.write(meet)
        opened.write(lambda conn: _give(conn, anna))
        begin = partial(
            erase.begin_connection, connection_id="k1", cause=Cause.COMMAND, actor="test", now=NOW
        )
        deletion_id = opened.write(begin)
        receipt = deletions.load(opened.connection, deletion_id)
        assert receipt is not None
        while opened.write(lambda conn: erase.erase_some(conn, receipt, NOW)):
            pass
        assert opened.connection.execute("SELECT count(*) FROM given_codes").fetchone() == (0,)
        assert store.next_free(opened.connection, "a1", "spring") == "B-2"


def test_two_persons_never_share_a_code(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _fill(opened, "A-1", "B-2")
        anna, ben = (_meet(opened, who) for who in ("1", "2"))
        opened.write(lambda conn: store.give(conn, anna, "spring", "A-1", NOW))
        with pytest.raises(_sqlite.IntegrityError):
            opened.write(lambda conn: store.give(conn, ben, "spring", "A-1", NOW))
        with pytest.raises(_sqlite.IntegrityError):
            opened.write(lambda conn: store.give(conn, anna, "spring", "B-2", NOW))
        assert store.left(opened.connection, "a1", "spring", 9) == 1


def test_many_at_the_same_time(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _fill(opened, *(f"C-{number}" for number in range(30)))
        people = [_meet(opened, str(who)) for who in range(20)]

        def ask(number: int) -> list[str | None]:
            with open_database(tmp_path / "pamosnik.db") as own:
                return [own.write(partial(_give, contact=p)) for p in people[:: 1 - 2 * (number % 2)]]

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(ask, range(4)))
        first = answers[0]
        assert len(set(first)) == 20
        assert [answer if n % 2 == 0 else answer[::-1] for n, answer in enumerate(answers)] == [first] * 4


def test_the_owner_is_told_once_that_codes_run_low(tmp_path: Path) -> None:
    settings = Settings(pools={"spring": 3, "summer": 1})

    def told(opened: Database) -> list[tuple[str, int]]:
        opened.write(lambda conn: codes.tell_if_low(conn, "a1", settings, NOW))
        return [(one.message, one.step) for one in notices.every(opened.connection)]

    with database(tmp_path) as opened:
        _fill(opened, "A-1", "B-2", "C-3")
        _fill(opened, "S-1", pool="summer")
        assert told(opened) == []
        anna = opened.write(meet)
        opened.write(lambda conn: _give(conn, anna))
        assert told(opened) == [("Few codes are left to give: spring (2).", 0)]
        opened.write(lambda conn: _give(conn, anna, "summer"))
        assert told(opened) == [("Few codes are left to give: spring (2), summer (none).", 2)]
        _fill(opened, "S-2", "S-1", pool="summer")
        assert told(opened) == [("Few codes are left to give: spring (2).", 0)]
        _fill(opened, "B-2", "C-3", "D-4")
        assert told(opened) == []
