"""Days of Instagram in minutes: a viral hour and a long outage, with the daemon's parts under a clock moved by hand.

`make storm` plays them at full size and prints what happened; `make test` plays smaller ones.
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pamosnik.instagram import limits
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, machine

FLOWS = """
version: 1
disclosure: false
flows:
  price:
    when: [comment: price]
    limits: { per_person: 24h }
    do:
      - reply_publicly: { one_of: [Sent!, Look inside!, On its way!] }
      - send: "Here is the list."
  hello:
    when: [dm: hi]
    mode: parallel
    do: [{ send: "Hello!" }]
"""

HOUR = timedelta(hours=1)
_SLICE = timedelta(seconds=0.1)
_LOOK = timedelta(minutes=1)


@dataclass(slots=True)
class Weather:
    """What a storm did, by the fake Instagram's and the queue's word."""

    began: datetime
    private: list[tuple[datetime, str]] = field(default_factory=list)
    """When each private reply was asked for, and for which comment."""
    calls: int = 0
    """All requests to send."""
    most_in_an_hour: int = 0
    last_after: timedelta = timedelta()
    states: Counter[object] = field(default_factory=Counter)
    twice: int = 0

    def __str__(self) -> str:
        states = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items(), key=str))
        return (
            f"{states}; most private replies in an hour {self.most_in_an_hour}, requests to send {self.calls},"
            f" last after {self.last_after}, told twice {self.twice}"
        )


class Storm:
    """A machine whose time runs until nothing is left to send."""

    def __init__(self, shop: Machine) -> None:
        self.shop = shop
        self.weather = Weather(shop.clock.now())
        self.trouble: Trouble | None = None
        shop.fake.trouble = self._asked

    def _asked(self, call: Call) -> Trouble | None:
        if call.is_send or call.is_public_reply:
            self.weather.calls += 1
        if call.is_private_reply:
            self.weather.private.append((self.shop.clock.now(), call.body["recipient"]["comment_id"]))
        return self.trouble

    async def comments(self, first: int, count: int) -> None:
        """So many people comment within this minute."""
        now = self.shop.clock.now()
        for start in range(first, first + count, 500):
            numbers = range(start, min(start + 500, first + count))
            await self.shop.deliver(*(_comment(number, now) for number in numbers))

    async def write(self, igsid: str) -> None:
        """Somebody writes a message now."""
        message = events.message(igsid, "hi")
        at = int(self.shop.clock.now().timestamp() * 1000)
        await self.shop.deliver(events.talk({**message, "timestamp": at}))

    async def until(self, end: datetime) -> None:
        """Time passes, in slices of a tenth of a second while something leaves."""
        clock = self.shop.clock
        while clock.now() < end:
            turns = await self.shop.runner.round()
            sent = await self.shop.sender.round()
            await self.shop.sender.idle()
            await self.shop.settler.round()
            self.shop.move_to(min(clock.now() + (_SLICE if turns or sent else _LOOK), end))

    async def until_quiet(self, at_most: timedelta) -> None:
        """Until nothing waits any more."""
        end = self.shop.clock.now() + at_most
        while self.shop.clock.now() < end:
            await self.until(self.shop.clock.now() + 10 * _LOOK)
            if not {"queued", "held", "sending", "unknown"} & set(self.shop.states()):
                break
        self._sum_up()

    def _sum_up(self) -> None:
        weather = self.weather
        times = [at for at, _ in weather.private]
        weather.most_in_an_hour = most_in(times, HOUR)
        weather.last_after = (max(times) if times else weather.began) - weather.began
        weather.states = Counter(self.shop.states())
        accepted = Counter((sent.igsid, sent.comment_id, sent.text) for sent in self.shop.fake.sent)
        shown = Counter(reply.comment_id for reply in self.shop.fake.replies)
        weather.twice = sum(n > 1 for n in (*accepted.values(), *shown.values()))


def most_in(times: Sequence[datetime], span: timedelta) -> int:
    """The largest number of these rising instants within any sliding span."""
    most = start = 0
    for end, at in enumerate(times):
        while times[start] <= at - span:
            start += 1
        most = max(most, end - start + 1)
    return most


def _comment(number: int, at: datetime) -> Json:
    value = events.comment(f"8{number:05}", "price", username=f"p{number}", comment_id=f"c{number}")
    return {**events.change(value), "time": int(at.timestamp())}


async def viral_hour(folder: Path, comments: int) -> Weather:
    """So many comments within an hour; then time goes on until the last one is answered."""
    async with machine(folder, FLOWS) as shop:
        storm = Storm(shop)
        for minute in range(60):
            first, after = comments * minute // 60, comments * (minute + 1) // 60
            await storm.comments(first, after - first)
            await storm.until(storm.weather.began + (minute + 1) * _LOOK)
        await storm.until_quiet(timedelta(days=8))
        return storm.weather


async def long_outage(folder: Path, comments: int, hours: int, trouble: Trouble | None) -> Weather:
    """Comments and messages all the while; no trouble: Instagram cannot even be reached."""
    async with machine(folder, FLOWS) as shop:
        storm = Storm(shop)
        storm.trouble = trouble
        if trouble is None:
            await shop.fake.stop()
        for hour in range(hours):
            first, after = comments * hour // hours, comments * (hour + 1) // hours
            await storm.comments(first, after - first)
            await storm.write(f"7{hour:03}")
            await storm.until(storm.weather.began + (hour + 1) * HOUR)
        storm.trouble = None
        if trouble is None:
            await shop.fake.start()
        await storm.until_quiet(timedelta(days=3))
        return storm.weather


STORMS: Mapping[str, Callable[[Path, int], Awaitable[Weather]]] = {
    "viral hour": lambda folder, size: viral_hour(folder, size),
    "36 hours unreachable": lambda folder, size: long_outage(folder, size // 10, 36, None),
    "36 hours of errors": lambda folder, size: long_outage(folder, size // 10, 36, Trouble(503, 2)),
}


async def _played(play: Callable[[Path, int], Awaitable[Weather]], folder: Path, comments: int) -> Weather:
    return await play(folder, comments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays all of them at full size; 0 when the hour was kept, nothing failed and nobody heard anything twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comments", type=int, default=20_000)
    given = parser.parse_args(arguments)
    right = True
    # One folder for all: the home that the first one made is copied for the others.
    with tempfile.TemporaryDirectory() as folder:
        for name, play in STORMS.items():
            place = Path(folder) / name.replace(" ", "-")
            place.mkdir()
            weather = asyncio.run(_played(play, place, given.comments))
            print(f"{name}: {weather}", flush=True)
            right = right and weather.most_in_an_hour <= limits.PRIVATE_REPLIES_PER_HOUR and not weather.twice
            right = right and not {"failed", "unknown", "queued", "held"} & weather.states.keys()
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
