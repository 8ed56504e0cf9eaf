"""Accounts, comments, media, profiles and conversations line by line: §§2, 5, 6, 7 and 12 of meta-platform."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from .shop import Answer, Shop

pytestmark = pytest.mark.anyio

Do = Callable[[Shop], Awaitable[Answer]]
Error = tuple[int, int, int | None]
BAD: Error = (400, 100, None)
GONE: Error = (400, 100, 33)
QUESTION = {"question": "Opening hours?", "payload": "IB:HOURS"}
ITEMS = [
    {"type": "postback", "title": "Talk to a person", "payload": "HUMAN"},
    {"type": "web_url", "title": "Shop", "url": "https://shop.example"},
]


def ice_breakers(count: int = 1) -> Any:
    return [{"call_to_actions": [QUESTION] * count, "locale": "default"}]


def get(path: str, **params: str) -> Do:
    return lambda shop: shop.get(path, **params)


def post(path: str, **body: Any) -> Do:
    return lambda shop: shop.post(path, **body)


def raw(method: str, path: str) -> Do:
    return lambda shop: shop.call(method, path)


def on_comment(method: str, path: str, *, hidden: bool = False, deleted: bool = False, **body: Any) -> Do:
    async def do(shop: Shop) -> Answer:
        comment = await shop.comments("anna")
        if hidden:
            await shop.post(f"/{comment}", hide=True)
        if deleted:
            await shop.call("DELETE", f"/{comment}")
        return await shop.call(method, f"/v26.0/{comment}{path}", json=body or None)

    return do


def on_live(method: str, path: str, *, over: bool = False, **body: Any) -> Do:
    async def do(shop: Shop) -> Answer:
        comment = (await shop.act("live_comment", person="anna", text="hi"))["id"]
        if over:
            await shop.act("end_live")
        return await shop.call(method, f"/v26.0/{comment}{path}", json=body or None)

    return do


async def comment_on_live(shop: Shop) -> Answer:
    live = (await shop.act("start_live"))["id"]
    return await shop.post(f"/{live}/comments", message="hi")


async def comments_off_on_live(shop: Shop) -> Answer:
    live = (await shop.act("start_live"))["id"]
    return await shop.post(f"/{live}", comment_enabled=False)


async def comments_are_off(shop: Shop) -> Answer:
    post = await shop.newest_post()
    await shop.post(f"/{post}", comment_enabled=False)
    return await shop.post(f"/{post}/comments", message="hi")


async def comment_enabled_missing(shop: Shop) -> Answer:
    return await shop.post(f"/{await shop.newest_post()}")


async def newest_with_comments(shop: Shop) -> Answer:
    return await shop.get(f"/{await shop.newest_post()}", fields="comments")


def foreign(path: str) -> Do:
    async def do(shop: Shop) -> Answer:
        await shop.act("accounts", username="another_shop")
        media = (await shop.act("posts", account="another_shop"))["id"]
        comment = await shop.comments("anna", account="another_shop")
        return await shop.get(path.format(media=media, comment=comment))

    return do


async def profile_of_commenter(shop: Shop) -> Answer:
    await shop.comments("ben")
    return await shop.get(f"/{await shop.igsid('ben')}")


async def profile_after_private_reply(shop: Shop) -> Answer:
    sent = await shop.send({"comment_id": await shop.comments("ben")}, {"text": "x"})
    return await shop.get(f"/{sent.body['recipient_id']}")


async def profile_of_blocker(shop: Shop) -> Answer:
    igsid = await shop.writes("ben")
    await shop.act("people", username="ben", blocked=True)
    return await shop.get(f"/{igsid}")


async def profile_of_blocker_by_switch(shop: Shop) -> Answer:
    await shop.act("switches", blocked_profile_code="100")
    return await profile_of_blocker(shop)


async def profile_after_button_by_switch(shop: Shop) -> Answer:
    await shop.act("switches", postback_is_consent=False)
    buttons = {"template_type": "button", "text": "x", "buttons": [ITEMS[0]]}
    message = {"attachment": {"type": "template", "payload": buttons}}
    sent = await shop.send({"comment_id": await shop.comments("ben")}, message)
    await shop.act("tap", person="ben", title="Talk to a person")
    return await shop.get(f"/{sent.body['recipient_id']}")


async def old_message(shop: Shop) -> Answer:
    first = (await shop.act("dm", person="anna", text="0"))["mid"]
    for number in range(20):
        await shop.act("dm", person="anna", text=str(number))
    return await shop.get(f"/{first}")


async def deleted_message(shop: Shop) -> Answer:
    mid = (await shop.act("dm", person="anna", text="0"))["mid"]
    await shop.act("delete_message", person="anna")
    return await shop.get(f"/{mid}")


async def silent_request(shop: Shop) -> Answer:
    await shop.writes("anna")
    listed = await shop.get("/me/conversations", platform="instagram")
    shop.later(days=31)
    return await shop.get(f"/{listed.body['data'][0]['id']}")


async def expansion_by_switch(shop: Shop) -> Answer:
    await shop.act("switches", field_expansion=False)
    await shop.writes("anna")
    listed = await shop.get("/me/conversations", platform="instagram")
    return await shop.get(f"/{listed.body['data'][0]['id']}", fields="messages.limit(5){id}")


def with_scopes(scopes: list[str], do: Do) -> Do:
    async def limited(shop: Shop) -> Answer:
        await shop.act("switches", scopes=scopes)
        return await do(shop)

    return limited


def switched(do: Do, **switches: Any) -> Do:
    async def with_switches(shop: Shop) -> Answer:
        await shop.act("switches", **switches)
        return await do(shop)

    return with_switches


def with_token(token: str) -> Do:
    return lambda shop: shop.call("GET", "/me", token=token)


def revoked(subcode: int) -> Do:
    async def do(shop: Shop) -> Answer:
        await shop.act("revoke", subcode=subcode)
        return await shop.get("/me")

    return do


async def expired(shop: Shop) -> Answer:
    shop.later(days=60)
    return await shop.get("/me")


async def too_young(shop: Shop) -> Answer:
    query = {"grant_type": "ig_refresh_token", "access_token": shop.sandbox.token}
    return await shop.call("GET", "/refresh_access_token", params=query)


async def refresh_expired(shop: Shop) -> Answer:
    shop.later(days=60)
    return await too_young(shop)


async def subscriptions(shop: Shop, method: str, token: str | None = None, **body: str) -> Answer:
    app = shop.sandbox.world.app
    usual = f"{app.meta_app_id}|{app.meta_secret}"
    return await shop.call(method, f"/v26.0/{app.meta_app_id}/subscriptions", token=token or usual, data=body)


async def instagram_pair_as_app_token(shop: Shop) -> Answer:
    return await subscriptions(shop, "GET", f"{shop.sandbox.world.app.app_id}|{shop.sandbox.app_secret}")


async def deaf_callback(shop: Shop) -> Answer:
    return await subscriptions(
        shop,
        "POST",
        object="instagram",
        callback_url="http://127.0.0.1:9/webhook",
        verify_token="x",
        fields="messages",
    )


async def wrong_object(shop: Shop) -> Answer:
    return await subscriptions(
        shop,
        "POST",
        object="page",
        callback_url=shop.receiver.url,
        verify_token="open sesame",
        fields="messages",
    )


async def page_style_app_field(shop: Shop) -> Answer:
    return await subscriptions(
        shop,
        "POST",
        object="instagram",
        callback_url=shop.receiver.url,
        verify_token="open sesame",
        fields="message_reads",
    )


async def flow_in_use(shop: Shop) -> Answer:
    flow_id = (await make_flow(shop)).body["flow_id"]
    await shop.act("use_flow", flow_id=flow_id)
    return await shop.call("DELETE", f"/v26.0/me/welcome_message_flows?flow_id={flow_id}")


async def change_flow_in_use(shop: Shop) -> Answer:
    flow_id = (await make_flow(shop)).body["flow_id"]
    await shop.act("use_flow", flow_id=flow_id)
    return await shop.post("/me/welcome_message_flows", flow_id=flow_id, name="Other")


async def make_flow(shop: Shop) -> Answer:
    return await shop.post(
        "/me/welcome_message_flows",
        eligible_platforms=["instagram"],
        name="Autumn",
        welcome_message_flow=[{"message": {"text": "Hello!"}}],
    )


BASIC = "instagram_business_basic"
COMMENTS = "instagram_business_manage_comments"

REFUSED: list[tuple[str, Do, Error]] = [
    ("§1.2 version twice", raw("GET", "/v26.0/v26.0/me"), (500, 2500, None)),
    ("§1.2 version from the future", raw("GET", "/v27.0/me"), (500, 2500, None)),
    ("§1.2 version that is gone", raw("GET", "/v20.0/me"), (500, 2500, None)),
    ("§9.2 a username is no id", get("/anna"), (400, 803, None)),
    ("§9.2 nor is any other word", get("/nosuch/comments"), (400, 803, None)),
    ("§9.2 not even for writing", post("/anna/comments", message="x"), (400, 803, None)),
    ("§9.2 PUT", raw("PUT", "/v26.0/me/subscribed_apps"), BAD),
    ("§9.2 OPTIONS", raw("OPTIONS", "/v26.0/me"), BAD),
    ("§9.2 malformed path", raw("GET", "/v26.0/me/x/y"), (500, 2500, None)),
    ("§9.2 wrong path", get("/me/nothing"), BAD),
    ("§9.2 wrong method", get("/me/messages"), BAD),
    ("§9.2 nobody's node", get("/17841400000099999/media"), GONE),
    ("§9.2 nobody's messages", post("/17841400000099999/messages", message={}), GONE),
    ("§7 unknown field", get("/me", fields="shoe_size"), BAD),
    ("§12.2 no such token", with_token("IGAAnonsense"), (400, 190, None)),
    ("§12.2 token expired", expired, (400, 190, 463)),
    ("§12.2 password changed", revoked(460), (400, 190, 460)),
    ("§12.2 app removed", revoked(458), (400, 190, 458)),
    ("§12.2 refresh before 24 h", too_young, BAD),
    ("§12.2 refresh of an expired token", refresh_expired, (400, 190, 463)),
    ("§2.4 unknown webhook field", post("/me/subscribed_apps", subscribed_fields="message_reads"), BAD),
    ("§2.4 no field", post("/me/subscribed_apps"), BAD),
    (
        "§2.4 /me/subscribed_apps is a switch",
        switched(post("/me/subscribed_apps", subscribed_fields="messages"), me_subscribed_apps=False),
        BAD,
    ),
    (
        "§2.4 DELETE is a switch",
        switched(raw("DELETE", "/me/subscribed_apps"), delete_subscribed_apps=False),
        BAD,
    ),
    ("§2.5 needs the Meta pair", instagram_pair_as_app_token, (400, 190, None)),
    ("§2.5 the handshake fails", deaf_callback, BAD),
    ("§2.5 object is instagram", wrong_object, BAD),
    ("§2.5 Page-style field", page_style_app_field, BAD),
    (
        "§2.5 the edge is a switch",
        switched(lambda shop: subscriptions(shop, "GET"), app_subscriptions=False),
        BAD,
    ),
    (
        "§4.4 message_attachments is a switch",
        switched(post("/me/message_attachments", message={}), message_attachments=False),
        BAD,
    ),
    (
        "§4.6 ice breakers ≤ 4",
        post("/me/messenger_profile", platform="instagram", ice_breakers=ice_breakers(5)),
        BAD,
    ),
    ("§4.6 platform is required", post("/me/messenger_profile", ice_breakers=ice_breakers()), BAD),
    ("§4.6 nothing to set", post("/me/messenger_profile", platform="instagram"), BAD),
    ("§4.6 platform", post("/me/messenger_profile", platform="messenger", ice_breakers=ice_breakers()), BAD),
    (
        "§4.6 menu is postback or web_url",
        post(
            "/me/messenger_profile",
            platform="instagram",
            persistent_menu=[{"call_to_actions": [{"type": "phone", "title": "x", "payload": "1"}]}],
        ),
        BAD,
    ),
    ("§4.6 unknown profile field", get("/me/messenger_profile", fields="greeting"), BAD),
    ("§4.6 DELETE names fields", raw("DELETE", "/me/messenger_profile"), BAD),
    ("§4.8 flow in use stays", flow_in_use, BAD),
    ("§4.8 flow in use is not changed", change_flow_in_use, BAD),
    ("§4.8 unknown flow", get("/me/welcome_message_flows", flow_id="1"), GONE),
    ("§5 reply to a hidden comment", on_comment("POST", "/replies", hidden=True, message="x"), BAD),
    ("§5 reply to a deleted comment", on_comment("POST", "/replies", deleted=True, message="x"), GONE),
    ("§5 reply without text", on_comment("POST", "/replies"), BAD),
    ("§5 hide is required", on_comment("POST", ""), BAD),
    ("§5 hide is true or false", on_comment("POST", "", hide="maybe"), BAD),
    ("§5 deleted comment", on_comment("GET", "", deleted=True), GONE),
    ("§5 replies of a deleted comment", on_comment("GET", "/replies", deleted=True), GONE),
    ("§5 reply on live", on_live("POST", "/replies", message="x"), BAD),
    ("§5 hide on live", on_live("POST", "", hide=True), BAD),
    ("§5 delete on live", on_live("DELETE", ""), BAD),
    ("§5 live comment after the broadcast", on_live("GET", "", over=True), GONE),
    ("§5 comment on live", comment_on_live, BAD),
    ("§5 comments off on live", comments_off_on_live, BAD),
    ("§5 comment_enabled is required", comment_enabled_missing, BAD),
    ("§5 comments are off", comments_are_off, BAD),
    ("§5 foreign media", foreign("/{media}"), GONE),
    ("§5 comments of foreign media", foreign("/{media}/comments"), GONE),
    ("§5 foreign comment", foreign("/{comment}"), GONE),
    ("§5 live_media is a switch", switched(get("/me/live_media"), live_media=False), BAD),
    (
        "§5 retired comment rules are a switch",
        switched(on_comment("POST", "/replies", message="#a #b #c #d #e"), retired_comment_rules=True),
        BAD,
    ),
    (
        "§5 retired rules: capitals",
        switched(on_comment("POST", "/replies", message="BUY NOW"), retired_comment_rules=True),
        BAD,
    ),
    ("§5 comments of a media need the scope", with_scopes([BASIC], newest_with_comments), (403, 10, None)),
    ("§5 comments scope", with_scopes([BASIC], on_comment("GET", "")), (403, 10, None)),
    ("§6 a commenter has not consented", profile_of_commenter, (400, 230, None)),
    ("§6 a private reply is no consent", profile_after_private_reply, (400, 230, None)),
    ("§6 who blocked is not readable", profile_of_blocker, (400, 230, None)),
    ("§12.7 the code of that is a switch", profile_of_blocker_by_switch, GONE),
    ("§6 postback as consent is a switch", profile_after_button_by_switch, (400, 230, None)),
    ("§6 nobody", get("/900000000099999"), GONE),
    ("§6 messages scope", with_scopes([BASIC, COMMENTS], get("/900000000099999")), (403, 10, None)),
    ("§7 platform is required", get("/me/conversations"), BAD),
    (
        "§7 messages scope",
        with_scopes([BASIC], get("/me/conversations", platform="instagram")),
        (403, 10, None),
    ),
    ("§7 only 20 messages are readable", old_message, (400, 9000001, None)),
    ("§7 deleted message", deleted_message, (400, 9000001, None)),
    ("§7 silent request", silent_request, GONE),
    ("§7 expansion is a switch", expansion_by_switch, BAD),
    ("§7 bad cursor", get("/me/media", after="nonsense"), BAD),
    ("§7 limit of nothing", get("/me/media", limit="0"), BAD),
]


@pytest.mark.parametrize(("do", "error"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_refused(shop: Shop, do: Do, error: Error) -> None:
    assert (await do(shop)).error == error


async def test_an_error_names_what_was_asked_for(shop: Shop) -> None:
    """§9.1: another account's comment, not its media."""
    await shop.act("accounts", username="another_shop")
    await shop.act("posts", account="another_shop")
    comment = await shop.comments("anna", account="another_shop")
    for refused in (await shop.get(f"/{comment}"), await shop.get(f"/{comment}/replies")):
        assert comment in refused.body["error"]["message"]


