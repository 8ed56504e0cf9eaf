"""What is counted by day, post, step and link, from webhook to number."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pamosnik.services import clicks
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import numbers, statistics
from pamosnik.store import accounts, connections
from pamosnik.store.accounts import Account
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  price:
    when: [comment: price, dm: price]
    do:
      - send:
          text: "Here it is."
          buttons:
            - { label: "Prices", url: "https://shop.example/prices", name: prices }
            - { label: "Talk", do: [{ send: "Hello!" }] }
      - tag: asked
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _account(shop: Machine) -> Account:
    return accounts.every(shop.reader.connection)[0]


def _today(shop: Machine) -> Mapping[str, int]:
    account = _account(shop)
    days = statistics.last_days(day_of(shop.clock.now(), account.timezone), 30)
    rows = statistics.by_day(shop.reader.connection, account, days)
    assert len(rows) == 30
    assert statistics.summed(rows) == rows[-1].counts
    return rows[-1].counts


async def _tap(shop: Machine, token: str, times: int = 1) -> None:
    for _ in range(times):
        await shop.writer.write(lambda conn: clicks.clicked(conn, token, shop.clock.now()))


async def test_what_came_in_and_what_came_of_it(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS, public_url="https://bot.example") as shop:
        for number in range(3):
            await shop.deliver(
                events.change(events.comment(f"70{number}", "price", comment_id=f"c{number}", media="m1"))
            )
        await shop.deliver(events.change(events.comment("709", "lovely", comment_id="c9", media="m2")))
        await shop.deliver(events.talk(events.message("708", "price please")))
        await shop.works()
        today = _today(shop)
        assert (today["received"], today["answered"], today["started"], today["sent"]) == (5, 4, 4, 4)

        conn, account = shop.reader.connection, _account(shop)
        first, second = statistics.by_post(conn, account)
        assert (first.media_id, first.comments, first.matched, first.counts["started"]) == ("m1", 3, 3, 3)
        assert (second.media_id, second.comments, second.matched, second.counts["started"]) == ("m2", 1, 0, 0)

        steps = statistics.by_step(conn, account, "price")
        assert len({step.version for step in steps}) == 1
        assert {step.step: step.reached for step in steps} == {"do.0": 4, "do.1": 4}


async def test_a_step_that_is_done_again_counts_once_per_run(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.talk(events.message("708", "price")))
        await shop.works()
        payload = shop.fake.sent[-1].buttons["Talk"]
        for _ in range(2):
            await shop.deliver(events.talk(events.button_tap("708", "Talk", payload)))
            await shop.works()
        rows = statistics.by_step(shop.reader.connection, _account(shop), "price")
        assert {row.reached for row in rows} == {1}
        assert len(rows) == 3


async def test_links_count_people_clicks_and_machines_apart(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS, public_url="https://bot.example") as shop:
        for igsid in ("701", "702"):
            await shop.deliver(events.talk(events.message(igsid, "price")))
        await shop.works()
        conn, account = shop.reader.connection, _account(shop)
        one, two = [token for (token,) in conn.execute("SELECT token FROM links ORDER BY rowid")]
        await _tap(shop, one, times=3)
        await _tap(shop, two)
        await shop.writer.write(lambda conn: clicks.previewed(conn, one, shop.clock.now()))
        (row,) = statistics.by_link(conn, account)
        assert row.shape() == {
            "flow": "price",
            "link": "prices",
            "messages": 2,
            "people": 2,
            "clicks": 4,
            "previews": 1,
            "connection": connections.of_account(conn, account.id)[0].username,
        }
        (counts,) = numbers.by_flow(conn, account)
        assert counts.shape()["clicked"] == 2


async def test_an_event_counts_once_however_often_it_is_told(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        said = events.change(events.comment("701", "lovely", comment_id="c1", media="m1"))
        await shop.deliver(said, said)
        await shop.deliver(said)
        await shop.works()
        assert _today(shop)["received"] == 1
