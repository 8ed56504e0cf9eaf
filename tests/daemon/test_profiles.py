"""People are looked up just before it is needed, once, for a few seconds at most; what cannot be had is unknown."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.services import explaining, sending
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import people
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts
from tests.daemon import events
from tests.daemon.fake import Trouble
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  gate:
    when: [dm: gate, comment: gate]
    limits: { per_person: 1s }
    do:
      - choose:
          - if: follows_me
            do: [{ send: "Here you are." }]
          - if: { follows_me: unknown }
            do: [{ send: "I could not see whether you follow." }]
          - else:
              - send: { text: "Follow first.", buttons: [{ label: Done, do: [run: gate] }] }
  hello:
    when: [dm: hello]
    do: [{ send: "Hi {first_name|there}!" }, { send: "Bye {name|you}, {username|you}." }]
  tagged:
    when: [dm: tagged]
    do:
      - choose:
          - if: { has_tag: vip, follows_me: true }
            do: [{ send: "VIP" }]
          - if: { any: [first_time, verified] }
            do: [{ send: "first" }]
          - else: [{ send: "again" }]
  club:
    when: [dm: club]
    only_if: { follows_me: true, followers: { more_than: 10 } }
    do: [{ send: "Welcome." }]
  strangers:
    when: [dm: club]
    priority: -1
    only_if: { none: [follows_me] }
    do: [{ send: "Not in the club." }]
  else:
    when: [anything_else]
    do: [{ send: "What?" }]
"""
FOLLOWS = {"name": "Anna Nowak", "is_user_follow_business": True}


async def _writes(shop: Machine, text: str, igsid: str = "9001") -> None:
    await shop.deliver(events.talk(events.message(igsid, text)))
    await shop.works()


def _look_ups(shop: Machine) -> int:
    return sum(call.is_look_up for call in shop.fake.calls)


def _person(shop: Machine, igsid: str = "9001") -> Shape:
    conn = shop.reader.connection
    return people.named(conn, accounts.every(conn)[0], igsid)[0].shape()


def _events(shop: Machine) -> list[Shape]:
    conn = shop.reader.connection
    found = event_reading.newest(conn, accounts.every(conn)[0], limit=None, since=None)
    return [event.shape() for event in found]


async def test_a_gate_asks_each_time_and_hears_of_a_follow(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "gate")
        assert shop.fake.thread("9001") == ["Follow first."]
        assert (_person(shop)["follows_me"], _person(shop)["followers"]) == (False, 12)
        assert _person(shop)["username"] == "u9001"
        shop.fake.profiles["9001"] = FOLLOWS
        shop.move_to(shop.clock.now() + timedelta(seconds=4))
        tap = events.button_tap("9001", "Done", shop.fake.last("9001").buttons["Done"])
        await shop.deliver(events.talk(tap))
        await shop.works()
        assert shop.fake.thread("9001")[-1] == "Here you are."
        assert _look_ups(shop) == 2
        assert (_person(shop)["follows_me"], _person(shop)["name"]) == (True, "Anna Nowak")
        assert {item["kind"] for item in shop.queue()} == {"message"}, (
            "look-ups that were answered are no news"
        )


