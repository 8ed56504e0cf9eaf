"""The OpenAPI document is valid, and says of every address what is true of it: each key that it names is there, and
each key that is there is named."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon import api_document
from pamosnik.daemon.api import over_http
from pamosnik.daemon.api_reads import READS
from pamosnik.daemon.api_writes import WRITES
from pamosnik.store import accounts, connections, stats
from tests.daemon.shop import FLOWS
from tests.daemon.site import Site, open_site
from tests.daemon.test_api import TOKEN, settings  # noqa: F401 - the home that both ask

pytestmark = pytest.mark.anyio
DOCUMENT: Any = json.loads(json.dumps(api_document.document()))
BODIES: Mapping[str, object] = {
    "contacts/{id}/tag": {"tags": ["vip"]},
    "contacts/{id}/untag": {"tags": ["vip"]},
    "contacts/{id}/pause": {"for": "2h"},
    "contacts/{id}/resume": None,
    "flows/{id}/pause": None,
    "flows/{id}/resume": None,
    "flows/plan": {"files": {"flows.yaml": FLOWS}},
    "contacts/{id}/forget": {},
}
"""What is asked here, in this order."""


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    names = [one["operationId"] for way in DOCUMENT["paths"].values() for one in way.values()]
    assert len(names) == len(set(names))


def test_every_address_says_what_it_is_for_and_what_it_answers() -> None:
    assert {read.path for read in READS} - set(api_document.READ) == set()
    assert {write.path for write in WRITES} - set(api_document.WRITE) == set()
    assert {name for read in READS for name in read.parameters} - set(api_document.PARAMETERS) == set()
    assert {key for write in WRITES for key in write.keys} - set(api_document.KEYS) == set()


async def test_anybody_may_read_it(settings: Config) -> None:  # noqa: F811
    async with open_site(settings, VirtualClock(datetime.now(UTC))) as site:
        answer = await site.ask("GET", "/api/v1/openapi.json")
        again = await site.ask("GET", "/api/v1/openapi.json", {"if-none-match": answer.headers["etag"]})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body) == DOCUMENT
    assert again.status == 304


async def test_every_answer_is_as_it_says(settings: Config) -> None:  # noqa: F811
    async with open_site(settings, VirtualClock(datetime.now(UTC))) as site:
        await site.writer.write(_links_are_clicked)
        known = await _known(site)
        for read in READS:
            path = read.path.replace("{id}", known.get(read.path.split("/")[0], ""))
            await _agrees(site, "GET", path, read.path)
        for by in DOCUMENT["paths"]["/api/v1/stats"]["get"]["parameters"][0]["schema"]["enum"]:
            (rows,) = (await _agrees(site, "GET", f"stats?by={by}", "stats")).values()
            assert rows, f"of nothing every schema is true: {by}"
        for path, body in BODIES.items():
            await _agrees(site, "POST", path.replace("{id}", known[path.split("/")[0]]), path, body)
        refused = await _ask(site, "GET", "events/nothing")
    OAS31Validator(_closed(DOCUMENT["components"]["schemas"]["Error"])).validate(refused)


def _links_are_clicked(conn: Connection) -> None:
    (one,) = connections.of_account(conn, accounts.every(conn)[0].id)
    for word in ("messages", "people", "clicks", "previews"):
        count = partial(stats.count, conn, one.account_id, one.id, "price", f"{stats.LINK}{word}:prices")
        count(f"{datetime.now(UTC):%Y-%m-%d}", version="v", step="do.0")


REFUSED = (
    ("GET", "events?limit=0", "events", None, 400),
    ("GET", "contacts/@nobody", "contacts/{id}", None, 404),
    ("GET", "stats?connection=nobody", "stats", None, 404),
    ("POST", "contacts/@nobody/tag", "contacts/{id}/tag", {"tags": ["vip"]}, 404),
    ("POST", "contacts/@anna3/tag", "contacts/{id}/tag", {"tags": "vip"}, 400),
    ("POST", "contacts/@anna3/tag", "contacts/{id}/tag", {"tags": ["x" * 100_000]}, 413),
    ("POST", "flows/price/start", "flows/{id}/start", {"contact": "@nobody"}, 409),
    ("POST", "flows/nothing/pause", "flows/{id}/pause", None, 404),
    ("POST", "flows/plan", "flows/plan", {"files": {"a.yaml": "version: 1\nflows: { x: {} }\n"}}, 422),
    ("POST", "flows/apply", "flows/apply", {"files": {"a.yaml": "version: 2"}, "revision": "1"}, 422),
)


@pytest.mark.parametrize(("method", "path", "called", "body", "status"), REFUSED)
async def test_every_refusal_is_described_and_says_what_to_ask_instead(
    settings: Config,  # noqa: F811
    method: str,
    path: str,
    called: str,
    body: object,
    status: int,
) -> None:
    async with open_site(settings, VirtualClock(datetime.now(UTC))) as site:
        answer = await site.ask(method, f"/api/v1/{path}", {"authorization": f"Bearer {TOKEN}"}, None, body)
    assert answer.status == status, answer
    described = DOCUMENT["paths"][f"/api/v1/{called}"][method.lower()]["responses"][str(status)]
    assert described == {"$ref": f"#/components/responses/{status}"}
    schema = DOCUMENT["components"]["responses"][str(status)]["content"]["application/json"]["schema"]
    said = json.loads(answer.body)
    OAS31Validator(_closed(schema)).validate(said)
    assert "pamosnik " not in (said["error"]["hint"] or ""), "whoever asks over HTTP may have no command line"


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        (None, None),
        ("Try: pamosnik contacts list", "Try: GET /api/v1/contacts"),
        ("Try: pamosnik queue list --open", "Try: GET /api/v1/queue?open=true"),
        ("There are: a, b. Try: pamosnik flows list", "There are: a, b. Try: GET /api/v1/flows"),
        ("Try: pamosnik connect", "Try: pamosnik connect"),
    ],
)
def test_hints_name_addresses_where_there_are_some(hint: str | None, told: str | None) -> None:
    assert over_http(hint) == told


async def _known(site: Site) -> Mapping[str, str]:
    """One of everything that has a name."""
    found = {
        noun: (await _ask(site, "GET", noun))[0]["id"] for noun in ("events", "runs", "queue", "contacts")
    }
    return {**found, "flows": "price", "connections": "shop"}


async def _ask(site: Site, method: str, path: str, body: object = None) -> Any:
    answer = await site.ask(method, f"/api/v1/{path}", {"authorization": f"Bearer {TOKEN}"}, None, body)
    return json.loads(answer.body)


async def _agrees(site: Site, method: str, path: str, called: str, body: object = None) -> Any:
    """What it said."""
    operation = DOCUMENT["paths"][f"/api/v1/{called}"][method.lower()]
    schemas = [
        answer["content"]["application/json"]["schema"]
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    assert len(schemas) == 1, called
    said = await _ask(site, method, path, body)
    told = [f"{called}: {error.message}" for error in OAS31Validator(_closed(schemas[0])).iter_errors(said)]
    assert told == []
    return said


def _closed(schema: Any) -> Any:
    """With every reference followed, and no keys but those it names."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _closed(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "allOf" in schema:
        parts = [_closed(one) for one in schema["allOf"]]
        properties = {name: one for part in parts for name, one in part["properties"].items()}
        return _closed({"type": "object", "properties": properties, "required": list(properties)})
    closed = {name: _closed(value) for name, value in schema.items()}
    if "properties" in schema:
        closed["additionalProperties"] = False
    return closed


def _schemas(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for one in value.values():
            yield from _schemas(one)
    elif isinstance(value, list):
        for one in value:
            yield from _schemas(one)


def test_nothing_is_described_that_no_address_answers() -> None:
    assert set(_schemas(DOCUMENT)) >= set(DOCUMENT["components"]["schemas"])
