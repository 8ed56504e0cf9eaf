"""The public address in tests: a server on 127.0.0.1 that answers as Pamosnik does, or otherwise."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """`url`: its address, without a path."""

    verify_token: str
    url: str = ""
    instead: Answer | None = None
    """What answers in Pamosnik's place."""
    asked: list[str] = field(default_factory=list)
    """Paths, in order."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.instead is not None:
            return await self.instead(request)
        if request.path == "/healthz":
            return web.Response(text="ok")
        if request.path != "/webhooks/instagram":
            return web.Response(status=404)
        if request.method == "POST":
            return web.Response(text="ok")
        if request.query.get("hub.verify_token") != self.verify_token:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])


@asynccontextmanager
async def site(verify_token: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    running = Site(verify_token)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", running.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    port = runner.addresses[0][1]
    running.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"
    try:
        yield running
    finally:
        await runner.cleanup()
