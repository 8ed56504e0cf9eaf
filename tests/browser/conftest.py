"""For pages that are tried beside a daemon in the same loop."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright import async_api, sync_api
from playwright.async_api import Browser, async_playwright

PATIENCE_MS = 30_000
"""What is expected of a page comes when the machine has got round to it."""

sync_api.expect.set_options(timeout=PATIENCE_MS)
async_api.expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all tests of a module: they share the daemon and the browser."""
    return "asyncio"


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "the browser tests need Debian's Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        await running.close()
