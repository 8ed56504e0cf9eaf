"""What stays of people who were forgotten: a keyed hash of the id that Instagram knows them by, and when.

With it, what Instagram tells once more about the time before (a late webhook, a conversation that is read again) is
recognized and not kept. Nobody can be found from a hash; with an id in hand one can tell whether it is that person's.
Their comments, and what the business replied to them in public, leave such hashes, too.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.contact import known_by_name
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT, Incoming, Verdict
from pamosnik.store.times import instant, ms

_OF_THE_PERSON = INBOUND_MESSAGES | COMMENTS | SILENT
"""What they do themselves; the rest tells what became of messages."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    connection_id: str
    person: str
    """The hash, in hex."""
    said_at: datetime
    """What they did until then is dropped."""
    erased_at: datetime
    opted_out: bool
    """Holds on when they come back: only START undoes it."""


def put(conn: Connection, account_id: str, stone: Tombstone) -> None:
    """A later one takes the place of an earlier one. Their traces are still in pages and copies."""
    conn.execute(
        "INSERT INTO tombstones (account_id, connection_id, person, said_at, erased_at, opted_out)"
        " VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET said_at=max(said_at, excluded.said_at),"
        " erased_at=max(erased_at, excluded.erased_at), opted_out=excluded.opted_out, purged_at=NULL",
        (
            account_id,
            stone.connection_id,
            bytes.fromhex(stone.person),
            ms(stone.said_at),
            ms(stone.erased_at),
            int(stone.opted_out),
        ),
    )


Hasher = Callable[[str], str]
"""Id of a person -> their hash, in one connection."""


def key(conn: Connection, account_id: str) -> bytes | None:
    """Of the account's hashes; None: nobody was forgotten yet."""
    row = conn.execute("SELECT key FROM ledger WHERE account_id=?", (account_id,)).fetchone()
    return None if row is None else bytes(row[0])


def keys(conn: Connection) -> Mapping[str, bytes]:
    """By account."""
    return {account_id: bytes(one) for account_id, one in conn.execute("SELECT account_id, key FROM ledger")}


def put_key(conn: Connection, account_id: str, new: bytes) -> None:
    """Hashes made with another key mean nothing any more."""
    if key(conn, account_id) != new:
        conn.execute(
            "DELETE FROM tombstones WHERE connection_id IN"
            " (SELECT connection_id FROM connections WHERE account_id=?)",
            (account_id,),
        )
        conn.execute("INSERT OR REPLACE INTO ledger (account_id, key) VALUES (?,?)", (account_id, new))


def hasher_with(key: bytes, ig_id: str) -> Hasher:
    """With an account's key, for the people of one Instagram account."""
    return lambda igsid: hmac.new(key, f"{ig_id}:{igsid}".encode(), hashlib.sha256).hexdigest()


def hasher(conn: Connection, connection_id: str) -> Hasher | None:
    """None: nobody of the account was forgotten yet."""
    row = conn.execute(
        "SELECT key, ig_id FROM connections JOIN ledger USING (account_id) WHERE connection_id=?",
        (connection_id,),
    ).fetchone()
    if row is None:
        return None
    return hasher_with(bytes(row[0]), str(row[1]))


def of(conn: Connection, connection_id: str, igsid: str) -> Tombstone | None:
    hashed = hasher(conn, connection_id)
    return None if hashed is None else _found(conn, connection_id, hashed(igsid))


def _found(conn: Connection, connection_id: str, person: str) -> Tombstone | None:
    """`person`: the hash."""
    row = conn.execute(
        "SELECT said_at, erased_at, opted_out FROM tombstones WHERE connection_id=? AND person=?",
        (connection_id, bytes.fromhex(person)),
    ).fetchone()
    if row is None:
        return None
    return Tombstone(connection_id, person, instant(row[0]), instant(row[1]), bool(row[2]))


def of_connection(conn: Connection, connection_id: str) -> list[Tombstone]:
    rows = conn.execute(
        "SELECT connection_id, person, said_at, erased_at, opted_out FROM tombstones WHERE connection_id=?",
        (connection_id,),
    )
    return [Tombstone(r[0], r[1].hex(), instant(r[2]), instant(r[3]), bool(r[4])) for r in rows]


def comment_mark(comment_id: str) -> str:
    """What is hashed of a comment of theirs, or of a public reply to them."""
    return f"c:{comment_id}"


