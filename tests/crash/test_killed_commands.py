"""A command that changes flows is killed at its commit, or meets a full disk: all of it is there, or nothing."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pamosnik.store.database import open_database
from tests.conversations.changing import Changing
from tests.crash import forked
from tests.daemon.machine import machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: "Automated reply."
fields: { day: text }
facts: { prices: "https://shop.example/prices" }
flows:
  price:
    when: [{ comment: price }, { comment: { words: gift, post: next } }]
    limits: { per_person: once }
    do: [{ send: { text: "Tap.", buttons: [{ label: Send it, do: [{ send: "{prices}" }] }] } }]
  book: { when: [dm: book], mode: restart, do: [{ ask: { question: "Which day?", save_as: day } }] }
  news: { when: [schedule: { at: "09:00" }], do: [{ send: "Soup." }] }
  hello: { when: [{ ice_breaker: Hello }], do: [{ send: "Hello!" }] }
"""
CHANGED = (
    FLOWS.replace("  price:\n", "  prices:\n    was: price\n")
    .replace("  news: {", "  soup: { was: news,")
    .replace("Which day?", "What day?")
    .replace("https://shop.example/prices", "https://shop.example/list")
    .partition("  hello:")[0]
)
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "apply": ("flows", "apply", "changed.yaml", "--prune", "--yes", "--note", "calm"),
    "rollback": ("flows", "rollback", "book", "--yes"),
    "pause": ("flows", "pause", "price"),
    "resume": ("flows", "resume", "book"),
}
_AN_INSTANT = 10**12


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


Rows = Mapping[str, list[tuple[object, ...]]]


def _rows(home: Path) -> Rows:
    """Everything in the database; instants are the same."""
    with open_database(home / "pamosnik.db") as database:
        conn = database.connection
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {
            table: sorted((_masked(row) for row in conn.execute(f'SELECT * FROM "{table}"')), key=repr)
            for table in tables
            if not table.startswith("sqlite_")
        }


def _masked(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple("an instant" if isinstance(v, int) and v > _AN_INSTANT else v for v in row)


async def _busy_home(folder: Path) -> None:
    """Somebody waits for a tap, somebody is asked, one flow is paused."""
    async with machine(folder, FLOWS.replace("Which day?", "When?")) as shop:
        people = Changing(shop, folder)
        await people.applies(FLOWS)
        await people.comments("7001", "price")
        await people.writes("7002", "book")
    done = forked.start(("flows", "pause", "book"), _environment(folder), folder / "said.log")
    assert await forked.ended(done) == 0, (folder / "said.log").read_text()
    (folder / "changed.yaml").write_text(CHANGED, "utf-8")


def _environment(folder: Path) -> Mapping[str, str]:
    return {**os.environ, "PAMOSNIK_HOME": str(folder / "home")}


async def _runs(folder: Path, words: tuple[str, ...], orders: str | None = None) -> tuple[int, str]:
    """The command's exit code, and what it said; killed as the orders say."""
    log = folder / "command.log"
    log.unlink(missing_ok=True)
    (folder / "orders").unlink(missing_ok=True)
    if orders is not None:
        (folder / "orders").write_text(orders)
    here = tuple(str(folder / word) if word.endswith(".yaml") else word for word in words)
    process = forked.start(here, _environment(folder), log, folder=None if orders is None else folder)
    return await forked.ended(process), log.read_text()


@pytest.mark.parametrize("name", COMMANDS)
async def test_killed_at_its_commit_it_is_there_or_not(tmp_path: Path, name: str) -> None:
    words = COMMANDS[name]
    template = tmp_path / "template"
    template.mkdir()
    await _busy_home(template)
    calm = Path(shutil.copytree(template, tmp_path / "calm"))
    assert (await _runs(calm, words))[0] == 0
    before, after = _rows(template / "home"), _rows(calm / "home")
    assert before != after
    for orders, left in (("1 before", before), ("1 after", after)):
        day = Path(shutil.copytree(template, tmp_path / orders.replace(" ", "-")))
        assert (await _runs(day, words, orders))[0] == -signal.SIGKILL, orders
        assert _rows(day / "home") == left
        assert (await _runs(day, words))[0] == 0, "it can be repeated"
        assert _rows(day / "home") == after
    # There is no second commit at which half of it could be there.
    whole = Path(shutil.copytree(template, tmp_path / "whole"))
    assert (await _runs(whole, words, "2 before"))[0] == 0


async def test_a_full_disk_refuses_an_apply_as_a_whole(tmp_path: Path) -> None:
    await _busy_home(tmp_path)
    before = _rows(tmp_path / "home")
    words = f"-m pamosnik flows apply {tmp_path / 'changed.yaml'} --prune --yes"
    refused = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"ulimit -f 2; exec {sys.executable} {words}"),
        env=_environment(tmp_path),
        stdout=-1,
        stderr=-1,
    )
    _, said = await refused.communicate()
    assert refused.returncode == 1
    assert str(tmp_path / "home" / "pamosnik.db") in said.decode()
    assert "Try: df -h" in said.decode()
    assert "Traceback" not in said.decode()
    assert _rows(tmp_path / "home") == before
    assert (await _runs(tmp_path, COMMANDS["apply"]))[0] == 0
