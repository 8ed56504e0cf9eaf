"""Whatever becomes of daily totals: sums by month are true, and every range sums up to the same as day by day."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.store import month_tables, stats
from pamosnik.store.database import Database, open_in_memory

FIRST = date(2026, 1, 28)
KEY = "account_id, connection_id, day, flow_id, version, step, media_id, what"
REST = "flow_id, version, step, media_id, what"
BY_MONTH = "SELECT * FROM month_totals ORDER BY account_id, connection_id, month, " + REST
BY_DAY = (
    f"SELECT account_id, connection_id, substr(day, 1, 7) AS month, {REST}, sum(n), count(*) FROM totals"
    f" GROUP BY 1, 2, 3, {REST} ORDER BY account_id, connection_id, month, {REST}"
)

days = st.integers(0, 100).map(lambda n: (FIRST + timedelta(days=n)).isoformat())
counted = st.tuples(
    st.sampled_from(("c1", "c2")),
    days,
    st.sampled_from(
        (
            ("price", "", "", "", "started"),
            ("price", "", "", "reel", "started"),
            ("sizes", "", "", "", "goal:told"),
            ("", "", "", "reel", "received:comment"),
            ("price", "v", "do.0", "", "reached"),
        )
    ),
    st.integers(0, 9),
)
changes = st.lists(
    st.tuples(
        st.sampled_from(("count", "replace", "set", "move", "rename", "delete", "forget", "undo")), counted
    ),
    max_size=14,
)
ends = st.none() | days


@pytest.fixture(scope="module")
def empty() -> Iterator[Database]:
    with open_in_memory() as database:
        conn = database.connection
        conn.execute(
            "INSERT INTO accounts VALUES ('a', 'Shop', 'a@shop.example', 'UTC', 'h', 0, 0, 'active')"
        )
        for number, connection in enumerate(("c1", "c2"), 1):
            conn.execute(
                "INSERT INTO connections (connection_id, account_id, ig_id, username, status, scopes, connected_at)"
                " VALUES (?, 'a', ?, ?, 'active', '[]', 0)",
                (connection, f"{number}", connection),
            )
        yield database


def _change(conn: Connection, how: str, connection: str, day: str, rest: tuple[str, ...], n: int) -> None:
    flow, version, step, post, what = rest
    match how:
        case "count":
            stats.count(
                conn, "a", connection, flow, what, day, version=version, step=step, media_id=post, n=n
            )
        case "replace":
            conn.execute(
                f"INSERT OR REPLACE INTO totals ({KEY}, n) VALUES ('a',?,?,?,?,?,?,?,?)",
                (connection, day, *rest, n),
            )
        case "set":
            conn.execute("UPDATE totals SET n=? WHERE connection_id=? AND what=?", (n, connection, what))
        case "move":
            conn.execute("UPDATE OR REPLACE totals SET day=?, n=n+1 WHERE what=?", (day, what))
        case "rename":
            conn.execute("UPDATE OR REPLACE totals SET flow_id='sizes' WHERE flow_id=?", (flow,))
        case "delete":
            conn.execute("DELETE FROM totals WHERE connection_id=? AND day<?", (connection, day))
        case "forget":
            conn.execute("DELETE FROM totals WHERE connection_id=?", (connection,))
        case "undo":
            conn.execute("SAVEPOINT before")
            conn.execute("DELETE FROM totals WHERE day>=?", (day,))
            conn.execute("ROLLBACK TO before")


def _summed(
    conn: Connection, columns: str, where: str, since: str | None, until: str | None
) -> Counter[object]:
    rows = conn.execute(
        f"SELECT {columns}, n FROM totals WHERE {where} AND day BETWEEN ? AND ?",
        (since or "", until or "~"),
    )
    found: Counter[object] = Counter()
    for *key, n in rows:
        found[tuple(key)] += n
    return found


@given(changes, ends, ends, st.sampled_from((None, "c1")), st.sampled_from((None, "price")))
def test_every_range_sums_up_to_the_same_as_day_by_day(
    empty: Database,
    made: list[tuple[str, tuple[str, str, tuple[str, ...], int]]],
    since: str | None,
    until: str | None,
    connection: str | None,
    flow: str | None,
) -> None:
    conn = empty.connection
    conn.execute("BEGIN")
    try:
        for how, change in made:
            _change(conn, how, *change)
        assert conn.execute(BY_MONTH).fetchall() == conn.execute(BY_DAY).fetchall()
        of = "1" if connection is None else f"connection_id='{connection}'"
        one = of if flow is None else f"{of} AND flow_id='{flow}'"
        span = {"connection_id": connection, "since": since, "until": until}
        for read, expected in (
            (
                stats.totals(conn, "a", flow_id=flow, **span),
                ("connection_id, flow_id, what", f"step='' AND flow_id<>'' AND {one}"),
            ),
            (
                stats.by_post(conn, "a", **span),
                ("connection_id, media_id, what", f"media_id<>'' AND step='' AND {of}"),
            ),
            (
                stats.by_step(conn, "a", flow_id=flow, **span),
                ("connection_id, flow_id, version, step, what", f"step<>'' AND {one}"),
            ),
        ):
            assert {tuple(key): n for *key, n in read} == _summed(conn, *expected, since, until)
    finally:
        conn.execute("ROLLBACK")


def test_homes_from_before_get_the_sums_of_what_they_have_counted(empty: Database) -> None:
    conn = empty.connection
    conn.execute("BEGIN")
    try:
        for n in range(70):
            day = (FIRST + timedelta(days=n)).isoformat()
            stats.count(conn, "a", "c1", "price", stats.STARTED, day, n=n)
        expected = conn.execute(BY_MONTH).fetchall()
        for name in ("new", "counted", "moved", "gone"):
            conn.execute(f"DROP TRIGGER month_{name}")
        conn.execute("DROP TABLE month_totals")
        for statement in month_tables.STATEMENTS:
            conn.execute(statement)
        assert len(expected) == 4  # January to April
        assert conn.execute(BY_MONTH).fetchall() == expected
    finally:
        conn.execute("ROLLBACK")
