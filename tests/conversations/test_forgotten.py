"""`forget_me` on a real daemon: erased within moments, and met again as somebody new."""

import asyncio
from pathlib import Path

import pytest

from tests.conversations.test_conversations import _says
from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
disclosure: "A machine."
flows:
  forget: { when: [dm: forget], do: [forget_me, { send: "Kept." }] }
  hello: { when: [dm: hello], do: [{ send: "Hi!" }, { tag: greeted }] }
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _gone(shop: Shop, username: str) -> None:
    for _ in range(600):
        if username not in [person["username"] or "" for person in await shop.read("contacts", "list")]:
            events = await shop.read("events", "list")
            assert [event for event in events if event["from"]["username"] == username] == []
            return
        await asyncio.sleep(0.05)
    raise AssertionError("still known")


async def test_forgotten_within_moments_and_met_again(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        await _says(shop, "ben", "hello")
        await shop.act("/comment", person="anna", text="so nice")
        await _says(shop, "anna", "hello", "forget", "No, keep it")
        assert (await shop.written_to("anna"))[-2:] == [
            "Shall I really delete everything I know about you?",
            "Kept.",
        ]
        await _says(shop, "anna", "forget", "Yes, delete it")
        assert (await shop.written_to("anna"))[-1] == "Done. Everything about you is deleted."
        await _gone(shop, "anna")
        assert len(await shop.read("contacts", "list")) == 1
        assert b"so nice" not in (tmp_path / "home" / "pamosnik.db").read_bytes()
        await _says(shop, "anna", "hello")
        assert (await shop.written_to("anna"))[-1] == "A machine.\nHi!"
