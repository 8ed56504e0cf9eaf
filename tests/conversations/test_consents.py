"""What people agree to and take back is noted when it changes, with the way they said it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from pamosnik.daemon.tools import Tools
from pamosnik.privacy import erase
from pamosnik.services import removal
from pamosnik.store import accounts, connections, consents
from pamosnik.store.consents import How, What
from pamosnik.store.deletions import Cause
from tests.daemon import events
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: "A machine writes."
words: { stop: [basta] }
flows:
  leave: { when: [dm: leave], do: [opt_out] }
  hello: { when: [dm: hello], do: [send: "Hi!"] }
  forget: { when: [dm: forget], do: [forget_me] }
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _says(shop: Machine, igsid: str, *texts: str) -> None:
    for text in texts:
        await shop.later(seconds=2)
        sent_ms = int(shop.clock.now().timestamp() * 1000)
        await shop.deliver(events.talk({**events.message(igsid, text), "timestamp": sent_ms}))
        await shop.works()


def agreed(tools: Tools, igsid: str) -> Sequence[str]:
    """The oldest first, like `opt_out by words`."""
    conn = tools.reader.connection
    (contact_id,) = conn.execute("SELECT contact_id FROM contacts WHERE igsid=?", (igsid,)).fetchone()
    return [f"{one.what} by {one.how}" for one in reversed(consents.of_person(conn, contact_id))]


async def test_each_way_is_noted_once(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _says(shop, "901", "hello", "START", "STOP", "stop", "basta", "hello", "START", "START")
        assert agreed(shop.tools, "901") == ["opt_out by words", "opt_in by words"]
        await _says(shop, "902", "leave", "leave", "STOP")
        assert agreed(shop.tools, "902") == ["opt_out by flow"]
        await _says(shop, "903", "hello")
        assert agreed(shop.tools, "903") == []


async def test_a_block_takes_back_what_was_agreed_and_only_start_undoes_it(tmp_path: Path) -> None:
    def blocked(call: Call) -> Trouble | None:
        return Trouble(400, 551) if call.is_send else None

    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = blocked
        await _says(shop, "901", "hello")
        assert agreed(shop.tools, "901") == ["opt_out by block"]
        shop.fake.trouble = lambda _: None
        await _says(shop, "901", "hello", "START")
        assert agreed(shop.tools, "901") == ["opt_out by block", "opt_in by words"]


async def test_an_opt_out_outlives_the_person_and_what_they_had_agreed_to_does_not(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        conn = shop.reader.connection
        await _says(shop, "901", "hello", "STOP")
        (contact_id,) = conn.execute("SELECT contact_id FROM contacts").fetchone()
        forget = partial(erase.begin_person, contact_id=contact_id, cause=Cause.COMMAND, actor="command")
        await shop.writer.write(partial(forget, now=shop.clock.now()))
        await shop.later(minutes=11)
        await shop.eraser.round()
        kept = conn.execute("SELECT count(*) FROM consents WHERE contact_id IS NOT NULL").fetchone()
        assert (conn.execute("SELECT count(*) FROM contacts").fetchone(), kept) == ((0,), (0,))
        await _says(shop, "901", "hello", "START")
        assert agreed(shop.tools, "901") == ["opt_out by kept", "opt_in by words"]


async def test_the_holders_consents_name_the_instagram_account(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        conn = shop.reader.connection
        (account,) = accounts.every(conn)
        (connected,) = connections.of_account(conn, account.id)
        remove = partial(removal.app_removed, connection_id=connected.id, asked_at=shop.clock.now())
        for _ in range(2):
            await shop.writer.write(partial(remove, now=shop.clock.now()))
        await shop.later(seconds=2)
        await shop.connects()
        noted = [(one.what, one.how, one.connection_id) for one in consents.of_account(conn, account.id, 10)]
        assert noted == [
            (What.CONNECT, How.COMMAND, connected.id),
            (What.DISCONNECT, How.INSTAGRAM, connected.id),
            (What.CONNECT, How.COMMAND, connected.id),
            (What.ADULTHOOD, How.COMMAND, None),
        ]
