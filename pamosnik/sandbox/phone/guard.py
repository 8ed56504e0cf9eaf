"""Keeps other web pages out. Everything here listens on loopback, where any page the user visits could reach it.

A browser tells where a request comes from (`Sec-Fetch-Site`, `Origin`): answered are our own page, and programs,
which send neither. Links from elsewhere may open the page itself, and nothing else. A name that a stranger's DNS
points at 127.0.0.1 would pass as "same origin", so the `Host` must be a bare address, localhost, or the name that was
served: nobody's DNS can move those.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = ("GET", "HEAD")
_PAGE = "/phone/"
_OWN = ("same-origin", "none")

SAFE_HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """Wraps an app: refuses what other web pages ask for, and gives every answer the careful headers."""

    def __init__(self, app: ASGIApp, served_host: str) -> None:
        self._app = app
        self._served_host = served_host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE_HEADERS)
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, with_headers)
        else:
            await JSONResponse({"error": refusal, "hint": None}, 403)(scope, receive, with_headers)

    def _refusal(self, method: str, path: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if not self._may_be_called(host):
            return f"The sandbox does not answer to the name {host!r}. Use its address."
        linked = method in _READING and path == _PAGE
        if not linked and not _from_our_page(headers, host):
            return "Another web page may neither drive nor read the sandbox."
        return None

    def _may_be_called(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in ("localhost", self._served_host) or _is_address(name)


def _from_our_page(headers: Headers, host: str) -> bool:
    """Whether our own page asks, or a program: those name neither site nor origin."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in _OWN:
        return False
    return origin is None or origin == f"http://{host}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
