"""What no webhook told is found by reading, answered once, and not answered when somebody has done so."""

from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik.services.reading import events as event_reading
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts
from pamosnik.store import flows as flow_store
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import Call, PublicReply, Trouble, calm
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import open_shop

pytestmark = pytest.mark.anyio


def _events(shop: Machine) -> list[Shape]:
    conn = shop.reader.connection
    return [
        one.shape()
        for one in event_reading.newest(conn, accounts.every(conn)[0], limit=None, since=None)
        if one.kind != "echo"
    ]


def _lost(shop: Machine, *entries: Json) -> None:
    """It happened on Instagram, and no webhook told it."""
    shop.fake.note(events.envelope(*entries))


async def _reads(shop: Machine, **later: float) -> None:
    shop.move_to(shop.clock.now() + timedelta(**later))
    await shop.catch_up.round()
    await shop.works()


@pytest.mark.parametrize("lists", ["whole", "bare"])
async def test_a_message_that_no_webhook_told_is_answered(tmp_path: Path, lists: str) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.lists = lists
        message = events.message("9001", "size")
        _lost(shop, events.talk(message))
        await _reads(shop, seconds=5)
        assert shop.fake.sent == [], "its webhook may still be on the way"
        await _reads(shop, minutes=5)
        assert shop.fake.thread("9001") == ["Automated reply.\nWhich size?"]
        (event,) = _events(shop)
        assert (event["verdict"], event["recovered"]) == ("started", True)
        # The webhook comes at last, and the next rounds read the same again.
        await shop.deliver(events.talk(message))
        await _reads(shop, minutes=5)
        await _reads(shop, minutes=5)
        assert len(shop.fake.thread("9001")) == 1
        (event,) = _events(shop)
        assert event["seen_times"] == 2


