"""What all pages of the status page do alike: know who looks, read their rows beside the event loop, change something
by a form and lead back to a page that says what was done.

Pages are read with GET and changed with POST; after a change the browser is led on (303), so that opening the page
anew repeats nothing. What was done is a word in the address (`?told=`), never a text: whoever makes up an address
cannot put words into our page.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon.account_forms import ACTOR, words
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.http_walls import WITH_OWN_SCRIPT
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.status.live import Live
from pamosnik.daemon.visitors import Form, FormTooLate, Visitor, Visitors
from pamosnik.errors import HomeError, NotFound, PamosnikError
from pamosnik.services.people import By
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.reading import machine, problems
from pamosnik.services.reading.problems import Problem
from pamosnik.store import sessions
from pamosnik.store.database import Database
from pamosnik.store.walls import write_for
from pamosnik.store.writer import GroupWriter

T = TypeVar("T")
Show = Callable[[Request, Visitor], Awaitable[Response]]
Do = Callable[[Connection, By, Request, Form], str]
"""Changes something in the writer's transaction, and gives the address to lead on to. Raises `PamosnikError`."""


@dataclass(frozen=True, slots=True)
class StatusParts:
    pages: Pages
    visitors: Visitors
    writer: GroupWriter
    reader: Database
    aside: Aside
    clock: Clock
    live: Live
    address: PublicAddress
    """Where tracked links lead."""
    on_change: Callable[[], None]
    """Called when something was changed that the runner or sender may go on with."""

    # --- routes --------------------------------------------------------------------------------------

    def shown(self, path: str, show: Show) -> Route:
        """A page for whoever is logged in. What `show` does not find (`NotFound`) is a page that does not exist."""

        async def answer(request: Request) -> Response:
            visitor = await self.visitors.known(request)
            visitor = replace(visitor, mark=self.live.mark(visitor.account))
            try:
                return await show(request, visitor)
            except NotFound as error:
                raise HTTPException(404) from error

        return Route(path, answer, methods=["GET"])

    def done(self, path: str, do: Do, *, refused: str) -> Route:
        """A form of our own pages. What cannot be done is told on a page of its own, which leads to `refused`."""

        async def answer(request: Request) -> Response:
            visitor, form = await self.visitors.form(request)
            try:
                leads_to = await self._change(visitor, request, form, do)
            except HomeError:
                raise
            except NotFound as error:
                raise HTTPException(404) from error
            except PamosnikError as error:
                values = {"message": words(error), "back": refused.format(**request.path_params)}
                return self.page("not_done.html", visitor, values, page="", status=422)
            self.on_change()
            return RedirectResponse(leads_to, 303)

        return Route(path, answer, methods=["POST"])

    async def _change(self, visitor: Visitor, request: Request, form: Form, do: Do) -> str:
        by = By(visitor.account, ACTOR, self.clock.now())

        def while_in(conn: Connection) -> str:
            if sessions.by_token(conn, visitor.token_hash, by.now) is None:
                raise FormTooLate
            return do(conn, by, request, form)

        return await self.writer.write(write_for(visitor.account.id, while_in))

    # --- for pages -----------------------------------------------------------------------------------

    async def read(self, visitor: Visitor, fn: Callable[[Connection], T]) -> T:
        """On one snapshot of the account's rows."""
        return await self.aside.read(visitor.account.id, fn)

    def page(
        self, name: str, visitor: Visitor, values: Mapping[str, object], *, page: str, status: int = 200
    ) -> Response:
        """`page`: the entry of the header that it belongs to. What `shown` shows keeps itself up to date."""
        header = {"account": visitor.account, "csrf": visitor.csrf, "page": page, "mark": visitor.mark}
        answer = self.pages.page(name, {**header, **values}, status)
        if visitor.mark is not None:
            answer.headers["content-security-policy"] = WITH_OWN_SCRIPT
        return answer

    def storage(self) -> list[Problem]:
        """Problems of the disk and the database's file."""
        problem = self.writer.storage.problem
        refused = None if problem is None else (problem.message, problem.hint or "")
        return problems.storage(
            refused, self.reader.wal_bytes(), free_bytes=machine.free_bytes(self.reader.path.parent)
        )


def told(request: Request, sentences: Mapping[str, str]) -> str | None:
    """What the page says was done; None: nothing, or nothing that it knows."""
    return sentences.get(request.query_params.get("told", ""))


def with_words(path: str, **words: str | None) -> str:
    """The address with a query; None and '' are left out."""
    query = urlencode({name: word for name, word in words.items() if word})
    return f"{path}?{query}" if query else path
