"""Flows change while people are in them: nobody loses their place, and a paused flow starts nobody."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.services import explaining, pausing, rolling_back
from pamosnik.services import flows as flow_services
from pamosnik.store import accounts, stats
from pamosnik.store.flow_history import By
from tests.crash.daemon import open_shop
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
fields: { day: text }
flows:
  price:
    when: [{ dm: price }]
    limits: { per_person: once }
    do:
      - send:
          text: "Prices?"
          buttons: [{ label: Show, do: [{ send: "It costs 5." }] }, { label: Book, run: book }]
  book:
    when: [{ dm: book }]
    do:
      - ask: { question: "Which day?", save_as: day }
      - send: "Noted: {day|?}."
  other:
    when: [anything_else]
    do: [{ send: "I read it." }]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _says(shop: Machine, igsid: str, text: str) -> tuple[str, str]:
    """Verdict and the sentence of `why`."""
    message = events.message(igsid, text)
    await shop.deliver(events.talk(message))
    await shop.works()
    await shop.later(seconds=1)
    return _why(shop, str(message["message"]["mid"]))


def _why(shop: Machine, what: str) -> tuple[str, str]:
    conn = shop.reader.connection
    why = explaining.why(conn, accounts.every(conn)[0], what, shop.clock.now())
    return str(why.event["verdict"]), "\n".join([why.sentence, *(" ".join(check) for check in why.checks)])


async def _taps(shop: Machine, igsid: str, label: str) -> tuple[str, str]:
    """The newest button of that label."""
    sent = next(one for one in reversed(shop.fake.sent) if one.igsid == igsid and label in one.buttons)
    await shop.deliver(events.talk(events.button_tap(igsid, label, sent.buttons[label])))
    await shop.works()
    await shop.later(seconds=1)
    return _why(shop, igsid)


def _got(shop: Machine, igsid: str) -> list[str]:
    return [one.text for one in shop.fake.sent if one.igsid == igsid]


async def _change(shop: Machine, change: Callable[[Connection, str, By], object]) -> None:
    account = accounts.every(shop.reader.connection)[0].id
    await shop.writer.write(lambda conn: change(conn, account, By("command", shop.clock.now())))


async def _applies(shop: Machine, text: str, *, prune: bool = True) -> None:
    def change(conn: Connection, account: str, by: By) -> None:
        proposal = flow_services.propose(conn, account, [("flows.yaml", text)], prune=prune)
        assert not proposal.loaded.has_errors, proposal.loaded.problems
        flow_services.apply(conn, account, proposal, note=None, actor=by.actor, now=by.now)

    await _change(shop, change)


async def _pauses(shop: Machine, *flows: str) -> None:
    await _change(shop, lambda conn, account, by: pausing.pause(conn, account, flows, by))


def _started(shop: Machine) -> dict[str, int]:
    conn = shop.reader.connection
    return {
        flow: n for _, flow, what, n in stats.totals(conn, accounts.every(conn)[0].id) if what == "started"
    }


async def test_a_paused_flow_starts_nobody_and_why_says_who_paused_it(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _pauses(shop, "price")
        verdict, told = await _says(shop, "9001", "price")
        # The next in line takes it.
        assert verdict == "started"
        assert "price steps aside the flow is paused (by command, since" in told
        assert _got(shop, "9001") == ["I read it."]
        await _pauses(shop, "other")
        verdict, told = await _says(shop, "9002", "price")
        assert (verdict, _got(shop, "9002")) == ("filtered", [])
        assert "`pamosnik flows resume price` ends it" in told
        await _change(shop, lambda conn, account, by: pausing.resume(conn, account, ["price"], by))
        assert (await _says(shop, "9002", "price"))[0] == "started"


async def test_whoever_is_in_a_paused_flow_goes_on(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "9001", "price")
        await _says(shop, "9002", "book")
        await _pauses(shop, "price", "book", "other")
        assert (await _says(shop, "9002", "Monday"))[0] == "resumed"
        assert (await _taps(shop, "9001", "Show"))[0] == "resumed"
        assert _got(shop, "9001") == ["Prices?", "It costs 5."]
        assert _got(shop, "9002") == ["Which day?", "Noted: Monday."]


async def test_run_leads_into_no_paused_flow(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "9001", "price")
        await _pauses(shop, "book")
        verdict, told = await _taps(shop, "9001", "Book")
        assert (verdict, _got(shop, "9001")) == ("resumed", ["Prices?"])
        assert "run skipped book: the flow is paused (by command" in told
        await _change(shop, lambda conn, account, by: pausing.resume(conn, account, ["book"], by))
        await _taps(shop, "9001", "Book")
        assert _got(shop, "9001") == ["Prices?", "Which day?"]


RENAMED = FLOWS.replace("  price:\n", "  prices:\n    was: price\n").replace(
    "  book:\n", "  visit:\n    was: book\n"
)
RENAMED = RENAMED.replace("run: book", "run: visit").replace("It costs 5.", "It costs 6.")


async def test_a_renamed_flow_keeps_its_people_limits_numbers_and_buttons(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "9001", "price")
        await _says(shop, "9002", "book")
        await _pauses(shop, "other")
        await _applies(shop, RENAMED)
        assert (await _says(shop, "9002", "Monday"))[0] == "resumed"
        assert (await _taps(shop, "9001", "Show"))[0] == "resumed"
        # Of the version that they are in, `run:` still says `book`.
        assert (await _taps(shop, "9001", "Book"))[0] == "resumed"
        assert _got(shop, "9001") == ["Prices?", "It costs 5.", "Which day?"]
        verdict, told = await _says(shop, "9001", "price")
        assert (verdict, "per_person once" in told) == ("resumed", True), told
        assert _started(shop) == {"prices": 1, "visit": 2}
        conn = shop.reader.connection
        for table in ("runs", "starts", "events", "outbox", "totals", "flow_versions"):
            rows = conn.execute(f"SELECT count(*) FROM {table} WHERE flow_id IN ('price', 'book')").fetchone()
            assert rows == (0,), table


async def test_what_was_removed_can_be_followed_by_a_new_id(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "9001", "price")
        await _applies(shop, "version: 1\nflows: { other: { when: [anything_else], do: [{ send: Hm }] } }\n")
        await _applies(shop, RENAMED)
        assert "per_person once" in (await _says(shop, "9001", "price"))[1]
        assert _started(shop)["prices"] == 1


async def _rolls_back(shop: Machine, flow: str) -> None:
    def change(conn: Connection, account: str, by: By) -> None:
        here = rolling_back.Machine(can_mail=True, is_public=True, unset=lambda _: None, now=by.now)
        proposal = rolling_back.propose(conn, account, flow, None, here)
        assert proposal.problems == ()
        rolling_back.roll_back(conn, account, proposal, by)

    await _change(shop, change)


async def test_after_a_rollback_everybody_finishes_the_version_they_began(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "9001", "price")
        await _applies(shop, FLOWS.replace("costs 5", "costs 6").replace("Which day?", "Which hour?"))
        await _says(shop, "9002", "price")
        await _says(shop, "9003", "book")
        await _rolls_back(shop, "price")
        await _rolls_back(shop, "book")
        await _says(shop, "9004", "price")
        for igsid in ("9001", "9002", "9004"):
            assert (await _taps(shop, igsid, "Show"))[0] == "resumed"
        told = {igsid: _got(shop, igsid)[-1] for igsid in ("9001", "9002", "9004")}
        assert told == {"9001": "It costs 5.", "9002": "It costs 6.", "9004": "It costs 5."}
        assert (await _says(shop, "9003", "Noon"))[0] == "resumed"
        assert _got(shop, "9003") == ["Which hour?", "Noted: Noon."]
        assert "per_person once" in (await _says(shop, "9002", "price"))[1]


async def test_a_flow_that_is_taken_out_and_brought_back_keeps_people_buttons_and_limits(
    tmp_path: Path,
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "9001", "price")
        only = "flows: { other: { when: [anything_else], do: [{ send: Hm }] } }\n"
        await _applies(shop, f"version: 1\ndisclosure: false\nfields: {{ day: text }}\n{only}")
        assert (await _taps(shop, "9001", "Show"))[0] == "resumed"
        await _rolls_back(shop, "book")
        await _rolls_back(shop, "price")
        assert (await _taps(shop, "9001", "Show"))[0] == "resumed"
        assert _got(shop, "9001") == ["Prices?", "It costs 5.", "It costs 5."]
        assert "per_person once" in (await _says(shop, "9001", "price"))[1]
        assert (await _says(shop, "9002", "price"))[0] == "started"


DOORS = """
version: 1
timezone: UTC
disclosure: false
flows:
  news:
    when:
      - schedule: { at: "09:00", audience: [{ has_not_tag: none }] }
      - menu: News
      - comment: { words: news, post: next }
    limits: { per_person: 1h }
    do: [{ send: "No news." }]
