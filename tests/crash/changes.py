"""Changes under way: customers comment, tap and answer while the owner changes the flows; everything may be killed.

The daemon, the fake Instagram with its faults, and the commands of `tests.crash.owner` as real processes. In the end
everybody who began has come to the end of the version they began with, limits have held through all names, numbers
have followed, and an apply that was killed is there as a whole or not at all.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash.daemon import Shop, open_shop, recorded
from tests.crash.ledger import Got, Ledger
from tests.crash.owner import STAMP, File, Owner
from tests.crash.trouble import QUIET_S, arm, count_up, hears, until_settled

LABEL = "Send it to me"
QUESTIONS = (
    ("For which day?", "tomorrow"),
    ("Anything else?", "a window seat"),
    ("How many of you?", "2"),
)
NEWS_AFTER = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Season:
    """What is played."""

    people: int
    changes: int
    kills: int
    faults: int
    seed: int
    patience_s: float


@dataclass
class Played:
    ledger: Ledger
    owner: Owner

    def __str__(self) -> str:
        owner = self.owner
        return (
            f"{self.ledger}, strayed {len(self.ledger.strayed)}; applied {owner.done} times,"
            f" killed {owner.killed}, refused for another {owner.refused}"
        )


async def play(folder: Path, given: Season) -> Played:
    """A season of changes; then quiet, and everybody taps and comments once more."""
    chance = random.Random(given.seed)
    ledger = Ledger(people=given.people, kills=given.kills, faults=given.faults)
    at = _now_and(NEWS_AFTER)
    async with open_shop(folder, File(at).text()) as shop:
        owner = Owner(shop, folder, chance, File(at))
        await shop.act("/switches", duplicates=1, shuffle=True, batch=3, retry_gaps_s=[0.2] * 400)
        names = [f"p{number}" for number in range(given.people)]
        igsids = {name: (await shop.act("/people", username=name))["igsid"] for name in names}
        await arm(shop, given.faults, given.people, chance)
        busy = asyncio.create_task(_everybody(shop, names, given, chance))
        begun = asyncio.create_task(_killing(shop, given.kills, chance))
        for _ in range(given.changes):
            await owner.change()
            await asyncio.sleep(chance.uniform(0, 0.4))
        comments = await busy
        await begun
        await owner.rename()
        await shop.act("/clear_faults")
        await shop.act("/settle")
        await until_settled(shop, QUIET_S)
        await _once_more(shop, names[::2])
        await until_settled(shop, QUIET_S)
        await count_up(shop, igsids, comments, ledger)
        await _look(shop, owner, igsids, ledger)
        assert await shop.stop() == 0
    assert "Traceback" not in shop.log.read_text(), shop.log.read_text()
    ledger.strayed += owner.wrong
    return Played(ledger, owner)


def _now_and(later: timedelta) -> str:
    return f"{datetime.now(UTC) + later:%Y-%m-%d %H:%M}"


# --- what people do --------------------------------------------------------------------------------------


async def _everybody(shop: Shop, names: list[str], given: Season, chance: random.Random) -> list[Any]:
    """One half comments and taps, the other writes and answers, each at their own time."""
    pace = [chance.uniform(0, given.changes * 0.6) for _ in names]
    one = (_comments(shop, name, pause, given) for name, pause in zip(names[::2], pace[::2], strict=True))
    other = (_books(shop, name, pause, given) for name, pause in zip(names[1::2], pace[1::2], strict=True))
    made = await asyncio.gather(*one, *other)
    return [comment for comment in made if comment is not None]


async def _comments(shop: Shop, name: str, pause: float, given: Season) -> Any:
    await asyncio.sleep(pause)
    comment = await shop.act("/comment", person=name, text="price?")
    if await hears(shop, name, "Tap", people=given.people, patience_s=given.patience_s):
        await shop.act("/tap", person=name, title=LABEL)
    return comment


async def _books(shop: Shop, name: str, pause: float, given: Season) -> None:
    """Answers whatever is asked."""
    await asyncio.sleep(pause)
    await shop.act("/dm", person=name, text="book")
    answered: set[str] = set()
    for _ in range(int(given.patience_s * 2)):
        told = await shop.written_to(name)
        for question, answer in QUESTIONS:
            if question not in answered and any(text.find(question) >= 0 for text in told):
                answered.add(question)
                await shop.act("/dm", person=name, text=answer)
        if any("Noted" in text for text in told):
            return
        await asyncio.sleep(0.5)


async def _once_more(shop: Shop, names: list[str]) -> None:
    """Old buttons of versions and names that are gone, and a limit that must hold."""
    for name in names:
        if any("Tap" in text for text in await shop.written_to(name)):
            await shop.act("/tap", person=name, title=LABEL)
        await shop.act("/comment", person=name, text="price again?")
    await shop.act("/settle")


async def _killing(shop: Shop, kills: int, chance: random.Random) -> None:
    """The machine is switched off once, until after the time of the news."""
    for number in range(kills):
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        if number == kills // 2:
            await shop.switch_off(NEWS_AFTER.total_seconds())
        else:
            await shop.kill()
            await shop.start()


# --- what must hold --------------------------------------------------------------------------------------


async def _look(shop: Shop, owner: Owner, igsids: Mapping[str, str], ledger: Ledger) -> None:
    threads = {name: await shop.thread(name) for name in igsids}
    found = recorded(shop.home)
    unsent = {
        item["to"]["igsid"]
        for item in found["queue"]
        if item["status"] != "sent" and item["kind"] == "message"
    }
    for name, got in threads.items():
        ledger.strayed += [f"@{name}: {what}" for what in _wrong_in(got, refused=igsids[name] in unsent)]
    ledger.strayed += _wrong_runs(found["runs"], owner, unsent)
    ledger.strayed += _wrong_numbers(found["runs"], found["flows"])
    for event in found["events"]:
        if event["text"] == "price again?" and event["verdict"] != "filtered":
            ledger.strayed.append(f"@{event['from']['username']} got the price list twice: {event['reason']}")


def _wrong_in(got: list[Got], *, refused: bool) -> list[str]:
    """Of one person's conversation. `refused`: Instagram did not take one of the messages."""
    texts = [message.text for message in got]
    wrong = []
    versions = {stamp for text in texts for stamp in STAMP.findall(text)}
    if len(versions) > 1:
        wrong.append(f"is told of versions {versions}: {texts}")
    lists = [text for text in texts if text.startswith("List")]
    after = [text for text in texts if text.startswith("Any question")]
    if not refused and len(lists) != len(after):
        wrong.append(f"{len(lists)} lists, {len(after)} questions after them: {texts}")
    if not refused and any("Tap" in text for text in texts) and not lists:
        wrong.append(f"has tapped, and got nothing: {texts}")
    if len(set(lists)) != len(lists):
        wrong.append(f"got a list twice for one tap: {texts}")
    if sum("Our news" in text for text in texts) > 1:
        wrong.append("got the news twice")
    return wrong


