"""Storing what Meta delivered, before it is acknowledged."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.instagram.webhook import TEST_ENTRY
from pamosnik.model.event import Incoming
from pamosnik.store import connections, deletions, inbox, notices, spill
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.database import Database
from pamosnik.store.spill import Delivery

AT_ONCE = 500
"""Deliveries of one transaction at a start."""

ID_MIX_UP = "id_mix_up"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the items of one request."""

    new: int
    repeated: int
    of_unknown_accounts: int


def store(conn: Connection, items: Iterable[Incoming], now: datetime, *, told_again: bool = True) -> Stored:
    """One row per item; repetitions make none. Not kept are items of accounts that are not connected, and those about
    people who were forgotten since. `told_again`: as in `inbox.add`."""
    known: dict[str, list[Connected]] = {}
    new = repeated = unknown = 0
    for item in items:
        if item.ig_id not in known:
            known[item.ig_id] = _owners(conn, item.ig_id)
        if not known[item.ig_id]:
            unknown += 1
            _tell_mixed_up(conn, item.ig_id, now)
        for connected in known[item.ig_id]:
            added = inbox.add(
                conn,
                account_id=connected.account_id,
                connection_id=connected.id,
                incoming=item,
                now=now,
                told_again=told_again,
            )
            if added is not None:
                new += added[1]
                repeated += not added[1]
    return Stored(new, repeated, unknown)


def _tell_mixed_up(conn: Connection, ig_id: str, now: datetime) -> None:
    """Tells the owner when a webhook names a connected account by its id for this app: routing goes by the other."""
    connected = connections.named(conn, ig_id)
    if connected is None or connected.asid != ig_id or connected.status is ConnectionStatus.DISCONNECTED:
        return
    notices.raise_notice(
        conn,
        connected.account_id,
        connected.id,
        ID_MIX_UP,
        f"Webhooks name {connected.username} by {ig_id}, its id for this app, and not by {connected.ig_id}: they"
        " are taken"
        " for an unknown account's.",
        "Run `pamosnik connect` again, which stores the id that webhooks name (`user_id`).",
        now,
    )


def _owners(conn: Connection, ig_id: str) -> list[Connected]:
    """Dashboard tests name no account: every account of this home sees them."""
    if ig_id == TEST_ENTRY:
        return connections.first_of_each_account(conn)
    connected = connections.by_ig_id(conn, ig_id)
    return [] if connected is None else [connected]


# --- when the database cannot be written for a while -----------------------------------------------------


def wanted(conn: Connection, items: Iterable[Incoming]) -> tuple[Incoming, ...]:
    """The items that somebody's connection takes in; what is being deleted takes in nothing more."""
    return tuple(
        item
        for item in items
        if any(deletions.open_for(conn, connected.id) is None for connected in _owners(conn, item.ig_id))
    )


def take_over(database: Database, home: Path) -> None:
    """Stores what was acknowledged before a crash and is only in `incoming.log`. The caller holds the home's lock.

    Whoever was deleted meanwhile does not come back with it. Raises `HomeError`; then nothing of it is lost.
    """
    path = home / spill.NAME
    deliveries, damaged = spill.read(path)
    for start in range(0, len(deliveries), AT_ONCE):
        database.write(partial(_store_once, deliveries=deliveries[start : start + AT_ONCE]))
    spill.empty(path)
    if deliveries:
        log.info("%d deliveries were taken over", len(deliveries), extra={"action": "start.taken_over"})
    if damaged:
        log.error(
            "%d lines of %s could not be read; what was delivered so is read from the conversations, as far as"
            " Instagram tells it.",
            damaged,
            path,
            extra={"action": "start.damaged_lines"},
        )


def _store_once(conn: Connection, deliveries: Sequence[Delivery]) -> None:
    """One that cannot be stored is told and left out: it would keep the daemon from starting for ever."""
    for delivery in deliveries:
        conn.execute("SAVEPOINT delivery")
        try:
            store(conn, delivery.items, delivery.received_at, told_again=False)
        except Exception as error:
            if _sqlite.code_of(error) is not None:
                raise
            conn.execute("ROLLBACK TO delivery")
            log.exception("A delivery could not be taken over", extra={"action": "start.not_taken_over"})
        conn.execute("RELEASE delivery")
