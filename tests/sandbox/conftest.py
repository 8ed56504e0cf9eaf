from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from pamosnik.clock import VirtualClock
from pamosnik.sandbox.main import Sandbox

from .shop import Receiver, Shop


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def receiver(anyio_backend: str) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.get("/webhook", receiver.get), web.post("/webhook", receiver.post)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/webhook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def shop(receiver: Receiver) -> AsyncIterator[Shop]:
    sandbox = Sandbox()
    clock = VirtualClock(datetime(2026, 9, 1, 10, 0, tzinfo=UTC))
    await sandbox.start(host="127.0.0.1", port=0, clock=clock)
    # under a clock that stands still a limit is never free again; the tests of limits switch them on
    sandbox.world.behaviour = replace(sandbox.world.behaviour, limits=False)
    async with aiohttp.ClientSession() as http:
        yield Shop(sandbox, clock, http, receiver)
    await sandbox.stop()
