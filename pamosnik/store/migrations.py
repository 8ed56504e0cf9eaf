"""The tables, as an append-only list of migrations. Each runs in one transaction with its record.

`store/schema.sql` is written from these (`python -m pamosnik.store.migrations`), and a test compares both.
Every table carries the account. `STRICT` and `CHECK` keep out what the code must never write.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError
from pamosnik.model import run_marks
from pamosnik.store import copies, month_tables, page_tables, privacy_tables, room, stats
from pamosnik.store.early_migrations import EARLY

SET = "pamosnik"
_WORK_BETWEEN_WORDS = 1_000_000
"""Of SQLite's steps: a few hundredths of a second."""


def m0022_walls(conn: Connection) -> None:
    """Sessions that can be named, browsers that logged in before, links in mails to holders, tokens of the API."""
    conn.execute("ALTER TABLE sessions ADD COLUMN session_id TEXT")  # its name where it is listed and ended
    conn.execute(
        "ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT ''"
    )  # like "Firefox on Android"
    conn.execute("UPDATE sessions SET session_id = hex(randomblob(13))")
    conn.execute("CREATE UNIQUE INDEX sessions_by_id ON sessions (session_id)")
    conn.execute("CREATE INDEX sessions_of_account ON sessions (account_id)")
    conn.execute("ALTER TABLE login_attempts ADD COLUMN what TEXT NOT NULL DEFAULT 'login'")
    conn.execute(
        """\
CREATE TABLE known_browsers ( -- logged in before: strangers who guess passwords do not lock them out
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  made_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT"""
    )
    conn.execute("CREATE INDEX known_browsers_of_account ON known_browsers (account_id)")
    conn.execute(
        """\
CREATE TABLE mailed_links ( -- links in mails to the account's holder, for one use; the mail holds the token
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  purpose TEXT NOT NULL CHECK (purpose IN ('reset_password', 'confirm_email')),
  email TEXT NOT NULL, -- where the mail went
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT"""
    )
    conn.execute("CREATE INDEX mailed_links_of_account ON mailed_links (account_id)")
    conn.execute(
        """\
CREATE TABLE api_tokens ( -- for scripts; who made one holds the token, this its SHA-256
  token_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  name TEXT NOT NULL,
  token_hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER, -- NULL: never
  UNIQUE (account_id, name)
) STRICT"""
    )


def m0023_privacy(conn: Connection) -> None:
    """Receipts of every kind of deletion, Meta's requests, consents, an audit that stays, legal texts."""
    for statement in privacy_tables.STATEMENTS:
        conn.execute(statement)


def m0024_replies(conn: Connection) -> None:
    """What stands below a comment is found without reading all events: whoever is forgotten leaves no id there."""
    conn.execute("CREATE INDEX events_below ON events (connection_id, parent_id) WHERE parent_id IS NOT NULL")


def m0025_numbers(conn: Connection) -> None:
    """Numbers of steps and links, what posts say, words to find people by."""
    for statement in page_tables.STATEMENTS:
        conn.execute(statement)


def m0026_logins(conn: Connection) -> None:
    """Logins with Instagram that are under way."""
    conn.execute(
        """\
CREATE TABLE instagram_logins ( -- each has an address, for one connection; whoever is told it holds the token
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  how TEXT NOT NULL CHECK (how IN ('command', 'page')), -- where it was begun
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  connection_id TEXT, -- what it connected; NULL: nothing yet
  problem TEXT -- why the last try failed
) STRICT"""
    )
    conn.execute("CREATE INDEX instagram_logins_of_account ON instagram_logins (account_id)")


def m0027_onward(conn: Connection) -> None:
    """Which steps runs went on from: of runs that are kept, on the day of their start."""
    rows = conn.execute(
        "SELECT run_id, counted, account_id, connection_id, flow_id, date(started_at/1000, 'unixepoch'), version"
        " FROM runs WHERE instr(counted, ' at:')"
    ).fetchall()
    for run_id, counted, account_id, connection_id, flow_id, day, version in rows:
        marks = run_marks.new("", run_marks.steps(counted))
        onward = [mark for mark in marks if not run_marks.came_to(mark)]
        words = "".join(f" {mark} " for mark in onward)
        conn.execute("UPDATE runs SET counted = counted || ? WHERE run_id=?", (words, run_id))
        for step in map(run_marks.path, onward):
            stats.count(
                conn, account_id, connection_id, flow_id, stats.ONWARD, day, version=version, step=step
            )


def m0028_months(conn: Connection) -> None:
    """Sums of the daily totals by month."""
    for statement in month_tables.STATEMENTS:
        conn.execute(statement)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    *EARLY,
    m0022_walls,
    m0023_privacy,
    m0024_replies,
    m0025_numbers,
    m0026_logins,
    m0027_onward,
    m0028_months,
)


