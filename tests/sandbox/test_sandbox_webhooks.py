"""Deliveries: signatures, subscriptions, shapes, retries and the switches. Rule 9."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from pamosnik.clock import SystemClock
from pamosnik.sandbox import people
from pamosnik.sandbox.main import Sandbox

from .shop import Shop

pytestmark = pytest.mark.anyio

NO_GAPS = [0.0]


async def test_signature_is_over_the_escaped_bytes(shop: Shop) -> None:
    await shop.connect()
    await shop.act("dm", person="anna", text="Käse 🧀")
    await shop.heard()
    body = shop.receiver.bodies[0]
    assert b"K\\u00e4se \\ud83e\\uddc0" in body
    expected = hmac.new(shop.sandbox.app_secret.encode(), body, hashlib.sha256).hexdigest()
    assert shop.receiver.signatures == [f"sha256={expected}"]


async def test_envelopes_of_messages_and_comments(shop: Shop) -> None:
    await shop.connect()
    comment = await shop.act("comment", person="anna", text="LINK")
    mid = (await shop.act("dm", person="anna", text="price?"))["mid"]
    igsid, ig_id = await shop.igsid("anna"), shop.sandbox.ig_id
    await shop.heard()
    assert [json.loads(body) for body in shop.receiver.bodies] == [
        {
            "object": "instagram",
            "entry": [
                {
                    "id": ig_id,
                    "time": 1788256800,
                    "changes": [
                        {
                            "field": "comments",
                            "value": {
                                "id": comment["id"],
                                "text": "LINK",
                                "from": {"id": igsid, "username": "anna"},
                                "media": {"id": comment["post"], "media_product_type": "FEED"},
                            },
                        }
                    ],
                }
            ],
        },
        {
            "object": "instagram",
            "entry": [
                {
                    "id": ig_id,
                    "time": 1788256800000,
                    "messaging": [
                        {
                            "sender": {"id": igsid},
                            "recipient": {"id": ig_id},
                            "timestamp": 1788256800000,
                            "message": {"mid": mid, "text": "price?"},
                        }
                    ],
                }
            ],
        },
    ]


async def test_what_people_do_on_their_phones(shop: Shop) -> None:
    await shop.connect()
    igsid = await shop.writes("anna")
    chip = {"content_type": "text", "title": "Yes", "payload": "Y"}
    sent = await shop.send({"id": igsid}, {"text": "Well?", "quick_replies": [chip]})
    template = {
        "template_type": "button",
        "text": "Pick",
        "buttons": [{"type": "postback", "title": "Go", "payload": "G"}],
    }
    await shop.send({"id": igsid}, {"attachment": {"type": "template", "payload": template}})
    await shop.heard()
    shop.receiver.events.clear()
    await shop.act("tap", person="anna", title="Yes")
    await shop.act("tap", person="anna", title="Go")
    await shop.act("react", person="anna", emoji="❤️", mid=sent.body["message_id"])
    await shop.act("react", person="anna", mid=sent.body["message_id"])
    await shop.act("read", person="anna")
    await shop.act("story_reply", person="anna", text="LINK")
    await shop.act("story_mention", person="anna")
    unsent = await shop.act("delete_message", person="anna")
    tap, postback, love, gone, read, reply, mention, deleted = await shop.heard()
    assert tap["message"]["quick_reply"] == {"payload": "Y"}
    assert tap["message"]["text"] == "Yes"
    assert (postback["postback"]["title"], postback["postback"]["payload"]) == ("Go", "G")
    assert love["reaction"]["reaction"] == "love"
    assert gone["reaction"] == {"mid": sent.body["message_id"], "action": "unreact"}
    assert set(read["read"]) == {"mid"}
    assert reply["message"]["reply_to"]["story"]["id"]
    assert mention["message"]["attachments"][0]["type"] == "story_mention"
    assert deleted["message"] == {"mid": unsent["mid"], "is_deleted": True}
    again = await shop.call("POST", "/sandbox/tap", json={"person": "anna", "title": "Yes"})
    assert again.status == 404


async def test_echoes_of_the_api_and_of_the_owner(shop: Shop) -> None:
    await shop.connect()
    igsid = await shop.writes("anna")
    sent = await shop.send({"id": igsid}, {"text": "Hi"})
    by_hand = await shop.act("owner_message", person="anna", text="Rosa here")
    _, api, owner = await shop.heard()
    assert (api["sender"]["id"], api["recipient"]["id"]) == (shop.sandbox.ig_id, igsid)
    assert api["message"] == {"mid": sent.body["message_id"], "text": "Hi", "is_echo": True}
    assert owner["message"] == {"mid": by_hand["mid"], "text": "Rosa here", "is_echo": True}


async def test_own_replies_come_back_as_comments(shop: Shop) -> None:
    await shop.connect()
    comment = (await shop.act("comment", person="anna", text="LINK"))["id"]
    made = (await shop.call("POST", f"/v26.0/{comment}/replies?message=Sent!")).body["id"]
    value = (await shop.heard())[1]["value"]
    assert (value["id"], value["parent_id"], value["text"]) == (made, comment, "Sent!")
    assert value["from"]["id"] == shop.sandbox.ig_id
    assert value["from"]["self_ig_scoped_id"] not in ("", shop.sandbox.ig_id)


async def test_live_comments_have_their_own_field(shop: Shop) -> None:
    await shop.connect()
    await shop.act("live_comment", person="anna", text="LINK")
    assert [event["field"] for event in await shop.heard()] == ["live_comments"]


async def test_nothing_arrives_unless_all_three_levels_agree(shop: Shop) -> None:
    await shop.connect()
    account = f"/v26.0/{shop.sandbox.ig_id}/subscribed_apps"
    await shop.act("configure", live=False)
    await shop.act("dm", person="anna", text="not live")
    await shop.act("configure", live=True, fields="messages")
    await shop.act("comment", person="anna", text="no such app field")
    await shop.call("DELETE", account)
    await shop.act("dm", person="anna", text="not subscribed")
    await shop.call("POST", account, params={"subscribed_fields": "comments"})
    await shop.act("switches", scopes=["instagram_business_basic"])
    await shop.act("dm", person="anna", text="no scope")
    assert await shop.heard() == []


async def test_account_gets_every_field_of_the_app(shop: Shop) -> None:
    await shop.connect()
    await shop.act("comment", person="anna", text="LINK")
    assert len(await shop.heard()) == 1


async def test_a_handshake_that_nobody_answers_is_told_plainly(shop: Shop) -> None:
    url = "http://127.0.0.1:9/hook"
    body = {"callback_url": url, "verify_token": "x"}
    refused = await shop.call("POST", "/sandbox/configure", json=body)
    assert refused.status == 400
    assert refused.body == {
        "error": f"{url} did not answer: connection refused",
        "hint": "Start your program first.",
    }
    nowhere = await shop.call("POST", "/sandbox/configure", json=body | {"callback_url": "nonsense"})
    assert nowhere.body["error"] == "nonsense did not answer: that is no web address"


async def test_handshake_failures_change_nothing(shop: Shop) -> None:
    await shop.connect()
    for wrong in (
        {"verify_token": "wrong"},
        {"callback_url": "http://127.0.0.1:9/webhook"},
        {"callback_url": shop.receiver.url + "/elsewhere"},
    ):
        answer = await shop.call("POST", "/sandbox/configure", json=wrong)
        assert answer.status == 400, wrong
        assert "answer" in answer.body["error"]
    state = await shop.look("state")
    assert state["app"]["callback_url"] == shop.receiver.url


async def test_refused_deliveries_are_repeated(shop: Shop) -> None:
    await shop.connect(retry_gaps_s=NO_GAPS)
    shop.receiver.statuses = [500, 404, 302]
    await shop.act("dm", person="anna", text="Hello")
    events = await shop.heard()
    assert [event["message"]["text"] for event in events] == ["Hello"]
    assert [one["status"] for one in await shop.look("deliveries")] == [500, 404, 302, 200]


async def test_an_hour_of_failure_drops_the_subscription(shop: Shop) -> None:
    await shop.connect(retry_gaps_s=[0.0, 0.01])
    shop.receiver.statuses = [500] * 1000
    await shop.act("dm", person="anna", text="lost")
    while len(await shop.look("deliveries")) < 3:
        pass
    shop.later(minutes=61)
    assert await shop.heard() == []
    assert (await shop.look("state"))["accounts"][0]["subscribed_fields"] == []
    shop.receiver.statuses = []
    await shop.act("dm", person="anna", text="unheard")
    assert await shop.heard() == []


async def test_duplicates(shop: Shop) -> None:
    await shop.connect(duplicates=2)
    await shop.act("dm", person="anna", text="Hello")
    events = await shop.heard()
    assert len(events) == 3
    assert events[0] == events[1] == events[2]


def write_ten(shop: Shop) -> None:
    """Without a pause in which the worker could take one."""
    world = shop.sandbox.world
    for number in range(10):
        people.message(world, world.account_named(None), world.person_named("anna"), str(number))


async def test_batches_share_entries(shop: Shop) -> None:
    await shop.connect(batch=100)
    write_ten(shop)
    shop.sandbox.world.tell(shop.sandbox.world.account_named(None), "comments", {"field": "comments"})
    await shop.heard()
    (body,) = shop.receiver.bodies
    messages, comments = json.loads(body)["entry"]
    assert [item["message"]["text"] for item in messages["messaging"]] == [str(n) for n in range(10)]
    assert len(comments["changes"]) == 1


async def test_shuffled_order(shop: Shop) -> None:
    await shop.connect(shuffle=True)
    write_ten(shop)
    texts = [event["message"]["text"] for event in await shop.heard()]
    assert texts != sorted(texts)
    assert sorted(texts) == [str(number) for number in range(10)]


async def test_delay(shop: Shop) -> None:
    await shop.connect(delay_s=0.05)
    await shop.act("dm", person="anna", text="Hello")
    assert shop.receiver.events == []
    assert len(await shop.heard()) == 1


async def test_echo_before_the_answer(shop: Shop) -> None:
    await shop.connect(echo_first=True)
    igsid = await shop.writes("anna")
    await shop.heard()
    sent = await shop.send({"id": igsid}, {"text": "Hi"})
    assert shop.receiver.events[-1]["message"]["mid"] == sent.body["message_id"]


async def test_edit_companions_and_test_deliveries(shop: Shop) -> None:
    await shop.connect(edit_companions=True)
    mid = (await shop.act("dm", person="anna", text="Hello"))["mid"]
    await shop.act("test_event")
    _, companion, test = await shop.heard()
    assert companion["message_edit"] == {"mid": mid, "num_edit": 0}
    assert "sender" not in companion
    assert test["value"]["message"]["mid"] == "random_mid"
    assert json.loads(shop.receiver.bodies[-1])["entry"][0]["id"] == "0"


async def test_two_sandboxes_in_one_process_and_one_twice(anyio_backend: str) -> None:
    first, second = Sandbox(), Sandbox()
    where: Any = {"host": "127.0.0.1", "port": 0, "clock": SystemClock()}
    await first.start(**where)
    await second.start(**where, seed_world=False)
    assert first.base_url != second.base_url
    assert first.username == "rosas_shop"
    assert second.world.accounts == {}
    await first.settle()
    await first.stop()
    await first.start(**where)
    await first.stop()
    await second.stop()
    await second.stop()
