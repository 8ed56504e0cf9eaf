"""What nobody expects in the writing thread ends the writer, and leaves nobody waiting."""

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.store import accounts
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter
from tests.store.rows import NOW, database

WITHIN_S = 10
"""Only where somebody would wait for ever."""


class Breaking(Connection):  # type: ignore[misc]
    """A connection whose COMMIT raises what SQLite never raises."""

    broken = True

    def execute(self, sql: str, *parameters: Any) -> _sqlite.Cursor:
        if sql == "COMMIT" and self.broken:
            raise LookupError("an error that nobody expects")
        return super().execute(sql, *parameters)


@pytest.fixture
def breaking(tmp_path: Path) -> Iterator[Database]:
    with database(tmp_path) as opened:
        path = opened.path
    connection = _sqlite.connect(str(path), isolation_level=None, check_same_thread=False, factory=Breaking)
    with Database(path, connection) as broken:
        yield broken


def _note(conn: Connection, action: str) -> str:
    accounts.audit(conn, "a1", actor="test", action=action, subject=None, now=NOW)
    return action


def test_an_unexpected_error_fails_all_that_wait_and_all_that_come_later(
    breaking: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> list[object]:
        writer = GroupWriter(breaking)
        waiting = [writer.write(partial(_note, action=str(n))) for n in range(120)]
        async with asyncio.timeout(WITHIN_S):
            first: list[object] = list(await asyncio.gather(*waiting, return_exceptions=True))
            assert writer.failed.is_set()
            later = (
                writer.write(partial(_note, action="later")),
                writer.alone(partial(_note, action="alone")),
            )
            first += await asyncio.gather(*later, return_exceptions=True)
            await writer.close()
        return first

    results = asyncio.run(run())
    assert [type(result) for result in results] == [LookupError] * 122
    assert not breaking.connection.in_transaction
    assert breaking.connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.__dict__["action"] for record in said] == ["writer.failed"]
    assert said[0].exc_info is not None


def test_a_function_that_raises_stop_iteration_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A future refuses StopIteration: it and all behind it in the group would never have been told."""

    def stops(_: Connection) -> str:
        return next(iter(()))

    async def run(opened: Database) -> list[object]:
        writer = GroupWriter(opened)
        one, two = partial(_note, action="one"), partial(_note, action="two")
        jobs = (writer.write(one), writer.write(stops), writer.write(two))
        async with asyncio.timeout(WITHIN_S):
            results = await asyncio.gather(*jobs, return_exceptions=True)
            await writer.close()
        return list(results)

    with database(tmp_path) as opened:
        results = asyncio.run(run(opened))
    assert [type(result) for result in results] == [str, RuntimeError, str]