def applied(conn: Connection) -> list[str]:
    """Names of the migrations this database has had, in order."""
    known = conn.execute("SELECT 1 FROM sqlite_master WHERE name='_sqlite_migrations'").fetchone()
    if known is None:
        return []
    rows = conn.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set=:set ORDER BY rowid", {"set": SET}
    )
    return [name for (name,) in rows]


def require_not_newer(conn: Connection, path: Path) -> None:
    """Refuses a database that a newer Pamosnik has changed."""
    had = applied(conn)
    known = {migration.__name__ for migration in MIGRATIONS}
    if any(name not in known for name in had):
        raise HomeError(
            f"The database {path} has version {len(had)}; this Pamosnik knows versions up to {len(MIGRATIONS)}.",
            hint="Install the newer Pamosnik that made it, or restore a backup from before the upgrade.",
        )


def require_current(conn: Connection, path: Path) -> None:
    """Refuses a database that an older Pamosnik made and nobody has brought up to date."""
    had = applied(conn)
    if len(had) < len(MIGRATIONS):
        raise HomeError(
            f"The database {path} has version {len(had)}; this Pamosnik needs version {len(MIGRATIONS)}.",
            hint="`pamosnik serve` brings it up to date at its start, and so does any command that changes something."
            " Without either, try: pamosnik init",
        )


Told = Callable[[int, int], None]
"""Hears how many steps of how many are done; of a long one several times."""


def apply(conn: Connection, path: Path, tell: Told = lambda _done, _steps: None) -> list[str]:
    """Runs what is missing; returns the names. An existing database is first copied beside itself, which is the first
    step. Raises `HomeError` before anything is done when the disk has no room for that."""
    had = set(applied(conn))
    missing = [migration for migration in MIGRATIONS if migration.__name__ not in had]
    if not missing:
        return []
    steps = len(missing) + (1 if had else 0)
    if had:
        _require_room(conn, path)
        tell(0, steps)
        _copy_aside(conn, path, len(had))
    # sqlite_utils takes 160 ms to import, and is needed only here.
    import sqlite_utils

    telling = _Telling(conn, tell, steps - len(missing), steps)
    migrations = sqlite_utils.Migrations(SET)
    for migration in MIGRATIONS:
        migrations(name=migration.__name__)(_for_sqlite_utils(migration, telling))
    try:
        migrations.apply(sqlite_utils.Database(conn))
    finally:
        telling.end()
    return [migration.__name__ for migration in missing]


class _Telling:
    """Tells at the beginning of each migration how far it is, and again and again while a long one works."""

    def __init__(self, conn: Connection, tell: Told, done: int, steps: int) -> None:
        self._conn, self._tell, self._done, self._steps = conn, tell, done, steps
        conn.set_progress_handler(self._again, _WORK_BETWEEN_WORDS)

    def step(self) -> None:
        self._tell(self._done, self._steps)
        self._done += 1

    def _again(self) -> int:
        self._tell(self._done - 1, self._steps)
        return 0

    def end(self) -> None:
        self._conn.set_progress_handler(None, 0)
        self._tell(self._done, self._steps)


def _for_sqlite_utils(migration: Callable[[Connection], None], telling: _Telling) -> Callable[..., None]:
    def run(db: object) -> None:
        telling.step()
        migration(db.conn)  # type: ignore[attr-defined]

    run.__name__ = migration.__name__
    return run


def _require_room(conn: Connection, path: Path) -> None:
    """For the copy, and for a log in which every page stands anew."""
    size = bytes_of(conn)
    room.require(path.parent, 2 * size, f"Bringing the database {path} up to date", "It was left as it is.")


def bytes_of(conn: Connection) -> int:
    """How big the database is, what stands in the log alone included."""
    (pages,), (page,) = (conn.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages) * int(page)


def _copy_aside(conn: Connection, path: Path, version: int) -> None:
    """A consistent copy of the database as it was, beside it: there as a whole or not at all."""
    copy = copies.before_version(path, version + 1)
    part = copies.before_version(path, f"{version + 1}-part")  # a name under which deletions find it, too
    part.unlink(missing_ok=True)  # of an upgrade that was killed
    part.touch(mode=0o600)
    target = _sqlite.connect(str(part))
    try:
        conn.backup(target)
    finally:
        target.close()
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(copy)


def schema_sql() -> str:
    """The schema that the migrations make, as one text."""
    conn = _sqlite.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        migration(conn)
    rows = conn.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    return ";\n\n".join(sql for (sql,) in rows) + ";\n"


if __name__ == "__main__":
    sys.stdout.write("-- Written by `python -m pamosnik.store.migrations`; do not edit.\n\n" + schema_sql())
