"""A shop to which everything happens that numbers hang on, in any order: three connections of two accounts, flows
that change under way, restarts, deletions, and days on which the clocks are set.
"""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.retainer import Retainer
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import accounts as account_services
from pamosnik.services import connecting, erasing, queue
from pamosnik.services import flows as flow_services
from pamosnik.services.accounts import NewAccount
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from pamosnik.store.deletions import Cause
from pamosnik.store.times import ms
from tests.daemon import events
from tests.daemon.fake import FakeInstagram
from tests.daemon.machine import Machine, home_and_fake, running
from tests.daemon.shop import PASSWORD
from tests.recount.witness import Witness
from tests.shop_life import POSTS, PUBLIC_URL, Life

OTHER_ID, OTHER, OTHER_EMAIL = "17841400000000003", "fern.boston", "max@fern.example"
BEGIN = datetime(2025, 10, 24, 3, tzinfo=UTC)
"""Summer time ends in Warsaw on the third day, and in New York on the tenth."""
AGES = Ages(*(timedelta(days=days) for days in (8, 9, 8, 30, 8)))
"""As short as they may be."""

FLOWS = """
version: 1
timezone: Europe/Warsaw
disclosure: "Automated reply."
fields: { guests: number, day: date }
facts: { prices: "https://shop.example/prices" }
flows:
  price-list:
    title: Send the price list
    when:
      - comment: [price, prices, how much, cena]
      - dm: [price, prices, cena]
      - live_comment: [price, cena]
    limits: { per_person: 6h }
    do:
      - send:
          text: "Hi {username|there}! Here are our bouquets. You said: {text|nothing}"
          buttons:
            - { label: See the prices, url: "{prices}", name: prices }
            - { label: Find us, url: "https://map.example/shop" }
            - label: Tell me more
              do:
                - send: "A small one is 25, a large one 60."
                - tag: curious
                - goal: told
  giveaway:
    title: The reel with the giveaway
    when: [{ comment: [rose, win, me] }, { dm: [rose, win, me] }]
    limits: { per_person: 12h }
    mode: parallel
    do:
      - reply_publicly: { one_of: ["You are in!", "Good luck!", "See you on Sunday!"], wait_first: 20s to 90s }
      - split:
          short:
            share: 50
            do:
              - send:
                  text: "Tap to be in the draw."
                  buttons: [{ label: I am in, do: [{ tag: in }, { goal: joined }] }]
          long:
            share: 50
            do:
              - send:
                  text: "Tap, follow us, and wait for Sunday."
                  buttons:
                    - { label: I am in, do: [{ send: "You are." }, { goal: joined }] }
                    - { label: Book, run: workshop }
      - tag: takes-part
  workshop:
    title: Book the wreath workshop
    when: [{ dm: [workshop, book] }, { comment: workshop }]
    mode: restart
    do:
      - ask: { question: "For how many people?", save_as: guests, choices: ["1", "2", "4"], give_up_after: 20h }
      - ask: { question: "Which day?", save_as: day, give_up_after: 20h, if_no_answer: [{ tag: no-day }, stop] }
      - goal: chosen
      - split:
          plain: { share: 50, do: [send: "Noted."] }
          warm: { share: 50, do: [send: "Noted. We look forward to it!"] }
      - wait: { for: 2h, if_window_closed: stop }
      - send: { text: "All about it: https://shop.example/workshop", track_links: true }
      - wait_for: { click: "https://shop.example/workshop", up_to: 4h, if_not: [{ tag: not-read }, stop] }
      - goal: read
  story-thanks:
    title: Thank for answers to stories
    when: [story_reply, story_mention, reaction: { emoji: "❤️" }]
    do:
      - send: "Thank you! That makes our day."
      - split:
          quiet: { share: 50, do: [tag: quiet] }
          loud: { share: 50, do: [send: "Come and see us!"] }
  later:
    title: Ask whether anything is left to ask
    when: [{ tag_added: curious }]
    do:
      - wait: { for: 3h, if_window_closed: skip }
      - choose:
          - if: { has_tag: takes-part }
            do: [send: "Any question left? The draw is on Sunday."]
          - else: [send: "Any question left?"]
  news:
    title: What is new this morning
    when: [schedule: { at: "09:00" }]
    do: [send: { text: "New tulips!", buttons: [{ label: Which ones, do: [send: "Red ones."] }] }]
  wait-long:
    when: [{ dm: order }]
    do: [wait: { for: 9d, if_window_closed: skip }, send: "Did everything arrive?"]
  ends: { when: [{ dm: nothing }], do: [stop] }
"""
_CHANGED = FLOWS.replace("A small one is 25, a large one 60.", "Small ones 25, large ones 60.").replace(
    "      - tag: takes-part\n", ""
)
_RENAMED = FLOWS.replace("  workshop:\n", "  classes:\n    was: workshop\n").replace(
    "run: workshop", "run: classes"
)
_BACK = FLOWS.replace("  workshop:\n", "  workshop:\n    was: classes\n")
_WITHOUT = FLOWS[: FLOWS.index("  story-thanks:")] + FLOWS[FLOWS.index("  later:") :]
CHANGES: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (_CHANGED, ()),
    (_RENAMED, (("workshop", "classes"),)),
    (_BACK, (("classes", "workshop"),)),
    (_WITHOUT, ()),
    (FLOWS, ()),
)
"""One after the other; with the names that go over to others."""
OTHER_FLOWS = FLOWS.replace("Europe/Warsaw", "America/New_York").replace("09:00", "18:30")

