"""`erasures.log`: who was forgotten, outside of the database, so that a restored backup forgets them again.

It lies in the home. A line is the key of an account's hashes, or a tombstone.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.store import contacts, tombstones
from pamosnik.store.times import instant, ms
from pamosnik.store.tombstones import Tombstone

NAME = "erasures.log"
_CONNECTION, _ACCOUNT = "connection_erased", "account_erased"


@dataclass(frozen=True, slots=True, repr=False)
class Ledger:
    keys: Mapping[str, bytes]
    """By account."""
    stones: Sequence[Tombstone]
    connections: Mapping[str, datetime] = field(default_factory=dict)
    """Those that were erased, and when."""
    accounts: Mapping[str, datetime] = field(default_factory=dict)
    """Likewise."""


def write(path: Path, ledger: Ledger) -> None:
    """Adds to it, durably. What is said twice does no harm; after a line that was cut short a new one begins."""
    keys = ({"account": account_id, "key": key.hex()} for account_id, key in ledger.keys.items())
    stones = (
        {
            "connection": stone.connection_id,
            "person": stone.person,
            "said_at": ms(stone.said_at),
            "erased_at": ms(stone.erased_at),
            "opted_out": stone.opted_out,
        }
        for stone in ledger.stones
    )
    erased = (
        {name: subject_id, "erased_at": ms(at)}
        for name, of in ((_CONNECTION, ledger.connections), (_ACCOUNT, ledger.accounts))
        for subject_id, at in of.items()
    )
    path.touch(mode=0o600, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"\n{json.dumps(line)}" for line in (*keys, *stones, *erased))
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Ledger:
    """Empty where there is none."""
    text = path.read_text("utf-8") if path.exists() else ""
    lines = [raw for line in text.splitlines() if (raw := _object(line)) is not None]
    keys = {str(raw["account"]): bytes.fromhex(str(raw["key"])) for raw in lines if "key" in raw}
    return Ledger(
        keys,
        [_stone(raw) for raw in lines if "person" in raw],
        connections=_erased(lines, _CONNECTION),
        accounts=_erased(lines, _ACCOUNT),
    )


def _erased(lines: Sequence[Mapping[str, object]], name: str) -> Mapping[str, datetime]:
    return {str(raw[name]): instant(int(str(raw["erased_at"]))) for raw in lines if name in raw}


def _object(line: str) -> dict[str, object] | None:
    try:
        raw = json.loads(line)
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


def _stone(raw: dict[str, object]) -> Tombstone:
    said_at, erased_at = (instant(int(str(raw[name]))) for name in ("said_at", "erased_at"))
    return Tombstone(str(raw["connection"]), str(raw["person"]), said_at, erased_at, bool(raw["opted_out"]))


def forget_again(conn: Connection, ledger: Ledger) -> int:
    """Marks whom a restored database still knows as they were before they were forgotten; returns how many. The
    daemon erases them at its next start."""
    accounts = dict(conn.execute("SELECT connection_id, account_id FROM connections").fetchall())
    for account_id in set(accounts.values()) & ledger.keys.keys():
        tombstones.put_key(conn, account_id, ledger.keys[account_id])
    people: dict[str, dict[str, Tombstone]] = {}
    for stone in ledger.stones:
        if accounts.get(stone.connection_id) in ledger.keys:
            tombstones.put(conn, accounts[stone.connection_id], stone)
            people.setdefault(stone.connection_id, {})[stone.person] = stone
    return sum(_mark(conn, connection_id, stones) for connection_id, stones in people.items())


def _mark(conn: Connection, connection_id: str, stones: dict[str, Tombstone]) -> int:
    rows = conn.execute(
        "SELECT contact_id, igsid, created_at FROM contacts WHERE connection_id=:id UNION"
        " SELECT contact_id, i.igsid, created_at FROM contact_ids i JOIN contacts USING (contact_id)"
        " WHERE i.connection_id=:id",
        {"id": connection_id},
    ).fetchall()
    hashed = tombstones.hasher(conn, connection_id)
    assert hashed is not None
    found = {
        contact_id: stone
        for contact_id, igsid, created_at in rows
        if (stone := stones.get(hashed(igsid))) is not None and instant(created_at) <= stone.said_at
    }
    for contact_id, stone in found.items():
        contacts.set_forget(conn, contact_id, stone.said_at)
    return len(found)
