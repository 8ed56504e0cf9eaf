"""Retention on the rows themselves: part by part, broken off anywhere, and beside numbers that stay."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.ids import Ids, ids_from
from pamosnik.model.event import EventKind, Incoming, Verdict
from pamosnik.model.outbox import ItemStatus
from pamosnik.privacy import retention
from pamosnik.privacy.retention import Place, Rules
from pamosnik.store import accounts, aging, contacts, deletions, inbox, outbox, stats, tombstones
from pamosnik.store.consents import How
from pamosnik.store.database import Database
from tests.store.rows import NOW, connect, database, new_item

RULES = Rules(Ages(), {"size": timedelta(days=10)})
TABLES = (
    "events",
    "outbox",
    "runs",
    "contacts",
    "contact_fields",
    "contact_tags",
    "starts",
    "links",
    "variants",
)


def _person(conn: Connection, number: int, seen: datetime, *, opted_out: bool = False) -> str:
    """Somebody heard of then, with a row of every kind."""
    contact = contacts.meet(
        conn, account_id="a1", connection_id="k1", igsid=f"9{number}", username=f"u{number}", now=seen
    )
    incoming = Incoming(
        ig_id="178",
        key=f"m:{number}",
        kind=EventKind.MESSAGE,
        occurred_at=seen,
        igsid=contact.igsid,
        text="hello",
        mid=f"mid-{number}",
    )
    added = inbox.add(conn, account_id="a1", connection_id="k1", incoming=incoming, now=seen)
    assert added is not None
    inbox.decide(conn, added[0], Verdict.NO_MATCH, now=seen)
    contacts.set_field(conn, contact, "size", "XL", seen)
    contacts.set_field(conn, contact, "colour", "red", seen)
    contacts.add_tag(conn, contact, "vip", seen)
    item_id = outbox.add(conn, new_item(contact, number), seen)
    item = outbox.load(conn, item_id)
    assert item is not None
    outbox.move(conn, item, ItemStatus.CANCELLED, now=seen, reason="test")
    conn.execute("UPDATE outbox SET told=1 WHERE item_id=?", (item_id,))
    conn.execute(
        "INSERT INTO starts VALUES ('a1', :c, 'shop', '', :at, :at)",
        {"c": contact.id, "at": int(seen.timestamp() * 1000)},
    )
    conn.execute("INSERT INTO variants VALUES ('a1', 'k1', 'shop', 'do.0', ?, 1)", (contact.id,))
    stats.count(conn, "a1", "k1", "shop", stats.STARTED, f"{seen:%Y-%m-%d}")
    if opted_out:
        contacts.opt_out(conn, contact.id, How.WORDS, seen)
    return contact.id


def _run(opened: Database, now: datetime = NOW, *, at_most: int = 10_000) -> bool:
    """Whether it came to its end within so many transactions."""
    opened.write(lambda conn: retention.begin(conn, "a1", now))
    place: Place | None = Place()
    for _ in range(at_most):
        here = place
        if here is None:
            opened.write(lambda conn: retention.end(conn, "a1", now))
            return True
        place = opened.write(lambda conn, here=here: retention.some(conn, "a1", RULES, here, now))  # type: ignore[misc]
    return False


def _counts(conn: Connection) -> dict[str, int]:
    return {table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few rows need many transactions."""
    monkeypatch.setattr(aging, "CHUNK", 3)
    monkeypatch.setattr(aging, "LOOKED_AT", 4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=9),
    broken_off=st.lists(st.integers(1, 12), max_size=4),
)
def test_whatever_the_history_and_wherever_it_is_broken_off(
    tmp_path_factory: pytest.TempPathFactory,
    small_chunks: None,
    people: list[tuple[int, bool]],
    broken_off: list[int],
) -> None:
    with ids_from(Ids()), database(tmp_path_factory.mktemp("rows")) as opened:
        conn = opened.connection
        oldest_first = sorted(enumerate(people), key=lambda pair: -pair[1][0])
        for number, (ago, opted_out) in oldest_first:
            seen = NOW - timedelta(days=ago)
            opened.write(lambda c, n=number, s=seen, o=opted_out: _person(c, n, s, opted_out=o))  # type: ignore[misc]
        numbers = stats.totals(conn, "a1")
        would_go = retention.overview(conn, "a1", RULES, NOW)
        expected = {held.name: held.stock.goes for held in (*would_go.kinds, *would_go.fields)}
        for transactions in broken_off:
            _run(opened, at_most=transactions)
        assert _run(opened)
        days = [days for days, _ in people]
        # One that was seen 365 days ago to the millisecond is as old as that, not older.
        staying = sum(d <= 365 for d in days)
        left = _counts(conn)
        assert left["contacts"] == left["starts"] == left["contact_tags"] == left["variants"] == staying
        assert left["events"] == sum(d <= 30 for d in days)
        assert left["outbox"] == sum(d <= 90 for d in days)
        assert left["contact_fields"] == staying + sum(d <= 10 for d in days)
        assert expected["contacts"] == len(days) - staying
        assert stats.totals(conn, "a1") == numbers
        for number, (day, opted_out) in enumerate(people):
            stone = tombstones.of(conn, "k1", f"9{number}")
            assert (stone is not None and stone.opted_out) == (opted_out and day > 365)
        again = retention.overview(conn, "a1", RULES, NOW)
        assert again.goes == 0
        assert bool(deletions.traces(conn)) == (would_go.goes > 0)


