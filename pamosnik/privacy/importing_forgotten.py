"""Who does not come back with an import: people who were forgotten after the export was made, or were about to be.

An export holds no hashes. Who was forgotten say the `erasures.log` of this home and one that lies beside the export.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.privacy.forget import KEY_BYTES
from pamosnik.privacy.importing_rows import Move
from pamosnik.store import ledger, tombstones
from pamosnik.store.times import instant
from pamosnik.store.tombstones import Tombstone


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who stays behind."""

    contact_id: str
    connection_id: str
    igsids: tuple[str, ...]
    said_at: datetime
    opted_out: bool


@dataclass(frozen=True, slots=True, repr=False)
class Forgotten:
    """What the ledgers say of the connections of an export."""

    ig_ids: Mapping[str, str]
    """Connection → the Instagram id that is part of each hash."""
    keys: tuple[bytes, ...]
    """Of the account there and the one here, as far as they are known."""
    source_key: bytes | None
    """Of the account there."""
    stones: Mapping[str, Mapping[str, Tombstone]]
    """Connection → hash → what stays of somebody."""

    @classmethod
    def read(
        cls, paths: Sequence[Path], conn: Connection, move: Move, connections: Sequence[Mapping[str, object]]
    ) -> "Forgotten":
        ids = [str(one["connection_id"]) for one in connections]
        ig_ids = dict(zip(ids, (str(one.get("ig_id")) for one in connections), strict=True))
        keys: list[bytes | None] = [tombstones.key(conn, move.target)]
        source_key: bytes | None = None
        stones: dict[str, dict[str, Tombstone]] = {}
        for found in map(ledger.read, dict.fromkeys(paths)):
            source_key = found.keys.get(move.source, source_key)
            keys += [source_key, found.keys.get(move.target)]
            for stone in found.stones:
                if stone.connection_id in ig_ids:
                    stones.setdefault(stone.connection_id, {})[stone.person] = stone
        for connection_id in ids:
            for stone in tombstones.of_connection(conn, move.here(connection_id)):
                stones.setdefault(connection_id, {})[stone.person] = stone
        known = tuple(dict.fromkeys(key for key in keys if key is not None))
        return cls(ig_ids, known, source_key, stones)

    def person(self, row: Mapping[str, object], also: Sequence[str], *, leaving: bool) -> Person | None:
        """Whoever this row of `contacts` is about, if they stay behind; `also`: their other ids; `leaving`: they were
        being deleted. Whoever came back after being forgotten is a new person."""
        connection_id, forget_at = str(row.get("connection_id")), row.get("forget_at")
        igsids = tuple(dict.fromkeys((str(row.get("igsid")), *also)))
        stone = self._stone(connection_id, igsids)
        created_at = row.get("created_at")
        if stone is not None and isinstance(created_at, int) and instant(created_at) <= stone.said_at:
            said_at, opted_out = stone.said_at, stone.opted_out
        elif isinstance(forget_at, int):
            said_at, opted_out = instant(forget_at), row.get("opted_out_at") is not None
        elif leaving and isinstance(row.get("last_seen_at"), int):
            said_at, opted_out = instant(int(str(row["last_seen_at"]))), row.get("opted_out_at") is not None
        else:
            return None
        return Person(str(row.get("contact_id")), connection_id, igsids, said_at, opted_out)

    def _stone(self, connection_id: str, igsids: Sequence[str]) -> Tombstone | None:
        stones = self.stones.get(connection_id)
        if not stones:
            return None
        for key in self.keys:
            for igsid in igsids:
                text = f"{self.ig_ids[connection_id]}:{igsid}"
                found = stones.get(hmac.new(key, text.encode(), hashlib.sha256).hexdigest())
                if found is not None:
                    return found
        return None


def leave_stones(
    conn: Connection, move: Move, forgotten: Forgotten, people: Sequence[Person], now: datetime
) -> None:
    """So that what Instagram tells once more about the time before is not kept here either, and who had opted out
    before being forgotten stays so."""
    account_id = move.target
    if tombstones.key(conn, account_id) is None:
        if forgotten.source_key is None and not people:
            return
        tombstones.put_key(conn, account_id, forgotten.source_key or secrets.token_bytes(KEY_BYTES))
    if tombstones.key(conn, account_id) == forgotten.source_key:
        for connection_id, stones in forgotten.stones.items():
            for stone in stones.values():
                tombstones.put(conn, account_id, replace(stone, connection_id=move.here(connection_id)))
    for person in people:
        connection_id = move.here(person.connection_id)
        hashed = tombstones.hasher(conn, connection_id)
        assert hashed is not None
        for igsid in person.igsids:
            stone = Tombstone(connection_id, hashed(igsid), person.said_at, now, person.opted_out)
            tombstones.put(conn, account_id, stone)
