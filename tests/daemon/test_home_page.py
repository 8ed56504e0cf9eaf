"""The first page: as it is made from what was read, and in a shop that lives."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import ago
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.status import overview as pages
from pamosnik.model.outbox import Quota
from pamosnik.services.reading import definitions, numbers, overview, problems, statistics
from pamosnik.services.reading.events import Event
from pamosnik.services.reading.machine import Machine
from pamosnik.services.reading.overview import FirstSteps, FlowTotals, Overview
from pamosnik.services.reading.problems import Problem
from pamosnik.services.reading.statistics import Day
from pamosnik.store import accounts, connections
from pamosnik.store.accounts import Account
from tests.daemon import events
from tests.daemon.machine import Machine as Shop
from tests.daemon.machine import machine

pytestmark = pytest.mark.anyio
AT = datetime(2026, 12, 2, 23, 30, tzinfo=UTC)
ACCOUNT = Account("a1", "Shop", "shop@example.com", "Europe/Warsaw", AT)
EVENT = Event(
    id="e1",
    kind="story_reply",
    username=None,
    igsid="9001",
    text=None,
    at=AT,
    verdict="no_match",
    flow=None,
    reason=None,
    run=None,
    comment_id=None,
    message_id="m1",
    seen_times=1,
    recovered=False,
    connection="shop",
    trace=None,
)
VIEW = Overview(
    first_steps=FirstSteps(connected=True, has_flows=True, heard=True),
    problems=[],
    lifelines=[],
    machine=Machine(3 << 30, AT - timedelta(days=3)),
    people_waiting=0,
    queue=[("queued", 3)],
    prospects=None,
    days=[Day("2026-12-03", {name: n for n, name in enumerate((*statistics.CAME_IN, *numbers.WORDS), 1000)})],
    flows=[FlowTotals("price-list", "Price list", True, dict.fromkeys(numbers.WORDS, 7))],
    events=[EVENT],
)
FLOWS = """
version: 1
timezone: Europe/Warsaw
disclosure: false
flows:
  price:
    title: Price list
    when: [comment: price, dm: price]
    do: [send: "Here it is."]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _page(view: Overview, now: datetime = AT) -> str:
    values = {**pages.values(view), "now": now, "ago": ago}
    made = Pages().page("home.html", {"account": ACCOUNT, "csrf": "c", "page": "/", **values})
    return bytes(made.body).decode()


async def test_times_are_the_accounts_and_what_is_not_known_is_left_out() -> None:
    """A problem's time once stood there in UTC, in the form that scripts read."""
    text = _page(replace(VIEW, problems=[Problem("storage", "The disk is full.", "Make room.", AT)]))
    assert "since 2026-12-03 00:30" in text
    assert (
        '2026-12-03 00:30</time></td>\n<td class="by">Somebody <span class="quiet">9001</span></td>' in text
    )
    assert '<a href="/events/e1">story reply</a>' in text
    assert "None" not in text
    assert '<a href="/flows/price-list">Price list</a> <span class="quiet">(paused)</span>' in text
    assert "3.0 GB" in text
    assert "2026-11-30 00:30, 3 days ago" in text
    assert "Everything is in order." not in text


async def test_numbers_have_their_definitions_beside_them() -> None:
    text = _page(VIEW)
    assert "Everything is in order." in text
    rows = re.findall(
        r'<th scope="row">([^<]+)</th><td class="n">([^<]+)</td><td class="n">([^<]+)</td>', text
    )
    assert [name for name, _, _ in rows[:8]] == [name for _, name in pages.NUMBERS]
    assert {(today, month) for _, today, month in rows[:8]} == {(f"{n:,}",) * 2 for n in range(1000, 1008)}
    for word, name in pages.NUMBERS:
        assert f"<dt>{name}</dt><dd>{definitions.DEFINITIONS[word]}</dd>" in text


async def test_a_new_shop_sees_what_to_do_and_no_zeros() -> None:
    new = replace(
        VIEW,
        first_steps=FirstSteps(connected=False, has_flows=False, heard=False),
        events=[],
        flows=[],
        machine=Machine(None, None),
    )
    text = _page(new)
    assert text.count("<li>") == 3
    assert "pamosnik connect --token-stdin" in text
    assert "<table" not in text
    assert "Everything is in order." not in text
    text = _page(replace(new, first_steps=FirstSteps(connected=True, has_flows=False, heard=False)))
    assert '<li class="done"><b>Instagram is connected.</b>' in text


def _read(shop: Shop) -> Overview:
    conn = shop.reader.connection
    (account,) = accounts.every(conn)
    return overview.of_account(
        conn, account=account, events=10, now=shop.clock.now(), machine=Machine(None, None)
    )


async def test_a_shop_that_lives(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        assert _read(shop).first_steps == FirstSteps(connected=True, has_flows=True, heard=False)
        await shop.deliver(events.change(events.comment("701", "price", comment_id="c1", media="m1")))
        await shop.deliver(events.talk(events.message("702", "hello")))
        await shop.works()
        view = _read(shop)
        assert view.first_steps.done
        assert (view.today["received"], view.today["answered"], view.today["sent"]) == (2, 1, 1)
        assert view.month == view.today
        (line,) = view.lifelines
        assert (line.private_replies, line.private_replies_limit) == (1, 750)
        heard = {one.field: one.at for one in line.heard}
        assert heard["comments"] is not None
        assert heard["messages"] is not None
        assert heard["live_comments"] is None
        (flow,) = view.flows
        assert (flow.flow_id, flow.counts["started"]) == ("price", 1)
        assert len(view.events) == 2


async def test_what_is_not_among_the_newest_events_has_its_day(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.change(events.comment("701", "price", comment_id="c1", media="m1")))
        await shop.works()
        await shop.writer.write(lambda conn: conn.execute("DELETE FROM events") and None)
        view = _read(shop)
        (line,) = view.lifelines
        comments = line.heard[0]
        assert (comments.at, comments.day) == (None, view.days[-1].day)
        assert view.first_steps.heard, "what was counted came in once"


async def test_what_metas_headers_say_is_told_for_an_hour(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        now = shop.clock.now()

        def heard(conn: Connection) -> None:
            (one,) = connections.every(conn)
            connections.heard_usage(conn, one, Quota.MESSAGE, 82, now - timedelta(minutes=3))
            connections.heard_usage(conn, one, Quota.COMMENT_REPLY, 90, now - timedelta(minutes=61))

        await shop.writer.write(heard)
        (line,) = _read(shop).lifelines
        assert [(usage.kind, usage.percent) for usage in line.usage] == [("messages", 82)]
        assert "messages 82 % used, 3 minutes ago" in _page(replace(VIEW, lifelines=[line]), now)


async def test_a_disk_that_is_nearly_full_is_told() -> None:
    (problem,) = problems.storage(None, 0, free_bytes=100 << 20)
    assert problem.code == "disk_nearly_full"
    assert "Only 100 MB are free" in problem.message
    assert problems.storage(None, 0, free_bytes=300 << 20) == []
    assert problems.storage(None, 0, free_bytes=None) == []


def test_the_style_sheet_closes_what_it_opens() -> None:
    """A block left open would hold all that follows for narrow screens alone."""
    sheet = resources.files("pamosnik.daemon").joinpath("pages", "style.css").read_text("utf-8")
    assert sheet.count("{") == sheet.count("}")
    depth = 0
    for line in sheet.splitlines():
        assert not (line.startswith(("/*", "@")) and depth), line
        depth += line.count("{") - line.count("}")
