"""Chaos: a real daemon, the sandbox with faults on, SIGKILL at random instants; then the ledger is checked.

`make chaos` plays it long and prints the figures; `make test` plays a short one with a fixed seed. After some kills
the machine stays switched off for a while: the clocks of Instagram and of the next start are that much ahead, so
rests of minutes and looks an hour later belong to the play, too. `--walk` takes every point of tests/crash/walk.py
instead, `--changes` the owner's changes under way (tests/crash/changes.py).
"""

import argparse
import asyncio
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash import changes
from tests.crash.changes import Season
from tests.crash.daemon import ROOT, Shop, open_shop
from tests.crash.ledger import Ledger
from tests.crash.trouble import QUIET_S, arm, count_up, hears, until_settled
from tests.crash.walk import every_point, walk

LABEL = "Send it to me"
ANSWERS = (("For which day?", "tomorrow"), ("How many of you?", "2"))


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
        await arm(shop, given.faults, given.people, chance)
        comments = [await shop.act("/comment", person=name, text="price?") for name in names[::2]]
        taps = (_taps(shop, name, given) for name in names[::2])
        books = (_books(shop, name, given) for name in names[1::2])
        await asyncio.gather(_killing(shop, given.kills, chance), *taps, *books)
        await shop.act("/clear_faults")
        await shop.act("/switches", loss=0.0)
        await shop.act("/settle")
        await until_settled(shop, _catches_up_s(given.people) if given.loss else QUIET_S)
        await count_up(shop, igsids, comments, ledger)
        assert await shop.stop() == 0
    assert "Traceback" not in shop.log.read_text(), shop.log.read_text()
    return ledger


async def _killing(shop: Shop, kills: int, chance: random.Random) -> None:
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if chance.random() < 0.3:
            await shop.switch_off(chance.uniform(5, 400))
        else:
            await shop.kill()
            await shop.start()


async def _waits(shop: Shop, name: str, text: str, given: Play) -> bool:
    return await hears(shop, name, text, people=given.people, patience_s=given.patience_s)


async def _taps(shop: Shop, name: str, given: Play) -> None:
    """As soon as the message with the button is there; who never gets it is in the ledger."""
    if await _waits(shop, name, "Tap", given):
        await shop.act("/tap", person=name, title=LABEL)


async def _books(shop: Shop, name: str, given: Play) -> None:
    """Writes, and answers every question that comes; one in four has enough of it then."""
    await shop.act("/dm", person=name, text="book")
    for question, answer in ANSWERS:
        if not await _waits(shop, name, question, given):
            return
        await shop.act("/dm", person=name, text=answer)
    if name.endswith(("3", "7")):
        await shop.act("/dm", person=name, text="STOP")


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays with the given figures; 0 when nothing was lost, doubled, out of order or left unexplained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--loss", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--walk", action="store_true", help="every point of the walk, one by one, instead")
    parser.add_argument(
        "--changes", type=int, default=0, help="so many changes of the flows under way, instead"
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if given.walk:
            return _walk(Path(folder))
        print(f"seed {given.seed}", flush=True)
        if given.changes:
            season = Season(
                given.people, given.changes, given.kills, given.faults, given.seed, patience_s=60.0
            )
            return _tell(played := asyncio.run(changes.play(Path(folder), season)), played.ledger)
        figures = Play(given.people, given.kills, given.faults, given.seed, 120.0, given.loss)
        ledger = asyncio.run(play(Path(folder), figures))
    return _tell(ledger, ledger)


def _tell(figures: object, ledger: Ledger) -> int:
    print(figures)
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
