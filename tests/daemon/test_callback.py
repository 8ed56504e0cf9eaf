"""Meta is told where the webhook is: by API against the sandbox, by hand where there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from pamosnik import config
from pamosnik.clock import VirtualClock
from pamosnik.daemon import housekeeping
from pamosnik.daemon.callback import FILE, Callback
from pamosnik.instagram import limits
from pamosnik.sandbox.main import Sandbox
from pamosnik.store import notices
from pamosnik.store.database import open_database
from pamosnik.store.writer import GroupWriter
from tests.homes import with_one_account

from .front_desk import START

pytestmark = pytest.mark.anyio

WORD = "a verify token of this test"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Place:
    """A sandbox that stands for Meta, and a daemon's webhook at two addresses."""

    settings: config.Config
    sandbox: Sandbox
    clock: VirtualClock
    writer: GroupWriter
    first: str
    second: str

    def starts(self, **other: str) -> Callback:
        """As a daemon does; `other` settings."""
        return Callback(_settings(self.settings.home, self.sandbox, **other), self.writer, self.clock)

    @property
    def notices(self) -> dict[str, str]:
        with open_database(self.settings.database) as database:
            return {one.code: f"{one.message} {one.fix}" for one in notices.every(database.connection)}

    @property
    def told(self) -> str | None:
        return self.sandbox.world.app.callback_url

    async def asked(self) -> list[str]:
        """The methods of what came for the app's subscriptions."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.sandbox.base_url}/sandbox/requests") as answer,
        ):
            found = await answer.json()
        rows = found["requests"] if isinstance(found, dict) else found
        return [one["method"] for one in rows if one["path"].endswith("/subscriptions")]


def _settings(home: Path, sandbox: Sandbox, **other: str) -> config.Config:
    app = sandbox.world.app
    flags: dict[str, str | None] = {
        "home": str(home),
        "meta_url": sandbox.base_url,
        "meta_app_id": app.meta_app_id,
        "meta_app_secret": app.meta_secret,
        "verify_token": WORD,
    }
    return config.load({**flags, **{name: value or None for name, value in other.items()}}, environ={})


async def _webhook(request: web.Request) -> web.Response:
    if request.query["hub.verify_token"] != WORD:
        return web.Response(status=403)
    return web.Response(text=request.query["hub.challenge"])


@asynccontextmanager
async def _place(folder: Path) -> AsyncIterator[Place]:
    with_one_account(folder / "home")
    app = web.Application()
    app.router.add_get("/webhooks/instagram", _webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for _ in range(2):
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    first, second = (f"http://127.0.0.1:{address[1]}" for address in runner.addresses)
    sandbox, clock = Sandbox(), VirtualClock(START)
    await sandbox.start(host="127.0.0.1", port=0, clock=clock)
    settings = _settings(folder / "home", sandbox)
    with open_database(settings.database) as database:
        writer = GroupWriter(database)
        yield Place(settings, sandbox, clock, writer, first, second)
        await writer.close()
    await sandbox.stop()
    await runner.cleanup()


async def test_meta_is_told_each_new_address_once(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        callback = place.starts()
        for _ in range(3):
            await callback.leads_here(place.first)
        assert place.told == f"{place.first}/webhooks/instagram"
        assert place.sandbox.world.app.fields == set(limits.SUBSCRIBED_FIELDS)
        assert await place.asked() == ["GET", "POST"]
        await callback.leads_here(place.second)
        assert place.told == f"{place.second}/webhooks/instagram"
        assert "callback_address" not in place.notices


async def test_after_a_restart_meta_is_asked_and_told_only_what_it_does_not_know(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        await place.starts().leads_here(place.first)
        await place.starts().leads_here(place.first)
        assert await place.asked() == ["GET", "POST", "GET"]
        await place.starts().leads_here(place.second)
        assert place.told == f"{place.second}/webhooks/instagram"
        # Somebody has entered another one in the dashboard while this one was away.
        await place.starts().leads_here(place.first)
        assert place.told == f"{place.first}/webhooks/instagram"


async def test_fields_that_were_added_in_the_dashboard_stay(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        await place.starts().leads_here(place.first)
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{place.sandbox.base_url}/sandbox/configure", json={"fields": "message_edit,comments"}
            ) as answer,
        ):
            assert answer.status == 200
        await place.starts().leads_here(place.second)
        assert place.sandbox.world.app.fields == {*limits.SUBSCRIBED_FIELDS, "message_edit"}


async def test_what_has_no_api_is_told_with_the_new_values_for_a_week(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        callback = place.starts(instagram_app_id="123")
        await callback.leads_here(place.first)
        told = place.notices["dashboard_addresses"]
        assert f"OAuth redirect URI {place.first}/connect/instagram/callback" in told
        assert f"Deauthorize callback URL {place.first}/webhooks/instagram/deauthorize" in told
        assert f"Data deletion request URL {place.first}/webhooks/instagram/data-deletion" in told
        await place.writer.write(lambda conn: housekeeping.forget(conn, START + timedelta(days=6)))
        assert "dashboard_addresses" in place.notices
        await place.writer.write(lambda conn: housekeeping.forget(conn, START + timedelta(days=8)))
        await place.starts().leads_here(place.first)
        assert "dashboard_addresses" not in place.notices
        await place.starts().leads_here(place.second)
        assert place.second in place.notices["dashboard_addresses"]
        assert "OAuth redirect URI" not in place.notices["dashboard_addresses"]


async def test_a_refusal_is_told_tried_again_with_growing_gaps_and_mended(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        callback = place.starts(verify_token="another word")
        await callback.leads_here(place.first)
        told = place.notices["callback_address"]
        assert f"callback URL {place.first}/webhooks/instagram" in told
        assert "Meta refused" in told
        for seconds, tries in ((59, 1), (2, 2), (119, 2), (2, 3)):
            place.clock.move_to(place.clock.now() + timedelta(seconds=seconds))
            await callback.leads_here(place.first)
            assert (await place.asked()).count("GET") == tries, seconds
        await place.starts().leads_here(place.first)
        assert "callback_address" not in place.notices


async def test_an_app_whose_webhooks_have_no_api_is_told_by_hand(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{place.sandbox.base_url}/sandbox/switches", json={"app_subscriptions": False}
            ) as answer,
        ):
            assert answer.status == 200
        await place.starts().leads_here(place.first)
        assert "Verify and save" in place.notices["callback_address"]


async def test_without_the_pair_the_owner_is_told_until_meta_calls(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        callback = place.starts(meta_app_secret="")
        await callback.leads_here(place.first)
        told = place.notices["callback_address"]
        assert f"callback URL {place.first}/webhooks/instagram" in told
        assert f"Data deletion request URL {place.first}/webhooks/instagram/data-deletion" in told
        assert "PAMOSNIK_META_APP_SECRET" in told
        assert await place.asked() == []
        await callback.heard_from_meta(place.second.removeprefix("http://"))
        assert "callback_address" in place.notices
        await callback.heard_from_meta(place.first.removeprefix("http://"))
        assert place.notices == {}
        again = place.starts(meta_app_secret="")
        await again.leads_here(place.first)
        assert place.notices == {}
        await again.leads_here(place.second)
        assert place.second in place.notices["callback_address"]


async def test_a_file_that_is_none_is_nothing_known(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        for content in ("", "[]", '{"meta": 7}', "\0"):
            (place.settings.home / FILE).write_text(content)
            await place.starts().leads_here(place.first)
            assert place.told == f"{place.first}/webhooks/instagram"
        assert (place.settings.home / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_meta_that_cannot_be_asked_is_asked_again_and_nobody_is_told(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        await place.starts().leads_here(place.first)
        callback = place.starts(meta_url="http://127.0.0.1:9")
        await callback.leads_here(place.first)
        assert "callback_address" not in place.notices
        assert place.told == f"{place.first}/webhooks/instagram"


async def test_what_was_told_of_another_address_ends_with_the_one_that_meta_knows(tmp_path: Path) -> None:
    async with _place(tmp_path) as place:
        callback = place.starts(meta_app_secret="")
        await callback.leads_here(place.first)
        await callback.heard_from_meta(place.first.removeprefix("http://"))
        await callback.leads_here(place.second)
        assert "callback_address" in place.notices
        await place.starts(meta_app_secret="").leads_here(place.first)
        assert "callback_address" not in place.notices
