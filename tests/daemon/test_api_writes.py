"""What programs change over `/api/v1/`: as the commands do it, and nothing half."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.store import accounts, api_tokens
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import open_database
from tests.daemon import events
from tests.daemon.machine import home_and_fake, running
from tests.daemon.site import Answer, Site, open_site

pytestmark = pytest.mark.anyio
TOKEN = "pamo_of-this-test"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Anna has written; and a token of the account."""

    async def fill(folder: Path) -> Config:
        async with home_and_fake(folder) as (settings, fake), running(settings, fake) as shop:
            await shop.deliver(events.talk(events.message("900", "hello")))
            await shop.works()
            return settings

    settings = asyncio.run(fill(tmp_path_factory.mktemp("api")))
    with open_database(settings.database) as database:
        now = datetime.now(UTC)
        token = ApiToken(new_id(now), accounts.every(database.connection)[0].id, "test", now, None)
        api_tokens.insert(database.connection, token, tokens.token_hash(TOKEN))
    return settings


def _site(settings: Config) -> Any:
    return open_site(settings, VirtualClock(datetime.now(UTC)))


async def _post(site: Site, path: str, body: object = None, **headers: str) -> Answer:
    bearer = {"authorization": f"Bearer {TOKEN}", **headers}
    return await site.ask("POST", f"/api/v1/contacts/{path}", bearer, body=body)


async def _done(site: Site, path: str, body: object = None) -> Any:
    answer = await _post(site, path, body)
    assert answer.status == 200, answer
    assert answer.headers["cache-control"] == "no-store"
    return json.loads(answer.body)


async def test_a_program_corrects_what_is_kept_of_somebody(settings: Config) -> None:
    async with _site(settings) as site:
        assert (await _done(site, "900/tag", {"tags": ["vip", "new"]}))["tags"] == ["new", "vip"]
        assert not (await _done(site, "900/tag", {"tags": ["vip"]}))["changed"]
        assert (await _done(site, "900/untag", {"tags": ["new"]}))["tags"] == ["vip"]
        assert (await _done(site, "900/set", {"field": "size", "value": "large"}))["fields"] == {
            "size": "Large"
        }
        assert (await _done(site, "900/set", {"field": "size", "value": None}))["fields"] == {}
        assert (await _done(site, "900/pause", {"for": "2h"}))["paused_until"] is not None
        done = await _done(site, "900/resume")
        assert done["paused_until"] is None
        read = await site.ask("GET", "/api/v1/contacts/900", {"authorization": f"Bearer {TOKEN}"})
        assert {**json.loads(read.body), "changed": True} == done
        rows = site.reader.connection.execute(
            "SELECT DISTINCT action FROM audit WHERE actor='api'"
        ).fetchall()
        words = ("tag", "untag", "set", "unset", "pause", "resume")
        assert {action for (action,) in rows} == {f"contacts {word}" for word in words}


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("nobody/tag", {"tags": ["vip"]}, 404, "No contact is known by nobody."),
        ("900/tag", None, 400, "The key tags has to be an array of texts."),
        ("900/tag", {"tags": "vip"}, 400, "The key tags has to be an array of texts."),
        ("900/tag", {"tags": []}, 400, "One tag is needed"),
        ("900/tag", {"tags": ["a b"]}, 400, "is no tag"),
        ("900/tag", {"tag": ["vip"]}, 400, "knows no key tag."),
        ("900/tag", ["vip"], 400, "no JSON object"),
        ("900/set", {"field": "size"}, 400, "The key value is missing."),
        ("900/set", {"field": "size", "value": "huge"}, 400, "is a choice"),
        ("900/set", {"field": "size", "value": True}, 400, "has to be a text"),
        ("900/set", {"field": "size", "value": "\0"}, 400, "cannot be stored"),
        ("900/pause", {"for": "ever"}, 400, "no length of time"),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    settings: Config, path: str, body: object, status: int, told: str
) -> None:
    async with _site(settings) as site:
        answer = await _post(site, path, body)
        assert answer.status == status, answer
        assert told in json.loads(answer.body)["error"]["message"]
        answer = await site.ask("GET", f"/api/v1/contacts/{path}", {"authorization": f"Bearer {TOKEN}"})
        assert answer.status == 405


async def test_a_body_that_is_no_json(settings: Config) -> None:
    async with _site(settings) as site:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        answer = await site.ask("POST", "/api/v1/contacts/900/tag", bearer, form={"tags": "vip"})
        assert (answer.status, b"Content-Type: application/json" in answer.body) == (400, True)
        for text in ("{", "[" * 50_000, '{"tags": ["\\ud800"]}', "1" * 5000):
            async with site.session.post(
                f"{site.address}/api/v1/contacts/900/tag",
                data=text,
                headers={**bearer, "content-type": "application/json; charset=utf-8"},
            ) as said:
                assert said.status == 400, text[:20]


async def test_a_person_is_forgotten_once(settings: Config) -> None:
    async with _site(settings) as site:
        answer = await _post(site, "900/forget", {"connection": "nobodys"})
        assert answer.status == 409
        assert "known to these connections: shop" in json.loads(answer.body)["error"]["message"]
        begun = await _post(site, "900/forget")
        assert begun.status == 202
        receipt = json.loads(begun.body)
        assert (receipt["scope"], receipt["cause"], receipt["ended_at"]) == ("person", "api", None)
        assert json.loads((await _post(site, "900/forget")).body)["id"] == receipt["id"]
        assert (await _post(site, "900/tag", {"tags": ["vip"]})).status == 409
        assert (await _post(site, "somebody/forget")).status == 404
