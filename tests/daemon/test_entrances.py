"""Opening questions and the menu stand at Instagram as the flows say, whatever happens on the way."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik.flows.load import File
from pamosnik.instagram import limits
from pamosnik.services import flows
from pamosnik.store import accounts, connections
from pamosnik.store import entrances as entrance_store
from tests.daemon import events
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
flows:
  book:
    when: [ice_breaker: Book a visit, menu: Book]
    do: [send: "For which day?"]
  ship:
    when: [ice_breaker: "Do you ship?"]
    do: [send: "We do."]
"""
NO_MENU = FLOWS.replace(", menu: Book", "")
NOTHING = "version: 1\nflows: { book: { when: [dm: book], do: [send: Hi] } }\n"
BOTH = {"ice_breakers": ["Book a visit", "Do you ship?"], "persistent_menu": ["Book"]}


def _shown(shop: Machine) -> dict[str, list[str]]:
    return {part: list(labels) for part, labels in shop.fake.profile.items()}


def _calls(shop: Machine) -> list[tuple[str, str]]:
    """Method and what it was about."""
    found = []
    for call in shop.fake.calls:
        if call.path.endswith("/messenger_profile"):
            about = (
                [key for key in call.body if key != "platform"]
                if call.method == "POST"
                else call.body["fields"]
            )
            found += [(call.method, part) for part in about]
    return found


async def _apply(shop: Machine, text: str) -> None:
    account = accounts.every(shop.reader.connection)[0]
    files: list[File] = [("flows.yaml", text)]
    proposal = flows.propose(shop.reader.connection, account.id, files, prune=True)
    assert not proposal.loaded.has_errors
    apply = partial(flows.apply, account_id=account.id, proposal=proposal, note=None, actor="command")
    await shop.writer.write(partial(apply, now=shop.clock.now()))


def _down(call: Call) -> Trouble | None:
    return Trouble(503, 2) if call.path.endswith("/messenger_profile") else None


async def test_they_come_and_go_with_the_flows(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        assert await shop.entrances.round() == 2
        assert _shown(shop) == BOTH
        # Nothing changed: nothing is said.
        assert await shop.entrances.round() == 0
        await _apply(shop, NO_MENU)
        assert await shop.entrances.round() == 1
        assert _shown(shop) == {"ice_breakers": BOTH["ice_breakers"]}
        await _apply(shop, NOTHING)
        assert await shop.entrances.round() == 1
        assert _shown(shop) == {}
        assert await shop.entrances.round() == 0
        assert _calls(shop) == [
            ("POST", "ice_breakers"),
            ("POST", "persistent_menu"),
            ("DELETE", "persistent_menu"),
            ("DELETE", "ice_breakers"),
        ]


async def test_what_the_owner_wrote_at_instagram_stays_while_flows_have_none(tmp_path: Path) -> None:
    async with machine(tmp_path, NOTHING) as shop:
        shop.fake.profile["ice_breakers"] = {"The owner's own": "x"}
        assert await shop.entrances.round() == 0
        assert _shown(shop) == {"ice_breakers": ["The owner's own"]}


async def test_a_paused_flow_takes_its_own_away(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.entrances.round()
        await _apply(shop, FLOWS.replace("  ship:\n", "  ship:\n    state: paused\n"))
        await shop.entrances.round()
        assert _shown(shop)["ice_breakers"] == ["Book a visit"]


async def test_a_tap_starts_the_flow(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.entrances.round()
        carried = shop.fake.profile["persistent_menu"]["Book"]
        await shop.deliver(events.talk(events.button_tap("9001", "Book", carried)))
        await shop.works()
        assert shop.fake.thread("9001") == ["Automated reply.\nFor which day?"]


async def test_tried_again_until_instagram_takes_them(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = _down
        for _ in range(600):
            await shop.entrances.round()
            shop.move_to(shop.clock.now() + timedelta(seconds=1))
        assert len(_calls(shop)) < 30
        (told,) = shop.problems_of("entrances_refused")
        assert "shop" in told
        shop.fake.trouble = lambda _: None
        shop.move_to(shop.clock.now() + timedelta(minutes=20))
        await shop.entrances.round()
        assert _shown(shop) == BOTH
        assert shop.problems_of("entrances_refused") == []


async def test_a_refusal_is_told_and_what_is_changed_is_said_at_once(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 100, 2018) if _down(call) else None
        await shop.entrances.round()
        assert await shop.entrances.round() == 0
        assert len(shop.problems_of("entrances_refused")) == 1
        shop.fake.trouble = lambda _: None
        assert await shop.entrances.round() == 0
        # What was refused is not there; only to be sure it is taken away.
        await _apply(shop, NO_MENU)
        assert await shop.entrances.round() == 1
        assert len(shop.problems_of("entrances_refused")) == 1
        await _apply(shop, NO_MENU.replace("Do you ship?", "Do you ship abroad?"))
        assert await shop.entrances.round() == 1
        assert shop.problems_of("entrances_refused") == []
        assert _shown(shop) == {"ice_breakers": ["Book a visit", "Do you ship abroad?"]}


async def test_a_login_that_has_ended_stops_it_and_connecting_says_it_again(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 190, 463) if _down(call) else None
        await shop.entrances.round()
        assert len(shop.problems_of("needs_login")) == 1
        shop.fake.trouble = lambda _: None
        assert await shop.entrances.round() == 0
        await shop.connects()
        await shop.entrances.round()
        assert _shown(shop) == BOTH
        await shop.connects()
        assert await shop.entrances.round() == 2


async def test_a_restart_says_nothing_twice_and_what_was_cut_off_again(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, FLOWS) as (settings, fake):
        async with running(settings, fake) as shop:
            await shop.entrances.round()
        async with running(settings, fake) as shop:
            assert await shop.entrances.round() == 0
            (connected,) = connections.with_tokens(shop.reader.connection)
            (menu, *_) = reversed(list(entrance_store.of_connection(shop.reader.connection, connected.id)))
            await shop.writer.write(
                partial(entrance_store.asks, connected=connected, entrance=menu, labels=("Other",))
            )
        async with running(settings, fake) as shop:
            assert await shop.entrances.round() == 1


async def test_after_a_restore_they_are_said_again(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.entrances.round()
        await shop.writer.write(entrance_store.doubt)
        assert await shop.entrances.round() == 2
        assert _shown(shop) == BOTH


def test_the_limits_are_metas() -> None:
    assert (limits.ICE_BREAKERS, limits.MENU_ITEMS) == (4, 5)
