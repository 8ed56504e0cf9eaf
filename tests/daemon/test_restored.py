"""A conversation goes on after a backup was made; then the backup is put back: nothing is said twice or lost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.services import backups
from pamosnik.services.reading import events as event_reading
from pamosnik.store import accounts
from tests.daemon import events
from tests.daemon.fake import FakeInstagram
from tests.daemon.machine import Machine, home_and_fake, running
from tests.daemon.shop import FLOWS

pytestmark = pytest.mark.anyio

LATER = """
version: 1
disclosure: false
flows:
  later:
    when: [dm: later]
    do:
      - send: One.
      - wait: 40s
      - send: Two.
      - wait: 40s
      - send: Three.
  only_public:
    when: [comment: nice]
    do:
      - reply_publicly: Thank you!
"""
QUESTION = ["Automated reply.\nWhich size?"]


@dataclass
class Story:
    """A home before and after its database is lost."""

    settings: Config
    fake: FakeInstagram
    backup: Path | None = None
    clock: Clock | None = None

    def back_up(self, shop: Machine) -> None:
        self.backup = backups.create(self.settings, None, shop.clock.now()).path

    @asynccontextmanager
    async def before(self) -> AsyncIterator[Machine]:
        async with running(self.settings, self.fake) as shop:
            self.clock = shop.clock
            yield shop

    @asynccontextmanager
    async def after(self) -> AsyncIterator[Machine]:
        """The backup is put back, and what came since is read."""
        assert self.clock is not None
        assert self.backup is not None
        backups.restore(self.settings, self.backup, self.clock.now())
        async with running(self.settings, self.fake, self.clock) as shop:
            await shop.works()
            shop.move_to(shop.clock.now() + timedelta(seconds=35))
            await shop.catch_up.round()
            await shop.works()
            yield shop


@asynccontextmanager
async def story(folder: Path, flows: str = FLOWS) -> AsyncIterator[Story]:
    async with home_and_fake(folder, flows) as (settings, fake):
        yield Story(settings, fake)


async def _writes(shop: Machine, text: str, igsid: str = "9001") -> None:
    await shop.deliver(events.talk(events.message(igsid, text)))


async def _comments(shop: Machine, text: str, comment_id: str) -> None:
    await shop.deliver(events.change(events.comment("9001", text, comment_id=comment_id)))


def _verdicts(shop: Machine) -> list[object]:
    conn = shop.reader.connection
    rows = event_reading.newest(conn, accounts.every(conn)[0], limit=None, since=None)
    return [row.verdict for row in rows if row.kind != "echo"]


async def _nothing(_: Machine) -> None:
    pass


async def _decides(shop: Machine) -> None:
    await shop.runner.round()


@pytest.mark.parametrize("lists", ["whole", "bare"])
@pytest.mark.parametrize("until", [_nothing, _decides], ids=["pending", "queued"])
async def test_what_left_after_the_backup_is_not_sent_again(
    tmp_path: Path, until: Callable[[Machine], Awaitable[None]], lists: str
) -> None:
    async with story(tmp_path) as told:
        told.fake.lists = lists
        async with told.before() as shop:
            await _writes(shop, "size")
            await until(shop)
            told.back_up(shop)
            await shop.works()
            assert told.fake.thread("9001") == QUESTION
        async with told.after() as shop:
            await shop.later(minutes=3)
            assert told.fake.thread("9001") == QUESTION
            assert shop.states() == ["sent"]
            assert _verdicts(shop) == ["started"]
            # The conversation goes on where it was, and what answers a new word is not looked for first.
            await _writes(shop, "Medium")
            await shop.works()
            assert told.fake.thread("9001") == [*QUESTION, "Noted: Medium"]


@pytest.mark.parametrize("until", [_nothing, _decides], ids=["pending", "queued"])
async def test_what_did_not_leave_after_the_backup_is_sent(
    tmp_path: Path, until: Callable[[Machine], Awaitable[None]]
) -> None:
    async with story(tmp_path) as told:
        async with told.before() as shop:
            await _writes(shop, "size")
            await until(shop)
            told.back_up(shop)
        async with told.after() as shop:
            assert told.fake.sent == [], "one look is not enough"
            await shop.later(minutes=2)
            assert told.fake.thread("9001") == QUESTION
            assert shop.states() == ["sent"]


async def test_where_instagram_shows_nothing_the_owner_decides(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        told.fake.lists = "none"
        async with told.before() as shop:
            await _writes(shop, "size")
            await shop.runner.round()
            told.back_up(shop)
            await shop.works()
        async with told.after() as shop:
            await shop.later(hours=2)
            assert told.fake.thread("9001") == QUESTION
            assert shop.states() == ["unknown"]
            assert [problem["code"] for problem in shop.problems()] == ["unknown_messages"]


async def test_what_a_run_says_later_is_looked_for_however_late_it_is(tmp_path: Path) -> None:
    """The second wait begins only after the restore; what follows it had been said long before."""
    async with story(tmp_path, LATER) as told:
        async with told.before() as shop:
            await _writes(shop, "later")
            await shop.works()
            told.back_up(shop)
            await shop.later(seconds=90)
            assert told.fake.thread("9001") == ["One.", "Two.", "Three."]
        async with told.after() as shop:
            await shop.later(minutes=6)
            assert told.fake.thread("9001") == ["One.", "Two.", "Three."]
            assert shop.states() == ["sent"] * 3


async def test_what_a_run_has_yet_to_say_is_said(tmp_path: Path) -> None:
    async with story(tmp_path, LATER) as told:
        async with told.before() as shop:
            await _writes(shop, "later")
            await shop.works()
            told.back_up(shop)
        async with told.after() as shop:
            await shop.later(minutes=6)
            assert told.fake.thread("9001") == ["One.", "Two.", "Three."]


@pytest.mark.parametrize("lists", ["whole", "none"])
async def test_private_and_public_replies_that_left_after_the_backup(tmp_path: Path, lists: str) -> None:
    async with story(tmp_path) as told:
        told.fake.lists = lists
        async with told.before() as shop:
            await _comments(shop, "price", "c1")
            await shop.runner.round()
            told.back_up(shop)
            assert shop.states("comment_reply") == ["held"]
            await shop.works()
            assert told.fake.order == ["private", "public"]
        async with told.after() as shop:
            await shop.later(minutes=3)
            assert told.fake.order == ["private", "public"]
            assert shop.states() == ["sent", "sent"]


async def test_private_and_public_replies_that_did_not_leave(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        async with told.before() as shop:
            await _comments(shop, "price", "c1")
            await shop.runner.round()
            told.back_up(shop)
        async with told.after() as shop:
            await shop.later(minutes=3)
            assert told.fake.order == ["private", "public"]


async def test_what_came_and_was_answered_after_the_backup_is_not_answered_again(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        async with told.before() as shop:
            told.back_up(shop)
            await _writes(shop, "size")
            await _comments(shop, "price", "c1")
            await shop.works()
            assert sorted(told.fake.order) == ["message", "private", "public"]
        async with told.after() as shop:
            await shop.later(minutes=3)
            await shop.catch_up.round()
            await shop.works()
            assert sorted(told.fake.order) == ["message", "private", "public"]
            assert _verdicts(shop) == ["noted", "noted"]


async def test_a_public_reply_alone_is_not_made_again(tmp_path: Path) -> None:
    async with story(tmp_path, LATER) as told:
        async with told.before() as shop:
            told.back_up(shop)
            await _comments(shop, "nice", "c1")
            await shop.works()
            assert told.fake.public("c1") == ["Thank you!"]
        async with told.after() as shop:
            await shop.later(minutes=3)
            assert told.fake.public("c1") == ["Thank you!"]


async def test_what_came_after_the_backup_and_was_not_answered_is_answered_once(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        async with told.before() as shop:
            told.back_up(shop)
        # The database is lost; people go on writing.
        message = events.message("9001", "size")
        comment = events.comment("9002", "price", comment_id="c2")
        told.fake.note(events.envelope(events.talk(message), events.change(comment)))
        async with told.after() as shop:
            await shop.later(minutes=3)
            assert told.fake.thread("9001") == QUESTION
            assert told.fake.order.count("private") == 1
            assert told.fake.order.count("public") == 1


async def test_who_wrote_stop_after_the_backup_stays_out(tmp_path: Path) -> None:
    """The confirmation stands in the conversation: the word counts, and is not confirmed once more."""
    async with story(tmp_path, LATER) as told:
        async with told.before() as shop:
            await _writes(shop, "later")
            await shop.works()
            told.back_up(shop)
            await _writes(shop, "STOP")
            await shop.works()
            said = told.fake.thread("9001")
            assert len(said) == 2
        async with told.after() as shop:
            await shop.later(minutes=6)
            await _writes(shop, "later")
            await shop.works()
            assert told.fake.thread("9001") == said
            assert _verdicts(shop)[0] == "opted_out"
