"""A home, a daemon as a process of its own, and the fake Instagram on the other side of the wire."""

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.crash import forked
from tests.crash.daemon import under_way
from tests.daemon import events
from tests.daemon.events import SECRET
from tests.daemon.fake import FakeInstagram

ROOT = Path(__file__).parents[2]
PASSWORD = "three random words"
VERIFY_TOKEN = "a-verify-token-of-this-test"
EMAIL = "rosa@shop.example"

FLOWS = """
version: 1
disclosure: "Automated reply."
flows:
  price:
    when:
      - comment: [price, cena, цена, سعر, ราคา, 💌]
      - dm: [price, cena]
    limits: { per_person: 24h }
    mode: single
    do:
      - reply_publicly: { one_of: [Sent!, Look inside!, On its way!] }
      - send:
          text: "Hi {username|there}! Tap and the list is yours."
          buttons:
            - label: Send it to me
              do:
                - send: "Here you are."
                - tag: got-prices
                - goal: got-prices
  size:
    when: [dm: size]
    mode: restart
    do:
      - ask: { question: "Which size?", save_as: size, choices: [Small, Medium, Large] }
      - send: "Noted: {size|?}"
fields:
  size: { type: choice, choices: [Small, Medium, Large] }
"""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Shop:
    """A connected shop."""

    fake: FakeInstagram
    environment: dict[str, str]
    folder: Path
    port: int
    process: forked.Daemon | None = None

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    # --- commands ------------------------------------------------------------------------------------

    async def try_command(self, *arguments: str, given: str = "", **environment: str) -> Said:
        done = await forked.command(arguments, {**self.environment, **environment}, given, within_s=15)
        said = Said(done.returncode, done.stdout, done.stderr)
        with (self.folder / "said.log").open("a") as log:
            log.write(f"$ {arguments} -> {said.code}\n{said.out}{said.err}")
        return said

    async def command(self, *arguments: str, given: str = "") -> str:
        said = await self.try_command(*arguments, given=given)
        assert said.code == 0, said
        return said.out

    async def read(self, *arguments: str) -> Any:
        return json.loads(await self.command(*arguments, "--json"))

    async def connect(self) -> None:
        await self.command("connect", "--token-stdin", given=f"{self.fake.token}\n")

    # --- the daemon ----------------------------------------------------------------------------------

    async def start(self) -> None:
        words = ("serve", "--port", str(self.port))
        self.process = forked.Daemon(forked.start(words, self.environment, self.log))
        for _ in range(500):
            if await self.ready():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.log.read_text())

    async def ready(self) -> bool:
        return await self.get("/readyz") == (200, '{"ready":true}')

    async def get(self, path: str, **query: str) -> tuple[int, str]:
        address = f"http://127.0.0.1:{self.port}{path}"
        try:
            async with aiohttp.ClientSession() as session, session.get(address, params=query) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """Asks the daemon to end; its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()

    # --- people --------------------------------------------------------------------------------------

    async def comment(self, igsid: str, text: str = "price?", **how: str) -> str:
        """Returns the comment's id."""
        value = events.comment(igsid, text, **how)
        await self.fake.deliver(events.change(value))
        return str(value["id"])

    async def write(self, igsid: str, text: str) -> str:
        """Returns the message's id."""
        item = events.message(igsid, text)
        await self.fake.deliver(events.talk(item))
        return str(item["message"]["mid"])

    async def tap(self, igsid: str, label: str) -> None:
        """On the latest message that shows this label."""
        sent = [one for one in self.fake.sent if one.igsid == igsid and label in one.buttons][-1]
        make = events.chip_tap if sent.kind == "chips" else events.button_tap
        await self.fake.deliver(events.talk(make(igsid, label, sent.buttons[label])))

    # --- what to wait for ----------------------------------------------------------------------------

    async def quiet(self, within_s: float = 60.0) -> None:
        """Until every event has a verdict and nothing is on its way."""
        for _ in range(int(within_s / 0.05)):
            if not under_way(self.home):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the daemon does not come to rest: {await self.read('status')}")

    async def settles(self, igsid: str, count: int, within_s: float = 10.0) -> list[str]:
        """Until this person has got so many messages."""
        for _ in range(int(within_s / 0.02)):
            if len(self.fake.thread(igsid)) >= count:
                break
            await asyncio.sleep(0.02)
        thread = self.fake.thread(igsid)
        assert len(thread) >= count, (thread, self.log.read_text()[-2000:])
        return thread

    async def asked(self, path: str = "/messages", within_s: float = 20.0) -> None:
        """Until Instagram has been asked for something that ends so."""
        for _ in range(int(within_s / 0.01)):
            if any(call.path.endswith(path) for call in self.fake.calls):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.log.read_text()[-2000:])

    def said(self) -> str:
        """Everything any command or the daemon has printed."""
        texts = [path.read_text("utf-8") for path in self.folder.glob("*.log")]
        return "".join(texts)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def closed_shop(folder: Path, **environment: str) -> Shop:
    """Nothing made and nothing running yet."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    fake = FakeInstagram(f"http://127.0.0.1:{port}/webhooks/instagram", free_port())
    return Shop(fake, _environment(folder, fake.url, environment), folder, port)


@asynccontextmanager
async def open_shop(folder: Path, flows: str = FLOWS, **environment: str) -> AsyncIterator[Shop]:
    """A home, connected to a new fake Instagram, with these flows and a running daemon."""
    shop = closed_shop(folder, **environment)
    await shop.fake.start()
    try:
        await furnish(shop, flows, special=bool(environment))
        await shop.start()
        yield shop
    finally:
        if shop.process is not None:
            await shop.stop()
        await shop.fake.close()
    assert "Traceback" not in shop.log.read_text()


_furnished: dict[str, Path] = {}
"""Homes as the commands made them, by their flows: the next shop with the same flows moves into a copy."""


async def furnish(shop: Shop, flows: str, *, special: bool = False) -> None:
    """Makes the home, or copies one that was made before with the same flows."""
    if not special and flows in _furnished:
        shutil.copytree(_furnished[flows], shop.home)
        return
    file = shop.folder / "flows.yaml"
    file.write_text(flows, "utf-8")
    who = ("--name", "Rosa", "--email", EMAIL, "--password-stdin", "--timezone", "Europe/Warsaw")
    await shop.command("init", *who, given=f"{PASSWORD}\n")
    await shop.connect()
    await shop.command("flows", "apply", str(file), "--yes")
    if not special:
        shop.fake.calls.clear()  # who moves into a copy finds none either
        _furnished[flows] = shutil.copytree(shop.home, shop.folder / "as-furnished")


def _environment(folder: Path, meta_url: str, more: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "PAMOSNIK_HOME": str(folder / "home"),
        "PAMOSNIK_META_URL": meta_url,
        "PAMOSNIK_INSTAGRAM_APP_SECRET": SECRET,
        "PAMOSNIK_VERIFY_TOKEN": VERIFY_TOKEN,
        "NO_COLOR": "1",
        **more,
    }
