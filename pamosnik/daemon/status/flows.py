"""The flows: the list, each one drawn with its numbers, its versions, and pausing it. What they say stands in flow
files and is changed there."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.charts import qr
from pamosnik.charts.funnel import Stage, funnel
from pamosnik.clock import local_minute
from pamosnik.daemon.status.parts import StatusParts, told, with_words
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.errors import NotFound
from pamosnik.flows.graph import figures, layout, svg
from pamosnik.services import pausing
from pamosnik.services.people import By
from pamosnik.services.reading import broadcasts, flow_pages, ig_me
from pamosnik.services.reading.definitions import DEFINITIONS
from pamosnik.services.reading.flow_pages import Span, Totals
from pamosnik.services.reading.flow_steps import FlowSteps
from pamosnik.store import flow_history

PATH = "/flows"
ONE = f"{PATH}/{{id}}"
SPANS: Mapping[str, tuple[str, int | None]] = {
    "1": ("Today", 1),
    "7": ("7 days", 7),
    "30": ("30 days", 30),
    "90": ("90 days", 90),
    "all": ("All", None),
}
"""Word in the address → what the page calls it, and how many days it is."""
_USUAL = "30"
WHO = {"command": "by command", "page": "on this page", "api": "over the API"}
_TOLD = {
    "paused": "The flow is paused: it starts nobody any more. Whoever is in it goes on.",
    "resumed": "The flow is live again.",
    "still_paused": "The pause by hand is over. It stays paused all the same: its file says `state: paused`.",
}


class FlowPages:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            self._parts.shown(PATH, self._list),
            self._parts.shown(ONE, self._flow),
            self._parts.shown(f"{ONE}/pause", self._before_pause),
            self._parts.shown(f"{ONE}/versions/{{version}}", self._version),
            self._parts.done(f"{ONE}/pause", _pause, refused=ONE),
            self._parts.done(f"{ONE}/resume", _resume, refused=ONE),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        rows = await self._parts.read(
            visitor, partial(flow_pages.rows, account=visitor.account, over=self._over(request, visitor))
        )
        return self._page("flows.html", request, visitor, {"rows": rows})

    async def _flow(self, request: Request, visitor: Visitor) -> Response:
        read = partial(
            flow_pages.of_flow,
            account=visitor.account,
            flow_id=request.path_params["id"],
            over=self._over(request, visitor),
        )
        try:
            view = await self._parts.read(visitor, read)
        except NotFound:
            return await self._renamed(request, visitor)
        links = await self._parts.read(
            visitor,
            partial(
                ig_me.for_page, account=visitor.account, flow_id=view.flow_id, now=self._parts.clock.now()
            ),
        )
        values = {
            "view": view,
            "links": [] if links is None else [(link, _code(link.url)) for link in links.links],
            "remarks": () if links is None else links.remarks,
            "picture": _picture(view.steps),
            "sentence": broadcasts.sentence,
            "skips": broadcasts.WORDS,
            "minute": partial(_minute, timezone=visitor.account.timezone),
            "told": told(request, _TOLD),
            # Its words are escaped where it is drawn.
            "funnel": Markup(_funnel(view.totals)),  # noqa: S704
        }
        return self._page("flow.html", request, visitor, values)

    async def _renamed(self, request: Request, visitor: Visitor) -> Response:
        """Addresses are kept and sent along: one of before leads to the flow by its id of now. Raises `NotFound`."""
        flow_id = request.path_params["id"]
        read = partial(flow_pages.called_now, account=visitor.account, flow_id=flow_id)
        now = await self._parts.read(visitor, read)
        if now is None:
            raise NotFound(f"There is no flow {flow_id}.")
        days = request.query_params.get("days")
        return RedirectResponse(with_words(ONE.format(id=quote(now)), days=days), 303)

    async def _version(self, request: Request, visitor: Visitor) -> Response:
        read = partial(
            flow_pages.of_version,
            account=visitor.account,
            flow_id=request.path_params["id"],
            version=request.path_params["version"],
            over=self._over(request, visitor),
        )
        view = await self._parts.read(visitor, read)
        return self._page(
            "flow_version.html", request, visitor, {"view": view, "picture": _picture(view.steps)}
        )

    async def _before_pause(self, request: Request, visitor: Visitor) -> Response:
        stands = await self._parts.read(
            visitor,
            partial(pausing.as_it_is, account_id=visitor.account.id, flow_id=request.path_params["id"]),
        )
        return self._page("flow_pause.html", request, visitor, {"stands": stands})

    def _over(self, request: Request, visitor: Visitor) -> Span:
        _, days = SPANS[_word(request)]
        return flow_pages.span(days, visitor.account, self._parts.clock.now())

    def _page(self, name: str, request: Request, visitor: Visitor, values: Mapping[str, object]) -> Response:
        shared = {
            "spans": SPANS,
            "days": _word(request),
            "here": request.url.path,
            "who": WHO,
            "definitions": DEFINITIONS,
        }
        return self._parts.page(name, visitor, {**shared, **values}, page=PATH)


def _minute(written: str, timezone: str) -> str:
    """An instant of the JSON contract, for people."""
    return local_minute(datetime.fromisoformat(written), timezone)


def _word(request: Request) -> str:
    asked = request.query_params.get("days", _USUAL)
    return asked if asked in SPANS else _USUAL


def _code(url: str) -> Markup:
    """The QR code of one of our own addresses."""
    return Markup(qr.inline(url))  # noqa: S704


def _picture(steps: FlowSteps) -> Markup:
    # Every text in it is escaped by `svg`.
    counted = figures.with_figures(steps.outline, steps.figures())
    return Markup(svg.render_inline(layout.draw([counted])))  # noqa: S704


def _funnel(totals: Totals) -> str:
    stages = [Stage(word, number) for word, number in totals.funnel]
    return funnel("Numbers of runs, and their share of those that started", stages)


def _pause(conn: Connection, by: By, request: Request, _: Form) -> str:
    flow_id = request.path_params["id"]
    pausing.pause(conn, by.account.id, [flow_id], flow_history.By(by.actor, by.now))
    return with_words(ONE.format(id=flow_id), told="paused")


def _resume(conn: Connection, by: By, request: Request, _: Form) -> str:
    flow_id = request.path_params["id"]
    (stands,) = pausing.resume(conn, by.account.id, [flow_id], flow_history.By(by.actor, by.now))
    word = "still_paused" if stands.flow.paused_in_file else "resumed"
    return with_words(ONE.format(id=flow_id), told=word)