async def test_hide_says_what_is_wrong(shop: Shop) -> None:
    """§5"""
    comment = await shop.comments("anna")
    message = (await shop.post(f"/{comment}", hide="maybe")).body["error"]["message"]
    assert message == "(#100) Param hide must be true or false."
    assert (await shop.post(f"/{comment}", hide="true")).body == {"success": True}


async def test_comments_are_a_field_of_a_media(shop: Shop) -> None:
    """§5, §7"""
    post = await shop.newest_post()
    assert "comments" not in (await shop.get(f"/{post}", fields="comments")).body
    await shop.comments("anna", "first")
    newest = await shop.comments("ben", "second")
    shown = await shop.get(f"/{post}", fields="comments.limit(1){id,text,username}")
    assert shown.body["comments"]["data"] == [{"id": newest, "text": "second", "username": "ben"}]
    (listed, *_) = (await shop.get("/me/media", fields="comments{id}")).body["data"]
    assert len(listed["comments"]["data"]) == 2


async def test_who_blocked_the_shop_cannot_comment(shop: Shop) -> None:
    """§12.7"""
    await shop.act("people", username="ben", blocked=True)
    refused = await shop.call("POST", "/sandbox/comment", json={"person": "ben", "text": "LINK"})
    assert (refused.status, refused.body["error"]) == (
        400,
        "ben has blocked rosas_shop and cannot comment there",
    )


