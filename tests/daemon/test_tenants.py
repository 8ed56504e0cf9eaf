"""Two accounts in one home: the same names in their flows, the same person writing to both, and nothing crosses."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.model.contact import Contact
from pamosnik.privacy import forget
from pamosnik.services import flows
from pamosnik.store import accounts, connections, contacts, links, people
from tests.daemon import events
from tests.daemon.events import IG_ID
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

OTHER_IG_ID = "17841400000000002"
ANNA = "900000000000001"
START = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
FLOWS = """
version: 1
timezone: UTC
disclosure: false
language: LANGUAGE
fields: { size: text }
hours: { open: { days: DAYS } }
facts: { shop: "https://SHOP.example/" }
flows:
  price:
    when: [dm: price]
    do:
      - set: { size: "SHOP" }
      - tag: SHOP
      - choose:
          - if: { during: open }
            do: [send: { text: "SHOP is open: {shop}", buttons: [{ label: More, do: [send: "More of SHOP"] }] }]
          - else: [send: "SHOP is closed"]
  news: { when: [schedule: { at: "2099-12-24 09:00" }], do: [send: "News of SHOP"] }
"""
EVERY_DAY = "mon to sun"
NEVER = "2020-01-01"


def _flows(shop: str, days: str, language: str) -> str:
    return FLOWS.replace("SHOP", shop).replace("DAYS", days).replace("LANGUAGE", language)


def _second_account(conn: Connection, now: datetime) -> None:
    (first,) = accounts.every(conn)
    account = accounts.Account("A2", "Max", "max@tulip.example", "Europe/Warsaw", now)
    accounts.insert(conn, account, password_hash="x", wrapped_key=b"x", adult_stated_at=now)
    new = connections.NewConnection(
        id="K2",
        account_id="A2",
        ig_id=OTHER_IG_ID,
        asid=None,
        username="tulip",
        scopes=(),
        token_sealed=b"x",
        token_expires_at=None,
        token_refresh_at=now + timedelta(days=30),
        subscribed_fields=(),
    )
    connections.put(conn, new, now)
    proposal = flows.propose(conn, "A2", [("tulip.yaml", _flows("tulip", NEVER, "de"))], prune=False, now=now)
    assert not [one for one in proposal.loaded.problems if one.severity.value == "error"]
    flows.apply(conn, "A2", proposal, note=None, actor="command", now=now)
    assert first.id != "A2"


async def _writes(shop: Machine, text: str, ig_id: str, payload: str | None = None) -> None:
    shop.move_to(shop.clock.now() + timedelta(seconds=1))
    at = int(shop.clock.now().timestamp() * 1000)
    said = events.message(ANNA, text) if payload is None else events.chip_tap(ANNA, text, payload)
    item = {**said, "recipient": {"id": ig_id}, "timestamp": at}
    await shop.deliver(events.talk(item, ig_id=ig_id))
    while await shop.runner.round():
        pass


def _said(shop: Machine, account_id: str) -> list[str]:
    rows = shop.reader.connection.execute(
        "SELECT content FROM outbox WHERE account_id=? ORDER BY seq", (account_id,)
    )
    return [str(json.loads(content)["text"]) for (content,) in rows]


def _people(shop: Machine) -> Mapping[str, Contact]:
    conn = shop.reader.connection
    every = [one for a in accounts.every(conn) for one in people.newest(conn, a.id, limit=None)]
    found = [contacts.load(conn, one) for one in every]
    return {person.account_id: person for person in found if person is not None}


async def test_nothing_crosses(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    public = "https://home.example"
    async with machine(tmp_path, _flows("rose", EVERY_DAY, "en"), clock=clock, public_url=public) as shop:
        await shop.writer.write(partial(_second_account, now=START))
        conn = shop.reader.connection
        first = next(one.id for one in accounts.every(conn) if one.id != "A2")
        await _writes(shop, "price", IG_ID)
        await _writes(shop, "price", OTHER_IG_ID)
        [rose] = _said(shop, first)
        assert rose.startswith("rose is open: https://home.example/l/")
        assert _said(shop, "A2") == ["tulip is closed"]
        people = _people(shop)
        assert (people[first].fields, set(people[first].tags)) == ({"size": "rose"}, {"rose"})
        assert (people["A2"].fields, set(people["A2"].tags)) == ({"size": "tulip"}, {"tulip"})
        planned = conn.execute("SELECT account_id, connection_id FROM schedules").fetchall()
        assert sorted(account for account, _ in planned) == sorted([first, "A2"])

        # A button of the one shop, tapped at the other by the same person.
        [content] = conn.execute("SELECT content FROM outbox WHERE account_id=?", (first,)).fetchone()
        [button] = json.loads(content)["buttons"]
        real = next(part for part in button if part and part.startswith("pamosnik1:"))
        await _writes(shop, "More", OTHER_IG_ID, real)
        assert _said(shop, "A2") == ["tulip is closed"]
        await _writes(shop, "More", IG_ID, real)
        assert _said(shop, first)[1:] == ["More of rose"]

        await _forgotten(shop, people[first].id)
        assert set(_people(shop)) == {"A2"}
        assert conn.execute("SELECT count(*) FROM links").fetchone() == (0,)
        token = rose.rpartition("/l/")[2]
        assert links.address_of(conn, token) is None
        # Neither a stop here nor the tombstone means anything there.
        await _writes(shop, "stop", IG_ID)
        await _writes(shop, "price", OTHER_IG_ID)
        assert _said(shop, "A2") == ["tulip is closed"] * 2


async def _forgotten(shop: Machine, contact_id: str) -> None:
    def all_of_it(conn: Connection) -> None:
        conn.execute("UPDATE outbox SET status='cancelled' WHERE contact_id=?", (contact_id,))
        contacts.set_forget(conn, contact_id, shop.clock.now())
        while forget.erase_some(conn, contact_id, shop.clock.now()):
            pass

    await shop.writer.write(all_of_it)
