"""For pages that are tried beside a daemon in the same loop."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright


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
