"""The first page behind login: health, counts and the last events. No script needed."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.daemon.status.parts import StatusParts
from pamosnik.daemon.visitors import Visitor
from pamosnik.services import reading

PATH = "/"
EVENTS_SHOWN = 50


class OverviewPage:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [self._parts.shown(PATH, self._overview)]

    async def _overview(self, _: Request, visitor: Visitor) -> Response:
        read = partial(
            reading.overview.of_account,
            account=visitor.account,
            events=EVENTS_SHOWN,
            now=self._parts.clock.now(),
            storage=self._parts.storage(),
        )
        view = await self._parts.read(visitor, read)
        return self._parts.page("home.html", visitor, {"view": view}, page=PATH)
