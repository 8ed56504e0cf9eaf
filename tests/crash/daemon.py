"""A daemon as a real process, and the sandbox as Instagram, for tests that are not gentle."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from pamosnik.sandbox.main import Sandbox
from pamosnik.services.reading import events, numbers, people, queue, runs
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.crash import forked
from tests.crash.ledger import Got

ROOT = Path(__file__).parents[2]
FIELDS = [
    *("messages", "message_reactions", "messaging_postbacks", "messaging_referral", "messaging_seen"),
    *("comments", "live_comments"),
]


def recorded(home: Path) -> Mapping[str, Any]:
    """What the commands would tell with --json. Only while the daemon has the file open, too: whoever opens a killed
    daemon's file first repairs it, and that is to be the next daemon."""
    now = datetime.now(UTC)
    with open_database(home / "pamosnik.db") as database:
        conn = database.connection
        account = accounts.every(conn)[0]
        return {
            "events": [one.shape() for one in events.newest(conn, account, limit=None, since=None)],
            "queue": [one.shape() for one in queue.newest(conn, account, now=now)],
            "contacts": [one.shape() for one in people.newest(conn, account, limit=None)],
            "runs": [one.shape() for one in runs.newest(conn, account)],
            "flows": [row.shape() for row in numbers.by_flow(conn, account)],
        }


def under_way(home: Path) -> int:
    """How many events have no verdict yet and how many messages are still to go. Likewise."""
    with open_database(home / "pamosnik.db") as database:
        return int(database.connection.execute(_UNDER_WAY).fetchone()[0])


_UNDER_WAY = (
    "SELECT (SELECT count(*) FROM events WHERE verdict='pending')"
    " + (SELECT count(*) FROM outbox WHERE status IN ('queued', 'sending'))"
)


@dataclass(slots=True)
class AheadClock:
    """The clock of Instagram and of the daemon that is started next: the machine's, so much ahead."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Shop:
    """A connected shop with a daemon that can be killed."""

    sandbox: Sandbox
    clock: AheadClock
    session: aiohttp.ClientSession
    environment: Mapping[str, str]
    port: int
    log: Path
    process: forked.Daemon | None = None

    @property
    def hook(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhooks/instagram"

    @property
    def home(self) -> Path:
        return Path(self.environment["PAMOSNIK_HOME"])

    async def command(self, *arguments: str, given: str = "") -> str:
        done = await forked.command(arguments, self.environment, given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def read(self, *arguments: str) -> Any:
        return json.loads(await self.command(*arguments, "--json"))

    async def start(self) -> None:
        ahead_s = self.clock.ahead.total_seconds()
        process = forked.start(
            ("serve", "--port", str(self.port)),
            self.environment,
            self.log,
            folder=self.log.parent if ahead_s else None,
            later_s=ahead_s,
        )
        self.process = forked.Daemon(process)
        for _ in range(400):
            if await self._ready():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.log.read_text())

    async def _ready(self) -> bool:
        try:
            async with self.session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def switch_off(self, seconds: float) -> None:
        """Killed, and started again after that time, which nobody has to wait for."""
        await self.kill()
        self.clock.ahead += timedelta(seconds=seconds)
        await self.start()

    async def stop(self) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()

    async def act(self, path: str, **what: object) -> Any:
        async with self.session.post(f"{self.sandbox.base_url}/sandbox{path}", json=what) as answer:
            said = await answer.json()
            assert answer.status < 400, said
            return said

    async def written_to(self, username: str) -> list[str]:
        """What the business has written to this person, in order."""
        return [message.text for message in await self.thread(username)]

    async def thread(self, username: str) -> list[Got]:
        """Likewise, with Instagram's ids."""
        told = await self._conversation(username)
        return [Got(message["mid"], message["text"]) for message in told if message["from"] == "business"]

    async def said_by(self, username: str) -> list[str]:
        """Ids of what this person has written or tapped."""
        return [
            message["mid"] for message in await self._conversation(username) if message["from"] == "person"
        ]

    async def _conversation(self, username: str) -> Any:
        async with self.session.get(f"{self.sandbox.base_url}/sandbox/thread/{username}") as answer:
            return await answer.json()

    async def public_replies(self, comment: Mapping[str, str]) -> list[str]:
        return [reply.text for reply in (await self.replies(comment["post"])).get(comment["id"], ())]

    async def replies(self, post: str) -> dict[str, list[Got]]:
        """What the business has written under the comments of a post."""
        url = f"{self.sandbox.base_url}/sandbox/comments"
        async with self.session.get(url, params={"post": post}) as answer:
            told = await answer.json()
        return {one["id"]: [Got(reply["id"], reply["text"]) for reply in one["replies"]] for one in told}

    async def quiet(self) -> None:
        """Until every event has a verdict and nothing is on its way."""
        for _ in range(1200):
            if not under_way(self.home):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the daemon does not come to rest")


@asynccontextmanager
async def open_shop(folder: Path, flows: str) -> AsyncIterator[Shop]:
    """A new home, connected to a new sandbox, with these flows and a running daemon."""
    sandbox, clock = Sandbox(), AheadClock()
    await sandbox.start(host="127.0.0.1", port=0, clock=clock)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(folder / "home"),
        "PAMOSNIK_META_URL": sandbox.base_url,
        "PAMOSNIK_INSTAGRAM_APP_SECRET": sandbox.app_secret,
        "PAMOSNIK_VERIFY_TOKEN": "a-verify-token",
    }
    file = folder / "flows.yaml"
    file.write_text(flows, "utf-8")
    # A connection that is kept may be closed at the very moment it is used again.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        shop = Shop(sandbox, clock, session, environment, port, folder / "daemon.log")
        who = ("--name", "Rosa", "--email", "rosa@shop.example", "--timezone", "UTC", "--password-stdin")
        await shop.command("init", *who, given="three random words\n")
        await shop.command("connect", "--token-stdin", given=f"{sandbox.token}\n")
        await shop.command("flows", "apply", str(file), "--yes")
        await shop.start()
        try:
            await shop.act(
                "/configure", callback_url=shop.hook, verify_token="a-verify-token", live=True, fields=FIELDS
            )
            yield shop
        finally:
            await shop.stop()
            await sandbox.stop()
