"""A gate for followers on a real daemon: it asks after the first tap, and opens to a follow or to silence."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
disclosure: false
flows:
  list:
    when: [comment: list]
    limits: { per_person: once }
    do:
      - send:
          text: "Hi {username}! Tap and it is yours."
          buttons: [{ label: Send it, run: gate }]
  gate:
    do:
      - choose:
          - if: follows_me
            do: [send: "Here you are, {first_name|friend}."]
          - if: { follows_me: unknown }
            do: [send: "I cannot see it right now, so here you are."]
          - else:
              - send: { text: "Follow us first.", buttons: [{ label: Done, run: gate }] }
  stars:
    when: [dm: star]
    only_if: { any: [verified, followers: { more_than: 1000 }] }
    do: [send: "Let us talk."]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _gets(shop: Shop, username: str, count: int) -> list[str]:
    """Everything written to somebody, once it is so many messages and nothing more is on its way."""
    for _ in range(150):
        if len(await shop.written_to(username)) >= count:
            break
        await asyncio.sleep(0.1)
    await shop.quiet()
    return await shop.written_to(username)


async def test_the_gate_opens_to_who_follows(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await shop.act("/people", username="ola", name="Ola Nowak")
        await shop.act("/comment", person="ola", text="list")
        assert len(await _gets(shop, "ola", 1)) == 1
        await shop.act("/tap", person="ola", title="Send it")
        assert (await _gets(shop, "ola", 2))[-1] == "Follow us first."
        await shop.act("/people", username="ola", follows=True)
        await asyncio.sleep(3)  # what was told a moment ago counts for so long
        await shop.act("/tap", person="ola", title="Done")
        assert (await _gets(shop, "ola", 3))[-1] == "Here you are, Ola."
        why = await shop.command("why", "@ola")
        assert "profile (follows_me: yes" in why  # told after the tap was decided on
        assert "message sent" in why
        (item, *_) = await shop.read("queue", "list")
        assert await shop.command("why", str(item["id"])) == why
        assert "What it asked for, or sent, came to its end" in await shop.command("runs", "show", "@ola")
        shown = await shop.command("contacts", "show", "@ola")
        assert "follows_me" in shown
        assert "just now" in shown
        (ola,) = [one for one in await shop.read("contacts", "list") if one["username"] == "ola"]
        assert (ola["name"], ola["follows_me"], ola["verified"]) == ("Ola Nowak", True, False)


async def test_what_instagram_does_not_tell_is_unknown(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await shop.act("/people", username="ola", follower_count=1001)
        await shop.act("/faults", fault="consent_230", endpoint="profile")
        await shop.act("/comment", person="ola", text="list")
        await _gets(shop, "ola", 1)
        await shop.act("/tap", person="ola", title="Send it")
        assert (await _gets(shop, "ola", 2))[-1] == "I cannot see it right now, so here you are."
        (ola,) = await shop.read("contacts", "list")
        assert "230" in ola["facts_problem"]
        await shop.act("/clear_faults")
        await shop.act("/dm", person="ola", text="star")
        assert (await _gets(shop, "ola", 3))[-1] == "Let us talk."
        await shop.act("/people", username="ben", follower_count=3)
        await shop.act("/dm", person="ben", text="star")
        await shop.act("/settle")
        await shop.quiet()
        assert await shop.written_to("ben") == []
        (why,) = [event for event in await shop.read("events", "list") if event["text"] == "star"][:1]
        assert "any: [verified: true; followers: more_than 1000] is not true" in why["reason"]


async def test_killed_while_instagram_is_asked(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await shop.act("/people", username="ola", verified=True)
        await shop.act("/faults", fault="timeout", endpoint="profile", times=1)
        await shop.act("/dm", person="ola", text="star")
        for _ in range(600):
            if [item for item in await shop.read("queue", "list") if item["kind"] == "lookup"]:
                break
        await shop.kill()
        await shop.act("/clear_faults")
        await shop.start()
        assert await _gets(shop, "ola", 1) == ["Let us talk."]
