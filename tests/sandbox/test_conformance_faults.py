"""Faults: every row of §9.2 by its name, and every way a call ends without a usable answer."""

import asyncio
import socket
from typing import Any

import aiohttp
import pytest
from starlette.types import Message

from pamosnik.clock import SystemClock
from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox.endings import TRANSPORT, HangUp
from pamosnik.sandbox.faults import CATALOG, Fault, Faults, Way, parse
from pamosnik.sandbox.main import Sandbox

from .shop import Answer, Shop

pytestmark = pytest.mark.anyio

# §9.2 as printed: code, subcode, and the HTTP status the sandbox takes (bold or plain there, else 400)
TABLE: list[tuple[int, int | None, int]] = [
    (1, None, 500),
    (1, 99, 400),
    (1, 1357046, 400),
    (2, None, 503),
    (2, 1545133, 503),
    (3, None, 400),
    (3, 2228054, 400),
    (4, None, 400),
    (9, 2018352, 400),
    (10, None, 403),
    (10, 2534022, 403),
    (10, 2018278, 403),
    (10, 2018065, 403),
    (10, 2018108, 400),
    (10, 2534077, 400),
    (10, 1893063, 400),
    (10, 1404170, 400),
    (17, None, 400),
    (32, None, 400),
    (36103, None, 400),
    (80001, None, 400),
    (80002, None, 400),
    (80006, None, 400),
    (100, None, 400),
    (100, 33, 400),
    (100, 2018001, 400),
    (100, 2534014, 400),
    (100, 2534013, 400),
    (100, 2534015, 400),
    (100, 2534025, 400),
    (100, 2534029, 400),
    (100, 2534037, 400),
    (100, 2534068, 400),
    (100, 2018008, 400),
    (100, 2018047, 400),
    (100, 2018109, 400),
    (100, 2018294, 400),
    (100, 2018074, 400),
    (100, 2534001, 400),
    (190, None, 400),
    (190, 458, 400),
    (190, 459, 400),
    (190, 460, 400),
    (190, 463, 400),
    (190, 464, 400),
    (190, 467, 400),
    (190, 492, 400),
    (102, None, 400),
    (200, None, 403),
    (200, 2534041, 403),
    (200, 2018028, 403),
    (200, 1545041, 403),
    (551, 1545041, 400),
    (230, None, 400),
    (341, None, 400),
    (368, None, 400),
    (506, None, 400),
    (551, None, 400),
    (613, None, 400),
    (613, 1996, 400),
    (613, 2018338, 400),
    (613, 2534040, 400),
    (803, None, 400),
    (2022, None, 400),
    (2500, None, 500),
    (9000001, None, 400),
    (2018300, None, 400),
    (10900, None, 400),
    (9010, None, 400),
]
REFUSING = [fault for fault in CATALOG.values() if fault.way is Way.REFUSED]
NAMED = (
    "code_1_delivered",
    "code_2_not_delivered",
    "timeout_after_delivery",
    "hang_up_after_delivery",
    "connection_reset",
    "slow",
    "html_error_body",
    "token_expired",
    "token_revoked",
    "blocked_368",
    "restricted_10_1893063",
    "rate_613",
    "rate_80002",
    "outage_100_33",
    "localised_message",
)


@pytest.mark.parametrize(
    ("code", "subcode", "status"), TABLE, ids=[f"§9.2 {row[0]}/{row[1]}" for row in TABLE]
)
def test_every_row_of_the_table_is_a_fault(code: int, subcode: int | None, status: int) -> None:
    found = {fault.status for fault in REFUSING if (fault.code, fault.subcode) == (code, subcode)}
    assert found == {status}


def test_the_catalog_has_no_other_rows_and_its_promised_names() -> None:
    assert {(fault.code, fault.subcode) for fault in REFUSING} == {row[:2] for row in TABLE}
    assert set(NAMED) <= CATALOG.keys()


async def send(shop: Shop, person: str = "anna", **more: Any) -> Answer:
    return await shop.send({"id": await shop.igsid(person)}, {"text": "Hi"}, **more)


async def arm(shop: Shop, fault: str, **more: Any) -> Any:
    return await shop.act("faults", fault=fault, **more)


