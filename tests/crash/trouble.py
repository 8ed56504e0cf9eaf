"""What goes wrong in a chaos, and waiting until all of it is settled: the faults of Instagram, patience, quiet."""

import asyncio
import random
from typing import Any

from tests.crash.daemon import Shop, recorded
from tests.crash.ledger import Ledger

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
SWITCHED_OFF_S = (60.0, 60.0, 120.0, 300.0, 600.0, 3600.0, 3600.0)
"""What is open when all is quiet gets time: the last look for evidence is an hour after the attempt."""
QUIET_S = 3.0
"""Enough when every webhook was told."""


async def arm(shop: Shop, faults: int, people: int, chance: random.Random) -> None:
    """Three in four faults leave it open whether something was done; the others are certain, or concern look-ups."""
    await shop.act("/switches", slow_s=1.0)
    for _ in range(faults):
        kind = chance.randrange(8)
        nth = chance.randrange(1, max(people // 2, 2))
        if kind == 0:
            fault, endpoint, nth = chance.choice(UNREADABLE), chance.choice(READS), chance.randrange(1, 6)
        else:
            fault, endpoint = chance.choice(CERTAIN if kind == 1 else UNCERTAIN), chance.choice(SENDS)
        await shop.act("/faults", fault=fault, endpoint=endpoint, nth=nth, times=1)


async def hears(shop: Shop, name: str, text: str, *, people: int, patience_s: float) -> bool:
    """Looks seldom when many look: they would keep the sandbox busy."""
    pause = max(0.5, people / 200)
    for _ in range(int(patience_s / pause)):
        if any(text in message for message in await shop.written_to(name)):
            return True
        await asyncio.sleep(pause)
    return False


async def until_settled(shop: Shop, quiet_s: float) -> None:
    """`quiet_s`: real seconds after which nothing comes of itself. Twice, for what is younger than half a minute is
    not read: its webhook may come."""
    rests = 0
    for seconds in SWITCHED_OFF_S:
        await _until_still(shop, quiet_s)
        rests += not _open(*_record(shop))
        if rests > 1 or (rests and quiet_s <= QUIET_S):
            return
        await shop.switch_off(seconds)
    await _until_still(shop, quiet_s)


async def _until_still(shop: Shop, quiet_s: float) -> None:
    """Until nothing is open any more, or nothing has moved for a while."""
    before: object = None
    while True:
        await asyncio.sleep(quiet_s)
        events, queue = _record(shop)
        now = [event["verdict"] for event in events], [(i["status"], i["attempts"]) for i in queue]
        if now == before or not _open(events, queue):
            return
        before = now


def _open(events: list[Any], queue: list[Any]) -> bool:
    return any(event["verdict"] == "pending" for event in events) or any(
        item["status"] in ("queued", "sending", "unknown", "held") for item in queue
    )


def _record(shop: Shop) -> tuple[list[Any], list[Any]]:
    found = recorded(shop.home)
    return found["events"], found["queue"]


async def count_up(shop: Shop, igsids: dict[str, str], comments: list[Any], ledger: Ledger) -> None:
    """The ledger of what people did and got. `comments`: those that have to be answered."""
    events, queue = _record(shop)
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
