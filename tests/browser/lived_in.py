"""A home where something has happened, its pages in this process, and somebody logged in before them."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from playwright.async_api import Browser, Page

from pamosnik.clock import VirtualClock
from pamosnik.daemon.visitors import SESSION_COOKIE
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.store import accounts, sessions
from pamosnik.store.sessions import Session
from tests.daemon.machine import home_and_fake, running
from tests.daemon.site import Site, open_site
from tests.shop_life import FLOWS, PUBLIC_URL, Life

DESK, PHONE = (1280, 900), (390, 844)
_TOKEN = "the-session-of-this-browser"


@dataclass
class LivedIn:
    site: Site
    clock: VirtualClock

    @asynccontextmanager
    async def window(self, chromium: Browser, size: tuple[int, int], scheme: str) -> AsyncIterator["Window"]:
        """A browser of its own, logged in. `scheme`: light or dark."""
        context = await chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        await context.add_cookies([{"name": SESSION_COOKIE, "value": _TOKEN, "url": self.site.address}])
        opened = Window(await context.new_page(), self.site.address)
        yield opened
        await context.close()


class Window:
    """Notes what pages must not do: complain, and ask anybody else."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on(
            "request", lambda one: None if one.url.startswith(address) else self.complaints.append(one.url)
        )


@asynccontextmanager
async def lived_in(folder: Path, *, days: int, per_day: int) -> AsyncIterator[LivedIn]:
    begin = datetime.now(UTC).replace(hour=1) - timedelta(days=days)
    async with (
        home_and_fake(folder, FLOWS, PUBLIC_URL) as (settings, fake),
        running(settings, fake, VirtualClock(begin)) as shop,
    ):
        life = Life(shop, random.Random(5))
        await life.begins()
        await life.lives(days, per_day)
        clock = VirtualClock(shop.clock.now())
    async with open_site(settings, clock) as site:
        now = clock.now()
        account = accounts.every(site.reader.connection)[0]
        session = Session(new_id(now), account.id, "Chrome on Linux", now, now, now + timedelta(days=14))
        await site.writer.write(
            partial(sessions.open_session, token_hash=tokens.token_hash(_TOKEN), session=session)
        )
        yield LivedIn(site, clock)
