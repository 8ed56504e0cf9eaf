"""`/api/v1/` says what `--json` says, to whoever brings a token of the account, part by part."""

import asyncio
import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from pamosnik import cli
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.api_reads import AT_MOST, NEWEST, READS
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.store import accounts, api_tokens
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import open_database
from tests.daemon import events
from tests.daemon.machine import home_and_fake, running
from tests.daemon.shop import FLOWS
from tests.daemon.site import Answer, Site, logged_in, open_site

pytestmark = pytest.mark.anyio
TOKEN = "pamo_of-this-test"
PEOPLE = 12


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A home where some people have commented and answered; and a token of its account."""

    async def fill(folder: Path) -> Config:
        async with home_and_fake(folder) as (settings, fake), running(settings, fake) as shop:
            comments = [events.comment(f"90{n}", "price", username=f"anna{n}") for n in range(PEOPLE)]
            await shop.deliver(*(events.change(one) for one in comments))
            await shop.works()
            await shop.deliver(events.talk(events.message("900", "size")))
            await shop.works()
            return settings

    settings = asyncio.run(fill(tmp_path_factory.mktemp("api")))
    with open_database(settings.database) as database:
        _make_token(database.connection, TOKEN)
    return settings


def _make_token(conn: Any, text: str) -> ApiToken:
    now = datetime.now(UTC)
    token = ApiToken(new_id(now), accounts.every(conn)[0].id, text, now, None)
    api_tokens.insert(conn, token, tokens.token_hash(text))
    return token


def _site(settings: Config) -> Any:
    return open_site(settings, VirtualClock(datetime.now(UTC)))


async def _get(site: Site, path: str, token: str | None = TOKEN, **headers: str) -> Answer:
    bearer = {} if token is None else {"authorization": f"Bearer {token}"}
    return await site.ask("GET", f"/api/v1/{path}", {**bearer, **headers})


async def _read(site: Site, path: str) -> Any:
    answer = await _get(site, path)
    assert answer.status == 200, (path, answer)
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.body)


@pytest.fixture
def command(settings: Config, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command prints with `--json`."""
    monkeypatch.setenv("PAMOSNIK_HOME", str(settings.home))

    def run(*arguments: str) -> Any:
        with redirect_stdout(io.StringIO()) as out:
            assert cli.run([*arguments, "--json"]) == 0, arguments
        return json.loads(out.getvalue())

    return run


async def test_each_address_says_what_its_command_says(settings: Config, command: Any) -> None:
    seen = {}
    async with _site(settings) as site:
        for noun in ("events", "runs", "queue", "contacts"):
            rows = command(noun, "list")
            assert await _read(site, noun) == rows
            seen[noun] = rows[0]["id"]
        for noun in ("events", "runs", "contacts"):
            assert await _read(site, f"{noun}/{seen[noun]}") == command(noun, "show", seen[noun])
        assert await _read(site, f"queue/{seen['queue']}") == command("queue", "list")[0]
        assert await _read(site, f"events/{seen['events']}/why") == command("why", seen["events"])
        assert await _read(site, "contacts/@anna3") == command("contacts", "show", "@anna3")
        assert await _read(site, "flows") == command("flows", "list")
        assert await _read(site, "flows/price") == command("flows", "show", "price")
        assert await _read(site, "stats") == command("stats")
        assert await _read(site, "stats?flow=size&since=7d") == command("stats", "--flow", "size")
        for by in ("day", "post", "step", "link"):
            assert await _read(site, f"stats?by={by}&connection=shop") == command("stats", "--by", by), by
        assert await _read(site, "flows/price/history") == command("flows", "history", "price")
        assert await _read(site, "connections") == command("connections", "list")
        assert await _read(site, "connections/shop") == command("connections", "show", "shop")
        told, said = await _read(site, "status"), command("status")
        told.pop("daemon"), said.pop("daemon")
        said["problems"] = [one for one in said["problems"] if one["code"] != "daemon_not_running"]
        assert {**told, "healthy": None} == {**said, "healthy": None}
        account = await _read(site, "account")
        assert [account] == command("accounts", "list")
        assert (account["name"], account["timezone"]) == ("Rosa", "Europe/Warsaw")
        assert await _read(site, "account/history?limit=3") == command("accounts", "history", "--limit", "3")
        assert await _read(site, "retention") == command("retention", "show")
        asked = {"status", "retention", "account", "flows", "stats", "connections", *seen}
        assert {read.path.split("/")[0] for read in READS} == asked


