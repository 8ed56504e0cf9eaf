"""What a forgotten person's comments leave with others: ids below them, replies that are told late, names that
strangers have by now."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.privacy import would_go
from pamosnik.services import erasing
from pamosnik.store import accounts, contacts, deletions, tombstones
from pamosnik.store.deletions import Cause
from tests.daemon import events
from tests.daemon.bytes_left import left
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
flows:
  price:
    when: [comment: { words: price, replies: true }]
    mode: parallel
    do: [reply_publicly: { one_of: ["@{username|you}: sent!", "@{username|you}: look!", "@{username|you}: done!"] }]
"""
BELA, CELIA = "900200000000002", "900300000000003"
ABOVE = f"c{BELA}"


def _account(shop: Machine) -> str:
    return accounts.every(shop.reader.connection)[0].id


def _people(shop: Machine, who: str) -> list[erasing.Someone]:
    return erasing.people(shop.reader.connection, _account(shop), who)


async def _forget(shop: Machine, who: str) -> None:
    (someone,) = _people(shop, who)
    expected = would_go.of_person(
        shop.reader.connection, someone.connection.id, someone.contact_id, someone.igsids
    )
    begin = partial(erasing.begin_forget, someone=someone, cause=Cause.COMMAND, actor="command")
    deletion_id = await shop.writer.write(partial(begin, now=shop.clock.now()))
    await shop.eraser.round()
    receipt = deletions.load(shop.reader.connection, deletion_id)
    assert receipt is not None
    assert receipt.ended_at is not None
    assert receipt.events == expected.rows.get("events", 0), "the dry run has said so"


async def _comments(
    shop: Machine, igsid: str | None, name: str, text: str, comment_id: str, below: str | None = None
) -> None:
    said = events.comment(igsid or "", text, username=name, comment_id=comment_id)
    said = {**said, "from": {"id": igsid, "username": name}}
    told = events.change(said if below is None else {**said, "parent_id": below})
    await shop.deliver({**told, "time": int(shop.clock.now().timestamp())})
    await shop.works()


def _columns(conn: Connection, asked: str) -> list[tuple[object, ...]]:
    return list(conn.execute(asked).fetchall())


