"""How many calls fit into how much time: §8 of meta-platform, with its codes and usage headers."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pamosnik.sandbox.errors import GraphError
from pamosnik.sandbox.limits import Limits, Quota

from .shop import Answer, Shop

pytestmark = pytest.mark.anyio

Do = Callable[[Shop], Awaitable[Answer]]


@pytest.fixture
async def limited(shop: Shop) -> Shop:
    await shop.act("switches", limits=True)
    return shop


def usage(answer: Answer, ig_id: str) -> Any:
    (standing,) = json.loads(answer.headers["x-business-use-case-usage"])[ig_id]
    return standing


# quota, calls that fit, seconds until one more fits, code, subcode
LIMITS: list[tuple[str, Quota, int, float, int, int | None]] = [
    ("§8 text 100 a second", Quota.TEXT, 100, 1, 613, 2534040),
    ("§8 audio and video 10 a second", Quota.MEDIA, 10, 1, 613, 2534040),
    ("§8 private replies 750 an hour", Quota.PRIVATE_REPLY, 750, 3600, 613, 2534040),
    ("§8 live private replies 100 a second", Quota.LIVE_PRIVATE_REPLY, 100, 1, 613, 2534040),
    ("§8 conversations 2 a second", Quota.CONVERSATIONS, 2, 1, 613, 2534040),
    ("§8 the rest 4800 × impressions a day", Quota.REST, 4800, 86400, 80002, None),
    ("§8 app token 200 × users an hour", Quota.APP, 200, 3600, 4, None),
]


@pytest.mark.parametrize(
    ("quota", "fit", "seconds", "code", "subcode"),
    [row[1:] for row in LIMITS],
    ids=[row[0] for row in LIMITS],
)
async def test_limits(
    limited: Shop, quota: Quota, fit: int, seconds: float, code: int, subcode: int | None
) -> None:
    await limited.act("switches", impressions=1, daily_users=1)
    world = limited.sandbox.world
    account = None if quota is Quota.APP else world.account_named(None)
    limits = Limits(world)
    for _ in range(fit):
        limits.count(account, quota)
    with pytest.raises(GraphError) as refused:
        limits.count(account, quota)
    assert (refused.value.status, refused.value.code, refused.value.subcode) == (400, code, subcode)
    limited.later(seconds=seconds)
    limits.count(account, quota)


async def test_text_over_http(limited: Shop) -> None:
    """§8: 613 with the usage headers, and free again after a second."""
    await limited.act("switches", text_per_second=3)
    igsid = await limited.writes("anna")
    answers = [await limited.send({"id": igsid}, {"text": "x"}) for _ in range(4)]
    assert [one.status for one in answers] == [200, 200, 200, 400]
    assert answers[3].error == (400, 613, 2534040)
    assert usage(answers[1], limited.sandbox.ig_id)["call_count"] == 0, "percent of the hour"
    refused = usage(answers[3], limited.sandbox.ig_id)
    assert (refused["type"], refused["call_count"]) == ("messenger", 100)
    assert refused["estimated_time_to_regain_access"] == 1
    limited.later(seconds=1)
    assert (await limited.send({"id": igsid}, {"text": "x"})).status == 200
    assert len(await limited.look("thread/anna")) == 5


async def video(shop: Shop) -> Answer:
    clip = {"attachment": {"type": "video", "payload": {"url": "https://a.example/a.mp4"}}}
    return await shop.send({"id": await shop.igsid("anna")}, clip)


async def private_reply(shop: Shop) -> Answer:
    return await shop.send({"comment_id": "1"}, {"text": "x"})


async def live_private_reply(shop: Shop) -> Answer:
    comment = await shop.act("live_comment", person="anna", text="x")
    return await shop.send({"comment_id": comment["id"]}, {"text": "x"})


async def conversations(shop: Shop) -> Answer:
    return await shop.get("/me/conversations", platform="instagram")


async def one_message(shop: Shop) -> Answer:
    mid = (await shop.look("thread/anna"))[0]["mid"]
    return await shop.get(f"/{mid}")


async def media(shop: Shop) -> Answer:
    return await shop.get("/me/media")


KINDS: list[tuple[str, Do, int, str]] = [
    ("§8 video", video, 10, "messenger"),
    ("§8 private reply", private_reply, 750, "messenger"),
    ("§8 live private reply", live_private_reply, 100, "messenger"),
    ("§8 list of conversations", conversations, 2, "messenger"),
    ("§8 one message", one_message, 2, "messenger"),
    ("§8 media", media, 48000, "instagram"),
]


@pytest.mark.parametrize(("do", "limit", "kind"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
async def test_which_limit_a_call_counts_for(limited: Shop, do: Do, limit: int, kind: str) -> None:
    """Shown by the first call too many, or where that takes long by the share of the hours' limit that is used up."""
    await limited.act("switches", impressions=10)
    await limited.writes("anna")
    if limit <= 100:
        answers = [await do(limited) for _ in range(limit + 1)]
        codes = [answer.body.get("error", {}).get("code") for answer in answers]
        assert (613 in codes[:-1], codes[-1]) == (False, 613)
        standing = usage(answers[-1], limited.sandbox.ig_id)
        assert (standing["call_count"], standing["type"]) == (100, kind)
        return
    calls = 1 + limit // 100 if limit < 1000 else 1
    for _ in range(calls):
        answer = await do(limited)
    standing = usage(answer, limited.sandbox.ig_id)
    assert (standing["call_count"], standing["type"]) == (100 * calls // limit, kind)


async def test_the_750_count_attempts_and_name_the_minutes(limited: Shop) -> None:
    """§8: calls, not successes; a call too many lasts until the oldest is an hour old."""
    for _ in range(750):
        assert (await private_reply(limited)).error == (400, 100, 2534025)
    refused = await private_reply(limited)
    assert refused.error == (400, 613, 2534040)
    assert usage(refused, limited.sandbox.ig_id)["estimated_time_to_regain_access"] == 60


async def test_quota_of_impressions(limited: Shop) -> None:
    """§8: messaging is not part of it; the code is a switch."""
    await limited.act("switches", impressions=0)
    refused = await media(limited)
    assert refused.error == (400, 80002, None)
    assert usage(refused, limited.sandbox.ig_id)["type"] == "instagram"
    await limited.act("switches", quota_code="4")
    assert (await media(limited)).error == (400, 4, None)
    igsid = await limited.writes("anna")
    assert (await limited.send({"id": igsid}, {"text": "x"})).status == 200


async def test_app_tokens_have_their_own_limit(limited: Shop) -> None:
    """§8: 200 × daily users an hour, then code 4, with the app's usage header."""
    await limited.act("switches", daily_users=0)
    app = limited.sandbox.world.app
    path, token = f"/{app.meta_app_id}/subscriptions", f"{app.meta_app_id}|{app.meta_secret}"
    refused = await limited.call("GET", path, token=token)
    assert refused.error == (400, 4, None)
    assert json.loads(refused.headers["x-app-usage"]) == {"call_volume": 100, "cpu_time": 0}


async def test_every_answer_carries_usage(limited: Shop) -> None:
    """§8"""
    answer = await limited.get("/me")
    assert json.loads(answer.headers["x-app-usage"]) == {"call_volume": 0, "cpu_time": 0}
    assert usage(answer, limited.sandbox.ig_id)["estimated_time_to_regain_access"] == 0
