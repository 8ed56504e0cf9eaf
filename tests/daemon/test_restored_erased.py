"""A restored backup is erased again, of whatever was deleted after it was made, down to its bytes."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.services import backups, erasing
from pamosnik.services.backups import Restored
from pamosnik.store import accounts, connections, copies, deletions, exports
from pamosnik.store.database import open_database
from pamosnik.store.deletions import Cause
from tests.crash import forked
from tests.daemon import events
from tests.daemon.bytes_left import left
from tests.daemon.fake import FakeInstagram
from tests.daemon.machine import Machine, home_and_fake, running

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
flows:
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size, choices: [Small, Large] }
  price:
    when: [comment: price]
    do: [send: "Hi {username|there}!"]
fields:
  size: { type: choice, choices: [Small, Large] }
"""
BELA, CELIA, DORA = "900200000000002", "900300000000003", "900400000000004"
NAMES = (BELA, "bela.secretive", f"c{BELA}", "what bela wants to know")
OTHERS = (CELIA, "celia.secretive", f"c{CELIA}")
WATCHED = (DORA, "dora only watched")
TWELVE_MINUTES = timedelta(minutes=12)


@dataclass
class Story:
    settings: Config
    fake: FakeInstagram
    clock: Clock
    backup: Path
    token: bytes

    @property
    def home(self) -> Path:
        return self.settings.home

    def restores(self, settings: Config | None = None) -> Restored:
        return backups.restore(settings or self.settings, self.backup, self.clock.now())

    def look(self, question: Callable[[Connection], object]) -> object:
        with open_database(self.settings.database) as database:
            return question(database.connection)


@asynccontextmanager
async def story(folder: Path) -> AsyncIterator[Story]:
    """Three people, one of whom has done nothing that a flow answers; then a backup is made."""
    async with home_and_fake(folder, FLOWS) as (settings, fake):
        async with running(settings, fake) as shop:
            for igsid, name, text in (
                (BELA, "bela", "what bela wants to know"),
                (CELIA, "celia", "and celia too"),
            ):
                value = events.comment(
                    igsid, f"price: {text}", username=f"{name}.secretive", comment_id=f"c{igsid}"
                )
                await shop.deliver(events.change(value))
            await shop.deliver(events.talk(_message(shop, DORA, "dora only watched")))
            await shop.works()
            token = connections.sealed_token(shop.reader.connection, _connection(shop.reader.connection))
            assert token is not None
            made = backups.create(settings, None, shop.clock.now()).path
        yield Story(settings, fake, shop.clock, made, token)


def _message(shop: Machine, igsid: str, text: str) -> events.Json:
    return {**events.message(igsid, text), "timestamp": int(shop.clock.now().timestamp() * 1000)}


def _connection(conn: Connection) -> str:
    return connections.of_account(conn, accounts.every(conn)[0].id)[0].id


Deed = Callable[[Machine], Awaitable[None]]


async def _forgets(shop: Machine, *people: str) -> None:
    def begin(conn: Connection) -> None:
        for who in people:
            for one in erasing.people(conn, accounts.every(conn)[0].id, who):
                erasing.begin_forget(conn, one, cause=Cause.COMMAND, actor="command", now=shop.clock.now())

    await shop.writer.write(begin)


async def _disconnects(shop: Machine) -> None:
    begin = partial(erasing.begin_disconnect, connection_id=_connection(shop.reader.connection))
    await shop.writer.write(partial(begin, cause=Cause.META_REQUEST, actor="x", now=shop.clock.now()))


async def _deletes_the_account(shop: Machine) -> None:
    account_id = accounts.every(shop.reader.connection)[0].id
    begin = partial(erasing.begin_delete_account, account_id=account_id, cause=Cause.COMMAND)
    await shop.writer.write(partial(begin, actor="command", now=shop.clock.now()))


