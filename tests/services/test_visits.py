"""Logging in: how many sessions and known browsers an account can have, and what is counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.services import throttle, visits
from pamosnik.services.throttle import Limit, TooOften
from pamosnik.services.visits import BROWSERS_AT_MOST, SESSIONS_AT_MOST, Come
from pamosnik.store import accounts, login_attempts, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LIMIT = Limit("something", timedelta(minutes=10), each=2, in_all=3)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "pamosnik.db", migrate=True) as opened:
        for account_id in ("a1", "a2"):
            opened.write(partial(_account, account_id=account_id))
        yield opened


def _account(conn: Connection, account_id: str) -> None:
    account = Account(account_id, account_id, f"{account_id}@shop.example", "UTC", NOW)
    accounts.insert(conn, account, password_hash="", wrapped_key=b"", adult_stated_at=NOW)


def _comes(database: Database, number: int, account_id: str = "a1") -> None:
    now = NOW + timedelta(minutes=number)
    come = Come(
        account_id, "", b"session %d %s" % (number, account_id.encode()), f"browser {number}", None, ""
    )
    database.write(lambda conn: visits.let_in(conn, come, attempt=0, now=now))


def test_the_sessions_and_browsers_used_longest_ago_make_room(database: Database) -> None:
    _comes(database, 0, "a2")
    for number in range(BROWSERS_AT_MOST + 2):
        _comes(database, number)
    conn, now = database.connection, NOW + timedelta(hours=1)
    left = sessions.of_account(conn, "a1", now)
    newest = NOW + timedelta(minutes=BROWSERS_AT_MOST + 1)
    assert [one.created_at for one in left] == [
        newest - timedelta(minutes=n) for n in range(SESSIONS_AT_MOST)
    ]
    assert len(sessions.of_account(conn, "a2", now)) == 1
    counts = dict(conn.execute("SELECT account_id, count(*) FROM known_browsers GROUP BY account_id"))
    assert counts == {"a1": BROWSERS_AT_MOST, "a2": 1}
    for number, known in ((0, False), (1, False), (2, True)):
        asked = visits.begin(conn, "A1@shop.example", f"browser {number}", now)
        assert not isinstance(asked, TooOften)
        (what,) = conn.execute("SELECT what FROM login_attempts WHERE id=?", (asked.number,)).fetchone()
        assert (what == throttle.KNOWN_BROWSER.what) is known


def test_so_often_and_then_not_before_the_oldest_is_old_enough(database: Database) -> None:
    conn = database.connection

    def take(subject: str, minutes: int) -> int | TooOften:
        return throttle.take(conn, LIMIT, subject, NOW + timedelta(minutes=minutes))

    first = take("anna", 0)
    assert isinstance(first, int)
    assert isinstance(take("ANNA", 4), int)
    assert take("anna", 5) == TooOften(NOW + timedelta(minutes=10))
    assert isinstance(take("berta", 6), int)
    # Three in all.
    assert take("cleo", 7) == TooOften(NOW + timedelta(minutes=10))
    # Being refused does not put it off; other kinds count for themselves.
    assert isinstance(throttle.take(conn, throttle.OWN_MAIL, "anna", NOW), int)
    assert isinstance(take("cleo", 10), int)
    assert take("anna", 10) == TooOften(NOW + timedelta(minutes=14))
    login_attempts.forgive(conn, first)


def test_what_was_no_failure_does_not_count(database: Database) -> None:
    conn = database.connection
    for _ in range(10):
        number = throttle.take(conn, LIMIT, "anna", NOW)
        assert isinstance(number, int)
        login_attempts.forgive(conn, number)


def test_a_browser_is_known_to_every_account_that_it_logged_in_to(database: Database) -> None:
    conn = database.connection
    for number, account_id in enumerate(("a1", "a2", "a1")):
        come = Come(account_id, "", b"%d" % number, "the same browser", None, "")
        database.write(partial(visits.let_in, come=come, attempt=0, now=NOW))
    for email in ("a1@shop.example", "a2@shop.example"):
        for _ in range(throttle.LOGIN.each):
            throttle.take(conn, throttle.LOGIN, email, NOW)
        assert isinstance(visits.begin(conn, email, None, NOW), TooOften)
        assert isinstance(visits.begin(conn, email, "another browser", NOW), TooOften)
        for _ in range(throttle.KNOWN_BROWSER.each):
            assert isinstance(visits.begin(conn, email, "the same browser", NOW), visits.Attempt)
        assert isinstance(visits.begin(conn, email, "the same browser", NOW), TooOften)
