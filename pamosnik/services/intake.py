"""Storing what Meta delivered, before it is acknowledged."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.instagram.webhook import TEST_ENTRY
from pamosnik.model.event import Incoming
from pamosnik.store import connections, inbox
from pamosnik.store.connections import Connected


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the items of one request."""

    new: int
    repeated: int
    of_unknown_accounts: int


def store(conn: Connection, items: Iterable[Incoming], now: datetime) -> Stored:
    """One row per item; repetitions make none. Not kept are items of accounts that are not connected, and those about
    people who were forgotten since."""
    known: dict[str, list[Connected]] = {}
    new = repeated = unknown = 0
    for item in items:
        if item.ig_id not in known:
            known[item.ig_id] = _owners(conn, item.ig_id)
        if not known[item.ig_id]:
            unknown += 1
        for connected in known[item.ig_id]:
            added = inbox.add(
                conn,
                account_id=connected.account_id,
                connection_id=connected.id,
                incoming=item,
                now=now,
            )
            if added is not None:
                new += added[1]
                repeated += not added[1]
    return Stored(new, repeated, unknown)


def _owners(conn: Connection, ig_id: str) -> list[Connected]:
    """Dashboard tests name no account: every account of this home sees them."""
    if ig_id == TEST_ENTRY:
        return connections.first_of_each_account(conn)
    connected = connections.by_ig_id(conn, ig_id)
    return [] if connected is None else [connected]
