"""Steps that steer, through the whole machine: shares that stay, sums, numbers apart."""

from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pamosnik._sqlite import Connection
from pamosnik.cli import app
from pamosnik.services import explaining
from pamosnik.services import flows as flow_services
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import numbers
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, contacts
from tests.daemon import events
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

PEOPLE = [f"90{number:02}" for number in range(20)]

FLOWS = """
version: 1
disclosure: false
fields: { points: number }
flows:
  tea:
    when: [dm: tea]
    do:
      - split:
          short: { share: 50, do: [{ send: "Tea?" }] }
          long: { share: 50, do: [{ send: "Would you like some tea?" }] }
      - ask: { question: "Yes or no?", choices: [{ label: "Yes", do: [{ goal: ordered }] }, "No"] }
  count:
    when: [dm: buy]
    do:
      - add: { points: 1.1 }
      - send: "You have {points|0}."
"""


async def _writes(shop: Machine, igsid: str, text: str) -> str:
    message = events.message(igsid, text)
    await shop.deliver(events.talk(message))
    await shop.works()
    await shop.later(seconds=2)
    return str(message["message"]["mid"])


async def _applies(shop: Machine, text: str) -> None:
    """The owner writes other flows; what no file mentions goes."""

    def change(conn: Connection) -> None:
        account_id = accounts.every(conn)[0].id
        proposal = flow_services.propose(conn, account_id, [("flows.yaml", text)], prune=True)
        now = shop.clock.now()
        flow_services.apply(conn, account_id, proposal, note=None, actor="test", now=now)

    await shop.writer.write(change)


async def _ways(shop: Machine, people: list[str]) -> list[str]:
    """Which way everybody goes who writes `tea` now."""
    before = {igsid: len(shop.fake.thread(igsid)) for igsid in people}
    for igsid in people:
        await _writes(shop, igsid, "tea")
    return [shop.fake.thread(igsid)[before[igsid]] for igsid in people]


def _numbers(shop: Machine, flow: str) -> Shape:
    conn = shop.reader.connection
    (row,) = [row for row in numbers.by_flow(conn, accounts.every(conn)[0]) if row.flow == flow]
    return row.shape()


