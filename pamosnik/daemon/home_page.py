"""The first page behind login: health, counts and the last events. No script needed."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.visitors import Visitors
from pamosnik.services import reading
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

EVENTS_SHOWN = 50


class HomePage:
    def __init__(
        self,
        pages: Pages,
        visitors: Visitors,
        writer: GroupWriter,
        reader: Database,
        aside: Aside,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._visitors = visitors
        self._writer = writer
        self._reader = reader
        self._aside = aside
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route("/", self.home)]

    async def home(self, request: Request) -> Response:
        visitor = await self._visitors.known(request)
        account, now = visitor.account, self._clock.now()
        problem = self._writer.storage.problem
        refused = None if problem is None else (problem.message, problem.hint or "")
        storage = reading.problems.storage(refused, self._reader.wal_bytes())
        view = await self._aside.read(
            account.id,
            partial(
                reading.overview.of_account, account=account, events=EVENTS_SHOWN, now=now, storage=storage
            ),
        )
        return self._pages.page(
            "home.html", {"account": account, "csrf": visitor.csrf, "page": "/", "view": view}
        )
