"""The phone page's server side: one person's view, what only a finger can do, and who may ask."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from pamosnik.clock import VirtualClock
from pamosnik.sandbox.main import Sandbox
from pamosnik.sandbox.things import Json

from .shop import Shop

pytestmark = pytest.mark.anyio


def button(payload: str = "yes", **kind: str) -> Json:
    """A message with one button."""
    one = {"type": "postback", "title": "Yes", "payload": payload} if not kind else {"title": "Yes", **kind}
    template = {"template_type": "button", "text": "Tap", "buttons": [one]}
    return {"attachment": {"type": "template", "payload": template}}


async def state(shop: Shop, person: str = "anna") -> Any:
    answer = await shop.call("GET", "/phone/state", params={"person": person})
    assert answer.status == 200, answer.body
    return answer.body


async def raw(shop: Shop, method: str, path: str, headers: Mapping[str, str] | None = None) -> int:
    """The status alone; with no headers but these."""
    url = shop.sandbox.base_url + path
    async with shop.http.request(method, url, headers=headers, json={}, allow_redirects=False) as answer:
        return answer.status


async def test_the_page_and_its_parts_come_from_here(shop: Shop) -> None:
    for path, kind in {
        "/phone/": "text/html",
        "/phone/phone.css": "text/css",
        "/phone/phone.js": "text/javascript",
        "/phone/samples/bouquet.svg": "image/svg+xml",
    }.items():
        async with shop.http.get(shop.sandbox.base_url + path) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            text = await answer.text()
            assert "style=" not in text
    assert await raw(shop, "GET", "/phone/app.py") == 404
    assert await raw(shop, "GET", "/phone/../app.py") != 200


async def test_a_comment_and_its_public_reply_show_under_the_post(shop: Shop) -> None:
    said = await shop.act("comment", person="anna", text="<b>Price</b>")
    await shop.call("POST", f"/v26.0/{said['id']}/replies", params={"message": "In your messages"})
    comment = (await state(shop))["feed"][0]["comments"][0]
    assert (comment["text"], comment["mine"]) == ("<b>Price</b>", True)
    assert [(one["text"], one["shop"]) for one in comment["replies"]] == [("In your messages", True)]


async def test_a_hidden_comment_shows_to_its_author_alone(shop: Shop) -> None:
    said = await shop.act("comment", person="anna", text="spam")
    await shop.call("POST", f"/v26.0/{said['id']}", params={"hide": "true"})
    assert (await state(shop, "anna"))["feed"][0]["comments"][0]["hidden"]
    assert (await state(shop, "ben"))["feed"][0]["comments"] == []


async def test_a_private_reply_waits_in_the_requests_of_who_does_not_follow(shop: Shop) -> None:
    for person in ("anna", "ben"):
        said = await shop.act("comment", person=person, text="Price")
        await shop.send({"comment_id": said["id"]}, {"text": "Hello"})
    assert not (await state(shop, "anna"))["shops"][0]["request"]
    before = await state(shop, "ben")
    assert before["shops"][0]["request"]
    assert before["thread"]["messages"][0]["comment"] == {"text": "Price"}
    assert before["thread"]["window_open_until"] is None
    accepted = await shop.call("POST", "/phone/accept", json={"person": "ben"})
    assert accepted.status == 200
    assert not (await state(shop, "ben"))["shops"][0]["request"]


async def test_answering_accepts_a_request(shop: Shop) -> None:
    said = await shop.act("comment", person="ben", text="Price")
    await shop.send({"comment_id": said["id"]}, {"text": "Hello"})
    await shop.act("dm", person="ben", text="Hi")
    assert not (await state(shop, "ben"))["shops"][0]["request"]


async def test_messages_are_unread_until_the_person_reads(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    await shop.send({"id": igsid}, {"text": "Hello"})
    assert (await state(shop))["shops"][0]["unread"] == 1
    shop.later(seconds=1)
    await shop.act("read", person="anna")
    assert (await state(shop))["shops"][0]["unread"] == 0


async def test_typing_and_seen_show(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    await shop.call(
        "POST",
        "/v26.0/me/messages",
        json={"recipient": {"id": igsid}, "sender_action": "typing_on"},
    )
    await shop.call(
        "POST",
        "/v26.0/me/messages",
        json={"recipient": {"id": igsid}, "sender_action": "mark_seen"},
    )
    thread = (await state(shop))["thread"]
    assert thread["typing"]
    assert thread["seen_at"] == "2026-09-01T10:00:00.000Z"
    shop.later(minutes=1)
    assert not (await state(shop))["thread"]["typing"]


async def test_a_finger_points_at_one_button_even_an_older_one(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    first = await shop.send({"id": igsid}, button("first"))
    await shop.send({"id": igsid}, button("second"))
    await shop.connect()
    mid = first.body["message_id"]
    tapped = await shop.call("POST", "/phone/tap", json={"person": "anna", "mid": mid, "title": "Yes"})
    assert tapped.status == 200, tapped.body
    postback = (await shop.heard())[-1]["postback"]
    assert (postback["payload"], postback["mid"]) == ("first", tapped.body["mid"])
    gone = await shop.call("POST", "/phone/tap", json={"person": "anna", "mid": mid, "title": "No"})
    assert (gone.status, gone.body["error"]) == (404, "there is no 'No' to tap any more")


async def test_a_finger_points_at_one_card(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    cards = [
        {"title": name, "buttons": [{"type": "postback", "title": "Buy", "payload": name}]}
        for name in ("Hat", "Scarf")
    ]
    template = {"template_type": "generic", "elements": cards}
    sent = await shop.send({"id": igsid}, {"attachment": {"type": "template", "payload": template}})
    await shop.connect()
    tap = {"person": "anna", "mid": sent.body["message_id"], "title": "Buy", "card": 2}
    assert (await shop.call("POST", "/phone/tap", json=tap)).status == 200
    assert (await shop.heard())[-1]["postback"]["payload"] == "Scarf"
    assert (await shop.call("POST", "/phone/tap", json={**tap, "card": 3})).status == 404
    await shop.act("tap", person="anna", title="Buy", card=1)
    assert (await shop.heard())[-1]["postback"]["payload"] == "Hat"


async def test_the_list_of_conversations_names_what_was_sent(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    shown = {}
    for kind, name in (("video", "a.mp4"), ("audio", "a.m4a"), ("file", "a.pdf"), ("like_heart", "")):
        payload = {"payload": {"url": f"https://shop.example/{name}"}} if name else {}
        await shop.send({"id": igsid}, {"attachment": {"type": kind, **payload}})
        shown[kind] = (await state(shop))["shops"][0]["last"]["text"]
    assert shown == {
        "video": "Sent a film",
        "audio": "Sent a voice message",
        "file": "Sent a file",
        "like_heart": "❤️",
    }


async def test_a_chip_is_tapped_once(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    chips = [{"content_type": "text", "title": "Two", "payload": "2"}]
    sent = await shop.send({"id": igsid}, {"text": "How many?", "quick_replies": chips})
    tap = {"person": "anna", "mid": sent.body["message_id"], "title": "Two"}
    assert (await shop.call("POST", "/phone/tap", json=tap)).status == 200
    assert (await shop.call("POST", "/phone/tap", json=tap)).status == 404
    assert [one["text"] for one in (await state(shop))["thread"]["messages"]][-1] == "Two"


async def test_a_blocked_shop_is_said_in_words(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    sent = await shop.send({"id": igsid}, button())
    await shop.act("people", username="anna", blocked=True)
    tap = {"person": "anna", "mid": sent.body["message_id"], "title": "Yes"}
    refused = await shop.call("POST", "/phone/tap", json=tap)
    assert (refused.status, refused.body["error"]) == (400, "anna has blocked rosas_shop")
    assert (await state(shop))["me"]["blocked"]


async def test_an_address_no_browser_should_open_is_left_out(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    await shop.send({"id": igsid}, button(type="web_url", url="javascript:alert(1)"))
    shown = (await state(shop))["thread"]["messages"][-1]["cards"][0]["buttons"]
    assert shown == [{"title": "Yes", "opens": True, "url": None}]


async def test_nothing_new_is_304(shop: Shop) -> None:
    first = await shop.call("GET", "/phone/state")
    url, tag = shop.sandbox.base_url + "/phone/state", first.headers["Etag"]
    async with shop.http.get(url, headers={"if-none-match": tag}) as same:
        assert (same.status, await same.text()) == (304, "")
    await shop.act("dm", person="anna", text="Hello")
    async with shop.http.get(url, headers={"if-none-match": tag}) as changed:
        assert changed.status == 200


async def test_without_an_observer_the_wire_is_shown(shop: Shop) -> None:
    await shop.connect(retry_gaps_s=[0])
    shop.receiver.statuses = [500]
    await shop.act("dm", person="anna", text="Hello")
    await shop.heard()
    behind = (await state(shop))["behind"]
    assert behind["observed"] is None
    assert [(one["kinds"], one["status"], one["tries"]) for one in behind["webhooks"]] == [
        (["message"], 200, 2),
        (["message"], 500, 1),
    ]
    assert (behind["calls"][0]["method"], behind["calls"][0]["status"]) == ("POST", 200)
    assert behind["connect"]["token"] == shop.sandbox.token
    assert behind["connect"]["app_secret"] == shop.sandbox.app_secret


async def test_every_switch_and_fault_has_words(shop: Shop) -> None:
    words = (await shop.call("GET", "/phone/words")).body
    known = (await shop.call("GET", "/sandbox/state")).body
    for name in known["switches"]:
        assert words["switches"][name]["says"]
    listed = (await shop.call("GET", "/sandbox/faults")).body
    assert list(words["faults"]) == [one["name"] for one in listed["catalog"]]
    assert words["faults"]["window_10_2534022"] == {
        "group": "Outside the 24-hour window",
        "code": 10,
        "subcode": 2534022,
    }


async def test_what_is_switched_on_is_told(shop: Shop) -> None:
    await shop.act("switches", limits=True)
    assert (await state(shop))["behind"]["turned"] == []
    await shop.act("switches", delay_s=5, message_access=False, localised=True)
    await shop.act("faults", fault="timeout")
    assert (await state(shop))["behind"]["turned"] == [
        {"name": "message_access", "value": False},
        {"name": "delay_s", "value": 5.0},
        {"name": "localised", "value": True},
        {"name": "faults", "value": 1},
    ]


async def test_what_no_program_offers_is_404(shop: Shop) -> None:
    answer = await shop.call("POST", "/phone/resume", json={"person": "anna"})
    assert (answer.status, answer.body["error"]) == (404, "the program behind this page offers no such thing")


async def test_who_is_not_there_is_404(shop: Shop) -> None:
    answer = await shop.call("GET", "/phone/state", params={"person": "nobody"})
    assert (answer.status, answer.body["error"]) == (404, "no person nobody")


@pytest.mark.parametrize(
    "path", ["/phone/tap", "/phone/accept", "/phone/resume", "/sandbox/dm", "/sandbox/revoke"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
    ],
    ids=str,
)
async def test_other_web_pages_cannot_drive_the_sandbox(
    shop: Shop, path: str, headers: dict[str, str]
) -> None:
    assert await raw(shop, "POST", path, headers) == 403


async def test_a_name_that_anybody_could_point_here_reads_nothing(shop: Shop) -> None:
    for path in ("/phone/state", "/phone/", "/sandbox/state"):
        assert await raw(shop, "GET", path, {"host": "evil.example"}) == 403


async def test_other_web_pages_read_nothing_and_may_link_to_the_page(shop: Shop) -> None:
    elsewhere = {"sec-fetch-site": "cross-site"}
    for path in ("/phone/state", "/phone/phone.js", "/sandbox/state", "/sandbox/"):
        assert await raw(shop, "GET", path, elsewhere) == 403
        assert await raw(shop, "GET", path, {"sec-fetch-site": "none"}) == 200
    assert await raw(shop, "GET", "/phone/", {**elsewhere, "sec-fetch-mode": "navigate"}) == 200


async def test_our_own_page_and_programs_may_act(shop: Shop) -> None:
    origin = shop.sandbox.base_url
    port = origin.rpartition(":")[2]
    for headers in (
        {},
        {"sec-fetch-site": "same-origin", "origin": origin},
        {"host": f"localhost:{port}", "origin": f"http://localhost:{port}"},
    ):
        assert await raw(shop, "POST", "/sandbox/settle", headers) == 200


async def test_the_bare_address_opens_the_phone_for_browsers_alone(shop: Shop) -> None:
    assert await raw(shop, "GET", "/phone") == 302
    assert await raw(shop, "GET", "/", {"sec-fetch-mode": "navigate"}) == 302
    told = (await shop.call("GET", "/")).body
    assert [
        told[name].removeprefix(shop.sandbox.base_url) for name in ("phone", "people and switches", "graph")
    ] == [
        "/phone",
        "/sandbox/",
        "/v26.0",
    ]
    assert (await shop.call("POST", "/")).error == (500, 2500, None)


@pytest.fixture
async def empty(anyio_backend: str) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox()
    clock = VirtualClock(datetime(2026, 9, 1, 10, 0, tzinfo=UTC))
    await sandbox.start(host="127.0.0.1", port=0, clock=clock, seed_world=False)
    yield sandbox
    await sandbox.stop()


async def test_an_empty_world_says_what_it_needs(empty: Sandbox) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{empty.base_url}/phone/state") as answer:
        assert answer.status == 404
        assert await answer.json() == {"error": "the world is empty", "hint": "It needs a shop and a person."}


async def test_the_observer_is_asked_for_the_person_and_may_fail(anyio_backend: str) -> None:
    asked: list[tuple[str, str]] = []

    async def observer(ig_id: str, igsid: str) -> Mapping[str, object]:
        await asyncio.sleep(0)
        asked.append((ig_id, igsid))
        if len(asked) > 1:
            raise ValueError("broken")
        return {"contact": None, "entries": [], "problems": []}

    sandbox = Sandbox()
    await sandbox.start(
        host="127.0.0.1", port=0, clock=VirtualClock(datetime(2026, 9, 1, tzinfo=UTC)), observer=observer
    )
    async with aiohttp.ClientSession() as http:
        seen = []
        for _ in range(2):
            async with http.get(f"{sandbox.base_url}/phone/state") as answer:
                seen.append((await answer.json())["behind"]["observed"])
    shop = sandbox.world.account_named(None)
    anna = sandbox.world.igsid(shop, sandbox.world.person_named("anna"))
    await sandbox.stop()
    assert seen == [{"contact": None, "entries": [], "problems": []}, {"failed": True}]
    assert asked == [(shop.ig_id, anna)] * 2


async def test_an_empty_conversation_shows_opening_questions_and_the_menu_stays(shop: Shop) -> None:
    asked = [{"question": "Do you ship?", "payload": "SHIP"}]
    items = [
        {"type": "postback", "title": "Hours", "payload": "HOURS"},
        {"type": "web_url", "title": "Shop", "url": "https://shop.example/"},
    ]
    for part, actions in (("ice_breakers", asked), ("persistent_menu", items)):
        profile = {"platform": "instagram", part: [{"locale": "default", "call_to_actions": actions}]}
        assert (await shop.call("POST", "/v26.0/me/messenger_profile", json=profile)).status == 200
    thread = (await state(shop))["thread"]
    assert thread["questions"] == ["Do you ship?"]
    assert thread["menu"] == [
        {"title": "Hours", "opens": False, "url": None},
        {"title": "Shop", "opens": True, "url": "https://shop.example/"},
    ]
    await shop.act("tap_ice_breaker", person="anna", question="Do you ship?")
    thread = (await state(shop))["thread"]
    assert (thread["questions"], len(thread["menu"])) == ([], 2)
    assert [one["text"] for one in thread["messages"]] == ["Do you ship?"]
