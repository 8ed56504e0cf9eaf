"""Films, files, hearts and cards, on a real daemon with the sandbox as Instagram."""

from pathlib import Path
from typing import Any

import pytest

from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

HATS = """\
version: 1
disclosure: false
flows:
  hats:
    when: [dm: hats, comment: hats]
    limits: { per_person: 1s }
    do:
      - send:
          cards:
            - title: Hat
              subtitle: Wool
              image: https://shop.example/hat.jpg
              buttons: [{ label: Buy, do: [{ tag: hat }, { send: "A hat it is." }] }]
            - title: Scarf
              url: https://shop.example/scarf
              buttons: [{ label: Buy, do: [{ tag: scarf }, { send: "A scarf it is." }] }]
  film:
    when: [dm: film]
    do:
      - send:
          text: How it is made
          video: https://shop.example/film.mp4
          audio: https://shop.example/song.m4a
          file: https://shop.example/list.pdf
          heart: true
      - send: "That is all."
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _thread(shop: Shop, username: str) -> list[Any]:
    async with shop.session.get(f"{shop.sandbox.base_url}/sandbox/thread/{username}") as answer:
        return [one for one in await answer.json() if one["from"] == "business"]


async def _does(shop: Shop, act: str, **what: object) -> None:
    await shop.act(act, **what)
    await shop.act("/settle")
    await shop.quiet()


async def test_a_tap_on_the_second_card(tmp_path: Path) -> None:
    async with open_shop(tmp_path, HATS) as shop:
        await _does(shop, "/dm", person="anna", text="Hats?")
        (cards,) = await _thread(shop, "anna")
        assert (cards["text"], cards["buttons"]) == ("Hat\nScarf", ["Buy", "Buy"])
        # Typed, nobody can tell which card is meant.
        await _does(shop, "/dm", person="anna", text="Buy")
        assert len(await _thread(shop, "anna")) == 1
        await _does(shop, "/tap", person="anna", title="Buy", card=2)
        await _does(shop, "/tap", person="anna", title="Buy", card=1)
        assert [one["text"] for one in (await _thread(shop, "anna"))[1:]] == [
            "A scarf it is.",
            "A hat it is.",
        ]
        [run] = await shop.read("runs", "list")
        assert run["status"] == "completed"
        [anna] = await shop.read("contacts", "list")
        assert sorted(anna["tags"]) == ["hat", "scarf"]


async def test_cards_after_a_comment_and_in_words_where_they_are_refused(tmp_path: Path) -> None:
    async with open_shop(tmp_path, HATS) as shop:
        await _does(shop, "/comment", person="anna", text="hats")
        assert [one["buttons"] for one in await _thread(shop, "anna")] == [["Buy", "Buy"]]
        await shop.act("/switches", private_reply_buttons=False)
        await _does(shop, "/comment", person="ben", text="hats")
        [said] = await _thread(shop, "ben")
        assert said["text"] == "Hat – Wool\nScarf\nhttps://shop.example/scarf\nReply: Buy"
        assert said["buttons"] == []


async def test_a_film_a_sound_a_file_and_a_heart_in_their_order(tmp_path: Path) -> None:
    async with open_shop(tmp_path, HATS) as shop:
        await _does(shop, "/dm", person="anna", text="film")
        said = await _thread(shop, "anna")
        assert [one["text"] or [*one["files"], *one["images"]] for one in said] == [
            ["https://shop.example/film.mp4"],
            ["https://shop.example/song.m4a"],
            ["https://shop.example/list.pdf"],
            "How it is made",
            ["https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=like_heart&signature=sandbox"],
            "That is all.",
        ]
        # Their echoes are known as our own: nobody is paused.
        echoes = [event for event in await shop.read("events", "list") if event["kind"] == "echo"]
        assert {event["verdict"] for event in echoes} == {"own"}
        assert len(echoes) == 6
