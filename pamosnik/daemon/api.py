"""`/api/v1/`: what `--json` prints, over HTTP, for programs that bring an API token of the account.

Each answer is JSON, each refusal `{"error": {"message", "hint"}}`. An id of another account is answered as one that
never existed.
"""

import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon.api_reads import READS, Asked, Read
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callers import Caller, Callers
from pamosnik.errors import NotFound, UsageError
from pamosnik.services.listing import Part
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.reading import machine, problems
from pamosnik.services.reading.problems import Problem
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

BELOW = "/api/"
ROOT = "/api/v1/"


class Api:
    def __init__(
        self,
        settings: Config,
        callers: Callers,
        writer: GroupWriter,
        reader: Database,
        aside: Aside,
        clock: Clock,
        address: PublicAddress,
    ) -> None:
        self._settings = settings
        self._callers = callers
        self._writer = writer
        self._reader = reader
        self._aside = aside
        self._clock = clock
        self._address = address
        self._since = clock.now()

    def routes(self) -> list[Route]:
        return [Route(f"{ROOT}{read.path}", partial(self._answer, read=read)) for read in READS]

    async def _answer(self, request: Request, read: Read) -> Response:
        caller = await self._callers.of(request)
        if caller is None:
            return who_asks(request)
        try:
            asks = self._asked(request, read, caller)
            found = await self._aside.read(caller.account.id, partial(_body, read=read, asks=asks))
        except NotFound as error:
            return not_found(error, read.path)
        except UsageError as error:
            return refusal(400, error.message, error.hint)
        body, before = found
        headers = {} if before is None else {"link": _next_part(request, before)}
        return Response(body, headers=headers, media_type="application/json")

    def _asked(self, request: Request, read: Read, caller: Caller) -> Asked:
        return Asked(
            account=caller.account,
            now=self._clock.now(),
            what=request.path_params.get("id", ""),
            parameters=_parameters(request, read),
            daemon_since=self._since,
            public_address=self._address.url,
            storage=self._storage(),
            ages=self._settings.ages,
            sources=self._settings.sources,
        )

    def _storage(self) -> list[Problem]:
        problem = self._writer.storage.problem
        refused = None if problem is None else (problem.message, problem.hint or "")
        return problems.storage(
            refused, self._reader.wal_bytes(), free_bytes=machine.free_bytes(self._reader.path.parent)
        )


def is_below(request: Request) -> bool:
    """Whether a program asks, so that refusals have to be JSON."""
    return request.url.path.startswith(BELOW)


def refusal(
    status: int, message: str, hint: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    return JSONResponse({"error": {"message": message, "hint": over_http(hint)}}, status, headers)


_LISTED = re.compile(r"pamosnik (connections|contacts|events|flows|queue|runs) list( --open)?")


def not_found(error: NotFound, path: str) -> Response:
    """`path`: of the address that was asked."""
    hint = over_http(error.hint)
    if hint is None or "pamosnik" in hint:
        hint = f"Try: GET {ROOT}{path.split('/')[0]}"
    return refusal(404, error.message, hint)


def over_http(hint: str | None) -> str | None:
    """What a command would be asked next, as the address that tells the same."""
    if hint is None:
        return None
    return _LISTED.sub(lambda m: f"GET {ROOT}{m[1]}{'?open=true' if m[2] else ''}", hint)


def no_such_thing(request: Request, status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    """No such address, a method it does not know, a body that is too large."""
    hints = {
        404: f"All addresses begin with {ROOT} and are in docs/api.md.",
        405: "It is read with GET, and a few things are changed with POST: docs/api.md says which.",
        413: "Send less at once. How much an address takes is in docs/api.md.",
    }
    return refusal(status, f"{detail}.", hints.get(status), headers)


def who_asks(request: Request) -> Response:
    """The same whether a token is missing, made up or revoked, but for the word that RFC 6750 asks for."""
    brought = "authorization" in request.headers
    why = "This API token is not known, or was revoked." if brought else "This needs an API token."
    error = ', error="invalid_token"' if brought else ""
    return refusal(
        401,
        why,
        "Make one with: pamosnik api-token create --name NAME. Send it as: Authorization: Bearer TOKEN",
        {"www-authenticate": f'Bearer realm="Pamosnik"{error}'},
    )


def _parameters(request: Request, read: Read) -> Mapping[str, str]:
    """Each once, and none that the address does not know: a misspelt one must not look as if it had been heard."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in read.parameters:
            known = f"It knows {', '.join(read.parameters)}." if read.parameters else "It knows none."
            raise UsageError(f"{ROOT}{read.path} knows no parameter {name}.", hint=known)
        if name in given:
            raise UsageError(f"The parameter {name} is given twice.")
        given[name] = value
    return given


def _body(conn: Connection, read: Read, asks: Asked) -> tuple[bytes, str | None]:
    """The answer, ready to be sent, and where the next part of a list begins."""
    found = read.fn(conn, asks)
    before = found.before if isinstance(found, Part) else None
    rows = found.rows if isinstance(found, Part) else found
    return bytes(JSONResponse(rows).body), before


def _next_part(request: Request, before: str) -> str:
    """As RFC 8288 says it; relative, so that it holds behind any proxy."""
    asked = {**dict(request.query_params), "before": before}
    return f'<{request.url.path}?{urlencode(asked)}>; rel="next"'