async def test_a_story_mention_has_an_id(shop: Shop) -> None:
    """§7"""
    mid = (await shop.act("story_mention", person="anna"))["mid"]
    mention = (await shop.get(f"/{mid}", fields="story")).body["story"]["mention"]
    assert mention["id"].isdecimal()
    assert mention["id"] in mention["link"]


async def test_a_reply_to_oneself_says_so(shop: Shop) -> None:
    """§7: `is_self_reply`."""
    first = (await shop.act("dm", person="anna", text="1"))["mid"]
    igsid = await shop.igsid("anna")
    sent = (await shop.send({"id": igsid}, {"text": "2"})).body["message_id"]
    for answered, own in ((first, True), (sent, False)):
        mid = (await shop.act("dm", person="anna", text="3", reply_to=answered))["mid"]
        told = (await shop.get(f"/{mid}", fields="reply_to")).body["reply_to"]
        assert told == {"mid": answered, "is_self_reply": own}
    for answered, own in ((first, False), (sent, True)):
        mid = (await shop.send({"id": igsid}, {"text": "4"}, reply_to={"mid": answered})).body["message_id"]
        told = (await shop.get(f"/{mid}", fields="reply_to")).body["reply_to"]
        assert told == {"mid": answered, "is_self_reply": own}


async def test_what_people_write_has_a_length(shop: Shop) -> None:
    """§4.2, assumed for people: 1000 characters."""
    await shop.act("dm", person="anna", text="ż" * 1000)
    for name in ("dm", "story_reply", "edit_message"):
        body = {"person": "anna", "text": "x" * 1001}
        refused = await shop.call("POST", f"/sandbox/{name}", json=body)
        assert (refused.status, "1000" in refused.body["error"]) == (400, True)


