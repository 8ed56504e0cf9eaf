"""The owner of a shop who changes the flows while customers are in them: real commands, killed at any instant.

Every text names the number of the file it stood in (`[v3]`), so that it can be seen which version somebody is in.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pamosnik.store import accounts
from pamosnik.store import flows as flow_store
from pamosnik.store.database import open_database
from tests.crash import forked
from tests.crash.daemon import Shop

NAMES = {
    "price": ("price", "prices", "price-list"),
    "book": ("book", "booking", "visit"),
    "news": ("news", "tonight", "soup"),
}
"""A flow goes through its names in a circle, so it comes back to one that it had before."""
KILLED = -9
STAMP = re.compile(r"\[v(\d+)\]")
_LONGEST_S = 0.5
"""An apply takes less, but on a busy machine."""

_PRICE = """
  {id}:
{was}    when: [{{ comment: [price{extra}] }}]
    limits: {{ per_person: once }}
    do:
      - reply_publicly: "Look inside!"
      - send:
          text: "Tap and the list is yours. [v{n}]"
          buttons:
            - label: Send it to me
              do:
                - add: {{ taps: 1 }}
                - send: "List {{taps|?}}: {{prices}} [v{n}]"
                - wait: {{ for: 2s, if_window_closed: skip }}
                - send: "Any question about list {{taps|?}}? [v{n}]"
                - goal: got-prices
"""
_BOOK = """
  {id}:
{was}    when: [dm: [book{extra}]]
    limits: {{ per_person: once }}
    mode: restart
    do:
      - ask: {{ question: "For which day? [v{n}]", save_as: day }}
{between}      - ask: {{ question: "How many of you? [v{n}]", save_as: guests, choices: [1, 2, 3] }}
      - send: "Noted: {{guests|?}} on {{day|?}}. [v{n}]"
      - goal: booked
"""
_NEWS = """
  {id}:
{was}    when: [schedule: {{ at: "{at}" }}]
    do: [send: "Our news."]
"""
_HELLO = """
  hello:
    when: [dm: hello]
    do: [send: "Hello!"]
"""


@dataclass(frozen=True, slots=True)
class File:
    """What the owner has written."""

    at: str
    """When the news go out."""
    number: int = 0
    names: Mapping[str, str] = field(
        default_factory=lambda: {what: names[0] for what, names in NAMES.items()}
    )
    was: Mapping[str, str] = field(default_factory=dict)
    extra: bool = False
    """One more keyword."""
    longer: bool = False
    """One more question."""
    hello: bool = True
    booking: bool = True

    def text(self) -> str:
        shapes = {"price": _PRICE, "book": _BOOK, "news": _NEWS}
        if not self.booking:
            del shapes["book"]
        flows = [
            shape.format(
                id=self.names[what],
                was=f"    was: {self.was[what]}\n" if what in self.was else "",
                n=self.number,
                at=self.at,
                extra=', "cen*"' if self.extra else "",
                between=f'      - ask: "Anything else? [v{self.number}]"\n' if self.longer else "",
            )
            for what, shape in shapes.items()
        ]
        return (
            'version: 1\ntimezone: UTC\ndisclosure: "Automated reply."\n'
            "fields: { taps: number, day: text, guests: number }\n"
            f'facts: {{ file: "{self.number}", prices: "https://shop.example/prices" }}\nflows:'
            f"{''.join(flows)}{_HELLO if self.hello else ''}"
        )

    def flows(self) -> frozenset[str]:
        there = {self.names[what] for what in NAMES if what != "book" or self.booking}
        return frozenset(there | ({"hello"} if self.hello else set()))


@dataclass(frozen=True, slots=True)
class Standing:
    """What is applied: the number of the file whose settings count, and of each flow's texts (None: it has none)."""

    number: int
    flows: Mapping[str, int | None]
    paused: frozenset[str]

    def is_of(self, file: File, back: int | None) -> bool:
        """Whether it is what this file says, with the price list at an earlier number."""
        wanted = dict.fromkeys(file.flows(), file.number)
        if back is not None:
            wanted[file.names["price"]] = back
        numbers = {flow: number for flow, number in self.flows.items() if number is not None}
        same = all(wanted.get(flow) == number for flow, number in numbers.items())
        return self.number == file.number and same and set(self.flows) == file.flows()


def standing(home: Path) -> Standing:
    """From the database, at one instant."""
    with open_database(home / "pamosnik.db") as database:
        conn = database.connection
        account = accounts.every(conn)[0]
        applied = database.read(lambda conn: flow_store.applied(conn, account.id))
        settings = json.loads(database.read(lambda conn: flow_store.settings(conn, account.id)))
    stamps = {flow.flow_id: {int(one) for one in STAMP.findall(flow.body)} for flow in applied}
    assert all(len(numbers) <= 1 for numbers in stamps.values()), stamps
    return Standing(
        int(settings["facts"]["file"]),
        {flow: next(iter(found), None) for flow, found in stamps.items()},
        frozenset(flow.flow_id for flow in applied if flow.paused_at is not None),
    )


