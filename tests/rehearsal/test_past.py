"""The past of the demo's shop: made by the real engine, so that everything on the status page is true of it."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pamosnik.clock import SystemClock
from pamosnik.rehearsal import demo, past
from pamosnik.services import missed
from pamosnik.services.library import Library
from pamosnik.services.reading import numbers, queue, statistics, status, waiting
from pamosnik.store import accounts, connections
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database
from pamosnik.store.reads import QueueFilter
from tests.recount import undeleted


class Shop:
    """What the pages of the demo read when it has begun."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.conn = database.connection
        self.now = now
        self.account: Account = accounts.every(self.conn)[0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("demo") / "home"
    asyncio.run(_play(home))
    with open_database(home / "pamosnik.db") as database:
        yield Shop(database, SystemClock().now())


async def _play(home: Path) -> None:
    async with demo.shop(home, "demo password", with_past=True):
        pass


def test_its_numbers_are_those_that_the_rows_tell(shop: Shop) -> None:
    undeleted.require_equal(shop.conn, shop.now, links=False)


def test_every_flow_and_every_post_was_lived_with(shop: Shop) -> None:
    flows = {row.flow: row.counts for row in numbers.by_flow(shop.conn, shop.account)}
    assert set(flows) == {"price-list", "booking", "story", "fallback", "wreath-workshop"}
    assert all(counts["started"] and counts["completed"] for counts in flows.values())
    assert len(statistics.by_post(shop.conn, shop.account)) == len(past.POSTS)


def test_it_leaves_something_to_find(shop: Shop) -> None:
    """A word with a wrong letter, two who wait for a human, and a reply that is not out yet."""
    words = missed.lately(shop.conn, shop.account, Library(), now=shop.now).words
    assert [one.near for one in words if one.text == "prcie?" and "price" in (one.near or "")]
    assert waiting.number(shop.conn, shop.account, shop.now) == 2
    assert queue.newest(shop.conn, shop.account, QueueFilter(open_only=True), now=shop.now)


def test_the_daemon_does_not_read_it_again(shop: Shop) -> None:
    """Three weeks were read again before the posts had names, for minutes."""
    (connected,) = connections.of_account(shop.conn, shop.account.id)
    assert connected.read_until is not None
    assert shop.now - connected.read_until < timedelta(minutes=10)


def test_nothing_is_wrong_with_it(shop: Shop) -> None:
    told = status.of_account(shop.conn, shop.account, running=True, since=None, now=shop.now)
    assert told["problems"] == []