async def test_no_role_says_which_method(shop: Shop) -> None:
    """§1.3"""
    await shop.act("switches", has_role=False)
    refused = await shop.post("/me/messages")
    assert refused.error == BAD
    assert refused.body["error"]["message"] == "Unsupported request - method type: post"


async def test_unpublished_app_sees_empty_lists(shop: Shop) -> None:
    """§1.3: without an error."""
    await shop.comments("anna")
    await shop.writes("anna")
    post = await shop.newest_post()
    await shop.act("configure", live=False)
    assert (await shop.get(f"/{post}/comments")).body == {"data": []}
    assert (await shop.get("/me/conversations", platform="instagram")).body == {"data": []}
    await shop.act("configure", live=True)
    assert len((await shop.get(f"/{post}/comments")).body["data"]) == 1


async def test_shapes_of_me(shop: Shop) -> None:
    """§2.3"""
    assert (await shop.get("/me", fields="account_type")).body["account_type"] == "BUSINESS"
    await shop.act("switches", me_in_data=True, seen_account_type=False)
    documented = (await shop.get("/me", fields="user_id,account_type")).body["data"][0]
    assert documented["user_id"] == shop.sandbox.ig_id
    assert documented["account_type"] == "Business"


async def test_the_version_asked_for_is_named(shop: Shop) -> None:
    """§1.2"""
    served = {"/v25.0/me": "v25.0", "/v21.0/me": "v21.0", "/me": "v26.0"}
    for path, version in served.items():
        assert (await shop.call("GET", path)).headers["instagram-api-version"] == version


