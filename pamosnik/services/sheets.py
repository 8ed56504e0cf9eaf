"""What lists show, as the rows of a spreadsheet; times on the account's clock, with offset.

Columns are named as in the JSON contract; what is nested there has its path for a name, like `fields.size`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.csv_cells import Cell
from pamosnik.model.outbox import ItemStatus
from pamosnik.services.reading import event_lists, numbers, queue, runs, statistics
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import people as people_reading
from pamosnik.services.reading.holding import Holds
from pamosnik.services.reading.numbers import WORDS
from pamosnik.services.reading.statistics import Days
from pamosnik.services.shapes import Shape
from pamosnik.store import connections, contacts, stats
from pamosnik.store import people as people_store
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter

Row = Sequence[Cell]

_PERSON = (
    *("username", "igsid", "name", "tags"),
    *("window_open_until", "opted_out", "unreachable", "paused_until"),
    *("follows_me", "verified", "followers", "connection", "id"),
)
_EVENT = (
    *("at", "kind", "from.username", "from.igsid", "text", "verdict", "flow", "reason"),
    *("connection", "comment_id", "message_id", "run", "recovered", "seen_times", "id"),
)
_ITEM = (
    *("due_at", "kind", "action", "to.username", "to.igsid", "to.comment_id", "flow", "status", "reason"),
    *("deadline", "expected_at", "attempts", "message_id", "connection", "run", "id"),
)
_RUN = (
    *("started_at", "flow", "version", "contact.username", "contact.igsid", "status", "step", "due_at"),
    *("finished_at", "reason", "connection", "id"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a sheet."""

    rows: Sequence[Row]
    last: str | None
    """Where the next part begins; None: there is none."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet is made of, part by part: each is read on a snapshot of its own, so that a long one holds nothing
    up."""

    columns: Callable[[Connection, Account], Sequence[str]]
    part: Callable[[Connection, Account, Sequence[str], str | None, int], Part]
    """(connection, account, columns, `last` of the part before, how many rows)"""


def _people_columns(conn: Connection, account: Account) -> Sequence[str]:
    fields = [f"fields.{name}" for name in contacts.field_names(conn, account.id)]
    return [*_PERSON[:4], *fields, *_PERSON[4:]]


def people(which: people_store.Wanted = people_store.EVERYBODY) -> Sheet:
    """Those who are wanted, connection by connection."""

    def part(
        conn: Connection, account: Account, columns: Sequence[str], last: str | None, limit: int
    ) -> Part:
        return _people(conn, account, columns, last, limit, which)

    return Sheet(_people_columns, part)


def _people(
    conn: Connection,
    account: Account,
    columns: Sequence[str],
    last: str | None,
    limit: int,
    which: people_store.Wanted,
) -> Part:
    ids = sorted(one.id for one in connections.of_account(conn, account.id))
    at, _, after = (last or "").partition(" ")
    left = [connection for connection in ids if connection >= at]
    if not left:
        return Part([], None)
    found = people_reading.of_connection(
        conn, account, left[0], which, after=after if left[0] == at else "", limit=limit
    )
    rows = _rows([one.shape() for one in found], columns, account)
    if len(found) == limit:
        return Part(rows, f"{left[0]} {found[-1].contact.igsid}")
    return Part(rows, left[1] if len(left) > 1 else None)


def _event_columns(_: Connection, __: Account) -> Sequence[str]:
    return _EVENT


def _events(conn: Connection, account: Account, columns: Sequence[str], last: str | None, limit: int) -> Part:
    found = event_reading.newest(conn, account, limit=limit, since=None, before=last)
    rows = _rows([one.shape() for one in found], columns, account)
    return Part(rows, found[-1].id if len(found) == limit else None)


def events(wanted: event_lists.Wanted) -> Sheet:
    """What the list of events shows, whole; the newest first."""

    def part(
        conn: Connection, account: Account, columns: Sequence[str], last: str | None, limit: int
    ) -> Part:
        found = event_lists.look(conn, account, replace(wanted, before=last), rows=limit)
        return Part(_rows([one.shape() for one in found.events], columns, account), found.before)

    return Sheet(_event_columns, part)


def _item_columns(_: Connection, __: Account) -> Sequence[str]:
    return _ITEM


def waiting(now: datetime, holds: Holds | None = None) -> Sheet:
    """What has not left yet, or what of it waits for the same; the latest made first."""

    def part(
        conn: Connection, account: Account, columns: Sequence[str], _last: str | None, _limit: int
    ) -> Part:
        found = queue.newest(conn, account, QueueFilter(open_only=True), now=now)
        shown = [item.shape() for item in found if holds in (None, item.holds)]
        return Part(_rows(shown, columns, account), None)

    return Sheet(_item_columns, part)


def items(status: ItemStatus | None, now: datetime) -> Sheet:
    """What is in this state, or all of the queue; the latest made first."""

    def part(
        conn: Connection, account: Account, columns: Sequence[str], last: str | None, limit: int
    ) -> Part:
        found = queue.in_state(conn, account, status, now=now, limit=limit, before=last)
        return Part(_rows([item.shape() for item in found.items], columns, account), found.before)

    return Sheet(_item_columns, part)