WHO = "@anna4"
CHANGES = (
    ("contacts/{who}/tag", {"tags": ["vip"]}, ("contacts", "tag", WHO, "vip")),
    ("contacts/{who}/untag", {"tags": ["vip"]}, ("contacts", "untag", WHO, "vip")),
    ("contacts/{who}/set", {"field": "size", "value": "large"}, ("contacts", "set", WHO, "size", "large")),
    ("contacts/{who}/pause", {"for": "2h"}, ("contacts", "pause", WHO, "--for", "2h")),
    ("contacts/{who}/resume", None, ("contacts", "resume", WHO)),
    ("flows/price/pause", None, ("flows", "pause", "price")),
    ("flows/price/resume", None, ("flows", "resume", "price")),
    ("flows/plan", {"files": {"flows.yaml": FLOWS}}, ("flows", "diff", "flows.yaml")),
)


async def test_each_change_says_what_its_command_says(settings: Config, command: Any) -> None:
    """Done over the API, and once more by the command: all is so already, and `changed` alone differs. One after the
    other, for each undoes the one before."""
    (settings.home / "flows.yaml").write_text(FLOWS, "utf-8")
    bearer = {"authorization": f"Bearer {TOKEN}"}
    async with _site(settings) as site:
        for path, body, words in CHANGES:
            typed = (str(settings.home / word) if word == "flows.yaml" else word for word in words)
            answer = await site.ask("POST", f"/api/v1/{path.format(who=WHO)}", bearer, body=body)
            assert answer.status == 200, (path, answer)
            told, said = json.loads(answer.body), command(*typed)
            if "plan" in path:
                assert {*told} == {*said} - {"peaks"} | {"revision", "problems"}
                assert told["changes"] == said["changes"]
                continue
            (said,) = said if isinstance(said, list) else [said]
            assert {*told} == {*said}, path
            moves = {"changed", "paused_until", "paused_by", "paused_at"} if "pause" in path else {"changed"}
            same = {*told} - moves
            assert {key: told[key] for key in same} == {key: said[key] for key in same}, path
            assert (told["changed"], said["changed"]) == (True, False) or "pause" in path, path


@pytest.mark.parametrize("noun", ["events", "runs", "queue", "contacts"])
async def test_a_long_list_is_read_part_by_part(settings: Config, noun: str) -> None:
    async with _site(settings) as site:
        whole = await _read(site, f"{noun}?limit={AT_MOST}")
        assert len(whole) >= PEOPLE
        path: str | None = f"{noun}?limit=5&since=1d"
        parts = []
        while path is not None:
            answer = await _get(site, path)
            part = json.loads(answer.body)
            assert 1 <= len(part) <= 5
            parts.append(part)
            link = answer.headers.get("link")
            path = None if link is None else link.removeprefix("</api/v1/").removesuffix('>; rel="next"')
        assert [row for part in parts for row in part] == whole


async def test_open_means_what_has_not_ended(settings: Config) -> None:
    async with _site(settings) as site:
        items = await _read(site, "queue")
        waiting = [one for one in items if one["status"] in ("queued", "held", "sending", "unknown")]
        assert await _read(site, "queue?open=true") == waiting
        assert await _read(site, "queue?open=false") == items


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("events?limit=0", "limit 0 is no number from 1 to 1000."),
        ("events?limit=1001", "limit 1001 is no number from 1 to 1000."),
        ("events?limit=-1", "limit -1 is no number from 1 to 1000."),
        ("events?limit=%D9%A3", "limit ٣ is no number from 1 to 1000."),
        (f"events?limit={'9' * 5000}", f"limit {'9' * 5000} is no number from 1 to 1000."),
        ("events?limit=", "limit  is no number from 1 to 1000."),
        ("events?since=soon", "since soon is no time."),
        ("events?since=999999d", "since 999999d is no time."),
        ("stats?until=999999d", "until 999999d is no day."),
        ("stats?by=week", "by week is none of day, post, step, link."),
        ("stats?by=post&flow=price", "Posts are counted over all flows."),
        ("stats?since=2026-13-01", "since 2026-13-01 is no day."),
        ("events?before=x", "before x is no place in this list."),
        ("runs?before=%27OR%201", "before 'OR 1 is no place in this list."),
        ("queue?before=01JZZZZZZZZZZZZZZZZZZZZZZZ", None),
        ("contacts?before=1-2", "before 1-2 is no place in this list."),
        ("queue?open=1", "open 1 is neither true nor false."),
        ("events?limit=1&limit=2", "The parameter limit is given twice."),
        ("status?limit=1", "/api/v1/status knows no parameter limit."),
        (f"events?token={TOKEN}", "/api/v1/events knows no parameter token."),
    ],
)
async def test_bad_parameters(settings: Config, path: str, message: str | None) -> None:
    async with _site(settings) as site:
        answer = await _get(site, path)
    error = json.loads(answer.body)["error"]
    assert answer.status == 400, answer
    assert set(error) == {"message", "hint"}
    assert message in (None, error["message"])