async def test_app_subscription(shop: Shop) -> None:
    """§2.5: the handshake comes at once, the fields are the app's."""
    made = await subscriptions(
        shop,
        "POST",
        object="instagram",
        callback_url=shop.receiver.url,
        verify_token=shop.receiver.token,
        fields="messages,comments",
        include_values="true",
    )
    assert made.body == {"success": True}
    (listed,) = (await subscriptions(shop, "GET")).body["data"]
    assert (listed["object"], listed["active"]) == ("instagram", True)
    assert [one["name"] for one in listed["fields"]] == ["comments", "messages"]
    await shop.post("/me/subscribed_apps", subscribed_fields="messages")
    await shop.writes("anna")
    assert len(await shop.heard()) == 1
    removed = await subscriptions(shop, "DELETE", object="instagram", fields="comments")
    assert removed.body == {"success": True}
    await subscriptions(shop, "DELETE", object="instagram")
    assert (await subscriptions(shop, "GET")).body == {"data": []}


async def test_messenger_profile(shop: Shop) -> None:
    """§4.6"""
    path = f"/{shop.sandbox.ig_id}/messenger_profile"
    assert (await shop.get(path, fields="ice_breakers")).body == {"data": []}
    menu = [{"locale": "default", "call_to_actions": ITEMS}]
    assert (await shop.post(path, platform="instagram", ice_breakers=ice_breakers(4))).body == {
        "success": True
    }
    assert (await shop.post(path, platform="instagram", persistent_menu=menu)).body == {"success": True}
    assert (await shop.get(path, fields="ice_breakers")).body == {"data": ice_breakers(4)}
    assert (await shop.get(path, fields="persistent_menu")).body == {"data": menu}
    gone = await shop.call("DELETE", "/me/messenger_profile", json={"fields": ["ice_breakers"]})
    assert gone.body == {"success": True}
    await shop.act("switches", profile_result_success=True)
    answer = await shop.call("DELETE", "/me/messenger_profile", json={"fields": ["persistent_menu"]})
    assert answer.body == {"result": "success"}
    assert (await shop.get(path)).body == {"data": []}


