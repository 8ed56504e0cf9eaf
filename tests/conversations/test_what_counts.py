"""What a run counts under, where it is easily counted twice, too early, for another, or not at all."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.ages import Ages
from pamosnik.daemon.retainer import Retainer
from pamosnik.services.reading import flow_steps, numbers, statistics
from pamosnik.store import accounts
from tests.conversations.changing import Changing, changing
from tests.daemon import events
from tests.daemon.fake import Call, Trouble, calm
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
fields: { size: text }
flows:
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size, choices: [Small, Large] }
      - goal: told
  price:
    when: [dm: price]
    do:
      - send:
          text: "Here."
          buttons: [{ label: See, url: "https://shop.example/" }, { label: More, do: [goal: more] }]
  slow:
    when: [dm: slow]
    do:
      - wait: { for: 9d, if_window_closed: skip }
      - send: "Still there?"
"""
PUBLIC_URL = "https://bot.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _counts(shop: Machine, flow: str) -> Mapping[str, int]:
    """Each word that counts, goals included."""
    conn = shop.reader.connection
    (row,) = numbers.by_flow(conn, accounts.every(conn)[0], flow=flow)
    return {word: n for word, n in {**row.counts, **row.goals}.items() if n}


async def test_whoever_answers_a_question_replies_to_that_run_alone(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("7001", "size")
        await now.writes("7001", "price")  # to the question: it is the last that was sent
        assert _counts(now.shop, "size")["replied"] == 1
        assert "replied" not in _counts(now.shop, "price")
        assert await now.writes("7001", "Large") == "resumed"
        assert "replied" not in _counts(now.shop, "price"), "it was the other run's question"
        assert await now.writes("7001", "thank you") == "no_match"
        assert _counts(now.shop, "price")["replied"] == 1


async def test_a_reply_has_seven_days_from_the_last_message_on(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("7001", "slow")
        await now.passes(days=8, hours=23)
        await now.writes("7001", "hello")  # opens the window again; nothing was sent so far
        assert _counts(now.shop, "slow") == {"started": 1}
        await now.passes(hours=2)
        assert now.got("7001") == ["Still there?"]
        await now.writes("7001", "yes")
        assert _counts(now.shop, "slow") == {"started": 1, "sent": 1, "replied": 1, "completed": 1}
        await now.writes("7002", "price")
        await now.passes(days=7, hours=1)
        await now.writes("7002", "hello")
        assert "replied" not in _counts(now.shop, "price")


async def test_a_link_counts_with_the_message_that_was_sent(tmp_path: Path) -> None:
    refuses = True

    def trouble(call: Call) -> Trouble | None:
        return Trouble(400, 100, 2534015) if call.is_send and refuses else None

    async with machine(tmp_path, FLOWS, public_url=PUBLIC_URL) as shop:
        shop.fake.trouble = trouble
        await _says(shop, "7001", "price")
        conn = shop.reader.connection
        account = accounts.every(conn)[0]
        assert _counts(shop, "price")["failed"] == 1
        assert statistics.by_link(conn, account) == []
        refuses = False
        await _says(shop, "7002", "price")
        (link,) = statistics.by_link(conn, account)
        assert (link.link, link.messages, link.people) == ("shop.example", 1, 0)


async def _says(shop: Machine, igsid: str, text: str) -> None:
    shop.move_to(shop.clock.now() + timedelta(seconds=1))
    said = {**events.message(igsid, text), "timestamp": int(shop.clock.now().timestamp() * 1000)}
    await shop.deliver(events.talk(said))
    await shop.works()


async def test_what_was_seen_before_its_answer_came_counts_as_seen(tmp_path: Path) -> None:
    """Instagram's answer is lost, the message is not: its receipt comes before anything tells that it was sent."""
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(500, 2, done=True) if call.is_send else None
        await _says(shop, "7001", "price")
        shop.fake.trouble = calm
        assert "sent" not in _counts(shop, "price")
        await shop.deliver(events.talk(events.seen("7001", shop.fake.sent[-1].mid)))
        await shop.works()
        await shop.later(minutes=5)
        counts = _counts(shop, "price")
        assert (counts["sent"], counts["seen"]) == (1, 1)


async def test_a_run_that_was_deleted_and_is_tapped_again_counts_no_more(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        await now.writes("7001", "price")
        await now.taps("7001", "More")
        conn = now.shop.reader.connection
        account = accounts.every(conn)[0]
        before = (_counts(now.shop, "price"), statistics.by_step(conn, account, "price"))
        await _ages(now)
        assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        assert await now.taps("7001", "More") == "resumed"
        assert (_counts(now.shop, "price"), statistics.by_step(conn, account, "price")) == before
        assert before[0]["more"] == 1


async def _ages(now: Changing) -> None:
    shop = now.shop
    shop.move_to(shop.clock.now() + timedelta(days=91))
    await shop.catch_up.round()
    await Retainer(shop.tools, Ages()).round()


async def test_who_waits_at_a_step_in_two_runs_has_gone_from_none(tmp_path: Path) -> None:
    async with changing(tmp_path, FLOWS) as now:
        for _ in range(2):
            await now.writes("7001", "price")
        conn = now.shop.reader.connection
        (step,) = flow_steps.of_version(conn, accounts.every(conn)[0], "price", "").steps
        assert (step.reached, step.here, step.lost) == (2, 1, 0)
