"""Whatever a stranger sends: no 5xx, nothing of it is stored unsigned, the daemon lives."""

import io
import json
import random
from pathlib import Path

import pytest

from pamosnik.instagram.webhook import sign
from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio
FLOWS = "version: 1\nflows:\n  price:\n    when: [dm: price]\n    do: [send: hello]\n"
MUTATIONS = 1500
_STRANGE = (b"null", b"[[", b'"\\ud800"', b"1e999", b"{}", b"\\u0000", b"-1")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _bodies(ig_id: str) -> list[bytes]:
    sender = {"sender": {"id": "900000000000011"}, "recipient": {"id": ig_id}, "timestamp": 1790000000950}
    messaging = [
        {**sender, "message": {"mid": "m1", "text": "price?"}},
        {
            **sender,
            "message": {"mid": "m2", "attachments": [{"type": "image", "payload": {"url": "https://x"}}]},
        },
        {**sender, "message_edit": {"mid": "m1", "text": "x", "num_edit": 1}},
        {**sender, "reaction": {"mid": "m1", "action": "react", "emoji": "\u2764\ufe0f"}},
        {**sender, "postback": {"mid": "m3", "title": "Go", "payload": "pamosnik1:a:b:c:d"}},
        {**sender, "read": {"mid": "m1"}},
    ]
    comment = {"id": "c1", "text": "price", "from": {"id": "9", "username": "a"}, "media": {"id": "1"}}
    return [
        json.dumps({"object": "instagram", "entry": [{"id": ig_id, "time": 1790000000, **inner}]}).encode()
        for inner in (
            {"messaging": messaging},
            {"changes": [{"field": "comments", "value": comment}]},
            {"field": "comments", "value": comment},
            {"standby": messaging[:1]},
        )
    ]


def _mutated(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[place] = chance.randrange(256)
            case 1:
                del changed[place : place + chance.randint(1, 20)]
            case 2:
                changed[place:place] = chance.choice(
                    [b"null", b"[[", b'"\\ud800"', b"1e999", b"{}", b"\\u0000", b"-1"]
                )
            case _:
                end = place + chance.randint(1, 30)
                changed[place:place] = changed[place:end]
        if not changed:
            return b""
    return bytes(changed)


async def _post(shop: Shop, body: bytes, signature: str) -> int:
    headers = {"X-Hub-Signature-256": signature}
    async with shop.session.post(shop.hook, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status


async def test_mutated_bodies_never_make_a_server_error(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    async with open_shop(tmp_path, FLOWS) as shop:
        secret, bodies = shop.sandbox.app_secret, _bodies(shop.sandbox.ig_id)
        for _ in range(MUTATIONS):
            body = _mutated(chance.choice(bodies), chance)
            assert await _post(shop, body, sign(body, secret)) == 200
        await shop.quiet()
        verdicts = {event["verdict"] for event in await shop.read("events", "list")}
        assert "error" not in verdicts
        assert await shop.stop() == 0
        assert "Traceback" not in shop.log.read_text()


async def test_what_is_not_signed_is_refused_and_not_stored(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        body = _bodies(shop.sandbox.ig_id)[0]
        for signature in ("", "sha256=", "sha256=" + "0" * 64, sign(body, "another secret"), "sha256=ä"):
            assert await _post(shop, body, signature) == 403
        assert await shop.read("events", "list") == []


async def test_a_body_over_4_mib_is_refused(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        body = b" " * (5 << 20)
        # The line was closed under who was still sending, now and then before the answer arrived.
        for _ in range(5):
            assert await _post(shop, body, sign(body, shop.sandbox.app_secret)) == 413
        assert await shop.read("events", "list") == []
        assert (await shop.read("status"))["daemon"]["running"]


async def test_a_thousand_updates_in_one_request_each_once(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        messages = [
            {
                "sender": {"id": f"9{number:014}"},
                "recipient": {"id": shop.sandbox.ig_id},
                "message": {"mid": f"m{number}", "text": "nothing that a flow takes"},
            }
            for number in range(1000)
        ]
        body = json.dumps(
            {"object": "instagram", "entry": [{"id": shop.sandbox.ig_id, "messaging": messages}]}
        ).encode()
        for _ in range(3):
            assert await _post(shop, body, sign(body, shop.sandbox.app_secret)) == 200
        await shop.quiet()
        events = await shop.read("events", "list")
        assert len(events) == 1000
        assert {event["verdict"] for event in events} == {"no_match"}