async def test_welcome_flows(shop: Shop) -> None:
    """§4.8"""
    flow_id = (await make_flow(shop)).body["flow_id"]
    changed = await shop.post("/me/welcome_message_flows", flow_id=flow_id, name="Winter")
    assert changed.body == {"flow_id": flow_id}
    (listed,) = (await shop.get("/me/welcome_message_flows", limit="5")).body["data"]
    assert (listed["name"], listed["is_used_in_ad"]) == ("Winter", False)
    assert listed["welcome_message_flow"] == [{"message": {"text": "Hello!"}}]
    gone = await shop.call("DELETE", f"/me/welcome_message_flows?flow_id={flow_id}")
    assert gone.body == {"success": True}
    assert (await shop.get("/me/welcome_message_flows")).body == {"data": []}


async def test_attachments_expire(shop: Shop) -> None:
    """§4.4: 90 days."""
    picture = {"type": "image", "payload": {"url": "https://shop.example/a.jpg", "is_reusable": True}}
    uploaded = await shop.post(
        "/me/message_attachments", platform="instagram", message={"attachment": picture}
    )
    image = {"attachment": {"type": "image", "payload": uploaded.body}}
    assert (await shop.send({"id": await shop.writes("anna")}, image)).status == 200
    assert (await shop.look("thread/anna"))[1]["images"] == ["https://shop.example/a.jpg"]
    shop.later(days=90)
    igsid, token = await shop.writes("anna"), (await shop.act("token"))["token"]
    body = {"recipient": {"id": igsid}, "message": image}
    late = await shop.call("POST", "/v26.0/me/messages", token=token, json=body)
    assert late.error == (400, 100, 2018074)


