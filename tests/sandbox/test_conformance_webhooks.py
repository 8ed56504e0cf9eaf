"""Webhooks line by line: shapes of §3.8 to §3.10, envelopes and signatures of §3.2 and §3.3, delivery of §3.4."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pamosnik.clock import SystemClock
from pamosnik.sandbox import people, rules
from pamosnik.sandbox.deliveries import Switches
from pamosnik.sandbox.envelopes import envelope
from pamosnik.sandbox.main import seed
from pamosnik.sandbox.things import Notice
from pamosnik.sandbox.world import World

from .shop import Shop, entries

pytestmark = pytest.mark.anyio

Do = Callable[[Shop], Awaitable[None]]
QUESTIONS = [{"locale": "default", "call_to_actions": [{"question": "Hours?", "payload": "IB"}]}]


def act(name: str, **body: Any) -> Do:
    async def do(shop: Shop) -> None:
        await shop.act(name, **{"person": "anna", **body})

    return do


def after(*steps: Do) -> Do:
    async def do(shop: Shop) -> None:
        for step in steps:
            await step(shop)

    return do


async def send(shop: Shop) -> None:
    await shop.send({"id": await shop.igsid("anna")}, {"text": "Hi", "metadata": "note"})


async def ice_breakers(shop: Shop) -> None:
    await shop.post("/me/messenger_profile", platform="instagram", ice_breakers=QUESTIONS)


async def boost(shop: Shop) -> None:
    await shop.act("boost", title="Autumn sale")


async def reply_publicly(shop: Shop) -> None:
    await shop.post(f"/{await shop.comments('anna')}/replies", message="Sent!")


async def reel(shop: Shop) -> None:
    await shop.act("posts", kind="reel", caption="How it works")
    await shop.act("share_post", person="anna")


async def story_with_sticker(shop: Shop) -> None:
    await shop.act("posts", kind="story", link_sticker="https://shop.example/x")
    await shop.act("story_reply", person="anna", text="LINK")


async def say_to_oneself(shop: Shop) -> None:
    await shop.act("self_message", text="test")


def switches(**which: Any) -> Do:
    async def do(shop: Shop) -> None:
        await shop.act("switches", **which)

    return do


WRITE = act("dm", text="price?")
AD = {"ref": "autumn", "ad_id": "238", "title": "Autumn sale", "photo_url": "https://a.example/p.jpg"}

# "…" stands for any value; the shape is that of the last update
SHAPES: list[tuple[str, Do, Any]] = [
    ("§3.8 text", WRITE, {"message": {"mid": "…", "text": "price?"}}),
    (
        "§3.8 image without text",
        act("dm", image="https://a.example/a.jpg"),
        {"message": {"mid": "…", "attachments": [{"type": "image", "payload": {"url": "…"}}]}},
    ),
    (
        "§3.8 video",
        act("dm", video="https://a.example/a.mp4"),
        {"message": {"mid": "…", "attachments": [{"type": "video", "payload": {"url": "…"}}]}},
    ),
    (
        "§3.8 audio",
        act("dm", audio="https://a.example/a.mp4"),
        {"message": {"mid": "…", "attachments": [{"type": "audio", "payload": {"url": "…"}}]}},
    ),
    (
        "§3.8 file",
        act("dm", file="https://a.example/a.pdf"),
        {"message": {"mid": "…", "attachments": [{"type": "file", "payload": {"url": "…"}}]}},
    ),
    ("§3.8 unsupported", act("dm", unsupported=True), {"message": {"mid": "…", "is_unsupported": True}}),
    (
        "§3.8 story mention",
        act("story_mention"),
        {"message": {"mid": "…", "attachments": [{"type": "story_mention", "payload": {"url": "…"}}]}},
    ),
    (
        "§3.8 shared post",
        act("share_post"),
        {
            "message": {
                "mid": "…",
                "attachments": [
                    {"type": "ig_post", "payload": {"ig_post_media_id": "…", "title": "…", "url": "…"}}
                ],
            }
        },
    ),
    (
        "§3.8 shared post in the old way",
        after(switches(shared_as="share"), act("share_post")),
        {"message": {"mid": "…", "attachments": [{"type": "share", "payload": {"url": "…"}}]}},
    ),
    (
        "§3.8 both ways together",
        after(switches(shared_as="both"), act("share_post")),
        {
            "message": {
                "mid": "…",
                "attachments": [
                    {"type": "share", "payload": {"url": "…"}},
                    {"type": "ig_post", "payload": {"ig_post_media_id": "…", "title": "…", "url": "…"}},
                ],
            }
        },
    ),
    (
        "§3.8 shared reel",
        reel,
        {
            "message": {
                "mid": "…",
                "attachments": [
                    {
                        "type": "ig_reel",
                        "payload": {"reel_video_id": "…", "title": "How it works", "url": "…"},
                    }
                ],
            }
        },
    ),
    (
        "§3.8 shared reel without its keys",
        after(switches(reel_keys=False), reel),
        {"message": {"mid": "…", "attachments": [{"type": "ig_reel", "payload": {"url": "…"}}]}},
    ),
    (
        "§3.8 story reply with a link sticker",
        story_with_sticker,
        {
            "message": {
                "mid": "…",
                "text": "LINK",
                "reply_to": {"story": {"id": "…", "url": "…", "link_sticker_url": "https://shop.example/x"}},
            }
        },
    ),
    (
        "§3.8 message from an ad",
        act("dm", text="Hi", ad=AD),
        {
            "message": {
                "mid": "…",
                "text": "Hi",
                "referral": {
                    "ref": "autumn",
                    "ad_id": "238",
                    "source": "ADS",
                    "type": "OPEN_THREAD",
                    "ads_context_data": {"ad_title": "Autumn sale", "photo_url": "https://a.example/p.jpg"},
                },
            }
        },
    ),
    (
        "§3.8 message from a shop page",
        act("dm", text="Is it in stock?", product="5000000000001"),
        {
            "message": {
                "mid": "…",
                "text": "Is it in stock?",
                "referral": {"product": {"id": "5000000000001"}},
            }
        },
    ),
    (
        "§3.8 edit",
        after(WRITE, act("edit_message", text="prices?")),
        {"message_edit": {"mid": "…", "text": "prices?", "num_edit": 1}},
    ),
    (
        "§3.8 second edit",
        after(WRITE, act("edit_message", text="a"), act("edit_message", text="b")),
        {"message_edit": {"mid": "…", "text": "b", "num_edit": 2}},
    ),
    ("§3.8 deletion", after(WRITE, act("delete_message")), {"message": {"mid": "…", "is_deleted": True}}),
    ("§3.8 echo", after(WRITE, send), {"message": {"mid": "…", "text": "Hi", "is_echo": True}}),
    (
        "§3.8 echo with app_id and metadata is a switch",
        after(switches(echo_metadata=True), WRITE, send),
        {"message": {"mid": "…", "text": "Hi", "is_echo": True, "app_id": "…", "metadata": "note"}},
    ),
    (
        "§3.8 self message",
        say_to_oneself,
        {"message": {"mid": "…", "text": "test", "is_echo": True, "is_self": True}},
    ),
    (
        "§3.8 reaction",
        after(WRITE, send, act("react", emoji="❤️")),
        {"reaction": {"mid": "…", "action": "react", "reaction": "love", "emoji": "❤️"}},
    ),
    (
        "§3.8 other reaction",
        after(WRITE, send, act("react", emoji="🌵")),
        {"reaction": {"mid": "…", "action": "react", "reaction": "other", "emoji": "🌵"}},
    ),
    (
        "§3.8 the word for others is a switch",
        after(switches(other_reaction=False), WRITE, send, act("react", emoji="🌵")),
        {"reaction": {"mid": "…", "action": "react", "reaction": "🌵", "emoji": "🌵"}},
    ),
    (
        "§3.8 reaction taken back",
        after(WRITE, send, act("react")),
        {"reaction": {"mid": "…", "action": "unreact"}},
    ),
    ("§3.8 seen", after(WRITE, send, act("read")), {"read": {"mid": "…"}}),
    (
        "§4.7 link in an existing thread",
        after(ice_breakers, WRITE, act("open_link", ref="flyer7")),
        {"referral": {"ref": "flyer7", "source": "SHORTLINKS", "type": "OPEN_THREAD"}},
    ),
    (
        "§4.7 link, then an ice breaker",
        after(ice_breakers, act("open_link", ref="flyer7"), act("tap_ice_breaker", question="Hours?")),
        {
            "postback": {
                "mid": "…",
                "title": "Hours?",
                "payload": "IB",
                "referral": {"ref": "flyer7", "source": "SHORTLINKS", "type": "OPEN_THREAD"},
            }
        },
    ),
    (
        "§4.7 link, then a message",
        after(ice_breakers, act("open_link", ref="flyer7"), WRITE),
        {
            "message": {
                "mid": "…",
                "text": "price?",
                "referral": {"ref": "flyer7", "source": "SHORTLINKS", "type": "OPEN_THREAD"},
            }
        },
    ),
    (
        "§4.7 the referral comes once",
        after(ice_breakers, act("open_link", ref="flyer7"), WRITE, WRITE),
        {"message": {"mid": "…", "text": "price?"}},
    ),
    (
        "§4.7 referral in the first message is a switch",
        after(switches(referral_in_first=False), ice_breakers, act("open_link", ref="flyer7"), WRITE),
        {"message": {"mid": "…", "text": "price?"}},
    ),
    (
        "§3.8 ice breakers without mid are a switch",
        after(switches(ice_breaker_mid=False), ice_breakers, act("tap_ice_breaker", question="Hours?")),
        {"postback": {"title": "Hours?", "payload": "IB"}},
    ),
    (
        "§3.8 opt-in",
        act("opt_in", title="News", payload="NEWS"),
        {"optin": {"type": "notification_messages", "payload": "NEWS", "title": "News"}},
    ),
    (
        "§3.8 thread control passed",
        act("hand_over", kind="pass"),
        {"pass_thread_control": {"previous_owner_app_id": "…", "new_owner_app_id": "…", "metadata": ""}},
    ),
    (
        "§3.8 thread control taken",
        act("hand_over", kind="take"),
        {"take_thread_control": {"previous_owner_app_id": "…", "new_owner_app_id": "…", "metadata": ""}},
    ),
    (
        "§3.8 thread control requested",
        act("hand_over", kind="request"),
        {"request_thread_control": {"requested_owner_app_id": "…", "metadata": ""}},
    ),
    (
        "§3.9 comment",
        act("comment", text="LINK"),
        {
            "field": "comments",
            "value": {
                "id": "…",
                "text": "LINK",
                "from": {"id": "…", "username": "anna"},
                "media": {"id": "…", "media_product_type": "FEED"},
            },
        },
    ),
    (
        "§3.9 GIF comment has no text",
        act("comment"),
        {
            "field": "comments",
            "value": {
                "id": "…",
                "from": {"id": "…", "username": "anna"},
                "media": {"id": "…", "media_product_type": "FEED"},
            },
        },
    ),
    (
        "§3.9 comment_id is a switch",
        after(switches(comment_id_key="comment_id"), act("comment", text="LINK")),
        {
            "field": "comments",
            "value": {
                "comment_id": "…",
                "text": "LINK",
                "from": {"id": "…", "username": "anna"},
                "media": {"id": "…", "media_product_type": "FEED"},
            },
        },
    ),
    (
        "§3.9 own reply",
        reply_publicly,
        {
            "field": "comments",
            "value": {
                "id": "…",
                "text": "Sent!",
                "parent_id": "…",
                "from": {"id": "…", "username": "rosas_shop", "self_ig_scoped_id": "…"},
                "media": {"id": "…", "media_product_type": "FEED"},
            },
        },
    ),
    (
        "§3.9 comment on a boosted post, told for the ad",
        after(boost, act("comment", text="LINK")),
        {
            "field": "comments",
            "value": {
                "id": "…",
                "text": "LINK",
                "from": {"id": "…", "username": "anna"},
                "media": {
                    "id": "…",
                    "media_product_type": "AD",
                    "ad_id": "…",
                    "ad_title": "Autumn sale",
                    "original_media_id": "…",
                },
            },
        },
    ),
    (
        "§3.9 live comment",
        act("live_comment", text="LINK"),
        {
            "field": "live_comments",
            "value": {
                "id": "…",
                "text": "LINK",
                "from": {"id": "…", "username": "anna"},
                "media": {"id": "…"},
            },
        },
    ),
]


def same(shape: Any, told: Any) -> bool:
    match shape:
        case "…":
            return isinstance(told, str | int) and bool(told)
        case dict():
            return shape.keys() == told.keys() and all(same(shape[name], told[name]) for name in shape)
        case list():
            return len(shape) == len(told) and all(map(same, shape, told))
        case _:
            return bool(shape == told)


@pytest.mark.parametrize(("do", "shape"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
async def test_shapes(shop: Shop, do: Do, shape: Any) -> None:
    await shop.connect()
    await do(shop)
    told = (await shop.heard())[-1]
    head = {name: told[name] for name in ("sender", "recipient", "timestamp") if name in told}
    rest = {name: value for name, value in told.items() if name not in head}
    assert same(shape, rest), told
    if "field" not in told:
        assert set(head) == {"sender", "recipient", "timestamp"}
        assert head["timestamp"] > 10**12


async def test_who_is_sender(shop: Shop) -> None:
    """§3.7"""
    await shop.connect()
    igsid, ig_id = await shop.writes("anna"), shop.sandbox.ig_id
    await send(shop)
    written, echo = await shop.heard()
    assert (written["sender"]["id"], written["recipient"]["id"]) == (igsid, ig_id)
    assert (echo["sender"]["id"], echo["recipient"]["id"]) == (ig_id, igsid)


async def test_boosted_posts_tell_twice_by_switch(shop: Shop) -> None:
    """§3.9: the same comment id, two media ids."""
    await shop.connect()
    await boost(shop)
    comment = await shop.comments("anna")
    organic, ad = [event["value"] for event in await shop.heard()]
    assert organic["id"] == ad["id"] == comment
    assert ad["media"]["original_media_id"] == organic["media"]["id"] != ad["media"]["id"]
    await shop.act("switches", boosted_double=False)
    await shop.comments("anna")
    assert len(await shop.heard()) == 3


@pytest.mark.parametrize(
    ("shape", "edge"), [("changes", "changes"), ("messaging", "messaging")], ids=["§3.10 IL", "§3.10 FL"]
)
async def test_dashboard_tests(shop: Shop, shape: str, edge: str) -> None:
    await shop.connect()
    await shop.act("configure", live=False)
    await shop.act("test_event", shape=shape)
    await shop.heard()
    (entry,) = entries(shop.receiver.bodies[0])
    assert entry["id"] == "0"
    (item,) = entry[edge]
    value = item["value"] if edge == "changes" else item
    assert value["message"] == {"mid": "random_mid", "text": "random_text"}
    assert value["timestamp"] == "1527459824"


async def test_comment_envelopes(shop: Shop) -> None:
    """§0: `changes[]`, or field and value in the entry itself."""
    await shop.connect(comment_envelope="entry")
    comment = await shop.comments("anna")
    await shop.writes("anna")
    await shop.heard()
    (first,), (second,) = (entries(body) for body in shop.receiver.bodies)
    assert (first["field"], first["value"]["id"]) == ("comments", comment)
    assert first["time"] < 10**11
    assert "changes" not in first
    assert second["messaging"][0]["message"]["text"] == "Hello"


async def test_outer_array_and_slashes(shop: Shop) -> None:
    r"""§0, §3.3: `[{…}]`, and `\/` for `/`; the signature is over these bytes."""
    await shop.connect(outer_array=True, escape_slashes=True)
    await shop.act("dm", person="anna", text="50/50 ä")
    await shop.heard()
    (body,) = shop.receiver.bodies
    assert body.startswith(b"[{")
    assert b"50\\/50 \\u00e4" in body
    assert shop.receiver.events[0]["message"]["text"] == "50/50 ä"
    mac = hmac.new(shop.sandbox.app_secret.encode(), body, hashlib.sha256).hexdigest()
    assert shop.receiver.signatures == [f"sha256={mac}"]


async def test_either_secret_signs(shop: Shop) -> None:
    """§3.3"""
    await shop.connect(signs_with="meta", sha1_signature=True)
    await shop.writes("anna")
    await shop.heard()
    secret, body = shop.sandbox.world.app.meta_secret.encode(), shop.receiver.bodies[0]
    assert secret != shop.sandbox.app_secret.encode()
    assert shop.receiver.signatures == ["sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()]
    old = hmac.new(secret, body, hashlib.sha1).hexdigest()
    assert shop.receiver.headers[0]["X-Hub-Signature"] == f"sha1={old}"


async def test_edits_are_told_only_to_who_subscribed(shop: Shop) -> None:
    """§3.6"""
    await shop.connect()
    await shop.act("configure", fields="messages")
    await shop.writes("anna")
    await shop.act("edit_message", person="anna", text="x")
    assert [set(event) & {"message", "message_edit"} for event in await shop.heard()] == [{"message"}]


async def test_companion_instead_of_the_message(shop: Shop) -> None:
    """§3.8: and the text can be recovered by its mid; echoes and deletions are not concerned."""
    await shop.connect(edit_instead=True)
    mid = (await shop.act("dm", person="anna", text="price?"))["mid"]
    await send(shop)
    companion, echo = await shop.heard()
    assert companion["message_edit"] == {"mid": mid, "num_edit": 0}
    assert echo["message"]["is_echo"]
    assert (await shop.get(f"/{mid}", fields="message")).body["message"] == "price?"


async def test_loss(shop: Shop) -> None:
    """§12.9: the next n, or a share."""
    await shop.connect(lose_next=2)
    for text in "abc":
        await shop.act("dm", person="anna", text=text)
    assert [event["message"]["text"] for event in await shop.heard()] == ["c"]
    assert (await shop.look("state"))["switches"]["lose_next"] == 0
    await shop.act("switches", loss=1)
    await shop.writes("anna")
    await shop.act("switches", loss=0.5)
    for _ in range(40):
        await shop.writes("anna")
    assert 5 < len(await shop.heard()) < 36


async def test_standby_while_another_app_owns_the_thread(shop: Shop) -> None:
    """§3.8"""
    await shop.connect()
    await shop.act("hand_over", person="anna", kind="take")
    await shop.writes("anna")
    await shop.comments("anna")
    await shop.heard()
    taken, standby, comment = (entries(body)[0] for body in shop.receiver.bodies)
    assert "take_thread_control" in taken["messaging"][0]
    assert standby["standby"][0]["message"]["text"] == "Hello"
    assert comment["changes"][0]["field"] == "comments"
    await shop.act("hand_over", person="anna", kind="pass")
    assert (await shop.send({"id": await shop.igsid("anna")}, {"text": "x"})).status == 200


async def test_comments_need_a_public_account(shop: Shop) -> None:
    """§3.6"""
    await shop.connect(public=False)
    await shop.comments("anna")
    await shop.writes("anna")
    assert [set(event) & {"field", "message"} for event in await shop.heard()] == [{"message"}]


async def test_private_profiles_mention_only_who_follows_them(shop: Shop) -> None:
    """§3.8"""
    await shop.connect()
    await shop.act("people", username="anna", private=True)
    refused = await shop.call("POST", "/sandbox/story_mention", json={"person": "anna"})
    assert refused.status == 400
    await shop.act("people", username="anna", followed=True)
    await shop.act("story_mention", person="anna")
    assert len(await shop.heard()) == 1


async def failing(shop: Shop, **more: Any) -> None:
    await shop.connect(retry_gaps_s=[0.0, 0.005], **more)
    shop.receiver.statuses = [500] * 100_000
    await shop.writes("anna")
    while len(await shop.look("deliveries")) < 3:
        pass


async def test_alert_after_a_quarter_of_an_hour(shop: Shop) -> None:
    """§3.4"""
    await failing(shop)
    assert (await shop.look("state"))["webhooks"]["alerted"] is False
    shop.later(minutes=15)
    assert (await shop.look("state"))["webhooks"]["alerted"] is True
    shop.receiver.statuses = []
    await shop.heard()
    assert (await shop.look("state"))["webhooks"] == {"failing_since": None, "alerted": False}


async def test_gives_up_after_36_hours(shop: Shop) -> None:
    """§3.4: the other page's rule, with the hour's rule switched off."""
    await failing(shop, drops_subscription=False)
    shop.later(hours=35, minutes=59)
    tried = len(await shop.look("deliveries"))
    while len(await shop.look("deliveries")) == tried:
        pass
    shop.later(minutes=1)
    assert await shop.heard() == []
    assert (await shop.look("state"))["accounts"][0]["subscribed_fields"] == ["messages"]


async def test_slow_receivers_count_as_failures(shop: Shop) -> None:
    """§3.4: no answer within 5 seconds. The one test that waits, for that is what it proves."""
    stall = asyncio.Event()
    await shop.connect(retry_gaps_s=[0.0])
    shop.receiver.stall = stall
    await shop.writes("anna")
    for _ in range(100):
        await asyncio.sleep(rules.DELIVERY_TIMEOUT_S / 20)
        if log := await shop.look("deliveries"):
            break
    assert log[0]["status"] is None
    shop.receiver.stall = None
    stall.set()
    assert [event["message"]["text"] for event in await shop.heard()][-1] == "Hello"


def test_a_batch_is_at_most_a_thousand() -> None:
    """§3.4, and consecutive updates of one account share an entry."""
    told = tuple(Notice("1", "messages", {"message": {"mid": str(number)}}) for number in range(1000))
    now = datetime(2026, 9, 1, tzinfo=UTC)
    (entry,) = json.loads(envelope(told, now))["entry"]
    assert len(entry["messaging"]) == 1000
    bare = json.loads(
        envelope(
            (Notice("1", "comments", {"field": "comments", "value": {}}),) * 2,
            now,
            Switches(comment_envelope="entry"),
        )
    )
    assert [one["field"] for one in bare["entry"]] == ["comments", "comments"]


async def test_batch_bounds(shop: Shop) -> None:
    """§3.4"""
    for batch, status in ((1000, 200), (1001, 400), (0, 400)):
        answer = await shop.call("POST", "/sandbox/switches", json={"batch": batch})
        assert answer.status == status


def test_listeners_in_process_hear_everything() -> None:
    """A world without a server: what `tell` says can be put into an envelope directly."""
    world = World(SystemClock())
    seed(world)
    heard: list[Notice] = []
    world.listen(heard.append)
    account, anna = world.account_named(None), world.person_named("anna")
    people.message(world, account, anna, "Hello")
    assert [notice.field for notice in heard] == ["messages", "message_edit"]


async def test_two_accounts_share_an_app_and_nothing_else(shop: Shop) -> None:
    """§3.2: entries by account; §2.4: each subscribes for itself; ids of a person differ by account."""
    await shop.connect(batch=10)
    other = await shop.act("accounts", username="another_shop")
    await shop.act("posts", account="another_shop")
    for account in ("rosas_shop", "another_shop"):
        await shop.act("dm", person="anna", text=account, account=account)
    await shop.heard()
    assert [one["message"]["text"] for one in shop.receiver.events] == ["rosas_shop"]
    subscribed = await shop.call(
        "POST",
        f"/v26.0/{other['ig_id']}/subscribed_apps",
        token=other["token"],
        params={"subscribed_fields": "messages"},
    )
    assert subscribed.body == {"success": True}
    await shop.act("dm", person="anna", text="x", account="another_shop")
    await shop.comments("anna", account="another_shop")
    await shop.heard()
    told = [entry for body in shop.receiver.bodies[1:] for entry in entries(body)]
    assert {entry["id"] for entry in told} == {other["ig_id"]}
    there = next(entry["messaging"][0]["sender"]["id"] for entry in told if "messaging" in entry)
    here = (await shop.act("people", username="anna", account="rosas_shop"))["igsid"]
    assert there != here
    assert (await shop.call("GET", f"/{there}")).error == (400, 100, 33)
    assert (await shop.call("GET", f"/{there}", token=other["token"])).status == 200
    foreign = await shop.call("GET", f"/{other['ig_id']}/media")
    assert foreign.error == (400, 100, 33)