def kept(conn: Connection, connection_id: str, incoming: Incoming) -> Incoming | None:
    """What may be kept of it. None: it is about somebody as they were before they were forgotten, told late. What
    others say below a comment of theirs is kept without the comment's id."""
    hashed = hasher(conn, connection_id)
    if hashed is None:
        return incoming

    def stone_of(what: str | None) -> Tombstone | None:
        return None if what is None else _found(conn, connection_id, hashed(what))

    by_name = None if incoming.username is None else known_by_name(incoming.username)
    stone = stone_of(incoming.igsid or by_name)
    if stone is not None and _is_past(conn, connection_id, incoming, stone):
        return None
    if incoming.comment_id is not None and stone_of(comment_mark(incoming.comment_id)) is not None:
        return None
    if incoming.parent_id is None or stone_of(comment_mark(incoming.parent_id)) is None:
        return incoming
    return None if incoming.verdict is Verdict.OWN else replace(incoming, parent_id=None)


def _is_past(conn: Connection, connection_id: str, incoming: Incoming, stone: Tombstone) -> bool:
    at = incoming.occurred_at
    if incoming.kind in _OF_THE_PERSON:
        return at is not None and at <= stone.said_at
    back = conn.execute(
        "SELECT 1 FROM contacts WHERE connection_id=? AND igsid=?", (connection_id, incoming.igsid)
    ).fetchone()
    return back is None or (at is not None and at <= stone.erased_at)


def every(conn: Connection) -> list[Tombstone]:
    """Of all accounts."""
    rows = conn.execute("SELECT connection_id, person, said_at, erased_at, opted_out FROM tombstones")
    return [_stone(row) for row in rows]


def to_purge(conn: Connection, account_ids: Collection[str] | None = None) -> list[Tombstone]:
    """Whose rows are gone, but not yet the bytes that deleting leaves behind; in these accounts, or in all."""
    rows = conn.execute(
        "SELECT connection_id, person, said_at, erased_at, opted_out, account_id FROM tombstones"
        " WHERE purged_at IS NULL"
    )
    return [_stone(row[:5]) for row in rows if account_ids is None or row[5] in account_ids]


def _stone(row: tuple[str, bytes, int, int, int]) -> Tombstone:
    return Tombstone(row[0], row[1].hex(), instant(row[2]), instant(row[3]), bool(row[4]))


def people_of(conn: Connection, connection_id: str) -> list[tuple[str, datetime]]:
    """Ids of everybody whom a connection knows, by events or by name alone too, and since when it knows them."""
    rows = conn.execute(
        "SELECT igsid, min(since) FROM ("
        "SELECT igsid, created_at AS since FROM contacts WHERE connection_id=:id"
        " UNION ALL SELECT i.igsid, created_at FROM contact_ids i JOIN contacts USING (contact_id)"
        " WHERE i.connection_id=:id"
        " UNION ALL SELECT igsid, coalesce(occurred_at, received_at) FROM events"
        " WHERE connection_id=:id AND igsid IS NOT NULL"
        " UNION ALL SELECT '@' || lower(username), coalesce(occurred_at, received_at) FROM events"
        " WHERE connection_id=:id AND igsid IS NULL AND username IS NOT NULL) GROUP BY igsid",
        {"id": connection_id},
    )
    return [(igsid, instant(since)) for igsid, since in rows]


def purged(conn: Connection, stones: Iterable[Tombstone], now: datetime) -> None:
    """Unless somebody was forgotten once more meanwhile."""
    conn.executemany(
        "UPDATE tombstones SET purged_at=? WHERE connection_id=? AND person=? AND erased_at=?",
        [
            (ms(now), stone.connection_id, bytes.fromhex(stone.person), ms(stone.erased_at))
            for stone in stones
        ],
    )


def holds(conn: Connection, stones: Iterable[Tombstone], hashers: Mapping[str, Hasher]) -> bool:
    """Whether a copy of the database has rows of these people. `hashers`: by connection, of the present database."""
    by_connection: dict[str, set[str]] = {}
    for stone in stones:
        by_connection.setdefault(stone.connection_id, set()).add(stone.person)
    for connection_id, people in by_connection.items():
        known = conn.execute(
            "SELECT igsid FROM contacts WHERE connection_id=:id UNION SELECT igsid FROM events"
            " WHERE connection_id=:id AND igsid IS NOT NULL UNION SELECT '@' || lower(username) FROM events"
            " WHERE connection_id=:id AND igsid IS NULL AND username IS NOT NULL",
            {"id": connection_id},
        )
        if any(hashers[connection_id](igsid) in people for (igsid,) in known):
            return True
    return False
