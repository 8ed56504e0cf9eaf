"""Meta's privacy callbacks, and the page that tells what became of a deletion.

Meta posts a signed request when a business removes the app, and when it wants its data deleted
(https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback). Both are
answered once the consequence is committed. Nothing says that Meta repeats such a request, or how long it waits for
the answer: while the database is busy the answer waits, and what storage refuses is tried until it is taken, also
when the answer had to be 503 by then.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon.reached import Reached
from pamosnik.daemon.rendering import Pages
from pamosnik.errors import StorageRefused
from pamosnik.instagram import signed_request
from pamosnik.instagram.signed_request import Malformed, SignedRequest, WrongSignature
from pamosnik.services import removal
from pamosnik.store import deletions
from pamosnik.store.database import Database
from pamosnik.store.deletions import Scope
from pamosnik.store.writer import GroupWriter

DEAUTHORIZE = "/webhooks/instagram/deauthorize"
DATA_DELETION = "/webhooks/instagram/data-deletion"
STATUS = "/deletion/"
_FIELDS_AT_MOST = 50
_COMPLAIN_EVERY_S = 60.0
REFUSED_FOR_S = 15.0
"""So long storage may refuse before the answer is 503."""
AGAIN_S = 1.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class MetaCallbacks:
    """200 means: committed to disk. Never a 5xx for anything a stranger can send; 503 when storage refuses."""

    def __init__(
        self,
        pages: Pages,
        settings: Config,
        reached: Reached,
        writer: GroupWriter,
        reader: Database,
        clock: Clock,
        *,
        on_deletion: Callable[[], None],
        refused_for_s: float = REFUSED_FOR_S,
    ) -> None:
        """`on_deletion` is called when a deletion was begun."""
        self._pages = pages
        self._secrets = settings.webhook_secrets
        self._reached = reached
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._on_deletion = on_deletion
        self._refused_for_s = refused_for_s
        self._under_way: set[asyncio.Task[None]] = set()
        self._complained_at: float | None = None

    def routes(self) -> list[Route]:
        return [
            Route(DEAUTHORIZE, self.deauthorize, methods=["POST"]),
            Route(DATA_DELETION, self.delete, methods=["POST"]),
            Route(f"{STATUS}{{code}}", self.status, methods=["GET"]),
        ]

    # --- what Meta posts -----------------------------------------------------------------------------

    async def deauthorize(self, request: Request) -> Response:
        """The owner has removed the app. Whose it is need not be known."""
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        await self._done(self._note_removal(asked))
        return PlainTextResponse("ok")

    async def delete(self, request: Request) -> Response:
        """The owner wants the data deleted. What nobody knows is answered, too."""
        asked = await self._asked(request)
        if isinstance(asked, Response):
            return asked
        await self._done(self._begin_deletion(asked))
        return JSONResponse(
            {"url": f"{self._reached.address(request)}{STATUS}{asked.code}", "confirmation_code": asked.code}
        )

    async def _done(self, work: Coroutine[None, None, None]) -> None:
        """Returns when the work is done. Raises `StorageRefused` when storage has refused it for long; it goes on all
        the same until it is done, as long as the daemon runs."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        end = time.monotonic() + self._refused_for_s
        while not task.done():
            await asyncio.wait((task,), timeout=min(AGAIN_S, self._refused_for_s))
            refused = self._writer.storage.problem
            if refused is not None and not task.done() and time.monotonic() >= end:
                raise refused
        task.result()

    async def _note_removal(self, asked: SignedRequest) -> None:
        await self._store(partial(removal.deauthorised, asked=asked, now=self._clock.now()))
        log.info("Meta says that the app was removed", extra={"action": "callback.deauthorize"})

    async def _begin_deletion(self, asked: SignedRequest) -> None:
        begun = await self._store(partial(removal.deletion_asked, asked=asked, now=self._clock.now()))
        log.info("Meta asks for a deletion", extra={"action": "callback.deletion", "deletion_id": begun})
        if begun is not None:
            self._on_deletion()

    async def _store(self, change: Callable[[Connection], T]) -> T:
        """However often storage refuses it."""
        while True:
            try:
                return await self._writer.write(change, urgent=True)
            except StorageRefused:  # the writer tells it
                await asyncio.sleep(AGAIN_S)

    async def _asked(self, request: Request) -> SignedRequest | Response:
        """What Meta signed, or the answer to what is not Meta's."""
        async with request.form(max_files=0, max_fields=_FIELDS_AT_MOST) as form:
            given = form.get(signed_request.FIELD)
        if not isinstance(given, str):
            return PlainTextResponse(f"The form field {signed_request.FIELD} is missing.", 400)
        try:
            return signed_request.read(given, self._secrets)
        except Malformed as problem:
            return PlainTextResponse(f"The signed request cannot be read. {problem}", 400)
        except WrongSignature:
            self._complain()
            return PlainTextResponse("The signature does not fit.", 403)

    def _complain(self) -> None:
        """Once a minute: a stranger must not fill the log."""
        now = time.monotonic()
        if self._complained_at is not None and now - self._complained_at < _COMPLAIN_EVERY_S:
            return
        self._complained_at = now
        log.warning(
            "A privacy callback was refused: its signature does not fit the app secrets.",
            extra={"action": "callback.bad_signature"},
        )

    # --- what everybody may look at who has the code -------------------------------------------------

    async def status(self, request: Request) -> Response:
        """Says nothing of whose data it is."""
        found = deletions.request(self._reader.connection, request.path_params["code"])
        if found is None:
            page = self._pages.page("deletion_unknown.html", {}, 404)
        else:
            deletion = found.deletion
            everything = deletion is not None and deletion.scope is Scope.ACCOUNT
            values = {"asked": found, "deletion": deletion, "everything": everything}
            page = self._pages.page("deletion.html", values)
        page.headers["x-robots-tag"] = "noindex"
        return page
