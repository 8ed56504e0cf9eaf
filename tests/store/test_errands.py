"""Calls, mails and look-ups: each leaves once, begins again after a crash, and keeps what it brought back."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pamosnik.model.outbox import ItemKind, ItemStatus, OutboxItem, Quota
from pamosnik.services import errands, sending
from pamosnik.store import errands as errand_store
from pamosnik.store import outbox
from pamosnik.store.database import Database
from tests.store.rows import NOW, database, meet, new_item


def _lookup(opened: Database) -> str:
    contact = opened.write(lambda conn: meet(conn))
    new = replace(
        new_item(contact, 0, kind=ItemKind.LOOKUP, lane="e:0", deadline=None),
        task={"wait": "w1", "text": "Żółć"},
    )
    return opened.write(lambda conn: outbox.add(conn, new, NOW))


def _load(opened: Database, item_id: str) -> OutboxItem:
    item = outbox.load(opened.connection, item_id)
    assert item is not None
    return item


def _claim(opened: Database, kind: ItemKind = ItemKind.LOOKUP, after: timedelta = timedelta()) -> list[str]:
    return [one.id for one in opened.write(lambda conn: errands.claim(conn, kind, 10, NOW + after))]


def test_an_errand_is_claimed_once_by_its_own_kind_and_keeps_its_result(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item_id = _lookup(opened)
        assert outbox.next_due(opened.connection) is None  # the sender of messages does not wait for it
        assert errand_store.next_due(opened.connection, ItemKind.LOOKUP) == NOW
        assert all(outbox.claimable(opened.connection, "k1", quota, NOW, 10) == [] for quota in Quota)
        assert _claim(opened, ItemKind.CALL) == []
        assert _claim(opened) == [item_id]
        assert _claim(opened) == []
        opened.write(lambda conn: errands.done(conn, item_id, {"follows": None, "name": "Łucja"}, NOW))
        item = _load(opened, item_id)
        assert (item.status, item.attempts) == (ItemStatus.SENT, 1)
        assert item.task == {"wait": "w1", "text": "Żółć"}
        assert item.result == {"follows": None, "name": "Łucja"}


def test_after_a_crash_or_a_failure_it_begins_again_at_its_time(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item_id = _lookup(opened)
        _claim(opened)
        assert opened.write(lambda conn: sending.found_after_crash(conn, NOW)) == 0
        assert _claim(opened) == [item_id]
        later = timedelta(minutes=5)
        opened.write(lambda conn: errands.again(conn, item_id, NOW + later, "why", NOW))
        assert _claim(opened) == []
        assert _claim(opened, after=later) == [item_id]
        opened.write(lambda conn: errands.fail(conn, item_id, "no answer", NOW))
        assert (_load(opened, item_id).status, _load(opened, item_id).reason) == (
            ItemStatus.FAILED,
            "no answer",
        )


def test_a_login_that_ended_does_not_hold_errands(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item_id = _lookup(opened)
        opened.write(lambda conn: outbox.hold_for_login(conn, "k1", "why"))
        assert _claim(opened) == [item_id]