_SAID = (
    *(
        "price",
        "prices please",
        "book",
        "workshop",
        "2",
        "4",
        "24.12.",
        "tomorrow",
        "win",
        "order",
        "nothing",
    ),
    *(
        "thank you",
        "where is my order?",
        "do you deliver on Sunday?",
        "hello",
        "Tell me more",
        "I am in",
        "me please",
    ),
)


@dataclass
class History(Life):
    """`life` of a shop, and everything else that may happen to its numbers."""

    witness: Witness | None = None
    changed: int = 0
    mids: list[tuple[str, str, str]] = field(default_factory=list)
    """(person, business, message) of what was written: it may be edited and taken back."""

    async def plays(self, number: int, days: float) -> None:
        """So many things, at any hour of these days."""
        moments = sorted(self.chance.uniform(0, days * 86_400) for _ in range(number))
        began = self._now()
        for after in moments:
            await self._at(began + timedelta(seconds=after), self._something)
        self.shop.move_to(max(self._now(), began + timedelta(days=days)))

    def _ways(self) -> tuple[tuple[float, Callable[[], object]], ...]:
        return (
            (26, self._comments),
            (4, self._goes_live),
            (22, self._writes),
            (14, self._taps),
            (11, self._clicks),
            (9, self._sees),
            (2, self._answers_a_story),
            (2, self._reacts),
            (1.4, self._takes_back),
            (1, self._edits),
            (1, partial(self._writes, "STOP")),
            (0.6, partial(self._writes, "START")),
            (0.8, partial(self._writes, "human")),
            (1, self._owner_writes),
            (0.4, self._is_forgotten),
            (0.7, self._told_again),
            (1.5, self._test_from_the_dashboard),
            (0.4, self._owner_settles),
        )

    async def _something(self) -> None:
        self._troubles(0.02)
        ways = self._ways()
        (way,) = self.chance.choices([way for _, way in ways], [weight for weight, _ in ways])
        await way()  # type: ignore[misc]

    # --- more that people do -------------------------------------------------------------------------

    async def _goes_live(self) -> None:
        igsid, business = self._somebody()
        value = events.comment(igsid, self.chance.choice(("price", "cena?", "so nice")), media="live-1")
        entry = events.change(value, "live_comments", ig_id=business)
        await self._delivers({**entry, "time": int(self._now().timestamp())})

    async def _writes(self, text: str | None = None) -> None:
        igsid, business = self._somebody(known=text is not None)
        said = events.message(igsid, text or self.chance.choice(_SAID))
        self.mids.append((igsid, business, said["message"]["mid"]))
        await self._says(said, business)

    async def _reacts(self) -> None:
        if sent := self.shop.fake.sent[-120:]:
            one = self.chance.choice(sent)
            reaction = {"mid": one.mid, "action": "react", "reaction": "love", "emoji": "❤️"}
            seen = events.seen(one.igsid, one.mid)
            del seen["read"]
            await self._says({**seen, "reaction": reaction}, self._business(one))

    async def _takes_back(self) -> None:
        if self.mids:
            igsid, business, mid = self.chance.choice(self.mids[-30:])
            await self._says(events.unsent(igsid, mid), business)

    async def _edits(self) -> None:
        if self.mids:
            igsid, business, mid = self.chance.choice(self.mids[-30:])
            edited = events.seen(igsid, mid)
            del edited["read"]
            await self._says(
                {**edited, "message_edit": {"mid": mid, "text": "price", "num_edit": 1}}, business
            )

    async def _told_again(self) -> None:
        """The same delivery twice, and once more."""
        igsid, business = self._somebody()
        entry = {
            **events.change(events.comment(igsid, "price", media=POSTS[0][0]), ig_id=business),
            "time": int(self._now().timestamp()),
        }
        await self.shop.deliver(entry, entry)
        await self._delivers(entry)

    async def _test_from_the_dashboard(self) -> None:
        await self._delivers(events.dashboard_test())

    # --- what the owner does -------------------------------------------------------------------------

    async def _is_forgotten(self) -> None:
        igsid, _ = self._somebody(known=True)

        def begin(conn: Connection) -> None:
            for account in accounts.every(conn):
                for one in erasing.people(conn, account.id, igsid):
                    erasing.begin_forget(conn, one, cause=Cause.COMMAND, actor="command", now=self._now())

        await self.shop.writer.write(begin)
        self.shop.move_to(self._now() + timedelta(seconds=1))
        await self._is_erased()
        self.done += 1

    async def _owner_settles(self) -> None:
        """What nobody knows of: the owner looks, and says that it has arrived, or lets it be."""
        conn = self.shop.reader.connection
        unknown = conn.execute("SELECT account_id, item_id FROM outbox WHERE status='unknown'").fetchall()
        if not unknown:
            return
        account_id, item = self.chance.choice(unknown)
        fate = self.chance.choice((queue.Fate.SENT, queue.Fate.DROP))

        def settle(conn: Connection) -> None:
            account = accounts.load(conn, account_id)
            assert account is not None
            queue.settle(conn, account, item, fate, actor="command", now=self._now())

        await self.shop.writer.write(settle)
        self.done += 1

    async def changes(self, folder: Path) -> None:
        """The owner applies other flows."""
        text, renamed = CHANGES[self.changed % len(CHANGES)]
        self.changed += 1

        def change(conn: Connection) -> None:
            account, now = accounts.every(conn)[0], self._now()
            file = str(folder / "flows.yaml")
            proposal = flow_services.propose(conn, account.id, [(file, text)], prune=True, now=now)
            assert not proposal.loaded.has_errors, proposal.loaded.problems
            flow_services.apply(conn, account.id, proposal, note=None, actor="command", now=now)
            for old, new in renamed:
                assert self.witness is not None
                self.witness.renamed(conn, old, new, account.id)

        await self.shop.writer.write(change)
        await self.shop.works()

    async def is_cleaned(self) -> None:
        """What is too old goes, and the bytes that it leaves."""
        self.shop.move_to(self._now() + timedelta(seconds=1))
        await self.shop.catch_up.round()
        await self.shop.works()
        self.shop.move_to(self._now() + timedelta(seconds=1))
        await Retainer(self.shop.tools, AGES).round()
        await self._is_erased()

    async def _is_erased(self) -> None:
        assert self.witness is not None
        await self.shop.eraser.round()
        await self.shop.writer.alone(self.witness.watch)

    def _somebody(self, *, known: bool = False) -> tuple[str, str]:
        found = super()._somebody(known=known)
        if found == self._people[-1] and self.chance.random() < 0.2:
            found = self._people[-1] = (found[0], OTHER_ID)
        return found