async def test_names_of_who_only_writes_become_known_and_stay_for_a_day(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.profiles["9001"] = FOLLOWS
        await _writes(shop, "hello")
        assert shop.fake.thread("9001") == ["Hi Anna!", "Bye Anna Nowak, u9001."]
        await _writes(shop, "hello")
        assert _look_ups(shop) == 1
        shop.move_to(shop.clock.now() + timedelta(hours=24))
        shop.fake.profiles["9001"] = {"name": "Anna Kowalska"}
        shop.fake._windows["9001"] = shop.clock.now() + timedelta(hours=1)
        await _writes(shop, "hello")
        assert _look_ups(shop) == 2
        # Their message is a day old on this clock: nothing may be sent, but the name is new.
        assert _person(shop)["name"] in ("Anna Nowak", "Anna Kowalska")


async def test_a_name_that_instagram_does_not_tell_is_asked_for_once(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "hello")
        await _writes(shop, "hello")
        assert shop.fake.thread("9001") == ["Hi there!", "Bye you, u9001."] * 2
        assert _look_ups(shop) == 1


async def test_nobody_is_looked_up_who_has_only_commented(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.change(events.comment("9001", "gate")))
        await shop.works()
        assert shop.fake.thread("9001") == ["I could not see whether you follow."]
        assert _look_ups(shop) == 0


async def test_nobody_is_looked_up_where_it_changes_nothing(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "tagged")
        assert (shop.fake.thread("9001"), _look_ups(shop)) == (["first"], 0)
        await _writes(shop, "tagged")
        assert (shop.fake.thread("9001")[-1], _look_ups(shop)) == ("again", 1)


async def test_which_flow_begins_waits_for_the_profile_and_order_is_kept(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.profiles["9001"] = FOLLOWS
        await shop.deliver(events.talk(events.message("9001", "club"), events.message("9001", "hm?")))
        await shop.deliver(events.talk(events.message("9002", "club")))
        await shop.later(seconds=2)
        assert shop.fake.thread("9001") == ["Welcome.", "What?"]
        assert shop.fake.thread("9002") == ["Not in the club."]
        assert _look_ups(shop) == 2
        why = explaining.why(
            shop.reader.connection,
            accounts.every(shop.reader.connection)[0],
            str(_events(shop)[0]["id"]),
            shop.clock.now(),
        )
        assert why.event["verdict"] == "started"
        assert "follows_me: no" in str(why)


@pytest.mark.parametrize(
    ("trouble", "asked"),
    [
        (Trouble(400, 230), 1),
        (Trouble(400, 100, 33), 1),
        (Trouble(400, 613), 1),
        (Trouble(403, 10), 1),
        (Trouble(500, 2), 2),
        (Trouble(500, html=True), 2),
    ],
)
async def test_what_cannot_be_had_is_unknown_and_not_asked_for_again_at_once(
    tmp_path: Path, trouble: Trouble, asked: int
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: trouble if call.is_look_up else None
        await _writes(shop, "gate")
        await shop.later(seconds=6)
        assert shop.fake.thread("9001") == ["I could not see whether you follow."]
        assert _look_ups(shop) == asked
        assert _person(shop)["facts_problem"]
        assert _person(shop)["follows_me"] is None
        if trouble.code != 230:  # that one is asked again when they write
            await _writes(shop, "hello")
            await _writes(shop, "club")
            assert shop.fake.thread("9001")[1:] == ["Hi there!", "Bye you, you.", "What?"]
            assert _look_ups(shop) == asked
        shop.fake.trouble = lambda _: None
        shop.move_to(shop.clock.now() + timedelta(hours=2))
        await _writes(shop, "gate")
        await shop.later(seconds=6)
        assert shop.fake.thread("9001")[-1] == "Follow first."
        assert _person(shop)["facts_problem"] is None
        assert [problem for problem in shop.problems() if problem["code"] == "profiles_refused"] == []


async def test_a_refused_permission_is_told_once_and_rests(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(403, 10) if call.is_look_up else None
        for igsid in ("9001", "9002", "9003"):
            await _writes(shop, "gate", igsid)
        assert _look_ups(shop) == 1
        assert len(shop.problems_of("profiles_refused")) == 1
        assert shop.fake.thread("9003") == ["I could not see whether you follow."]


async def test_a_login_that_has_ended_is_noticed_here_too(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 190, 463) if call.is_look_up else None
        await _writes(shop, "gate")
        await _writes(shop, "gate", "9002")
        assert _look_ups(shop) == 1
        assert len(shop.problems_of("needs_login")) == 1


async def test_in_an_outage_instagram_is_left_in_peace(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(503, 2) if call.is_look_up else None
        for number in range(30):
            await _writes(shop, "gate", f"9{number:03}")
        await shop.later(seconds=6)
        assert _look_ups(shop) < 20
        assert all(shop.fake.thread(f"9{number:03}") for number in range(30))


async def test_without_an_answer_it_goes_on_after_a_few_seconds(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(slow_s=0.8, passes=True) if call.is_look_up else None
        await shop.deliver(events.talk(events.message("9001", "gate")))
        await shop.runner.round()
        assert await shop.errands.round() == 1
        await asyncio.sleep(0.05)
        shop.move_to(shop.clock.now() + timedelta(seconds=5))
        await shop.runner.round()
        await shop.sender.round()
        await shop.sender.idle()
        assert shop.fake.thread("9001") == ["I could not see whether you follow."]
        await shop.works()
        # What comes late is known from then on, and changes nothing that was done.
        assert _person(shop)["follows_me"] is False
        assert len(shop.fake.thread("9001")) == 1


async def test_a_restart_in_the_middle_asks_again(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, FLOWS) as (settings, fake):
        async with running(settings, fake) as shop:
            await shop.deliver(events.talk(events.message("9001", "gate"), events.message("9002", "club")))
            await shop.runner.round()
            conn = shop.reader.connection
            (kinds,) = conn.execute("SELECT count(*) FROM outbox WHERE kind='lookup'").fetchone()
            assert kinds == 2
            await shop.writer.write(lambda conn: conn.execute("UPDATE outbox SET status='sending'"))
        async with running(settings, fake) as shop:
            now = shop.clock.now()
            await shop.writer.write(lambda conn: sending.found_after_crash(conn, now))
            await shop.later(seconds=2)
            assert fake.thread("9001") == ["Follow first."]
            assert fake.thread("9002") == ["Not in the club."]
            assert [event["verdict"] for event in _events(shop)] == ["started", "started"]


async def test_in_a_rush_everybody_has_their_turn(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(*(events.talk(events.message(f"9{n:03}", "gate")) for n in range(60)))
        await shop.later(seconds=8)
        assert all(shop.fake.thread(f"9{n:03}") == ["Follow first."] for n in range(60))
        assert _look_ups(shop) == 60


async def test_stop_is_heeded_while_somebody_is_looked_up(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.talk(events.message("9001", "club")))
        await shop.runner.round()
        await _writes(shop, "STOP")
        assert len(shop.fake.thread("9001")) == 1
        assert {str(event["verdict"]) for event in _events(shop)} == {"opted_out"}
        assert _look_ups(shop) == 0


async def test_one_question_answers_all_who_ask_about_the_same_person(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(
            events.talk(*(events.message("9001", text) for text in ("gate", "hello", "tagged")))
        )
        await shop.later(seconds=2)
        assert len(shop.fake.thread("9001")) == 4
        assert _look_ups(shop) == 1
