"""`forget_me`: asked, confirmed, erased to the last byte; and nothing that comes later brings it back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.model.outbox import ItemStatus
from pamosnik.privacy import forget
from pamosnik.privacy.subject import REGISTER
from pamosnik.services import backups, reading
from pamosnik.services.reading import Shape
from pamosnik.store import accounts, connections, contacts, ledger, tombstones
from pamosnik.store.accounts import Account
from tests.daemon import events
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
timezone: UTC
disclosure: "A machine."
LANGUAGE
fields: { size: text }
flows:
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size }
      - tag: asked
      - send: { one_of: ["Noted: {size|?}", "Thank you: {size|?}"] }
      - wait: 20h
      - send: "Still there?"
  forget:
    when: [dm: forget, comment: forget]
    limits: { per_person: 1m }
    do:
      - forget_me
      - send: "Nothing was deleted."
  price: { when: [dm: price], do: [send: "Ten."] }
  sure: { when: [dm: sure], do: [{ ask: "Do you like it?" }, { send: "Good." }] }
"""
START = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
ANNA = "900000000000001"
UNUSUAL = "XXXL-and-blue-as-the-sky"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _flows(language: str = "") -> str:
    text = FLOWS.replace("LANGUAGE\n", f"language: {language}\n" if language else "")
    return text.replace(
        '[ask: { question: "Do you like it?" }, { send: "Good." }]',
        '[{ ask: "Do you like it?" }, { send: "Good." }]',
    )


async def _says(shop: Machine, *texts: str, igsid: str = ANNA) -> None:
    for text in texts:
        shop.move_to(shop.clock.now() + timedelta(seconds=1))
        at = int(shop.clock.now().timestamp() * 1000)
        await shop.deliver(events.talk({**events.message(igsid, text), "timestamp": at}))
        await shop.works()


def _rows(shop: Machine) -> Mapping[str, int]:
    """Table -> rows about people."""
    conn = shop.reader.connection
    held = (name for name, table in REGISTER.items() if table.person_key is not None)
    counts = {name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in held}
    return {name: n for name, n in counts.items() if n}


def _files(folder: Path) -> bytes:
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and "pamosnik.db" in path.name
    )


def _account(shop: Machine) -> Account:
    return accounts.every(shop.reader.connection)[0]


def _runs(shop: Machine) -> list[Shape]:
    conn = shop.reader.connection
    return reading.runs(conn, accounts.every(conn)[0])


async def _forgets(shop: Machine, *, yes: str = "yes") -> None:
    await _says(shop, "forget", yes)
    await shop.eraser.round()


