"""What lists show as CSV files, and a month as a page for a client, for whoever is logged in."""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pamosnik import csv_cells
from pamosnik._sqlite import Connection
from pamosnik.clock import Clock, local_minute
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.status import events, people, queue
from pamosnik.daemon.visitors import Visitors
from pamosnik.errors import NotFound, UsageError
from pamosnik.services import asked, client_page, sheets
from pamosnik.services.numbers import day_of
from pamosnik.services.reading.holding import Holds
from pamosnik.services.sheets import Sheet
from pamosnik.store.accounts import Account

ROWS_AT_ONCE = 250
"""Read and sent together: a file of any length takes little memory, and what else there is to do comes between."""

MONTH_PATH = "/month.html"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")

FILES = {
    "people": sheets.PEOPLE,
    "runs": sheets.RUNS,
    "steps": sheets.STEPS,
    "events": sheets.EVENTS,
    "stats": sheets.NUMBERS,
    "days": sheets.DAYS,
    "posts": sheets.POSTS,
    "links": sheets.LINKS,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What follows the question mark, with what it needs to be understood."""

    words: QueryParams
    account: Account
    now: datetime

    def since(self) -> str | None:
        """A day. Raises `UsageError`."""
        return asked.day("since", self.words.get("since") or None, self.now, self.account.timezone)


def _queue(asks: Asked) -> Sheet:
    """As the page of the queue has it: without a word what is not out yet."""
    if (shown := asks.words.get("show", "")) in queue.STATES:
        return sheets.items(queue.STATES[shown][1], asks.now)
    cause = asks.words.get("why")
    return sheets.waiting(asks.now, Holds(cause) if cause in set(Holds) else None)


def _events(asks: Asked) -> Sheet:
    return sheets.events(events.wanted(asks.words)) if asks.words else sheets.EVENTS


NARROWED: Mapping[str, Callable[[Asked], Sheet]] = {
    "events": _events,
    "people": lambda asks: sheets.people(people.wanted(asks.words, asks.now)),
    "posts": lambda asks: sheets.posts(asks.since()),
    "links": lambda asks: sheets.links(asks.since()),
    "steps": lambda asks: sheets.steps(asks.words.get("flow") or None, asks.since()),
    "queue": _queue,
}
"""What holds as much as the page shows: with the words of its address."""


class Downloads:
    def __init__(self, visitors: Visitors, aside: Aside, clock: Clock) -> None:
        self._visitors = visitors
        self._aside = aside
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            *(Route(f"/{name}.csv", partial(self._download, name=name)) for name in {**FILES, **NARROWED}),
            Route(MONTH_PATH, self._month),
        ]

    async def _month(self, request: Request) -> Response:
        """Without a month this one."""
        visitor, now = await self._visitors.known(request), self._clock.now()
        words = request.query_params
        month = words.get("month", day_of(now, visitor.account.timezone)[:7])
        connection = words.get("connection") or None
        read = partial(client_page.of_month, account=visitor.account, month=month, connection=connection)
        try:
            page = await self._aside.read(visitor.account.id, partial(read, now=now))
        except (NotFound, UsageError) as error:
            raise HTTPException(404) from error
        name = "-".join(_NOT_IN_NAMES.sub("", part) for part in (month, connection) if part)
        headers = {"content-disposition": f'attachment; filename="{name}.html"'}
        return Response(page, headers=headers, media_type="text/html")

    async def _download(self, request: Request, name: str) -> Response:
        visitor, now = await self._visitors.known(request), self._clock.now()
        day = local_minute(now, visitor.account.timezone)[:10]
        headers = {"content-disposition": f'attachment; filename="{name}-{day}.csv"'}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=csv_cells.MEDIA_TYPE)
        account = visitor.account
        try:
            asks = Asked(request.query_params, account, now)
            sheet = NARROWED[name](asks) if name in NARROWED else FILES[name]
        except UsageError as error:
            raise HTTPException(404) from error
        # Read before the answer begins: what refuses now is told, not a file that ends early.
        columns = await self._aside.read(account.id, lambda conn: sheet.columns(conn, account))
        return StreamingResponse(
            self._content(account, sheet, columns), headers=headers, media_type=csv_cells.MEDIA_TYPE
        )

    async def _content(self, account: Account, sheet: Sheet, columns: Sequence[str]) -> AsyncIterator[bytes]:
        (heading,) = csv_cells.encoded(columns, [])
        yield heading
        read = partial(_read, account=account, sheet=sheet, columns=columns)
        lines, last = await self._aside.read(account.id, partial(read, last=None))
        yield lines
        while last is not None:
            lines, last = await self._aside.read(account.id, partial(read, last=last))
            yield lines


def _read(
    conn: Connection, account: Account, sheet: Sheet, columns: Sequence[str], last: str | None
) -> tuple[bytes, str | None]:
    part = sheet.part(conn, account, columns, last, ROWS_AT_ONCE)
    _heading, *lines = csv_cells.encoded(columns, part.rows)
    return b"".join(lines), part.last