"""
NO_DOORS = (
    DOORS.split("      - schedule")[0] + "      - dm: news\n    limits" + DOORS.split("    limits", 1)[1]
)


def _doors(shop: Machine) -> tuple[int, int, list[str]]:
    """Broadcasts that are planned, posts that are waited for, menu items at Instagram."""
    conn = shop.reader.connection
    counts = [
        conn.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in ("schedules", "bound_posts")
    ]
    return (*counts, list(shop.fake.profile.get("persistent_menu", [])))


async def test_broadcasts_next_posts_and_the_menu_follow_a_rollback_and_a_pause(tmp_path: Path) -> None:
    async with machine(tmp_path, DOORS) as shop:
        await shop.entrances.round()
        assert _doors(shop) == (1, 1, ["News"])
        await _applies(shop, NO_DOORS)
        await shop.entrances.round()
        assert _doors(shop) == (0, 0, [])
        await _rolls_back(shop, "news")
        await shop.entrances.round()
        assert _doors(shop) == (1, 1, ["News"])
        await _pauses(shop, "news")
        await shop.entrances.round()
        assert _doors(shop) == (1, 1, [])
        await _change(shop, lambda conn, account, by: pausing.resume(conn, account, ["news"], by))
        await shop.entrances.round()
        assert _doors(shop) == (1, 1, ["News"])


async def test_a_running_daemon_notices_a_pause(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        person = await shop.act("/people", username="anna")
        await shop.command("flows", "pause", "price", "other")
        await shop.act("/dm", person="anna", text="price")
        await shop.act("/settle")
        await shop.quiet()
        found = await shop.read("why", person["igsid"])
        assert (found["verdict"], found["flow"]) == ("filtered", "price")
        assert "the flow is paused (by command" in str(found["reason"])
