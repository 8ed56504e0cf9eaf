"""Bringing an older database up to date, under the home's lock, for `serve`, `init` and what changes something."""

from dataclasses import dataclass
from pathlib import Path

from pamosnik import _sqlite
from pamosnik.config import Config
from pamosnik.errors import HomeError
from pamosnik.services import home
from pamosnik.store import copies, migrations
from pamosnik.store.damage import look_quickly
from pamosnik.store.database import open_database
from pamosnik.store.migrations import Told

NEWEST = len(migrations.MIGRATIONS)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done."""

    version: int
    """Before."""
    kept: Path
    """The database as it was."""


def version_of(database: Path) -> int:
    """Of an existing database of ours; 0: there is none yet, or it cannot be read."""
    try:
        conn = _sqlite.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return len(migrations.applied(conn))
        finally:
            conn.close()
    except _sqlite.Error:
        return 0


def bring_up_to_date(settings: Config, tell: Told) -> Upgraded | None:
    """None: there was nothing to do. Raises `HomeError`; then the database is of the version it had, or of one
    between, and the next try goes on from there."""
    version = version_of(settings.database)
    if not 0 < version < NEWEST:
        return None
    home.require_private(settings)
    if home.daemon_running(settings.home):
        raise HomeError(
            f"The database has version {version}, this Pamosnik needs version {NEWEST}, and the daemon that runs is"
            " an older one.",
            hint="Restart it: it brings the database up to date at its start.",
        )
    with home.lock(settings.home):
        look_quickly(settings.database)
        open_database(settings.database, migrate=True, tell=tell).close()
    return Upgraded(version, copies.before_version(settings.database, version + 1))
