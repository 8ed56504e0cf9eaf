"""Long lists in parts, the newest first. A part tells where the next one begins.

The word for that place is an id of the account's own rows: a number of rows would tell of other accounts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pamosnik._sqlite import Connection
from pamosnik.errors import UsageError
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import people as people_reading
from pamosnik.services.reading import queue as queue_reading
from pamosnik.services.reading import runs as run_reading
from pamosnik.services.reading.people import Heard
from pamosnik.services.shapes import Shape
from pamosnik.store import contacts, outbox
from pamosnik.store import people as people_store
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter
from pamosnik.store.times import instant, ms

_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_HEARD_FROM = re.compile(r"(\d{1,14})-([0-9A-HJKMNP-TV-Z]{26})")


class _Row(Protocol):
    @property
    def id(self) -> str: ...

    def shape(self) -> Shape: ...


@dataclass(frozen=True, slots=True)
class Part:
    rows: Sequence[Shape]
    before: str | None
    """Where the next part begins; None: this was the last."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part is asked for."""

    limit: int
    since: datetime | None = None
    before: str | None = None
    """From a part before."""


def events(conn: Connection, account: Account, wanted: Wanted) -> Part:
    """Raises `UsageError`, as the others do, when `before` is from no part."""
    before = _id(wanted.before)
    found = event_reading.newest(conn, account, limit=wanted.limit + 1, since=wanted.since, before=before)
    return _part(found, wanted)


def runs(conn: Connection, account: Account, wanted: Wanted) -> Part:
    before = _id(wanted.before)
    found = run_reading.newest(conn, account, limit=wanted.limit + 1, since=wanted.since, before=before)
    return _part(found, wanted)


def queue(conn: Connection, account: Account, wanted: Wanted, *, open_only: bool, now: datetime) -> Part:
    before = _id(wanted.before)
    if before is not None and not outbox.is_there(conn, account.id, before):
        raise _no_place(before)
    of = QueueFilter(open_only=open_only, since=wanted.since, before=before)
    return _part(queue_reading.newest(conn, account, of, now=now, limit=wanted.limit + 1), wanted)


def people(conn: Connection, account: Account, wanted: Wanted) -> Part:
    """Whoever is heard from meanwhile stands in front of the first part again."""
    before = _heard_from(wanted.before)
    found = people_reading.newest(conn, account, limit=wanted.limit + 1, since=wanted.since, before=before)
    part = _part(found, wanted)
    if part.before is None:
        return part
    heard_from = contacts.last_seen(conn, part.before)
    return Part(part.rows, f"{ms(heard_from)}-{part.before}")


def heard(
    conn: Connection, account: Account, which: people_store.Wanted, wanted: Wanted, *, now: datetime
) -> tuple[Sequence[Heard], str | None]:
    """Those people who are asked for, with their last words; and where the next part begins."""
    before = _heard_from(wanted.before)
    limit = wanted.limit + 1
    found = people_reading.listed(conn, account, which, now=now, limit=limit, before=before)
    rows = found[: wanted.limit]
    return rows, f"{ms(rows[-1].at)}-{rows[-1].id}" if len(found) > wanted.limit else None


def _heard_from(before: str | None) -> tuple[datetime, str] | None:
    place = None if before is None else _HEARD_FROM.fullmatch(before)
    if before is not None and place is None:
        raise _no_place(before)
    return None if place is None else (instant(int(place[1])), place[2])


def _part(found: Sequence[_Row], wanted: Wanted) -> Part:
    rows = found[: wanted.limit]
    return Part([row.shape() for row in rows], rows[-1].id if len(found) > wanted.limit else None)


def _id(before: str | None) -> str | None:
    if before is not None and _ID.fullmatch(before) is None:
        raise _no_place(before)
    return before


def _no_place(before: str) -> UsageError:
    return UsageError(
        f"before {before} is no place in this list.", hint="Take it from the Link header of the part before."
    )