async def test_a_tap_whose_webhook_was_lost_is_known_by_its_label(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        payload = shop.fake.last("9001").buttons["Send it to me"]
        tap = events.button_tap("9001", "Send it to me", payload)
        _lost(shop, events.talk(tap))
        await _reads(shop, minutes=5)
        assert shop.fake.thread("9001")[-1] == "Here you are."
        await shop.deliver(events.talk(tap))
        await shop.works()
        assert len(shop.fake.thread("9001")) == 2, "the late webhook is a repetition"


async def test_a_comment_that_no_webhook_told_is_answered(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        _lost(shop, events.change(events.comment("9001", "price", comment_id="c1")))
        await _reads(shop, seconds=5)
        assert shop.fake.sent == []
        await _reads(shop, minutes=5)
        assert shop.fake.order == ["private", "public"]

        def reads() -> int:
            return len([call for call in shop.fake.calls if call.path.endswith("/comments")])

        before = reads()
        await _reads(shop, minutes=5)
        assert reads() == before, "the number of comments has not changed"


async def test_what_somebody_has_answered_is_only_noted(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        _lost(shop, events.talk(events.message("9001", "size")))
        shop.fake.owner_wrote("9001", "I have your size!")
        _lost(shop, events.change(events.comment("9002", "price", comment_id="c2")))
        shop.fake.replies.append(PublicReply("c2", "Look inside", "c2-own"))
        await _reads(shop, minutes=5)
        assert shop.fake.sent == []
        assert [(e["verdict"], e["reason"]) for e in _events(shop)] == [
            ("noted", "answered since by you or another tool")
        ] * 2


async def test_our_own_later_message_is_no_answer_of_the_owner(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        await shop.deliver(events.talk(events.message("9001", "hello")))
        _lost(shop, events.talk(events.message("9001", "size")))
        await shop.deliver(events.change(events.comment("9001", "price", comment_id="c1")))
        await shop.works()
        assert len(shop.fake.thread("9001")) == 1
        await _reads(shop, minutes=5)
        assert shop.fake.thread("9001")[-1] == "Which size?"


async def test_what_happened_before_the_connection_stays_unanswered(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        old = {**events.change(events.comment("9001", "price", comment_id="c1")), "time": 1_700_000_000}
        _lost(shop, old)
        await _reads(shop, minutes=5)
        assert _events(shop) == []


async def test_instagram_is_down_and_nothing_is_missed_afterwards(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        down = True

        def wrong(call: Call) -> Trouble | None:
            return Trouble(503, 2) if down and call.method == "GET" else None

        shop.fake.trouble = wrong
        _lost(shop, events.talk(events.message("9001", "size")))
        for _ in range(6):
            await _reads(shop, minutes=5)
        down = False
        await _reads(shop, minutes=5)
        assert len(shop.fake.thread("9001")) == 1


async def test_a_lost_subscription_is_mended(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.subscribed = []
        await _reads(shop, seconds=1)
        assert "messages" in shop.fake.subscribed
        assert shop.problems() == []
        # ... and looked at again an hour later, not in every round.
        shop.fake.subscribed = []
        await _reads(shop, minutes=5)
        assert shop.fake.subscribed == []
        await _reads(shop, minutes=56)
        assert "comments" in shop.fake.subscribed


async def test_a_subscription_that_cannot_be_mended_is_told_once(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.subscribed = []
        shop.fake.trouble = lambda call: (
            Trouble(400, 100) if call.method == "POST" and "subscribed_apps" in call.path else None
        )
        await _reads(shop, seconds=1)
        await _reads(shop, minutes=5)
        assert [problem["code"] for problem in shop.problems()] == ["subscription_lost"]
        shop.fake.trouble = lambda _: None
        await _reads(shop, minutes=5)
        assert shop.problems() == []


async def test_the_daemon_catches_up_after_it_was_away(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.stop()
        database = _sqlite.connect(str(shop.home / "pamosnik.db"))
        database.execute("UPDATE connections SET connected_at = connected_at - 3600000")
        database.commit()
        database.close()
        message = events.message("9001", "size")
        message["timestamp"] -= 40_000
        shop.fake.note(events.envelope(events.talk(message)))
        await shop.start()
        assert await shop.settles("9001", 1, within_s=45) == ["Automated reply.\nWhich size?"]


async def test_among_thousands_of_comments_and_conversations_none_is_too_far_back(tmp_path: Path) -> None:
    """Only the newest thousand were read, and what was behind them counted as read."""
    async with machine(tmp_path) as shop:
        _lost(shop, events.change(events.comment("9001", "price", comment_id="c0")))
        _lost(
            shop,
            *(events.change(events.comment(f"8{n:04}", "nice", comment_id=f"c{n}")) for n in range(1, 1150)),
        )
        _lost(shop, events.talk(events.message("9002", "size")))
        _lost(shop, *(events.talk(events.message(f"7{n:04}", "thanks")) for n in range(1150)))
        await _reads(shop, minutes=5)
        assert [shop.fake.thread(igsid)[0][-11:] for igsid in ("9001", "9002")] == [
            "t is yours.",
            "Which size?",
        ]


async def test_a_long_list_of_comments_is_not_read_again_with_every_new_comment(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        _lost(
            shop, *(events.change(events.comment(f"8{n:04}", "nice", comment_id=f"c{n}")) for n in range(300))
        )
        await _reads(shop, minutes=5)
        await _reads(shop, hours=1)

        def pages() -> int:
            return len([call for call in shop.fake.calls if call.path.endswith("/comments")])

        before = pages()
        now = int(shop.clock.now().timestamp())
        _lost(shop, {**events.change(events.comment("9001", "price", comment_id="new")), "time": now})
        await _reads(shop, minutes=5)
        assert pages() == before + 1
        assert len(shop.fake.thread("9001")) == 1


async def test_webhooks_that_do_not_arrive_are_told_until_they_do(tmp_path: Path) -> None:
    """The tunnel was down for days, and only slow answers told of it."""
    async with machine(tmp_path) as shop:
        await shop.deliver(events.talk(events.message("9000", "hello")))
        await _reads(shop, minutes=5)
        for number in range(1, 3):
            _lost(shop, events.talk(_written_now(shop, f"900{number}")))
            await _reads(shop, minutes=30)
            assert shop.problems_of("webhooks_missing") == [], "one alone may be lost by chance"
        for number in range(3, 5):
            _lost(shop, events.talk(_written_now(shop, f"900{number}")))
            await _reads(shop, minutes=30)
        (message,) = shop.problems_of("webhooks_missing")
        assert "do not arrive" in message
        await _reads(shop, hours=5)
        assert len(shop.problems_of("webhooks_missing")) == 1, "nobody wrote: that is no proof"
        await shop.deliver(events.talk(_written_now(shop, "9005")))
        await _reads(shop, minutes=5)
        assert shop.problems_of("webhooks_missing") == []


def _written_now(shop: Machine, igsid: str) -> Json:
    return {**events.message(igsid, "hello"), "timestamp": int(shop.clock.now().timestamp() * 1000)}


def _captions(shop: Machine) -> dict[str, str | None]:
    conn = shop.reader.connection
    return {post.media_id: post.caption for post in flow_store.posts(conn, accounts.every(conn)[0].id)}


async def test_captions_of_posts_are_learnt_once(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        shop.fake.captions["m55"] = f"Our winter prices. {'x' * 400}"
        _lost(shop, events.change(events.comment("9001", "price", comment_id="c1", media="m55")))
        _lost(shop, events.change(events.comment("9001", "lovely", comment_id="c2", media="m56")))
        await _reads(shop, minutes=5)
        assert _captions(shop) == {"m55": shop.fake.captions["m55"][: flow_store.CAPTION_KEPT], "m56": ""}
        shop.fake.captions["m56"] = "Written since"
        await _reads(shop, minutes=5)
        assert _captions(shop)["m56"] == "", "a post is asked about once"


@pytest.mark.parametrize(
    ("trouble", "asked_again"), [(Trouble(code=100), False), (Trouble(status=500, code=2), True)]
)
async def test_without_captions_comments_are_found_all_the_same(
    tmp_path: Path, trouble: Trouble, asked_again: bool
) -> None:
    """Meta's reference promises captions to other apps: where they are refused nobody asks twice; while Instagram is
    down for a moment it is asked again."""
    async with machine(tmp_path) as shop:
        shop.fake.captions["m55"] = "Our winter prices"
        shop.fake.trouble = lambda call: trouble if "caption" in call.query.get("fields", "") else None
        _lost(shop, events.change(events.comment("9001", "price", comment_id="c1", media="m55")))
        await _reads(shop, minutes=5)
        assert [one["verdict"] for one in _events(shop)] == ["started"]
        shop.fake.trouble = calm
        await _reads(shop, minutes=5)
        assert _captions(shop)["m55"] == ("Our winter prices" if asked_again else None)