async def test_what_is_not_there(settings: Config) -> None:
    async with _site(settings) as site:
        for noun, what in (
            ("events", "event"),
            ("runs", "run"),
            ("queue", "queue item"),
            ("contacts", "contact"),
        ):
            answer = await _get(site, f"{noun}/NOTHING")
            assert answer.status == 404
            error = {"message": f"No {what} is known by NOTHING.", "hint": f"Try: GET /api/v1/{noun}"}
            assert json.loads(answer.body) == {"error": error}
        for path in (
            "flows/nothing",
            "connections/nobody",
            "stats?flow=nothing",
            "nothing",
            "events/a/b",
            "",
        ):
            answer = await _get(site, path)
            assert answer.status == 404
            assert set(json.loads(answer.body)) == {"error"}
        answer = await site.ask("POST", "/api/v1/events", {"authorization": f"Bearer {TOKEN}"})
        assert (answer.status, answer.headers["allow"]) in ((405, "GET, HEAD"), (405, "HEAD, GET"))
        assert "docs/api.md" in json.loads(answer.body)["error"]["hint"]
        answer = await _get(site, "stats?flow=nothing")
        assert json.loads(answer.body)["error"]["hint"] == "Try: GET /api/v1/flows"


async def test_only_a_token_opens_it_and_only_in_the_header(settings: Config) -> None:
    async with _site(settings) as site:
        cookie, bearer = await logged_in(site), ("authorization", f"Bearer {TOKEN}")
        refused = [
            await _get(site, "events", None),
            await _get(site, "events", "pamo_made-up"),
            await _get(site, "events", ""),
            await _get(site, f"events?access_token={TOKEN}", None),
            await _get(site, "events", None, cookie=cookie),
            await _get(site, "events", None, authorization=f"Basic {TOKEN}"),
            await _get(site, "events", None, authorization=TOKEN),
            await _get(site, "events", None, cookie=f"pamosnik_session={TOKEN}"),
            await site.ask("GET", "/api/v1/events", CIMultiDict([bearer, bearer])),
        ]
        for answer in refused:
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith('Bearer realm="Pamosnik"')
            assert set(json.loads(answer.body)["error"]) == {"message", "hint"}
        assert (await site.ask("GET", "/", {"cookie": cookie})).status == 200
        assert (await site.ask("GET", "/", {"authorization": f"Bearer {TOKEN}"})).status == 303


async def test_a_revoked_token_opens_nothing_from_then_on(settings: Config) -> None:
    async with _site(settings) as site:
        made = await site.writer.write(partial(_make_token, text="pamo_short-lived"))
        assert (await _get(site, "account", "pamo_short-lived")).status == 200
        await site.writer.write(partial(api_tokens.revoke, account_id=made.account_id, token_id=made.id))
        assert (await _get(site, "account", "pamo_short-lived")).status == 401


async def test_its_use_is_noted_at_most_once_a_minute(settings: Config) -> None:
    clock = VirtualClock(datetime.now(UTC))
    async with open_site(settings, clock) as site:
        await site.writer.write(partial(_make_token, text="pamo_noted"))

        async def noted(later: timedelta) -> datetime | None:
            clock.move_to(clock.now() + later)
            await _get(site, "account", "pamo_noted")
            found = api_tokens.by_hash(site.reader.connection, tokens.token_hash("pamo_noted"))
            assert found is not None
            return found.last_used_at

        first = await noted(timedelta())
        assert first is not None
        assert await noted(timedelta(seconds=50)) == first
        again = await noted(timedelta(seconds=20))
        assert again is not None
        assert again > first


async def test_readiness_has_details_for_a_token_alone(settings: Config) -> None:
    async with _site(settings) as site:
        assert (await site.ask("GET", "/readyz")).body == b'{"ready":true}'
        assert (await site.ask("GET", "/readyz", {"authorization": "Bearer x"})).body == b'{"ready":true}'
        answer = await site.ask("GET", "/readyz", {"authorization": f"Bearer {TOKEN}"})
        queue = (await _read(site, "status"))["queue"]
    assert json.loads(answer.body) == {
        "ready": True,
        "not_ready": [],
        "queue": {name: queue[name] for name in ("queued", "sending", "unknown", "held")},
        "events": {"pending": 0},
        "connections": {"active": 1, "needs_login": 0, "blocked": 0, "disconnected": 0},
    }


def test_the_newest_fifty_come_without_a_limit() -> None:
    assert (NEWEST, AT_MOST) == (50, 1000)
