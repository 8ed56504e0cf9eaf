"""The walk: a daemon is killed at every commit of a small story, one by one, and around every request it sends.

Each kill has a home of its own. The daemon dies at the point named, is started again as anybody would start it, and
the story goes on to its end; then the home has to show exactly what a calm day shows. Nothing is left to chance but
how the operating system runs the threads; where a message stays uncertain for half a minute, the machine is switched
off for so long (the next start's clock is ahead) instead of waiting.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pamosnik.store import accounts
from pamosnik.store.database import open_database
from pamosnik.store.migrations import MIGRATIONS
from tests.crash import forked
from tests.crash.daemon import recorded
from tests.crash.ledger import Got, Ledger
from tests.daemon.fake import Call, Trouble
from tests.daemon.shop import EMAIL, PASSWORD, Shop, closed_shop, furnish
from tests.store.rows import back_to_the_first_version

AT_ONCE = 4
"""Homes side by side: each mostly waits."""
LOOK_EVERY_S = 0.05
STILL_S = 0.7
"""So long without any change means that only time can go on."""
SWITCHED_OFF_S = 35.0
PATIENCE_S = 60.0
ANNA, BEN, CHEN = "61", "62", "63"
ECHOES = ("after", "before", "none")
LABEL, ANSWER = "Send it to me", "medium"
FLOWS = """
version: 1
disclosure: "Automated reply."
flows:
  price:
    when: [comment: price]
    mode: single
    do:
      - reply_publicly: "Look inside!"
      - send:
          text: "Hi {username|there}! Tap and the list is yours."
          buttons:
            - label: Send it to me
              do:
                - send: "Here you are."
                - tag: got-prices
                - goal: got-prices
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size, choices: [Small, Medium, Large] }
      - send: "Noted: {size|?}"
fields:
  size: { type: choice, choices: [Small, Medium, Large] }