DEEDS: dict[str, tuple[Deed, tuple[str, ...]]] = {
    "people": (lambda shop: _forgets(shop, BELA, DORA), (*NAMES, *WATCHED)),
    "connection": (_disconnects, (*NAMES, *OTHERS, *WATCHED, events.IG_ID)),
    "account": (_deletes_the_account, (*NAMES, *OTHERS, *WATCHED, events.IG_ID, "Rosa", "rosa@shop.example")),
}


async def _is_deleted(told: Story, what: str, *, to_the_end: bool) -> None:
    """After a while, so that the deletion is newer than the backup."""
    async with running(told.settings, told.fake, told.clock) as shop:
        shop.move_to(shop.clock.now() + TWELVE_MINUTES)
        await DEEDS[what][0](shop)
        if to_the_end:
            await shop.eraser.round()
            assert deletions.under_way(shop.reader.connection) == []


@pytest.mark.parametrize("to_the_end", [True, False], ids=["deleted", "just begun"])
@pytest.mark.parametrize("what", DEEDS)
async def test_what_was_deleted_since_is_in_no_byte_of_the_restored_home(
    tmp_path: Path, what: str, to_the_end: bool
) -> None:
    secrets = DEEDS[what][1]
    async with story(tmp_path) as told:
        await _is_deleted(told, what, to_the_end=to_the_end)
        done = told.restores()
        assert left(told.home, secrets) == {}
        if what != "people":
            assert left(told.home, [told.token]) == {}
        else:
            assert set(left(told.home, OTHERS)) == set(OTHERS), "others are there again"
        again = done.again
        assert (again.people, again.connections > 0, again.accounts) == {
            "people": (2, False, 0),
            "connection": (0, True, 0),
            "account": (0, done.again.connections > 0, 1),
        }[what]
        assert (done.replaced_held, done.kept is None) == (not to_the_end, not to_the_end)
        assert told.look(deletions.under_way) == []
        # Whatever comes after it brings nobody back, and leaves nothing to do.
        async with running(told.settings, told.fake, told.clock) as shop:
            shop.move_to(shop.clock.now() + timedelta(seconds=35))
            await shop.catch_up.round()
            await shop.works()
            await shop.eraser.round()
        assert left(told.home, secrets) == {}