@pytest.mark.parametrize("fault", REFUSING, ids=[f"{fault.section} {fault.name}" for fault in REFUSING])
async def test_refusals(shop: Shop, fault: Fault) -> None:
    await shop.connect()
    await shop.writes("anna")
    await arm(shop, fault.name, endpoint="messages", times=1)
    refused = await send(shop)
    assert refused.error == (fault.status, fault.code, fault.subcode)
    assert ("www-authenticate" in refused.headers) is (fault.code in (102, 190))
    throttled = '"call_count":100' in refused.headers.get("x-business-use-case-usage", "")
    assert throttled is fault.throttles
    delivered = len(await shop.look("thread/anna")) - 1
    assert delivered == (1 if fault.delivered else 0)
    assert len(await shop.heard()) == 1 + delivered
    assert (await send(shop)).status == 200


async def unanswered(shop: Shop) -> str:
    """Sends with a short patience; answers how it ended."""
    patience = aiohttp.ClientTimeout(total=0.3)
    body = {"recipient": {"id": await shop.igsid("anna")}, "message": {"text": "Hi"}}
    headers = {"Authorization": f"Bearer {shop.sandbox.token}"}
    url = f"{shop.sandbox.base_url}/v26.0/me/messages"
    async with aiohttp.ClientSession(timeout=patience) as http:
        try:
            async with http.post(url, json=body, headers=headers) as answer:
                return f"answered {answer.status}"
        except ConnectionResetError:
            return "reset"
        except aiohttp.ServerDisconnectedError:
            return "closed"
        except aiohttp.ClientOSError as problem:
            return "reset" if isinstance(problem.__cause__ or problem, OSError) else repr(problem)
        except TimeoutError:
            return "silence"


@pytest.mark.parametrize(
    ("fault", "ending", "delivered"),
    [
        ("timeout", "silence", 0),
        ("timeout_after_delivery", "silence", 1),
        ("hang_up", "closed", 0),
        ("hang_up_after_delivery", "closed", 1),
        ("connection_reset", "reset", 0),
        ("connection_reset_after_delivery", "reset", 1),
    ],
    ids=lambda value: f"§12.10 {value}" if isinstance(value, str) and "_" in value else str(value),
)
async def test_calls_without_an_answer(shop: Shop, fault: str, ending: str, delivered: int) -> None:
    await shop.connect()
    await shop.writes("anna")
    await arm(shop, fault, times=1)
    assert await unanswered(shop) == ending
    assert len(await shop.look("thread/anna")) == 1 + delivered
    assert len(await shop.heard()) == 1 + delivered
    kept = (await shop.look("requests"))[-1]
    assert (kept["status"], kept["fault"]) == (None, fault)
    assert (await send(shop)).status == 200


@pytest.mark.parametrize("reset", [True, False])
async def test_hanging_up_on_a_caller_who_is_gone(reset: bool) -> None:
    """A killed client and an armed `connection_reset` ended in a traceback of the sandbox."""
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
        transport.abort()
        await asyncio.sleep(0)

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(_: Message) -> None:
            raise AssertionError("there is nobody to answer")

        await HangUp(reset=reset)({"extensions": {TRANSPORT: {"transport": transport}}}, receive, send)


@pytest.mark.parametrize(
    ("fault", "status", "delivered"),
    [
        ("html_error_body", 502, 0),
        ("html_error_body_delivered", 502, 1),
        ("html_success_body", 200, 1),
    ],
    ids=["§9.1 html error", "§9.1 html error, delivered", "§9.1 html success"],
)
async def test_html_bodies(shop: Shop, fault: str, status: int, delivered: int) -> None:
    await shop.writes("anna")
    await arm(shop, fault, times=1)
    answer = await send(shop)
    assert answer.status == status
    assert answer.body.startswith("<!DOCTYPE html>")
    assert len(await shop.look("thread/anna")) == 1 + delivered


async def test_silence_does_not_keep_the_sandbox_from_stopping(
    caplog: pytest.LogCaptureFixture, anyio_backend: str
) -> None:
    sandbox = Sandbox()
    await sandbox.start(host="127.0.0.1", port=0, clock=SystemClock())
    sandbox.faults.arm("timeout")
    async with aiohttp.ClientSession() as http:
        waiting = asyncio.create_task(http.post(sandbox.base_url + "/me/messages"))
        await asyncio.sleep(0.1)  # until the call is there
        began = asyncio.get_running_loop().time()
        await sandbox.stop()
        assert asyncio.get_running_loop().time() - began < 0.9
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await waiting
    assert caplog.records == []


async def test_cut_off_json(shop: Shop) -> None:
    """§9.1"""
    await shop.writes("anna")
    await arm(shop, "cut_off_body", times=1)
    with pytest.raises(ValueError):
        await send(shop)
    assert len(await shop.look("thread/anna")) == 2