"""


@dataclass(frozen=True, slots=True)
class AtCommit:
    """Dies at the n-th commit after its start: `before` it is durable, or `after` that."""

    nth: int
    when: str
    echoes: str = "after"


@dataclass(frozen=True, slots=True)
class AtRequest:
    """Dies when its n-th message has reached Instagram, which does what was asked, or not; no answer is read."""

    nth: int
    done: bool
    echoes: str = "after"


@dataclass(frozen=True, slots=True)
class AtNextStart:
    """Dies like `AtRequest`, and once more at the n-th commit of the start that finds what was left."""

    request: int
    nth: int
    when: str
    echoes: str = "none"


@dataclass(frozen=True, slots=True)
class AtStop:
    """Is asked to stop while its n-th request is under way, and dies at the commit that records the answer."""

    request: int
    when: str
    echoes: str = "after"


@dataclass(frozen=True, slots=True)
class AtUpgrade:
    """Begins with a home of the first version, and dies at the n-th commit: those of the migrations come first."""

    nth: int
    when: str
    echoes: str = "after"


Point = AtCommit | AtRequest | AtNextStart | AtStop | AtUpgrade


@dataclass
class Home:
    """One home of the walk: the daemon is started again whenever it was killed."""

    shop: Shop
    process: BaseProcess = field(init=False)
    kills: int = 0
    switched_off_s: float = 0.0
    orders_for_next_start: str | None = None
    _seen: object = None
    _still_since: float = 0.0

    @property
    def folder(self) -> Path:
        return self.shop.folder

    def give_orders(self, orders: str) -> None:
        made = self.folder / "orders.new"
        made.write_text(orders)
        made.rename(self.folder / "orders")

    def begin(self, *, armed: bool = False) -> None:
        """Armed, or with a clock that is ahead, or as everybody starts it."""
        self.process = forked.start(
            ("serve", "--port", str(self.shop.port)),
            self.shop.environment,
            self.shop.log,
            folder=self.folder if armed or self.switched_off_s else None,
            later_s=self.switched_off_s,
        )

    async def keep(self) -> None:
        """Starts the daemon again after every kill."""
        while True:
            if self.process.exitcode != -signal.SIGKILL:
                await asyncio.sleep(0.02)
                continue
            self.kills += 1
            (self.folder / "orders").unlink(missing_ok=True)
            orders, self.orders_for_next_start = self.orders_for_next_start, None
            if orders is not None:
                self.give_orders(orders)
            self.begin(armed=orders is not None)

    async def is_up(self) -> None:
        """Returns when the daemon takes deliveries, after as many starts as that takes."""
        for _ in range(int(PATIENCE_S / LOOK_EVERY_S)):
            if await self.shop.ready():
                return
            await asyncio.sleep(LOOK_EVERY_S)
        raise AssertionError(self.shop.log.read_text()[-3000:])

    async def stop(self) -> None:
        """In order. A kill meanwhile is one of the walk's: then it is started and stopped again."""
        while True:
            await self.is_up()
            process = self.process
            self.signal(signal.SIGTERM)
            code = await forked.ended(process)
            if code != -signal.SIGKILL:
                assert code == 0, code
                return

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    async def until(self, reached: Callable[[], bool], *, up: bool = False) -> None:
        """Waits; where nothing moves any more, the machine is switched off and on again. `up`: looks only while the
        daemon runs."""
        for turn in range(int(PATIENCE_S / LOOK_EVERY_S)):
            if (not up or await self.shop.ready()) and reached():
                return
            await asyncio.sleep(LOOK_EVERY_S)
            if turn % 5 == 4 and await self._stands_still():
                await self.stop()
                self.switched_off_s += SWITCHED_OFF_S
                self.begin()
        raise AssertionError((self.record(), self.shop.log.read_text()[-3000:]))

    async def _stands_still(self) -> bool:
        if not await self.shop.ready():
            self._seen = None
            return False
        now, seen = asyncio.get_running_loop().time(), self._signature()
        if seen != self._seen:
            self._seen, self._still_since = seen, now
        if now - self._still_since < STILL_S:
            return False
        self._seen = None
        return True

    def _signature(self) -> object:
        found = self.record()
        queue = [(item["id"], item["status"], item["attempts"]) for item in found["queue"]]
        return queue, [event["verdict"] for event in found["events"]], len(self.shop.fake.calls)

    def record(self) -> Mapping[str, Any]:
        return recorded(self.shop.home)

    def at_rest(self) -> bool:
        if not self.shop.fake.all_told:
            return False
        found = self.record()
        going = [i for i in found["queue"] if i["status"] in ("queued", "sending", "unknown", "held")]
        return not going and not [e for e in found["events"] if e["verdict"] == "pending"]

    def has(self, igsid: str, *texts: str) -> Callable[[], bool]:
        """Whether the newest message to this person contains these texts, or is under these labels."""

        def reached() -> bool:
            sent = [one for one in self.shop.fake.sent if one.igsid == igsid]
            return any(all(text in one.text or text in one.buttons for text in texts) for one in sent)

        return reached


@asynccontextmanager
async def open_home(folder: Path, echoes: str) -> AsyncIterator[Home]:
    """A furnished home with its own Instagram; the daemon is the caller's to begin."""
    shop = closed_shop(folder)
    shop.fake.echoes = echoes
    await shop.fake.start()
    home: Home | None = None
    try:
        await furnish(shop, FLOWS)
        home = Home(shop)
        yield home
    finally:
        if home is not None:
            home.process.kill()
        await shop.fake.close()


# --- the story ------------------------------------------------------------------------------------------


async def _story(home: Home) -> None:
    """A comment that ends in a tap, a question with a typed answer, and somebody who wants no more of it."""
    shop = home.shop
    await shop.comment(ANNA, "price?", username="anna")
    await home.until(home.has(ANNA, LABEL))
    await shop.tap(ANNA, LABEL)
    await home.until(home.has(ANNA, "Here you are."))
    await shop.write(BEN, "size")
    await home.until(home.has(BEN, "Medium"))
    await shop.write(BEN, ANSWER)
    await home.until(home.has(BEN, "Noted: Medium"))
    await shop.write(CHEN, "STOP")
    await home.until(lambda: bool(shop.fake.thread(CHEN)))
    await home.until(home.at_rest, up=True)


