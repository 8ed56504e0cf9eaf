"""The made-up past of the demo's shop: some weeks in which people commented, wrote, tapped, asked for a human and
were not understood, so that a newcomer finds the status page as it is after a while.

Nothing of it is written down as a number. The people act in the fake Instagram, whose webhooks the real intake takes;
the real engine answers, the real outbox sends, under a clock that is moved; then the daemon goes on where that ends.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import resources
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock, SystemClock, VirtualClock
from pamosnik.config import Config
from pamosnik.errors import NotFound
from pamosnik.rehearsal.play import do_not_flush
from pamosnik.rehearsal.stage import Stage
from pamosnik.rehearsal.ticket import Place, Ticket
from pamosnik.sandbox.things import MediaKind, Person
from pamosnik.sandbox.world import World
from pamosnik.services import keys as machine_keys
from pamosnik.services.library import Library
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, connections
from pamosnik.store.database import open_database

LENGTH = timedelta(days=22)
FLOWS = "workshop.yaml"
_OPENS, _CLOSES = 8, 21
"""Hours of the day at which people do something."""
_IN_A_DAY = (1, 2, 3, 3, 4, 5)
"""How many conversations begin in a day, of which one is drawn."""
_FIRST_NAMES = (
    *("Ola", "Kuba", "Zofia", "Marek", "Hania", "Tomek", "Lena", "Jan", "Iga", "Pola", "Adam", "Ewa", "Nina"),
    *("Leo", "Maja", "Filip", "Basia", "Igor", "Kasia", "Olek", "Ada", "Wiktor", "Gosia", "Piotr", "Ula"),
)
_SURNAMES = (
    "nowak",
    "zielinska",
    "maj",
    "lis",
    "wrona",
    "kowal",
    "sikora",
    "dudek",
    "pawlak",
    "krol",
    "wilk",
)


class FromPast:
    """The clock of a world with a past: what is played tells the time, and then the machine."""

    def __init__(self, begins: datetime) -> None:
        self.past = VirtualClock(begins)
        self._clock: Clock = self.past

    def now(self) -> datetime:
        return self._clock.now()

    def arrive(self) -> None:
        """From now on the machine tells the time."""
        self._clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Posted:
    """What the shop publishes, and on which day of its past."""

    day: int
    kind: MediaKind
    caption: str
    comments: Sequence[str] = ()
    """What people write below it, each as often as the others."""


POSTS = (
    Posted(
        0,
        MediaKind.POST,
        "Tables for Christmas Eve go fast. Write us BOOK in a message.",
        ("So cosy!", "What is the price of the menu?", "See you there ❤"),
    ),
    Posted(
        3,
        MediaKind.REEL,
        "A wreath in one afternoon. Comment WORKSHOP and we keep a place for you.",
        ("Workshop", "workshop please!", "WORKSHOP 😍", "What a wreath!", "worksop", "so pretty"),
    ),
    Posted(
        7,
        MediaKind.REEL,
        "How we bind a bouquet. Ask HOW MUCH in the comments and we tell you.",
        ("How much?", "how much is the big one", "HOW MUCH 🙏", "beautiful!", "Where are you?"),
    ),
    Posted(
        12,
        MediaKind.POST,
        "Our winter prices are out. Comment PRICE and we send you the list.",
        ("Price", "PRICE please!", "price list?", "Price 🙏", "prise", "finally!"),
    ),
)
"""The oldest first; the example flows and those of the workshop answer what they invite to."""


def flows_of_workshop() -> str:
    """The text of the file that the demo applies beside flows.example.yaml."""
    return resources.files("pamosnik.rehearsal").joinpath(FLOWS).read_text("utf-8")


def play(settings: Config, world: World, clock: FromPast) -> None:
    """Plays into the home, up to now, beside a world that goes by `clock`. Blocks for seconds; not on a thread with a
    running event loop."""
    with machine_keys.wrapping(settings) as keys:
        pass
    loop = asyncio.new_event_loop()
    database = open_database(settings.database)
    do_not_flush(database)
    account = accounts.every(database.connection)[0]
    library, place = Library(PublicAddress(settings.public_url)), Place(world, clock.past)
    ends = SystemClock().now()
    try:
        with Stage(Ticket(database, account, keys, library, loop, clock.now(), place=place)) as stage:
            _Past(stage, world, ZoneInfo(account.timezone)).plays(ends)
            if stage.failures:
                raise stage.failures[0]
            database.write(partial(_was_read, account_id=account.id, until=ends))
        clock.arrive()
    finally:
        loop.close()


def _was_read(conn: Connection, account_id: str, until: datetime) -> None:
    """As by a daemon that was there all the time: the demo's would read three weeks again before anything else."""
    for connected in connections.of_account(conn, account_id):
        connections.was_read(conn, connected.id, until=until)


