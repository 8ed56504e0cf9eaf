"""A healthy installation: a home, the fake Instagram over HTTP, a public address with a good certificate, a flow.

Each test breaks one thing of it and looks at what `doctor` says.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pamosnik.clock import SystemClock
from pamosnik.instagram import limits
from pamosnik.sandbox.main import Sandbox, seed
from pamosnik.sandbox.things import Account, App
from pamosnik.sandbox.world import World
from pamosnik.security import keyring, vault
from pamosnik.services import credentials
from pamosnik.services import home as homes
from pamosnik.store import connections
from pamosnik.store.database import Database, open_database
from tests.certificates import Authority, authority
from tests.cli.in_process import Command, Said, in_this_process
from tests.doctor.site import Site, site
from tests.homes import with_one_account

VERIFY_TOKEN = "a-verify-token-of-the-clinic"
INSTAGRAM_SECRET = "1f0e2d3c4b5a69788796a5b4c3d2e1f0"
META_SECRET = "0123456789abcdef0123456789abcdef"
META_ID = "1300000000000001"
INSTAGRAM_ID = "1200000000000001"
FLOWS = """
version: 1
flows:
  price:
    when:
      - comment: [price, link]
      - dm: [price]
    do:
      - send: "Here you are."
  pick:
    when: [dm: pick]
    do:
      - send:
          text: "Which?"
          buttons:
            - label: The list
              do: [{ send: "Here." }]
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What `doctor` said: its exit code, and its checks."""

    said: Said
    checks: list[Mapping[str, Any]]

    def one(self, name: str) -> Mapping[str, Any]:
        (check,) = self.all(name)
        return check

    def all(self, name: str) -> list[Mapping[str, Any]]:
        return [check for check in self.checks if check["name"] == name]

    @property
    def bad(self) -> list[str]:
        return [check["name"] for check in self.checks if check["status"] == "bad"]

    def status(self, name: str) -> str:
        return str(self.one(name)["status"])


@dataclass
class Clinic:
    folder: Path
    sandbox: Sandbox
    site: Site
    certified_by: Authority
    command: Command
    patch: pytest.MonkeyPatch
    world: World
    daemon: ExitStack
    """Holds the home as `serve` does; closed, it does not run."""

    @property
    def home(self) -> Path:
        return self.folder / "home"

    async def run(self, *arguments: str, given: str = "") -> Said:
        """The command needs a thread of its own: it brings its own loop."""
        return await asyncio.to_thread(self.command, *arguments, given=given)

    async def look(self, *arguments: str, **environment: str) -> Found:
        """`environment`: settings without their prefix, '' for none."""
        for name, value in environment.items():
            self.patch.setenv(f"PAMOSNIK_{name}", value)
        said = await self.run("doctor", "--json", *arguments)
        return Found(said, json.loads(said.stdout))

    async def act(self, name: str, **body: Any) -> Any:
        """What people and the owner do at Instagram."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.sandbox.base_url}/sandbox/{name}", json=body) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def apply(self, flows: str) -> None:
        file = self.folder / "flows.yaml"
        file.write_text(flows)
        said = await self.run("flows", "apply", str(file), "--yes", "--prune")
        assert said.returncode == 0, said

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        with open_database(self.home / "pamosnik.db") as database:
            yield database

    async def write(self, statement: str, *values: object) -> None:
        """Plants something in the database."""
        async with self.database() as database:
            database.write(lambda conn: conn.execute(statement, values))

    @property
    def account(self) -> Account:
        """As Instagram has it."""
        return self.world.account_named(None)

    @property
    def app(self) -> App:
        return self.world.app

    def change_account(self, **changes: Any) -> None:
        self.world.put_account(replace(self.account, **changes))

    def change_app(self, **changes: Any) -> None:
        self.world.app = replace(self.world.app, **changes)

    async def seal_again(self) -> None:
        """The token under the connection's id as it is now: sealed tokens hang on it."""
        keys = keyring.load(self.home / "master.key", None)
        async with self.database() as database:
            (one,) = connections.every(database.connection)
            key = credentials.data_key(database.connection, keys, one.account_id)
            sealed = vault.seal_token(key, self.sandbox.token, account_id=one.account_id, ig_id=one.ig_id)
            database.write(lambda conn: connections.put_sealed(conn, one.id, sealed))

    async def failed(self, igsid: str, reason: str) -> None:
        """Plants a message that Instagram refused just now."""
        now = int(datetime.now(UTC).timestamp() * 1000)
        await self.write(
            "INSERT INTO contacts (contact_id, account_id, connection_id, igsid, created_at, last_seen_at)"
            " SELECT 'contact', account_id, connection_id, ?, ?, 0 FROM connections",
            igsid,
            now,
        )
        await self.write(
            "INSERT INTO outbox (item_id, account_id, connection_id, contact_id, source, turn, ordinal, kind,"
            " lane, status,"
            " content, igsid, due_at, deadline, reason, created_at, last_attempt_at)"
            " SELECT 'item', account_id, connection_id, 'contact', 'test', 1, 1, 'message', 'lane', 'failed',"
            " '{}', ?, ?, ?,"
            " ?, ?, ? FROM connections",
            igsid,
            now,
            now,
            reason,
            now,
            now + 1000,
        )

    async def heard(self, kind: str, **columns: object) -> None:
        """Plants an event that came in."""
        row = {
            "event_id": f"01J{len(columns)}{kind.upper():_<18}"[:26],
            "dedup_key": kind,
            "kind": kind,
            "received_at": int(datetime.now(UTC).timestamp() * 1000),
            "verdict": "no_match",
            **columns,
        }
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        await self.write(
            f"INSERT INTO events (account_id, connection_id, {names})"
            f" SELECT account_id, connection_id, {marks} FROM connections LIMIT 1",
            *row.values(),
        )


