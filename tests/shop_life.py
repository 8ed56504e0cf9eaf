"""What happens at a shop, day by day: people comment, write, tap, click, ask for a human and want no more messages;
some messages fail. All of it goes through the real parts, under a clock that runs as fast as they allow."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.services import clicks, connecting
from pamosnik.store import accounts
from pamosnik.store.times import ms
from tests.daemon import events
from tests.daemon.events import IG_ID, Json
from tests.daemon.fake import Call, Sent, Trouble
from tests.daemon.machine import Machine

SECOND_ID, SECOND = "17841400000000002", "roses.berlin"
PUBLIC_URL = "https://bot.shop.example"

FLOWS = """
version: 1
timezone: Europe/Warsaw
disclosure: "Automated reply."
fields:
  guests: number
  day: date
facts:
  prices: "https://shop.example/prices"
flows:
  price-list:
    title: Send the price list
    when: [{ comment: [price, prices, how much, cena] }, { dm: [price, prices, cena] }]
    limits: { per_person: 12h }
    do:
      - reply_publicly: { one_of: ["Sent you a message!", "Look into your messages!"], wait_first: 20s to 90s }
      - send:
          text: "Hi {username|there}! Here are our bouquets."
          buttons:
            - { label: See the prices, url: "{prices}", name: prices }
            - label: Tell me more
              do:
                - send: "A small one is 25, a large one 60. Same-day delivery until noon."
                - tag: curious
                - goal: told
  giveaway:
    title: The reel with the giveaway
    when: [{ comment: [rose, win, me] }]
    limits: { per_person: once }
    do:
      - split:
          short: { share: 50, do: [{ send: "You are in! The draw is on Sunday." }] }
          long: { share: 50, do: [{ send: "You are in! Follow us, tell a friend, and wait for Sunday." }] }
      - tag: takes-part
  workshop:
    title: Book the wreath workshop
    when: [{ dm: [workshop, book] }, { comment: workshop }]
    mode: restart
    do:
      - ask: { question: "For how many people?", save_as: guests, choices: ["1", "2", "4"], give_up_after: 20h }
      - ask: { question: "Which day?", save_as: day, give_up_after: 20h }
      - send: "Noted. We look forward to it!"
      - goal: booked
  story-thanks:
    title: Thank for answers to stories
    when: [story_reply]
    limits: { per_person: 24h }
    do: [send: "Thank you! That makes our day."]
  later:
    title: Ask whether anything is left to ask
    when: [{ tag_added: curious }]
    do:
      - wait: { for: 3h, if_window_closed: skip }
      - send: "Any question left?"
