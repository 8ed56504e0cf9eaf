"""A front desk with the sandbox as Instagram: for logging in there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pamosnik.clock import VirtualClock
from pamosnik.sandbox.main import Sandbox
from pamosnik.sandbox.things import Account
from pamosnik.security import tokens
from pamosnik.services import instagram_login
from pamosnik.services.instagram_login import CALLBACK, PATH
from pamosnik.store import connections
from pamosnik.store.connections import Connected
from pamosnik.store.consents import How
from tests.daemon.front_desk import START, Answer, Browser, FrontDesk, front_desk


@dataclass
class Desk:
    """A front desk, with the sandbox as Instagram."""

    desk: FrontDesk
    sandbox: Sandbox
    shop: Account

    def address(self) -> str:
        """As `pamosnik connect` prints one; the path alone."""
        token = tokens.new_token()
        begin = partial(
            instagram_login.begin, account_id=self.desk.account.id, token=token, now=self.desk.clock.now()
        )
        self.desk.database.write(partial(begin, how=How.COMMAND))
        return f"{PATH}/{token}"

    async def at_instagram(self, leads_to: str | None, **more: str) -> str:
        """What the browser does there; the address it is led back to, as a path. `more`: as the sandbox has it."""
        assert leads_to is not None
        assert leads_to.startswith(f"{self.sandbox.base_url}/oauth/authorize?")
        added = "".join(f"&{name}={value}" for name, value in more.items())
        answer = await Browser("").get(leads_to + added)
        assert answer.status == 302, answer.text
        assert answer.leads_to is not None
        assert answer.leads_to.endswith("#_")
        parts = urlsplit(answer.leads_to)
        assert parts.path == CALLBACK
        return f"{parts.path}?{parts.query}"

    async def log_in(self, browser: Browser, path: str, **more: str) -> Answer:
        """All the way: the page it ends on."""
        begun = await browser.get(path)
        assert begun.status == 302, begun.text
        back = await browser.get(await self.at_instagram(begun.leads_to, **more))
        return await browser.get(back.leads_to) if back.leads_to else back

    def connected(self) -> list[Connected]:
        return connections.of_account(self.desk.conn, self.desk.account.id)


@asynccontextmanager
async def desk_with_instagram(
    folder: Path, *, public_url: str | None = None, **settings: str | None
) -> AsyncIterator[Desk]:
    sandbox = Sandbox()
    await sandbox.start(host="127.0.0.1", port=0, clock=VirtualClock(START))
    world = sandbox.world
    shop = world.account_named(None)
    app = {"instagram_app_id": world.app.app_id, "instagram_app_secret": world.app.secret}
    more = {"meta_url": sandbox.base_url, **app, **settings}
    try:
        async with front_desk(folder, mail=False, public_url=public_url, more=more) as desk:
            yield Desk(desk, sandbox, shop)
    finally:
        await sandbox.stop()
