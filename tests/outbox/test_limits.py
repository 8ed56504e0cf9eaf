"""Meta's limits on real rows: never more than 750 private replies in any hour, lanes in order, nothing too late."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.ids import new_id
from pamosnik.instagram import errors, limits
from pamosnik.model.outbox import ItemKind, Outcome, OutcomeKind, OutMessage, Quota
from pamosnik.outbox.pacing import PerSecond, backoff
from pamosnik.services import sending
from pamosnik.services.sending import Claimed
from pamosnik.store import accounts, connections, contacts, outbox
from pamosnik.store.accounts import Account
from pamosnik.store.connections import NewConnection
from pamosnik.store.database import Database, open_database

START = datetime(2026, 12, 2, 12, tzinfo=UTC)


def _home(folder: Path) -> Database:
    database = open_database(folder / "test.db", migrate=True)

    def fill(conn: Connection) -> None:
        account = Account("a", "Rosa", "rosa@shop.example", "UTC", START)
        accounts.insert(conn, account, password_hash="-", wrapped_key=b"-", adult_stated_at=START)
        connection = NewConnection("c", "a", "178", None, "rosas_shop", (), b"sealed", None, START, ())
        connections.put(conn, connection, START)

    database.write(fill)
    return database


def _put(conn: Connection, number: int, kind: ItemKind, igsid: str, *, live: bool = False) -> None:
    contact = contacts.meet(conn, account_id="a", connection_id="c", igsid=igsid, username=None, now=START)
    outbox.add(
        conn,
        outbox.NewItem(
            account_id="a",
            connection_id="c",
            contact_id=contact.id,
            source=new_id(START),
            turn=number,
            ordinal=0,
            run_id=None,
            flow_id=None,
            step=None,
            kind=kind,
            lane=outbox.person_lane(contact.id),
            content=OutMessage(text=str(number)),
            igsid=igsid,
            due_at=START,
            deadline=START + timedelta(days=7),
            comment_id=f"comment{number}",
            live=live,
        ),
        START,
    )


def _claim_replies(conn: Connection, now: datetime) -> list[Claimed]:
    return sending.claim(conn, "c", Quota.PRIVATE_REPLY, 100, 10, now)


def test_never_more_than_750_private_replies_in_any_hour(tmp_path: Path) -> None:
    left: list[datetime] = []
    with _home(tmp_path) as database:

        def fill(conn: Connection) -> None:
            for number in range(1700):
                _put(conn, number, ItemKind.PRIVATE_REPLY, f"9{number}")

        database.write(fill)
        now = START
        while len(left) < 1700:
            claimed = database.write(partial(_claim_replies, now=now))
            left += [now] * len(claimed)
            now += timedelta(minutes=3)
    for number, instant in enumerate(left):
        within = [other for other in left[: number + 1] if other > instant - timedelta(hours=1)]
        assert len(within) <= limits.PRIVATE_REPLIES_PER_HOUR


def test_a_slow_request_counts_from_its_answer(tmp_path: Path) -> None:
    """Up to nine more than 750 reached Meta in an hour: it counts when requests arrive, not when they leave."""
    with _home(tmp_path) as database:

        def fill(conn: Connection) -> None:
            for number in range(752):
                _put(conn, number, ItemKind.PRIVATE_REPLY, f"9{number}")

        database.write(fill)
        claimed = database.write(lambda conn: sending.claim(conn, "c", Quota.PRIVATE_REPLY, 750, 10, START))
        answered = START + timedelta(seconds=20)
        for one in claimed:
            sent = Outcome(OutcomeKind.SENT, "", message_id=f"m{one.item.id}")
            database.write(partial(sending.record, item_id=one.item.id, outcome=sent, now=answered))
        assert database.write(partial(_claim_replies, now=answered + timedelta(hours=1))) == []
        later = answered + timedelta(hours=1, seconds=6)
        assert len(database.write(partial(_claim_replies, now=later))) == 2


def test_private_replies_of_a_broadcast_do_not_wait_for_the_hour_of_posts(tmp_path: Path) -> None:
    """Meta counts them apart, and after the broadcast it refuses them."""
    with _home(tmp_path) as database:

        def fill(conn: Connection) -> None:
            for number in range(751):
                _put(conn, number, ItemKind.PRIVATE_REPLY, f"9{number}")
            _put(conn, 751, ItemKind.PRIVATE_REPLY, "9751", live=True)

        database.write(fill)
        claimed = database.write(lambda conn: sending.claim(conn, "c", Quota.PRIVATE_REPLY, 1000, 10, START))
        assert len(claimed) == limits.PRIVATE_REPLIES_PER_HOUR
        (live,) = database.write(
            lambda conn: sending.claim(conn, "c", Quota.LIVE_PRIVATE_REPLY, 1000, 10, START)
        )
        assert live.item.comment_id == "comment751"
        assert _claim_replies(database.connection, START) == []


def test_a_limit_of_the_app_rests_every_connection(tmp_path: Path) -> None:
    """Code 4 rested only the connection that met it."""
    with _home(tmp_path) as database:

        def fill(conn: Connection) -> None:
            connection = NewConnection("d", "a", "179", None, "ivos_shop", (), b"sealed", None, START, ())
            connections.put(conn, connection, START)
            _put(conn, 1, ItemKind.PRIVATE_REPLY, "91")

        database.write(fill)
        (claimed,) = database.write(partial(_claim_replies, now=START))
        outcome = errors.classify(400, b'{"error": {"code": 4}}', {})
        database.write(lambda conn: sending.record(conn, item_id=claimed.item.id, outcome=outcome, now=START))
        assert connections.sending(database.connection, START + timedelta(minutes=4)) == []
        assert len(connections.sending(database.connection, START + timedelta(minutes=6))) == 2


def test_a_persons_messages_leave_one_after_the_other(tmp_path: Path) -> None:
    with _home(tmp_path) as database:

        def fill(conn: Connection) -> None:
            for number in range(3):
                _put(conn, number, ItemKind.MESSAGE, "one")
                _put(conn, 10 + number, ItemKind.MESSAGE, f"other{number}")
            [contact] = contacts.find(conn, "a", "one")
            for contact_id in [contact, *(contacts.find(conn, "a", f"other{n}")[0] for n in range(3))]:
                contacts.heard_from(conn, contact_id, at=START, window_until=START + limits.WINDOW)

        database.write(fill)
        texts = []
        for _ in range(3):
            claimed = database.write(lambda conn: sending.claim(conn, "c", Quota.MESSAGE, 100, 10, START))
            texts.append(sorted(one.item.content.text or "" for one in claimed))
            for one in claimed:
                sent = Outcome(OutcomeKind.SENT, "", message_id=f"m{one.item.id}")
                database.write(partial(sending.record, item_id=one.item.id, outcome=sent, now=START))
        assert texts == [["0", "10", "11", "12"], ["1"], ["2"]]


def test_a_closed_window_ends_a_message_before_it_is_sent(tmp_path: Path) -> None:
    with _home(tmp_path) as database:
        database.write(lambda conn: _put(conn, 1, ItemKind.MESSAGE, "one"))
        assert database.write(lambda conn: sending.claim(conn, "c", Quota.MESSAGE, 9, 9, START)) == []
        row = database.connection.execute("SELECT status, attempts FROM outbox").fetchone()
        assert row == ("expired", 0)


def test_what_a_crash_left_under_way_is_unknown_and_not_claimed_again(tmp_path: Path) -> None:
    with _home(tmp_path) as database:
        database.write(lambda conn: _put(conn, 1, ItemKind.PRIVATE_REPLY, "one"))
        assert (
            len(database.write(lambda conn: sending.claim(conn, "c", Quota.PRIVATE_REPLY, 9, 9, START))) == 1
        )
    with open_database(tmp_path / "test.db") as again:
        assert again.write(lambda conn: sending.found_after_crash(conn, START)) == 1
        assert again.write(lambda conn: sending.claim(conn, "c", Quota.PRIVATE_REPLY, 9, 9, START)) == []
        assert again.connection.execute("SELECT status FROM outbox").fetchone() == ("unknown",)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=300))
def test_a_second_never_holds_more_than_its_limit(gaps_ms: list[int]) -> None:
    bucket, now, taken = PerSecond(10), START, []
    for gap in gaps_ms:
        now += timedelta(milliseconds=gap % 120)
        if bucket.room(now) > 0:
            bucket.take(now)
            taken.append(now)
    for number, instant in enumerate(taken):
        assert sum(other > instant - timedelta(seconds=1) for other in taken[: number + 1]) <= 10


@given(st.integers(1, 200), st.text(max_size=10))
def test_gaps_grow_and_stay_within_bounds(attempts: int, seed: str) -> None:
    gap = backoff(attempts, seed)
    assert timedelta(seconds=2) <= gap <= timedelta(seconds=900 * 1.25)
    assert backoff(attempts, seed) == gap
