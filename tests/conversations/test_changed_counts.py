"""What is sent or given once stays so through changes: broadcasts, posts, codes, what is caught up with."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.services import broadcasts, pausing
from pamosnik.services.reading.broadcasts import latest
from pamosnik.store import accounts, connections
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import By
from tests.conversations.changing import NOTHING_YET, Changing, changing
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

NINE = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=2)
PEOPLE = 30
NEWS = """
version: 1
timezone: UTC
disclosure: false
flows:
  news: { when: [schedule: { at: "09:00" }], do: [{ send: "Soup." }] }
  hello: { when: [dm: hello], do: [stop] }
"""
RENAMED = NEWS.replace("  news: {", "  menu: { was: news,").replace("Soup", "Cake")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- broadcasts ------------------------------------------------------------------------------------------


async def _half_sent(shop: Machine, folder: Path) -> Changing:
    """Thirty people may be written to, and twenty of them have been looked at."""
    now = Changing(shop, folder)
    await now.applies(NEWS)
    at = int(shop.clock.now().timestamp() * 1000)
    said = ({**events.message(str(7000 + n), "hello"), "timestamp": at} for n in range(PEOPLE))
    await shop.deliver(*(events.talk(one) for one in said))
    await shop.works()
    shop.move_to(NINE)
    assert await shop.broadcaster.round()
    assert [one["reached"] for one in _broadcasts(shop)] == [broadcasts.STARTED_AT_ONCE]
    return now


def _broadcasts(shop: Machine) -> list[dict[str, object]]:
    conn = shop.reader.connection
    return [dict(one) for one in latest(conn, accounts.every(conn)[0])]


def _texts(shop: Machine) -> Counter[str]:
    return Counter(one.text for one in shop.fake.sent)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(RENAMED, id="renamed and changed"),
        pytest.param(NEWS.replace("Soup", "Cake"), id="changed"),
        pytest.param(NEWS.replace("Soup", "Cake").replace('"09:00"', '"10:00"'), id="another time"),
    ],
)
async def test_a_broadcast_half_sent_goes_on_as_it_began(tmp_path: Path, change: str) -> None:
    async with machine(tmp_path, NOTHING_YET, clock=VirtualClock(NINE - timedelta(hours=1))) as shop:
        now = await _half_sent(shop, tmp_path)
        await now.applies(change)
        await now.passes(seconds=20)
        assert _texts(shop) == {"Soup.": PEOPLE}
        assert len({one.igsid for one in shop.fake.sent}) == PEOPLE
        (done,) = _broadcasts(shop)
        assert (done["reached"], done["skipped"]) == (PEOPLE, {})
        await now.applies(NEWS.replace("  news: {", "  news: { was: menu,"))
        await now.passes(hours=2)
        assert _texts(shop) == {"Soup.": PEOPLE}, "nine is over for today"


@pytest.mark.parametrize("how", ["taken out", "paused"])
async def test_a_broadcast_half_sent_stops_with_its_flow(tmp_path: Path, how: str) -> None:
    async with machine(tmp_path, NOTHING_YET, clock=VirtualClock(NINE - timedelta(hours=1))) as shop:
        now = await _half_sent(shop, tmp_path)
        if how == "taken out":
            await now.applies(
                NEWS.replace("  news: {", "  other: {").replace('schedule: { at: "09:00" }', "dm: x")
            )
        else:
            await now.changes(lambda conn, account, by: pausing.pause(conn, account, ["news"], by))
        await now.passes(seconds=20)
        assert _texts(shop) == {"Soup.": broadcasts.STARTED_AT_ONCE}
        await now.changes(lambda conn, account, by: _again(conn, account, by, how))
        await now.applies(NEWS)
        await now.passes(minutes=30)
        assert _texts(shop) == {"Soup.": broadcasts.STARTED_AT_ONCE}, "what was ended does not begin again"


def _again(conn: Connection, account: str, by: By, how: str) -> None:
    if how == "paused":
        pausing.resume(conn, account, ["news"], by)


# --- posts -----------------------------------------------------------------------------------------------

NEXT = """
version: 1
disclosure: false
flows:
  gift:
    when: [comment: { words: gift, post: next }]
    do: [{ send: "A gift." }]