def _wrong_runs(runs: list[Any], owner: Owner, unsent: Set[str]) -> list[str]:
    """No run is left under a name that its flow has no more, none has failed, none waits for nothing. `unsent`:
    people with a message that Instagram refused, as one of the faults does."""
    wrong = []
    names = {*owner.file.names.values(), "hello"}
    for run in runs:
        if run["flow"] not in names and (owner.file.booking or not run["flow"].startswith(("b", "v"))):
            wrong.append(f"run {run['id']} is left under {run['flow']}")
        if run["status"] == "failed" and run["contact"]["igsid"] not in unsent:
            wrong.append(f"run {run['id']} of {run['flow']} failed: {run['reason']}")
        if run["status"] in ("active", "waiting") and run["due_at"] is None:
            wrong.append(f"run {run['id']} of {run['flow']} waits for nothing at {run['step']}")
    return wrong


def _wrong_numbers(runs: list[Any], flows: list[Any]) -> list[str]:
    """Numbers are those of the runs, under the name that the runs have."""
    started: dict[str, int] = defaultdict(int)
    for run in runs:
        started[run["flow"]] += 1
    told = {row["flow"]: row["started"] for row in flows if row["started"]}
    return [] if told == started else [f"numbers say {told}, runs are {dict(started)}"]
