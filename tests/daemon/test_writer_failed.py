"""A mistake of our own in the writing thread ends the daemon; nobody waits for it for ever."""

import asyncio
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik.clock import SteadyClock
from pamosnik.daemon.main import serve
from tests.daemon.machine import home_and_fake
from tests.store.test_writer import Breaking

pytestmark = pytest.mark.anyio


async def test_the_daemon_ends_in_order_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with home_and_fake(tmp_path) as (settings, _):
        caplog.set_level(logging.INFO)
        monkeypatch.setattr(_sqlite, "connect", partial(_sqlite.connect, factory=Breaking))
        monkeypatch.setattr(Breaking, "broken", False)

        def ready(_: str) -> None:
            Breaking.broken = True

        async with asyncio.timeout(20):
            with pytest.raises(LookupError, match="nobody expects"):
                await serve(replace(settings, port=0), SteadyClock(), on_ready=ready)
    actions = [getattr(record, "action", None) for record in caplog.records]
    assert [action for action in actions if action in ("writer.failed", "stop.writer_failed", "stop")] == [
        "writer.failed",
        "stop.writer_failed",
        "stop",
    ]
