"""Removing what deleted rows leave behind, by a command while no daemon does."""

from collections.abc import Callable
from datetime import datetime

from pamosnik.config import Config
from pamosnik.services import home
from pamosnik.store import deletions
from pamosnik.store.database import open_database
from pamosnik.store.vacuum import empty_wal, rebuild


def remove(settings: Config, now: Callable[[], datetime]) -> bool:
    """Writes the file anew and empties its log. False: a daemon runs, or somebody reads, and the daemon does it. No
    connection to the database may be held by the caller."""
    if home.daemon_running(settings.home):
        return False
    with home.lock(settings.home), open_database(settings.database) as database:
        began = now()
        rebuild(database.connection)
        gone = empty_wal(database.connection)
        if gone:
            database.write(lambda conn: deletions.traces_gone(conn, began))
        return gone
