"""The daemon in this process under a clock that is moved by hand, its pages over real HTTP, and a mail server."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.certificate import Certificate
from pamosnik.daemon.main import serve
from pamosnik.security import keyring
from pamosnik.services import accounts as account_services
from pamosnik.services import home
from pamosnik.services.accounts import NewAccount
from pamosnik.store import accounts
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database
from tests.daemon.shop import EMAIL, PASSWORD, free_port
from tests.mail.server import MailBox, mail_box

START = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]
    leads_to: str | None
    cookies: tuple[str, ...]
    """`Set-Cookie` as it came."""

    @property
    def problem(self) -> str | None:
        found = re.search(r'role="alert">(.*?)</', self.text, re.DOTALL)
        return None if found is None else found.group(1)


@dataclass
class Browser:
    """One with its own cookies, as long as the test wants."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path)

    async def post(self, path: str, headers: Mapping[str, str] | None = None, **form: str) -> Answer:
        return await self._ask("POST", path, form, headers)

    async def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> Answer:
        return await self.post("/login", email=email, password=password)

    async def csrf(self, path: str = "/") -> str:
        """The token in the forms of this page."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(path)).text)
        assert found is not None
        return found.group(1)

    async def is_in(self) -> bool:
        return (await self.get("/")).status == 200

    async def _ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**self.headers, **({"Cookie": cookie} if cookie else {}), **(more or {})}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method, f"{self.address}{path}", data=form, headers=headers, allow_redirects=False
            ) as answer,
        ):
            set_cookies = tuple(answer.headers.getall("Set-Cookie", ()))
            for one in set_cookies:
                name, _, value = one.partition(";")[0].partition("=")
                self.cookies.pop(name, None)
                if value.strip('"'):
                    self.cookies[name] = value
            return Answer(
                answer.status,
                await answer.text(),
                answer.headers,
                answer.headers.get("Location"),
                set_cookies,
            )


@dataclass
class FrontDesk:
    settings: Config
    clock: VirtualClock
    box: MailBox
    database: Database
    """For looking, and for making what would take long to come about."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def conn(self) -> Connection:
        return self.database.connection

    @property
    def account(self) -> Account:
        return accounts.every(self.conn)[0]

    def browser(self, **headers: str) -> Browser:
        return Browser(
            self.address, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def later(self, **units: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**units))

    async def mail(self, number: int = 0) -> str:
        """The text of this mail, as soon as it is there."""
        for _ in range(500):
            if len(self.box.received) > number:
                return self.box.received[number].text
            await asyncio.sleep(0.01)
        raise AssertionError(self.box.subjects)

    def second_account(self, email: str = "anna@other.example") -> Account:
        keys = keyring.load(self.settings.key_file, None)
        new = NewAccount("Anna", email, PASSWORD, "Europe/Berlin")
        return account_services.create(self.database, keys, new, self.clock.now())

    async def compares_a_password(self) -> None:
        """Until it does, for the first time: that takes long enough to change something meanwhile."""
        for _ in range(5000):
            if self.conn.execute("SELECT 1 FROM login_attempts").fetchone():
                return
            await asyncio.sleep(0.001)
        raise AssertionError("nobody compares a password")

    def actions(self) -> list[str]:
        """What the audit holds."""
        return [action for (action,) in self.conn.execute("SELECT action FROM audit ORDER BY id")]


_made: list[Path] = []
"""A home with one account: the next test moves into a copy."""


def _make_home(folder: Path) -> Path:
    if not _made:
        settings = config.load({"home": str(folder / "made")}, environ={})
        home.initialise(settings, NewAccount("Rosa", EMAIL, PASSWORD, "Europe/Warsaw"), START)
        _made.append(settings.home)
    return Path(shutil.copytree(_made[0], folder / "home"))


@asynccontextmanager
async def front_desk(
    folder: Path,
    *,
    mail: bool = True,
    public_url: str | None = None,
    certificate: Certificate | None = None,
    more: Mapping[str, str | None] | None = None,
) -> AsyncIterator[FrontDesk]:
    """A home with one account and its daemon. `mail`: whether a mail server is set; `more`: settings."""
    async with mail_box() as box:
        flags = {
            "home": str(_make_home(folder)),
            "port": str(free_port()),
            "instagram_app_secret": "x" * 32,
            "public_url": public_url,
            "smtp_url": f"smtp://127.0.0.1:{box.port}" if mail else None,
            "mail_from": "pamosnik@shop.example" if mail else None,
            **(more or {}),
        }
        settings, clock, stop = config.load(flags, environ={}), VirtualClock(START), asyncio.Event()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = serve(settings, clock, on_ready=ready.set_result, stop=stop, certificate=certificate)
        daemon = asyncio.create_task(serving)
        try:
            await asyncio.wait((daemon, ready), return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                await daemon  # raises what went wrong
            with open_database(settings.database) as database:
                yield FrontDesk(settings, clock, box, database)
        finally:
            stop.set()
            await daemon
