"""Media, comments and conversations: rules 8 and 11."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from .shop import Shop

pytestmark = pytest.mark.anyio


async def newest_post(shop: Shop) -> str:
    return str((await shop.get("/me/media")).body["data"][0]["id"])


async def say(shop: Shop, person: str, text: str, **more: Any) -> str:
    return str((await shop.act("comment", person=person, text=text, **more))["id"])


async def test_every_answer_names_the_sandboxs_time(shop: Shop) -> None:
    """It named the machine's, also when the sandbox's clock had been moved."""
    shop.clock.move_to(shop.clock.now() + timedelta(days=40))
    answer = await shop.get("/me")
    assert parsedate_to_datetime(answer.headers["Date"]) == shop.clock.now().replace(microsecond=0)
    assert len(answer.headers.getall("Date")) == 1  # type: ignore[attr-defined]


async def test_media_list_and_one_media(shop: Shop) -> None:
    await shop.act("posts", kind="story")
    posted = await shop.act("posts", caption="New", kind="post")
    first = await shop.get("/me/media", fields="id,caption,media_product_type", limit="2")
    assert [one["media_product_type"] for one in first.body["data"]] == ["FEED", "FEED"]
    assert first.body["data"][0] == {"id": posted["id"], "caption": "New", "media_product_type": "FEED"}
    second = await shop.call("GET", first.body["paging"]["next"])
    assert [one["media_product_type"] for one in second.body["data"]] == ["REELS"]
    assert "next" not in second.body["paging"]
    back = await shop.get("/me/media", before=second.body["paging"]["cursors"]["before"], limit="1")
    assert back.body["data"] == [{"id": first.body["data"][1]["id"]}]
    one = (await shop.get(f"/{posted['id']}", fields="permalink,timestamp,comments_count,username")).body
    assert one["permalink"] == posted["permalink"]
    assert one["timestamp"] == "2026-09-01T10:00:00+0000"
    assert (await shop.get("/me/media", after="nonsense")).error == (400, 100, None)


async def test_comments_are_newest_first_fifty_a_page(shop: Shop) -> None:
    post = await newest_post(shop)
    ids = [await say(shop, "anna", f"{number}") for number in range(52)]
    await say(shop, "ben", "reply", parent=ids[0])
    page = (await shop.get(f"/{post}/comments", limit="100")).body
    assert [one["text"] for one in page["data"]] == [str(number) for number in range(51, 1, -1)]
    assert set(page["data"][0]) == {"id", "text", "timestamp"}
    rest = (await shop.call("GET", page["paging"]["next"])).body
    assert [one["id"] for one in rest["data"]] == [ids[1], ids[0]]
    wanted = "from,replies{text,parent_id,from{username}}"
    rest = (await shop.get(f"/{post}/comments", fields=wanted, after=page["paging"]["cursors"]["after"])).body
    assert rest["data"][1]["from"]["username"] == "anna"
    assert rest["data"][1]["replies"]["data"][0]["parent_id"] == ids[0]
    assert (await shop.get(f"/{post}", fields="comments_count")).body["comments_count"] == 53


async def test_replies_attach_to_the_top_level(shop: Shop) -> None:
    top = await say(shop, "anna", "LINK")
    reply = await say(shop, "ben", "me too", parent=top)
    made = (await shop.call("POST", f"/v26.0/{reply}/replies", data={"message": "Sent!"})).body["id"]
    seen = (await shop.get(f"/{made}", fields="parent_id,text,user,media")).body
    assert (seen["parent_id"], seen["text"], seen["user"]["id"]) == (top, "Sent!", shop.sandbox.ig_id)
    listed = (await shop.get(f"/{top}/replies")).body["data"]
    assert [one["id"] for one in listed] == [reply, made]
    shown = (await shop.look("comments"))[0]
    assert [one["from"] for one in shown["replies"]] == ["person", "business"]


async def test_hidden_deleted_and_foreign_comments(shop: Shop) -> None:
    comment = await say(shop, "anna", "rude")
    assert (await shop.call("POST", f"/v26.0/{comment}")).error == (400, 100, None)
    assert (await shop.call("POST", f"/v26.0/{comment}?hide=true")).body == {"success": True}
    assert (await shop.get(f"/{comment}", fields="hidden")).body["hidden"] is True
    refused = await shop.call("POST", f"/v26.0/{comment}/replies?message=Hi")
    assert refused.error == (400, 100, None)
    assert (await shop.call("DELETE", f"/v26.0/{comment}")).body == {"success": True}
    assert (await shop.get(f"/{comment}")).error == (400, 100, 33)
    await shop.act("accounts", username="another_shop")
    await shop.act("posts", account="another_shop", caption="x")
    foreign = await say(shop, "anna", "LINK", account="another_shop")
    assert (await shop.get(f"/{foreign}")).error == (400, 100, 33)


async def test_own_comment_and_comments_off(shop: Shop) -> None:
    post = await newest_post(shop)
    own = (await shop.call("POST", f"/v26.0/{post}/comments", data={"message": "First!"})).body["id"]
    await shop.call("POST", f"/v26.0/{own}?hide=true")
    assert (await shop.get(f"/{own}", fields="hidden,from")).body["hidden"] is False
    assert (await shop.call("POST", f"/v26.0/{post}/comments")).error == (400, 100, None)
    assert (await shop.call("POST", f"/v26.0/{post}?comment_enabled=false")).status == 200
    off = await shop.call("POST", "/sandbox/comment", json={"person": "anna", "text": "x", "post": post})
    assert off.status == 400
    assert "switched off" in off.body["error"]


async def test_live_comments_cannot_be_answered_publicly(shop: Shop) -> None:
    comment = (await shop.act("live_comment", person="anna", text="hi"))["id"]
    assert (await shop.call("POST", f"/v26.0/{comment}/replies?message=Hi")).error == (400, 100, None)
    await shop.act("end_live")
    assert (await shop.get(f"/{comment}")).error == (400, 100, 33)


async def test_conversation_with_its_twenty_readable_messages(shop: Shop) -> None:
    igsid = await shop.writes("anna", "0")
    for number in range(1, 22):
        await shop.act("dm", person="anna", text=str(number))
    listed = (
        await shop.get("/me/conversations", platform="instagram", fields="participants,updated_time")
    ).body
    conversation = listed["data"][0]
    assert conversation["participants"]["data"][1] == {"username": "anna", "id": igsid}
    ids = (await shop.get(f"/{conversation['id']}", fields="messages")).body["messages"]["data"]
    assert len(ids) == 22
    assert set(ids[0]) == {"id", "created_time"}
    newest = (await shop.get(f"/{ids[0]['id']}", fields="message,from,to")).body
    assert (newest["message"], newest["from"]["username"]) == ("21", "anna")
    assert newest["to"]["data"][0]["id"] == shop.sandbox.ig_id
    assert (await shop.get(f"/{ids[19]['id']}")).status == 200
    assert (await shop.get(f"/{ids[20]['id']}")).error == (400, 9000001, None)
    wanted = "messages.limit(21){id,message}"
    expanded = (await shop.get(f"/{conversation['id']}", fields=wanted)).body["messages"]["data"]
    assert expanded[0]["message"] == "21"
    assert set(expanded[20]) == {"id"}


async def test_conversations_by_person_and_old_requests(shop: Shop) -> None:
    anna, ben = await shop.writes("anna"), await shop.writes("ben")
    await shop.send({"id": ben}, {"text": "Hi"})
    one = (await shop.get("/me/conversations", platform="instagram", user_id=anna)).body
    assert len(one["data"]) == 1
    shop.later(days=31)
    left = (await shop.get("/me/conversations", platform="instagram", fields="participants")).body["data"]
    assert [one["participants"]["data"][1]["username"] for one in left] == ["ben"]
    assert (await shop.get("/me/conversations")).error == (400, 100, None)


async def test_messages_of_all_kinds_can_be_read(shop: Shop) -> None:
    await shop.act("story_mention", person="anna")
    reply = (await shop.act("story_reply", person="anna", text="LINK"))["mid"]
    picture = (await shop.act("dm", person="anna", image="https://cdn.example/a.jpg", reply_to=reply))["mid"]
    shared = (await shop.act("share_post", person="anna"))["mid"]
    assert (await shop.get(f"/{reply}", fields="story")).body["story"]["reply_to"]["id"]
    seen = (await shop.get(f"/{picture}", fields="attachments,reply_to")).body
    assert seen["attachments"]["data"][0]["image_data"]["url"] == "https://cdn.example/a.jpg"
    assert seen["reply_to"]["mid"] == reply
    assert (await shop.get(f"/{shared}", fields="shares")).body["shares"]["data"]
    await shop.act("delete_message", person="anna", mid=picture)
    assert (await shop.get(f"/{picture}")).error == (400, 9000001, None)


@pytest.mark.parametrize("fields", ["id,", "from{id", "messages.limit(x){id}", "id}", "id;name", "text{id}"])
async def test_malformed_fields(shop: Shop, fields: str) -> None:
    comment = await say(shop, "anna", "LINK")
    assert (await shop.get(f"/{comment}", fields=fields)).error == (400, 100, None)


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("dm", {"person": "dora", "text": "x"}, 404),
        ("dm", {"person": "anna"}, 400),
        ("tap", {"person": "anna", "title": "x"}, 404),
        ("posts", {"kind": "painting"}, 400),
        ("switches", {"speed": 3}, 400),
        ("configure", {"fields": "mentions"}, 400),
        ("comment", {"person": "anna", "text": "x", "post": "18"}, 404),
        ("dm", {"person": "\ud800"}, 400),
        ("switches", {"delay_s": float("nan")}, 400),
        ("switches", {"delay_s": -1}, 400),
        ("switches", {"loss": 2}, 400),
        ("switches", {"retry_gaps_s": [float("inf")]}, 400),
        ("switches", {"signs_with": "nobody"}, 400),
        ("switches", {"impressions": -1}, 400),
        ("switches", {"scopes": ["everything"]}, 400),
        ("test_event", {"shape": "round"}, 400),
        ("clock", {"advance_s": -1}, 400),
        ("hand_over", {"person": "anna", "kind": "throw"}, 400),
        ("tap_ice_breaker", {"person": "anna", "question": "?"}, 404),
        ("tap_menu", {"person": "anna", "title": "?"}, 404),
        ("open_link", {"person": "anna", "ref": "no spaces"}, 400),
        ("edit_message", {"person": "anna", "text": "x"}, 404),
        ("end_live", {}, 400),
        ("use_flow", {"flow_id": "1"}, 404),
    ],
)
async def test_control_says_what_is_wrong(shop: Shop, name: str, body: Any, status: int) -> None:
    answer = await shop.call("POST", f"/sandbox/{name}", json=body)
    assert answer.status == status
    assert answer.body["error"]
