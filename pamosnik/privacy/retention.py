"""Retention: what is older than `[retention]` and `keep_for` say is deleted, account by account, in short
transactions.

`begin` notes that it is under way; `some` deletes the next rows and says where to go on; `end` closes. Each
transaction is whole in itself: after a kill the next time begins anew and finds only what is still there, and two at
once delete what the other has left. What is deleted leaves traces in pages and in the WAL
(`store.deletions.leave_traces`), which the eraser removes.

What is deleted, and what is not:

- events that have their verdict: catching up goes by how far it has read, and takes none of them in again;
- messages that have come to an end, or to none in all that time. Tracked links lead on as long as the contact is
  kept;
- runs that have ended. First starts stay with the contact, and with them limits. A tap on a button of theirs still
  does what the button says (`services.turn`);
- people of whom nothing was heard, with all that is about them; whoever has opted out leaves a tombstone, which keeps
  them opted out should they come back. Codes that were given stay marked as given;
- values of fields with `keep_for`, by the flows that are applied now;
- logs: logins and logouts, and that mails told of trouble which is mended. What was changed, agreed to and deleted
  stays.

Nothing is made anonymous instead: what statistics need is counted apart from the beginning, and stays.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.privacy.forget import KEY_BYTES
from pamosnik.store import aging, contacts, deletions, tombstones
from pamosnik.store.aging import LastTime, OldContact, Stock, Swept
from pamosnik.store.tombstones import Tombstone

DAILY = timedelta(hours=24)
KNOWN_WITHIN = timedelta(days=35)
"""A clock that nobody has confirmed is not believed when it is so far ahead of everything that is stored."""
_PEOPLE, _ROWS = 25, 500
"""So many people, and rows of theirs, one transaction deletes: on each hangs much else."""


class Kind(StrEnum):
    """In the order in which they go: people last, so that little hangs on them."""

    EVENTS = "events"
    MESSAGES = "messages"
    RUNS = "runs"
    FIELDS = "fields"
    LOGS = "logs"
    CONTACTS = "contacts"
    VARIANTS = "variants"
    """Which variant of a text people had last who are gone."""


_BY_AGE = (Kind.EVENTS, Kind.MESSAGES, Kind.RUNS, Kind.CONTACTS, Kind.LOGS)


@dataclass(frozen=True, slots=True)
class Rules:
    """How long an account keeps what."""

    ages: Ages
    fields: Mapping[str, timedelta]
    """Of the fields with `keep_for`."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far it has come."""

    kind: Kind = Kind.EVENTS
    after: str | int | None = None


# --- what is there ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What is stored of a kind or in a field."""

    name: str
    age: timedelta | None
    """None: for ever."""
    stock: Stock


@dataclass(frozen=True, slots=True)
class Overview:
    kinds: tuple[Held, ...]
    fields: tuple[Held, ...]
    last: LastTime | None

    @property
    def goes(self) -> int:
        return sum(held.stock.goes for held in (*self.kinds, *self.fields))


def overview(conn: Connection, account_id: str, rules: Rules, now: datetime) -> Overview:
    """What is stored, and how much of it would go now. Reads every row."""
    kinds = tuple(
        Held(kind, age, aging.stock(conn, account_id, kind, _before(age, now), now))
        for kind in _BY_AGE
        for age in (rules.ages.of(kind),)
    )
    fields = tuple(
        Held(name, age, aging.stock_of_field(conn, account_id, name, now - age))
        for name, age in sorted(rules.fields.items())
    )
    return Overview(kinds, fields, aging.last_time(conn, account_id))


def _before(age: timedelta | None, now: datetime) -> datetime:
    return datetime(1970, 1, 1, tzinfo=now.tzinfo) if age is None else now - age


# --- when ------------------------------------------------------------------------------------------------


def is_due(conn: Connection, account_id: str, now: datetime) -> bool:
    """A day after the last time, and after one that was broken off at once."""
    last = aging.last_time(conn, account_id)
    return last is None or last.ended_at is None or last.began_at <= now - DAILY


def is_believable(conn: Connection, account_id: str, now: datetime) -> bool:
    """False when all that is stored is so much older that the clock may have jumped into the future."""
    latest = aging.latest_known(conn, account_id, now)
    return latest is None or latest >= now - KNOWN_WITHIN


# --- deleting --------------------------------------------------------------------------------------------


def begin(conn: Connection, account_id: str, now: datetime) -> None:
    """Notes that it is under way."""
    aging.begin(conn, account_id, now)


def some(conn: Connection, account_id: str, rules: Rules, place: Place, now: datetime) -> Place | None:
    """Deletes the next rows in the transaction of the caller; where to go on, None at the end."""
    swept = _SWEEPS[place.kind](conn, account_id, rules, place.after, now)
    if swept.gone:
        aging.count(conn, account_id, {place.kind: swept.gone}, now)
    if swept.after is not None:
        return Place(place.kind, swept.after)
    kinds = list(Kind)
    following = kinds.index(place.kind) + 1
    return Place(kinds[following]) if following < len(kinds) else None


