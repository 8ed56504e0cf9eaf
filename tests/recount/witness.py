"""What is deleted, kept aside: numbers stay when their rows go, so whoever counts anew needs those rows.

Triggers of the writing connection alone put them into a file of their own; the home's database is as it always is.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.store.times import ms

WATCHED = ("runs", "turns", "outbox", "links", "events", "broadcasts", "flow_versions")
_WITH_FLOW = ("runs", "outbox", "links", "events", "broadcasts")
_TABLES = (
    *(
        f"CREATE TABLE IF NOT EXISTS witness.gone_{table} AS SELECT *, 0 AS gone_at FROM main.{table} WHERE 0"
        for table in WATCHED
    ),
    "CREATE TABLE IF NOT EXISTS witness.became (run_id TEXT, status TEXT, at INTEGER)",
    "CREATE TABLE IF NOT EXISTS witness.visits (token TEXT, clicks INTEGER, previews INTEGER, at INTEGER)",
)
_TRIGGERS = (
    *(
        f"CREATE TEMP TRIGGER IF NOT EXISTS keep_{table} BEFORE DELETE ON main.{table} BEGIN"
        f" INSERT INTO gone_{table} SELECT *, moment() FROM {table} WHERE rowid_of; END"
        for table in WATCHED
    ),
    "CREATE TEMP TRIGGER IF NOT EXISTS see_status AFTER UPDATE OF status ON main.runs"
    " WHEN NEW.status<>OLD.status BEGIN INSERT INTO became VALUES (NEW.run_id, NEW.status, moment()); END",
    "CREATE TEMP TRIGGER IF NOT EXISTS see_visit AFTER UPDATE OF clicks, previews ON main.links BEGIN"
    " INSERT INTO visits VALUES (NEW.token, NEW.clicks-OLD.clicks, NEW.previews-OLD.previews, moment()); END",
)
_KEY = {
    "runs": "run_id=OLD.run_id",
    "turns": "run_id=OLD.run_id AND turn=OLD.turn",
    "outbox": "seq=OLD.seq",
    "links": "token=OLD.token",
    "events": "event_id=OLD.event_id",
    "broadcasts": "broadcast_id=OLD.broadcast_id",
    "flow_versions": "account_id=OLD.account_id AND flow_id=OLD.flow_id AND version=OLD.version",
}


class Witness:
    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """`path`: outside of the home, where everything that is deleted has to be gone."""
        self.path = path
        self._now = now

    def watch(self, conn: Connection) -> None:
        """From now on, through this connection; outside of any transaction. Again whenever a file was written anew:
        that drops what is temporary."""
        conn.create_function("moment", 0, lambda: ms(self._now()))
        if not any(row[1] == "witness" for row in conn.execute("PRAGMA database_list")):
            conn.execute("ATTACH ? AS witness", (str(self.path),))
        for statement in _TABLES:
            conn.execute(statement)
        for table, statement in zip((*WATCHED, "", ""), _TRIGGERS, strict=True):
            conn.execute(statement.replace("rowid_of", _KEY.get(table, "")))

    def renamed(self, conn: Connection, old: str, new: str, account_id: str) -> None:
        """What was counted follows a flow to its new name."""
        for table in _WITH_FLOW:
            conn.execute(
                f"UPDATE gone_{table} SET flow_id=? WHERE flow_id=? AND account_id=?",
                (new, old, account_id),
            )
