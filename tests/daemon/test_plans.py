"""Plans against a home with people in flight, and what applying them does."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pamosnik.errors import PlanOutdated
from pamosnik.flows.plan import Change, ChangeKind
from pamosnik.model.event import EventKind, Incoming, Verdict
from pamosnik.model.run import WaitKind
from pamosnik.services import flows
from pamosnik.services.flows import Proposal
from pamosnik.services.library import Library
from pamosnik.services.peaks import Peak, peak_lines, peaks
from pamosnik.store import accounts, connections, inbox
from pamosnik.store import flows as flow_store
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
fields: { day: date }
flows:
  visit:
    when: [dm: book]
    do:
      - ask: { question: "For which day?", save_as: day }
      - wait: { for: 3h, if_window_closed: skip }
      - send: "See you"
  more:
    when: [comment: price]
    limits: { per_person: 1h }
    do: [send: { text: "Tap", buttons: [{ label: Go, do: [{ send: "Here" }] }] }]
  hello:
    when: [dm: hello]
    do: [send: "Hi"]
"""


def _account(shop: Machine) -> str:
    return accounts.every(shop.reader.connection)[0].id


def _propose(shop: Machine, text: str, *, prune: bool = False) -> Proposal:
    found = flows.propose(shop.reader.connection, _account(shop), [("flows.yaml", text)], prune=prune)
    assert not found.loaded.has_errors, found.loaded.problems
    return found


async def _apply(shop: Machine, proposal: Proposal) -> None:
    carry_out = partial(flows.apply, account_id=_account(shop), proposal=proposal, note=None, actor="test")
    await shop.writer.write(partial(carry_out, now=shop.clock.now()))


def _change(proposal: Proposal, flow_id: str) -> Change:
    return next(change for change in proposal.plan.changes if change.flow_id == flow_id)


async def _some_people(shop: Machine) -> None:
    for igsid in ("901", "902", "903"):
        await shop.deliver(events.talk(events.message(igsid, "book")))
    await shop.deliver(events.change(events.comment("904", "price")))
    await shop.works()
    await shop.deliver(events.talk(events.message("901", "24.12.")))
    await shop.works()


