"""`python -m bench.page`: how long the status page's first byte takes with a million events and 100,000 people."""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench import big_home
from pamosnik.config import Config
from pamosnik.daemon.visitors import SESSION_COOKIE

GOAL_MS = 50
TIMES = 15
BARE = "/healthz"
"""An answer in which nothing is read: the floor of the machine at that moment."""
PAGES = (
    "/",
    "/events",
    "/events?verdict=unanswered",
    "/events?q=price",
    "/events?q=nobody+wrote+this",
    "/events?post=media-7",
    "/events/missed",
    f"/events/01K{801:023d}",
    "/people",
    "/people?which=open",
    "/people?tag=vip",
    "/people?tag=nobody-has-it",
    "/people?q=user.99999",
    "/people/waiting",
    f"/people/01J{1:023d}",
    "/flows",
    "/flows/price",
    "/flows/price?days=all",
    "/posts",
    "/posts?days=all",
    "/queue",
    "/queue?show=sent",
    f"/queue/01T{200:023d}",
    f"/runs/01R{200:023d}",
)
BESIDE = "/events.csv"
"""A download of everything; while it goes on, the first page is measured once more."""


@contextmanager
def _daemon(settings: Config) -> Iterator[str]:
    """Instagram is out of reach: nothing is sent meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(settings.home),
        "PAMOSNIK_META_URL": "http://127.0.0.1:9",
        "PAMOSNIK_QUIET": "1",
    }
    command = [sys.executable, "-m", "pamosnik", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(1200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Measured:
    ms: float
    """Median until the first byte."""
    status: int
    size: int
    """Bytes."""


async def _first_bytes(address: str) -> dict[str, Measured]:
    async with aiohttp.ClientSession(headers={"Cookie": f"{SESSION_COOKIE}={big_home.TOKEN}"}) as session:
        found = {path: await _measured(session, f"{address}{path}") for path in (BARE, *PAGES)}
        async with session.get(f"{address}{BESIDE}") as download:
            reading = asyncio.create_task(_read_slowly(download))
            await asyncio.sleep(0.5)
            found[f"/ beside {BESIDE}"] = await _measured(session, f"{address}/")
            reading.cancel()
    return found


async def _measured(session: aiohttp.ClientSession, address: str) -> Measured:
    took, status, size = [], 0, 0
    for _ in range(TIMES):
        began = time.perf_counter()
        async with session.get(address, allow_redirects=False) as answer:
            took.append((time.perf_counter() - began) * 1000)
            status, size = answer.status, len(await answer.read())
    return Measured(statistics.median(took), status, size)


async def _read_slowly(download: aiohttp.ClientResponse) -> None:
    async for _ in download.content.iter_any():
        await asyncio.sleep(0)


def measure(events: int, people: int, folder: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as made:
        settings = big_home.make(folder or Path(made), events, people)
        with _daemon(settings) as address:
            found = asyncio.run(_first_bytes(address))
    bare = found[BARE].ms
    print(
        f"\nfirst byte of pages, {events:,} events, {people:,} people: median of {TIMES}, × goal of {GOAL_MS} ms,"
        f" × bare answer ({bare:.1f} ms)"
    )
    for path, one in found.items():
        refused = "" if one.status == 200 else f"  ANSWERED {one.status}"
        print(
            f"  {path:<40} {one.ms / GOAL_MS:6.2f} × goal {one.ms / bare:7.1f} × bare"
            f"   {one.size / 1000:.0f} kB{refused}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="make the home in this folder, and leave it there")
    given = parser.parse_args()
    measure(given.events, given.people, given.keep)


if __name__ == "__main__":
    main()