class _Past:
    """Who did what. The same people do the same at every demo; only the dates are others."""

    def __init__(self, stage: Stage, world: World, zone: ZoneInfo) -> None:
        self._stage = stage
        self._world = world
        self._zone = zone
        self._numbers: dict[str, int] = {}
        """Caption → the number of the post on the stage."""
        self._chance = random.Random(0)  # noqa: S311 - the same past every time, on purpose
        self._names = _names(self._chance)
        self._acts: tuple[tuple[Callable[[], None], float], ...] = (
            (self._comments, 0.6),
            (self._books, 0.14),
            (self._answers_story, 0.12),
            (self._asks_something, 0.11),
            (self._wants_no_more, 0.03),
        )

    def plays(self, ends: datetime) -> None:
        begins, last_hours = self._stage.now, ends - timedelta(hours=4)
        for day in range((ends - begins).days + 1):
            # Anew for each day: at whatever hour the demo begins, the days between are the same.
            self._chance = random.Random(day)  # noqa: S311
            for moment in self._moments(begins + timedelta(days=day)):
                if begins <= moment < last_hours:
                    self._until(moment)
                    self._publish(day)
                    self._something()
        self._last_hours(ends)
        self._until(ends)

    def _something(self) -> None:
        acts, weights = [act for act, _ in self._acts], [weight for _, weight in self._acts]
        (act,) = self._chance.choices(acts, weights)
        act()

    def _last_hours(self, ends: datetime) -> None:
        """What the newcomer finds: a word with a wrong letter that nobody answered, two people who wait for a human,
        and replies that are not out yet."""
        price, workshop = self._numbers[POSTS[-1].caption], self._numbers[POSTS[1].caption]

        def before_end(minutes: int) -> None:
            self._until(ends - timedelta(minutes=minutes))

        before_end(230)
        self._says_below(price, "prcie?", taps=False)
        before_end(200)
        group = self._says_below(price, "PRICE", taps=True)
        before_end(150)
        self._books(group, guests="6", answered=False)
        before_end(125)
        curious = self._says_below(price, "How much is the big one?", taps=True)
        before_end(90)
        self._says_below(workshop, "Workshop please!", taps=False)
        before_end(70)
        self._says_below(workshop, "wreath 🌿", taps=False)
        before_end(45)
        self._asks_something(curious, "Do you have it in dark red as well?", answered=False)
        before_end(25)
        self._says_below(price, "price", taps=False)
        before_end(12)
        self._says_below(workshop, "workshop?", taps=False)

    # --- what people do ------------------------------------------------------------------------------

    def _comments(self) -> None:
        """Newer posts get more of the comments."""
        known = [post for post in POSTS if post.caption in self._numbers and post.comments]
        (post,) = self._chance.choices(known, range(1, len(known) + 1))
        taps = self._chance.random() < 0.65
        self._says_below(self._numbers[post.caption], self._chance.choice(post.comments), taps=taps)

    def _says_below(self, post: int, words: str, *, taps: bool) -> str:
        """Who said it."""
        who = self._somebody()
        self._stage.comment(who, words, post=post)
        self._later(minutes=3)
        self._sees(who)
        if taps:
            for label in ("Send it to me", "Yes, please", "2"):
                self._taps(who, label)
        return who

    def _books(self, who: str | None = None, *, guests: str | None = None, answered: bool = True) -> None:
        who = who or self._somebody()
        self._stage.write(who, "I would like to book a table")
        self._later(minutes=2)
        if guests is None and self._chance.random() < 0.25:
            return  # they never say for which day
        self._stage.write(who, "tomorrow")
        self._later(minutes=1)
        guests = guests or self._chance.choice("2234445")
        self._taps(who, guests)
        if answered and guests in "56":
            self._owner(who, "With pleasure! The long table by the window is yours.")

    def _answers_story(self) -> None:
        who = self._somebody()
        self._stage.answer_story(who, self._chance.choice(("🔥🔥", "love it!", "so beautiful")))
        self._later(minutes=2)
        self._sees(who)

    def _asks_something(
        self, who: str | None = None, words: str | None = None, *, answered: bool = True
    ) -> None:
        who = who or self._somebody()
        asked = ("Are you open on Sunday?", "Where can I park?", "Is my order ready?", "Do you deliver?")
        self._stage.write(who, words or self._chance.choice(asked))
        self._later(minutes=1)
        if answered:
            self._owner(who, "Yes, and gladly. See you soon!")

    def _wants_no_more(self) -> None:
        who = self._somebody()
        self._stage.comment(who, "price", post=self._numbers[POSTS[0].caption])
        self._later(minutes=4)
        self._stage.write(who, "STOP")
        self._later(minutes=1)

    def _taps(self, who: str, label: str) -> None:
        """Where they see it."""
        try:
            self._stage.tap(who, label)
        except NotFound:
            return
        self._later(minutes=1)
        self._sees(who)

    def _sees(self, who: str) -> None:
        """Not everybody lets Instagram tell it."""
        if self._chance.random() < 0.7:
            self._stage.see(who)
            self._later(seconds=20)

    def _owner(self, who: str, words: str) -> None:
        self._later(minutes=25)
        self._stage.owner_writes(who, words)
        self._later(seconds=20)

    # --- time and people -----------------------------------------------------------------------------

    def _publish(self, day: int) -> None:
        for post in POSTS:
            if post.day <= day and post.caption not in self._numbers:
                self._stage.publish(post.caption, post.kind)
                self._numbers[post.caption] = self._stage.posts[-1].number

    def _moments(self, day: datetime) -> Sequence[datetime]:
        """When conversations begin on that day, on the shop's clock."""
        local = day.astimezone(self._zone)
        hours = sorted(self._chance.uniform(_OPENS, _CLOSES) for _ in range(self._chance.choice(_IN_A_DAY)))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return [midnight + timedelta(hours=hour) for hour in hours]

    def _until(self, moment: datetime) -> None:
        if moment > self._stage.now:
            self._stage.pass_time(moment - self._stage.now)

    def _later(self, **units: float) -> None:
        self._stage.pass_time(timedelta(**units))

    def _somebody(self) -> str:
        """Somebody new."""
        username, name = next(self._names)
        person = Person(username, name, follower_count=self._chance.randint(20, 900), played=False)
        self._world.put_person(person)
        return username


def _names(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Username and name, no two alike."""
    pairs = [(first, last) for first in _FIRST_NAMES for last in _SURNAMES]
    chance.shuffle(pairs)
    for first, last in pairs:
        yield f"{first.lower()}.{last}", first
