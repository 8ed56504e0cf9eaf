"""The catalogue of Meta's errors on the daemon: for anybody, and where each error that is shown leads."""

import re
from html import unescape
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.instagram import catalogue
from pamosnik.store import accounts, notices
from tests.daemon.front_desk import front_desk

pytestmark = pytest.mark.anyio


async def test_anybody_reads_it(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        page = await desk.browser().get(catalogue.PAGE)
        assert (page.status, page.cookies) == (200, ())
        assert re.findall(r'<section id="(error-[^"]+)">', page.text) == [
            *(one.anchor for one in catalogue.entries()),
            "error-none",
        ]
        for one in catalogue.entries():
            assert one.words in unescape(page.text)


async def test_a_problem_leads_to_it(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        raise_it = "Instagram refused: <b>it</b> (Meta's error 200/2534041)."

        def wrong(conn: Connection) -> None:
            account = accounts.every(conn)[0]
            notices.raise_notice(
                conn, account.id, "", "message_refused", raise_it, "Mend it.", desk.clock.now()
            )

        desk.database.write(wrong)
        browser = desk.browser()
        await browser.log_in()
        page = (await browser.get("/")).text
        assert '<a href="/help/errors#error-200-2534041">Meta&#39;s error 200/2534041</a>' in page
        assert "&lt;b&gt;it&lt;/b&gt;" in page
