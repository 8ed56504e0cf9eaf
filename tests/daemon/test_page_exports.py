"""Exports that are asked for on the page: made by the command beside the daemon, for one account alone, for a day."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pamosnik.daemon.exports import Exports
from pamosnik.store import exports
from tests.daemon.front_desk import Browser, FrontDesk, front_desk
from tests.daemon.shop import PASSWORD
from tests.daemon.test_data_pages import DATA, holder, open_shop, person_of, until_ended

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path, mail=False) as running:
        running.database.write(lambda conn: open_shop(conn, running, running.account, "shop"))
        yield running


async def _fetched(desk: FrontDesk, browser: Browser, path: str) -> bytes:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{desk.address}{path}", headers={"Cookie": cookie}) as answer,
    ):
        assert answer.status == 200
        return await answer.read()


def _links(text: str) -> list[str]:
    return re.findall(rf'href="({DATA}/exports/[^"]+)"', text)


def _files(desk: FrontDesk) -> list[Path]:
    return sorted((desk.settings.home / exports.FOLDER).iterdir())


async def test_an_export_is_made_fetched_replaced_and_removed(desk: FrontDesk) -> None:
    browser, csrf = await holder(desk)
    begun = await browser.post(f"{DATA}/export", csrf=csrf, present=PASSWORD)
    assert begun.leads_to == f"{DATA}/progress"
    again = await browser.post(f"{DATA}/export", csrf=csrf, present=PASSWORD)
    assert (again.status, again.problem) == (422, "An export is being made already.")
    (link,) = _links((await until_ended(desk, browser)).text)
    (file,) = _files(desk)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert file.name.startswith(f"{desk.account.id}-")
    with zipfile.ZipFile(io.BytesIO(await _fetched(desk, browser, link))) as packed:
        manifest = json.loads(packed.read("manifest.json"))
    assert manifest["account"]["email"] == desk.account.email
    assert manifest["counts"]["contacts"] == 1
    assert (await desk.browser().get(link)).status == 303, "a stranger is led to the login"
    # Of one person; both are there.
    await browser.post(f"{DATA}/people/{person_of(desk)}/export", csrf=csrf, present=PASSWORD)
    assert len(_links((await until_ended(desk, browser)).text)) == 2
    # Another one takes the first one's place.
    await browser.post(f"{DATA}/export", csrf=csrf, present=PASSWORD)
    links = _links((await until_ended(desk, browser)).text)
    assert (len(links), link in links, len(_files(desk))) == (2, False, 2)
    audited = desk.conn.execute("SELECT actor FROM audit WHERE action='export asked for'").fetchall()
    assert audited == [("page",)] * 3
    desk.later(hours=25)
    assert _links((await browser.get(DATA)).text) == []
    assert (await browser.get(links[0])).status == 404


async def test_what_is_deleted_meanwhile_is_in_no_export(desk: FrontDesk) -> None:
    browser, csrf = await holder(desk)
    await browser.post(f"{DATA}/export", csrf=csrf, present=PASSWORD)
    await asyncio.sleep(0.1)
    forgotten = f"{DATA}/people/{person_of(desk)}"
    await browser.post(f"{forgotten}/forget", csrf=csrf, present=PASSWORD)
    page = await until_ended(desk, browser)
    assert _links(page.text) == []
    assert _files(desk) == []


async def test_what_cannot_be_written_is_told(desk: FrontDesk) -> None:
    browser, csrf = await holder(desk)
    (desk.settings.home / exports.FOLDER).write_text("in the way", "utf-8")
    await browser.post(f"{DATA}/export", csrf=csrf, present=PASSWORD)
    page = await until_ended(desk, browser)
    assert "came to nothing" in page.text
    assert "cannot be used" in page.text


async def test_what_a_kill_left_half_done_is_gone_after_the_start(desk: FrontDesk) -> None:
    folder = desk.settings.home / exports.FOLDER
    (folder / ".pamosnik-work-left").mkdir(parents=True)
    (folder / ".pamosnik-work-left" / "export.zip").write_bytes(b"of people")
    (folder / f"{'A' * 26}-all-1764493200000-{'x' * 22}.zip").write_bytes(b"of nobody that is known")
    good = exports.new(desk.settings.home, desk.account.id, None, desk.clock.now()).path
    good.write_bytes(b"whole")
    Exports(desk.settings.home, desk.database, desk.clock).sweep()
    assert _files(desk) == [good]
