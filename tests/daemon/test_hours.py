"""Hours count as they are now, for people who began before they were changed, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from pamosnik.services import flows
from pamosnik.services.flows import Proposal
from pamosnik.services.reading import events as event_reading
from pamosnik.store import accounts
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
hours:
  open: { days: 2020-02-03 }
flows:
  booking:
    when: [dm: book]
    do:
      - ask: "For which day?"
      - choose:
          - if: { outside: open }
            do: [{ send: "We confirm tomorrow." }]
          - else: [{ send: "We confirm within the hour." }]
  visit:
    when: [dm: visit]
    only_if: [{ during: open }]
    do: [{ send: "Come in!" }]
"""


async def _writes(shop: Machine, text: str, igsid: str = "9001") -> None:
    await shop.deliver(events.talk(events.message(igsid, text)))
    await shop.works()


async def _propose(shop: Machine, text: str, *, prune: bool = False) -> Proposal:
    account = accounts.every(shop.reader.connection)[0]
    files = [("shop.yaml", text)]
    return flows.propose(shop.reader.connection, account.id, files, prune=prune)


async def _apply(shop: Machine, text: str) -> None:
    account = accounts.every(shop.reader.connection)[0]
    proposal = await _propose(shop, text)
    assert not proposal.loaded.has_errors
    now = shop.clock.now()
    await shop.writer.write(
        lambda conn: flows.apply(conn, account.id, proposal, note=None, actor="test", now=now)
    )


async def test_hours_decide_and_a_change_of_them_is_seen_by_who_is_under_way(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "book")
        await _writes(shop, "friday")
        assert shop.fake.thread("9001") == ["For which day?", "We confirm tomorrow."]
        await _writes(shop, "visit")
        (event, *_) = event_reading.newest(
            shop.reader.connection, accounts.every(shop.reader.connection)[0], limit=9, since=None
        )
        assert event.reason == "only_if: during: open is not true"
        await _writes(shop, "book", "9002")
        await _apply(shop, 'version: 1\nhours: { open: { from: "00:00" } }\n')
        await _writes(shop, "friday", "9002")
        assert shop.fake.thread("9002")[-1] == "We confirm within the hour."
        await _writes(shop, "visit")
        assert shop.fake.thread("9001")[-1] == "Come in!"


async def test_hours_of_people_under_way_are_not_pruned(tmp_path: Path) -> None:
    without = "version: 1\nflows: { other: { when: { dm: other }, do: [{ send: hello }] } }\n"
    async with machine(tmp_path, FLOWS) as shop:
        assert not (await _propose(shop, without, prune=True)).loaded.has_errors
        await _writes(shop, "book")
        assert not (await _propose(shop, without)).loaded.has_errors
        pruned = await _propose(shop, without, prune=True)
        (problem,) = pruned.loaded.problems
        assert problem.message == (
            "no file names the hours `open` any more; for now this stays: somebody in `booking` is not through yet"
        )
        assert list(cast("Mapping[str, object]", pruned.loaded.settings["hours"])) == ["open"]
        kept = f"{without}hours: {{ open: sat }}\n"
        assert (await _propose(shop, kept, prune=True)).loaded.problems == ()
        await _writes(shop, "friday")
        assert "hours" not in (await _propose(shop, without, prune=True)).loaded.settings
