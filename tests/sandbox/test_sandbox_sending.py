"""The Send API: windows, private replies, bodies. Rules 3, 4, 5 and 7."""

from typing import Any

import pytest

from .shop import Shop

pytestmark = pytest.mark.anyio

CHIP = {"content_type": "text", "title": "Yes please", "payload": "YES"}
POSTBACK = {"type": "postback", "title": "Go", "payload": "GO"}


def button_template(text: str = "Pick one", buttons: list[Any] | None = None) -> Any:
    payload = {"template_type": "button", "text": text, "buttons": [POSTBACK] if buttons is None else buttons}
    return {"attachment": {"type": "template", "payload": payload}}


def generic_template(*elements: Any) -> Any:
    return {
        "attachment": {
            "type": "template",
            "payload": {"template_type": "generic", "elements": list(elements)},
        }
    }


def images(*urls: str) -> Any:
    return {"attachments": [{"type": "image", "payload": {"url": url}} for url in urls]}


async def comment(shop: Shop, **more: Any) -> str:
    return str((await shop.act("comment", person="ben", text="LINK", **more))["id"])


async def test_window_opens_with_a_message_and_closes_after_a_day(shop: Shop) -> None:
    stranger = await shop.igsid("ben")
    assert (await shop.send({"id": stranger}, {"text": "Hi"})).error == (403, 10, 2534022)
    igsid = await shop.writes("anna")
    sent = await shop.send({"id": igsid}, {"text": "Hi"})
    assert sent.status == 200
    assert sent.body["recipient_id"] == igsid
    shop.later(hours=24)
    assert (await shop.send({"id": igsid}, {"text": "Hi"})).error == (403, 10, 2534022)
    thread = await shop.look("thread/anna")
    assert [(line["from"], line["text"]) for line in thread] == [("person", "Hello"), ("business", "Hi")]


