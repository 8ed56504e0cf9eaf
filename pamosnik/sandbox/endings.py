"""Answers that are none, and the server that lets them happen: silence, a closed and a reset connection."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "pamosnik.sandbox.transport"
# linger on, for no time: what is closed so is reset
_NO_LINGER = struct.pack("ii", 1, 0)

_PAGE = (
    "<!DOCTYPE html><html><head><title>Sorry, something went wrong.</title></head>"
    "<body><h1>Sorry, something went wrong.</h1></body></html>"
)


class Protocol(HttpToolsProtocol):
    """Hands the connection to the application, which may end it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class Held:
    """Connections that wait for an answer; the server could not stop before they end."""

    def __init__(self) -> None:
        self._transports: set[Any] = set()

    @contextlib.contextmanager
    def holding(self, scope: Scope) -> Iterator[None]:
        transport = _transport(scope)
        self._transports.add(transport)
        try:
            yield
        finally:
            self._transports.discard(transport)

    def release(self) -> None:
        """Closes them all."""
        for transport in tuple(self._transports):
            transport.close()

    async def disconnected(self, request: Request, seconds: float) -> None:
        """Waits that long, or until the caller is gone."""
        with self.holding(request.scope), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _disconnected(request.receive)


class Silence(Response):
    """Never answers; ends when the caller gives up."""

    def __init__(self, held: Held) -> None:
        super().__init__()
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held.holding(scope):
            await _disconnected(receive)


class HangUp(Response):
    """Closes the connection, with `reset` by resetting it."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = _transport(scope)
        if transport.is_closing():
            return  # who asked is gone already
        if self._reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()
        else:
            transport.close()
        await _disconnected(receive)


def html(status: int) -> Response:
    return Response(_PAGE, status, media_type="text/html")


def half_of(answer: Response) -> Response:
    """Complete as HTTP, broken off as JSON."""
    body = bytes(answer.body)
    return Response(body[: len(body) // 2], answer.status_code, media_type="application/json")


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> Any:
    return scope["extensions"][TRANSPORT]["transport"]
