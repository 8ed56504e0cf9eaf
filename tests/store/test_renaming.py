"""A flow's new id: everything follows, and what an earlier flow of that name left behind is put together with it."""

from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.store import flow_history, runs, stats
from pamosnik.store.database import open_database
from pamosnik.store.flow_history import By
from pamosnik.store.renaming import FOLLOWING, rename
from pamosnik.store.times import ms
from tests.store.rows import NOW, back_to_the_first_version, database, meet

BY = By("test", NOW)


def _tables_of_flows(conn: Connection) -> set[str]:
    tables = conn.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    return {
        name
        for (name,) in tables
        if "flow_id" in {column[1] for column in conn.execute(f"PRAGMA table_info({name})")}
    }


def _left(conn: Connection, flow_id: str) -> dict[str, int]:
    """Rows under an id, by table."""
    counts = {
        table: conn.execute(f"SELECT count(*) FROM {table} WHERE flow_id=?", (flow_id,)).fetchone()[0]
        for table in _tables_of_flows(conn)
    }
    return {table: n for table, n in counts.items() if n}


def test_no_table_of_flows_is_forgotten(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        assert set(FOLLOWING) == _tables_of_flows(opened.connection)


def _version(conn: Connection, flow_id: str) -> None:
    conn.execute("INSERT INTO flow_versions VALUES ('a1', ?, 'v', '{}', 'UTC', 0)", (flow_id,))


def _used(conn: Connection, flow_id: str, *, first: int, n: int) -> None:
    """A flow that a person started, is in, and that had a broadcast; `first` tells the two flows apart."""
    contact = meet(conn)
    _version(conn, flow_id)
    conn.execute("INSERT INTO starts VALUES ('a1', ?, ?, '', ?, ?)", (contact.id, flow_id, first, first + 5))
    conn.execute("INSERT INTO variants VALUES ('a1', 'k1', ?, 'do.0', '', ?)", (flow_id, first))
    conn.execute("INSERT INTO bound_posts VALUES ('a1', 'k1', ?, 'v', ?, NULL)", (flow_id, first))
    conn.execute("INSERT INTO schedules VALUES ('a1', 'k1', ?, 'daily', ?)", (flow_id, first))
    conn.execute(
        "INSERT INTO broadcasts (broadcast_id, account_id, connection_id, flow_id, version, planned_at, began_at,"
        " triggers) VALUES (?, 'a1', 'k1', ?, 'v', 7, 7, '[]')",
        (f"b-{flow_id}", flow_id),
    )
    stats.count(conn, "a1", "k1", flow_id, stats.STARTED, "2026-12-01", n=n)
    conn.execute(
        "INSERT INTO runs (run_id, account_id, connection_id, contact_id, flow_id, version, mode, status, live, turn,"
        " origin, taps_open, main_done, started_at)"
        " VALUES (?, 'a1', 'k1', ?, ?, 'v', 'single', 'waiting', 1, 1, '{}', 0, 0, 0)",
        (f"r-{flow_id}", contact.id, flow_id),
    )


def test_numbers_and_limits_of_both_are_put_together(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        conn = opened.connection
        opened.write(lambda conn: _used(conn, "old", first=20, n=3))
        opened.write(lambda conn: _used(conn, "new", first=10, n=4))
        opened.write(lambda conn: rename(conn, "a1", "old", "new", BY))
        assert _left(conn, "old") == {}
        assert stats.totals(conn, "a1") == [("k1", "new", "started", 7)]
        assert conn.execute("SELECT first_at, last_at FROM starts").fetchall() == [(10, 25)]
        # Of these there can be one: the renamed flow's.
        assert conn.execute("SELECT used FROM variants").fetchall() == [(20,)]
        assert conn.execute("SELECT since FROM bound_posts").fetchall() == [(20,)]
        assert conn.execute("SELECT due_at FROM schedules").fetchall() == [(20,)]
        assert conn.execute("SELECT broadcast_id FROM broadcasts").fetchall() == [("b-old",)]


def test_somebody_who_is_in_both_stays_in_both(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        conn = opened.connection
        opened.write(lambda conn: _used(conn, "old", first=20, n=3))
        opened.write(lambda conn: _used(conn, "new", first=10, n=4))
        opened.write(lambda conn: rename(conn, "a1", "old", "new", BY))
        contact = opened.write(meet)
        assert runs.live_runs(conn, contact.id) == {"new": ["r-old"]}
        going_on = conn.execute("SELECT run_id, flow_id, status FROM runs ORDER BY 1").fetchall()
        assert going_on == [("r-new", "new", "waiting"), ("r-old", "new", "waiting")]


def test_former_ids_lead_to_the_id_of_now(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        conn = opened.connection
        opened.write(lambda conn: _version(conn, "a"))
        opened.write(lambda conn: rename(conn, "a1", "a", "b", BY))
        opened.write(lambda conn: rename(conn, "a1", "b", "c", BY))
        assert flow_history.renamed(conn, "a1") == {"a": "c", "b": "c"}
        assert [(one.flow_id, one.known_as, one.former_id) for one in flow_history.entries(conn, "a1")] == [
            ("c", "c", "b"),
            ("c", "b", "a"),
        ]
        # A later flow of the first name is another one.
        opened.write(lambda conn: _version(conn, "a"))
        opened.write(lambda conn: rename(conn, "a1", "a", "d", BY))
        assert flow_history.renamed(conn, "a1") == {"a": "d", "b": "c"}


def test_a_migrated_history_keeps_what_it_had(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(back_to_the_first_version)
        opened.write(
            lambda conn: conn.execute(
                "INSERT INTO flow_history (account_id, flow_id, version, change, note, at)"
                " VALUES ('a1', 'price', 'v', 'added', 'first', ?)",
                (ms(NOW),),
            )
        )
    with open_database(tmp_path / "pamosnik.db", migrate=True) as again:
        (entry,) = flow_history.entries(again.connection, "a1", flow_id="price")
        assert (entry.known_as, entry.change, entry.note, entry.actor) == (
            "price",
            "added",
            "first",
            "command",
        )