"""

POSTS = (
    ("reel-wreath", "How a wreath is made in 40 seconds. Comment WORKSHOP to take part.", 3),
    ("reel-roses", "A hundred roses, one winner. Comment ROSE to be in the draw.", 6),
    ("reel-prices", "From 25 to 60: which one is yours? Comment PRICE.", 5),
    ("post-tulips", "Tulips are back.", 2),
    ("post-window", "Our window this week.", 1),
)
"""Id, caption, and how many of the comments it gets."""
_WORDS = {
    "reel-wreath": ("workshop", "workshop please!", "when is the next workshop?", "so pretty", "worksop"),
    "reel-roses": ("rose", "ROSE!!", "me please", "win", "rosee", "love them"),
    "reel-prices": ("price", "PRICE", "how much is the big one?", "cena?", "prise", "beautiful"),
    "post-tulips": ("price?", "my favourites", "do you ship?", "🌷🌷", "where are you?"),
    "post-window": ("nice", "so lovely", "open on Sunday?"),
}
_WRITTEN = (
    *(
        "price",
        "prices please",
        "book",
        "workshop",
        "2",
        "4",
        "24.12.",
        "tomorrow",
        "do you deliver on Sunday?",
    ),
    *("thank you", "where is my order?", "do you have peonies?", "hello", "Tell me more", "open today?"),
)
_TROUBLES = (Trouble(500, 2), Trouble(500, 2, done=True), Trouble(400, 100, 2534015), Trouble(400, 613))
_NAMES = (
    "anna",
    "bea",
    "cleo",
    "dora",
    "ewa",
    "fred",
    "gosia",
    "hana",
    "ida",
    "jan",
    "kasia",
    "leo",
    "maja",
    "nina",
)
_RECENT = 120
"""People and messages of which something may still come."""


@dataclass
class Life:
    shop: Machine
    chance: random.Random
    done: int = 0
    """Things that happened."""
    _people: list[tuple[str, str]] = field(default_factory=list)
    """IGSID, and the business that they write with."""
    _trouble: Trouble | None = None

    def __post_init__(self) -> None:
        self.shop.fake.trouble = self._goes_wrong
        self.shop.fake.also.add(SECOND_ID)

    async def begins(self) -> None:
        """A second account is connected, the posts are known, and all of it was so when the clock began."""
        now = self.shop.clock.now()
        conn = self.shop.reader.connection
        account = accounts.every(conn)[0]
        found = connecting.Found(self.shop.fake.token, SECOND_ID, None, SECOND, ())
        keep = partial(
            connecting.keep, keys=self.shop.tools.keys, account_id=account.id, found=found, now=now
        )
        await self.shop.writer.write(keep)
        await self.shop.writer.write(partial(_as_if_for_long, now=now))

    async def lives(self, days: int, per_day: int, *, viral_day: int | None = None) -> None:
        """`viral_day`: on which ten times as many people comment, all within two hours."""
        for day in range(days):
            morning = self.shop.clock.now().replace(hour=6, minute=0, second=0, microsecond=0)
            if day or morning < self.shop.clock.now():
                morning += timedelta(days=1)
            moments = sorted(self.chance.triangular(0, 16 * 3600, 12 * 3600) for _ in range(per_day))
            for after in moments:
                await self._at(morning + timedelta(seconds=after), self._something)
            if day == viral_day:
                for _ in range(per_day // 2):
                    await self._at(self.shop.clock.now() + timedelta(seconds=14_400 / per_day), self._burst)

    async def _at(self, moment: datetime, happens: Callable[[], object]) -> None:
        # What is due has its time before, so that nothing else happens at the instant at which something does.
        self.shop.move_to(max(moment, self._now() + timedelta(seconds=1)))
        await self.shop.settler.round()
        await self.shop.works()
        self.shop.move_to(self._now() + timedelta(seconds=1))
        await happens()  # type: ignore[misc]
        await self.shop.works()

    async def _burst(self) -> None:
        for _ in range(20):
            await self._comments("reel-roses")

    def _troubles(self, often: float) -> None:
        if self.chance.random() < often:
            self._trouble = self.chance.choice(_TROUBLES)

    async def _something(self) -> None:
        self._troubles(0.01)
        ways: Sequence[tuple[float, Callable[[], object]]] = (
            (0.46, self._comments),
            (0.20, self._writes),
            (0.10, self._taps),
            (0.12, self._clicks),
            (0.06, self._sees),
            (0.02, self._answers_a_story),
            (0.012, partial(self._writes, "STOP")),
            (0.004, partial(self._writes, "START")),
            (0.014, partial(self._writes, "human")),
            (0.01, self._owner_writes),
        )
        (way,) = self.chance.choices([way for _, way in ways], [weight for weight, _ in ways])
        await way()  # type: ignore[misc]

    # --- what people do ------------------------------------------------------------------------------

    async def _comments(self, media: str | None = None) -> None:
        (post,) = self.chance.choices([one[0] for one in POSTS], [one[2] for one in POSTS])
        post = media or post
        igsid, business = self._somebody()
        value = events.comment(igsid, self.chance.choice(_WORDS[post]), media=post, username=_name(igsid))
        await self._delivers({**events.change(value, ig_id=business), "time": int(self._now().timestamp())})

    async def _writes(self, text: str | None = None) -> None:
        igsid, business = self._somebody(known=text is not None)
        await self._says(events.message(igsid, text or self.chance.choice(_WRITTEN)), business)

    async def _taps(self) -> None:
        shown = [
            (one, label)
            for one in self.shop.fake.sent[-_RECENT:]
            for label, payload in one.buttons.items()
            if not payload.startswith("http")
        ]
        if shown:
            one, label = self.chance.choice(shown)
            make = events.chip_tap if one.kind == "chips" else events.button_tap
            await self._says(make(one.igsid, label, one.buttons[label]), self._business(one))

    async def _clicks(self) -> None:
        rows = self.shop.reader.connection.execute("SELECT token FROM links ORDER BY rowid DESC LIMIT 40")
        tokens = [str(token) for (token,) in rows]
        if tokens:
            count = clicks.previewed if self.chance.random() < 0.25 else clicks.clicked
            token, now = self.chance.choice(tokens), self._now()
            await self.shop.writer.write(lambda conn: count(conn, token, now))
            self.done += 1

    async def _sees(self) -> None:
        if sent := self.shop.fake.sent[-_RECENT:]:
            one = self.chance.choice(sent)
            await self._says(events.seen(one.igsid, one.mid), self._business(one))

    async def _answers_a_story(self) -> None:
        igsid, business = self._somebody()
        story = {"story": {"id": "17900000000000001", "url": "https://cdn.example/story"}}
        await self._says(events.message(igsid, "wow", reply_to=story), business)

    async def _owner_writes(self) -> None:
        igsid, business = self._somebody(known=True)
        await self._says(events.echo(igsid, events.new_id("aWdf_owner_"), "I will look myself."), business)

    # --- how it is told ------------------------------------------------------------------------------

    async def _says(self, item: Json, business: str) -> None:
        people = {
            side: {"id": business} if item[side]["id"] == IG_ID else item[side]
            for side in ("sender", "recipient")
        }
        stamped = {**item, **people, "timestamp": ms(self._now())}
        await self._delivers(events.talk(stamped, ig_id=business))

    async def _delivers(self, entry: Json) -> None:
        await self.shop.deliver(entry)
        self.done += 1

    def _somebody(self, *, known: bool = False) -> tuple[str, str]:
        if self._people and (known or self.chance.random() < 0.4):
            return self.chance.choice(self._people[-_RECENT:])
        business = SECOND_ID if self.chance.random() < 0.15 else IG_ID
        self._people.append((f"{900_000_000 + len(self._people)}", business))
        return self._people[-1]

    def _business(self, sent: Sent) -> str:
        return dict(self._people).get(sent.igsid, IG_ID)

    def _goes_wrong(self, call: Call) -> Trouble | None:
        if not call.is_send:
            return None
        trouble, self._trouble = self._trouble, None
        return trouble

    def _now(self) -> datetime:
        return self.shop.clock.now()


def _name(igsid: str) -> str:
    number = int(igsid) % 1_000_000
    return f"{_NAMES[number % len(_NAMES)]}.{number}"


def _as_if_for_long(conn: Connection, now: datetime) -> None:
    before = ms(now - timedelta(days=3))
    conn.execute("UPDATE accounts SET created_at=?", (before,))
    conn.execute(
        "UPDATE connections SET connected_at=?, token_expires_at=?", (before, ms(now + timedelta(days=90)))
    )
    conn.execute("UPDATE flows SET applied_at=?", (before,))
    account = accounts.every(conn)[0].id
    for number, (media, caption, _) in enumerate(POSTS):
        for (connection,) in conn.execute("SELECT connection_id FROM connections").fetchall():
            conn.execute(
                "INSERT OR REPLACE INTO posts (account_id, connection_id, media_id, shortcode, posted_at, caption,"
                " permalink) VALUES (?,?,?,?,?,?,?)",
                (
                    account,
                    connection,
                    media,
                    f"C{number}",
                    ms(now + timedelta(days=3 * number - 2)),
                    caption,
                    f"https://www.instagram.com/reel/C{number}/",
                ),
            )
