"""What arrives twice, late, in heaps, from ourselves, or from nobody: same result, never an answer too many."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.shop import VERIFY_TOKEN, Shop, open_shop

pytestmark = pytest.mark.anyio


def _by_igsid(rows: list[Any]) -> dict[str, Any]:
    return {row["from"]["igsid"]: row for row in rows}


async def test_every_delivery_five_times(tmp_path: Path) -> None:
    """With echoes before Instagram's answer, after it, and never."""
    ways = ("before", "after", "none")
    await asyncio.gather(*(_five_times(tmp_path / echoes, echoes) for echoes in ways))


async def _five_times(folder: Path, echoes: str) -> None:
    people = [f"81{number:03}" for number in range(8)]
    async with open_shop(folder) as shop:
        shop.fake.echoes = echoes
        comments = [events.change(events.comment(p, "price", username=f"u{p}")) for p in people]
        await asyncio.gather(*(shop.fake.deliver(one) for one in comments * 5))
        for igsid in people:
            await shop.settles(igsid, 1)
        taps = [_tap_of(shop, igsid) for igsid in people]
        await asyncio.gather(*(shop.fake.deliver(events.talk(one)) for one in taps * 5))
        await shop.quiet()
        for igsid in people:
            assert len(shop.fake.thread(igsid)) == 2, igsid
        assert Counter(reply.comment_id for reply in shop.fake.replies).most_common(1)[0][1] == 1
        found = Counter((e["kind"], e["verdict"]) for e in await shop.read("events", "list"))
        assert (found["comment", "started"], found["postback", "resumed"]) == (8, 8)
        assert found["echo", "own"] == (0 if echoes == "none" else 16)
        assert {run["status"] for run in await shop.read("runs", "list")} == {"completed"}
        assert {c["paused_until"] for c in await shop.read("contacts", "list")} == {None}


def _tap_of(shop: Shop, igsid: str) -> Json:
    label = "Send it to me"
    return events.button_tap(igsid, label, shop.fake.last(igsid).buttons[label])


async def test_a_shuffled_thousand_in_one_request(tmp_path: Path) -> None:
    chance = random.Random(7)
    flows = "version: 1\ndisclosure: false\nflows:\n  hi:\n    when: [dm: hello]\n    do: [send: hi]\n"
    async with open_shop(tmp_path, flows) as shop:
        talk = [events.message(f"82{n:04}", "hello" if n < 50 else "nothing for us") for n in range(334)]
        beside = [events.announced(one["message"]["mid"]) for one in talk]
        items = [*talk, *talk, *beside][:1000]
        chance.shuffle(items)
        await shop.fake.deliver(events.talk(*items))
        chance.shuffle(items)
        await shop.fake.deliver(*(events.talk(one) for one in items))
        await shop.quiet()
        assert Counter(sent.igsid for sent in shop.fake.sent) == {f"82{n:04}": 1 for n in range(50)}
        rows = Counter((e["kind"], e["verdict"]) for e in await shop.read("events", "list"))
        assert (rows["message", "started"], rows["message", "no_match"]) == (50, 284)
        assert rows["edit", "noted"] == len({e["message_edit"]["mid"] for e in items if "message_edit" in e})


async def test_the_owner_writing_pauses_automation_for_that_person_only(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.write("8301", "good morning")
        await shop.fake.deliver(events.talk(events.echo("8301", "aWdf_typed_by_hand", "Hello, Rosa here")))
        await shop.write("8301", "price")
        await shop.write("8302", "price")
        await shop.settles("8302", 1)
        await shop.quiet()
        assert shop.fake.thread("8301") == []
        rows = [e for e in await shop.read("events", "list") if e["text"] == "price"]
        assert {igsid: row["verdict"] for igsid, row in _by_igsid(rows).items()} == {
            "8301": "paused",
            "8302": "started",
        }
        people = {c["igsid"]: c["paused_until"] for c in await shop.read("contacts", "list")}
        assert people["8301"] is not None
        assert people["8302"] is None


async def test_what_never_reaches_the_engine(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        self_talk = events.message("8401", "price", is_echo=True, is_self=True)
        self_tap = {**events.button_tap("8402", "price", "price"), "is_self": True}
        await shop.fake.deliver(
            events.change(events.own_comment("c1", "price")),
            events.talk(self_talk, self_tap, events.announced("aWdf_x"), events.seen("8403", "aWdf_y")),
            events.dashboard_test(),
            events.talk(events.message("8404", "price"), ig_id="17841499999999999"),
        )
        await shop.quiet()
        rows = {(e["kind"], e["verdict"]) for e in await shop.read("events", "list")}
        assert rows == {
            ("comment", "own"),
            ("echo", "own"),
            ("postback", "own"),
            ("edit", "noted"),
            ("seen", "noted"),
            ("message", "test"),
        }
        assert (shop.fake.sent, shop.fake.replies) == ([], [])


async def test_a_boosted_post_tells_twice_and_is_answered_once(tmp_path: Path) -> None:
    flows = """
version: 1
disclosure: false
flows:
  p:
    when: [comment: {words: price, post: 18000000000000077}]
    limits: { per_person: once }
    do: [send: hi]
"""
    async with open_shop(tmp_path, flows) as shop:
        for igsid, ad_first in (("8501", True), ("8502", False)):
            value = events.comment(igsid, "price", media="18000000000000077")
            both = [events.boosted(value), value] if ad_first else [value, events.boosted(value)]
            for one in both:
                await shop.fake.deliver(events.change(one))
        await shop.quiet()
        assert [shop.fake.thread(igsid) for igsid in ("8501", "8502")] == [["hi"], ["hi"]]
        assert [e["verdict"] for e in await shop.read("events", "list") if e["kind"] == "comment"] == [
            "started",
            "started",
        ]


async def test_the_gate(tmp_path: Path) -> None:
    """Signatures, sizes, the handshake."""
    async with open_shop(tmp_path) as shop:
        raw = events.encode(events.envelope(events.talk(events.message("8601", "price"))))
        for signature in (
            "",
            "sha256=",
            "sha256=" + "0" * 64,
            events.sign(raw, "other"),
            events.sign(raw + b" "),
        ):
            assert await shop.fake.post(raw, signature) in (401, 403)
        assert await shop.fake.post(b" " * (5 << 20)) == 413
        chunked = events.encode(events.envelope(events.talk(events.message("8602", "x" * (5 << 20)))))
        assert await shop.fake.post(chunked) == 413
        assert await shop.read("events", "list") == []
        hook = "/webhooks/instagram"
        hub = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": VERIFY_TOKEN}
        assert await shop.get(hook, **hub) == (200, "1158201444")
        assert (await shop.get(hook, **{**hub, "hub.verify_token": "wrong"}))[0] == 403
        assert (await shop.get(hook))[0] == 403
        assert await shop.ready()