async def test_runs_and_replies_of_others_below_their_comment_go_on_below_their_own(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        conn = shop.reader.connection
        await _comments(shop, BELA, "bela.secretive", "price: bela asks", ABOVE)
        await _comments(shop, CELIA, "celia.open", "price for me too", "c-below", below=ABOVE)
        assert set(left(tmp_path / "home", [ABOVE])) == {ABOVE}
        assert ("comment_reply", ABOVE) in _columns(conn, "SELECT kind, comment_id FROM outbox")
        await _forget(shop, BELA)
        assert left(tmp_path / "home", [ABOVE, BELA, "bela.secretive"]) == {}
        found = "SELECT comment_id, json_extract(origin, '$.top_comment_id') FROM runs"
        assert _columns(conn, found) == [("c-below", "c-below")]
        (said,) = _columns(conn, "SELECT comment_id, lane FROM outbox WHERE kind='comment_reply'")
        assert said[0] == "c-below"
        assert str(said[1]).startswith("c:c-below:")
        # What others say there later is kept without her comment's id, and answered.
        sent = len(shop.fake.replies)
        await _comments(shop, CELIA, "celia.open", "price once more", "c-later", below=ABOVE)
        assert [reply.comment_id for reply in shop.fake.replies[sent:]] == ["c-later"]
        assert left(tmp_path / "home", [ABOVE]) == {}


async def test_a_comment_that_only_a_run_knows_any_more_is_left_too(tmp_path: Path) -> None:
    """Its event was too old before."""
    async with machine(tmp_path, FLOWS) as shop:
        await _comments(shop, BELA, "bela.secretive", "price: bela asks", ABOVE)
        await _comments(shop, CELIA, "celia.open", "price for me too", "c-below", below=ABOVE)
        old = "DELETE FROM events WHERE comment_id=?"
        await shop.writer.write(lambda conn: conn.execute(old, (ABOVE,)).rowcount)
        await _forget(shop, BELA)
        assert left(tmp_path / "home", [ABOVE]) == {}


async def test_the_businesss_own_replies_to_them_are_recognized_when_told_late(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        conn = shop.reader.connection
        await _comments(shop, CELIA, "celia.open", "look at that", "c-celia")
        await _comments(shop, BELA, "bela.secretive", "price", ABOVE, below="c-celia")
        (reply,) = shop.fake.replies
        ((told,),) = _columns(conn, "SELECT message_id FROM outbox WHERE kind='comment_reply'")
        await _forget(shop, BELA)
        in_her_thread = events.own_comment(ABOVE, "@bela.secretive: by hand")
        in_celias = {**events.own_comment("c-celia", f"@bela.secretive: {reply.text}"), "id": told}
        for late in (in_her_thread, in_celias):
            await shop.deliver(events.change(late))
        await _comments(shop, None, "bela.secretive", "price", ABOVE, below="c-celia")
        assert left(tmp_path / "home", ["bela.secretive", ABOVE, str(told)]) == {}
        await shop.deliver(events.change(events.own_comment("c-celia", "for celia")))
        assert _columns(conn, "SELECT text FROM events ORDER BY event_id") == [
            ("look at that",),
            ("for celia",),
        ]


@pytest.mark.parametrize("called", ["@Bela.secretive", "c-no-id"], ids=["name", "comment"])
async def test_somebody_known_only_by_comments_without_an_id_is_forgotten(
    tmp_path: Path, called: str
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        conn = shop.reader.connection
        await _comments(shop, None, "bela.secretive", "price, says bela", "c-no-id")
        await _comments(shop, None, "celia.open", "price, says celia", "c-no-id-2")
        await shop.deliver(events.change(events.own_comment("c-no-id", "@bela.secretive: sent!")))
        connection_id = contacts_connection(conn)
        known = dict(tombstones.people_of(conn, connection_id))
        assert {"@bela.secretive", "@celia.open"} < set(known), "a restored backup finds them"
        await _forget(shop, called)
        assert left(tmp_path / "home", ["bela.secretive", "says bela", 'c-no-id"']) == {}
        await _comments(shop, None, "bela.secretive", "price, says bela", "c-no-id")
        assert _columns(conn, "SELECT text FROM events") == [("price, says celia",)]
        assert _columns(conn, "SELECT 1 FROM contacts") == []
        assert _people(shop, called) == []


def contacts_connection(conn: Connection) -> str:
    ((connection_id,),) = _columns(conn, "SELECT connection_id FROM connections")
    return str(connection_id)


async def test_a_name_that_a_stranger_has_now_forgets_nobody_and_says_so(tmp_path: Path) -> None:
    """And by id the stranger's own comments stay, also those that came without an id."""
    async with machine(tmp_path, FLOWS) as shop:
        await _comments(shop, BELA, "rosebud", "price, says bela", "c1")
        await _comments(shop, None, "rosebud", "no id, says bela", "c2")
        await _comments(shop, BELA, "bela.anew", "price, with another name", "c3")
        shop.move_to(shop.clock.now() + timedelta(days=30))
        await _comments(shop, CELIA, "rosebud", "price, says celia", "c4")
        await _comments(shop, None, "rosebud", "no id, says celia", "c5")
        with pytest.raises(PamosnikError, match="2 people") as refused:
            _people(shop, "@rosebud")
        assert f"{CELIA} (@rosebud now)" in refused.value.message
        assert f"{BELA} (@bela.anew now)" in refused.value.message
        await _forget(shop, BELA)
        gone = ("says bela", "bela.anew", BELA)
        assert left(tmp_path / "home", gone) == {}
        stays = ("price, says celia", "no id, says celia", CELIA)
        assert set(left(tmp_path / "home", stays)) == set(stays)
        assert contacts.find(shop.reader.connection, _account(shop), "@rosebud") != []