# --- playing it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lived:
    """A home where all of it has happened."""

    settings: Config
    witness: Path
    now: datetime
    done: int


async def live(folder: Path, *, seed: int, number: int, days: int, legs: int, hurry: bool = True) -> Lived:
    """So many things within so many days, in legs that end with a restart, other flows, and what is too old going.

    `hurry`: no power cut is to be survived."""
    chance, began = random.Random(seed), BEGIN
    async with home_and_fake(folder, FLOWS, PUBLIC_URL) as (settings, fake):
        history: History | None = None
        done = 0
        for leg in range(legs):
            async with _leg(folder, settings, fake, began, hurry=hurry) as (shop, witness):
                if history is None:
                    history = History(shop, chance, witness=witness)
                    await history.begins()
                    await _another_account(history, settings)
                history.shop, history.witness = shop, witness
                await history.plays(number // legs, days / legs)
                if leg < legs - 1:
                    await history.changes(folder)
                else:
                    await shop.later(days=2)
                await history.is_cleaned()
                began, done = shop.clock.now() + timedelta(minutes=1), history.done
        return Lived(settings, folder / "witness.db", began, done)


@asynccontextmanager
async def _leg(
    folder: Path, settings: Config, fake: FakeInstagram, began: datetime, *, hurry: bool
) -> AsyncIterator[tuple[Machine, Witness]]:
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(running(settings, fake, VirtualClock(began)))
        witness = Witness(folder / "witness.db", shop.clock.now)
        await shop.writer.alone(witness.watch)
        if hurry:
            await shop.writer.alone(_hurry)
        yield shop, witness


def _hurry(conn: Connection) -> None:
    conn.execute("PRAGMA synchronous=OFF")


async def _another_account(history: History, settings: Config) -> None:
    shop, now = history.shop, history.shop.clock.now()
    keys = HeldKeys(settings.key_file, None)
    new = NewAccount("Max", OTHER_EMAIL, PASSWORD, "America/New_York")
    with open_database(settings.database) as database:
        account = account_services.create(database, keys, new, now)
        shop.fake.also.add(OTHER_ID)
        found = connecting.Found(shop.fake.token, OTHER_ID, None, OTHER, ())
        keep = partial(connecting.keep, keys=keys, account_id=account.id, found=found, now=now)
        database.write(keep)

        def apply(conn: Connection) -> None:
            proposal = flow_services.propose(
                conn, account.id, [("fern.yaml", OTHER_FLOWS)], prune=False, now=now
            )
            assert not proposal.loaded.has_errors, proposal.loaded.problems
            flow_services.apply(conn, account.id, proposal, note=None, actor="command", now=now)
            before = ms(now - timedelta(days=3))
            conn.execute(
                "UPDATE connections SET connected_at=?, token_expires_at=?",
                (before, ms(now + timedelta(days=90))),
            )

        database.write(apply)