async def test_receipts_and_codes_of_the_time_between_stay(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        await _is_deleted(told, "connection", to_the_end=True)
        with open_database(told.settings.database) as database:
            (deletion_id,) = database.connection.execute("SELECT deletion_id FROM deletions").fetchone()
            put = partial(deletions.put_request, code="CODE", account_id="", deletion_id=deletion_id)
            database.write(lambda conn: put(conn, now=told.clock.now()))
            receipt = deletions.load(database.connection, deletion_id)
        told.restores()
        found = told.look(lambda conn: deletions.request(conn, "CODE"))
        assert isinstance(found, deletions.Request)
        assert found.deletion == receipt


async def test_a_person_who_came_back_stays(tmp_path: Path) -> None:
    """What they did after they were forgotten is a new person's."""
    async with story(tmp_path) as told:
        await _is_deleted(told, "people", to_the_end=True)
        async with running(told.settings, told.fake, told.clock) as shop:
            shop.move_to(shop.clock.now() + TWELVE_MINUTES)
            await shop.deliver(events.talk(_message(shop, BELA, "bela is back")))
            await shop.works()
            told.backup = backups.create(told.settings, None, shop.clock.now()).path
        done = told.restores()
        assert done.again.nothing
        assert done.kept is not None
        assert set(left(told.home, (BELA, "bela is back"))) == {BELA, "bela is back"}


@pytest.mark.parametrize("what", DEEDS)
async def test_another_home_learns_it_from_the_file_beside_the_backup(tmp_path: Path, what: str) -> None:
    async with story(tmp_path) as told:
        other = replace(told.settings, home=tmp_path / "other")
        alone = tmp_path / "alone"
        alone.mkdir()
        shutil.copy(told.backup, alone)
        await _is_deleted(told, what, to_the_end=True)
        # With the backup's own file alone, nobody can know: it is as old as the backup.
        (made,) = backups.every(told.settings)
        assert made.manifest is not None
        assert backups.unknown_since(other, alone / told.backup.name) == made.manifest.created_at
        shutil.copy(told.backup.with_name("erasures.log"), alone)
        assert backups.unknown_since(other, alone / told.backup.name) is None
        told.backup = alone / told.backup.name
        told.restores(other)
        assert left(other.home, DEEDS[what][1]) == {}
        # What it learned it keeps, and needs the other file no more.
        (alone / "erasures.log").unlink()
        shutil.copy(told.settings.key_file, other.key_file)
        told.restores(other)
        assert left(other.home, DEEDS[what][1]) == {}


async def test_lines_that_nobody_understands_are_told_and_stay(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        await _is_deleted(told, "people", to_the_end=True)
        file = told.home / "erasures.log"
        foreign = [
            '{"person": 1}',
            "nonsense",
            '{"connection": "x", "person": "zz", "said_at": 1, "erased_at": 1}',
            "[1]",
        ]
        with file.open("ab") as log:
            log.write("\n".join(foreign).encode() + b'\n\xff\xfe\n{"connection": "cut')
        before = file.read_bytes()
        done = told.restores()
        assert done.unread == 6
        assert file.read_bytes().startswith(before)
        assert left(told.home, NAMES) == {}


async def test_what_was_exported_and_taken_back_is_not_left_beside_it(tmp_path: Path) -> None:
    """What the eraser would have removed, had the database not been replaced before."""
    async with story(tmp_path) as told:
        await _is_deleted(told, "people", to_the_end=False)
        account_id = told.look(lambda conn: accounts.every(conn)[0].id)
        exported = (
            told.home / "exports" / exports.new(told.home, str(account_id), None, told.clock.now()).path.name
        )
        exported.parent.mkdir()
        exported.write_bytes(NAMES[-1].encode())
        older = copies.before_restore(told.settings.database, told.clock.now() - timedelta(days=1))
        shutil.copy(told.settings.database, older)
        told.restores()
        assert left(told.home, NAMES) == {}


async def test_traces_are_not_kept_with_the_database_that_was_there(tmp_path: Path) -> None:
    async with story(tmp_path) as told:
        async with running(told.settings, told.fake, told.clock) as shop:
            mid = str(_message(shop, DORA, "x")["message"]["mid"])
            text = events.message(DORA, "dora takes this back", mid=mid)
            await shop.deliver(events.talk({**text, "timestamp": int(shop.clock.now().timestamp() * 1000)}))
            await shop.works()
            await shop.deliver(events.talk(events.unsent(DORA, mid)))
            await shop.works()
        done = told.restores()
        assert done.kept is not None
        assert left(told.home, ["dora takes this back"]) == {}


# --- killed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nth", [1, 2, 4, 8, 99])
async def test_killed_anywhere_it_brings_nobody_back(tmp_path: Path, nth: int) -> None:
    """The old database goes on with its deletion, or the new one is without what was deleted; and it is repeated."""
    async with story(tmp_path) as told:
        await _is_deleted(told, "people", to_the_end=False)
        environment = {**os.environ, "PAMOSNIK_HOME": str(told.home)}
        words = ("restore", str(told.backup), "--yes")
        (tmp_path / "orders").write_text(f"{nth} after")
        process = forked.start(words, environment, tmp_path / "killed.log", folder=tmp_path)
        assert await forked.ended(process) == (0 if nth == 99 else -signal.SIGKILL)
        async with running(told.settings, told.fake, told.clock) as shop:
            await shop.eraser.round()
        after_the_daemon = left(told.home, (*NAMES, *WATCHED))
        (tmp_path / "orders").unlink()
        process = forked.start(words, environment, tmp_path / "again.log")
        assert await forked.ended(process) == 0, (tmp_path / "again.log").read_text()
        assert after_the_daemon == {}
        assert left(told.home, (*NAMES, *WATCHED)) == {}
        assert set(left(told.home, OTHERS)) == set(OTHERS)