"""


async def test_the_next_post_stays_the_one_it_was_bound_to(tmp_path: Path) -> None:
    async with changing(tmp_path, NEXT) as shop:
        await _appears(shop, "m1")
        assert await shop.comments("7001", "gift", post="m1") == "started"
        await shop.applies(NEXT.replace("  gift:\n", "  gifts:\n    was: gift\n").replace("A gift", "Yours"))
        await _appears(shop, "m2")
        assert await shop.comments("7002", "gift", post="m2") != "started"
        assert await shop.comments("7003", "gift", post="m1") == "started"
        assert shop.got("7003") == ["Yours."]
        await shop.applies(NOTHING_YET)
        await shop.applies(NEXT)
        await _appears(shop, "m3")
        assert await shop.comments("7004", "gift", post="m1") != "started"
        assert await shop.comments("7005", "gift", post="m3") == "started", (
            "taken out and back: it waits anew"
        )


async def _appears(shop: Changing, post: str) -> None:
    await shop.passes(minutes=1)

    def learn(conn: Connection, account: str, by: By) -> None:
        (connected,) = connections.of_account(conn, account)
        flow_store.learn_post(conn, account, connected.id, flow_store.Post(post, f"S{post}", by.now))
        flow_store.bind_next_posts(conn, connected.id)

    await shop.changes(learn)


# --- codes -----------------------------------------------------------------------------------------------

CODES = """
version: 1
disclosure: false
codes: { spring: { file: spring.csv } }
flows:
  code:
    when: [dm: code]
    do: [{ give_code: { from: spring, text: "Yours: {code}", if_empty: [{ send: "Gone." }] } }]
"""


async def test_a_person_keeps_their_code_through_names_and_removal(tmp_path: Path) -> None:
    (tmp_path / "spring.csv").write_text("ROSE\nLILY\n")
    async with changing(tmp_path, CODES) as shop:
        await shop.writes("7001", "code")
        await shop.applies(CODES.replace("  code:\n", "  coupon:\n    was: code\n").replace("Yours", "Again"))
        await shop.writes("7001", "code")
        assert shop.got("7001") == ["Yours: ROSE", "Again: ROSE"]
        await shop.applies(NOTHING_YET)
        await shop.applies(CODES)
        await shop.writes("7001", "code")
        await shop.writes("7002", "code")
        await shop.writes("7003", "code")
        assert shop.got("7001")[-1] == "Yours: ROSE"
        assert [shop.got("7002"), shop.got("7003")] == [["Yours: LILY"], ["Gone."]]


# --- catching up -----------------------------------------------------------------------------------------

WORDS = """
version: 1
disclosure: false
flows:
  one: { when: [dm: one], do: [{ send: "One." }] }
  two: { when: [dm: two], do: [{ send: "Two." }] }
"""


async def test_applied_while_catching_up(tmp_path: Path) -> None:
    """What no webhook told is answered once, by the flows of the moment at which it is found."""
    async with changing(tmp_path, WORDS) as shop:
        lost = [events.talk(events.message(str(7000 + n), "two" if n % 2 else "one")) for n in range(12)]
        shop.shop.fake.note(events.envelope(*lost))
        shop.shop.move_to(shop.shop.clock.now() + timedelta(minutes=5))
        renamed = WORDS.replace("  one: {", "  first: { was: one,").replace("One.", "First.")
        await asyncio.gather(shop.shop.catch_up.round(), shop.applies(renamed))
        await shop.shop.works()
        await shop.passes(minutes=5)
        await shop.shop.catch_up.round()
        await shop.shop.works()
        got = [shop.got(str(7000 + n)) for n in range(12)]
        assert got[1::2] == [["Two."]] * 6
        assert all(texts in (["One."], ["First."]) for texts in got[::2]), got
