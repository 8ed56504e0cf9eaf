"""The fake Instagram alone."""

import asyncio
import signal
from collections.abc import Callable

from pamosnik.clock import SystemClock
from pamosnik.errors import HomeError
from pamosnik.sandbox.main import Sandbox


async def run(port: int, say: Callable[[str], None]) -> None:
    """Runs until Ctrl-C; prints what a client needs."""
    sandbox = Sandbox()
    try:
        await sandbox.start(host="127.0.0.1", port=port, clock=SystemClock())
    except OSError as error:
        raise HomeError(
            f"Cannot listen on port {port}: {error.strerror}.", hint="Take another --port."
        ) from error
    say(f"base address   {sandbox.base_url}   (PAMOSNIK_META_URL)")
    say(f"account        @{sandbox.username}, Instagram id {sandbox.ig_id}")
    say(f"token          {sandbox.token}")
    say(f"app secret     {sandbox.app_secret}   (PAMOSNIK_INSTAGRAM_APP_SECRET)")
    say(f"phone page     {sandbox.base_url}/phone")
    say(f"people, posts  {sandbox.base_url}/sandbox/state")
    say(
        f"webhooks       POST {sandbox.base_url}/sandbox/configure"
        ' {"callback_url", "verify_token", "app_secret", "live": true, "fields": […]}'
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await sandbox.stop()
