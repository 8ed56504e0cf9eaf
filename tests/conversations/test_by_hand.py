"""What the owner writes by hand: once, within Meta's rules, and recognised when it comes back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.model.contact import Contact
from pamosnik.model.outbox import Quota
from pamosnik.privacy import erase
from pamosnik.services import people, replying, sending
from pamosnik.services.people import By
from pamosnik.services.replying import Replied
from pamosnik.store import accounts, contacts
from pamosnik.store.deletions import Cause
from pamosnik.store.walls import write_for
from tests.daemon import events
from tests.daemon.fake import Trouble
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

ANNA = "900000000000001"
FLOWS = """
version: 1
flows:
  price:
    when: [dm: price, comment: price]
    do: [send: "The prices."]
"""


def _by(shop: Machine) -> By:
    return By(accounts.every(shop.reader.connection)[0], "page", shop.clock.now())


async def _does(shop: Machine, verb: Callable[..., Replied], *words: str, key: str | None = None) -> Replied:
    by = _by(shop)
    return await shop.writer.write(write_for(by.account.id, lambda conn: verb(conn, by, *words, key=key)))


async def _changes(shop: Machine, verb: Callable[..., object], *words: object) -> None:
    by = _by(shop)
    await shop.writer.write(write_for(by.account.id, lambda conn: verb(conn, by, *words)))
    await shop.works()


def _anna(shop: Machine) -> Contact:
    conn = shop.reader.connection
    (contact_id,) = contacts.find(conn, accounts.every(conn)[0].id, ANNA)
    contact = contacts.load(conn, contact_id)
    assert contact is not None
    return contact


async def _write(shop: Machine, text: str) -> None:
    at = int(shop.clock.now().timestamp() * 1000)
    await shop.deliver(events.talk({**events.message(ANNA, text), "timestamp": at}))
    await shop.works()


async def _comment(shop: Machine, text: str = "lovely", **more: str) -> str:
    """The id of its event."""
    value = {**events.comment(ANNA, text, comment_id=events.new_id("17950")), **more}
    await shop.deliver({**events.change(value), "time": int(shop.clock.now().timestamp())})
    await shop.works()
    rows = shop.reader.connection.execute("SELECT event_id FROM events WHERE comment_id=?", (value["id"],))
    return str(rows.fetchone()[0])


def _verdicts(shop: Machine) -> list[str]:
    return [v for (v,) in shop.reader.connection.execute("SELECT verdict FROM events ORDER BY event_id")]


async def test_a_message_goes_out_without_the_line_of_a_machine_and_automation_rests(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "is it warm?")
        done = await _does(shop, replying.reply, _anna(shop).id, "  Very.\r\nTake the blue one. ")
        await shop.works()
        assert shop.fake.thread(ANNA) == ["Very.\nTake the blue one."]
        rests = _anna(shop).paused_until
        assert rests is not None
        assert timedelta(hours=11) < rests - shop.clock.now() <= timedelta(hours=12)
        audit = "SELECT actor, action, subject FROM audit ORDER BY id DESC LIMIT 1"
        assert shop.reader.connection.execute(audit).fetchone() == ("page", "reply", done.item_id)
        # Its echo is ours, and no word of the owner's from the phone.
        shop.move_to(shop.clock.now() + timedelta(hours=1))
        await shop.deliver(events.talk(events.echo(ANNA, shop.fake.sent[0].mid, shop.fake.sent[0].text)))
        await _write(shop, "price")
        assert _verdicts(shop)[-2:] == ["own", "paused"]
        assert _anna(shop).paused_until == rests


async def test_the_same_form_sends_once_and_another_text_is_another_message(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "hello")
        sent = [
            await _does(shop, replying.reply, _anna(shop).id, text, key="FORM")
            for text in ("Yes.", "Yes.", "Yes!")
        ]
        await shop.works()
        assert [one.new for one in sent] == [True, False, True]
        assert sent[0].item_id == sent[1].item_id
        assert shop.fake.thread(ANNA) == ["Yes.", "Yes!"]


async def test_it_does_not_wait_for_what_flows_have_yet_to_say(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "hello")
        await shop.deliver(events.talk(events.message(ANNA, "price")))
        await shop.runner.round()
        await _changes(shop, people.pause, ANNA, "6h")
        assert shop.states() == ["queued"]
        await _does(shop, replying.reply, _anna(shop).id, "Ask me anything.")
        await shop.works()
        assert shop.fake.thread(ANNA) == ["Ask me anything."]


async def test_nobody_is_written_to_whose_window_is_closed(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _comment(shop)
        with pytest.raises(PamosnikError, match="have not written yet"):
            await _does(shop, replying.reply, _anna(shop).id, "Hello")
        await _write(shop, "hello")
        shop.move_to(shop.clock.now() + timedelta(hours=25))
        with pytest.raises(PamosnikError, match="window closed at"):
            await _does(shop, replying.reply, _anna(shop).id, "Hello")
        assert shop.queue() == []


async def test_who_opted_out_is_answered_but_not_written_to_first(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        commented = await _comment(shop)
        await _write(shop, "stop")
        with pytest.raises(PamosnikError, match="no more messages, and have written nothing since"):
            await _does(shop, replying.reply, _anna(shop).id, "But why?")
        with pytest.raises(PamosnikError, match="no more messages"):
            await _does(shop, replying.private_reply, commented, "But why?")
        shop.move_to(shop.clock.now() + timedelta(minutes=5))
        await _write(shop, "where is my parcel?")
        await _does(shop, replying.reply, _anna(shop).id, "With your neighbour.")
        await shop.works()
        assert shop.fake.thread(ANNA)[-1] == "With your neighbour."


@pytest.mark.parametrize(
    ("text", "said"),
    [(" \n ", "nothing to send"), ("é" * 501, "1000 bytes; this one has 1002"), ("\ud800", "cannot be sent")],
)
async def test_what_cannot_be_sent_is_told_before(tmp_path: Path, text: str, said: str) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "hello")
        with pytest.raises(UsageError, match=said):
            await _does(shop, replying.reply, _anna(shop).id, text)


async def test_a_comment_gets_one_private_reply(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        commented = await _comment(shop)
        done = [await _does(shop, replying.private_reply, commented, "Hi!", key="FORM") for _ in "12"]
        assert [one.new for one in done] == [True, False]
        with pytest.raises(PamosnikError, match="the one to this is queued"):
            await _does(shop, replying.private_reply, commented, "Hi again!")
        await shop.works()
        assert [sent.text for sent in shop.fake.sent] == ["Hi!"]
        with pytest.raises(PamosnikError, match="the one to this is sent"):
            await _does(shop, replying.private_reply, commented, "Hi again!")
        assert _anna(shop).paused_until is not None


async def test_what_a_flow_answers_in_private_is_not_answered_so_by_hand(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        answered = await _comment(shop, "price")
        with pytest.raises(PamosnikError, match="the one to this is sent"):
            await _does(shop, replying.private_reply, answered, "Hi!")
        old = await _comment(shop)
        shop.move_to(shop.clock.now() + timedelta(days=7))
        with pytest.raises(PamosnikError, match="older than 7 days"):
            await _does(shop, replying.private_reply, old, "Hi!")


async def test_the_echo_of_a_private_reply_without_an_id_is_known(tmp_path: Path) -> None:
    """An answer was lost, and its repetition was refused: all that is known is that it arrived."""
    async with machine(tmp_path, FLOWS) as shop:
        commented = await _comment(shop)
        left = [Trouble(500, 1, done=True)]
        shop.fake.trouble = lambda call: left.pop() if call.is_send and left else None
        shop.fake.lists = "none"
        await _does(shop, replying.private_reply, commented, "Hi!")
        await shop.works()
        await shop.later(seconds=45)
        assert [(one["status"], one["message_id"]) for one in shop.queue()] == [("sent", None)]
        await shop.deliver(events.talk(events.echo(ANNA, shop.fake.sent[0].mid, "Hi!")))
        await shop.works()
        assert _verdicts(shop)[-1] == "own"


async def test_a_public_reply_stands_under_the_first_comment_and_automation_goes_on(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        first = await _comment(shop)
        parent = shop.reader.connection.execute(
            "SELECT comment_id FROM events WHERE event_id=?", (first,)
        ).fetchone()[0]
        below = await _comment(shop, parent_id=parent)
        await _does(shop, replying.public_reply, below, "Thank you!")
        await shop.works()
        assert [(one.comment_id, one.text) for one in shop.fake.replies] == [(parent, "Thank you!")]
        assert _anna(shop).paused_until is None
        with pytest.raises(UsageError, match="2200 characters"):
            await _does(shop, replying.public_reply, below, "x" * 2201)


async def test_what_is_no_comment_or_not_mine_is_not_known(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        commented = await _comment(shop)
        await _write(shop, "hello")
        written = shop.reader.connection.execute("SELECT max(event_id) FROM events").fetchone()[0]
        by = _by(shop)
        other = replace(by, account=replace(by.account, id="ANOTHER"))
        conn = shop.reader.connection
        with pytest.raises(NotFound):
            replying.public_reply(conn, by, written, "Hi!")
        with pytest.raises(NotFound):
            replying.private_reply(conn, other, commented, "Hi!")
        with pytest.raises(NotFound):
            replying.reply(conn, other, _anna(shop).id, "Hi!")
        assert replying.ways(conn, other.account, commented, by.now) is None
        ways = replying.ways(conn, by.account, commented, by.now)
        assert ways is not None
        assert (ways.private, ways.public) == (None, None)


async def test_what_waits_for_somebody_who_is_forgotten_never_leaves(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "hello")
        anna = _anna(shop).id
        await _does(shop, replying.reply, anna, "Yes?")
        begin = partial(erase.begin_person, contact_id=anna, cause=Cause.PAGE, actor="page")
        await shop.writer.write(partial(begin, now=shop.clock.now()))
        await shop.works()
        assert shop.fake.thread(ANNA) == []
        with pytest.raises(PamosnikError, match="is being forgotten"):
            await _does(shop, replying.reply, anna, "Yes?")


@pytest.mark.parametrize("under_way", [False, True], ids=["queued", "sending"])
async def test_killed_before_it_is_known_whether_it_left(tmp_path: Path, under_way: bool) -> None:
    async with home_and_fake(tmp_path, FLOWS) as (settings, fake):
        async with running(settings, fake) as shop:
            await _write(shop, "hello")
            await _does(shop, replying.reply, _anna(shop).id, "Yes?", key="FORM")
            if under_way:
                claim = partial(sending.claim, connection_id=_anna(shop).connection_id, quota=Quota.MESSAGE)
                await shop.writer.write(partial(claim, room=9, media_room=9, now=shop.clock.now()))
        async with running(settings, fake, shop.clock) as shop:
            await _does(shop, replying.reply, _anna(shop).id, "Yes?", key="FORM")
            await shop.works()
            await shop.later(minutes=3)
            assert (shop.states(), fake.thread(ANNA)) == (["sent"], ["Yes?"])
