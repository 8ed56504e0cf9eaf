"""`wait_for` on the daemon's parts: answers, taps, clicks and tags, from wherever they come."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik.services import clicks
from pamosnik.services.reading import runs
from pamosnik.store import accounts, contacts, links
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  choice:
    when: [dm: choice]
    do:
      - send: { text: "Which?", chips: [Tea, Coffee, { label: Both, do: [tag: both] }] }
      - wait_for: { tap: Coffee, up_to: 2h, if_not: [{ send: "No coffee then." }, stop] }
      - send: "Coffee it is."
  story:
    when: [dm: story, comment: story]
    limits: { per_person: 1h }
    do:
      - send: "Tell me yours."
      - wait_for: { answer: any, up_to: 20h, if_not: [tag: silent, stop] }
      - send: "You said: {answer|nothing}"
  link:
    when: [dm: link]
    do:
      - send: { text: "Here", buttons: [{ label: Open, url: "https://shop.example/", name: shop }] }
      - wait_for: { click: shop, up_to: 3h, if_not: [send: "Not yet?"] }
      - send: "Thank you for looking."
  pay:
    when: [dm: pay]
    do:
      - send: "We wait for your money."
      - wait_for: { tag: paid, up_to: 20h }
      - send: "Paid, thank you."
  paid:
    when: [dm: money]
    do: [tag: paid]
  ask:
    when: [dm: ask]
    do:
      - ask: { question: "A number?", accept: number, save_as: n }
      - send: "Number {n|?}"
fields: { n: number }
""".replace("[tag: silent, stop]", "[{ tag: silent }, stop]")
PUBLIC = "https://rose.example"


async def _write(shop: Machine, igsid: str, *texts: str) -> None:
    for text in texts:
        at = int(shop.clock.now().timestamp() * 1000)
        await shop.deliver(events.talk({**events.message(igsid, text), "timestamp": at}))
        await shop.works()


async def _tap(shop: Machine, igsid: str, label: str) -> None:
    sent = [one for one in shop.fake.sent if one.igsid == igsid and label in one.buttons][-1]
    at = int(shop.clock.now().timestamp() * 1000)
    await shop.deliver(events.talk({**events.chip_tap(igsid, label, sent.buttons[label]), "timestamp": at}))
    await shop.works()


def _runs(shop: Machine) -> list[object]:
    conn = shop.reader.connection
    return [run.status for run in reversed(runs.newest(conn, accounts.every(conn)[0]))]


async def test_a_tap_or_the_label_typed_or_nothing(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        for igsid in ("9001", "9002", "9003", "9004"):
            await _write(shop, igsid, "choice")
        await _tap(shop, "9001", "Coffee")
        await _write(shop, "9002", "cofee")
        await _tap(shop, "9003", "Tea")
        await _tap(shop, "9003", "Both")
        assert [shop.fake.thread(igsid)[1:] for igsid in ("9001", "9002", "9003")] == [
            ["Coffee it is."],
            ["Coffee it is."],
            [],
        ]
        await _write(shop, "9004", "2")
        assert shop.fake.thread("9004")[1:] == ["Coffee it is."]
        await shop.later(hours=3)
        assert shop.fake.thread("9003")[1:] == ["No coffee then."]
        # A second tap finds nobody waiting.
        await _tap(shop, "9001", "Coffee")
        assert len(shop.fake.thread("9001")) == 2
        assert _runs(shop) == ["completed", "completed", "stopped", "completed"]


async def test_an_answer_after_a_comment_opens_the_window(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.change(events.comment("9001", "story")))
        await shop.works()
        await _write(shop, "9001", "Once upon a time")
        assert shop.fake.thread("9001") == ["Tell me yours.", "You said: Once upon a time"]
        await shop.deliver(events.change(events.comment("9002", "story")))
        await shop.works()
        await shop.later(hours=21)
        assert shop.fake.thread("9002") == ["Tell me yours."]
        assert _runs(shop) == ["completed", "stopped"]


async def test_the_latest_question_is_asked_first_and_keywords_of_others_win(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "9001", "ask")
        shop.move_to(shop.clock.now() + timedelta(minutes=1))
        await _write(shop, "9001", "story", "7", "7")
        assert shop.fake.thread("9001") == ["A number?", "Tell me yours.", "You said: 7", "Number 7"]
        await _write(shop, "9002", "story")
        shop.move_to(shop.clock.now() + timedelta(minutes=1))
        await _write(shop, "9002", "ask", "not a number", "5")
        # What does not fit the latest question is offered to the one before it.
        assert shop.fake.thread("9002") == [
            "Tell me yours.",
            "A number?",
            "You said: not a number",
            "Number 5",
        ]
        await _write(shop, "9003", "story", "money", "well")
        assert shop.fake.thread("9003") == ["Tell me yours.", "You said: well"]


async def test_a_click_goes_on_at_once_and_once(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS, public_url=PUBLIC) as shop:
        for igsid in ("9001", "9002"):
            await _write(shop, igsid, "link")
        await _click(shop, "9001")
        await _click(shop, "9001")
        assert shop.fake.thread("9001") == ["Here", "Thank you for looking."]
        await shop.later(hours=4)
        assert shop.fake.thread("9002") == ["Here", "Not yet?", "Thank you for looking."]
        # Clicked in an earlier run does not count for this one.
        await _write(shop, "9001", "link")
        assert _runs(shop)[-1] == "waiting"


async def _click(shop: Machine, igsid: str) -> None:
    conn = shop.reader.connection
    [who] = contacts.find(conn, accounts.every(conn)[0].id, igsid)
    token = links.newest_seen(conn, who, "shop")
    assert token is not None
    await shop.writer.write(partial(clicks.clicked, token=token, now=shop.clock.now()))
    await shop.works()


async def test_a_tag_by_another_flow_by_hand_or_before(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "9001", "pay", "money")
        assert shop.fake.thread("9001") == ["We wait for your money.", "Paid, thank you."]
        await _write(shop, "9001", "pay")
        assert len(shop.fake.thread("9001")) == 4, "the tag is there already"
        await _write(shop, "9002", "pay")
        await _tag(shop, "9002", "other")
        assert len(shop.fake.thread("9002")) == 1
        await _tag(shop, "9002", "paid")
        assert shop.fake.thread("9002")[1:] == ["Paid, thank you."]


async def _tag(shop: Machine, igsid: str, tag: str) -> None:
    conn = shop.reader.connection
    [who] = contacts.find(conn, accounts.every(conn)[0].id, igsid)
    contact = contacts.load(conn, who)
    assert contact is not None
    await shop.writer.write(partial(contacts.add_tag, contact=contact, tag=tag, now=shop.clock.now()))
    await shop.works()


async def test_what_comes_while_the_owner_writes_is_kept_until_they_are_done(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "9001", "pay")
        at = int(shop.clock.now().timestamp() * 1000)
        await shop.deliver(events.talk({**events.echo("9001", "aWdf_own", "Hello from me"), "timestamp": at}))
        await shop.works()
        await _tag(shop, "9001", "paid")
        assert shop.fake.thread("9001") == ["We wait for your money."]
        await shop.later(hours=13)
        assert shop.fake.thread("9001")[-1] == "Paid, thank you."


async def test_stop_ends_the_wait(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, "9001", "pay", "stop")
        await _tag(shop, "9001", "paid")
        assert len(shop.fake.thread("9001")) == 2
        assert _runs(shop) == ["stopped"]
