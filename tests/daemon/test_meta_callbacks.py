"""Meta's privacy callbacks over HTTP, and the page that tells what became of a deletion."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from starlette.requests import Request

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.clock import SystemClock
from pamosnik.config import Config
from pamosnik.daemon import housekeeping
from pamosnik.daemon.meta_callbacks import MetaCallbacks
from pamosnik.daemon.reached import Reached
from pamosnik.daemon.rendering import Pages
from pamosnik.errors import StorageRefused
from pamosnik.privacy import erase
from pamosnik.sandbox.privacy import signed_request
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, connections, consents, deletions, outbox
from pamosnik.store.connections import Connected
from pamosnik.store.database import connect, open_database
from pamosnik.store.deletions import Cause
from pamosnik.store.times import instant, ms
from pamosnik.store.writer import GroupWriter
from tests.daemon import events
from tests.daemon.machine import Machine, home_and_fake, running
from tests.daemon.shop import Shop, open_shop
from tests.daemon.site import Answer, Site, open_site
from tests.store.rows import database

pytestmark = pytest.mark.anyio

ASID, UNKNOWN = "27000000000000001", "27000000000000999"
META_SECRET = "secret-of-the-meta-app"
DEAUTHORIZE, DELETE = "/webhooks/instagram/deauthorize", "/webhooks/instagram/data-deletion"
PERSON = "9001001001001"
TEXT = "size, said somebody"


@dataclass
class Place:
    shop: Machine
    site: Site
    settings: Config

    @property
    def conn(self) -> Connection:
        return self.shop.reader.connection

    @property
    def connected(self) -> Connected:
        (found,) = connections.of_account(self.conn, accounts.every(self.conn)[0].id)
        return found

    async def calls(
        self, path: str, user_id: object = ASID, secret: str = events.SECRET, **more: object
    ) -> Answer:
        return await self.site.ask(
            "POST", path, form={"signed_request": self.signed(user_id, secret, **more)}
        )

    def signed(self, user_id: object, secret: str = events.SECRET, **more: object) -> str:
        issued_at = int(self.shop.clock.now().timestamp())
        content = {"algorithm": "HMAC-SHA256", "issued_at": issued_at, "user_id": user_id, **more}
        return signed_request(secret, content)

    async def asks_for_deletion(self, user_id: object = ASID, **more: object) -> Mapping[str, str]:
        answer = await self.calls(DELETE, user_id, **more)  # type: ignore[arg-type]
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "application/json"
        told: dict[str, str] = json.loads(answer.body)
        assert set(told) == {"url", "confirmation_code"}
        return told

    async def page(self, code: str) -> str:
        answer = await self.site.ask("GET", f"/deletion/{code}")
        assert answer.status == 200
        assert answer.headers["x-robots-tag"] == "noindex"
        assert "set-cookie" not in answer.headers
        return " ".join(re.sub(r"<[^>]+>", " ", answer.body.decode()).split())

    def notes(self) -> list[str]:
        found = consents.of_account(self.conn, self.connected.account_id, 100)
        return [f"{note.what} {note.how}" for note in found if note.what is consents.What.DISCONNECT]


@asynccontextmanager
async def place(folder: Path, public_url: str | None = None) -> AsyncIterator[Place]:
    """A connected shop with a conversation, the parts of its daemon, and its pages over HTTP."""
    async with home_and_fake(folder) as (made, fake):
        flags = {
            "home": str(made.home),
            "meta_url": made.meta_url,
            "instagram_app_secret": events.SECRET,
            "meta_app_secret": META_SECRET,
            "public_url": public_url,
        }
        settings = config.load(flags, environ={})
        async with running(settings, fake) as shop, open_site(settings, shop.clock) as site:
            await shop.writer.write(lambda conn: conn.execute("UPDATE connections SET asid=?", (ASID,)))
            await shop.deliver(events.talk(events.message(PERSON, TEXT)))
            await shop.works()
            yield Place(shop, site, settings)


# --- deauthorize -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_id", "secret"),
    [(ASID, events.SECRET), (events.IG_ID, META_SECRET), (int(ASID), META_SECRET)],
)
async def test_a_removed_app_is_heard_of_at_once(tmp_path: Path, user_id: object, secret: str) -> None:
    async with place(tmp_path) as at:
        answer = await at.calls(DEAUTHORIZE, user_id, secret)
        assert (answer.status, answer.body) == (200, b"ok")
        found = at.connected
        assert found.status.value == "disconnected"
        assert found.delete_after == instant(ms(at.shop.clock.now() + timedelta(hours=24)))
        assert connections.sealed_token(at.conn, found.id) is None
        assert [problem["code"] for problem in at.shop.problems()] == ["app_removed"]
        assert at.notes() == ["disconnect instagram"]
        # Once more, and from whoever else finds it out: nothing happens a second time.
        at.shop.move_to(at.shop.clock.now() + timedelta(hours=1))
        assert (await at.calls(DEAUTHORIZE, user_id, secret)).status == 200
        assert at.connected == found
        assert at.notes() == ["disconnect instagram"]


async def test_a_late_repetition_does_not_end_a_new_login(tmp_path: Path) -> None:
    async with place(tmp_path) as at:
        said = at.signed(ASID)
        assert (await at.site.ask("POST", DEAUTHORIZE, form={"signed_request": said})).status == 200
        at.shop.move_to(at.shop.clock.now() + timedelta(hours=2))
        await at.shop.connects()
        await at.shop.writer.write(lambda conn: conn.execute("UPDATE connections SET asid=?", (ASID,)))
        assert (await at.site.ask("POST", DEAUTHORIZE, form={"signed_request": said})).status == 200
        assert at.connected.status.value == "active"
        # A new one does, and so does one whose date means nothing.
        assert (await at.calls(DEAUTHORIZE, issued_at=1)).status == 200
        assert at.connected.status.value == "disconnected"


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETE])
async def test_what_is_not_metas_changes_nothing(tmp_path: Path, path: str) -> None:
    async with place(tmp_path) as at:
        before = at.connected
        good = at.signed(ASID)
        mac, _, payload = good.partition(".")
        forms: list[tuple[dict[str, str], int]] = [
            ({"signed_request": at.signed(ASID, "another secret")}, 403),
            ({"signed_request": f"{mac}.{payload[:-2]}"}, 403),
            ({"signed_request": f"%%.{payload}"}, 403),
            ({"signed_request": payload}, 400),
            ({"signed_request": ""}, 400),
            ({"signed_request": at.signed(None)}, 400),
            ({"signed_request": at.signed(ASID, algorithm="none")}, 400),
            ({"other": good}, 400),
            ({}, 400),
        ]
        for form, status in forms:
            assert (await at.site.ask("POST", path, form=form)).status == status, form
        for body, kind, status in (
            (b'{"signed_request": "%s"}' % good.encode(), "application/json", 400),
            (b"signed_request=" + good.encode(), "text/plain", 400),
            (b"\xff\x00&=&&=%ff%zz", "application/x-www-form-urlencoded", 400),
            (b"--x\r\n", "multipart/form-data; boundary=x", 400),
            (b"--x\r\n", "multipart/form-data", 400),
            (b"a=" + b"b" * 70_000, "application/x-www-form-urlencoded", 413),
        ):
            headers = {"Content-Type": kind}
            async with at.site.session.post(f"{at.site.address}{path}", data=body, headers=headers) as answer:
                assert answer.status == status, (body[:30], kind)
        assert (await at.site.ask("GET", path)).status == 405
        assert at.connected == before
        assert at.conn.execute("SELECT 1 FROM deletion_requests").fetchone() is None
        # The same in parts is taken: it says the same.
        parts = aiohttp.FormData(default_to_multipart=True)
        parts.add_field("signed_request", good)
        async with at.site.session.post(f"{at.site.address}{path}", data=parts) as answer:
            assert answer.status == 200


async def test_nobody_knows_whose_app_was_removed(tmp_path: Path) -> None:
    async with place(tmp_path) as at:
        before = at.connected
        assert (await at.calls(DEAUTHORIZE, UNKNOWN)).status == 200
        assert (at.connected, at.notes()) == (before, [])


# --- data deletion ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user_id", "secret"), [(ASID, META_SECRET), (int(events.IG_ID), events.SECRET)])
async def test_everything_goes_and_the_page_tells(tmp_path: Path, user_id: object, secret: str) -> None:
    async with place(tmp_path) as at:
        kept = at.connected
        said = at.signed(user_id, secret)
        told = await at.asks_for_deletion(user_id, secret=secret)
        code = told["confirmation_code"]
        assert told["url"] == f"{at.site.address}/deletion/{code}"
        receipt = deletions.open_for(at.conn, kept.id)
        assert receipt is not None, "committed before the answer"
        assert (receipt.cause, receipt.scope) == (Cause.META_REQUEST, deletions.Scope.CONNECTION)
        assert at.notes() == ["disconnect instagram"]
        assert [problem["code"] for problem in at.shop.problems()] == ["deletion_asked"]
        assert outbox.under_way(at.conn, kept.id, at.shop.clock.now()) is False
        page = await at.page(code)
        assert "The data is being deleted" in page
        assert code in page
        assert "not yet: under way" in page
        # The same once more changes nothing, another one joins the deletion that is under way.
        again = await at.site.ask("POST", DELETE, form={"signed_request": said})
        assert json.loads(again.body) == told
        other = await at.asks_for_deletion(user_id, issued_at=7)
        assert other["confirmation_code"] != code
        assert at.conn.execute("SELECT count(*) FROM deletions").fetchone() == (1,)
        at.shop.move_to(at.shop.clock.now() + timedelta(minutes=6))
        await at.shop.eraser.round()
        assert connections.exists(at.conn, kept.id) is False
        for one in (code, other["confirmation_code"]):
            page = await at.page(one)
            assert "The data was deleted" in page
            assert "1 person, with name, tags and answers" in page
            assert " UTC" in page
            for secret_of_somebody in (PERSON, TEXT, kept.username + "<", kept.ig_id, ASID, kept.id, "Rosa"):
                assert secret_of_somebody not in page
        # Meta may repeat it when everything is gone, and even after the owner has connected again.
        await at.shop.connects()
        again = await at.site.ask("POST", DELETE, form={"signed_request": said})
        assert json.loads(again.body) == told
        assert at.connected.status.value == "active"
        assert deletions.under_way(at.conn) == []


async def test_what_nobody_knows_is_answered_and_kept_for_a_year(tmp_path: Path) -> None:
    async with place(tmp_path, "https://rose.example/shop/") as at:
        told = await at.asks_for_deletion(UNKNOWN)
        code = told["confirmation_code"]
        assert told["url"] == f"https://rose.example/shop/deletion/{code}"
        assert "Nothing was stored" in await at.page(code)
        assert at.connected.status.value == "active"
        assert UNKNOWN not in str(at.conn.execute("SELECT * FROM deletion_requests").fetchall())
        for days, status in ((364, 200), (3, 404)):
            at.shop.move_to(at.shop.clock.now() + timedelta(days=days))
            await at.shop.writer.write(partial(housekeeping.forget, now=at.shop.clock.now()))
            assert (await at.site.ask("GET", f"/deletion/{code}")).status == status


async def test_a_removal_during_a_deletion_and_a_deletion_after_a_removal(tmp_path: Path) -> None:
    async with place(tmp_path) as at:
        assert (await at.calls(DEAUTHORIZE)).status == 200
        await at.asks_for_deletion()
        (receipt,) = deletions.under_way(at.conn)
        assert receipt.meta is deletions.MetaTold.NONE, "there is no token to tell it with"
        assert at.notes() == ["disconnect instagram"]
        before = at.connected
        assert (await at.calls(DEAUTHORIZE, issued_at=3)).status == 200
        assert at.connected == before


async def test_a_request_about_an_account_that_is_being_deleted_shows_that_deletion(tmp_path: Path) -> None:
    async with place(tmp_path) as at:
        begin = partial(erase.begin_account, account_id=at.connected.account_id, cause=Cause.COMMAND)
        await at.shop.writer.write(partial(begin, actor="command", now=at.shop.clock.now()))
        told = await at.asks_for_deletion()
        found = deletions.request(at.conn, told["confirmation_code"])
        assert found is not None
        assert found.deletion is not None
        assert found.deletion.scope is deletions.Scope.ACCOUNT


async def test_a_code_that_was_never_given_leads_to_a_page_that_helps(tmp_path: Path) -> None:
    async with place(tmp_path) as at:
        for code in ("AAAAAAAAAAAAAAAA", "%3Cscript%3E", "a" * 3000, "%00", "%ff", "%ed%a0%80"):
            answer = await at.site.ask("GET", f"/deletion/{code}")
            assert answer.status == 404, code
            assert b"No deletion has this code" in answer.body
            assert b"script>" not in answer.body
        assert (await at.site.ask("POST", "/deletion/AAAA")).status == 405


# --- killed ----------------------------------------------------------------------------------------------


async def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.write(PERSON, TEXT)
        await shop.settles(PERSON, 1)
        told = await _asks(shop)
        await shop.kill()
        await shop.start()
        path = f"/deletion/{told['confirmation_code']}"
        assert told["url"] == f"http://127.0.0.1:{shop.port}{path}"
        for _ in range(500):
            status, page = await shop.get(path)
            assert status == 200
            if "The data was deleted" in page:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError(page)
        with open_database(shop.home / "pamosnik.db") as database:
            for table in ("connections", "contacts", "events", "outbox", "runs"):
                counted = database.connection.execute(f"SELECT count(*) FROM {table}")
                assert counted.fetchone() == (0,)


async def _asks(shop: Shop) -> dict[str, str]:
    signed = signed_request(events.SECRET, {"algorithm": "HMAC-SHA256", "user_id": events.IG_ID})
    address = f"http://127.0.0.1:{shop.port}{DELETE}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data={"signed_request": signed}) as answer,
    ):
        assert answer.status == 200
        told: dict[str, str] = await answer.json()
        return told


async def test_what_storage_refuses_is_stored_later_though_the_answer_was_503(tmp_path: Path) -> None:
    content = {"algorithm": "HMAC-SHA256", "issued_at": 7, "user_id": UNKNOWN}
    body = urlencode({"signed_request": signed_request(events.SECRET, content)}).encode()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": DELETE, "headers": headers, "query_string": b""}
    settings = config.load(
        {"home": str(tmp_path), "instagram_app_secret": events.SECRET, "public_url": "https://shop.example"},
        environ={},
    )
    with database(tmp_path) as opened, open_database(opened.path) as reader:
        writer = GroupWriter(opened)
        callbacks = MetaCallbacks(
            Pages(),
            settings,
            Reached.under(settings, PublicAddress(settings.public_url)),
            writer,
            reader,
            SystemClock(),
            on_deletion=lambda: None,
            refused_for_s=0.05,
        )
        opened.connection.execute("PRAGMA busy_timeout=1")
        with closing(connect(opened.path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageRefused):
                await callbacks.delete(Request(scope, receive))
            other.execute("ROLLBACK")
        async with asyncio.timeout(20):
            while not reader.connection.execute("SELECT 1 FROM deletion_requests").fetchone():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await writer.close()
