"""Pamosnik in a process that kills itself, as SIGKILL would, at a commit that the orders name.

    python -m tests.crash.armed FOLDER LATER_S serve --port 8788

Nothing in the product knows of it: SQLite's connections are watched from here. FOLDER/orders, as soon as it is there,
says at which commit to die, counted from then on: `3 before` = all is done but the COMMIT itself, `3 after` = it is
on disk and nobody has been told. Only commits that change something count; what each changed is a line of
FOLDER/commits. The clock is LATER_S seconds ahead: a machine that was switched off for that long.
"""

import os
import re
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from pamosnik import _sqlite, cli, clock

_CHANGE = re.compile(
    r"\s*(?:INSERT(?: OR \w+)? INTO|REPLACE INTO|UPDATE(?: OR \w+)?|DELETE FROM)\s+[\"']?(\w+)"
)
_FILE_MARK = "PRAGMA application_id="
"""The one change that a new database gets outside of a transaction."""


class Orders:
    """When to die, and the journal of what was committed."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / "orders"
        self._journal = folder / "commits"
        self._counted = 0

    def reached(self, moment: str, tables: set[str]) -> None:
        """Called before and after every change becomes durable; does not return when this is the one."""
        if moment == "before":
            with self._journal.open("a") as journal:
                journal.write(" ".join(sorted(tables)) + "\n")
        if not self._orders.exists():
            return
        self._counted += moment == "before"
        nth, when = self._orders.read_text().split()
        if (self._counted, moment) == (int(nth), when):
            os.kill(os.getpid(), signal.SIGKILL)


class Watched(_sqlite.Connection):  # type: ignore[misc]
    """A connection that tells `orders` of its commits."""

    orders: Orders

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tables: set[str] = set()
        self._changes_before = 0

    def execute(self, sql: str, *parameters: Any) -> _sqlite.Cursor:
        if not self.in_transaction:
            self._tables, self._changes_before = set(), self.total_changes
        durable = sql.startswith(_FILE_MARK) or (
            sql == "COMMIT" and self.total_changes > self._changes_before
        )
        if durable:
            self.orders.reached("before", self._tables or {"file"})
        before = self.total_changes
        cursor = super().execute(sql, *parameters)
        # What returns rows has not counted its changes yet.
        if (change := _CHANGE.match(sql)) and (self.total_changes > before or "RETURNING" in sql):
            self._tables.add(change[1])
        if durable:
            self.orders.reached("after", self._tables)
        return cursor


class LaterClock(clock.SteadyClock):
    """The machine's clock, some seconds ahead."""

    ahead_s = 0.0

    def __init__(self) -> None:
        super().__init__(machine=lambda: time.time() + self.ahead_s)


def arm(folder: Path, later_s: float) -> None:
    """From now on this process obeys the orders in `folder`, `later_s` seconds ahead of the machine's clock."""
    Watched.orders = Orders(folder)
    LaterClock.ahead_s = later_s
    _sqlite.connect = partial(_sqlite.connect, factory=Watched)
    clock.SteadyClock = LaterClock  # type: ignore[assignment,misc]


def main() -> None:
    arm(Path(sys.argv[1]), float(sys.argv[2]))
    sys.exit(cli.run(sys.argv[3:]))


if __name__ == "__main__":
    main()
