"""Databases of every version since the first, each with a row in every table that it had.

They come about as they did in homes: the migrations one after the other, and rows of that time in between.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.store.database import APPLICATION_ID, connect
from pamosnik.store.migrations import MIGRATIONS, SET

AT = 1_760_000_000_000
_ONE_OF = re.compile(r"\b(\w+) (?:TEXT|INTEGER)[^,]*?CHECK \(\1 IN \(\s*([^)]*)\)", re.DOTALL)
_TABLES = (
    "SELECT name, sql FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
    " AND name<>'_sqlite_migrations' ORDER BY rowid"
)

SPECIAL: Mapping[str, Mapping[str, object]] = {
    "accounts": {"email": "rosa@shop.example", "timezone": "Europe/Warsaw"},
    "audit": {"action": "connect: consent given", "subject": "connection_id", "actor": "page"},
    "contacts": {"username": "anna", "opted_out_at": AT + 5},
    "contact_tags": {"tag": "vip"},
    "contact_fields": {"value": "XL"},
    "flow_history": {"flow_id": "flow_id", "change": "added"},
    "outbox": {"status": "unknown", "last_attempt_at": AT + 7},
    "runs": {"counted": " started  at:do.0  at:do.1 ", "status": "waiting"},
    "totals": {"day": "2026-11-01", "n": 3},
}
"""What migrations look at."""


def make(folder: Path) -> list[Path]:
    """A file for each version, the first one first."""
    files: list[Path] = []
    conn = connect(_empty(folder / "pamosnik.db"))
    try:
        conn.execute(f"PRAGMA application_id={APPLICATION_ID}")
        conn.execute("PRAGMA foreign_keys=OFF")  # one row after the other, in no order
        conn.execute(
            "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT,"
            " applied_at TEXT)"
        )
        had: set[str] = set()
        for number, migration in enumerate(MIGRATIONS, 1):
            conn.execute("BEGIN")
            migration(conn)
            conn.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?,?,'')",
                (SET, migration.__name__),
            )
            tables = dict(conn.execute(_TABLES).fetchall())
            for name in tables.keys() - had:
                _fill(conn, name, tables[name])
            had = set(tables)
            conn.execute("COMMIT")
            assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
            files.append(_saved(conn, folder / f"version-{number}.db"))
    finally:
        conn.close()
    return files


def _empty(path: Path) -> Path:
    path.touch(mode=0o600)
    return path


def _saved(conn: Connection, path: Path) -> Path:
    copy = _sqlite.connect(str(_empty(path)))
    conn.backup(copy)
    copy.close()
    return path


def _fill(conn: Connection, table: str, sql: str) -> None:
    """One row, unless a migration has brought some over."""
    if conn.execute(f"SELECT 1 FROM {table}").fetchone():
        return
    allowed = {column: values.split(",")[0].strip(" '\n") for column, values in _ONE_OF.findall(sql)}
    row: dict[str, object] = {}
    for _, column, kind, _, default, key in conn.execute(f"PRAGMA table_info({table})"):
        if key == 1 and kind == "INTEGER" and "WITHOUT ROWID" not in sql:
            continue
        if default is not None and column not in SPECIAL.get(table, {}):
            continue
        row[column] = SPECIAL.get(table, {}).get(column, _value(column, kind, allowed.get(column)))
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    conn.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def _value(column: str, kind: str, allowed: str | None) -> object:
    if allowed is not None:
        return int(allowed) if kind == "INTEGER" else allowed
    if kind == "BLOB":
        return column.encode()
    return AT if kind == "INTEGER" else column


def content(path: Path) -> dict[str, list[dict[str, object]]]:
    """Rows by table."""
    conn = _sqlite.connect(str(path))
    try:
        conn.row_factory = _sqlite.Row
        tables = [name for name, _ in conn.execute(_TABLES).fetchall()]
        return {name: [dict(row) for row in conn.execute(f"SELECT * FROM {name}")] for name in tables}
    finally:
        conn.close()


def schema(path: Path) -> list[tuple[str, str]]:
    conn = _sqlite.connect(str(path))
    try:
        rows: list[tuple[str, str]] = conn.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%sqlite_%' ORDER BY name"
        ).fetchall()
        return rows
    finally:
        conn.close()
