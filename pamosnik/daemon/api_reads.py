"""What can be read over the API: each address with the function that the command of the same name calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.errors import UsageError
from pamosnik.services import accounts, asked, explaining, flow_history, kept, listing
from pamosnik.services import queue as queue_service
from pamosnik.services.listing import Part, Wanted
from pamosnik.services.reading import connections as connection_reading
from pamosnik.services.reading import counts, events, flow_steps, flows, people, queue, runs, status
from pamosnik.services.reading.counts import By
from pamosnik.services.reading.problems import Problem
from pamosnik.services.shapes import Shape
from pamosnik.store import connections
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter

NEWEST = 50
AT_MOST = 1000
"""Rows of a list: without `limit`, and with the largest."""

_PART = ("limit", "since", "before")


@dataclass(frozen=True, slots=True)
class Asked:
    account: Account
    now: datetime
    what: str
    """The id in the address; empty where it has none."""
    parameters: Mapping[str, str]
    daemon_since: datetime | None
    public_address: str | None
    """Where the daemon is reached from outside."""
    storage: Sequence[Problem]
    """Problems of the disk and the database's file."""
    ages: Ages
    """How long things are kept."""
    sources: Mapping[str, str]
    """Where each setting comes from."""


@dataclass(frozen=True, slots=True)
class Read:
    path: str
    """Below `/api/v1/`."""
    fn: Callable[[Connection, Asked], object]
    """Its JSON, or a `Part` of a list. Raises `NotFound`, and `UsageError` for a parameter."""
    parameters: Sequence[str] = ()


def _status(conn: Connection, asks: Asked) -> Shape:
    return status.of_account(
        conn,
        asks.account,
        running=True,
        since=asks.daemon_since,
        now=asks.now,
        storage=asks.storage,
        public_address=asks.public_address,
    )


def _events(conn: Connection, asks: Asked) -> Part:
    return listing.events(conn, asks.account, _wanted(asks))


def _event(conn: Connection, asks: Asked) -> Shape:
    return events.whole(conn, asks.account, asks.what)


def _why(conn: Connection, asks: Asked) -> Shape:
    return explaining.why(conn, asks.account, asks.what, asks.now).as_json()


def _runs(conn: Connection, asks: Asked) -> Part:
    return listing.runs(conn, asks.account, _wanted(asks))


def _run(conn: Connection, asks: Asked) -> Shape:
    return runs.whole(conn, asks.account, asks.what, asks.now)


def _queue(conn: Connection, asks: Asked) -> Part:
    open_only = _yes_or_no(asks, "open")
    return listing.queue(conn, asks.account, _wanted(asks), open_only=open_only, now=asks.now)


def _item(conn: Connection, asks: Asked) -> Shape:
    item = QueueFilter(item_id=queue_service.named(conn, asks.account, asks.what).id)
    (found,) = queue.newest(conn, asks.account, item, now=asks.now)
    return found.shape()


def _contacts(conn: Connection, asks: Asked) -> Part:
    return listing.people(conn, asks.account, _wanted(asks))


def _contact(conn: Connection, asks: Asked) -> Shape:
    return people.named(conn, asks.account, asks.what)[0].shape()


def _flows(conn: Connection, asks: Asked) -> list[Shape]:
    return flows.applied(conn, asks.account)


def _flow(conn: Connection, asks: Asked) -> Shape:
    return flows.whole(conn, asks.account, asks.what)


def _flow_steps(conn: Connection, asks: Asked) -> Shape:
    given, zone = asks.parameters, asks.account.timezone
    version = given.get("version")
    if version is None:
        version = flow_history.applied_flow(conn, asks.account.id, asks.what, "show").version
    found = flow_steps.of_version(
        conn,
        asks.account,
        asks.what,
        version,
        since=asked.day("since", given.get("since"), asks.now, zone),
        until=asked.day("until", given.get("until"), asks.now, zone),
    )
    return found.shape()


def _flow_history(conn: Connection, asks: Asked) -> list[Shape]:
    since = asked.moment("since", asks.parameters.get("since"), asks.now, asks.account.timezone)
    limit = _limit(asks.parameters.get("limit"))
    return flow_history.history(conn, asks.account.id, asks.what, since=since, limit=limit)


def _stats(conn: Connection, asks: Asked) -> Shape:
    given, zone = asks.parameters, asks.account.timezone
    wanted = counts.Wanted(
        by=_by(asks),
        flow=given.get("flow"),
        connection=given.get("connection"),
        since=asked.day("since", given.get("since"), asks.now, zone),
        until=asked.day("until", given.get("until"), asks.now, zone),
    )
    return counts.told(conn, asks.account, wanted, asks.now)


def _connections(conn: Connection, asks: Asked) -> list[Shape]:
    return [connection_reading.shape(one) for one in connections.of_account(conn, asks.account.id)]


def _connection(conn: Connection, asks: Asked) -> Shape:
    return connection_reading.named(conn, asks.account, asks.what)


def _account(conn: Connection, asks: Asked) -> Shape:
    return accounts.shape(conn, asks.account, asks.now)


def _history(conn: Connection, asks: Asked) -> list[Shape]:
    since = asked.moment("since", asks.parameters.get("since"), asks.now, asks.account.timezone)
    limit = _limit(asks.parameters.get("limit"))
    return accounts.history(conn, asks.account.id, limit=limit, since=since)


def _retention(conn: Connection, asks: Asked) -> Shape:
    return kept.read(conn, asks.account.id, asks.ages, asks.sources, asks.now)


READS: Sequence[Read] = (
    Read("status", _status),
    Read("events", _events, _PART),
    Read("events/{id}", _event),
    Read("events/{id}/why", _why),
    Read("runs", _runs, _PART),
    Read("runs/{id}", _run),
    Read("queue", _queue, (*_PART, "open")),
    Read("queue/{id}", _item),
    Read("contacts", _contacts, _PART),
    Read("contacts/{id}", _contact),
    Read("flows", _flows),
    Read("flows/{id}", _flow),
    Read("flows/{id}/history", _flow_history, ("limit", "since")),
    Read("flows/{id}/steps", _flow_steps, ("version", "since", "until")),
    Read("stats", _stats, ("by", "flow", "connection", "since", "until")),
    Read("connections", _connections),
    Read("connections/{id}", _connection),
    Read("account", _account),
    Read("account/history", _history, ("limit", "since")),
    Read("retention", _retention),
)


def _wanted(asks: Asked) -> Wanted:
    given = asks.parameters
    return Wanted(
        limit=_limit(given.get("limit")),
        since=asked.moment("since", given.get("since"), asks.now, asks.account.timezone),
        before=given.get("before"),
    )


def _limit(written: str | None) -> int:
    if written is None:
        return NEWEST
    # Not `isdecimal` alone: it knows digits of other scripts, and thousands of them would take long to read.
    if not (written.isascii() and written.isdecimal() and len(written) <= 4 and 1 <= int(written) <= AT_MOST):
        raise UsageError(
            f"limit {written} is no number from 1 to {AT_MOST}.",
            hint="For more, follow the Link header from part to part.",
        )
    return int(written)


def _by(asks: Asked) -> By | None:
    written = asks.parameters.get("by")
    if written is None:
        return None
    try:
        return By(written)
    except ValueError:
        raise UsageError(f"by {written} is none of {', '.join(By)}.") from None


def _yes_or_no(asks: Asked, name: str) -> bool:
    written = asks.parameters.get(name, "false")
    if written not in ("true", "false"):
        raise UsageError(f"{name} {written} is neither true nor false.")
    return written == "true"
