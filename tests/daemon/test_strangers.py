"""2,000 spoiled bodies, correctly signed: whatever they say, the daemon answers and lives."""

import asyncio
import json
import random
from pathlib import Path

import pytest

from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.shop import open_shop

pytestmark = pytest.mark.anyio
BODIES = 2000
AT_ONCE = 20
SPANNERS: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    10**40,
    1e308,
    float("nan"),
    "",
    "\x00",
    "\ud800",
    "‮" * 50,
    "x" * 20_000,
    [],
    {},
    [[[[]]]],
    {"id": {"id": []}},
)


def _sound() -> list[Json]:
    talk = [
        events.message("5001", "price?"),
        events.chip_tap("5001", "Small", "pamosnik1:a:b:c:d"),
        events.button_tap("5002", "Send it to me", "pamosnik1:01:02:03:04"),
        events.echo("5003", "aWdf_e", "hello"),
        events.announced("aWdf_n"),
        events.seen("5004", "aWdf_s"),
        events.message("5005", "", attachments=[{"type": "image", "payload": {"url": "https://x.example"}}]),
        events.message("5006", "gone", is_deleted=True),
        events.message("5007", "LINK", reply_to={"story": {"id": "179", "url": "https://x.example"}}),
    ]
    value = events.comment("5008", "price")
    return [
        events.envelope(events.talk(*talk)),
        events.envelope(events.change(value), events.change(events.boosted(value))),
        events.envelope(events.change(events.own_comment("c1", "thanks"))),
        events.envelope({"id": events.IG_ID, "time": 1, "field": "comments", "value": value}),
        events.envelope({"id": events.IG_ID, "standby": talk[:1]}, events.dashboard_test()),
    ]


def _spoil(part: object, chance: random.Random, depth: int = 0) -> object:
    """The same structure with something put out of place somewhere inside."""
    if depth > 1 and chance.random() < 0.12:
        return chance.choice(SPANNERS)
    match part:
        case dict():
            return {k: _spoil(v, chance, depth + 1) for k, v in part.items() if chance.random() > 0.03}
        case list():
            return [_spoil(one, chance, depth + 1) for one in part]
        case _:
            return part


def _scratch(raw: bytes, chance: random.Random) -> bytes:
    """Bytes changed, cut out, doubled."""
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[place] = chance.randrange(256)
            case 1:
                del changed[place : place + chance.randint(1, 30)]
            case _:
                changed[place:place] = changed[place : place + chance.randint(1, 60)]
    return bytes(changed)


async def test_two_thousand_spoiled_bodies(tmp_path: Path) -> None:
    chance = random.Random(24112026)
    sound = _sound()
    async with open_shop(tmp_path) as shop:

        async def send_some() -> set[int]:
            answers = set()
            for _ in range(BODIES // AT_ONCE):
                raw = json.dumps(_spoil(chance.choice(sound), chance)).encode()
                if chance.random() < 0.4:
                    raw = _scratch(raw, chance)
                answers.add(await shop.fake.post(raw))
            return answers

        answers = set().union(*await asyncio.gather(*(send_some() for _ in range(AT_ONCE))))
        assert answers == {200}
        await shop.quiet()
        await shop.write("5999", "price")
        assert len(await shop.settles("5999", 1)) == 1
        assert "error" not in {event["verdict"] for event in await shop.read("events", "list")}
        for command in (("queue", "list"), ("runs", "list"), ("contacts", "list"), ("stats",)):
            await shop.read(*command)


async def test_odd_requests(tmp_path: Path) -> None:
    bombs = (
        b"",
        b"null",
        b"[" * 100_000,
        b"{}",
        b"\xff\xfe",
        b'{"entry":' + b"9" * 5000 + b"}",
        b'{"a":1}' * 3,
    )
    async with open_shop(tmp_path) as shop:
        for raw in bombs:
            assert await shop.fake.post(raw) == 200, raw[:20]
        for path in ("/nowhere", "/webhooks", "/%00", "/l/../../etc/passwd", "/api/v1/events"):
            status, _ = await shop.get(path)
            assert 300 <= status < 500 or status in (0, 200), path
        assert await shop.ready()
