"""What leaves, in which order, and which status may follow which."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.model.outbox import (
    ITEM_TRANSITIONS,
    HeldFor,
    ItemKind,
    ItemStatus,
    MediaKind,
    OutboxItem,
    OutButton,
    OutCard,
    OutMedia,
    OutMessage,
    Quota,
)
from pamosnik.store import attempts, outbox
from pamosnik.store.database import Database
from pamosnik.store.runs import ImpossibleTransitionError
from tests.store.rows import NOW, database, meet, new_item

_HOUR = timedelta(hours=1)


def _add(opened: Database, item: outbox.NewItem) -> OutboxItem:
    item_id = opened.write(lambda conn: outbox.add(conn, item, NOW))
    return _load(opened, item_id)


def _load(opened: Database, item_id: str) -> OutboxItem:
    item = outbox.load(opened.connection, item_id)
    assert item is not None
    return item


def _anna(opened: Database, igsid: str = "900") -> Contact:
    return opened.write(lambda conn: meet(conn, igsid))


def _move(opened: Database, item: OutboxItem, status: ItemStatus, reason: str | None = None) -> OutboxItem:
    held_for = HeldFor.ANSWER if status is ItemStatus.HELD else None
    opened.write(lambda conn: outbox.move(conn, item, status, now=NOW, reason=reason, held_for=held_for))
    return _load(opened, item.id)


def _start(opened: Database, item: OutboxItem, wire: str = "{}") -> OutboxItem:
    opened.write(lambda conn: outbox.start_attempt(conn, item, wire, NOW))
    return _load(opened, item.id)


def _claimable(
    opened: Database, quota: Quota = Quota.MESSAGE, *, after: timedelta = timedelta(), limit: int = 10
) -> list[str]:
    found = outbox.claimable(opened.connection, "k1", quota, NOW + after, limit)
    return [item.id for item in found]


# --- in and out ------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    content = OutMessage(
        "Żółć 💌",
        buttons=(OutButton("Go", payload="p"), OutButton("Site", url="https://shop.example")),
        chips=(OutButton("Skip"),),
        images=("https://shop.example/a.png",),
        spelled_out="Żółć 💌\nReply: Go",
        media=OutMedia(MediaKind.FILE, "https://shop.example/a.pdf"),
        cards=(OutCard("Hat", "Wool", None, "https://shop.example", (OutButton("Buy", payload="b"),)),),
        reply_to="aWdf_A1",
    )
    with database(tmp_path) as opened:
        new = replace(new_item(_anna(opened), 0), content=content, depends_on="i0", reason="why")
        item = _add(opened, new)
    assert item.content == content
    assert (item.status, item.attempts, item.plain, item.uncertain) == (ItemStatus.QUEUED, 0, False, False)
    assert (item.due_at, item.deadline, item.depends_on, item.reason) == (NOW, NOW + 24 * _HOUR, "i0", "why")


def test_the_same_effect_of_a_turn_is_one_item(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        first = _add(opened, new_item(anna, 0))
        again = _add(opened, replace(new_item(anna, 0), content=OutMessage("other")))
        assert again == first
        assert _add(opened, new_item(anna, 1)).id != first.id


def test_an_item_without_a_deadline_is_never_too_late(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        never = _add(opened, new_item(anna, 0, deadline=None))
        late = _add(opened, new_item(anna, 1, deadline=_HOUR))
        assert never.deadline is None
        assert outbox.next_deadline(opened.connection) == NOW + _HOUR
        found = outbox.too_late(opened.connection, NOW + timedelta(days=9999), 10)
        assert [item.id for item in found] == [late.id]
        assert outbox.too_late(opened.connection, NOW + _HOUR - timedelta(seconds=1), 10) == []


# --- lanes and order -------------------------------------------------------------------------------------


def test_one_item_of_a_lane_leaves_at_a_time_in_the_order_made(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        items = [_add(opened, new_item(anna, n, deadline=timedelta(hours=9 - n))) for n in range(3)]
        for item in items:
            assert _claimable(opened) == [item.id]
            sending = _start(opened, item)
            assert _claimable(opened) == []
            _move(opened, sending, ItemStatus.SENT)
        assert _claimable(opened) == []


def test_people_do_not_wait_for_each_other_and_the_earliest_deadline_goes_first(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        deadlines = (timedelta(hours=5), None, timedelta(hours=3), timedelta(hours=3))
        items = [
            _add(opened, new_item(_anna(opened, f"90{n}"), n, deadline=deadline))
            for n, deadline in enumerate(deadlines)
        ]
        assert _claimable(opened) == [items[n].id for n in (2, 3, 0, 1)]
        assert _claimable(opened, limit=2) == [items[2].id, items[3].id]


def test_an_item_leaves_when_it_is_due(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item = _add(opened, new_item(_anna(opened), 0, due_in=timedelta(minutes=1)))
        assert _claimable(opened) == []
        assert outbox.next_due(opened.connection) == NOW + timedelta(minutes=1)
        assert _claimable(opened, after=timedelta(minutes=1)) == [item.id]
        opened.write(lambda conn: outbox.put_off(conn, item.id, NOW + _HOUR, "a pause"))
        assert _claimable(opened, after=timedelta(minutes=1)) == []
        assert _load(opened, item.id).reason == "a pause"


def test_kinds_have_their_own_queues_but_share_a_lane(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        private = _add(opened, new_item(anna, 0, kind=ItemKind.PRIVATE_REPLY))
        message = _add(opened, new_item(anna, 1))
        lane = outbox.comment_lane("179", anna.id)
        public = _add(opened, new_item(anna, 2, kind=ItemKind.COMMENT_REPLY, lane=lane))
        assert _claimable(opened, Quota.PRIVATE_REPLY) == [private.id]
        assert _claimable(opened) == []
        assert _claimable(opened, Quota.COMMENT_REPLY) == [public.id]
        _move(opened, private, ItemStatus.CANCELLED)
        assert _claimable(opened) == [message.id]


def test_an_item_of_uncertain_outcome_holds_its_lane_for_an_hour(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        first, second = _add(opened, new_item(anna, 0)), _add(opened, new_item(anna, 1))
        _move(opened, _start(opened, first), ItemStatus.UNKNOWN)
        assert _claimable(opened, after=_HOUR - timedelta(seconds=1)) == []
        assert _claimable(opened, after=_HOUR) == [second.id]


def test_what_waits_for_an_answer_does_not_hold_up_another_private_reply(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        _add(opened, replace(new_item(anna, 0), held_for=HeldFor.ANSWER))
        private = _add(opened, new_item(anna, 1, kind=ItemKind.PRIVATE_REPLY))
        message = _add(opened, new_item(anna, 2))
        assert _claimable(opened, Quota.PRIVATE_REPLY) == [private.id]
        _move(opened, private, ItemStatus.CANCELLED)
        assert _claimable(opened) == []
        assert message.status is ItemStatus.QUEUED


def test_items_of_another_connection_are_not_claimed(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        _add(opened, new_item(_anna(opened), 0))
        assert outbox.claimable(opened.connection, "k2", Quota.MESSAGE, NOW, 10) == []


# --- statuses --------------------------------------------------------------------------------------------

_WAYS: dict[ItemStatus, tuple[ItemStatus, ...]] = {
    ItemStatus.QUEUED: (),
    ItemStatus.HELD: (ItemStatus.HELD,),
    ItemStatus.SENDING: (ItemStatus.SENDING,),
    ItemStatus.UNKNOWN: (ItemStatus.SENDING, ItemStatus.UNKNOWN),
    ItemStatus.SENT: (ItemStatus.SENDING, ItemStatus.SENT),
    ItemStatus.EXPIRED: (ItemStatus.EXPIRED,),
    ItemStatus.FAILED: (ItemStatus.FAILED,),
    ItemStatus.CANCELLED: (ItemStatus.CANCELLED,),
}


@pytest.mark.parametrize("before", ItemStatus)
def test_only_the_transitions_of_the_table_are_possible(tmp_path: Path, before: ItemStatus) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        for number, after in enumerate(ItemStatus):
            item = _add(opened, new_item(anna, number))
            for status in _WAYS[before]:
                item = _move(opened, item, status)
            if after in ITEM_TRANSITIONS[before]:
                assert _move(opened, item, after, "why").status is after
            else:
                with pytest.raises(ImpossibleTransitionError):
                    _move(opened, item, after)
                assert _load(opened, item.id) == item


def test_an_item_that_changed_meanwhile_is_not_moved(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item = _add(opened, new_item(_anna(opened), 0))
        _move(opened, item, ItemStatus.CANCELLED)
        with pytest.raises(ImpossibleTransitionError, match="not queued any more"):
            _move(opened, item, ItemStatus.SENDING)


def test_repetitions_keep_the_first_body(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item = _start(opened, _add(opened, new_item(_anna(opened), 0)), "first")
        assert (item.attempts, item.wire, item.first_attempt_at) == (1, "first", NOW)
        item = _start(opened, _move(opened, item, ItemStatus.QUEUED), "second")
        assert (item.attempts, item.wire) == (2, "first")
        opened.write(
            lambda conn: outbox.move(
                conn, item, ItemStatus.QUEUED, now=NOW, plain=True, uncertain=True, forget_wire=True
            )
        )
        item = _load(opened, item.id)
        assert (item.wire, item.plain, item.uncertain) == (None, True, True)


def test_attempts_count_for_an_hour_and_outlive_their_items(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item = _start(opened, _add(opened, new_item(_anna(opened), 0)))
        opened.write(lambda conn: conn.execute("DELETE FROM outbox WHERE item_id=?", (item.id,)))
        conn = opened.connection
        assert attempts.counted(conn, "k1", Quota.MESSAGE, NOW - _HOUR) == (1, NOW)
        assert attempts.counted(conn, "k1", Quota.MESSAGE, NOW) == (0, None)
        assert attempts.counted(conn, "k1", Quota.PRIVATE_REPLY, NOW - _HOUR) == (0, None)
        assert opened.write(lambda conn: attempts.forget(conn, NOW + _HOUR)) == 1


def test_what_was_being_sent_when_the_process_ended_is_found(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item = _start(opened, _add(opened, new_item(_anna(opened), 0)))
        assert [found.id for found in outbox.interrupted(opened.connection)] == [item.id]


# --- who waits for whom ----------------------------------------------------------------------------------


def test_public_replies_wait_for_their_private_one(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        private = _add(opened, new_item(anna, 0, kind=ItemKind.PRIVATE_REPLY))
        lane = outbox.comment_lane("179", anna.id)
        new = new_item(anna, 1, kind=ItemKind.COMMENT_REPLY, lane=lane)
        public = _add(opened, replace(new, held_for=HeldFor.PRIVATE_REPLY))
        assert outbox.waiting_on(opened.connection, private.id) == []
        opened.write(lambda conn: outbox.depend_on(conn, public, private.id))
        assert [i.id for i in outbox.waiting_on(opened.connection, private.id)] == [public.id]
        assert [i.id for i in outbox.open_public_replies(opened.connection, "179", anna.id)] == [public.id]
        assert [i.id for i in outbox.open_of_person(opened.connection, anna.id)] == [private.id]


def test_an_answer_prolongs_messages_and_nothing_else(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        kinds: tuple[tuple[ItemKind, timedelta | None], ...] = (
            (ItemKind.MESSAGE, _HOUR),
            (ItemKind.MESSAGE, 90 * _HOUR),
            (ItemKind.MESSAGE, None),
            (ItemKind.PRIVATE_REPLY, _HOUR),
        )
        items = [
            _add(opened, new_item(anna, n, kind=kind, deadline=deadline))
            for n, (kind, deadline) in enumerate(kinds)
        ]
        opened.write(lambda conn: outbox.prolong(conn, anna.id, NOW + 24 * _HOUR))
        found = [_load(opened, item.id).deadline for item in items]
        assert found == [NOW + 24 * _HOUR, NOW + 90 * _HOUR, None, NOW + _HOUR]


def test_the_echo_names_an_item_once(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        item = _start(opened, _add(opened, new_item(_anna(opened), 0)))

        def note(message_id: str) -> Callable[[Connection], None]:
            return lambda conn: outbox.note_message_id(conn, item.id, message_id)

        opened.write(note("mid1"))
        opened.write(note("mid2"))
        found = outbox.by_message_id(opened.connection, "k1", "mid1")
        assert found is not None
        assert found.id == item.id
        assert outbox.by_message_id(opened.connection, "k2", "mid1") is None
        assert outbox.by_message_id(opened.connection, "k1", "mid2") is None


def test_items_that_wait_for_the_owner(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        anna = _anna(opened)
        new = [replace(new_item(anna, n), held_for=held) for n, held in enumerate((HeldFor.LOGIN, None))]
        items = [_add(opened, item) for item in new]
        assert [i.id for i in outbox.held_for_owner(opened.connection, "k1")] == [items[0].id]
