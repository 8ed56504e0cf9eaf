"""Messages whose fate nobody knows: evidence settles them, and nothing is said twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.services import queue
from pamosnik.services.queue import Fate
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import people
from pamosnik.store import accounts
from tests.daemon import events
from tests.daemon.fake import Call, Sent, Trouble
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio


class Once:
    """The first request of a kind goes wrong, the others do not."""

    def __init__(self, trouble: Trouble, kind: str = "send", times: int = 1) -> None:
        self.trouble, self.kind, self.left = trouble, kind, times

    def __call__(self, call: Call) -> Trouble | None:
        hit = call.is_public_reply if self.kind == "public" else call.is_send
        if not hit or self.left == 0:
            return None
        self.left -= 1
        return self.trouble


LOST = Trouble(500, 2, message="Service temporarily unavailable")
DONE = Trouble(500, 1, message="An unknown error", done=True)
HUNG_UP = Trouble(done=True, hang_up=True)


async def _asks(shop: Machine, igsid: str = "9001") -> None:
    await shop.deliver(events.talk(events.message(igsid, "size")))
    await shop.works()


@pytest.mark.parametrize("lists", ["whole", "bare"])
@pytest.mark.parametrize("trouble", [DONE, HUNG_UP], ids=["error", "hung up"])
async def test_what_the_conversation_shows_arrived(tmp_path: Path, lists: str, trouble: Trouble) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.lists = lists
        shop.fake.trouble = Once(trouble)
        await _asks(shop)
        assert shop.states() == ["unknown"]
        await shop.later(seconds=6)
        assert shop.states() == ["sent"]
        assert shop.queue()[0]["message_id"] == shop.fake.sent[0].mid
        assert shop.fake.thread("9001") == ["Automated reply.\nWhich size?"]


@pytest.mark.parametrize("told", ["read", "reaction"])
async def test_what_the_person_has_seen_already_is_not_sent_again(tmp_path: Path, told: str) -> None:
    """A receipt, or a reaction, names the message before anything has told that it is ours: it was taken for one that
    we know, so the message counted as not there and was said twice."""
    async with machine(tmp_path) as shop:
        shop.fake.trouble = Once(DONE)
        await _asks(shop)
        mid = shop.fake.sent[0].mid
        item = events.seen("9001", mid)
        if told == "reaction":
            del item["read"]
            item["reaction"] = {"mid": mid, "action": "react", "reaction": "love", "emoji": "❤️"}
        await shop.deliver(events.talk(item))
        await shop.later(minutes=2)
        assert shop.states() == ["sent"]
        assert shop.queue()[0]["message_id"] == mid
        assert shop.fake.thread("9001") == ["Automated reply.\nWhich size?"]


@pytest.mark.parametrize("lists", ["whole", "bare"])
async def test_what_two_looks_do_not_show_is_sent_again(tmp_path: Path, lists: str) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.lists = lists
        shop.fake.trouble = Once(LOST)
        await _asks(shop)
        await shop.later(seconds=29)
        assert shop.states() == ["unknown"], "one look is not enough"
        await shop.later(seconds=31)
        assert shop.states() == ["sent"]
        assert shop.fake.thread("9001") == ["Automated reply.\nWhich size?"]


async def test_an_empty_list_proves_nothing(tmp_path: Path) -> None:
    """An app that is not published gets empty lists without an error."""
    async with machine(tmp_path) as shop:
        shop.fake.lists = "none"
        shop.fake.trouble = Once(LOST)
        await _asks(shop)
        await shop.later(hours=2)
        (item,) = shop.queue()
        assert item["status"] == "unknown"
        assert "queue settle" in str(item["reason"])
        assert [problem["code"] for problem in shop.problems()] == ["unknown_messages"]
        assert shop.fake.sent == []


async def test_a_look_that_fails_uses_nothing_up(tmp_path: Path) -> None:
    """Graph is down for three hours, conversations included; afterwards the message is found missing and sent."""
    async with machine(tmp_path) as shop:
        shop.fake.trouble = lambda _: LOST
        await _asks(shop)
        await shop.later(hours=3)
        assert shop.states() == ["unknown"]
        looks = [call for call in shop.fake.calls if call.method == "GET"]
        assert len(looks) < 60, "it hammers"
        shop.fake.trouble = lambda _: None
        await shop.later(minutes=10)
        assert shop.states() == ["sent"]
        assert len(shop.fake.thread("9001")) == 1


async def test_twins_that_cannot_be_told_apart_wait_for_the_owner(tmp_path: Path) -> None:
    """Two equal messages of unknown fate and one of them in the conversation: nobody can say which."""
    flows = (
        'version: 1\ndisclosure: "A."\nflows:\n  a:\n    when: [dm: hi]\n    mode: parallel\n'
        "    do: [{ send: Hello }]\n"
    )
    async with machine(tmp_path, flows) as shop:
        await shop.deliver(events.talk(events.message("9001", "hi")))
        await shop.works()
        wrong = iter([DONE, LOST])
        shop.fake.trouble = lambda call: next(wrong, None) if call.is_send else None
        await shop.deliver(events.talk(events.message("9001", "hi")))
        await shop.works()
        await shop.deliver(events.talk(events.message("9001", "hi")))
        # The first holds the second in its lane for an hour.
        await shop.later(seconds=6)
        assert shop.states() == ["sent", "sent", "unknown"], "the first was seen before the second left"
        await shop.later(seconds=60)
        assert shop.states() == ["sent"] * 3
        assert shop.fake.thread("9001") == ["A.\nHello", "Hello", "Hello"]


async def test_a_private_reply_is_repeated_byte_for_byte(tmp_path: Path) -> None:
    """Meta allows one per comment, so its refusal proves the first one."""
    async with machine(tmp_path) as shop:
        shop.fake.lists = "none"
        shop.fake.trouble = Once(HUNG_UP)
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        assert shop.states("private_reply") == ["unknown"]
        assert shop.states("comment_reply") == ["held"]
        await shop.later(seconds=25)
        assert shop.fake.public("c1") == []
        await shop.later(seconds=10)
        bodies = [call.body for call in shop.fake.calls if call.is_private_reply]
        assert len(bodies) == 2
        assert bodies[0] == bodies[1]
        assert shop.states("private_reply") == ["sent"]
        assert shop.reasons()["private_reply"] == "delivered by an earlier attempt"
        assert shop.states("comment_reply") == ["sent"]
        assert len(shop.fake.thread("9001")) == 1


async def test_a_private_reply_that_was_lost_goes_out_once(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = Once(LOST)
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        await shop.later(seconds=40)
        assert shop.states() == ["sent", "sent"]
        assert shop.fake.order == ["private", "public"]


@pytest.mark.parametrize(("trouble", "replies"), [(HUNG_UP, 1), (LOST, 1)], ids=["done", "lost"])
async def test_a_public_reply_is_looked_for_under_its_comment(
    tmp_path: Path, trouble: Trouble, replies: int
) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = Once(trouble, "public")
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        assert shop.states("comment_reply") == ["unknown"]
        await shop.later(seconds=60)
        assert shop.states("comment_reply") == ["sent"]
        assert len(shop.fake.public("c1")) == replies


async def test_a_public_reply_that_a_webhook_told_needs_no_question(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.trouble = Once(HUNG_UP, "public")
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        told = events.own_comment("c1", shop.fake.public("c1")[0])
        await shop.deliver(events.change(told))
        before = len(shop.fake.calls)
        await shop.later(seconds=6)
        assert shop.states("comment_reply") == ["sent"]
        assert shop.queue()[-1]["message_id"] == told["id"] or told["id"] in {
            item["message_id"] for item in shop.queue()
        }
        assert len(shop.fake.calls) == before


async def test_after_three_uncertain_outcomes_it_probes_with_one(tmp_path: Path) -> None:
    """Graph answers 500 for a while: two hundred people do not get two hundred requests a second."""
    async with machine(tmp_path) as shop:
        shop.fake.trouble = lambda call: LOST if call.is_send else None
        for number in range(3):
            await _asks(shop, f"90{number}")
        for number in range(3, 40):
            await shop.deliver(events.talk(events.message(f"90{number}", "size")))
        await shop.works()
        assert len(shop.fake.calls) == 3, "the rest waits for a probe"
        await shop.later(seconds=20)
        sends = sum(call.is_send for call in shop.fake.calls)
        assert 3 < sends < 10
        shop.fake.trouble = lambda _: None
        await shop.later(seconds=90)
        assert set(shop.states()) == {"sent"}
        assert all(len(shop.fake.thread(f"90{number}")) == 1 for number in range(40))


@pytest.mark.parametrize(
    ("fate", "status", "messages"),
    [(Fate.SENT, "sent", 0), (Fate.RESEND, "sent", 1), (Fate.DROP, "cancelled", 0)],
)
async def test_the_owner_settles_what_nothing_else_can(
    tmp_path: Path, fate: Fate, status: str, messages: int
) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.lists = "none"
        shop.fake.trouble = Once(LOST)
        await _asks(shop)
        account = accounts.every(shop.reader.connection)[0]
        item_id = str(shop.queue()[0]["id"])
        await shop.writer.write(
            lambda conn: queue.settle(conn, account, item_id, fate, actor="test", now=shop.clock.now())
        )
        await shop.works()
        assert shop.states() == [status]
        assert len(shop.fake.sent) == messages


async def test_a_private_reply_is_repeated_while_nothing_can_be_read(tmp_path: Path) -> None:
    """Reading was used up after a restart, and private replies waited for it."""
    async with machine(tmp_path) as shop:
        first = Once(LOST)
        shop.fake.trouble = lambda call: first(call) or (Trouble(400, 613) if call.method == "GET" else None)
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        await shop.later(seconds=40)
        assert shop.states() == ["sent", "sent"]


async def test_an_echo_that_comes_while_a_private_reply_waits_to_be_repeated_is_ours(tmp_path: Path) -> None:
    """It was taken for the owner's word after half a minute's downtime: automation rested for twelve hours."""
    async with machine(tmp_path) as shop:
        shop.fake.trouble = Once(HUNG_UP)
        await shop.deliver(events.change(events.comment("9001", "price")))
        await shop.works()
        now = shop.clock.now() + timedelta(seconds=31)
        shop.move_to(now)
        await shop.settler.round()
        (sent,) = shop.fake.sent
        assert shop.states("private_reply") == ["queued"]
        await _its_echo_comes(shop, sent)
        assert shop.states("private_reply") == ["sent"]
        await shop.works()
        assert shop.fake.order == ["private", "public"]
        assert [call.is_private_reply for call in shop.fake.calls].count(True) == 1


async def test_an_echo_that_comes_after_a_private_reply_was_refused_as_a_second_one_is_ours(
    tmp_path: Path,
) -> None:
    """Instagram's refusal names no id, so its echo was nobody's."""
    async with machine(tmp_path) as shop:
        shop.fake.lists = "none"
        shop.fake.trouble = Once(HUNG_UP)
        await shop.deliver(events.change(events.comment("9001", "price")))
        await shop.works()
        await shop.later(seconds=40)
        (item,) = [one for one in shop.queue() if one["kind"] == "private_reply"]
        assert (item["status"], item["message_id"]) == ("sent", None)
        (sent,) = shop.fake.sent
        await _its_echo_comes(shop, sent)
        (item,) = [one for one in shop.queue() if one["kind"] == "private_reply"]
        assert item["message_id"] == sent.mid


async def _its_echo_comes(shop: Machine, sent: Sent) -> None:
    await shop.deliver(
        events.talk(events.template_echo(sent.igsid, sent.mid, sent.text, sent.buttons)),
    )
    await shop.runner.round()
    conn = shop.reader.connection
    account = accounts.every(conn)[0]
    (echo,) = [e for e in event_reading.newest(conn, account, limit=None, since=None) if e.kind == "echo"]
    assert echo.verdict == "own"
    (person,) = people.newest(conn, account, limit=None)
    assert person.contact.paused_until is None
