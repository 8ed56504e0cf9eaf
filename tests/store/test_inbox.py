"""Each thing Meta told us is one row, however often it was told."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection, IntegrityError
from pamosnik.model.decision import Check
from pamosnik.model.event import Attachment, EventKind, Incoming, Verdict
from pamosnik.store import inbox
from tests.store.rows import NOW, connect, database

_FULL = Incoming(
    ig_id="178",
    key="m:1",
    kind=EventKind.STORY_REPLY,
    occurred_at=NOW - timedelta(seconds=3, milliseconds=250),
    igsid="900",
    username="anna",
    text="Żółć 💌",
    mid="mid1",
    payload="p",
    title="t",
    comment_id="179",
    parent_id="178",
    media_id="180",
    ad_id="238",
    story_id="42",
    ref="flyer",
    emoji="❤️",
    reply_to_mid="mid0",
    attachments=(Attachment("image", "https://cdn.example/1"), Attachment("ig_post", None, "181")),
)


def _add(conn: Connection, incoming: Incoming, connection_id: str = "k1") -> tuple[str, bool]:
    added = inbox.add(
        conn,
        account_id="a1",
        connection_id=connection_id,
        incoming=incoming,
        now=NOW,
    )
    assert added is not None
    return added


def _message(key: str, *, seconds_ago: int | None = 0) -> Incoming:
    at = None if seconds_ago is None else NOW - timedelta(seconds=seconds_ago)
    return Incoming("178", key, EventKind.MESSAGE, at, "900", text="hi", mid=key)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        event_id, new = opened.write(lambda conn: _add(conn, _FULL))
        event = inbox.load(opened.connection, event_id)
    assert new
    assert event is not None
    assert event.incoming == _FULL
    assert (event.account_id, event.connection_id, event.received_at, event.attempts) == ("a1", "k1", NOW, 0)


def test_a_verdict_given_on_arrival_is_kept(tmp_path: Path) -> None:
    own = replace(_FULL, verdict=Verdict.OWN, reason="written by the account itself", occurred_at=None)
    with database(tmp_path) as opened:
        event_id, _ = opened.write(lambda conn: _add(conn, own))
        event = inbox.load(opened.connection, event_id)
        assert inbox.pending(opened.connection, 10) == []
    assert event is not None
    assert event.incoming == own
    assert event.at == event.received_at


def test_a_repetition_is_the_same_event(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        conn = opened.connection
        first = opened.write(lambda conn: _add(conn, _message("m:1")))
        again = opened.write(lambda conn: _add(conn, replace(_message("m:1"), payload="late", text="other")))
        assert again == (first[0], False)
        assert conn.execute("SELECT seen_times, payload, text FROM events").fetchall() == [(2, "late", "hi")]
        third = opened.write(lambda conn: _add(conn, replace(_message("m:1"), payload="later")))
        assert third == (first[0], False)
        assert conn.execute("SELECT seen_times, payload FROM events").fetchall() == [(3, "late")]


def test_the_same_key_at_another_connection_is_another_event(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(lambda conn: connect(conn, "k2", "179"))
        first, _ = opened.write(lambda conn: _add(conn, _message("m:1")))
        second, new = opened.write(lambda conn: _add(conn, _message("m:1"), "k2"))
        assert new
        assert first != second


def test_an_event_of_no_connection_is_refused(tmp_path: Path) -> None:
    with database(tmp_path) as opened, pytest.raises(IntegrityError):
        opened.write(lambda conn: _add(conn, _message("m:1"), "nobody"))


def test_pending_events_come_in_the_order_they_happened(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        messages = [_message(f"m:{n}", seconds_ago=ago) for n, ago in enumerate([5, 9, None, 7, 7])]
        ids = opened.write(lambda conn: [_add(conn, message)[0] for message in messages])
        assert inbox.pending(opened.connection, 10) == [ids[1], ids[3], ids[4], ids[0], ids[2]]
        assert inbox.pending(opened.connection, 2) == [ids[1], ids[0]]


def test_a_verdict_is_given_once(tmp_path: Path) -> None:
    trace = (Check("shop", "starts", "dm “cena” 💌"),)
    with database(tmp_path) as opened:
        event_id, _ = opened.write(lambda conn: _add(conn, _message("m:1")))
        opened.write(
            lambda conn: inbox.decide(
                conn, event_id, Verdict.STARTED, now=NOW, flow_id="shop", run_id="r1", trace=trace
            )
        )
        opened.write(lambda conn: inbox.decide(conn, event_id, Verdict.ERROR, now=NOW, reason="late"))
        row = opened.connection.execute(
            "SELECT verdict, reason, flow_id, run_id, trace FROM events"
        ).fetchone()
        assert row == ("started", None, "shop", "r1", '[["shop", "starts", "dm “cena” 💌"]]')
        assert inbox.pending(opened.connection, 10) == []


def test_failures_are_counted(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        event_id, _ = opened.write(lambda conn: _add(conn, _message("m:1")))
        counted = [opened.write(lambda conn: inbox.count_failure(conn, event_id)) for _ in range(3)]
        assert counted == [1, 2, 3]
        event = inbox.load(opened.connection, event_id)
        assert event is not None
        assert event.attempts == 3


def test_what_a_deleted_message_said_is_gone_from_the_file(tmp_path: Path) -> None:
    secret = replace(_FULL, text="a very secret wish", title="secret label")
    with database(tmp_path) as opened:
        event_id, _ = opened.write(lambda conn: _add(conn, secret))
        assert opened.write(lambda conn: inbox.forget_content(conn, "k1", "mid1")) == 1
        assert opened.write(lambda conn: inbox.forget_content(conn, "k1", "unknown")) == 0
        event = inbox.load(opened.connection, event_id)
        opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert b"secret" not in (tmp_path / "pamosnik.db").read_bytes()
    assert event is not None
    found = event.incoming
    assert (found.text, found.title, found.attachments, found.emoji) == (None, None, (), None)
    assert (found.mid, found.igsid) == ("mid1", "900")


def test_an_unknown_event(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        assert inbox.load(opened.connection, "nothing") is None
