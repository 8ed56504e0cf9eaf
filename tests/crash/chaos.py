"""Chaos: a real daemon, the sandbox with faults on, SIGKILL at random instants; then the ledger is checked.

`make chaos` plays it long and prints the figures; `make test` plays a short one with a fixed seed.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.daemon import ROOT, Shop, open_shop

FAULTS = (
    "code_1_delivered",
    "code_2_not_delivered",
    "hang_up_after_delivery",
    "connection_reset",
    "html_error_body",
)
ENDPOINTS = ("private_reply", "messages", "comment_reply")
LABEL = "Send it to me"


@dataclass(slots=True)
class Ledger:
    """What was accepted, and what became of it."""

    people: int = 0
    kills: int = 0
    faults: int = 0
    events: int = 0
    lost: list[str] = field(default_factory=list)
    """Comments without a verdict, or whose private reply neither arrived nor says why not."""
    doubled: list[str] = field(default_factory=list)
    """Texts that somebody got twice."""
    settled: int = 0
    """Messages of unknown fate that evidence has settled."""
    unknown: int = 0
    """Messages that are still unknown, each with a reason."""
    unexplained: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.unexplained)

    def __str__(self) -> str:
        return (
            f"people {self.people}, events {self.events}, kills {self.kills}, faults {self.faults}:"
            f" lost {len(self.lost)}, doubled {len(self.doubled)}, unknown {self.unknown},"
            f" settled {self.settled}, unexplained {len(self.unexplained)}"
        )


async def play(folder: Path, *, people: int, kills: int, faults: int, seed: int, patience_s: float) -> Ledger:
    """Conversations under kills and faults; then quiet until everything that can be settled is."""
    chance = random.Random(seed)
    ledger = Ledger(people=people, kills=kills, faults=faults)
    names = [f"p{number}" for number in range(people)]
    async with open_shop(folder, (ROOT / "flows.example.yaml").read_text("utf-8")) as shop:
        await shop.act("/switches", duplicates=1, shuffle=True, delay_s=0.05, retry_gaps_s=[0.2] * 400)
        for name in names:
            await shop.act("/people", username=name)
        for _ in range(faults):
            nth = chance.randrange(1, max(people // 2, 2))
            fault, endpoint = chance.choice(FAULTS), chance.choice(ENDPOINTS)
            await shop.act("/faults", fault=fault, endpoint=endpoint, nth=nth, times=1)
        comments = {name: await shop.act("/comment", person=name, text="price?") for name in names}
        await asyncio.gather(
            _killing(shop, kills, chance), *(_taps(shop, name, patience_s) for name in names)
        )
        await shop.act("/clear_faults")
        await shop.act("/settle")
        await _until_settled(shop, patience_s)
        await _check(shop, comments, ledger)
        assert await shop.stop() == 0
    assert "Traceback" not in shop.log.read_text()
    return ledger


async def _killing(shop: Shop, kills: int, chance: random.Random) -> None:
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        await shop.kill()
        await shop.start()


async def _taps(shop: Shop, name: str, patience_s: float) -> None:
    """As soon as the message with the button is there; who never gets it is in the ledger."""
    for _ in range(int(patience_s / 0.25)):
        if await shop.written_to(name):
            await shop.act("/tap", person=name, title=LABEL)
            return
        await asyncio.sleep(0.25)


async def _until_settled(shop: Shop, patience_s: float) -> None:
    for _ in range(int(patience_s)):
        events, queue = await shop.read("events", "list"), await shop.read("queue", "list")
        pending = [event for event in events if event["verdict"] == "pending"]
        open_ = [item for item in queue if item["status"] in ("queued", "sending", "unknown", "held")]
        if not pending and not open_:
            return
        await asyncio.sleep(1)


async def _check(shop: Shop, comments: dict[str, Any], ledger: Ledger) -> None:
    events, queue = await shop.read("events", "list"), await shop.read("queue", "list")
    ledger.events = len(events)
    verdicts = {event["comment_id"]: event["verdict"] for event in events if event["kind"] == "comment"}
    private = {item["to"]["comment_id"]: item for item in queue if item["kind"] == "private_reply"}
    for name, comment in comments.items():
        got = await shop.written_to(name)
        item = private.get(comment["id"])
        if (
            verdicts.get(comment["id"]) in (None, "pending")
            or item is None
            or (not got and item["status"] == "sent")
        ):
            ledger.lost.append(name)
        replies = await shop.public_replies(comment)
        twice = [text for text, n in Counter(got).items() if n > 1]
        if twice or len(replies) > 1:
            ledger.doubled.append(name)
    for item in queue:
        ledger.settled += "settled" in (item["reason"] or "") or "earlier attempt" in (item["reason"] or "")
        ledger.unknown += item["status"] == "unknown"
        if item["status"] != "sent" and not item["reason"]:
            ledger.unexplained.append(str(item))


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays with the given figures; 0 when nothing was lost, doubled or left unexplained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args(arguments)
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        ledger = asyncio.run(
            play(
                Path(folder),
                people=given.people,
                kills=given.kills,
                faults=given.faults,
                seed=given.seed,
                patience_s=240,
            )
        )
    print(ledger)
    for what in (*ledger.lost, *ledger.doubled, *ledger.unexplained):
        print(f"  {what}")
    return 0 if ledger.holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