async def test_slow(shop: Shop) -> None:
    """§12.10: late, but right."""
    await shop.writes("anna")
    await shop.act("switches", slow_s=0.05)
    await arm(shop, "slow", times=1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await send(shop)).status == 200
    assert loop.time() - began >= 0.05


async def test_usage_95(shop: Shop) -> None:
    """§8: slow down from 80 %."""
    await arm(shop, "usage_95", endpoint="me", times=1)
    answer = await shop.get("/me")
    assert answer.status == 200
    assert '"call_count":95' in answer.headers["x-business-use-case-usage"]


async def test_localised_message(shop: Shop) -> None:
    """§9.1"""
    await shop.writes("anna")
    await arm(shop, "localised_message", endpoint="messages")
    refused = await send(shop)
    assert refused.error == (403, 10, 2534022)
    assert "Não" in refused.body["error"]["message"]


async def test_no_role_names_the_method(shop: Shop) -> None:
    """§1.3"""
    await arm(shop, "no_role_100")
    answer = await shop.get("/me")
    assert answer.body["error"]["message"] == "Unsupported request - method type: get"


# endpoint, and a call of that kind; {post} and so on are filled in
KINDS: list[tuple[str, str, str]] = [
    ("messages", "POST", "/me/messages"),
    ("messages", "POST", "/{ig_id}/messages"),
    ("comment_reply", "POST", "/{comment}/replies?message=x"),
    ("conversations", "GET", "/me/conversations?platform=instagram"),
    ("conversations", "GET", "/{thread}?fields=messages"),
    ("conversations", "GET", "/{mid}"),
    ("media", "GET", "/me/media"),
    ("media", "GET", "/{post}"),
    ("media", "GET", "/me/live_media"),
    ("comments", "GET", "/{post}/comments"),
    ("comments", "GET", "/{comment}"),
    ("comments", "GET", "/{comment}/replies"),
    ("comments", "POST", "/{comment}?hide=true"),
    ("comments", "POST", "/{post}/comments?message=x"),
    ("me", "GET", "/me"),
    ("me", "GET", "/{ig_id}"),
    ("subscribed_apps", "GET", "/{ig_id}/subscribed_apps"),
    ("profile", "GET", "/{igsid}"),
    ("any", "GET", "/me/messenger_profile"),
    ("any", "GET", "/refresh_access_token"),
]


@pytest.mark.parametrize(("endpoint", "method", "path"), KINDS, ids=[f"{one[0]} {one[2]}" for one in KINDS])
async def test_kinds_of_endpoint(shop: Shop, endpoint: str, method: str, path: str) -> None:
    igsid, comment = await shop.writes("anna"), await shop.comments("anna")
    names = {
        "ig_id": shop.sandbox.ig_id,
        "igsid": igsid,
        "comment": comment,
        "post": await shop.newest_post(),
        "thread": next(iter(shop.sandbox.world.threads)),
        "mid": next(iter(shop.sandbox.world.messages)),
    }
    for other in {kind for kind, _, _ in KINDS} - {endpoint, "any"}:
        await arm(shop, "blocked_368", endpoint=other)
    answer = await shop.call(method, path.format(**names))
    assert not isinstance(answer.body, dict) or answer.body.get("error", {}).get("code") != 368
    await arm(shop, "duplicate_506", endpoint=endpoint)
    assert (await shop.call(method, path.format(**names))).error == (400, 506, None)


async def test_private_replies_are_a_kind_of_their_own(shop: Shop) -> None:
    await arm(shop, "code_1_delivered", endpoint="private_reply", times=1)
    comment, igsid = await shop.comments("ben"), await shop.writes("anna")
    assert (await shop.send({"id": igsid}, {"text": "x"})).status == 200
    assert (await shop.send({"comment_id": comment}, {"text": "x"})).error == (500, 1, None)
    assert (await shop.send({"comment_id": comment}, {"text": "x"})).error == (400, 100, 2534025)
    assert len(await shop.look("thread/ben")) == 1


async def test_delivered_public_reply(shop: Shop) -> None:
    await arm(shop, "code_2_delivered", endpoint="comment_reply", times=1)
    comment = await shop.comments("ben")
    assert (await shop.post(f"/{comment}/replies", message="Sent!")).error == (503, 2, None)
    assert [one["text"] for one in (await shop.look("comments"))[0]["replies"]] == ["Sent!"]


