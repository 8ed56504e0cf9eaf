"""`--fix` tells Meta where the app's webhooks go.

The fake Instagram is a process of its own: Meta asks the address over TLS at once, and a process learns at its start
whom to trust.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.daemon.shop import free_port
from tests.doctor.clinic import META_SECRET, VERIFY_TOKEN, Clinic

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _sandbox() -> AsyncIterator[str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pamosnik", "sandbox", "--port", str(port)),
        env={**os.environ, "PAMOSNIK_META_URL": ""},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _until_it_answers(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _until_it_answers(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(400):
            try:
                async with http.post(
                    f"{url}/sandbox/configure", json={"meta_app_secret": META_SECRET}
                ) as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
    raise AssertionError("the sandbox does not start")


async def test_the_app_is_registered_with_address_and_fields(shop: Clinic) -> None:
    async with _sandbox() as url:
        before = await shop.look(META_URL=url)
        assert before.status("app_subscription") == "bad"
        assert before.one("app_subscription")["fix"].startswith("Try: pamosnik doctor --fix")
        mended = await shop.look("--fix")
        assert mended.one("app_subscription")["message"].startswith("Mended: ")
        after = await shop.look()
        told = [after.status(name) for name in ("app_subscription", "app_callback", "app_fields")]
        assert told == ["good"] * 3
        assert VERIFY_TOKEN not in before.said.stdout + mended.said.stdout
    history = await shop.run("accounts", "history", "--json")
    assert "app's webhooks registered" in history.stdout


async def test_meta_refuses_an_address_that_does_not_answer(shop: Clinic) -> None:
    shop.site.verify_token = "another-one"
    async with _sandbox() as url:
        found = await shop.look("--fix", META_URL=url)
    assert found.status("app_subscription") == "bad"
    assert "It could not be mended: Meta refused" in found.one("app_subscription")["message"]
