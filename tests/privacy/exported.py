"""The data of an account as an export holds it, and changed in any way that somebody may change it."""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.privacy.subject import REGISTER, About
from pamosnik.store import migrations, shape

Rows = list[dict[str, object]]
NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)


def data(conn: Connection, account_id: str) -> dict[str, Rows]:
    """Table → its rows of the account, without what is hidden."""
    found = {}
    for table, about in REGISTER.items():
        names = [name for name, whose in about.columns.items() if whose is not About.HIDDEN]
        order = ", ".join(shape.key(conn, table))
        rows = conn.execute(
            f"SELECT {', '.join(names)} FROM {table} WHERE account_id=? ORDER BY {order}", (account_id,)
        )
        found[table] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def write(path: Path, tables: Mapping[str, Sequence[object]], **manifest: object) -> Path:
    """An export that holds these rows. `manifest`: what it says otherwise."""
    files = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, rows in tables.items():
            body = "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n" if rows else "[\n]\n"
            archive.writestr(f"data/{table}.json", body)
            files.append(
                {
                    "path": f"data/{table}.json",
                    "kind": "data",
                    "rows": len(rows),
                    "bytes": len(body.encode()),
                    "sha256": hashlib.sha256(body.encode()).hexdigest(),
                }
            )
        said = {
            "pamosnik_export": 1,
            "created_at": NOW.isoformat(),
            "program": "0",
            "schema_version": len(migrations.MIGRATIONS),
            "account": {"name": "Rose", "email": "rose@shop.example", "timezone": "UTC"},
            "files": files,
            "counts": {},
            "complete": True,
            **manifest,
        }
        archive.writestr("manifest.json", json.dumps(said))
    return path