def end(conn: Connection, account_id: str, now: datetime) -> None:
    """All that was too old is gone; traces of it are removed apart from this."""
    aging.end(conn, account_id, now)


def gone_so_far(conn: Connection, account_id: str) -> int:
    """Rows of all kinds that are gone since it began."""
    last = aging.last_time(conn, account_id)
    return 0 if last is None else sum(last.gone.values())


_NOTHING = Swept(0, None)


def _events(conn: Connection, account_id: str, rules: Rules, after: str | int | None, now: datetime) -> Swept:
    if rules.ages.events is None:
        return _NOTHING
    before = now - rules.ages.events
    swept = aging.sweep_events(conn, account_id, before, now, after)
    aging.catching_up_passed(conn, account_id, before, now)
    return swept


def _messages(
    conn: Connection, account_id: str, rules: Rules, after: str | int | None, now: datetime
) -> Swept:
    if rules.ages.messages is None:
        return _NOTHING
    return aging.sweep_messages(conn, account_id, now - rules.ages.messages, now, after)


def _runs(conn: Connection, account_id: str, rules: Rules, after: str | int | None, now: datetime) -> Swept:
    if rules.ages.runs is None:
        return _NOTHING
    return aging.sweep_runs(conn, account_id, now - rules.ages.runs, now, after)


def _fields(conn: Connection, account_id: str, rules: Rules, after: str | int | None, now: datetime) -> Swept:
    if not rules.fields:
        return _NOTHING
    kept = {name: now - age for name, age in rules.fields.items()}
    return aging.sweep_fields(conn, account_id, kept, after)


def _logs(conn: Connection, account_id: str, rules: Rules, after: str | int | None, now: datetime) -> Swept:
    if rules.ages.logs is None:
        return _NOTHING
    return aging.sweep_logs(conn, account_id, now - rules.ages.logs, now, after)


def _contacts(
    conn: Connection, account_id: str, rules: Rules, after: str | int | None, now: datetime
) -> Swept:
    if rules.ages.contacts is None:
        return _NOTHING
    before = now - rules.ages.contacts
    going, behind = aging.old_contacts(conn, account_id, before, now, after, most=_PEOPLE)
    rows = gone = 0
    for contact in going:
        deleted = _delete_contact(conn, account_id, contact, _ROWS - rows, now)
        if deleted is None:
            # Whoever is not whole yet is found again.
            deletions.leave_traces(conn, account_id, now)
            return Swept(gone, _previous(after, going, gone))
        gone += 1
        rows += deleted + 1
        if rows >= _ROWS:
            return Swept(gone, contact.place)
    return Swept(gone, behind)


def _previous(after: str | int | None, going: list[OldContact], gone: int) -> str | int:
    return going[gone - 1].place if gone else (after or aging.FIRST)


def _delete_contact(
    conn: Connection, account_id: str, contact: OldContact, most: int, now: datetime
) -> int | None:
    igsids = sorted(contacts.igsids(conn, contact.id))
    deleted = aging.delete_contact(conn, contact, igsids, most)
    if deleted is not None:
        for igsid in igsids:
            _leave_tombstone(conn, account_id, contact, igsid, now)
    return deleted


def _leave_tombstone(
    conn: Connection, account_id: str, contact: OldContact, igsid: str, now: datetime
) -> None:
    """Of whoever has opted out; and instead of one that says so of somebody who has come back and said START."""
    before = tombstones.of(conn, contact.connection_id, igsid)
    if not contact.opted_out and (before is None or not before.opted_out):
        return
    if tombstones.key(conn, account_id) is None:
        tombstones.put_key(conn, account_id, secrets.token_bytes(KEY_BYTES))
    hashed = tombstones.hasher(conn, contact.connection_id)
    assert hashed is not None
    stone = Tombstone(contact.connection_id, hashed(igsid), contact.last_seen_at, now, contact.opted_out)
    tombstones.put(conn, account_id, stone)


def _variants(conn: Connection, account_id: str, _r: Rules, after: str | int | None, _n: datetime) -> Swept:
    """They are no kind that anybody asks for, and are not counted."""
    return Swept(0, aging.sweep_variants(conn, account_id, after).after)


_SWEEPS: Mapping[Kind, Callable[[Connection, str, Rules, str | int | None, datetime], Swept]] = {
    Kind.EVENTS: _events,
    Kind.MESSAGES: _messages,
    Kind.RUNS: _runs,
    Kind.FIELDS: _fields,
    Kind.LOGS: _logs,
    Kind.CONTACTS: _contacts,
    Kind.VARIANTS: _variants,
}
