"""Whether this process answers and can store, and what it answers while it cannot."""

from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon import api
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callers import Callers
from pamosnik.daemon.error_answers import ErrorAnswers
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.services.shapes import Shape
from pamosnik.store import connections, reads
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

_REFUSED = "Pamosnik cannot use its database at the moment."


class Health:
    def __init__(
        self, callers: Callers, writer: GroupWriter, reader: Database, aside: Aside, errors: ErrorAnswers
    ) -> None:
        self._callers = callers
        self._writer = writer
        self._reader = reader
        self._aside = aside
        self._errors = errors

    def routes(self) -> list[Route]:
        return [Route("/healthz", self.healthz), Route("/readyz", self.readyz)]

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(self, request: Request) -> Response:
        """Anybody may know whether it is ready; who brings an API token learns more, of the token's account."""
        try:
            caller = await self._callers.of(request)
            self._reader.connection.execute("SELECT 1 FROM accounts LIMIT 1").fetchone()
            more = {} if caller is None else await self._details(caller.account.id)
        except Exception:  # noqa: BLE001 - whatever it is, the answer is "not ready"
            return JSONResponse({"ready": False}, 503)
        ready = self._writer.storage.problem is None
        return JSONResponse({"ready": ready, **more}, 200 if ready else 503)

    async def _details(self, account_id: str) -> Shape:
        def read(conn: Connection) -> Shape:
            counts = reads.queue_counts(conn, account_id)
            found = Counter(one.status for one in connections.of_account(conn, account_id))
            return {
                "queue": {name: counts.get(name, 0) for name in ("queued", "sending", "unknown", "held")},
                "events": {"pending": reads.event_counts(conn, account_id)[1]},
                "connections": {status.value: found[status] for status in ConnectionStatus},
            }

        problem = self._writer.storage.problem
        return {
            "not_ready": [] if problem is None else [problem.message],
            **await self._aside.read(account_id, read),
        }

    async def refused(self, request: Request, error: Exception) -> Response:
        """To any request that met what the database refuses."""
        try:
            with self._reader.in_words():
                raise error
        except StorageRefused as problem:
            self._writer.storage.refused(problem)
        except DatabaseDamaged as problem:
            self._writer.met_damage(problem)
        if api.is_below(request):
            return api.refusal(503, _REFUSED, "Try again in a minute; pamosnik status tells more.")
        return self._errors.told(request, 503, _REFUSED)