def test_what_is_kept_for_ever_stays(tmp_path: Path) -> None:
    with ids_from(Ids()), database(tmp_path) as opened:
        opened.write(lambda conn: _person(conn, 1, NOW - timedelta(days=4000)))
        rules = Rules(Ages(None, None, None, None, None), {})
        assert retention.overview(opened.connection, "a1", rules, NOW).goes == 0
        place: Place | None = Place()
        opened.write(lambda conn: retention.begin(conn, "a1", NOW))
        while place is not None:
            here = place
            place = opened.write(lambda conn, here=here: retention.some(conn, "a1", rules, here, NOW))  # type: ignore[misc]
        assert set(_counts(opened.connection).values()) == {0, 1, 2}, "runs and links: none"


def test_what_waits_keeps_its_person(tmp_path: Path) -> None:
    """A message that has yet to leave, and an event without a verdict."""
    with ids_from(Ids()), database(tmp_path) as opened:
        old = NOW - timedelta(days=400)
        opened.write(lambda conn: _person(conn, 1, old))
        opened.write(lambda conn: conn.execute("UPDATE outbox SET status='queued'"))
        opened.write(lambda conn: conn.execute("UPDATE events SET verdict='pending'"))
        assert _run(opened)
        left = _counts(opened.connection)
        assert (left["contacts"], left["outbox"], left["events"]) == (1, 1, 1)


def test_what_is_done_stays_in_the_audit_and_logins_go(tmp_path: Path) -> None:
    with ids_from(Ids()), database(tmp_path) as opened:
        old = NOW - timedelta(days=40)
        for action, access in (("login", True), ("connect: consent given", False)):
            opened.write(
                lambda conn, what=action, access=access: accounts.audit(  # type: ignore[misc]
                    conn, "a1", actor="page", action=what, subject=None, now=old, access=access
                )
            )
        assert _run(opened)
        rows = opened.connection.execute("SELECT action FROM audit").fetchall()
        assert rows == [("connect: consent given",)]


def test_an_account_goes_by_its_own(tmp_path: Path) -> None:
    """And a connection that is being deleted is the eraser's."""
    with ids_from(Ids()), database(tmp_path) as opened:
        opened.write(lambda conn: _person(conn, 1, NOW - timedelta(days=400)))
        opened.write(lambda conn: retention.begin(conn, "a1", NOW))
        opened.write(
            lambda conn: deletions.begin(
                conn, "a1", deletions.Scope.CONNECTION, "k1", deletions.Cause.COMMAND, NOW
            )
        )
        assert _run(opened)
        assert _counts(opened.connection)["contacts"] == 1


def test_the_people_of_all_connections_go_however_they_are_split(tmp_path: Path, small_chunks: None) -> None:
    with ids_from(Ids()), database(tmp_path) as opened:

        def fill(conn: Connection) -> None:
            for number, connection_id in enumerate(("k0", "k2", "k3")):
                connect(conn, connection_id, f"20{number}")
            for number in range(20):
                connection_id = ("k0", "k1", "k3")[number % 3]
                seen = NOW - timedelta(days=400 if number % 4 else 20)
                contact = contacts.meet(
                    conn,
                    account_id="a1",
                    connection_id=connection_id,
                    igsid=f"9{number}",
                    username=None,
                    now=seen,
                )
                contacts.set_field(conn, contact, "size", "XL", seen)
                conn.execute(
                    "INSERT INTO variants VALUES ('a1', ?, 'shop', 'x', ?, 1)", (connection_id, contact.id)
                )

        opened.write(fill)
        assert _run(opened)
        left = _counts(opened.connection)
        assert (left["contacts"], left["variants"], left["contact_fields"]) == (5, 5, 0)


def test_no_transaction_goes_through_rows_of_others(tmp_path: Path) -> None:
    """Every statement of a retention is led by an index to the account's own rows, but for the audit, of which it
    looks at so many lines at once."""
    with ids_from(Ids()), database(tmp_path) as opened:
        for number, days in enumerate((500, 400, 45, 1)):
            seen = NOW - timedelta(days=days)
            opened.write(lambda conn, n=number, s=seen: _person(conn, n, s, opted_out=n == 0))  # type: ignore[misc]
        statements: set[str] = set()
        opened.connection.set_trace_callback(statements.add)
        assert _run(opened)
        opened.connection.set_trace_callback(None)
        looking = {one for one in statements if one.startswith(("SELECT", "UPDATE", "DELETE"))}
        scans = [one for one in looking if any("SCAN" in step for step in _steps(opened.connection, one))]
        assert scans == []
        assert len(looking) > 30


def _steps(conn: Connection, statement: str) -> list[str]:
    return [str(step) for _, _, _, step in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