def facts(home: Home) -> Mapping[str, Any]:
    """Everything that a kill must not change."""
    found, fake = home.record(), home.shop.fake
    by_igsid = {contact["igsid"]: contact for contact in found["contacts"]}
    told = ("comment", "message", "postback")
    return {
        "verdicts": Counter(
            (e["kind"], e["verdict"], e["flow"])
            for e in found["events"]
            if e["kind"] in told and e["verdict"] != "own"
        ),
        "threads": {igsid: fake.thread(igsid) for igsid in (ANNA, BEN, CHEN)},
        "public": [reply.text for reply in fake.replies],
        "queue": Counter((item["kind"], item["status"]) for item in found["queue"]),
        "runs": sorted((run["flow"], run["status"]) for run in found["runs"]),
        "tags": {igsid: by_igsid[igsid]["tags"] for igsid in (ANNA, BEN, CHEN)},
        "fields": by_igsid[BEN]["fields"],
        "opted_out": [igsid for igsid in (ANNA, BEN, CHEN) if by_igsid[igsid]["opted_out"]],
        "numbers": {
            row["flow"]: {k: v for k, v in row.items() if v and k != "connection"} for row in found["flows"]
        },
    }


# --- the points ------------------------------------------------------------------------------------------

BOTH = ("before", "after")
MESSAGES = 6
"""Requests of the story that say something to somebody."""
UPGRADES = len(MIGRATIONS) - 1


def every_point(commits: Sequence[str]) -> list[Point]:
    """The whole walk. `commits`: what a calm day commits, a line each; a killed day commits a little more."""
    return [
        *(AtCommit(n + 1, when) for n in range(len(commits)) for when in BOTH),
        *(AtCommit(n + 1, when, "none") for n in range(len(commits)) for when in BOTH),
        *(AtRequest(n + 1, done, e) for n in range(MESSAGES) for done in (True, False) for e in ECHOES),
        *(AtNextStart(n + 1, m, when) for n in range(MESSAGES) for m in (1, 2, 3) for when in BOTH),
        *(AtStop(n + 1, when) for n in range(MESSAGES) for when in BOTH),
        *(AtUpgrade(n + 1, when) for n in range(UPGRADES) for when in BOTH),
    ]


def one_of_each(commits: Sequence[str]) -> list[Point]:
    """The first commit of each kind, and the rest of the points in steps."""
    firsts = {_kind(tables): n + 1 for n, tables in reversed(list(enumerate(commits)))}
    return [
        *(AtCommit(n, when) for n in sorted(firsts.values()) for when in BOTH),
        *(AtRequest(n + 1, n % 2 == 0, ECHOES[n % 3]) for n in range(MESSAGES)),
        AtNextStart(1, 1, "before"),
        AtNextStart(4, 1, "after"),
        AtStop(2, "before"),
        AtStop(5, "after"),
        AtUpgrade(2, "before"),
        AtUpgrade(1, "after"),
    ]


def _kind(tables: str) -> str:
    """Turns by all that they change; the others by the table that tells what they are."""
    changed = tables.split()
    if "turns" in changed:
        return tables
    signs = {"attempts": "claim", "contacts": "safety word", "outbox": "outcome", "events": "intake"}
    return next((kind for table, kind in signs.items() if table in changed), tables)


@dataclass
class Walked:
    """What a walk came to."""

    calm: Mapping[str, Any]
    ledger: Ledger = field(default_factory=Ledger)
    deaths: Counter[str] = field(default_factory=Counter)
    """How often the daemon died, by the kind of point."""
    missed: list[Point] = field(default_factory=list)
    """Points that the day did not reach: two commits had become one."""
    wrong: list[str] = field(default_factory=list)
    """Days that ended otherwise than a calm one."""


async def walk(folder: Path, choose: Callable[[Sequence[str]], list[Point]]) -> Walked:
    """A calm day, then one day for every point."""
    ledger, calm, commits = await live(folder / "calm", None)
    walked, side_by_side = Walked(calm, ledger), asyncio.Semaphore(AT_ONCE)

    async def day(number: int, point: Point) -> None:
        async with side_by_side:
            ledger, found, _ = await live(folder / f"day{number}", point)
        walked.ledger.add(ledger)
        walked.deaths[type(point).__name__] += ledger.kills
        if ledger.kills < _deaths_of(point):
            walked.missed.append(point)
        walked.wrong += [f"{point}: {name} {found[name]}" for name in calm if found[name] != calm[name]]

    async with asyncio.TaskGroup() as days:
        for number, point in enumerate(choose(commits)):
            days.create_task(day(number, point))
    return walked


