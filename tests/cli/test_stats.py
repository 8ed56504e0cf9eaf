"""`stats`: numbers told apart, bars, and a month as a page for a client."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pamosnik._sqlite import Connection
from pamosnik.services import client_page
from pamosnik.store import accounts, stats
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home
from tests.terminals import terminal

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
    assert "split" not in said
    assert "tulip" not in said, "there is one account"
    assert "█" in said
    assert CAPTION[:20] in shop("stats", "--by", "post").stdout


def test_a_line_of_days_beside_each_flow(shop: Command) -> None:
    """As many as there is room for, each as high as what started on it; the numbers are those of --by day."""
    said = shop("stats").stdout
    heading = next(line for line in said.splitlines() if "days" in line)
    assert "30 days" in heading
    (line,) = re.findall(r"[·▁▂▃▄▅▆▇█]{30}", said)
    days = json.loads(shop("stats", "--by", "day", "--flow", "price", "--json").stdout)["days"]
    assert [one != "·" for one in line] == [day["started"] > 0 for day in days]
    assert line.index("█") == max(range(30), key=lambda n: days[n]["started"])


@pytest.mark.parametrize("columns", ["80", "110"])
def test_no_terminal_breaks_bars(shop: Command, tmp_path: Path, columns: str) -> None:
    """Rows of days took two lines where the bar was longer than what the table left it."""
    environ = {"PAMOSNIK_HOME": str(tmp_path / "home"), "COLUMNS": columns, "NO_COLOR": "1"}
    with terminal(("stats", "--by", "day", "--since", BEFORE), environ) as seen:
        assert seen.ended() == 0
        lines = seen.rest.splitlines()
    assert len([line for line in lines if line.startswith(" 20")]) >= 4
    assert [line for line in lines if line.strip() and not set(line.strip()) - set("█▏▎▍▌▋▊▉")] == []


def test_status_has_colours_on_a_terminal_alone(shop: Command, tmp_path: Path) -> None:
    green = "\x1b[32m"
    assert green not in shop("status").stdout
    for environ, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        with terminal(("status",), {"PAMOSNIK_HOME": str(tmp_path / "home"), **environ}) as seen:
            assert (f"{green}active" in seen.sees("login valid")) == coloured
            assert seen.ended() == 0


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


def _second_shop(conn: Connection) -> None:
    account = accounts.every(conn)[0].id
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, username, scopes, status, connected_at)"
        " VALUES ('K2', ?, '178415', 'roses', '[]', 'active', ?)",
        (account, int(datetime(2025, 12, 3, tzinfo=UTC).timestamp() * 1000)),
    )
    for day, n in ((IN_MONTH, 30), ("2025-12-31", 20)):
        for what, many in (("received:comment", n), ("answered:comment", n // 2), ("received:reaction", 1)):
            stats.count(conn, account, "K2", "", what, day, n=many, media_id="m2")
        for what, many in (("started", n), ("completed", n + 1), ("goal:booked", 3)):
            stats.count(conn, account, "K2", "workshop", what, day, n=many, media_id="m2")


@pytest.fixture
def two_shops(shop: Command, tmp_path: Path) -> Command:
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(_second_shop)
    return shop


def _page(shop: Command, tmp_path: Path, month: str, *words: str) -> str:
    path = tmp_path / "page.html"
    said = shop("stats", "--month", month, "--html", str(path), *words)
    assert said.returncode == 0, said.stderr
    return path.read_text("utf-8")


def test_one_connection_is_told_alone(two_shops: Command) -> None:
    (row,) = _told(two_shops, "--connection", "@roses", "--month", MONTH)["flows"]
    assert (row["flow"], row["started"], row["connection"]) == ("workshop", 30, "roses")
    (day,) = _told(
        two_shops, "--connection", "tulip", "--by", "day", "--since", IN_MONTH, "--until", IN_MONTH
    )["days"]
    assert (day["received"], day["started"]) == (3600, 1200)
    for by, rows in (("post", "posts"), ("link", "links"), ("step", "steps")):
        both = len(_told(two_shops, "--by", by)[rows])
        each = [len(_told(two_shops, "--by", by, "--connection", one)[rows]) for one in ("tulip", "roses")]
        assert (sum(each), each[0]) == (both, 1), by
    said = two_shops("stats", "--connection", "nobody")
    assert (said.returncode, "nobody is not connected." in said.stderr) == (1, True)


def test_a_page_about_one_connection_tells_nothing_of_another(two_shops: Command, tmp_path: Path) -> None:
    page = _page(two_shops, tmp_path, MONTH, "--connection", "roses")
    assert "<title>@roses on Instagram, January 2026</title>" in page
    for others in ("tulip", "Rosa", "price", "mugs", "3,600"):
        assert others not in page.partition("</style>")[2], others
    both = _page(two_shops, tmp_path, MONTH)
    assert "3,631 comments, messages and taps came in" in both
    assert "@roses, @tulip · 1 to 31 January 2026" in both


def test_a_page_says_how_the_month_before_was(two_shops: Command, tmp_path: Path) -> None:
    page = _page(two_shops, tmp_path, MONTH, "--connection", "roses")
    assert "30 comments, 1 reaction." in page
    assert re.search(r'<b>31</b>came in <span class="change">\+48 %</span>', page)
    assert "The percentages compare with 1 to 31 December 2025." in page
    assert re.search(
        r'booked <span class="quiet">workshop</span></th><td class="n" data-head="Reached">3<', page
    )
    assert "103 %" not in page, "who began in the month before makes no share of those of this one"
    first = _page(two_shops, tmp_path, "2025-12", "--connection", "roses")
    assert 'class="change"' not in first.partition("</style>")[2]
    before = _page(two_shops, tmp_path, "2025-11", "--connection", "roses")
    assert "Nothing came in in November 2025. Pamosnik was connected on 3 December 2025." in before


@pytest.mark.parametrize(
    ("today", "told", "compared"),
    [
        ("2026-01-15", "1 to 15 January 2026, so far", "1 to 15 December 2025"),
        ("2026-01-01", "1 January 2026, so far", "1 December 2025"),
        ("2026-01-31", "1 to 31 January 2026, so far", "1 to 31 December 2025"),
        ("2026-02-28", "1 to 31 January 2026", "1 to 31 December 2025"),
    ],
)
def test_a_month_that_is_not_over_is_compared_with_the_same_days(
    two_shops: Command, tmp_path: Path, today: str, told: str, compared: str
) -> None:
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(_as_much_every_day)
        conn = database.connection
        now = datetime.fromisoformat(f"{today}T12:00:00Z")
        page = client_page.of_month(conn, accounts.every(conn)[0], "2026-01", now)
    assert f"{told} · days in UTC" in page
    assert f"The percentages compare with {compared}." in page


def _as_much_every_day(conn: Connection) -> None:
    account = accounts.every(conn)[0].id
    for day in ("2025-12-01", "2026-01-01"):
        stats.count(conn, account, "K2", "", "received:comment", day)


def test_a_page_names_posts_without_words_by_their_day_and_no_id(shop: Command, tmp_path: Path) -> None:
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(lambda conn: conn.execute("UPDATE posts SET caption=NULL, posted_at=1767432600000"))
    page = _page(shop, tmp_path, MONTH)
    assert ">Post of 3 January 2026</a>" in page
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(lambda conn: conn.execute("DELETE FROM posts"))
    page = _page(shop, tmp_path, MONTH)
    assert "A post without words" in page
    assert not re.search(r"\bm1\b", page), "Instagram's id says nothing to a client"


def test_a_page_takes_the_place_of_an_earlier_one_and_of_nothing_else(shop: Command, tmp_path: Path) -> None:
    first = _page(shop, tmp_path, "2025-03")
    assert _page(shop, tmp_path, MONTH) != first
    flows = tmp_path / "flows.yaml"
    flows.write_text("version: 1\n", "utf-8")
    said = shop("stats", "--month", MONTH, "--html", str(flows))
    assert said.returncode == 2
    assert f"{flows} is there already, and is no page of Pamosnik's." in said.stderr
    assert flows.read_text("utf-8") == "version: 1\n"
