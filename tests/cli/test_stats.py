"""`stats`: numbers told apart, bars, and a month as a page for a client."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pamosnik._sqlite import Connection
from pamosnik.store import accounts, stats
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home

__all__ = ["home"]
NOW = datetime.now(UTC)
TODAY, BEFORE = f"{NOW:%Y-%m-%d}", f"{NOW - timedelta(days=3):%Y-%m-%d}"
MONTH = "2026-01"
IN_MONTH = f"{MONTH}-15"
CAPTION = "New <b>mugs</b> & bowls, photo by @anna.photo"


@pytest.fixture
def shop(home: Command, tmp_path: Path) -> Command:
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(_lives)
    return home


def _lives(conn: Connection) -> None:
    account = accounts.every(conn)[0].id
    conn.execute("UPDATE accounts SET timezone='UTC'")
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, username, scopes, status, connected_at)"
        " VALUES ('K1', ?, '178414', 'tulip', '[]', 'active', 0)",
        (account,),
    )
    conn.execute(
        "INSERT INTO posts (account_id, connection_id, media_id, caption, permalink) VALUES (?, 'K1', 'm1', ?, ?)",
        (account, CAPTION, "https://www.instagram.com/p/x/"),
    )

    def count(flow: str, what: str, day: str, n: int, **where: str) -> None:
        stats.count(conn, account, "K1", flow, what, day, n=n, **where)

    for day, n in ((TODAY, 4), (BEFORE, 2), (IN_MONTH, 1200)):
        count("", "received:comment", day, 2 * n, media_id="m1")
        count("", "received:message", day, n)
        count("", "answered:comment", day, n, media_id="m1")
        count("price", "started", day, n, media_id="m1")
        count("price", "completed", day, n // 2, media_id="m1")
        count("price", "reached", day, n, version="v1", step="do.0")
        count("price", "link:people:prices", day, n // 2, version="v1", step="do.0")
        count("price", "link:clicks:prices", day, n, version="v1", step="do.0")


def _told(shop: Command, *words: str) -> dict[str, list[dict[str, object]]]:
    said = shop("stats", *words, "--json")
    assert said.returncode == 0, said.stderr
    found: dict[str, list[dict[str, object]]] = json.loads(said.stdout)
    return found


def test_by_day_tells_the_last_thirty_days(shop: Command) -> None:
    days = _told(shop, "--by", "day")["days"]
    assert len(days) == 30
    assert days[-1] == {
        "day": TODAY,
        "received": 12,
        "answered": 4,
        "started": 4,
        "completed": 2,
        **dict.fromkeys(("sent", "seen", "clicked", "replied", "failed", "expired"), 0),
    }
    assert days[-4]["received"] == 6
    assert "received" not in _told(shop, "--by", "day", "--flow", "price")["days"][0]
    assert [day["day"] for day in _told(shop, "--by", "day", "--month", MONTH)["days"]][::30] == [
        f"{MONTH}-01",
        f"{MONTH}-31",
    ]


def test_posts_steps_and_links(shop: Command) -> None:
    (post,) = _told(shop, "--by", "post", "--since", BEFORE)["posts"]
    assert (post["post"], post["comments"], post["matched"], post["started"]) == ("m1", 12, 6, 6)
    assert _told(shop, "--by", "step", "--flow", "price", "--month", MONTH)["steps"] == [
        {"flow": "price", "version": "v1", "step": "do.0", "reached": 1200}
    ]
    (link,) = _told(shop, "--by", "link", "--since", TODAY)["links"]
    assert (link["link"], link["people"], link["clicks"], link["previews"]) == ("prices", 2, 4, 0)


def test_tables_have_bars_and_no_empty_columns(shop: Command) -> None:
    said = shop("stats", "--by", "day", "--since", BEFORE).stdout
    rows = [line for line in said.splitlines() if line.strip().startswith("20")]
    lengths = [line.count("█") for line in rows]
    assert lengths[-1] == 2 * lengths[0] > 0
    assert lengths[1] == 0
    said = shop("stats").stdout
    assert "Splits" not in said
    assert "tulip" not in said, "there is one account"
    assert "█" in said
    assert CAPTION[:20] in shop("stats", "--by", "post").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--by", "post", "--flow", "price"), "Posts are counted over all flows."),
        (("--by", "day", "--since", "1900-01-01"), "days are too many to list."),
        (("--since", "2026-02-02", "--until", "2026-02-01"), "2026-02-02 is after 2026-02-01."),
        (("--month", "2026-13"), "2026-13 is no month."),
        (("--month", "9999-01"), "9999-01 has not begun yet."),
        (("--month", MONTH, "--since", "7d"), "--month has its first and last day."),
        (("--html", "x.html"), "Of which month?"),
        (("--html", "x.html", "--month", MONTH, "--by", "day"), "The page tells all of a month."),
    ],
)
def test_what_does_not_go_together(shop: Command, words: tuple[str, ...], told: str) -> None:
    said = shop("stats", *words)
    assert said.returncode == 2
    assert told in said.stderr


def test_a_flow_that_never_was(shop: Command) -> None:
    for by in ("day", "step", "link"):
        said = shop("stats", "--by", by, "--flow", "nothing")
        assert said.returncode == 1
        assert "There is no flow nothing." in said.stderr


def test_a_month_for_a_client_is_one_file_without_people(shop: Command, tmp_path: Path) -> None:
    path = tmp_path / "month.html"
    said = shop("stats", "--month", MONTH, "--html", str(path))
    assert (said.returncode, said.stdout) == (0, "")
    page = path.read_text("utf-8")
    assert "Rosa on Instagram, January 2026" in page
    assert "3,600 comments, messages and taps came in; 1,200 of them were answered automatically." in page
    assert "Links were opened 600 times" in page
    assert "anna" not in page, "whom a caption mentions is left out"
    assert "New &lt;b&gt;mugs&lt;/b&gt; &amp; bowls, photo by @…" in page
    for word in ("Came in", "Completed", "People"):
        assert f"<dt>{word}</dt>" in page
    # Nothing is loaded: the only address leads to the post, when somebody goes there.
    assert re.findall(r"https?://[^\"<]+", page) == ["https://www.instagram.com/p/x/"]
    assert not re.search(r"<script|src=|@import|url\(", page)
    ElementTree.fromstring(
        re.sub(r"<!doctype html>|<meta[^>]*>|<style>.*?</style>", "", page, flags=re.DOTALL)
    )


def test_a_month_without_anything(shop: Command, tmp_path: Path) -> None:
    path = tmp_path / "month.html"
    assert shop("stats", "--month", "2025-03", "--html", str(path)).returncode == 0
    assert "Nothing came in in March 2025." in path.read_text("utf-8")
    said = shop("stats", "--month", MONTH, "--html", str(tmp_path / "none" / "x.html"))
    assert said.returncode == 2
    assert "cannot be written" in said.stderr
