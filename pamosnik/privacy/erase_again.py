"""Erasing again what a restored backup brings back: people who were forgotten, connections and accounts that were
deleted since it was made.

What was erased is known from `erasures.log` and from the database that the backup takes the place of, which also
knows what was begun and has not come to its end. In the restored copy, before anybody uses it, `begin` marks all of
it and `carry_out` erases it, with the bytes that deleting leaves behind.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.privacy import erase, erase_account, forget
from pamosnik.store import accounts, connections, contacts, deletions, tombstones, vacuum
from pamosnik.store.database import Database
from pamosnik.store.deletions import Cause, MetaTold, Receipt, Scope
from pamosnik.store.ledger import Ledger
from pamosnik.store.tombstones import Tombstone

_ACTOR = "command"
_BY_SCOPE = {Scope.CONNECTION: erase.erase_some, Scope.ACCOUNT: erase_account.erase_some}


@dataclass(frozen=True, slots=True)
class Again:
    """How much a restored backup had brought back."""

    people: int
    connections: int
    accounts: int

    @property
    def nothing(self) -> bool:
        return not (self.people or self.connections or self.accounts)


def known(conn: Connection, now: datetime) -> Ledger:
    """What a database knows to be erased, done or under way."""
    keys = dict(tombstones.keys(conn))
    begun = deletions.under_way(conn)
    marked = []
    for contact_id in contacts.marked(conn):
        contact = contacts.load(conn, contact_id)
        assert contact is not None
        assert contact.forget_at is not None
        key = keys.setdefault(contact.account_id, secrets.token_bytes(forget.KEY_BYTES))
        hashed = tombstones.hasher_with(key, connections.load(conn, contact.connection_id).ig_id)
        for igsid in contacts.igsids(conn, contact_id):
            out = contact.opted_out_at is not None
            marked.append(Tombstone(contact.connection_id, hashed(igsid), contact.forget_at, now, out))
    return Ledger(
        keys,
        [*tombstones.every(conn), *marked],
        connections=_subjects(begun, Scope.CONNECTION),
        accounts=_subjects(begun, Scope.ACCOUNT),
    )


def _subjects(begun: list[Receipt], scope: Scope) -> Mapping[str, datetime]:
    return {one.subject_id: one.began_at for one in begun if one.scope is scope and one.subject_id}


def holds(conn: Connection, erased: Ledger) -> bool:
    """Whether a database has something of what was erased."""
    whole = [one for one in erased.connections if connections.exists(conn, one)]
    whole += [one for one in erased.accounts if accounts.load(conn, one) is not None]
    return bool(whole) or any(_people(conn, erased))


def begin(conn: Connection, erased: Ledger, now: datetime) -> Again:
    """Marks in a restored copy whatever was erased since. Hashes stay, so that nobody comes back by Instagram."""
    whole_accounts = [one for one in erased.accounts if accounts.load(conn, one) is not None]
    for account_id in whole_accounts:
        erase.begin_account(conn, account_id, Cause.RESTORE, actor=_ACTOR, now=now)
        accounts.set_deleting(conn, account_id)
    whole = [one for one in erased.connections if connections.exists(conn, one)]
    for connection_id in whole:
        erase.begin_connection(conn, connection_id, Cause.RESTORE, actor=_ACTOR, now=now)
    _put_stones(conn, erased)
    people = [one for one in _people(conn, erased) if deletions.open_for(conn, one[0]) is None]
    for connection_id, igsid, stone in people:
        _begin_person(conn, connection_id, igsid, stone, now)
    for receipt in deletions.under_way(conn):
        # Meta was told when it was erased the first time, or will not be asked by a command that restores.
        deletions.tried_meta(conn, receipt.id, MetaTold.NONE)
    return Again(len(people), len(whole), len(whole_accounts))


def _put_stones(conn: Connection, erased: Ledger) -> None:
    account_of = {one.id: one.account_id for one in connections.every(conn)}
    for account_id in {*account_of.values()} & erased.keys.keys():
        tombstones.put_key(conn, account_id, erased.keys[account_id])
    for stone in erased.stones:
        account = account_of.get(stone.connection_id)
        if account in erased.keys:
            assert account is not None
            tombstones.put(conn, account, stone)


def _begin_person(conn: Connection, connection_id: str, igsid: str, stone: Tombstone, now: datetime) -> None:
    account_id = connections.load(conn, connection_id).account_id
    name = igsid[1:] if igsid.startswith("@") else None
    met = contacts.meet(
        conn, account_id=account_id, connection_id=connection_id, igsid=igsid, username=name, now=now
    )
    contacts.set_forget(conn, met.id, stone.said_at)
    erase.begin_person(conn, met.id, Cause.RESTORE, actor=_ACTOR, now=now)


def _people(conn: Connection, erased: Ledger) -> Iterator[tuple[str, str, Tombstone]]:
    """(connection, id, tombstone) of people whom a database knows as they were before they were forgotten."""
    stones: dict[str, dict[str, Tombstone]] = {}
    for stone in erased.stones:
        stones.setdefault(stone.connection_id, {})[stone.person] = stone
    for connected in connections.every(conn):
        key, theirs = erased.keys.get(connected.account_id), stones.get(connected.id)
        if key is None or theirs is None:
            continue
        hashed = tombstones.hasher_with(key, connected.ig_id)
        for igsid, since in tombstones.people_of(conn, connected.id):
            found = theirs.get(hashed(igsid))
            if found is not None and since <= found.said_at:
                yield connected.id, igsid, found


def carry_out(database: Database, now: datetime) -> None:
    """Brings every deletion of a copy that nobody else uses to its end."""
    conn = database.connection
    for contact_id in contacts.marked(conn):
        while database.write(partial(forget.erase_some, contact_id=contact_id, now=now)):
            pass
    for receipt in deletions.under_way(conn):
        some = _BY_SCOPE.get(receipt.scope)
        while some is not None and database.write(partial(some, receipt=receipt, now=now)):
            pass
    if not (deletions.under_way(conn) or tombstones.to_purge(conn) or deletions.traces(conn)):
        return
    vacuum.rebuild(conn)
    database.write(partial(_end, now=now))
    vacuum.empty_wal(conn)


def _end(conn: Connection, now: datetime) -> None:
    tombstones.purged(conn, tombstones.to_purge(conn), now)
    for receipt in deletions.under_way(conn):
        erase.end(conn, receipt, now)
    deletions.traces_gone(conn, deletions.traces(conn))