def _deaths_of(point: Point) -> int:
    return 2 if isinstance(point, AtNextStart) else 1


# --- one day --------------------------------------------------------------------------------------------


async def live(folder: Path, point: Point | None) -> tuple[Ledger, Mapping[str, Any], list[str]]:
    """Plays the story with one death (None: a calm day): the ledger, the facts at its end, what was committed."""
    async with open_home(folder, "after" if point is None else point.echoes) as home:
        _arm(home, point)
        home.begin(armed=True)
        keeper = asyncio.create_task(home.keep())
        try:
            await _story(home)
            ledger, found = _ledger(home), facts(home)
            await home.stop()
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
        assert "Traceback" not in home.shop.log.read_text(), home.shop.log.read_text()
        ledger.kills = home.kills
        return ledger, found, (folder / "commits").read_text().splitlines()


def _arm(home: Home, point: Point | None) -> None:
    match point:
        case AtCommit(nth=nth, when=when):
            home.give_orders(f"{nth} {when}")
        case AtUpgrade(nth=nth, when=when):
            with open_database(home.shop.home / "pamosnik.db") as database:
                back_to_the_first_version(database.connection)
            home.give_orders(f"{nth} {when}")
        case AtRequest(nth=nth, done=done):
            home.shop.fake.trouble = _Killer(home, nth, done=done)
        case AtNextStart(request=request, nth=nth, when=when):
            home.orders_for_next_start = f"{nth} {when}"
            home.shop.fake.trouble = _Killer(home, request, done=False)
        case AtStop(request=request, when=when):
            home.shop.fake.trouble = _Stopper(home, request, when)
        case None:
            pass


class _Killer:
    """Kills the daemon while Instagram has its n-th message in hand."""

    def __init__(self, home: Home, nth: int, *, done: bool) -> None:
        self._home, self._nth, self._done = home, nth, done
        self._count = 0

    def __call__(self, call: Call) -> Trouble | None:
        if not (call.is_send or call.is_public_reply):
            return None
        self._count += 1
        if self._count != self._nth:
            return None
        self.strike()
        return self.answer()

    def strike(self) -> None:
        self._home.signal(signal.SIGKILL)

    def answer(self) -> Trouble:
        return Trouble(done=self._done, hang_up=True)


class _Stopper(_Killer):
    """Asks the daemon to stop while its n-th message is under way; the answer is good, and comes late."""

    def __init__(self, home: Home, nth: int, when: str) -> None:
        super().__init__(home, nth, done=True)
        self._when = when

    def strike(self) -> None:
        self._home.give_orders(f"1 {self._when}")
        self._home.signal(signal.SIGTERM)

    def answer(self) -> Trouble:
        return Trouble(slow_s=0.1, passes=True)


def _ledger(home: Home) -> Ledger:
    ledger, found, fake = Ledger(people=3), home.record(), home.shop.fake
    threads = {
        igsid: [Got(sent.mid, sent.text) for sent in fake.sent if sent.igsid == igsid]
        for igsid in (ANNA, BEN, CHEN)
    }
    replies: dict[str, list[Got]] = {}
    for reply in fake.replies:
        replies.setdefault(reply.comment_id, []).append(Got(reply.id, reply.text))
    ledger.count(found["events"], found["queue"], threads, replies)
    return ledger


# --- the first command ----------------------------------------------------------------------------------


async def die_in_init(folder: Path, nth: int, when: str) -> str:
    """`init` dies at its n-th commit, is called again, and makes the account; what it had been committing."""
    shop = closed_shop(folder)
    (folder / "orders").write_text(f"{nth} {when}")
    asked = ("init", "--name", "Rosa", "--email", EMAIL, "--password-stdin", "--timezone", "UTC")
    for home, code in ((folder, -signal.SIGKILL), (None, 0)):
        process = forked.start(asked, shop.environment, shop.log, folder=home, said=f"{PASSWORD}\n")
        assert await forked.ended(process) == code, shop.log.read_text()
    with open_database(shop.home / "pamosnik.db") as database:
        assert [account.email for account in accounts.every(database.connection)] == [EMAIL]
    return (folder / "commits").read_text().splitlines()[-1]
