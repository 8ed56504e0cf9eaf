"""`/privacy`, `/terms` and `/data-deletion`: for anybody, without login, cookie or script; what they say now, the
texts that held before, and the one that comes."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.daemon.rendering import Pages
from pamosnik.services import legal
from pamosnik.services.legal import Facts, Operator, Text
from pamosnik.store.database import Database
from pamosnik.store.legal_texts import PAGES

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class LegalPages:
    def __init__(self, pages: Pages, reader: Database, clock: Clock, facts: Facts) -> None:
        self._pages = pages
        self._reader = reader
        self._clock = clock
        self._facts = facts

    def routes(self) -> list[Route]:
        return [
            *(Route(f"/{name}", partial(self._page, name=name), methods=["GET"]) for name in PAGES),
            *(Route(f"/{name}/{{key}}", partial(self._page, name=name), methods=["GET"]) for name in PAGES),
        ]

    async def _page(self, request: Request, name: str) -> Response:
        conn = self._reader.connection
        run_by = legal.operator(conn, self._facts)
        if run_by is None:
            return self._pages.page("legal_nobody.html", {"title": legal.TITLES[name]})
        page, key = legal.of(conn, run_by, name, self._clock.now()), request.path_params.get("key")
        text = page.now if key is None else legal.find(page, key)
        if text is None:
            raise HTTPException(404)
        coming = page.coming
        values = {
            "name": name,
            "titles": legal.TITLES,
            "operator": run_by.name,
            "text": text,
            "html": legal.html(text.body, run_by, self._facts),
            "coming_html": "" if coming is None else legal.html(coming.body, run_by, self._facts),
            "page": page,
            "day": partial(day, run_by=run_by),
            "span": partial(span, run_by=run_by),
        }
        answer = self._pages.kept_page(request, "legal.html", values)
        answer.headers["x-robots-tag"] = "all"
        return answer


def day(moment: datetime, run_by: Operator) -> str:
    """Like `30 November 2026`, on the operator's clock."""
    return _day(moment.astimezone(ZoneInfo(run_by.zone)))


def span(text: Text, run_by: Operator) -> str:
    """When an earlier text held: from day to day, or from minute to minute of one day."""
    assert text.until is not None
    since, until = (moment.astimezone(ZoneInfo(run_by.zone)) for moment in (text.since, text.until))
    if since.date() == until.date():
        return f"{_day(since)}, {since:%H:%M} – {until:%H:%M}"
    return f"{_day(since)} – {_day(until)}"


def _day(local: datetime) -> str:
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
