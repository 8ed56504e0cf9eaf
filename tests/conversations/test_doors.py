"""Live comments, shared posts, reactions, links and ads, on a real daemon."""

from pathlib import Path
from typing import Any

import pytest

from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
disclosure: false
flows:
  live:
    when: [live_comment: price]
    limits: { per_person: 1h }
    do: [send: "From the broadcast"]
  shared:
    when: [shared_post]
    do: [send: "Thank you for sharing"]
  loved:
    when: [reaction: love]
    do: [send: "{text|Love} back"]
  flyer:
    when: [link: flyer7]
    do:
      - choose: [{ if: { came_from: link }, do: [send: "By the flyer"] }]
  autumn:
    when: [ad: "2385"]
    do:
      - choose: [{ if: { came_from: ad }, do: [send: "By the ad"] }]
  greet:
    when: [dm: hello]
    do: [send: "Hello"]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _does(shop: Shop, what: str, username: str, **more: object) -> Any:
    await shop.act("/people", username=username)
    done = await shop.act(f"/{what}", person=username, **more)
    await shop.act("/settle")
    await shop.quiet()
    return done


async def _verdicts(shop: Shop, kind: str) -> list[str]:
    return [event["verdict"] for event in await shop.read("events", "list") if event["kind"] == kind]


async def test_a_live_comment_is_answered_while_the_broadcast_lasts(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        comment = await _does(shop, "live_comment", "a", text="Price?")
        assert await shop.written_to("a") == ["From the broadcast"]
        assert await shop.public_replies(comment) == []
        await shop.kill()
        await shop.act("/people", username="b")
        await shop.act("/live_comment", person="b", text="price")
        await shop.act("/end_live")
        await shop.start()
        await shop.act("/settle")
        await shop.quiet()
        (late,) = [item for item in await shop.read("queue", "list") if item["to"]["username"] == "b"]
        assert (late["status"], late["kind"]) == ("failed", "private_reply")
        assert late["reason"].startswith("the broadcast is over")


async def test_shared_posts_and_reactions(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await _does(shop, "share_post", "a")
        assert len(await shop.written_to("a")) == 1
        await _does(shop, "react", "a", emoji="🔥")
        await _does(shop, "react", "a", emoji="❤️")
        await _does(shop, "react", "a")
        assert (await shop.written_to("a"))[1:] == ["❤️ back"]
        assert await _verdicts(shop, "reaction") == ["noted", "started", "noted"]


async def test_links_and_ads(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        # A stranger's link is told with the first thing they write, and goes before the words.
        await _does(shop, "open_link", "a", ref="flyer7")
        assert await shop.written_to("a") == []
        await _does(shop, "dm", "a", text="hello")
        assert await shop.written_to("a") == ["By the flyer"]
        # In a conversation it is told at once.
        await _does(shop, "open_link", "a", ref="flyer7")
        assert await shop.written_to("a") == ["By the flyer"] * 2
        await _does(shop, "dm", "b", text="hello", ad={"ad_id": "2385", "ref": "flyer7"})
        assert await shop.written_to("b") == ["By the ad"]
        await _does(shop, "open_link", "b", ref="other")
        assert await _verdicts(shop, "referral") == ["no_match", "started"]
        (opened,) = [e for e in await shop.read("events", "list") if e["verdict"] == "no_match"]
        assert "`link: other`" in (await shop.read("why", opened["id"]))["advice"]


async def test_a_link_opened_with_a_closed_window_waits_until_the_person_writes(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await _does(shop, "dm", "a", text="hello")
        await shop.switch_off(25 * 3600)
        await _does(shop, "open_link", "a", ref="flyer7")
        assert await shop.written_to("a") == ["Hello"]
        (waiting,) = [item for item in await shop.read("queue", "list") if item["status"] == "held"]
        assert waiting["flow"] == "flyer"
        await _does(shop, "dm", "a", text="anybody there?")
        assert await shop.written_to("a") == ["Hello", "By the flyer"]
