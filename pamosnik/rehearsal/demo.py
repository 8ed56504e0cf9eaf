"""The demo: a throwaway home, the fake Instagram, the example flows and the real daemon, talking over real HTTP."""

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TypeVar

import aiohttp

from pamosnik import config, logs
from pamosnik.clock import Clock, SteadyClock, SystemClock
from pamosnik.daemon import main as daemon
from pamosnik.errors import PamosnikError
from pamosnik.instagram.client import Instagram
from pamosnik.model.contact import Contact
from pamosnik.rehearsal import browser, past
from pamosnik.rehearsal.watching import Watching
from pamosnik.sandbox import desk
from pamosnik.sandbox.main import Sandbox, seed
from pamosnik.sandbox.phone.behind import Observer
from pamosnik.sandbox.things import MediaKind, Person
from pamosnik.sandbox.world import World
from pamosnik.services import connecting, flows, home
from pamosnik.services import keys as machine_keys
from pamosnik.services.accounts import NewAccount
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import numbers as numbers_reading
from pamosnik.services.reading import people as people_reading
from pamosnik.services.reading import queue
from pamosnik.store import accounts
from pamosnik.store.accounts import Account
from pamosnik.store.database import open_database
from pamosnik.store.reads import QueueFilter

PATIENCE_S = 20.0
LOOK_AGAIN_S = 0.05
NAME = "Rosa's Shop (made up)"
"""Stands on every page."""
EMAIL = "demo@example.com"
EXAMPLE = "flows.example.yaml"
WITH_PAST = (
    "Rosa's shop gets a past: three weeks in which made-up people comment, write and tap.\n"
    "The real engine answers them, under a clock that runs faster.\n"
)
TRY = "Comment PRICE under the first post, find the answer in the messages, and tap its button"
_FIELDS = [
    "messages",
    "messaging_postbacks",
    "messaging_seen",
    "message_reactions",
    "comments",
    "live_comments",
]

Say = Callable[[str], None]
T = TypeVar("T")


class NotAnswered(PamosnikError):
    """An expected reply did not arrive in time."""


def example_flows() -> str:
    """The text of flows.example.yaml, from the package or from the source tree."""
    packaged = resources.files("pamosnik.rehearsal").joinpath(EXAMPLE)
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).parents[2] / EXAMPLE).read_text("utf-8")


async def play(*, port: int, stay: bool, say: Say) -> int:
    """Plays the conversation and prints it; with `stay` keeps everything running until Ctrl-C, in a shop with a past.

    Returns the exit code: 0 when every expected reply arrived.
    """
    logs.set_up("text", level=40)
    watching = Watching(hint=f"{TRY}.")
    password = secrets.token_urlsafe(9)
    if stay:
        say(WITH_PAST)
    with tempfile.TemporaryDirectory(prefix="pamosnik-demo-") as folder:
        async with shop(Path(folder) / "home", password, port=port, with_past=stay, observer=watching) as (
            sandbox,
            settings,
        ):
            try:
                return await _with_daemon(settings, sandbox, watching, password, stay=stay, say=say)
            finally:
                watching.close()


@contextlib.asynccontextmanager
async def shop(
    folder: Path, password: str, *, port: int = 0, with_past: bool, observer: Observer | None = None
) -> AsyncIterator[tuple[Sandbox, config.Config]]:
    """A home in which Rosa's shop is connected and has its flows, and the fake Instagram, running. Nothing serves the
    home yet."""
    begins = SystemClock().now() - past.LENGTH
    clock = past.FromPast(begins) if with_past else SystemClock()
    sandbox, world = Sandbox(), _world(clock, empty=with_past)
    await sandbox.start(host="127.0.0.1", port=0, clock=clock, world=world, observer=observer)
    try:
        settings = config.load(
            {
                "home": str(folder),
                "port": str(port),
                "meta_url": sandbox.base_url,
                "instagram_app_secret": sandbox.app_secret,
                "verify_token": secrets.token_urlsafe(16),
            },
            environ={},
        )
        await _set_up(settings, sandbox, password, clock.now())
        if isinstance(clock, past.FromPast):
            await asyncio.to_thread(past.play, settings, world, clock)
        yield sandbox, settings
    finally:
        await sandbox.stop()