async def test_only_what_the_person_does_opens_the_window(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    await shop.send({"id": igsid}, button_template())
    await shop.send({"id": igsid}, {"text": "Want it?", "quick_replies": [CHIP]})
    shop.later(hours=25)
    await shop.act("read", person="anna")
    await shop.act("react", person="anna", emoji="❤️")
    await shop.act("comment", person="anna", text="nice")
    await shop.act("owner_message", person="anna", text="by hand")
    assert (await shop.send({"id": igsid}, {"text": "Hi"})).error == (403, 10, 2534022)
    for title in ("Go", "Yes please"):
        await shop.act("tap", person="anna", title=title)
        assert (await shop.send({"id": igsid}, {"text": "Hi"})).status == 200
        shop.later(hours=25)


async def test_human_agent(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    shop.later(days=6)
    late = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert (await shop.send({"id": igsid}, {"text": "Sorry"}, **late)).error == (403, 10, None)
    await shop.act("switches", human_agent=True)
    assert (await shop.send({"id": igsid}, {"text": "Sorry"}, **late)).status == 200
    shop.later(days=2)
    assert (await shop.send({"id": igsid}, {"text": "Sorry"}, **late)).error == (403, 10, 2534022)
    other = {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}
    assert (await shop.send({"id": igsid}, {"text": "x"}, **other)).error == (400, 100, None)


async def test_ids_of_nobody_and_of_another_account(shop: Shop) -> None:
    assert (await shop.send({"id": "12345"}, {"text": "Hi"})).error == (400, 100, 2534014)
    await shop.act("accounts", username="another_shop")
    await shop.act("dm", person="anna", text="Hi", account="another_shop")
    foreign = (await shop.act("people", username="anna", account="another_shop"))["igsid"]
    assert (await shop.send({"id": foreign}, {"text": "Hi"})).error == (400, 100, 2534014)


async def test_blocked_person_and_switched_off_access(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    await shop.act("people", username="anna", blocked=True)
    assert (await shop.send({"id": igsid}, {"text": "Hi"})).error == (400, 551, None)
    assert (await shop.get(f"/{igsid}")).error == (400, 230, None)
    await shop.act("people", username="anna", blocked=False)
    await shop.act("switches", message_access=False)
    assert (await shop.send({"id": igsid}, {"text": "Hi"})).error == (403, 200, 2534041)


async def test_private_reply_once_and_without_a_window(shop: Shop) -> None:
    comment_id = await comment(shop)
    sent = await shop.send({"comment_id": comment_id}, {"text": "Here"})
    assert sent.status == 200
    igsid = sent.body["recipient_id"]
    assert (await shop.send({"comment_id": comment_id}, {"text": "Again"})).error == (400, 100, 2534025)
    assert (await shop.send({"id": igsid}, {"text": "More"})).error == (403, 10, 2534022)
    assert (await shop.get(f"/{igsid}")).error == (400, 230, None)
    assert await shop.writes("ben", "thanks") == igsid
    assert (await shop.send({"id": igsid}, {"text": "More"})).status == 200


async def test_comments_that_get_no_private_reply(shop: Shop) -> None:
    old, gone, good = await comment(shop), await comment(shop), await comment(shop)
    await shop.act("delete_comment", id=gone)
    own = (await shop.call("POST", f"/v26.0/{good}/replies", params={"message": "Sent!"})).body["id"]
    shop.later(days=7, seconds=1)
    for comment_id in (old, gone, own, "1"):
        assert (await shop.send({"comment_id": comment_id}, {"text": "Hi"})).error == (400, 100, 2534025)


async def test_private_reply_to_a_live_comment_only_while_broadcasting(shop: Shop) -> None:
    first = (await shop.act("live_comment", person="ben", text="LINK"))["id"]
    second = (await shop.act("live_comment", person="chen", text="LINK"))["id"]
    assert (await shop.send({"comment_id": first}, {"text": "Hi"})).status == 200
    await shop.act("end_live")
    assert (await shop.send({"comment_id": second}, {"text": "Hi"})).error == (400, 100, 2534025)


async def test_buttons_in_private_replies_are_a_switch(shop: Shop) -> None:
    await shop.act("switches", private_reply_buttons=False)
    comment_id = await comment(shop)
    assert (await shop.send({"comment_id": comment_id}, button_template())).error == (400, 100, None)
    await shop.act("switches", private_reply_buttons=True)
    picture = images("https://shop.example/a.jpg")
    assert (await shop.send({"comment_id": comment_id}, picture)).error == (400, 100, 2534015)
    assert (await shop.send({"comment_id": comment_id}, button_template())).status == 200
    assert (await shop.look("thread/ben"))[0]["buttons"] == ["Go"]


@pytest.mark.parametrize(
    "message",
    [
        {"text": "é" * 501},
        {"text": " "},
        {"text": "x", "attachments": []},
        {},
        {"text": "x", "colour": "red"},
        {"text": "x", "quick_replies": [CHIP] * 14},
        {"text": "x", "quick_replies": [CHIP | {"payload": "p" * 1001}]},
        button_template("x" * 641),
        button_template(buttons=[POSTBACK] * 4),
        button_template(buttons=[]),
        button_template(buttons=[POSTBACK | {"title": "t" * 21}]),
        button_template(buttons=[POSTBACK | {"type": "phone_number"}]),
        generic_template(),
        generic_template({"title": "only a title"}),
        generic_template({"title": "t" * 81, "subtitle": "s"}),
        generic_template(*[{"title": "t", "subtitle": "s"}] * 11),
        images(*["https://shop.example/a.jpg"] * 11),
        {"attachments": [{"type": "video", "payload": {"url": "https://shop.example/a.mp4"}}]},
        {
            "attachment": {
                "type": "template",
                "payload": {"template_type": "product", "elements": [{"id": "1"}]},
            }
        },
    ],
)
async def test_bodies_that_are_refused(shop: Shop, message: Any) -> None:
    igsid = await shop.writes("anna")
    assert (await shop.send({"id": igsid}, message)).error == (400, 100, None)


@pytest.mark.parametrize(
    ("kind", "url", "subcode"),
    [
        ("file", "https://shop.example/a.docx", 2018047),
        ("image", "https://shop.example/a.webp", 2018047),
        ("image", "http://shop.example/a.jpg", 2018008),
    ],
)
async def test_files_that_are_refused(shop: Shop, kind: str, url: str, subcode: int) -> None:
    igsid = await shop.writes("anna")
    message = {"attachment": {"type": kind, "payload": {"url": url}}}
    assert (await shop.send({"id": igsid}, message)).error == (400, 100, subcode)


async def test_bodies_that_are_accepted(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    card = {
        "title": "Hat",
        "subtitle": "Wool",
        "image_url": "https://shop.example/hat.jpg",
        "default_action": {"type": "web_url", "url": "https://shop.example/hat"},
        "buttons": [{"type": "web_url", "title": "Open", "url": "https://shop.example"}, POSTBACK],
    }
    for message in (
        {"text": "😀" * 250},
        {"text": "Well?", "quick_replies": [CHIP | {"title": "A title far too long to fit"}] * 13},
        images("https://shop.example/a.jpg", "http://127.0.0.1:9/b"),
        {"attachments": {"type": "image", "payload": {"url": "https://shop.example/a.png"}}},
        {"attachment": {"type": "file", "payload": {"url": "https://shop.example/menu.pdf"}}},
        {"attachment": {"type": "like_heart"}},
        generic_template(card),
    ):
        assert (await shop.send({"id": igsid}, message)).status == 200, message
    thread = (await shop.look("thread/anna"))[1:]
    assert thread[1]["chips"] == ["A title far too long"] * 13
    assert thread[2]["images"] == ["https://shop.example/a.jpg", "http://127.0.0.1:9/b"]
    assert (thread[6]["text"], thread[6]["buttons"]) == ("Hat", ["Open", "Go"])
    opened = await shop.act("tap", person="anna", title="Open")
    assert opened == {"mid": None, "url": "https://shop.example"}


async def test_form_bodies_carry_json_in_strings(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    form = {"recipient": f'{{"id":"{igsid}"}}', "message": '{"text":"Hi"}'}
    assert (await shop.call("POST", "/me/messages", data=form)).status == 200


async def test_sender_actions_come_alone(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    typing = {"recipient": {"id": igsid}, "sender_action": "typing_on"}
    assert (await shop.call("POST", "/me/messages", json=typing)).body == {"recipient_id": igsid}
    both = typing | {"message": {"text": "x"}}
    assert (await shop.call("POST", "/me/messages", json=both)).error == (400, 100, None)
    mid = (await shop.look("thread/anna"))[0]["mid"]
    react = {
        "recipient": {"id": igsid},
        "sender_action": "react",
        "payload": {"message_id": mid, "reaction": "love"},
    }
    assert (await shop.call("POST", "/me/messages", json=react)).status == 200
    react["payload"] = {"message_id": "elsewhere", "reaction": "love"}
    assert (await shop.call("POST", "/me/messages", json=react)).error == (400, 100, None)


async def test_own_post_can_be_shared(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    post = (await shop.get("/me/media")).body["data"][0]["id"]
    share = {"attachment": {"type": "MEDIA_SHARE", "payload": {"id": post}}}
    assert (await shop.send({"id": igsid}, share)).status == 200
    share["attachment"]["payload"] = {"id": "18"}
    assert (await shop.send({"id": igsid}, share)).error == (400, 100, 33)


async def test_profile_after_consent(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    profile = (
        await shop.get(f"/{igsid}", fields="name,username,is_user_follow_business,follower_count")
    ).body
    assert profile == {
        "name": "Anna",
        "username": "anna",
        "is_user_follow_business": True,
        "follower_count": 312,
        "id": igsid,
    }
    assert (await shop.get(f"/{igsid}", fields="email")).error == (400, 100, None)
