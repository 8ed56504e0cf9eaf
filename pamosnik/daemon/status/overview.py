"""The first page behind login: is everything well, what came in, what came of it. No script needed."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.charts import words
from pamosnik.clock import ago
from pamosnik.daemon.status.events import group_of
from pamosnik.daemon.status.parts import StatusParts
from pamosnik.daemon.visitors import Visitor
from pamosnik.services import pictures
from pamosnik.services.reading import counts, overview
from pamosnik.services.reading import machine as machine_reading
from pamosnik.services.reading.definitions import DEFINITIONS
from pamosnik.services.reading.machine import AMPLE_BYTES, Machine
from pamosnik.services.reading.overview import Overview

PATH = "/"
EVENTS_SHOWN = 10
MONTHS = 12
"""That can be downloaded as a page for a client."""
NUMBERS = (
    ("received", "Came in"),
    ("answered", "Answered"),
    ("started", "Started"),
    ("sent", "Sent"),
    ("seen", "Seen"),
    ("clicked", "Clicked"),
    ("replied", "Replied"),
    ("completed", "Completed"),
)


class OverviewPage:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [self._parts.shown(PATH, self._overview)]

    async def _overview(self, _: Request, visitor: Visitor) -> Response:
        now = self._parts.clock.now()
        read = partial(
            overview.of_account,
            account=visitor.account,
            events=EVENTS_SHOWN,
            now=now,
            machine=await asyncio.to_thread(machine_reading.of_home, self._parts.reader.path.parent),
            storage=self._parts.storage(),
        )
        view = await self._parts.read(visitor, read)
        return self._parts.page("home.html", visitor, {**values(view), "now": now, "ago": ago}, page=PATH)


def values(view: Overview) -> dict[str, object]:
    """What the template shows."""
    month = view.month
    return {
        "view": view,
        "numbers": [
            (
                name,
                DEFINITIONS[word],
                view.today[word],
                month[word],
                pictures.course(name, word, view.days),
            )
            for word, name in NUMBERS
        ],
        "came_in": pictures.came_in(view.days),
        "months": _months(view),
        "free": _free(view.machine),
        "group_of": group_of,
    }


def _months(view: Overview) -> list[tuple[str, str]]:
    """Those with something to tell: word of the address, and what it is called; the newest first."""
    today = view.days[-1].day
    since = min((f"{one.connected.connected_at:%Y-%m}" for one in view.lifelines), default=today)
    found = counts.last_months(today, MONTHS, since=since)
    return [(month, words.month(month)) for month in found]


def _free(machine: Machine) -> str:
    if machine.free_bytes is None:
        return "the machine does not say"
    if machine.free_bytes > AMPLE_BYTES:
        return f"more than {AMPLE_BYTES >> 30} GB"
    return f"{machine.free_bytes / (1 << 30):.1f} GB"
