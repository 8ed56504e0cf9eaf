"""What stands around every request, whatever it asks: safe headers, limits of size.

`http_line` stands before it: what reaches this is a request in the right form.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pamosnik.daemon.reached import Reached
from pamosnik.instagram import limits

TOO_LARGE = 413
_TOO_LARGE = "The body is too large"
READ_AWAY_BYTES = 4 * limits.WEBHOOK_BODY_BYTES
READ_AWAY_S = 5.0
"""Who sends more than that, or more slowly, finds the line closed."""

FORM_BYTES = 64 << 10
ROOM_BYTES = 16 * limits.WEBHOOK_BODY_BYTES
"""For everything that all large bodies hold together. Meta repeats what finds no room."""

CONTENT_POLICY = (
    b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    b" frame-ancestors 'none'"
)
WITH_OWN_SCRIPT = f"{CONTENT_POLICY.decode()}; script-src 'self'; connect-src 'self'"
"""For pages that keep themselves up to date."""
SAFE_HEADERS = (
    (b"content-security-policy", CONTENT_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # With `no-referrer` browsers would say `Origin: null` of our own forms, where they say nothing better.
    (b"referrer-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    # Nothing of this is for those who search; the legal pages say otherwise themselves.
    (b"x-robots-tag", b"noindex, nofollow"),
)
_ONLY_HTTPS = (b"strict-transport-security", b"max-age=31536000")


class SafeHeaders:
    """The same careful headers on every answer; what an answer says itself of one of them stays."""

    def __init__(self, app: ASGIApp, reached: Reached) -> None:
        self._app = app
        self._reached = reached

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                said = {name for name, _ in given}
                given += [header for header in SAFE_HEADERS if header[0] not in said]
                if self._reached.by_https(HTTPConnection(scope)):
                    given.append(_ONLY_HTTPS)
                message["headers"] = given
            await send(message)

        await self._app(scope, receive, with_headers)


class Bounded:
    """A body that is larger than its address takes, or stands where none belongs, is refused: at once where its
    length is announced, else as soon as it is too long."""

    def __init__(
        self,
        app: ASGIApp,
        larger: Mapping[str, int],
        refuse: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        """`larger`: addresses that take more than a form holds. `refuse` puts an `HTTPException` into words."""
        self._app = app
        self._larger = larger
        self._refuse = refuse
        self._held = 0
        """What bodies hold beyond the size of a form."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        none = scope["method"] in ("GET", "HEAD")
        at_most = 0 if none else self._larger.get(scope["path"], FORM_BYTES)
        if _announced(scope) > at_most:
            answer = await self._refuse(Request(scope), HTTPException(TOO_LARGE, _TOO_LARGE))
            await answer(scope, receive, send)
            return
        size = held = 0

        async def counted() -> Message:
            nonlocal size, held
            message = await receive()
            size += len(message.get("body", b""))
            if size > at_most:
                raise HTTPException(TOO_LARGE, _TOO_LARGE)
            if size - FORM_BYTES > held:
                self._held += size - FORM_BYTES - held
                held = size - FORM_BYTES
                if self._held > ROOM_BYTES:
                    raise HTTPException(503, "Too much comes in at once", {"retry-after": "60"})
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= held


def _announced(scope: Scope) -> int:
    """Bytes; 1 for a body without a length."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
        if name == b"transfer-encoding":
            return 1
    return 0


class ReadsToTheEnd:
    """A body that is too large is read, and thrown away, before it is refused: closed at once, the line would be
    reset under whoever is still sending, and the answer lost with it. Who asks before sending gets the answer, and
    so does who announces too much for that."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = any(name == b"expect" for name, _ in scope["headers"])
        all_read = asks or _announced(scope) > READ_AWAY_BYTES

        async def watched() -> Message:
            nonlocal all_read
            message = await receive()
            all_read = all_read or not message.get("more_body", False)
            return message

        async def patient(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == TOO_LARGE:
                message["headers"] = [*message.get("headers", []), (b"connection", b"close")]
                left = READ_AWAY_BYTES
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(READ_AWAY_S):
                        while left > 0 and not all_read:
                            left -= len((await watched()).get("body", b""))
            await send(message)

        await self._app(scope, watched, patient)


class CutShort:
    """A request that the daemon's stop cuts short gets an answer; uvicorn would log a traceback for it. Who hangs up
    in the middle of a body gets none."""

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
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            if not begun:
                await PlainTextResponse("Pamosnik is stopping.", 503)(scope, receive, send)