async def test_live_media_only_while_broadcasting(shop: Shop) -> None:
    """§5"""
    live = (await shop.act("start_live"))["id"]
    assert (await shop.get("/me/live_media")).body["data"] == [{"id": live}]
    again = await shop.call("POST", "/sandbox/start_live", json={})
    assert again.status == 400
    await shop.act("end_live")
    assert (await shop.get("/me/live_media")).body == {"data": []}


async def test_lists_leave_out_restricted_people_and_ads(shop: Shop) -> None:
    """§5"""
    post = await shop.newest_post()
    ad = (await shop.act("boost", post=post))["id"]
    await shop.act("people", username="ben", restricted=True)
    seen = await shop.comments("anna")
    hidden, on_ad = await shop.comments("ben"), await shop.comments("anna", post=ad)
    assert [one["id"] for one in (await shop.get(f"/{post}/comments")).body["data"]] == [seen]
    assert (await shop.get(f"/{ad}/comments")).body == {"data": []}
    for comment in (hidden, on_ad):
        assert (await shop.get(f"/{comment}")).status == 200
    assert (await shop.get(f"/{ad}", fields="media_product_type")).body["media_product_type"] == "AD"


async def test_flat_code_exchange(shop: Shop) -> None:
    """§2.2: a number and an array, as seen in the field."""
    await shop.act("switches", flat_code_exchange=True)
    app = shop.sandbox.world.app
    query = {
        "client_id": app.app_id,
        "redirect_uri": "https://a.example/back",
        "response_type": "code",
        "scope": BASIC,
    }
    location = (await shop.call("GET", "/oauth/authorize", params=query)).headers["Location"]
    code = location.partition("code=")[2].partition("#")[0]
    form = {
        "client_id": app.app_id,
        "client_secret": app.secret,
        "grant_type": "authorization_code",
        "redirect_uri": query["redirect_uri"],
        "code": code,
    }
    granted = (await shop.call("POST", "/oauth/access_token", data=form)).body
    assert isinstance(granted["user_id"], int)
    assert granted["permissions"] == [BASIC]


async def test_localised_refusals_keep_their_code(shop: Shop) -> None:
    """§9.1: classify by code, never by text."""
    await shop.act("switches", localised=True)
    refused = await shop.send({"id": "1"}, {"text": "x"})
    assert refused.error == (400, 100, 2534014)
    assert "Não" in refused.body["error"]["message"]
