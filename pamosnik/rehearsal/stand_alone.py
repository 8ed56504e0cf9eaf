"""The fake Instagram alone."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from pamosnik.clock import Clock, SystemClock, VirtualClock
from pamosnik.errors import HomeError, NotFound, UsageError
from pamosnik.sandbox import desk, faults, saved
from pamosnik.sandbox.main import Sandbox
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.world import World


async def run(
    port: int,
    say: Callable[[str], None],
    *,
    world: Path | None = None,
    armed: Iterable[str] = (),
    virtual_clock: bool = False,
) -> None:
    """Runs until Ctrl-C; prints what a client needs.

    `world` is a file to go on with and to save to on stopping; `armed` are faults as `faults.parse` reads them.
    """
    wanted = [Params(faults.parse(text)) for text in armed]
    clock = _clock(world, virtual=virtual_clock)
    kept = None if world is None else _kept(world, clock)
    sandbox = Sandbox()
    try:
        await sandbox.start(host="127.0.0.1", port=port, clock=clock, world=kept)
    except OSError as error:
        raise HomeError(
            f"Cannot listen on port {port}: {error.strerror}.", hint="Take another --port."
        ) from error
    try:
        for params in wanted:
            _arm(sandbox, params)
        _tell(sandbox, say)
        if world is not None:
            say(f"world          {world}, {'loaded' if kept else 'new'}; saved on stopping")
        await _stopped()
        if world is not None:
            _save(sandbox, world)
            say(f"saved          {world}")
    finally:
        await sandbox.stop()


def _arm(sandbox: Sandbox, params: Params) -> None:
    """A rule that names what there is not is as wrong as one that cannot be read."""
    try:
        desk.arm(sandbox.world, sandbox.faults, params)
    except NotFound as problem:
        raise UsageError(problem.message, hint=problem.hint) from problem


def _kept(path: Path, clock: Clock) -> World | None:
    """The world of the file, None when there is none yet; whether it can be saved is found out now."""
    if path.exists():
        return saved.load(path, clock)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise HomeError(
            f"Cannot save a world to {path}: its folder is missing or not writable.",
            hint="Name a file in another folder with --world.",
        )
    return None


def _clock(path: Path | None, *, virtual: bool) -> Clock:
    """A virtual clock goes on where the world was saved."""
    if not virtual:
        return SystemClock()
    if path is not None and path.exists():
        return VirtualClock(saved.saved_at(path))
    return VirtualClock(datetime.now(UTC))


def _save(sandbox: Sandbox, path: Path) -> None:
    try:
        saved.save(sandbox.world, path)
    except OSError as error:
        raise HomeError(
            f"Cannot save the world to {path}: {error.strerror}.", hint="What was there before is unchanged."
        ) from error


def _tell(sandbox: Sandbox, say: Callable[[str], None]) -> None:
    say(f"base address   {sandbox.base_url}   (PAMOSNIK_META_URL)")
    for account in sandbox.world.accounts.values():
        state = desk.account_state(sandbox.world, account)
        say(f"account        @{account.username}, Instagram id {account.ig_id}")
        say(f"token          {state['token'] or 'none that works: POST /sandbox/token makes one'}")
    app = sandbox.world.app
    say(f"app id         {app.app_id}   (PAMOSNIK_INSTAGRAM_APP_ID)")
    say(f"app secret     {sandbox.app_secret}   (PAMOSNIK_INSTAGRAM_APP_SECRET)")
    say(f"phone page     {sandbox.base_url}/phone")
    say(f"people, posts  {sandbox.base_url}/sandbox/state")
    say(f"faults         {sandbox.base_url}/sandbox/faults")
    say(
        f"webhooks       POST {sandbox.base_url}/sandbox/configure"
        ' {"callback_url", "verify_token", "app_secret", "live": true, "fields": […]}'
    )


async def _stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
