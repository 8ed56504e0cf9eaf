"""A shop in whose home something of everything waits, has left or has failed: for pages and numbers about it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.ids import new_id
from pamosnik.instagram import limits
from pamosnik.security import tokens
from pamosnik.services import clicks
from pamosnik.store import accounts, api_tokens, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import open_database
from pamosnik.store.sessions import Session
from pamosnik.store.times import ms
from tests.daemon import events
from tests.daemon.machine import Machine, home_and_fake, running

NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
"""After the shop was connected: what happened before is not answered."""
TOKEN = "pamo_of-this-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
COOKIE = {"cookie": f"pamosnik_session={TOKEN}"}
"""Of a program with a token, and of a browser whose owner is logged in."""
POST, OTHER_POST = "179001", "179002"
SENT, WAITING = 3, 4
"""Private replies that left, and such for which Meta's hour has no room."""

FLOWS = """
version: 1
disclosure: false
flows:
  price:
    title: Prices <now>
    when: [{ comment: { words: price, post: "179001" } }, dm: price]
    do:
      - reply_publicly: Sent!
      - send:
          text: "Here it is."
          buttons:
            - { label: "Prices", url: "https://shop.example/prices", name: prices }
            - { label: "Talk", do: [{ send: "Hello!" }] }
  size:
    when: [dm: size]
    do:
      - ask: "Which size?"
      - send: "Noted."
"""


@dataclass(frozen=True, slots=True)
class Busy:
    settings: Config
    account: Account


_made: list[Busy] = []
"""One for all tests of a process: whoever changes it takes a copy."""


def make(folder: Path) -> Busy:
    if not _made:
        _made.append(asyncio.run(_make(folder)))
    return _made[0]


async def _make(folder: Path) -> Busy:
    async with (
        home_and_fake(folder, FLOWS, "https://bot.example") as (settings, fake),
        running(settings, fake, VirtualClock(NOW)) as shop,
    ):
        await _life(shop)
    with open_database(settings.database) as database:
        account = accounts.every(database.connection)[0]
        token = ApiToken(new_id(NOW), account.id, "test", NOW, None)
        session = Session("of-this-test", account.id, "", NOW, NOW, NOW + timedelta(days=14))
        database.write(lambda conn: api_tokens.insert(conn, token, tokens.token_hash(TOKEN)))
        database.write(lambda conn: sessions.open_session(conn, tokens.token_hash(TOKEN), session))
    return Busy(settings, account)


async def _life(shop: Machine) -> None:
    for n in range(SENT):
        await _comment(shop, f"c{n}", f"70{n}", "price", POST)
    await _comment(shop, "c9", "709", "lovely", OTHER_POST)
    await shop.deliver(events.talk(events.message("750", "size")))
    await shop.works()
    links = [token for (token,) in shop.reader.connection.execute("SELECT token FROM links ORDER BY rowid")]
    for token in (links[0], links[0], links[1]):
        await shop.writer.write(lambda conn, token=token: clicks.clicked(conn, token, NOW))  # type: ignore[misc]
    await shop.writer.write(lambda conn: clicks.previewed(conn, links[2], NOW))
    await shop.writer.write(_the_hour_is_full)
    for n in range(WAITING):
        await _comment(shop, f"d{n}", f"71{n}", "price", POST)


async def _comment(shop: Machine, comment_id: str, igsid: str, text: str, media: str) -> None:
    said = events.comment(igsid, text, comment_id=comment_id, media=media, username=f"fan{igsid}")
    await shop.deliver(events.change(said))
    await shop.works()


def _the_hour_is_full(conn: Connection) -> None:
    conn.executemany(
        "INSERT INTO attempts (account_id, connection_id, kind, at)"
        " SELECT account_id, connection_id, 'private_reply', ? FROM connections",
        [(ms(NOW - timedelta(minutes=n % 50)),) for n in range(limits.PRIVATE_REPLIES_PER_HOUR)],
    )
