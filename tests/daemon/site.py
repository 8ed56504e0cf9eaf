"""The daemon's web part in this process, over real HTTP, on a home that a test has filled."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import uvicorn
from starlette.types import ASGIApp
from yarl import URL

from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.reception import Reception
from pamosnik.daemon.web import make_app
from pamosnik.instagram.client import Instagram
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import spill
from pamosnik.store.database import Database, open_database
from pamosnik.store.spill import Spill
from pamosnik.store.walls import Walled
from pamosnik.store.writer import GroupWriter
from tests.daemon.shop import EMAIL, PASSWORD, free_port


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Site:
    app: ASGIApp
    address: str
    writer: GroupWriter
    reader: Database
    session: aiohttp.ClientSession

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """One request as it stands: nothing is followed, no cookie is kept. `body`: sent as JSON."""
        address = f"{self.address}{path}"
        async with self.session.request(
            method, URL(address, encoded=True), headers=headers, data=form, json=body, allow_redirects=False
        ) as answer:
            named = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, named, await answer.read())


async def logged_in(site: Site, email: str = EMAIL, password: str = PASSWORD) -> str:
    """The header `Cookie` of somebody who has just logged in."""
    form = {"email": email, "password": password}
    async with site.session.post(f"{site.address}/login", data=form, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return answer.headers["set-cookie"].split(";")[0]


@asynccontextmanager
async def open_site(settings: Config, clock: Clock) -> AsyncIterator[Site]:
    """All routes of the daemon, and nothing of it that works by itself."""
    async with (
        Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram,
        _open_site(settings, clock, instagram) as site,
    ):
        yield site


@asynccontextmanager
async def _open_site(settings: Config, clock: Clock, instagram: Instagram) -> AsyncIterator[Site]:
    with (
        open_database(settings.database) as database,
        open_database(settings.database) as reader,
        open_database(settings.database) as own,
        Aside(settings.database) as aside,
        Spill(settings.home / spill.NAME) as incoming,
    ):
        writer, ending = GroupWriter(database), asyncio.Event()
        address = PublicAddress(settings.public_url)
        mails = AccountMails.under(settings, writer, reader, clock, address)
        reception = Reception(writer, reader, clock, incoming)
        app = make_app(
            settings,
            writer,
            reader,
            Walled(own),
            aside,
            reception,
            clock,
            address=address,
            mails=mails,
            exports=Exports(settings.home, reader, clock),
            instagram=instagram,
            ending=ending,
            on_events=lambda: None,
            on_change=lambda: None,
            on_deletion=lambda: None,
        )
        port = free_port()
        server = uvicorn.Server(
            uvicorn.Config(
                app, port=port, http="httptools", lifespan="off", log_config=None, access_log=False
            )
        )
        serving = asyncio.create_task(server._serve())  # without its signal handlers
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        jar = aiohttp.DummyCookieJar()
        try:
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                yield Site(app, f"http://127.0.0.1:{port}", writer, reader, session)
        finally:
            ending.set()
            server.should_exit = True
            await serving
            await writer.close()
            await reception.close()