async def test_people_are_told_step_by_step_in_the_words_of_their_own_version(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _some_people(shop)
        changed = FLOWS.replace("For which day?", "Which day?").replace('"Tap"', '"Tap here"')
        told = _propose(shop, changed)
        assert [
            (one.waits_for, one.people, one.path, one.step) for one in _change(told, "visit").standing
        ] == [
            (WaitKind.ANSWER, 2, "do.0", "ask: For which day?"),
            (WaitKind.TIMER, 1, "do.1", "wait: 3h"),
        ]
        assert [(one.waits_for, one.step) for one in _change(told, "more").standing] == [
            (WaitKind.TAP, "send: Tap")
        ]
        assert (_change(told, "hello").kind, _change(told, "hello").standing) == (ChangeKind.UNCHANGED, ())
        await _apply(shop, told)
        await shop.deliver(events.talk(events.message("905", "book")))
        await shop.works()
        again = _propose(shop, FLOWS)
        assert {(one.step, one.people) for one in _change(again, "visit").standing} == {
            ("ask: For which day?", 2),
            ("ask: Which day?", 1),
            ("wait: 3h", 1),
        }


async def test_a_renamed_flow_takes_its_people_along(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _some_people(shop)
        renamed = FLOWS.replace("  visit:\n", "  appointment:\n    was: visit\n")
        told = _propose(shop, renamed)
        change = _change(told, "appointment")
        assert (change.kind, change.people, len(change.standing)) == (ChangeKind.RENAMED, 3, 2)
        await _apply(shop, told)
        assert dict(flow_store.in_flight(shop.reader.connection, _account(shop))) == {
            "appointment": 3,
            "more": 1,
        }
        assert _propose(shop, renamed).plan.is_empty


async def test_a_flow_that_was_taken_out_is_followed_under_its_new_id(tmp_path: Path) -> None:
    """Its people and limits came along, and the plan did not say so."""
    head, _, rest = FLOWS.partition("  visit:\n")
    visit, _, rest = rest.partition("  more:\n")
    async with machine(tmp_path, FLOWS) as shop:
        await _some_people(shop)
        await _apply(shop, _propose(shop, f"{head}  more:\n{rest}", prune=True))
        told = _propose(shop, f"{head}  appointment:\n    was: visit\n{visit}")
        change = _change(told, "appointment")
        assert (change.kind, change.was, change.people) == (ChangeKind.ADDED, "visit", 3)
        assert any("follow to the new id" in sentence for sentence in change.what_happens)
        await _apply(shop, told)
        assert flow_store.in_flight(shop.reader.connection, _account(shop))["appointment"] == 3


async def test_the_plan_tells_whose_version_leads_into_a_flow_that_goes(tmp_path: Path) -> None:
    text = FLOWS.replace('- send: "See you"', "- run: hello")
    async with machine(tmp_path, text) as shop:
        await _some_people(shop)
        head = FLOWS.partition("  hello:\n")[0]
        told = _change(_propose(shop, head, prune=True), "hello")
        assert (told.kind, told.led_from) == (ChangeKind.REMOVED, ("visit",))
        assert "People in visit whose version goes on in it" in " ".join(told.what_happens)


async def test_who_came_back_by_an_old_button_is_in_the_flow(tmp_path: Path) -> None:
    """A run that was complete did not count, though a tapped button had led it to a pause."""
    text = FLOWS.replace(
        '[{ send: "Here" }]', '[{ wait: { for: 2h, if_window_closed: skip } }, { send: "Here" }]'
    )
    async with machine(tmp_path, text) as shop:
        await shop.deliver(events.change(events.comment("904", "price")))
        await shop.works()
        for _ in range(2):  # the second tap finds the run complete
            labels = [one for one in shop.fake.sent if "Go" in one.buttons][-1].buttons
            await shop.deliver(events.talk(events.button_tap("904", "Go", labels["Go"])))
            await shop.works()
            standing = _change(_propose(shop, text.replace('"Tap"', '"Tap here"')), "more").standing
            assert [(one.waits_for, one.path) for one in standing] == [
                (WaitKind.TIMER, "do.0.buttons.0.do.0")
            ], standing
            await shop.later(hours=3)


async def test_what_was_shown_is_what_is_applied(tmp_path: Path) -> None:
    """A plan made before somebody else applied something was carried out all the same."""
    async with machine(tmp_path, FLOWS) as shop:
        first = _propose(shop, FLOWS.replace('"Hi"', '"Hello"'))
        second = _propose(shop, FLOWS.replace('"Hi"', '"Good day"'))
        await _apply(shop, second)
        with pytest.raises(PlanOutdated):
            await _apply(shop, first)
        applied = {f.flow_id: f.body for f in flow_store.applied(shop.reader.connection, _account(shop))}
        assert "Good day" in applied["hello"]


async def test_what_somebody_has_come_to_need_since_the_plan_does_not_go(tmp_path: Path) -> None:
    """Whoever came between the plan and its yes was sent a text with a hole where the fact had stood."""
    text = FLOWS.replace('- send: "See you"', '- send: "See you: {place}"') + "facts: { place: Rynek 1 }\n"
    async with machine(tmp_path, text) as shop:
        told = _propose(shop, FLOWS, prune=True)
        assert [one.name for one in told.plan.settings] == ["facts.place"]
        await shop.deliver(events.talk(events.message("901", "book")))
        await shop.works()
        with pytest.raises(PlanOutdated):
            await _apply(shop, told)
        assert "facts" in flow_store.settings(shop.reader.connection, _account(shop))
        await _apply(shop, _propose(shop, FLOWS, prune=True))
        assert "Rynek 1" in flow_store.settings(shop.reader.connection, _account(shop))


async def test_another_time_zone_moves_the_hours_of_flows_that_stay_as_they_are(tmp_path: Path) -> None:
    """`active` was read in the zone in which its version had been applied first."""
    text = FLOWS.replace("  hello:\n", "  hello:\n    active: { until: '2026-12-24 12:00' }\n")
    async with machine(tmp_path, text) as shop:
        library = Library()
        for zone in ("Europe/Warsaw", "Asia/Tokyo"):
            told = _propose(shop, f"{text}timezone: {zone}\n")
            assert _change(told, "hello").kind is ChangeKind.UNCHANGED
            await _apply(shop, told)
            hello = library.catalog(shop.reader.connection, _account(shop)).flows["hello"]
            assert hello.active.until == datetime(2026, 12, 24, 12, tzinfo=ZoneInfo(zone))


async def test_another_order_of_the_file_is_the_order_in_which_flows_are_asked(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        head, visit, rest = FLOWS.partition("  visit:\n")
        visit, cut, rest = (visit + rest).partition("  hello:\n")
        told = _propose(shop, head + cut + rest + visit)
        assert [move.flow_id for move in told.plan.moved] == ["hello"]
        await _apply(shop, told)
        catalog = Library().catalog(shop.reader.connection, _account(shop))
        assert list(catalog.flows) == ["hello", "visit", "more"]


async def test_files_applied_in_turn_do_not_change_the_order(tmp_path: Path) -> None:
    """Each apply put its flows first, so two files that were applied in turn never came to rest."""
    other = "version: 1\nflows: { extra: { when: [dm: extra], do: [stop] } }\n"
    async with machine(tmp_path, FLOWS) as shop:
        await _apply(shop, _propose(shop, other))
        assert _propose(shop, FLOWS).plan.is_empty
        assert _propose(shop, other).plan.is_empty
        catalog = Library().catalog(shop.reader.connection, _account(shop))
        assert list(catalog.flows) == ["visit", "more", "hello", "extra"]


# --- peaks -----------------------------------------------------------------------------------------------


def _record(shop: Machine, text: str, count: int, *, ago: timedelta) -> None:
    """So many people said this within ten minutes."""
    conn, account_id = shop.reader.connection, _account(shop)
    (connected,) = connections.of_account(conn, account_id)
    conn.execute("BEGIN")
    for number in range(count):
        at = shop.clock.now() - ago + timedelta(minutes=10) * number / count
        incoming = Incoming(
            ig_id=events.IG_ID,
            key=f"c:{text}{ago}{number}",
            kind=EventKind.COMMENT,
            occurred_at=at,
            igsid=f"{text}{number}",
            text=text,
            media_id="m1",
            verdict=Verdict.NO_MATCH,
        )
        inbox.add(conn, account_id=account_id, connection_id=connected.id, incoming=incoming, now=at)
    conn.execute("COMMIT")


def _peak(shop: Machine, text: str) -> Peak:
    (found,) = peaks(shop.reader.connection, _account(shop), _propose(shop, text), shop.clock.now())
    return found


async def test_the_busiest_hour_is_told_with_the_flows_that_fill_it(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        _record(shop, "price", 300, ago=timedelta(days=3))
        _record(shop, "cost?", 500, ago=timedelta(days=3))
        _record(shop, "cost?", 2000, ago=timedelta(days=40))
        conn, account_id = shop.reader.connection, _account(shop)
        same = _propose(shop, FLOWS.replace('"Tap"', '"Tap here"'))
        assert peaks(conn, account_id, same, shop.clock.now()) == (), "who is answered has not changed"
        wider = _peak(shop, FLOWS.replace("comment: price", "comment: [price, cost]"))
        assert (wider.before, wider.after, wider.flows, wider.comments) == (300, 800, {"more": 800}, 800)
        # 750 leave within ten minutes; the next when the first of them is an hour old.
        assert timedelta(minutes=50) < wider.jam.longest_wait < timedelta(minutes=51)
        told = " ".join(said.text for said in peak_lines([wider], "UTC"))
        assert "800 (300 with the flows that are applied)" in told
        assert "Instagram allows 750 an hour: the last would have waited 51m." in told
        narrower = _peak(shop, FLOWS.replace("comment: price", "comment: cheap"))
        assert (narrower.after, list(peak_lines([narrower], "UTC"))) == (0, [])
