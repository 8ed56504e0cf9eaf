"""What `stats` and `/api/v1/stats` are asked for, and what both answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.errors import UsageError
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import connections, numbers, statistics
from pamosnik.services.reading.statistics import Days, last_days
from pamosnik.services.shapes import Shape
from pamosnik.store.accounts import Account

DAYS_TOLD = 30
"""Of `by day`, when nobody says since when."""
_MOST_DAYS = 3660


class By(StrEnum):
    """What numbers are told apart by, instead of by flow."""

    DAY = "day"
    POST = "post"
    STEP = "step"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Wanted:
    by: By | None = None
    """None: by flow."""
    flow: str | None = None
    """Only this one."""
    connection: str | None = None
    """Only this one: a username, or an id."""
    since: str | None = None
    """YYYY-MM-DD of the account, as `until`; None: from the beginning, `by day` the last `DAYS_TOLD`."""
    until: str | None = None


def told(conn: Connection, account: Account, wanted: Wanted, now: datetime) -> Shape:
    """An object with one array. Raises `NotFound` and `UsageError`."""
    since, until, flow = wanted.since, wanted.until, wanted.flow
    connection = None
    if wanted.connection is not None:
        connection = connections.find(conn, account, wanted.connection).id
    if since is not None and until is not None and since > until:
        raise UsageError(f"{since} is after {until}.", hint="The first day comes before the last.")
    if flow is not None:
        numbers.require(conn, account, flow)
    match wanted.by:
        case None:
            return numbers.shape(
                numbers.by_flow(conn, account, flow=flow, connection=connection, since=since, until=until)
            )
        case By.DAY:
            days = _days(wanted, day_of(now, account.timezone))
            return _shape("days", statistics.by_day(conn, account, days, flow=flow, connection=connection))
        case By.POST:
            if flow is not None:
                raise UsageError("Posts are counted over all flows.", hint="Leave the flow out.")
            posts = statistics.by_post(conn, account, connection=connection, since=since, until=until)
            return _shape("posts", posts)
        case By.STEP:
            steps = statistics.by_step(conn, account, flow, connection=connection, since=since, until=until)
            return _shape("steps", steps)
        case By.LINK:
            links = statistics.by_link(
                conn, account, flow=flow, connection=connection, since=since, until=until
            )
            return _shape("links", links)


def _shape(name: str, rows: Sequence[statistics.Row]) -> Shape:
    return {name: [row.shape() for row in rows]}


def _days(wanted: Wanted, today: str) -> Days:
    until = wanted.until or max(today, wanted.since or today)
    days = Days(wanted.since, until) if wanted.since is not None else last_days(until, DAYS_TOLD)
    if days.number > _MOST_DAYS:
        raise UsageError(f"{days.number} days are too many to list.", hint="Ask for at most ten years.")
    return days


def of_month(written: str, today: str) -> Days:
    """The days of 2026-11, as far as they have come. Raises `UsageError`."""
    try:
        first = date.fromisoformat(f"{written}-01")
    except ValueError:
        raise UsageError(f"{written} is no month.", hint=f"Write it like {today[:7]}.") from None
    if f"{first}" > today:
        raise UsageError(f"{written} has not begun yet.", hint=f"This month is {today[:7]}.")
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return Days(f"{first}", min(f"{last}", today))


def last_months(today: str, how_many: int, *, since: str) -> list[str]:
    """YYYY-MM, this one first; none before that of the day `since`."""
    year, month = int(today[:4]), int(today[5:7])
    found = [f"{year + (month - 1 - n) // 12:04}-{(month - 1 - n) % 12 + 1:02}" for n in range(how_many)]
    return [one for one in found if one >= since[:7]] or found[:1]
