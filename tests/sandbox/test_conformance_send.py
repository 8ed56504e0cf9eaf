"""The Send API line by line: what meta-platform's §4 and §8 say is refused, and what is accepted.

Each row's name begins with the section it proves.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pamosnik.sandbox.people import in_requests_of_person

from .shop import Answer, Shop

pytestmark = pytest.mark.anyio

Do = Callable[[Shop], Awaitable[Answer]]

CHIP = {"content_type": "text", "title": "Yes please", "payload": "YES"}
POSTBACK = {"type": "postback", "title": "Go", "payload": "GO"}
LINK = {"type": "web_url", "title": "Open", "url": "https://shop.example"}
PICTURE = {"type": "image", "payload": {"url": "https://shop.example/a.jpg"}}


def template(**payload: Any) -> Any:
    return {"attachment": {"type": "template", "payload": payload}}


def button(text: str = "Pick one", **changes: Any) -> Any:
    return template(template_type="button", text=text, buttons=[POSTBACK | changes])


def generic(*elements: Any) -> Any:
    return template(template_type="generic", elements=list(elements))


def element(**more: Any) -> Any:
    return {"title": "Hat", "subtitle": "Wool", **more}


def media(kind: str, url: str) -> Any:
    return {"attachment": {"type": kind, "payload": {"url": url}}}


def to_writer(message: Any, **more: Any) -> Do:
    """Sends to somebody who has just written."""

    async def do(shop: Shop) -> Answer:
        return await shop.send({"id": await shop.writes("anna")}, message, **more)

    return do


BAD = (400, 100, None)

# every body here goes to a person with an open window
BODIES: list[tuple[str, Any, tuple[int, int, int | None]]] = [
    ("§4.2 text ≤ 1000 bytes, not characters", {"text": "é" * 501}, BAD),
    ("§4.2 text of 1001 bytes", {"text": "a" * 1001}, BAD),
    ("§4.2 text is not empty", {"text": ""}, BAD),
    ("§4.2 text is a string", {"text": 5}, BAD),
    ("§4.2 text is UTF-8", {"text": "\ud800"}, BAD),
    ("§4.2 one of text and attachment", {"text": "x", **media("image", "https://a.example/a.png")}, BAD),
    ("§4.2 a message has something", {}, BAD),
    ("§4.2 unknown key", {"text": "x", "colour": "red"}, BAD),
    ("§4.2 images ≤ 10", {"attachments": [PICTURE] * 11}, BAD),
    (
        "§4.2 several videos",
        {"attachments": [media("video", "https://a.example/a.mp4")["attachment"]] * 2},
        BAD,
    ),
    ("§4.2 file is pdf only", media("file", "https://a.example/a.docx"), (400, 100, 2018047)),
    ("§4.2 image is png, jpeg or gif", media("image", "https://a.example/a.webp"), (400, 100, 2018047)),
    ("§4.2 audio is aac, m4a, wav, mp4", media("audio", "https://a.example/a.mp3"), (400, 100, 2018047)),
    (
        "§4.2 video is mp4, ogg, avi, mov, webm",
        media("video", "https://a.example/a.mkv"),
        (400, 100, 2018047),
    ),
    ("§4.2 media needs https", media("image", "http://a.example/a.png"), (400, 100, 2018008)),
    ("§4.2 unknown attachment type", media("hologram", "https://a.example/a.png"), BAD),
    (
        "§4.2 shared post is one's own",
        {"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "18000000000009999"}}},
        (400, 100, 33),
    ),
    (
        "§4.4 attachment id is one's own",
        {"attachment": {"type": "image", "payload": {"attachment_id": "1"}}},
        (400, 100, 2018074),
    ),
    ("§4.3 quick replies ≤ 13", {"text": "x", "quick_replies": [CHIP] * 14}, BAD),
    ("§4.3 quick replies are not empty", {"text": "x", "quick_replies": []}, BAD),
    (
        "§4.3 quick reply payload ≤ 1000",
        {"text": "x", "quick_replies": [CHIP | {"payload": "p" * 1001}]},
        BAD,
    ),
    ("§4.3 button template text ≤ 640", button("x" * 641), BAD),
    ("§4.3 button template has buttons", template(template_type="button", text="x", buttons=[]), BAD),
    ("§4.3 button template ≤ 3 buttons", template(template_type="button", text="x", buttons=[LINK] * 4), BAD),
    ("§4.3 buttons are web_url or postback", button(type="phone_number"), BAD),
    ("§4.3 button title ≤ 20", button(title="t" * 21), BAD),
    ("§4.3 button payload ≤ 1000", button(payload="p" * 1001), BAD),
    ("§4.3 generic template ≤ 10 elements", generic(*[element()] * 11), BAD),
    ("§4.3 generic template has elements", generic(), BAD),
    ("§4.3 element title ≤ 80", generic(element(title="t" * 81)), BAD),
    ("§4.3 element subtitle ≤ 80", generic(element(subtitle="t" * 81)), BAD),
    ("§4.3 element needs more than a title", generic({"title": "Hat"}), BAD),
    ("§4.3 element ≤ 3 buttons", generic(element(buttons=[LINK] * 4)), BAD),
    (
        "§4.3 default_action has no title",
        generic(element(default_action={"type": "web_url", "url": "https://a.example", "title": "x"})),
        BAD,
    ),
    ("§4.3 product template is FL only", template(template_type="product", elements=[{"id": "1"}]), BAD),
]


@pytest.mark.parametrize(("message", "error"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_bodies_refused(shop: Shop, message: Any, error: tuple[int, int, int | None]) -> None:
    assert (await to_writer(message)(shop)).error == error
    assert len(await shop.look("thread/anna")) == 1


ACCEPTED: list[tuple[str, Any]] = [
    ("§4.2 text of 1000 bytes", {"text": "é" * 500}),
    ("§4.2 ten images", {"attachments": [PICTURE] * 10}),
    ("§4.2 attachments as a single object", {"attachments": PICTURE}),
    ("§4.2 gif as image", media("image", "https://a.example/a.gif")),
    ("§4.2 audio", media("audio", "https://a.example/a.m4a")),
    ("§4.2 video", media("video", "https://a.example/a.webm")),
    ("§4.2 pdf", media("file", "https://a.example/a.pdf")),
    ("§4.2 heart", {"attachment": {"type": "like_heart"}}),
    ("§4.3 13 quick replies", {"text": "x", "quick_replies": [CHIP] * 13}),
    ("§4.3 button template of 640 characters", button("x" * 640)),
    ("§4.3 ten elements with three buttons", generic(*[element(buttons=[LINK, POSTBACK, LINK])] * 10)),
    ("§4.3 default_action", generic(element(default_action={"type": "web_url", "url": "https://a.example"}))),
]


@pytest.mark.parametrize("message", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
async def test_bodies_accepted(shop: Shop, message: Any) -> None:
    answer = await to_writer(message)(shop)
    assert answer.status == 200, answer.body
    assert set(answer.body) == {"recipient_id", "message_id"}


async def stranger(shop: Shop) -> Answer:
    return await shop.send({"id": await shop.igsid("ben")}, {"text": "Hi"})


async def commenter(shop: Shop) -> Answer:
    await shop.comments("ben")
    return await stranger(shop)


async def after_a_day(shop: Shop) -> Answer:
    igsid = await shop.writes("anna")
    shop.later(hours=24)
    return await shop.send({"id": igsid}, {"text": "Hi"})


async def after_private_reply(shop: Shop) -> Answer:
    sent = await shop.send({"comment_id": await shop.comments("ben")}, {"text": "Hi"})
    return await shop.send({"id": sent.body["recipient_id"]}, {"text": "More"})


async def human_agent_unapproved(shop: Shop) -> Answer:
    return await to_writer({"text": "x"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")(shop)


async def human_agent_after_a_week(shop: Shop) -> Answer:
    await shop.act("switches", human_agent=True)
    igsid = await shop.writes("anna")
    shop.later(days=7)
    return await shop.send({"id": igsid}, {"text": "x"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")


async def to_foreign_igsid(shop: Shop) -> Answer:
    await shop.act("accounts", username="another_shop")
    await shop.act("dm", person="anna", text="x", account="another_shop")
    foreign = (await shop.act("people", username="anna", account="another_shop"))["igsid"]
    return await shop.send({"id": foreign}, {"text": "x"})


async def to_username(shop: Shop) -> Answer:
    return await shop.send({"id": "anna"}, {"text": "x"})


async def to_blocker(shop: Shop) -> Answer:
    igsid = await shop.writes("anna")
    await shop.act("people", username="anna", blocked=True)
    return await shop.send({"id": igsid}, {"text": "x"})


async def with_access_off(shop: Shop) -> Answer:
    igsid = await shop.writes("anna")
    await shop.act("switches", message_access=False)
    return await shop.send({"id": igsid}, {"text": "x"})


async def while_another_app_owns(shop: Shop) -> Answer:
    igsid = await shop.writes("anna")
    await shop.act("hand_over", person="anna", kind="take")
    return await shop.send({"id": igsid}, {"text": "x"})


async def both_recipients(shop: Shop) -> Answer:
    igsid, comment = await shop.writes("anna"), await shop.comments("anna")
    return await shop.send({"id": igsid, "comment_id": comment}, {"text": "x"})


async def without_scope(shop: Shop) -> Answer:
    igsid = await shop.writes("anna")
    await shop.act("switches", scopes=["instagram_business_basic"])
    return await shop.send({"id": igsid}, {"text": "x"})


async def private_reply_without_scope(shop: Shop) -> Answer:
    comment = await shop.comments("ben")
    await shop.act("switches", scopes=["instagram_business_basic", "instagram_business_manage_messages"])
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def without_role(shop: Shop) -> Answer:
    await shop.act("switches", has_role=False)
    return await shop.send({"id": "1"}, {"text": "x"})


async def reply_to_nothing(shop: Shop) -> Answer:
    return await to_writer({"text": "x"}, reply_to={"mid": "aWdf_nothing"})(shop)


def indicator(action: str, **more: Any) -> Do:
    async def do(shop: Shop) -> Answer:
        igsid = await shop.writes("anna")
        return await shop.post("/me/messages", recipient={"id": igsid}, sender_action=action, **more)

    return do


async def react_to_nothing(shop: Shop) -> Answer:
    return await indicator("react", payload={"message_id": "x", "reaction": "love"})(shop)


async def twice(shop: Shop) -> Answer:
    comment = await shop.comments("ben")
    await shop.send({"comment_id": comment}, {"text": "x"})
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def after_seven_days(shop: Shop) -> Answer:
    comment = await shop.comments("ben")
    shop.later(days=7, seconds=1)
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def deleted_comment(shop: Shop) -> Answer:
    comment = await shop.comments("ben")
    await shop.act("delete_comment", id=comment)
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def own_comment(shop: Shop) -> Answer:
    made = await shop.post(f"/{await shop.newest_post()}/comments", message="First!")
    return await shop.send({"comment_id": made.body["id"]}, {"text": "x"})


async def reply_in_own_thread(shop: Shop) -> Answer:
    made = await shop.post(f"/{await shop.newest_post()}/comments", message="First!")
    reply = await shop.comments("ben", parent=made.body["id"])
    return await shop.send({"comment_id": reply}, {"text": "x"})


async def live_is_over(shop: Shop) -> Answer:
    comment = (await shop.act("live_comment", person="ben", text="LINK"))["id"]
    await shop.act("end_live")
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def foreign_post(shop: Shop) -> Answer:
    await shop.act("accounts", username="another_shop")
    await shop.act("posts", account="another_shop")
    comment = await shop.comments("ben", account="another_shop")
    # the owner of another account's media
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def commenter_blocked(shop: Shop) -> Answer:
    comment = await shop.comments("ben")
    await shop.act("people", username="ben", blocked=True)
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def private_reply_with_media(shop: Shop) -> Answer:
    return await shop.send({"comment_id": await shop.comments("ben")}, {"attachments": [PICTURE]})


async def private_reply_buttons_refused(shop: Shop) -> Answer:
    await shop.act("switches", private_reply_buttons=False)
    return await shop.send({"comment_id": await shop.comments("ben")}, button())


async def private_reply_to_a_reply_refused(shop: Shop) -> Answer:
    await shop.act("switches", private_reply_to_replies=False)
    top = await shop.comments("anna")
    return await shop.send({"comment_id": await shop.comments("ben", parent=top)}, {"text": "x"})


async def self_message_with_chips(shop: Shop) -> Answer:
    own = next(iter(shop.sandbox.world.accounts.values())).self_igsid
    return await shop.send({"id": own}, {"text": "x", "quick_replies": [CHIP]})


REFUSED: list[tuple[str, Do, tuple[int, int, int | None]]] = [
    ("§12.3 a stranger has no window", stranger, (403, 10, 2534022)),
    ("§4.5 a comment opens no window", commenter, (403, 10, 2534022)),
    ("§8 the window is 24 hours", after_a_day, (403, 10, 2534022)),
    ("§4.5 a private reply opens no window", after_private_reply, (403, 10, 2534022)),
    ("§12.3 HUMAN_AGENT not approved", human_agent_unapproved, (403, 10, None)),
    ("§8 HUMAN_AGENT lasts 7 days", human_agent_after_a_week, (403, 10, 2534022)),
    ("§8 ACCOUNT_UPDATE", to_writer({"text": "x"}, messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE"), BAD),
    (
        "§8 CONFIRMED_EVENT_UPDATE",
        to_writer({"text": "x"}, messaging_type="MESSAGE_TAG", tag="CONFIRMED_EVENT_UPDATE"),
        BAD,
    ),
    (
        "§8 POST_PURCHASE_UPDATE",
        to_writer({"text": "x"}, messaging_type="MESSAGE_TAG", tag="POST_PURCHASE_UPDATE"),
        BAD,
    ),
    ("§9.2 id of another business", to_foreign_igsid, (400, 100, 2534014)),
    ("§9.2 username as id", to_username, (400, 100, 2534014)),
    ("§12.7 blocked", to_blocker, (400, 551, None)),
    ("§9.2 message access off", with_access_off, (403, 200, 2534041)),
    ("§9.2 not the thread owner", while_another_app_owns, (400, 100, 2534037)),
    ("§4.5 id and comment_id", both_recipients, BAD),
    ("§12.2 scope for messages missing", without_scope, (403, 10, None)),
    ("§4.5 scope for comments missing", private_reply_without_scope, (403, 10, None)),
    ("§12.2 account without role", without_role, BAD),
    ("§4.2 reply_to a message of another thread", reply_to_nothing, BAD),
    ("§4.2 unknown sender action", indicator("wave"), BAD),
    ("§4.2 indicator with message", indicator("typing_on", message={"text": "x"}), BAD),
    ("§4.2 indicator with messaging_type", indicator("typing_on", messaging_type="RESPONSE"), BAD),
    ("§4.2 indicator with payload", indicator("mark_seen", payload={"message_id": "x"}), BAD),
    ("§4.2 reaction without payload", indicator("react"), BAD),
    ("§4.2 reaction to a foreign message", react_to_nothing, BAD),
    ("§12.4 one private reply per comment", twice, (400, 100, 2534025)),
    ("§12.4 private reply within 7 days", after_seven_days, (400, 100, 2534025)),
    ("§12.4 deleted comment", deleted_comment, (400, 100, 2534025)),
    ("§12.4 own comment", own_comment, (400, 100, 2534025)),
    ("§4.5 reply in one's own thread", reply_in_own_thread, (400, 100, 2534025)),
    ("§4.5 live is over", live_is_over, (400, 100, 2534025)),
    ("§12.4 comment under another's media", foreign_post, (400, 100, 2534025)),
    ("§4.5 commenter not messageable", commenter_blocked, (400, 100, 2534025)),
    ("§4.5 private reply carries no media", private_reply_with_media, (400, 100, 2534015)),
    ("§4.5 buttons in private replies are a switch", private_reply_buttons_refused, BAD),
    ("§4.5 replies to comments are a switch", private_reply_to_a_reply_refused, (400, 100, 2534025)),
    ("§3.8 self messages take no quick replies", self_message_with_chips, BAD),
]


@pytest.mark.parametrize(("do", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_calls_refused(shop: Shop, do: Do, error: tuple[int, int, int | None]) -> None:
    assert (await do(shop)).error == error


async def private_reply_to_live(shop: Shop) -> Answer:
    comment = (await shop.act("live_comment", person="ben", text="LINK"))["id"]
    return await shop.send({"comment_id": comment}, {"text": "x"})


async def private_reply_to_reply(shop: Shop) -> Answer:
    top = await shop.comments("anna")
    return await shop.send({"comment_id": await shop.comments("ben", parent=top)}, {"text": "x"})


async def private_reply_with_buttons(shop: Shop) -> Answer:
    return await shop.send({"comment_id": await shop.comments("ben")}, button())


async def private_reply_on_story(shop: Shop) -> Answer:
    story = (await shop.act("posts", kind="story"))["id"]
    return await shop.send({"comment_id": await shop.comments("ben", post=story)}, {"text": "x"})


async def private_reply_on_ad(shop: Shop) -> Answer:
    ad = (await shop.act("boost"))["id"]
    return await shop.send({"comment_id": await shop.comments("ben", post=ad)}, {"text": "x"})


async def human_agent_within_a_week(shop: Shop) -> Answer:
    await shop.act("switches", human_agent=True)
    igsid = await shop.writes("anna")
    shop.later(days=6, hours=23)
    return await shop.send({"id": igsid}, {"text": "x"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")


async def by_attachment_id(shop: Shop) -> Answer:
    upload = await shop.post("/me/message_attachments", platform="instagram", message={"attachment": PICTURE})
    image = {"type": "image", "payload": {"attachment_id": upload.body["attachment_id"]}}
    return await to_writer({"attachments": [image, PICTURE]})(shop)


async def reply_to_one(shop: Shop) -> Answer:
    mid = (await shop.act("dm", person="anna", text="price?"))["mid"]
    return await to_writer({"text": "5 €"}, reply_to={"mid": mid})(shop)


async def to_oneself(shop: Shop) -> Answer:
    own = next(iter(shop.sandbox.world.accounts.values())).self_igsid
    return await shop.send({"id": own}, {"text": "x"})


async def long_button_allowed(shop: Shop) -> Answer:
    await shop.act("switches", button_limits=False)
    return await to_writer(button(title="t" * 40, payload="p" * 2000))(shop)


GRANTED: list[tuple[str, Do]] = [
    ("§4.5 live while broadcasting", private_reply_to_live),
    ("§4.5 reply to a comment", private_reply_to_reply),
    ("§4.5 private reply with buttons", private_reply_with_buttons),
    ("§4.5 comment on a story", private_reply_on_story),
    ("§4.5 comment on an ad", private_reply_on_ad),
    ("§8 HUMAN_AGENT within 7 days", human_agent_within_a_week),
    ("§4.2 messaging_type RESPONSE", to_writer({"text": "x"}, messaging_type="RESPONSE")),
    ("§4.4 attachment ids mix with addresses", by_attachment_id),
    ("§4.2 reply_to", reply_to_one),
    ("§3.8 self message needs no window", to_oneself),
    ("§4.3 limits of buttons are a switch", long_button_allowed),
]


@pytest.mark.parametrize("do", [row[1] for row in GRANTED], ids=[row[0] for row in GRANTED])
async def test_calls_granted(shop: Shop, do: Do) -> None:
    answer = await do(shop)
    assert answer.status == 200, answer.body
    assert answer.body["message_id"]


async def test_sender_action_answers_by_switch(shop: Shop) -> None:
    """§4.2: `{"recipient_id"}` is unconfirmed."""
    assert set((await indicator("mark_seen")(shop)).body) == {"recipient_id"}
    await shop.act("switches", sender_action_names_recipient=False)
    assert (await indicator("typing_off")(shop)).body == {"success": True}


async def test_unconfirmed_chip_kinds_make_no_chip(shop: Shop) -> None:
    """§4.3: switched off on 2026-10-05, the request is accepted."""
    chips = [CHIP, {"content_type": "user_email"}, CHIP | {"title": "A title far too long to fit"}]
    await to_writer({"text": "x", "quick_replies": chips})(shop)
    assert (await shop.look("thread/anna"))[1]["chips"] == ["Yes please", "A title far too long"]


async def tap_menu(shop: Shop) -> None:
    menu = [{"locale": "default", "call_to_actions": [POSTBACK, LINK]}]
    await shop.post("/me/messenger_profile", platform="instagram", persistent_menu=menu)
    await shop.act("tap_menu", person="anna", title="Go")


async def tap_ice_breaker(shop: Shop) -> None:
    asked = [{"locale": "default", "call_to_actions": [{"question": "Hours?", "payload": "IB"}]}]
    await shop.post("/me/messenger_profile", platform="instagram", ice_breakers=asked)
    await shop.act("tap_ice_breaker", person="anna", question="Hours?")


async def tap_button(shop: Shop) -> None:
    await shop.send({"comment_id": await shop.comments("anna")}, button())
    await shop.act("tap", person="anna", title="Go")


async def tap_chip(shop: Shop) -> None:
    message = {"text": "x", "quick_replies": [CHIP]}
    await shop.send({"comment_id": await shop.comments("anna")}, message)
    await shop.act("tap", person="anna", title="Yes please")


async def write(shop: Shop) -> None:
    await shop.act("dm", person="anna", text="x")


async def reply_to_story(shop: Shop) -> None:
    await shop.act("story_reply", person="anna", text="x")


async def mention(shop: Shop) -> None:
    await shop.act("story_mention", person="anna")


async def private_reply_first(shop: Shop) -> None:
    await shop.send({"comment_id": await shop.comments("anna")}, {"text": "x"})


async def react(shop: Shop) -> None:
    await private_reply_first(shop)
    await shop.act("react", person="anna", emoji="❤️")


async def react_by_switch(shop: Shop) -> None:
    await shop.act("switches", reaction_opens_window=True)
    await react(shop)


async def read(shop: Shop) -> None:
    await private_reply_first(shop)
    await shop.act("read", person="anna")


async def open_link(shop: Shop) -> None:
    await private_reply_first(shop)
    asked = [{"locale": "default", "call_to_actions": [{"question": "Hours?", "payload": "IB"}]}]
    await shop.post("/me/messenger_profile", platform="instagram", ice_breakers=asked)
    assert (await shop.act("open_link", person="anna", ref="x")) == {"told": True}


async def open_link_by_switch(shop: Shop) -> None:
    await shop.act("switches", referral_opens_window=True)
    await open_link(shop)


async def tap_button_by_switch(shop: Shop) -> None:
    await shop.act("switches", taps_open_window=False)
    await tap_button(shop)


async def tap_menu_by_switch(shop: Shop) -> None:
    """The menu is documented to open the window, so its switch is not asked."""
    await shop.act("switches", taps_open_window=False)
    await tap_menu(shop)


OPENINGS: list[tuple[str, Callable[[Shop], Awaitable[None]], bool]] = [
    ("§8 a message", write, True),
    ("§8 a story reply", reply_to_story, True),
    ("§8 a story mention", mention, True),
    ("§8 a quick reply", tap_chip, True),
    ("§8 a menu click", tap_menu, True),
    ("§8 an ice breaker", tap_ice_breaker, True),
    ("§8 a template button", tap_button, True),
    ("§8 template buttons are a switch", tap_button_by_switch, False),
    ("§8 the menu is no switch", tap_menu_by_switch, True),
    ("§12.3 a reaction does not", react, False),
    ("§12.3 reactions are a switch", react_by_switch, True),
    ("§12.3 reading does not", read, False),
    ("§12.3 a bare referral does not", open_link, False),
    ("§12.3 referrals are a switch", open_link_by_switch, True),
    ("§12.4 a private reply does not", private_reply_first, False),
]


@pytest.mark.parametrize(("act", "opens"), [row[1:] for row in OPENINGS], ids=[row[0] for row in OPENINGS])
async def test_what_opens_the_window(shop: Shop, act: Callable[[Shop], Awaitable[None]], opens: bool) -> None:
    await act(shop)
    answer = await shop.send({"id": await shop.igsid("anna")}, {"text": "Hi"})
    assert (answer.status == 200) is opens
    if not opens:
        assert answer.error == (403, 10, 2534022)


async def test_the_person_s_requests(shop: Shop) -> None:
    """§4.5: a private reply lands in the inbox of a follower, in the Requests of others until they answer."""
    world = shop.sandbox.world
    account = world.account_named(None)
    for name in ("anna", "ben"):
        await shop.send({"comment_id": await shop.comments(name)}, {"text": "Hi"})
    lying = {
        name: in_requests_of_person(world, account, world.person_named(name)) for name in ("anna", "ben")
    }
    assert lying == {"anna": False, "ben": True}
    await shop.writes("ben")
    assert not in_requests_of_person(world, account, world.person_named("ben"))
