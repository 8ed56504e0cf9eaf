"""What stands around every request, whatever it asks: safe headers, limits of size and time."""

import asyncio
import contextlib

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pamosnik.instagram import limits

TOO_LARGE = 413
READ_AWAY_BYTES = 4 * limits.WEBHOOK_BODY_BYTES
READ_AWAY_S = 5.0
"""Who sends more than that, or more slowly, finds the line closed."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'"),
    (b"cache-control", b"no-store"),
)


class SafeHeaders:
    """The same careful headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


class ReadsToTheEnd:
    """A body that is too large is read, and thrown away, before it is refused: closed at once, the line would be
    reset under whoever is still sending, and the answer lost with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == TOO_LARGE:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(READ_AWAY_S):
                        await _read_away(receive)
            await send(message)

        await self._app(scope, receive, patient)


async def _read_away(receive: Receive) -> None:
    left = READ_AWAY_BYTES
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


class CutShort:
    """A request that the daemon's stop cuts short gets an answer; uvicorn would log a traceback for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if not begun:
                await PlainTextResponse("Pamosnik is stopping.", 503)(scope, receive, send)