@dataclass
class Owner:
    """Changes the flows, one command after the other; `file` is what is applied."""

    shop: Shop
    folder: Path
    chance: random.Random
    file: File
    done: int = 0
    killed: int = 0
    refused: int = 0
    paused: bool = False
    """Whether bookings are: by command, so through every apply, removal and new name."""
    back: int | None = None
    """The number of the file that the price list was rolled back to."""
    wrong: list[str] = field(default_factory=list)
    _written: int = 0

    async def change(self) -> None:
        """One change, or two at the same time; of the others some are killed."""
        kind = self.chance.random()
        if kind < 0.2:
            await self._two_at_once()
        elif kind < 0.35 and self.file.booking:
            await self._pause_or_resume()
        elif kind < 0.5 and self.back is None and self.file.number > 0:
            await self._roll_back()
        else:
            after, over = self._changed(), self.chance.random() < 0.5
            code, said = await self._apply(after, self._death(), over=over)
            self._settle(code, said, after, over=over)

    def _death(self) -> float | None:
        """Seconds until a command is killed."""
        return self.chance.uniform(0, _LONGEST_S) if self.chance.random() < 0.4 else None

    async def rename(self) -> None:
        """All at once, and nothing is killed: the names that everything is under at the end."""
        after = self._next(_renamed_all(self.file))
        code, said = await self._apply(after, None, over=True)
        self._settle(code, said, after, over=True)
        if code != 0:
            self.wrong.append(f"the last apply was refused: {said}")

    def _changed(self, *, renames: bool = True) -> File:
        ways: list[Callable[[File], File]] = [
            lambda file: file,
            lambda file: replace(file, extra=not file.extra),
            lambda file: replace(file, longer=not file.longer),
            lambda file: replace(file, hello=not file.hello),
            lambda file: replace(file, booking=not file.booking),
        ]
        if renames:
            ways += [partial(_renamed, what=what) for what in NAMES]
        return self._next(self.chance.choice(ways)(self.file))

    def _next(self, file: File) -> File:
        self._written += 1
        return replace(file, number=self._written)

    async def _pause_or_resume(self) -> None:
        self._written += 1
        verb, book = "resume" if self.paused else "pause", self.file.names["book"]
        code, said = await self._run(("flows", verb, book), f"{self._written}-{verb}", self._death())
        found = standing(self.shop.home)
        if code not in (0, KILLED) or (code == 0 and (book in found.paused) == self.paused):
            self.wrong.append(f"{verb} ended with {code} and {found.paused}: {said}")
        self.paused = book in found.paused
        self.done += code == 0
        self.killed += code == KILLED

    async def _roll_back(self) -> None:
        """To the version before, or one before that."""
        self._written += 1
        price = self.file.names["price"]
        words = ("flows", "rollback", price, "--yes", "--note", "calm")
        code, said = await self._run(words, f"{self._written}-rollback", self._death())
        found = standing(self.shop.home)
        number = found.flows.get(price)
        if number != self.file.number:
            self.back = number
            self.done += 1
        if (
            code not in (0, KILLED)
            or (code == 0 and self.back is None)
            or not found.is_of(self.file, self.back)
        ):
            self.wrong.append(f"rollback ended with {code} and {found}: {said}")
        self.killed += code == KILLED

    async def _two_at_once(self) -> None:
        # A file with the old name after one with the new would be another flow.
        one, other = self._changed(renames=False), self._next(self.file)
        (a, said_a), (b, said_b) = await asyncio.gather(self._apply(one, None), self._apply(other, None))
        self.refused += (a != 0) + (b != 0)
        found = standing(self.shop.home)
        held = [file for file, code in ((one, a), (other, b)) if code == 0]
        stands = next((file for file in held if found.is_of(file, self.back)), None)
        if stands is None or "Traceback" in said_a + said_b:
            self.wrong.append(f"two at once ended in {found}: {said_a} {said_b}")
            return
        self.file = stands
        self.done += len(held)

    def _settle(self, code: int, said: str, after: File, *, over: bool) -> None:
        """Wholly there, or not at all."""
        found, back = standing(self.shop.home), None if over else self.back
        if code not in (0, KILLED) or "Traceback" in said:
            self.wrong.append(f"apply ended with {code}: {said}")
        if found.is_of(after, back):
            self.file, self.back = after, back
            self.done += 1
            if self.file.booking and (self.file.names["book"] in found.paused) != self.paused:
                self.wrong.append(f"paused: {self.paused}, but after the apply {found.paused}")
        elif code == 0 or not found.is_of(self.file, self.back):
            was = f"neither {self.file} nor {after} with {self.back}"
            self.wrong.append(f"apply ended with {code}, and {found} is applied, {was}")
        self.killed += code == KILLED

    async def _apply(self, file: File, killed_after: float | None, *, over: bool = False) -> tuple[int, str]:
        """`over`: also over what was rolled back."""
        path = self.folder / f"{file.number}.yaml"
        path.write_text(file.text(), "utf-8")
        words = ("flows", "apply", str(path), "--prune", "--yes", "--note", str(file.number))
        more = ("--over-rollback",) if over else ()
        return await self._run((*words, *more), str(file.number), killed_after)

    async def _run(self, words: tuple[str, ...], name: str, killed_after: float | None) -> tuple[int, str]:
        """The command's exit code, and what it said."""
        log = self.folder / f"{name}.log"
        process = forked.start(words, self.shop.environment, log)
        if killed_after is not None:
            await asyncio.sleep(killed_after)
            process.kill()
        return await forked.ended(process), log.read_text() if log.exists() else ""


def _renamed(file: File, what: str) -> File:
    """To its next name. Of a flow that is not applied nothing would follow."""
    if what == "book" and not file.booking:
        return file
    names, now = NAMES[what], file.names[what]
    name = names[(names.index(now) + 1) % len(names)]
    return replace(file, names={**file.names, what: name}, was={**file.was, what: now})


def _renamed_all(file: File) -> File:
    for what in NAMES:
        file = _renamed(file, what)
    return file