async def test_everything_is_erased_to_the_last_byte(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _says(shop, "size", UNUSUAL)
        await _says(shop, "price", igsid="900000000000002")
        await shop.deliver(events.change(events.comment(ANNA, "nice reel", username="anna.unusual")))
        await shop.works()
        await _says(shop, "forget")
        assert shop.fake.last(ANNA).text == "Shall I really delete everything I know about you?"
        assert list(shop.fake.last(ANNA).buttons) == ["Yes, delete it", "No, keep it"]
        others = {"events": 1, "contacts": 1, "runs": 1, "turns": 1, "outbox": 1, "starts": 1, "variants": 1}
        await _says(shop, "Yes, delete it")
        assert shop.fake.thread(ANNA)[-1] == "Done. Everything about you is deleted."
        assert [run["status"] for run in _runs(shop) if run["flow"] == "size"] == ["stopped"]
        await shop.eraser.round()
        assert _rows(shop) == others
        written = _files(tmp_path)
        for trace in (UNUSUAL, ANNA, "anna.unusual", "nice reel"):
            assert trace.encode() not in written, trace
        assert ANNA not in shop.reader.path.with_name(ledger.NAME).read_text()
        assert tombstones.to_purge(shop.reader.connection) == []


async def test_what_is_told_late_does_not_bring_it_back(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        at = int(START.timestamp() * 1000)
        late = events.talk({**events.message(ANNA, "price"), "timestamp": at})
        await _says(shop, "size", UNUSUAL)
        await _forgets(shop)
        done = shop.fake.last(ANNA)
        echo = {
            **events.echo(ANNA, done.mid, done.text),
            "timestamp": int(shop.clock.now().timestamp() * 1000),
        }
        seen = {**events.seen(ANNA, done.mid), "timestamp": int(shop.clock.now().timestamp() * 1000) + 5000}
        shop.move_to(shop.clock.now() + timedelta(minutes=10))
        await shop.deliver(late, events.talk(echo), events.talk(seen))
        await shop.catch_up.round()
        await shop.works()
        assert _rows(shop) == {}
        assert len(shop.fake.thread(ANNA)) == 4
        # They write again: somebody new, who is told once more that a machine writes.
        await _says(shop, "price")
        assert shop.fake.thread(ANNA)[-1] == "A machine.\nTen."
        (person,) = reading.people(shop.reader.connection, _account(shop), limit=None)
        assert (person["tags"], person["fields"]) == ([], {})


async def test_what_they_write_before_the_eraser_came_is_a_new_persons(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _says(shop, "size", UNUSUAL, "forget", "yes", "price")
        assert shop.fake.thread(ANNA)[-1] == "Done. Everything about you is deleted."
        await shop.eraser.round()
        await shop.works()
        assert shop.fake.thread(ANNA)[-1] == "A machine.\nTen."
        assert UNUSUAL.encode() not in _files(tmp_path)


@pytest.mark.parametrize("said", ["No, keep it", "no", "what?", "yes or no?", "2", "price"])
async def test_anything_else_deletes_nothing(tmp_path: Path, said: str) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _says(shop, "forget", said)
        answered = shop.fake.thread(ANNA)[1:]
        assert answered == ["Nothing was deleted.", *(["Ten."] if said == "price" else [])]
        # A later yes answers something else.
        await _says(shop, "sure", "yes")
        assert shop.fake.thread(ANNA)[-1] == "Good."
        await shop.eraser.round()
        assert _rows(shop)["contacts"] == 1


async def test_nobody_answers_for_an_hour(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _says(shop, "forget")
        await shop.later(hours=1, minutes=1)
        await _says(shop, "yes")
        await shop.eraser.round()
        assert [run["status"] for run in _runs(shop)] == ["expired"]
        assert _rows(shop)["contacts"] == 1


@pytest.mark.parametrize(
    ("language", "yes"), [("de", "JA!"), ("pl", "Tak, usuń"), ("es", "si"), ("pl", "yes"), ("de", "1")]
)
async def test_in_four_languages(tmp_path: Path, language: str, yes: str) -> None:
    async with machine(tmp_path, _flows(language), clock=VirtualClock(START)) as shop:
        await _forgets(shop, yes=yes)
        assert _rows(shop) == {}


async def test_the_confirmation_does_not_leave(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _says(shop, "forget")
        (connected,) = connections.of_account(shop.reader.connection, _account(shop).id)
        until = shop.clock.now() + timedelta(hours=5)
        await shop.writer.write(lambda conn: connections.rest(conn, connected.id, until, "Meta asked for it"))
        await _says(shop, "yes")
        await shop.eraser.round()
        assert shop.states()[0] == ItemStatus.SENT.value
        assert _rows(shop)["contacts"] == 1
        shop.move_to(shop.clock.now() + timedelta(minutes=11))
        await shop.eraser.round()
        assert _rows(shop) == {}


async def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, _flows()) as (settings, fake):
        async with running(settings, fake, VirtualClock(START)) as shop:
            await _says(shop, "size", UNUSUAL, *["price"] * 3, "forget", "yes")
            (contact_id,) = forget.ready(shop.reader.connection, shop.clock.now())
            some = partial(forget.erase_some, contact_id=contact_id, now=shop.clock.now())
            assert await shop.writer.write(some)
            assert await shop.writer.write(some)
        async with running(settings, fake, VirtualClock(START + timedelta(minutes=5))) as shop:
            await shop.works()
            await shop.eraser.round()
            assert _rows(shop) == {}
            assert UNUSUAL.encode() not in _files(tmp_path)
            await _says(shop, "price")
            assert shop.fake.thread(ANNA)[-1] == "A machine.\nTen."


async def test_a_restored_backup_forgets_again(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, _flows()) as (settings, fake):
        async with running(settings, fake, VirtualClock(START)) as shop:
            await _says(shop, "size", UNUSUAL)
            made = backups.create(settings, None, shop.clock.now())
            await _says(shop, "price", igsid="900000000000002")
            await _forgets(shop)
            await shop.writer.write(lambda conn: None)
        backups.restore(settings, made.path, shop.clock.now())
        async with running(settings, fake, VirtualClock(START + timedelta(hours=1))) as shop:
            await shop.works()
            await shop.catch_up.round()
            await shop.works()
            await shop.eraser.round()
            # Of the other one, who wrote after the backup, it reads that somebody has answered.
            assert _rows(shop) == {"events": 1}


async def test_a_stop_outlives_it(tmp_path: Path) -> None:
    async with machine(tmp_path, _flows(), clock=VirtualClock(START)) as shop:
        await _says(shop, "stop")

        def wants(conn: Connection) -> None:
            (contact_id,) = (one for (one,) in conn.execute("SELECT contact_id FROM contacts"))
            contacts.set_forget(conn, contact_id, shop.clock.now())

        await shop.writer.write(wants)
        await shop.eraser.round()
        assert _rows(shop) == {}
        before = len(shop.fake.thread(ANNA))
        await _says(shop, "price")
        assert len(shop.fake.thread(ANNA)) == before
        await _says(shop, "start", "price")
        assert shop.fake.thread(ANNA)[-1] == "Ten."