async def test_everybody_keeps_their_share_whatever_happens_around_it(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        first = await _ways(shop, PEOPLE)
        assert set(first) == {"Tea?", "Would you like some tea?"}
        # Other texts, a new name and, later, a name of its own: nobody changes sides.
        renamed = FLOWS.replace("  tea:\n", "  green-tea:\n    was: tea\n    mode: restart\n")
        await _applies(shop, renamed)
        assert await _ways(shop, PEOPLE) == first
        again = renamed.replace("green-tea:\n    was: tea", "black-tea:\n    was: green-tea")
        await _applies(shop, again)
        await _applies(shop, again.replace("    was: green-tea\n", ""))
        assert await _ways(shop, PEOPLE) == first


async def test_the_share_survives_a_new_connection(tmp_path: Path) -> None:
    """All rows are new then; who the person is, is not."""
    async with machine(tmp_path / "a", FLOWS) as shop, machine(tmp_path / "b", FLOWS) as other:
        assert await _ways(shop, PEOPLE[:8]) == await _ways(other, PEOPLE[:8])


async def test_the_ways_are_counted_apart(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        ways = await _ways(shop, PEOPLE[:6])
        short, long = ways.count("Tea?"), ways.count("Would you like some tea?")
        assert _numbers(shop, "tea")["splits"] == {
            name: {"started": n, "completed": 0} for name, n in (("short", short), ("long", long)) if n
        }
        igsid = PEOPLE[ways.index("Tea?")]
        await _writes(shop, igsid, "yes")
        found = _numbers(shop, "tea")
        assert (found["completed"], found["goals"]) == (1, {"ordered": 1})
        splits = found["splits"]
        assert isinstance(splits, dict)
        assert splits["short"] == {"started": short, "completed": 1}
        said = CliRunner().invoke(app, ["stats"], env={"PAMOSNIK_HOME": str(tmp_path / "home")}).stdout
        assert f"short: {short} started, 1 completed" in said


async def test_sums_are_exact_and_stay_when_a_message_is_taken_back(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        for _ in range(3):
            mid = await _writes(shop, "9001", "buy")
        assert shop.fake.thread("9001") == ["You have 1.1.", "You have 2.2.", "You have 3.3."]
        await shop.deliver(events.talk(events.unsent("9001", mid)))
        await shop.works()
        conn = shop.reader.connection
        find = partial(contacts.find, conn, accounts.every(conn)[0].id)
        contact = contacts.load(conn, find("9001")[0])
        assert contact is not None
        assert contact.fields == {"points": "3.3"}


BACK = """
version: 1
disclosure: false
fields: { size: text }
flows:
  size:
    when: [comment: size]
    limits: { per_person: 1h }
    do:
      - id: size
        ask: { question: "Which size?", save_as: size, choices: [Small, Large] }
      - choose:
          - if: { field: { size: { is: Small } } }
            do: [{ send: "Small is sold out." }, { again: size, at_most: 2 }, { send: "Then not." }, stop]
      - send: "Large it is."
"""


async def test_a_way_back_is_counted_across_a_restart(tmp_path: Path) -> None:
    asked, sold_out = "Which size?", "Small is sold out."
    async with home_and_fake(tmp_path, BACK) as (settings, fake):
        async with running(settings, fake) as shop:
            await shop.deliver(events.change(events.comment("9001", "size")))
            await shop.works()
            await _writes(shop, "9001", "Small")
            assert fake.thread("9001") == [asked, sold_out, asked]
        async with running(settings, fake) as shop:
            # A tap on the first question answers the one that is open now.
            first = fake.sent[0]
            tap = events.chip_tap if first.kind == "chips" else events.button_tap
            await shop.deliver(events.talk(tap("9001", "Small", first.buttons["Small"])))
            await shop.works()
            await shop.later(seconds=5)
            await _writes(shop, "9001", "Small")
        assert fake.thread("9001") == [asked, sold_out, asked, sold_out, asked, sold_out, "Then not."]


CHAIN = """
version: 1
disclosure: false
fields: { size: text }
flows:
  order:
    when: [dm: order, comment: order]
    limits: { per_person: 1m }
    do:
      - send: "Hello"
      - tag: customer
      - ask: { question: "Which size?", save_as: size }
  welcome:
    when: { tag_added: customer }
    do: [{ send: "Welcome, new customer" }]
  pack:
    when: { field_set: size }
    only_if: { came_from: dm }
    do: [{ send: "We pack {size|it}." }]
  self:
    when: [dm: self, tag_added: own]
    mode: parallel
    do: [{ tag: own }, { send: "Once" }]
  other:
    when: { dm: other }
    do: [{ tag: own }]
"""


def _events(shop: Machine, kind: str) -> list[tuple[object, object, object]]:
    """(Tag or field, verdict, flow) of what flows did, the oldest first."""
    conn = shop.reader.connection
    found = reversed(event_reading.newest(conn, accounts.every(conn)[0], limit=None, since=None))
    return [(one.text, one.verdict, one.flow) for one in found if one.kind == kind]


async def test_a_tag_and_a_field_start_other_flows(tmp_path: Path) -> None:
    async with machine(tmp_path, CHAIN) as shop:
        await _writes(shop, "9001", "order")
        assert shop.fake.thread("9001") == ["Hello", "Which size?", "Welcome, new customer"]
        await _writes(shop, "9001", "large")
        assert shop.fake.thread("9001")[3:] == ["We pack large."]
        assert _events(shop, "tag_added") == [("customer", "started", "welcome")]
        assert _events(shop, "field_set") == [("size", "started", "pack")]
        # They are a customer already: nothing new, and nobody is greeted twice. The same size counts again.
        await shop.later(minutes=2)
        await _writes(shop, "9001", "order")
        await _writes(shop, "9001", "large")
        assert shop.fake.thread("9001")[4:] == ["Hello", "Which size?", "We pack large."]


async def test_why_tells_which_flow_did_it(tmp_path: Path) -> None:
    async with machine(tmp_path, CHAIN) as shop:
        mid = await _writes(shop, "9001", "order")
        conn = shop.reader.connection
        account = accounts.every(conn)[0]
        (tagged,) = [
            one
            for one in event_reading.newest(conn, account, limit=None, since=None)
            if one.kind == "tag_added"
        ]
        told = explaining.why(conn, account, tagged.id, shop.clock.now())
        assert told.sentence == "This new tag started the flow welcome: the flow order gave the tag customer."
        # A person is asked about by what they did themselves.
        assert explaining.why(conn, account, "9001", shop.clock.now()).event["message_id"] == mid


async def test_a_flow_for_another_account_is_not_started(tmp_path: Path) -> None:
    flows = CHAIN.replace(
        "    when: { tag_added: customer }\n", "    when: { tag_added: customer }\n    connections: other\n"
    )
    async with machine(tmp_path, CHAIN) as shop:
        await _applies(shop, flows)
        await _writes(shop, "9001", "order")
        conn = shop.reader.connection
        account = accounts.every(conn)[0]
        (tagged,) = [
            one
            for one in event_reading.newest(conn, account, limit=None, since=None)
            if one.kind == "tag_added"
        ]
        told = explaining.why(conn, account, tagged.id, shop.clock.now())
        assert (tagged.verdict, told.advice) == (
            "no_match",
            "The flow that waits for it is for other connected accounts (`connections`).",
        )


async def test_without_an_open_window_nothing_is_sent(tmp_path: Path) -> None:
    async with machine(tmp_path, CHAIN) as shop:
        await shop.deliver(events.change(events.comment("9001", "order")))
        await shop.works()
        assert shop.fake.thread("9001") == ["Hello"]
        assert _events(shop, "tag_added") == [("customer", "started", "welcome")]


async def test_a_flow_does_not_start_itself(tmp_path: Path) -> None:
    async with machine(tmp_path, CHAIN) as shop:
        await _writes(shop, "9001", "self")
        assert shop.fake.thread("9001") == ["Once"]
        assert _events(shop, "tag_added") == []
        await _writes(shop, "9002", "other")
        assert shop.fake.thread("9002") == ["Once"]
        assert _events(shop, "tag_added") == [("own", "started", "self")]


async def test_what_a_human_has_taken_over_is_left_alone(tmp_path: Path) -> None:
    flows = CHAIN.replace(
        "      - tag: customer\n", "      - tag: customer\n      - hand_over\n      - send: x\n"
    )
    async with machine(tmp_path, flows) as shop:
        await _writes(shop, "9001", "order")
        assert _events(shop, "tag_added") == [("customer", "handed_over", None)]
        assert shop.fake.thread("9001") == ["Hello"]


async def test_a_step_and_its_event_are_stored_together(tmp_path: Path) -> None:
    """The process ends between the step and the flow that it starts, or before both."""
    async with home_and_fake(tmp_path, CHAIN) as (settings, fake):
        async with running(settings, fake) as shop:
            await shop.deliver(events.talk(events.message("9001", "order")))
            await shop.runner.round()
            assert _events(shop, "tag_added") == [("customer", "pending", None)]
        async with running(settings, fake) as shop:
            await shop.works()
            await shop.later(seconds=5)
            assert _events(shop, "tag_added") == [("customer", "started", "welcome")]
        assert fake.thread("9001") == ["Hello", "Which size?", "Welcome, new customer"]
