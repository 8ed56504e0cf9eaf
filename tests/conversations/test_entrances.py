"""Opening questions and the menu on a real daemon, with the sandbox as Instagram."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
disclosure: "A machine writes."
flows:
  book:
    when: [ice_breaker: Book a visit, menu: Book]
    mode: restart
    do:
      - ask: { question: "Your name?" }
      - send: "Thank you."
  ship:
    when: [ice_breaker: "Do you ship?", link: flyer7]
    do: [send: "We do."]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _profile(shop: Shop, part: str, count: int) -> Any:
    """What Instagram has, as soon as that is so many lists."""
    url = f"{shop.sandbox.base_url}/v26.0/me/messenger_profile"
    headers = {"Authorization": f"Bearer {shop.sandbox.token}"}
    for _ in range(200):
        async with shop.session.get(url, params={"fields": part}, headers=headers) as answer:
            found = (await answer.json())["data"]
        if len(found) == count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def _calls(shop: Shop) -> list[str]:
    async with shop.session.get(f"{shop.sandbox.base_url}/sandbox/requests") as answer:
        told = await answer.json()
    return [
        one["method"] for one in told if one["path"].endswith("messenger_profile") and one["method"] != "GET"
    ]


async def _does(shop: Shop, what: str, username: str, **more: object) -> None:
    await shop.act("/people", username=username)
    await shop.act(f"/{what}", person=username, **more)
    await shop.act("/settle")
    await shop.quiet()


async def test_registered_tapped_kept_over_a_restart_and_removed(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        (questions,) = await _profile(shop, "ice_breakers", 1)
        assert [one["question"] for one in questions["call_to_actions"]] == ["Book a visit", "Do you ship?"]
        (menu,) = await _profile(shop, "persistent_menu", 1)
        assert [one["title"] for one in menu["call_to_actions"]] == ["Book"]
        # A stranger who followed the link taps a question: the first of the two in the file.
        await _does(shop, "open_link", "anna", ref="flyer7")
        await _does(shop, "tap_ice_breaker", "anna", question="Book a visit")
        assert await shop.written_to("anna") == ["A machine writes.\nYour name?"]
        # A tap on the menu is no answer.
        await _does(shop, "tap_menu", "anna", title="Book")
        assert (await shop.written_to("anna"))[1:] == ["Your name?"]
        await _does(shop, "dm", "anna", text="Anna")
        assert (await shop.written_to("anna"))[2:] == ["Thank you."]
        await shop.kill()
        await shop.start()
        await _does(shop, "tap_ice_breaker", "ben", question="Do you ship?")
        assert await shop.written_to("ben") == ["A machine writes.\nWe do."]
        assert await _calls(shop) == ["POST", "POST"]
        file = tmp_path / "none.yaml"
        file.write_text("version: 1\nflows: { idle: { do: [stop] } }\n", "utf-8")
        await shop.command("flows", "apply", str(file), "--prune", "--yes")
        await _profile(shop, "ice_breakers", 0)
        await _profile(shop, "persistent_menu", 0)
        assert sorted(await _calls(shop)) == ["DELETE", "DELETE", "POST", "POST"]