def _world(clock: Clock, *, empty: bool) -> World:
    """The seeded shop, whose posts invite to what the flows answer, and Mia, who plays the first scene. `empty`: it
    publishes them later.

    Mia and Ben act, so that Anna is new to the shop when somebody takes over her phone.
    """
    world = World(clock)
    seed(world)
    world.media.clear()
    shop = world.account_named(None)
    world.add_media(shop, MediaKind.STORY, "Fresh peonies this morning")
    for post in () if empty else past.POSTS:
        world.add_media(shop, post.kind, post.caption)
    world.put_person(Person("mia", "Mia", follower_count=77))
    return world


async def _with_daemon(
    settings: config.Config, sandbox: Sandbox, watching: Watching, password: str, *, stay: bool, say: Say
) -> int:
    watching.open(settings.database, lambda ig_id, _: _connect_again(settings, sandbox, ig_id))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(daemon.serve(settings, SteadyClock(), on_ready=ready.set_result, stop=stop))
    try:
        await asyncio.wait((ready, serving), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        async with aiohttp.ClientSession() as session:
            stage = _Stage(session, sandbox, settings, ready.result(), say, stay, SystemClock().now())
            code = await _conversation(stage)
        _where_next(say)
        if stay:
            _still_running(sandbox, ready.result(), password, say)
            await stop.wait()
        return code
    finally:
        stop.set()
        await serving


async def _set_up(settings: config.Config, sandbox: Sandbox, password: str, now: datetime) -> None:
    new = NewAccount(NAME, EMAIL, password, "Europe/Warsaw")
    account, _ = await asyncio.to_thread(home.initialise, settings, new, now)
    await _connect(settings, account.id, sandbox.token, now)
    with open_database(settings.database) as database:
        files = [(EXAMPLE, example_flows()), (past.FLOWS, past.flows_of_workshop())]
        proposal = flows.propose(database.connection, account.id, files, prune=False)
        if proposal.loaded.has_errors:
            raise PamosnikError(f"{EXAMPLE} has errors.", hint=f"Try: pamosnik flows validate {EXAMPLE}")
        database.write(
            lambda conn: flows.apply(conn, account.id, proposal, note="demo", actor="demo", now=now)
        )


async def _connect(settings: config.Config, account_id: str, token: str, now: datetime) -> None:
    async with Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram:
        found = await connecting.look_up(instagram, token)
    with open_database(settings.database) as database, machine_keys.wrapping(settings) as keys:
        database.write(lambda conn: connecting.keep(conn, keys, account_id, found, now))


async def _connect_again(settings: config.Config, sandbox: Sandbox, ig_id: str) -> None:
    """What `pamosnik connect` does, which nobody can run in the demo's throwaway home."""
    token = desk.account_state(sandbox.world, sandbox.world.accounts[ig_id])["token"]
    if not isinstance(token, str):
        raise PamosnikError("No token works.", hint="Issue a new one first.")
    with open_database(settings.database) as database:
        account = _account(accounts.every(database.connection))
    await _connect(settings, account.id, token, SystemClock().now())


# --- the stage -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Stage:
    """People to act with, and eyes on what they get."""

    session: aiohttp.ClientSession
    sandbox: Sandbox
    settings: config.Config
    address: str
    say: Say
    has_past: bool
    began: datetime
    """What is older belongs to the past."""
    seen: dict[str, int] = field(default_factory=dict)

    async def act(self, path: str, **what: object) -> Mapping[str, object]:
        async with self.session.post(f"{self.sandbox.base_url}/sandbox{path}", json=what) as answer:
            body: Mapping[str, object] = await answer.json()
            if answer.status >= 400:
                raise PamosnikError(f"The fake Instagram refused {path}: {body}")
            return body

    async def get(self, path: str, **query: str) -> list[Mapping[str, object]]:
        async with self.session.get(f"{self.sandbox.base_url}/sandbox{path}", params=query) as answer:
            found: list[Mapping[str, object]] = await answer.json()
            return found

    async def configure(self) -> None:
        await self.act(
            "/configure",
            callback_url=f"{self.address}/webhooks/instagram",
            deauthorize_url=f"{self.address}/webhooks/instagram/deauthorize",
            data_deletion_url=f"{self.address}/webhooks/instagram/data-deletion",
            verify_token=self.settings.verify_token,
            live=True,
            fields=_FIELDS,
        )

    def name(self, username: str | None, igsid: str) -> str:
        """Of somebody who has only written, Instagram's webhooks tell the id alone; the sandbox knows who it is."""
        if username:
            return f"@{username}"
        world = self.sandbox.world
        shop = world.account_named(None)
        known = (one for one in world.people.values() if world.igsid(shop, one) == igsid)
        return next((f"{one.name} {igsid}" for one in known), igsid)

    async def next_messages(self, username: str, many: int) -> None:
        """Waits until the business has written `many` more messages to this person, and prints them."""
        before = self.seen.get(username, 0)

        async def written() -> Sequence[Mapping[str, object]] | None:
            thread = await self.get(f"/thread/{username}")
            from_us = [message for message in thread if message["from"] == "business"]
            return from_us[before : before + many] if len(from_us) >= before + many else None

        for message in await _until(written, f"{many} messages to {username}"):
            self.seen[username] = self.seen.get(username, 0) + 1
            _show_message(self.say, message)

    async def public_reply(self, post: str, comment_id: str) -> None:
        async def replied() -> Mapping[str, object] | None:
            for comment in await self.get("/comments", post=post):
                replies = comment["replies"]
                if comment["id"] == comment_id and isinstance(replies, list) and replies:
                    first: Mapping[str, object] = replies[0]
                    return first
            return None

        found = await _until(replied, "a public reply")
        self.say(f"  rosas_shop, in public    {found['text']}")


async def _until(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await look()
                if found is not None:
                    return found
                await asyncio.sleep(LOOK_AGAIN_S)
    raise NotAnswered(f"The demo waited {PATIENCE_S:g} s for {what} in vain.", hint="Please report this.")


def _show_message(say: Say, message: Mapping[str, object]) -> None:
    lines = str(message["text"] or "(picture)").split("\n")
    say(f"  rosas_shop, privately    {lines[0]}")
    for line in lines[1:]:
        say(f"                           {line}")
    for kind, mark in (("buttons", "[ {} ]"), ("chips", "( {} )")):
        options = message[kind]
        if isinstance(options, list) and options:
            say("                           " + " ".join(mark.format(option) for option in options))


# --- the play --------------------------------------------------------------------------------------------


async def _conversation(stage: _Stage) -> int:
    say = stage.say
    say("A fake Instagram and the real Pamosnik daemon, talking over signed HTTP on this machine.\n")
    await stage.configure()
    try:
        await _comment_scene(stage)
        await _booking_scene(stage)
    except NotAnswered as error:
        say(f"\n{error.message} {error.hint}")
        return 1
    await stage.act("/settle")
    await _until(lambda: _settled(stage), "the last event's verdict")
    _report(stage)
    return 0


async def _comment_scene(stage: _Stage) -> None:
    stage.say("Mia comments under a post, which starts the flow price-list:")
    stage.say("  mia, in public           Price please!")
    comment = await stage.act("/comment", person="mia", text="Price please!")
    await stage.next_messages("mia", 1)
    await stage.public_reply(str(comment["post"]), str(comment["id"]))
    stage.say("  mia taps                 [ Send it to me ]")
    await stage.act("/tap", person="mia", title="Send it to me")
    await stage.next_messages("mia", 1)


async def _booking_scene(stage: _Stage) -> None:
    stage.say("\nBen writes a message, which starts the flow booking:")
    stage.say("  ben                      rezerwacja")
    await stage.act("/dm", person="ben", text="rezerwacja")
    await stage.next_messages("ben", 1)
    stage.say("  ben                      24.12.")
    await stage.act("/dm", person="ben", text="24.12.")
    await stage.next_messages("ben", 1)
    stage.say("  ben taps                 ( 2 )")
    await stage.act("/tap", person="ben", title="2")
    await stage.next_messages("ben", 1)


async def _settled(stage: _Stage) -> bool | None:
    with open_database(stage.settings.database) as database:
        conn = database.connection
        account = _account(accounts.every(conn))
        pending = [
            e
            for e in event_reading.newest(conn, account, limit=None, since=stage.began)
            if e.verdict == "pending"
        ]
        open_items = QueueFilter(open_only=True, since=stage.began)
        going = queue.newest(conn, account, open_items, now=SystemClock().now())
    return None if pending or going else True


def _account(known: Sequence[Account]) -> Account:
    return known[0]


def _report(stage: _Stage) -> None:
    """What `events list`, `queue list` and `stats` say about it."""
    say = stage.say
    with open_database(stage.settings.database) as database:
        conn = database.connection
        account = _account(accounts.every(conn))
        events = list(reversed(event_reading.newest(conn, account, limit=None, since=stage.began)))
        made = QueueFilter(since=stage.began)
        items = list(reversed(queue.newest(conn, account, made, now=SystemClock().now())))
        numbers = numbers_reading.by_flow(conn, account)
        people = people_reading.newest(conn, account, limit=10, since=stage.began)
    say("\nEvery event has a verdict:")
    for event in events:
        if event.verdict not in ("own", "noted"):
            flow = f" {event.flow}" if event.flow else ""
            say(f"  {event.kind:<10} {event.text or '':<16} {event.verdict}{flow}: {event.reason}")
    own = sum(event.verdict == "own" for event in events)
    say(f"  and {own} echoes of what Pamosnik itself had sent, recognised as its own")
    say("\nEverything went out once (of Ben, who only wrote, Instagram tells an id alone):")
    for item in items:
        name = stage.name(item.username, item.igsid)
        say(f"  {item.kind:<15} to {name:<19} {item.status}, attempts: {item.attempts}")
    say(f"\nRemembered, and counted{' with the past' if stage.has_past else ''}:")
    for person in people:
        remembered = _remembered(person.contact)
        if remembered:
            say(f"  {stage.name(person.contact.username, person.contact.igsid):<20} {remembered}")
    for row in numbers:
        if row.counts["started"]:
            counted = ", ".join(
                f"{word} {row.counts[word]}" for word in ("started", "sent", "clicked", "completed")
            )
            goals = ", ".join(f"{name} {n}" for name, n in row.goals.items())
            say(f"  {row.flow:<20} {counted}, goals: {goals}")


def _still_running(sandbox: Sandbox, daemon_address: str, password: str, say: Say) -> None:
    phone = f"{sandbox.base_url}/phone"
    say(f"\nYour turn, as Anna: {TRY[0].lower()}{TRY[1:]}.")
    say(f"  the phone                {phone}")
    say(f"  Pamosnik's status page   {daemon_address}/   (e-mail {EMAIL}, password {password})")
    say("Ctrl-C ends both.")
    browser.open_page(phone)


def _remembered(contact: Contact) -> str:
    """tag got-prices; day 2026-12-24, guests 2"""
    tags = ", ".join(f"tag {tag}" for tag in sorted(contact.tags))
    fields = ", ".join(f"{name} {value}" for name, value in sorted(contact.fields.items()))
    return "; ".join(part for part in (tags, fields) if part)


def _where_next(say: Say) -> None:
    say("\nWhere to look next:")
    say("  pamosnik flows new price-list      a flow like the one you have just seen, to change")
    say("  pamosnik flows validate FILE       checks your own")
    say("  pamosnik init                      your own shop: home, account, keys")
    say("  docs/guide.md                      connecting the real Instagram, step by step")