def _run_columns(_: Connection, __: Account) -> Sequence[str]:
    return _RUN


def _runs(conn: Connection, account: Account, columns: Sequence[str], last: str | None, limit: int) -> Part:
    found = runs.newest(conn, account, limit=limit, before=last)
    rows = _rows([one.shape() for one in found], columns, account)
    return Part(rows, found[-1].id if len(found) == limit else None)


def _number_columns(conn: Connection, account: Account) -> Sequence[str]:
    rows = [_flat(row) for row in _counted(conn, account)]
    names = dict.fromkeys(name for row in rows for name in row)
    first = ("flow", "connection")
    nested = sorted(name for name in names if "." in name)
    return [*first, *(name for name in names if "." not in name and name not in first), *nested]


def _numbers(
    conn: Connection, account: Account, columns: Sequence[str], _last: str | None, _limit: int
) -> Part:
    zeros = {name: 0 for name in columns if "." in name}
    return Part(
        [[{**zeros, **_flat(row)}.get(name) for name in columns] for row in _counted(conn, account)], None
    )


def _day_columns(_: Connection, __: Account) -> Sequence[str]:
    return ("day", *statistics.CAME_IN, *WORDS)


def _days(conn: Connection, account: Account, columns: Sequence[str], last: str | None, limit: int) -> Part:
    """`last`: the day before is the next one's."""
    counted = stats.counted_days(conn, account.id)
    if counted is None:
        return Part([], None)
    first = counted[0]
    until = counted[1] if last is None else str(date.fromisoformat(last) - timedelta(days=1))
    days = statistics.last_days(until, limit)
    days = Days(max(first, days.first), until)
    found = statistics.by_day(conn, account, days)
    rows = _rows([one.shape() for one in reversed(found)], columns, account)
    return Part(rows, None if days.first == first else days.first)


def _post_columns(_: Connection, __: Account) -> Sequence[str]:
    return ("post", "caption", "permalink", "posted_at", "comments", "matched", *WORDS, "connection")


def posts(since: str | None = None) -> Sheet:
    """As `stats --by post` counts, from this day on."""
    return _whole(_post_columns, partial(statistics.by_post, since=since))


def _link_columns(_: Connection, __: Account) -> Sequence[str]:
    return ("flow", "link", "messages", "people", "clicks", "previews", "connection")


def links(since: str | None = None) -> Sheet:
    """As `stats --by link` counts, from this day on."""
    return _whole(_link_columns, partial(statistics.by_link, since=since))


def _step_columns(_: Connection, __: Account) -> Sequence[str]:
    return ("flow", "version", "step", "reached")


def steps(flow: str | None = None, since: str | None = None) -> Sheet:
    """As `stats --by step` counts: of one flow or of all, from this day on."""
    return _whole(_step_columns, partial(statistics.by_step, flow=flow, since=since))


def _whole(
    columns: Callable[[Connection, Account], Sequence[str]],
    read: Callable[[Connection, Account], Sequence[statistics.Row]],
) -> Sheet:
    """Of a list that is short enough to be read at once."""

    def part(
        conn: Connection, account: Account, columns: Sequence[str], _last: str | None, _limit: int
    ) -> Part:
        return Part(_rows([one.shape() for one in read(conn, account)], columns, account), None)

    return Sheet(columns, part)


PEOPLE = people()
"""Everybody."""
EVENTS = Sheet(_event_columns, _events)
"""The newest first."""
NUMBERS = Sheet(_number_columns, _numbers)
"""As `stats` counts: a row for each flow and connection."""
DAYS = Sheet(_day_columns, _days)
"""As `stats --by day` counts, the newest first: from the first day on which anything was counted."""
POSTS = posts()
LINKS = links()
STEPS = steps()
RUNS = Sheet(_run_columns, _runs)
"""The latest first."""


def _counted(conn: Connection, account: Account) -> Sequence[Shape]:
    return [row.shape() for row in numbers.by_flow(conn, account)]


def _rows(found: Sequence[Shape], columns: Sequence[str], account: Account) -> Sequence[Row]:
    zone = ZoneInfo(account.timezone)
    return [[_cell(flat.get(name), name, zone) for name in columns] for flat in map(_flat, found)]


def _flat(shape: Mapping[str, object], above: str = "") -> dict[str, Cell]:
    flat: dict[str, Cell] = {}
    for name, value in shape.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        elif isinstance(value, list):
            flat[f"{above}{name}"] = ", ".join(value)
        else:
            assert value is None or isinstance(value, str | int | bool)
            flat[f"{above}{name}"] = value
    return flat


def _cell(value: Cell, name: str, zone: ZoneInfo) -> Cell:
    if isinstance(value, str) and (name in ("at", "deadline") or name.endswith(("_at", "_until"))):
        return datetime.fromisoformat(value).astimezone(zone)
    return value