async def test_by_person(shop: Shop) -> None:
    """Whoever the call concerns: recipient, commenter, conversation, profile."""
    for name in ("anna", "ben"):
        await shop.writes(name)
    comment = await shop.comments("anna")
    await arm(shop, "rate_613", person="anna")
    assert (await send(shop, "ben")).status == 200
    assert (await send(shop, "anna")).error == (400, 613, None)
    assert (await shop.get(f"/{await shop.igsid('anna')}")).error == (400, 613, None)
    assert (await shop.send({"comment_id": comment}, {"text": "x"})).error == (400, 613, None)
    anna = await shop.igsid("anna")
    assert (await shop.get("/me/conversations", platform="instagram", user_id=anna)).error == (400, 613, None)
    assert (await shop.get("/me")).status == 200


async def test_by_nth_call_and_times(shop: Shop) -> None:
    row = await arm(shop, "code_2_not_delivered", endpoint="me", nth=2, times=2)
    assert row == {
        "id": row["id"],
        "fault": "code_2_not_delivered",
        "endpoint": "me",
        "person": None,
        "nth": 2,
        "times": 2,
        "left": 2,
    }
    assert [(await shop.get("/me")).status for _ in range(4)] == [200, 503, 503, 200]
    assert (await arm(shop, "code_2_not_delivered", endpoint="me", nth=2))["times"] == 1
    assert [(await shop.get("/me")).status for _ in range(3)] == [200, 503, 200]


async def test_what_is_refused_anyway_uses_up_no_fault(shop: Shop) -> None:
    await arm(shop, "code_1_delivered", endpoint="messages", times=1)
    assert (await send(shop)).error == (403, 10, 2534022)
    assert (await shop.look("faults"))["active"][0]["left"] == 1
    await shop.writes("anna")
    assert (await send(shop)).error == (500, 1, None)
    assert (await shop.look("faults"))["active"] == []


async def test_catalog_and_clearing(shop: Shop) -> None:
    first = await arm(shop, "slow")
    await arm(shop, "timeout", person="anna")
    listed = await shop.look("faults")
    assert [one["name"] for one in listed["catalog"]] == list(CATALOG)
    assert all(set(one) == {"name", "title", "section"} for one in listed["catalog"])
    assert [one["fault"] for one in listed["active"]] == ["slow", "timeout"]
    assert listed["active"][0] == first | {"left": None}
    assert len((await shop.act("clear_faults", id=first["id"]))["active"]) == 1
    await shop.act("clear_faults")
    assert (await shop.look("faults"))["active"] == []


async def test_a_fault_needs_a_person_that_there_is(shop: Shop) -> None:
    """§12.10: else it would never strike."""
    body = {"fault": "slow", "person": "nobody"}
    refused = await shop.call("POST", "/sandbox/faults", json=body)
    assert (refused.status, refused.body["error"]) == (404, "no person nobody")
    assert "anna, ben, chen" in refused.body["hint"]
    assert (await shop.look("faults"))["active"] == []


async def test_addresses_that_there_are_not(shop: Shop) -> None:
    """Answered in the shape of every other refusal."""
    strange = await shop.call("GET", "/sandbox/nosuch")
    assert (strange.status, strange.body["error"]) == (404, "there is no address /sandbox/nosuch")
    assert strange.body["hint"]
    for method, path, right in (("GET", "comment", "POST"), ("DELETE", "faults", "POST or GET")):
        wrong = await shop.call(method, f"/sandbox/{path}")
        assert (wrong.status, wrong.body["hint"]) == (405, f"Call it with {right}.")
    hidden = await shop.call("POST", "/sandbox/thread/anna")
    assert (hidden.status, set(hidden.body)) == (405, {"error", "hint"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fault": "sunshine"}, 404),
        ({"fault": "slow", "endpoint": "nowhere"}, 400),
        ({"fault": "slow", "times": 0}, 400),
        ({"fault": "slow", "nth": 0}, 400),
        ({}, 400),
    ],
)
async def test_faults_that_cannot_be_armed(shop: Shop, body: Any, status: int) -> None:
    assert (await shop.call("POST", "/sandbox/faults", json=body)).status == status
    assert (await shop.call("POST", "/sandbox/clear_faults", json={"id": 7})).status == 404


def test_the_command_line_form() -> None:
    assert parse("messages:code_1_delivered:times=2") == {
        "endpoint": "messages",
        "fault": "code_1_delivered",
        "times": "2",
    }
    assert parse("any:slow:person=anna:nth=3")["person"] == "anna"
    for wrong in ("slow", "any:slow:often", "any:slow:speed=3"):
        with pytest.raises(UsageError):
            parse(wrong)
    with pytest.raises(NotFound):
        Faults().arm("sunshine")
