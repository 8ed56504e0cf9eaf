"""The walls at the connection, with the server's own second hand moved: whoever is too slow finds the line closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pamosnik.daemon import http_line
from pamosnik.daemon.main import _listen, _Server

pytestmark = pytest.mark.anyio

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
LARGE = b"y" * (8 << 20)


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _large(_: Request) -> Response:
    return Response(LARGE)


class _Place:
    def __init__(self, server: _Server, port: int) -> None:
        self._server = server
        self._port = port

    async def line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def says(self, raw: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A line on which that has arrived."""
        reader, writer = await self.line()
        writer.write(raw)
        await writer.drain()
        await self.settles()
        return reader, writer

    async def settles(self) -> None:
        """What was sent has been read by the server, in this loop."""
        for _ in range(20):
            await asyncio.sleep(0.005)

    def later(self, seconds: float) -> None:
        connections = self._server.server_state.connections
        http_line.look_at(connections, asyncio.get_running_loop().time() + seconds)

    @property
    def open(self) -> int:
        return len(self._server.server_state.connections)


@asynccontextmanager
async def _place(at_most: int = 100) -> AsyncIterator[_Place]:
    routes = [Route("/", _echo, methods=["POST"]), Route("/large", _large)]
    line = type("Line", (http_line.Line,), {"at_most": at_most})
    app = Starlette(routes=routes)
    server = _Server(uvicorn.Config(app, http=line, ws="none", lifespan="off", log_config=None))
    listener = _listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    place = _Place(server, listener.getsockname()[1])
    try:
        async with asyncio.timeout(30):
            yield place
    finally:
        for one in list(server.server_state.connections):
            one.transport.abort()
        server.should_exit = True
        await serving


async def test_headers_have_ten_seconds() -> None:
    async with _place() as place:
        reader, writer = await place.says(HEAD)
        place.later(http_line.HEAD_S - 1)
        await place.settles()
        assert place.open == 1
        place.later(http_line.HEAD_S + 1)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_byte_now_and_then_gives_no_more_time() -> None:
    async with _place() as place:
        reader, writer = await place.says(HEAD)
        begun = asyncio.get_running_loop().time()
        for letter in b"X-Slow: 1":
            writer.write(bytes([letter]))
            await place.settles()
        place.later(http_line.HEAD_S + 0.1 - (asyncio.get_running_loop().time() - begun))
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_line_without_a_word_is_closed_without_one() -> None:
    async with _place() as place:
        reader, writer = await place.says(b"")
        place.later(http_line.HEAD_S + 1)
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    "body", [b"Content-Length: 9\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
async def test_a_body_has_thirty_seconds(body: bytes) -> None:
    async with _place() as place:
        reader, writer = await place.says(HEAD + body)
        place.later(http_line.BODY_S - 1)
        await place.settles()
        assert place.open == 1
        place.later(http_line.BODY_S + 1)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_after_an_answer_the_next_request_has_its_own_time() -> None:
    async with _place() as place:
        reader, writer = await place.says(HEAD + b"Content-Length: 2\r\n\r\nhi")
        place.later(http_line.BODY_S + 1)
        await place.settles()
        assert (await reader.read(4000)).endswith(b"\r\n\r\nhi")
        writer.write(b"\r\n\r\n")
        await place.settles()
        place.later(http_line.HEAD_S + 1)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 "), "empty lines are no request"
        writer.close()


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
async def test_who_does_not_read_is_not_waited_for(more: bytes) -> None:
    async with _place() as place:
        _, writer = await place.says(b"GET /large HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")
        place.later(http_line.READ_S - 1)
        await place.settles()
        assert place.open == 1
        place.later(http_line.READ_S + 1)
        place.later(2 * http_line.READ_S + 2)
        await place.settles()
        assert place.open == 0
        writer.close()


async def test_who_reads_gets_all_of_it() -> None:
    async with _place() as place:
        reader, writer = await place.says(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = 0
        while part := await reader.read(1 << 20):
            got += len(part)
            place.later(1)
        assert got > len(LARGE)
        writer.close()


async def test_those_who_only_hold_a_line_make_room() -> None:
    async with _place(at_most=40) as place:
        held = [await place.line() for _ in range(40)]
        await place.settles()
        busy = await place.says(HEAD + b"Content-Length: 2\r\n\r\nhi")
        assert (await busy[0].read(4000)).endswith(b"hi")
        assert await held[0][0].read() == b"", "the oldest is let go"
        assert await held[1][0].read() == b"", "and some with it"
        held[2][1].write(HEAD + b"Content-Length: 0\r\n\r\n")
        assert (await held[2][0].read(4000)).startswith(b"HTTP/1.1 200 ")
        for _, writer in [*held, busy]:
            writer.close()


async def test_pipelining_has_an_end() -> None:
    async with _place() as place:
        reader, writer = await place.says((HEAD + b"Content-Length: 0\r\n\r\n") * 500)
        answers = (await reader.read()).count(b"HTTP/1.1 200 ")
        assert answers <= http_line.PIPELINED + 1
        writer.close()


async def test_a_line_does_not_last_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_line, "REQUESTS", 2)
    async with _place() as place:
        reader, writer = await place.says(HEAD + b"Content-Length: 0\r\n\r\n")
        assert b"connection: close" not in await reader.read(4000)
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        assert b"connection: close" in await reader.read()
        writer.close()
