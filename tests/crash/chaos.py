"""Chaos: a real daemon, the sandbox with faults on, SIGKILL at random instants; then the ledger is checked.

`make chaos` plays it long and prints the figures; `make test` plays a short one with a fixed seed. After some kills
the machine stays switched off for a while: the clocks of Instagram and of the next start are that much ahead, so
rests of minutes and looks an hour later belong to the play, too. `--walk` takes every point of tests/crash/walk.py
instead.
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.daemon import ROOT, Shop, open_shop
from tests.crash.ledger import Ledger
from tests.crash.walk import every_point, walk

SENDS = ("private_reply", "messages", "comment_reply")
READS = ("conversations", "comments", "media")
UNCERTAIN = (
    "code_1_delivered",
    "code_1_not_delivered",
    "code_1_1357046_delivered",
    "code_2_delivered",
    "code_2_not_delivered",
    "hang_up",
    "hang_up_after_delivery",
    "connection_reset",
    "connection_reset_after_delivery",
    "timeout",
    "timeout_after_delivery",
    "html_error_body",
    "html_error_body_delivered",
    "html_success_body",
    "cut_off_body",
)
"""Nobody can tell from the answer whether it was done."""
CERTAIN = ("usage_95", "slow", "rate_613_2534040", "rate_80002", "rate_4", "localised_message")
"""Done, later, or refused for good; the rates rest for five minutes."""
UNREADABLE = ("outage_100_33", "code_2_not_delivered", "html_error_body", "connection_reset", "rate_80002")
"""For look-ups: they learn nothing, and must conclude nothing."""
LABEL = "Send it to me"
ANSWERS = (("For which day?", "tomorrow"), ("How many of you?", "2"))
SWITCHED_OFF_S = (60.0, 60.0, 120.0, 300.0, 600.0, 3600.0, 3600.0)
"""What is open when all is quiet gets time: the last look for evidence is an hour after the attempt."""
_QUIET_S = 3.0
"""Enough when every webhook was told."""


def _catches_up_s(people: int) -> float:
    """Real seconds from a start until catching up has read: it begins after fifteen, and asks twice a second, for 25
    conversations or 50 comments at a time."""
    return 20.0 + people / 25 + people / 50


@dataclass(frozen=True, slots=True)
class Play:
    people: int
    kills: int
    faults: int
    seed: int
    patience_s: float
    """How long a customer waits for an answer before they go away."""
    loss: float = 0.0
    """This share of the webhooks never comes."""


async def play(folder: Path, given: Play) -> Ledger:
    """Conversations under kills and faults; then quiet until everything that can be settled is."""
    chance = random.Random(given.seed)
    ledger = Ledger(people=given.people, kills=given.kills, faults=given.faults)
    names = [f"p{number}" for number in range(given.people)]
    async with open_shop(folder, (ROOT / "flows.example.yaml").read_text("utf-8")) as shop:
        await shop.act(
            "/switches",
            duplicates=1,
            shuffle=True,
            batch=4,
            delay_s=0.05,
            loss=given.loss,
            echo_first=chance.random() < 0.5,
            edit_companions=chance.random() < 0.5,
            retry_gaps_s=[0.2] * 400,
        )
        igsids = {name: (await shop.act("/people", username=name))["igsid"] for name in names}
        await _arm(shop, given, chance)
        comments = [await shop.act("/comment", person=name, text="price?") for name in names[::2]]
        taps = (_taps(shop, name, given) for name in names[::2])
        books = (_books(shop, name, given) for name in names[1::2])
        await asyncio.gather(_killing(shop, given.kills, chance), *taps, *books)
        await shop.act("/clear_faults")
        await shop.act("/switches", loss=0.0)
        await shop.act("/settle")
        await _until_settled(shop, _catches_up_s(given.people) if given.loss else _QUIET_S)
        await _check(shop, igsids, comments, ledger)
        assert await shop.stop() == 0
    assert "Traceback" not in shop.log.read_text(), shop.log.read_text()
    return ledger


async def _arm(shop: Shop, given: Play, chance: random.Random) -> None:
    """Three in four faults leave it open whether something was done; the others are certain, or concern look-ups."""
    await shop.act("/switches", slow_s=1.0)
    for _ in range(given.faults):
        kind = chance.randrange(8)
        nth = chance.randrange(1, max(given.people // 2, 2))
        if kind == 0:
            fault, endpoint, nth = chance.choice(UNREADABLE), chance.choice(READS), chance.randrange(1, 6)
        else:
            fault, endpoint = chance.choice(CERTAIN if kind == 1 else UNCERTAIN), chance.choice(SENDS)
        await shop.act("/faults", fault=fault, endpoint=endpoint, nth=nth, times=1)


async def _killing(shop: Shop, kills: int, chance: random.Random) -> None:
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if chance.random() < 0.3:
            await shop.switch_off(chance.uniform(5, 400))
        else:
            await shop.kill()
            await shop.start()


async def _hears(shop: Shop, name: str, text: str, given: Play) -> bool:
    """Looks seldom when many look: they would keep the sandbox busy."""
    pause = max(0.5, given.people / 200)
    for _ in range(int(given.patience_s / pause)):
        if any(text in message for message in await shop.written_to(name)):
            return True
        await asyncio.sleep(pause)
    return False


async def _taps(shop: Shop, name: str, given: Play) -> None:
    """As soon as the message with the button is there; who never gets it is in the ledger."""
    if await _hears(shop, name, "Tap", given):
        await shop.act("/tap", person=name, title=LABEL)


async def _books(shop: Shop, name: str, given: Play) -> None:
    """Writes, and answers every question that comes; one in four has enough of it then."""
    await shop.act("/dm", person=name, text="book")
    for question, answer in ANSWERS:
        if not await _hears(shop, name, question, given):
            return
        await shop.act("/dm", person=name, text=answer)
    if name.endswith(("3", "7")):
        await shop.act("/dm", person=name, text="STOP")


async def _until_settled(shop: Shop, quiet_s: float) -> None:
    """`quiet_s`: real seconds after which nothing comes of itself. Twice, for what is younger than half a minute is
    not read: its webhook may come."""
    rests = 0
    for seconds in SWITCHED_OFF_S:
        await _until_still(shop, quiet_s)
        rests += not _open(*await _record(shop))
        if rests > 1 or (rests and quiet_s <= _QUIET_S):
            return
        await shop.switch_off(seconds)
    await _until_still(shop, quiet_s)


async def _until_still(shop: Shop, quiet_s: float) -> None:
    """Until nothing is open any more, or nothing has moved for a while."""
    before: object = None
    while True:
        await asyncio.sleep(quiet_s)
        events, queue = await _record(shop)
        now = [event["verdict"] for event in events], [(i["status"], i["attempts"]) for i in queue]
        if now == before or not _open(events, queue):
            return
        before = now


def _open(events: list[Any], queue: list[Any]) -> bool:
    return any(event["verdict"] == "pending" for event in events) or any(
        item["status"] in ("queued", "sending", "unknown", "held") for item in queue
    )


async def _record(shop: Shop) -> tuple[list[Any], list[Any]]:
    return await shop.read("events", "list"), await shop.read("queue", "list")


async def _check(shop: Shop, igsids: dict[str, str], comments: list[Any], ledger: Ledger) -> None:
    events, queue = await _record(shop)
    threads = {igsid: await shop.thread(name) for name, igsid in igsids.items()}
    told = await shop.replies(comments[0]["post"])
    ledger.count(events, queue, threads, {comment["id"]: told[comment["id"]] for comment in comments})
    known = {event["comment_id"] for event in events if event["kind"] == "comment"}
    answered = {item["to"]["comment_id"] for item in queue if item["kind"] == "private_reply"}
    for comment in comments:
        if comment["id"] not in known & answered:
            ledger.lost.append(f"comment {comment['id']}: nobody was told, or nothing was made of it")
    said = {event["message_id"] for event in events if event["kind"] in ("message", "postback")}
    for name in igsids:
        for mid in await shop.said_by(name):
            if mid not in said:
                ledger.lost.append(f"message {mid}: nobody was told")


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays with the given figures; 0 when nothing was lost, doubled, out of order or left unexplained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--loss", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--walk", action="store_true", help="every point of the walk, one by one, instead")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if given.walk:
            return _walk(Path(folder))
        print(f"seed {given.seed}", flush=True)
        figures = Play(given.people, given.kills, given.faults, given.seed, 120.0, given.loss)
        ledger = asyncio.run(play(Path(folder), figures))
    print(ledger)
    for what in ledger.wrong:
        print(f"  {what}")
    return 0 if ledger.holds else 1


def _walk(folder: Path) -> int:
    walked = asyncio.run(walk(folder, every_point))
    print(walked.ledger)
    print(
        ", ".join(f"{name} {n}" for name, n in sorted(walked.deaths.items())), f"missed {len(walked.missed)}"
    )
    for what in (*walked.wrong, *walked.ledger.wrong):
        print(f"  {what}")
    return 0 if walked.ledger.holds and not walked.wrong else 1


if __name__ == "__main__":
    raise SystemExit(main())
