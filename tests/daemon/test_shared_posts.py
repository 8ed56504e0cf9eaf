"""A post that a flow shares by its link: which one it is, only Instagram knows."""

from pathlib import Path

import pytest

from tests.daemon import events
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  hat:
    when: [dm: hat]
    do: [{ send: { post: "https://www.instagram.com/reel/Hat_1/?igsh=x" } }, { send: "Do you like it?" }]
  scarf:
    when: [dm: scarf]
    do: [{ send: { post: 18000000000000077 } }]
"""
LINK = "https://www.instagram.com/p/Hat_1/"


async def _writes(shop: Machine, text: str) -> None:
    await shop.deliver(events.talk(events.message("9001", text)))
    await shop.works()


def _lists(shop: Machine) -> int:
    return sum(call.path.endswith("/media") for call in shop.fake.calls)


async def test_the_post_is_looked_for_once(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.listed = {"m1": "https://www.instagram.com/p/Other/", "m2": LINK}
        await shop.works()
        asked = _lists(shop)
        await _writes(shop, "hat")
        await _writes(shop, "hat")
        assert shop.fake.thread("9001") == ["post m2", "Do you like it?"] * 2
        assert _lists(shop) == asked


async def test_an_id_is_shared_as_it_is(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "scarf")
        assert shop.fake.thread("9001") == ["post 18000000000000077"]


async def test_a_link_that_names_no_post_of_the_account_holds_the_rest_up_for_two_minutes(
    tmp_path: Path,
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.listed = {"m1": "https://www.instagram.com/p/Other/"}
        await _writes(shop, "hat")
        assert shop.queue()[0]["reason"] == "waits until Instagram tells which post the link names"
        await shop.later(minutes=3)
        assert shop.states() == ["expired", "sent"]
        assert "is it one of this account's?" in str(shop.queue()[0]["reason"])
        assert shop.fake.thread("9001") == ["Do you like it?"]


async def test_a_list_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.listed = {"m2": LINK}

        def trouble(call: Call) -> Trouble | None:
            return Trouble(500, 2) if call.path.endswith("/media") and _lists(shop) < 4 else None

        shop.fake.trouble = trouble
        await _writes(shop, "hat")
        assert shop.states() == ["queued", "queued"]
        await shop.later(seconds=60)
        assert shop.fake.thread("9001") == ["post m2", "Do you like it?"]
