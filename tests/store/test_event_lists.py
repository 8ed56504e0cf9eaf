"""Lists of events: what they find, how far they look, and along which index."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.ids import earliest
from pamosnik.model.event import EventKind, Verdict
from pamosnik.store import event_lists
from pamosnik.store.database import Database
from pamosnik.store.event_lists import EventFilter
from pamosnik.store.times import ms
from tests.store import rows
from tests.store.rows import NOW

EVENTS = 300


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with rows.database(tmp_path) as opened:
        opened.write(_fill)
        yield opened


def _fill(conn: Connection) -> None:
    """Comments and messages by turns, of three people; every tenth was taken by no flow."""
    rows.meet(conn, "900")
    rows.meet(conn, "901")
    conn.execute("UPDATE contacts SET username='zofia.w' WHERE igsid='901'")
    for number in range(EVENTS):
        at = NOW + timedelta(minutes=number)
        verdict = "no_match" if number % 10 == 0 else "started"
        comment = number % 2
        conn.execute(
            "INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, received_at, igsid, username,"
            " text, media_id, verdict, flow_id) VALUES (?,'a1','k1',?,?,?,?,?,?,?,?,?)",
            (
                earliest(at)[:-1] + "1",
                f"c:{number}",
                "comment" if comment else "message",
                ms(at),
                f"90{number % 3}",
                "Anna" if comment else None,
                f"Cena nr {number}" if number % 7 else f"Größe {number}",
                f"post{number % 4}" if comment else None,
                verdict,
                "price" if verdict == "started" else None,
            ),
        )


def _texts(conn: Connection, wanted: EventFilter, *, limit: int = 100, most: int = 1000) -> list[str]:
    return [row[4] for row in event_lists.walk(conn, "a1", wanted, limit=limit, most=most).rows]


def test_the_newest_come_first_and_a_part_goes_on_behind_the_one_before(database: Database) -> None:
    conn = database.connection
    first = event_lists.walk(conn, "a1", EventFilter(), limit=5)
    assert [row[4] for row in first.rows] == [f"Cena nr {n}" for n in (299, 298, 297, 296, 295)]
    assert _texts(conn, EventFilter(before=first.rows[-1][0]), limit=2) == ["Größe 294", "Cena nr 293"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EventFilter(kinds=frozenset({EventKind.COMMENT})), 150),
        (EventFilter(verdicts=frozenset({Verdict.NO_MATCH})), 30),
        (EventFilter(verdicts=frozenset({Verdict.NO_MATCH, Verdict.PAUSED})), 30),
        (EventFilter(flow_id="price"), 270),
        (EventFilter(connection_id="k1", media_id="post1"), 75),
        (EventFilter(connection_id="k1", igsids=("900", "902")), 200),
        (EventFilter(since=NOW, until=NOW + timedelta(hours=1)), 60),
        (EventFilter(text="grosse"), 43),
        (EventFilter(text="nr 12"), 10),
        (EventFilter(text="anna"), 150 + 50),
        (EventFilter(text="zofia"), 50),
        (EventFilter(text="no such word"), 0),
    ],
)
def test_each_filter_finds_what_it_says(database: Database, wanted: EventFilter, found: int) -> None:
    assert len(_texts(database.connection, wanted, limit=1000)) == found


def test_a_walk_ends_after_so_many_and_says_where(database: Database) -> None:
    conn = database.connection
    rare = EventFilter(text="nr 12", kinds=frozenset({EventKind.COMMENT}))
    walked = event_lists.walk(conn, "a1", rare, limit=50, most=170)
    assert walked.rows == []
    assert walked.stopped_on == NOW + timedelta(minutes=130)
    further = event_lists.walk(
        conn, "a1", EventFilter(text="nr 12", before=walked.stopped_at), limit=50, most=170
    )
    assert len(further.rows) == 10
    assert further.stopped_at is None
    assert event_lists.walk(conn, "a1", EventFilter(), limit=5, most=10).stopped_at is None


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (EventFilter(flow_id="price"), "events_newest"),
        (EventFilter(verdicts=frozenset({Verdict.ERROR})), "events_missed"),
        (EventFilter(connection_id="k1", media_id="post1"), "events_of_post"),
        (EventFilter(connection_id="k1", igsids=("900",)), "events_of_person"),
    ],
)
def test_each_walk_goes_along_its_index(database: Database, wanted: EventFilter, index: str) -> None:
    seen: list[str] = []
    conn = database.connection
    conn.set_trace_callback(seen.append)
    event_lists.walk(conn, "a1", wanted, limit=50, most=10)
    conn.set_trace_callback(None)
    for statement in seen:
        plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
        if "received_at FROM" not in statement:
            assert any(index in line for line in plan), (statement, plan)
            assert not any(line.startswith("SCAN") for line in plan), plan


def test_what_nothing_answered_is_read_along_its_own_index(database: Database) -> None:
    conn = database.connection
    found = event_lists.missed(conn, "a1", limit=7)
    assert [row.text for row in found][:2] == ["Cena nr 290", "Größe 280"]
    assert len(found) == 7


def test_the_connection_of_a_post_is_the_one_whose_followers_commented(database: Database) -> None:
    assert event_lists.connection_of_post(database.connection, "a1", "post1") == "k1"
    assert event_lists.connection_of_post(database.connection, "a1", "elsewhere") is None