@asynccontextmanager
async def clinic(folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Clinic]:
    certified_by = authority(folder / "tls")
    patch.setenv("SSL_CERT_FILE", str(certified_by.file))
    with_one_account(folder / "home")
    command = in_this_process(patch, folder / "home")
    sandbox = Sandbox()
    async with site(VERIFY_TOKEN, certified_by.server()) as public:
        world = World(SystemClock())
        seed(world)
        world.app = _app(world.app, public)
        await sandbox.start(host="127.0.0.1", port=0, clock=world.clock, world=world)
        try:
            for name, value in _settings(sandbox, public).items():
                patch.setenv(f"PAMOSNIK_{name}", value)
            with ExitStack() as daemon:
                daemon.enter_context(homes.lock(folder / "home"))
                running = Clinic(folder, sandbox, public, certified_by, command, patch, world, daemon)
                await _furnish(running)
                yield running
        finally:
            await sandbox.stop()


def _app(app: App, public: Site) -> App:
    """As after everything was entered in Meta's dashboard."""
    return replace(
        app,
        callback_url=f"{public.url}/webhooks/instagram",
        verify_token=VERIFY_TOKEN,
        secret=INSTAGRAM_SECRET,
        meta_secret=META_SECRET,
        fields=frozenset(limits.SUBSCRIBED_FIELDS),
    )


def _settings(sandbox: Sandbox, public: Site) -> Mapping[str, str]:
    return {
        "META_URL": sandbox.base_url,
        "PUBLIC_URL": public.url,
        "VERIFY_TOKEN": VERIFY_TOKEN,
        "INSTAGRAM_APP_ID": INSTAGRAM_ID,
        "INSTAGRAM_APP_SECRET": INSTAGRAM_SECRET,
        "META_APP_ID": META_ID,
        "META_APP_SECRET": META_SECRET,
    }


async def _furnish(running: Clinic) -> None:
    said = await running.run("connect", "--token-stdin", given=f"{running.sandbox.token}\n")
    assert said.returncode == 0, said
    await running.apply(FLOWS)


def other_server(folder: Path) -> ssl.SSLContext:
    """Of an authority that nobody knows."""
    return authority(folder / "others").server()
