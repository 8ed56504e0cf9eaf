"""Bringing an export into an empty account, in short transactions between those of a daemon.

First come the connections, disconnected: nothing is taken in or sent for them, and until the last transaction neither
can be connected and no flow be applied. Then people and what hangs on them; last of all, at once, flows, codes and
the state of the connections. Killed anywhere, the same file goes on where it stopped: what is there already stays.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.errors import Again, PamosnikError
from pamosnik.privacy import importing_rows as rules
from pamosnik.privacy.importing_check import Checked
from pamosnik.privacy.importing_file import ExportFile
from pamosnik.privacy.importing_forgotten import leave_stones
from pamosnik.store import imports, shape

CHUNK = 500
"""Rows of one transaction, which others wait for: some 20 ms."""

Write = Callable[[Callable[[Connection], Any]], Any]
"""Runs a function in one transaction that changes rows of the account alone."""


def bring_in(
    write: Write,
    file: ExportFile,
    checked: Checked,
    now: datetime,
    needs_login: Callable[[Connection, str], None],
    on_rows: Callable[[int], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Does what `checked` says; it must have no problems. `needs_login` hears of each connection that is to be
    connected again, within the last transaction. Raises `PamosnikError` when the import was ended from elsewhere."""
    assert not checked.problems
    move, digest = checked.move, file.manifest.digest
    if checked.connections:
        write(partial(_begin, checked=checked, digest=digest, now=now))
        for table in rules.PEOPLE:
            rows = _rows(file, table, checked)
            while chunk := list(islice(rows, CHUNK)):
                began = time.monotonic()
                write(partial(_put, account_id=move.target, digest=digest, table=table, rows=chunk))
                on_rows(len(chunk))
                # As long as others waited for us: they find the door open at half of their knocks.
                pause(max(0.005, time.monotonic() - began))
    last = {table: list(_rows(file, table, checked, of_holder=True)) for table in rules.AT_THE_END}
    write(partial(_end, checked=checked, digest=digest, last=last, now=now, needs_login=needs_login))
    on_rows(sum(map(len, last.values())))


def _rows(
    file: ExportFile, table: str, checked: Checked, *, of_holder: bool = False
) -> Iterator[dict[str, object]]:
    """As they are to be here. `of_holder`: of consents those of the account's holder, otherwise those of people."""
    for raw in file.rows(table):
        assert isinstance(raw, dict)
        if table == "consents" and (raw["contact_id"] is None) is not of_holder:
            continue
        row = rules.moved(table, raw, checked.move)
        if row is not None:
            yield row


def _begin(conn: Connection, checked: Checked, digest: str, now: datetime) -> None:
    account_id = checked.move.target
    if imports.unfinished(conn, account_id) == digest:
        return
    _require_empty(conn, account_id)
    imports.begun(conn, account_id, digest, now)
    rows = [rules.moved(rules.CONNECTIONS, row, checked.move) for row in checked.connections]
    key = shape.key(conn, rules.CONNECTIONS)
    imports.put(conn, rules.CONNECTIONS, [row for row in rows if row is not None], key)


def _put(
    conn: Connection, account_id: str, digest: str, table: str, rows: Sequence[Mapping[str, object]]
) -> None:
    imports.require_going(conn, account_id, digest)
    imports.put(conn, table, rows, shape.key(conn, table))


def _end(
    conn: Connection,
    checked: Checked,
    digest: str,
    last: Mapping[str, Sequence[Mapping[str, object]]],
    now: datetime,
    needs_login: Callable[[Connection, str], None],
) -> None:
    account_id = checked.move.target
    if checked.connections:
        imports.require_going(conn, account_id, digest)
    else:
        _require_empty(conn, account_id)
    for table, rows in last.items():
        imports.put(conn, table, rows, shape.key(conn, table))
    imports.set_timezone(conn, account_id, checked.timezone)
    leave_stones(conn, checked.move, checked.forgotten, checked.left_out, now)
    for row in checked.connections:
        connection_id = checked.move.here(str(row["connection_id"]))
        status, reason, delete_after = rules.state_after(row)
        imports.moved_in(conn, connection_id, status=status, reason=reason, delete_after_ms=delete_after)
        if status == "needs_login":
            needs_login(conn, connection_id)
    imports.done(conn, account_id, digest, now)


def _require_empty(conn: Connection, account_id: str) -> None:
    tables = tuple(table for table in rules.RESTORED if table != "consents")
    if imports.holding(conn, account_id, tables):
        raise PamosnikError(
            "Something came into the account meanwhile; nothing was imported.",
            hint="What stands in the way it says.",
            again=Again(("--dry-run",)),
        )
