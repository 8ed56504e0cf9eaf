"""What a deletion would delete, counted before anybody decides: the eraser's rows, by the same register."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pamosnik._sqlite import Connection
from pamosnik.privacy import erase, forget
from pamosnik.privacy.erase_account import STAY
from pamosnik.privacy.subject import REGISTER
from pamosnik.store import connections
from pamosnik.store.connections import Connected

_WITH_CONNECTION = (
    "connections",
    "events",
    "contacts",
    "contact_ids",
    "runs",
    "outbox",
    "links",
    *erase.OF_CONNECTION,
)
_NO_DATA = (*STAY, "traces")
"""Receipts and Meta's requests stay, without the account's id; the other is the eraser's own mark."""
_PEOPLE = "(SELECT contact_id FROM contacts WHERE connection_id=:of)"
_RUNS = "(SELECT run_id FROM runs WHERE connection_id=:of)"


@dataclass(frozen=True, slots=True)
class WouldGo:
    """A deletion that nobody has begun."""

    rows: Mapping[str, int]
    """Table → rows; tables without any are not named."""
    never_sent: int
    """Messages that wait, and would never leave."""
    tells_meta_of: tuple[str, ...]
    """Usernames of the connections that Meta is told to send nothing more for."""


def of_account(conn: Connection, account_id: str) -> WouldGo:
    rows = {
        table: _count(conn, table, "account_id=:of", account_id)
        for table in REGISTER
        if table not in _NO_DATA
    }
    return _would_go(conn, rows, "account_id", account_id, connections.of_account(conn, account_id))


def of_connection(conn: Connection, connected: Connected) -> WouldGo:
    rows = {}
    for table, holds in REGISTER.items():
        if table in _WITH_CONNECTION:
            rows[table] = _count(conn, table, "connection_id=:of", connected.id)
        elif holds.person_key == "contact_id":
            rows[table] = _count(conn, table, f"contact_id IN {_PEOPLE}", connected.id)
        elif holds.person_key == "run_id":
            rows[table] = _count(conn, table, f"run_id IN {_RUNS}", connected.id)
    return _would_go(conn, rows, "connection_id", connected.id, [connected])


def of_person(
    conn: Connection, connection_id: str, contact_id: str | None, igsids: Collection[str]
) -> WouldGo:
    """`contact_id`: None when nothing but events is known of them."""
    of = contact_id or ""
    rows = {"events": forget.events_of(conn, connection_id, of, igsids)}
    for table, holds in REGISTER.items():
        if holds.person_key == "contact_id":
            rows[table] = _count(conn, table, "contact_id=:of", of)
        elif holds.person_key == "run_id":
            rows[table] = _count(conn, table, "run_id IN (SELECT run_id FROM runs WHERE contact_id=:of)", of)
    return _would_go(conn, rows, "contact_id", of, [])


def _would_go(
    conn: Connection, rows: Mapping[str, int], column: str, of: str, connected: Collection[Connected]
) -> WouldGo:
    return WouldGo(
        {table: n for table, n in rows.items() if n},
        never_sent=_count(conn, "outbox", f"{column}=:of AND status IN ('queued','held')", of),
        tells_meta_of=tuple(one.username for one in connected if connections.sealed_token(conn, one.id)),
    )


def _count(conn: Connection, table: str, where: str, of: str) -> int:
    """`where`: a condition of our own about `:of`."""
    (found,) = conn.execute(f"SELECT count(*) FROM {table} WHERE {where}", {"of": of}).fetchone()  # noqa: S608
    return int(found)
