"""What stands around every request: bodies have room together, and whoever hangs up leaves no error."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Scope

from pamosnik.daemon import http_walls
from pamosnik.daemon.http_walls import FORM_BYTES, Bounded, CutShort

pytestmark = pytest.mark.anyio

LARGE = 4 * FORM_BYTES


async def _takes(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail, error.status_code, headers=error.headers)


def _walls() -> ASGIApp:
    routes = [Route("/hook", _takes, methods=["POST"]), Route("/form", _takes, methods=["POST"])]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _told})
    return CutShort(Bounded(app, {"/hook": 1 << 20}, _told))


class _Sender:
    """One request, whose body comes as it is told."""

    def __init__(self, walls: ASGIApp, path: str) -> None:
        self._walls = walls
        self._path = path
        self.sent: list[Message] = []

    async def send(self, parts: AsyncIterator[bytes]) -> int:
        """The answer's status; 0: none."""

        async def receive() -> Message:
            part = await anext(parts, None)
            if part is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": part, "more_body": part != b""}

        async def take(message: Message) -> None:
            self.sent.append(message)

        headers = [(b"transfer-encoding", b"chunked")]
        scope: Scope = {"type": "http", "method": "POST", "path": self._path, "headers": headers}
        await self._walls({**scope, "query_string": b""}, receive, take)
        return int(self.sent[0]["status"]) if self.sent else 0


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_large_bodies_have_room_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_walls, "ROOM_BYTES", LARGE)
    walls = _walls()
    inside: list[int] = []

    async def slowly() -> AsyncIterator[bytes]:
        """While the first body is held, a second one finds no room, and small ones do."""
        yield b"x" * LARGE
        second = _Sender(walls, "/hook")
        inside.append(await second.send(_parts(b"x" * LARGE, b"")))
        assert (b"retry-after", b"60") in second.sent[0]["headers"]
        inside.append(await _Sender(walls, "/hook").send(_parts(b"x" * FORM_BYTES, b"")))
        yield b""

    assert await _Sender(walls, "/hook").send(slowly()) == 200
    assert inside == [503, 200]
    assert await _Sender(walls, "/hook").send(_parts(b"x" * LARGE, b"")) == 200, "what was held is free again"


async def test_a_form_has_the_size_of_a_form() -> None:
    walls = _walls()
    assert await _Sender(walls, "/form").send(_parts(b"x" * FORM_BYTES, b"")) == 200
    assert await _Sender(walls, "/form").send(_parts(b"x" * FORM_BYTES, b"x", b"")) == 413


async def test_who_hangs_up_leaves_no_error() -> None:
    """The server would log it with a traceback."""
    await _Sender(_walls(), "/form").send(_parts(b"half"))
