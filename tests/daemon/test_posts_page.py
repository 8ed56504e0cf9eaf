"""Posts and links on the page, and as CSV: the numbers of `reading.statistics`."""

import csv
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from pamosnik.clock import VirtualClock
from pamosnik.services.reading import posts
from pamosnik.services.reading.posts import SORTS
from pamosnik.store.database import open_database
from tests.daemon import busy_shop
from tests.daemon.busy_shop import COOKIE, NOW, OTHER_POST, POST, SENT, WAITING, Busy
from tests.daemon.site import open_site

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Busy:
    return busy_shop.make(tmp_path_factory.mktemp("posts"))


def _cells(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    bare = [
        [re.sub(r"<[^>]+>", " ", cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows
    ]
    return [[" ".join(unescape(cell).split()) for cell in row] for row in bare if row]


async def test_the_page_shows_which_post_earns_and_which_link_is_clicked(made: Busy) -> None:
    async with open_site(made.settings, VirtualClock(NOW)) as site:
        page = (await site.ask("GET", "/posts", COOKIE)).body.decode()
        first, second, link = _cells(page)
        comments = SENT + WAITING
        assert first[1:4] == [f"comments {comments}", f"matched {comments} 100%", f"sent {SENT}"]
        assert first[5] == "clicked 2"
        assert "named by Prices <now>" in first[0]
        assert "<now>" not in page
        assert second[1:3] == ["comments 1", "matched 0 0%"]
        assert "named by" not in second[0]
        assert link[1:] == [
            f"messages {SENT}",
            "people 2",
            "share who clicked 67%",
            "clicks 3",
            "previews 1",
        ]
        assert "Most came of" in page
        for sort in SORTS:
            for days in ("7", "90", "all", "made up"):
                answer = await site.ask("GET", f"/posts?sort={sort}&days={days}".replace(" ", "+"), COOKIE)
                assert answer.status == 200

        for name, rows in (("posts", 2), ("links", 1)):
            text = (await site.ask("GET", f"/{name}.csv", COOKIE)).body.decode("utf-8-sig")
            heading, *lines = csv.reader(text.splitlines())
            assert len(lines) == rows
            assert (
                dict(zip(heading, lines[0], strict=True))["clicked" if name == "posts" else "people"] == "2"
            )


async def test_an_empty_shop_is_told_what_would_stand_there(made: Busy, tmp_path: Path) -> None:
    later = NOW + timedelta(days=10)
    async with open_site(made.settings, VirtualClock(later)) as site:
        page = (await site.ask("GET", "/posts?days=7", COOKIE)).body.decode()
        assert "Nobody has commented on a post in these days" in page
        assert 'href="/posts?days=all&amp;sort=completed"' in page
        assert "No tracked link was sent in these days" in page


async def test_posts_are_sorted_by_what_is_asked_for(made: Busy) -> None:
    with open_database(made.settings.database) as database:
        found = posts.of_account(database.connection, made.account)
        assert [post.counted.media_id for post in found.posts] == [POST, OTHER_POST]
        assert found.best is not None
        assert found.best.counted.media_id == POST
        assert found.best.flows == [("price", "Prices <now>")]
