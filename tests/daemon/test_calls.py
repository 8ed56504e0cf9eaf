"""`call`: a flow asks a service and goes on with what it answers, whatever that is."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from pamosnik.daemon.doers import Outside, doers
from pamosnik.model.outbox import ItemKind
from pamosnik.services import errands, sending
from pamosnik.services.reading import numbers
from pamosnik.store import accounts, contacts, people
from tests.daemon import events
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import free_port

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
fields: {{ guests: number, day: date, size: {{ type: choice, choices: [Small, Large] }}, note: text }}
webhooks:
  crm: {{ url: "http://127.0.0.1:{port}/crm", secret_from: FLOW_CRM_KEY, allow_private: true }}
  far: {{ url_from: FLOW_FAR }}
flows:
  ask:
    when: [dm: ask]
    do:
      - set: {{ guests: "3" }}
      - call:
          webhook: crm
          save: {{ guests: customer.guests, day: customer.day, size: sizes.0, discount: discount }}
          if_it_fails: [{{ send: "Later." }}, stop]
      - send: "{{guests|?}} {{day|?}} {{size|?}} {{discount|none}}"
      - wait: 1h
      - send: "Still {{discount|none}}"
  own:
    when: [dm: own]
    do:
      - call: {{ webhook: crm, method: PUT, send: {{ n: 4, yes: true, who: "{{username|?}}", all: ["{{text|?}}"] }} }}
      - call: {{ webhook: crm, method: GET, send: [text] }}
      - call: {{ webhook: crm, send: [note, text] }}
      - send: Done.
  far:
    when: [dm: far]
    do:
      - call: {{ webhook: far, if_it_fails: [{{ send: "Nobody there." }}] }}
"""


@dataclass
class Crm:
    """The service."""

    port: int
    answers: list[tuple[int, object]] = field(default_factory=list)
    """Status and JSON, one after the other; then 200 and nothing."""
    asked: list[tuple[str, Mapping[str, str], str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((f"{request.method} {request.path_qs}", request.headers, await request.text()))
        status, said = self.answers.pop(0) if self.answers else (200, {})
        return web.Response(status=status, text=said if isinstance(said, str) else json.dumps(said))


@asynccontextmanager
async def shop_with_crm(folder: Path, **environ: str) -> AsyncIterator[tuple[Machine, Crm]]:
    crm = Crm(free_port())
    app = web.Application()
    app.router.add_route("*", "/crm", crm.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", crm.port).start()
    reached = Outside(environ={"FLOW_CRM_KEY": "sesame", **environ}.get)
    try:
        async with machine(folder, FLOWS.format(port=crm.port), reached=reached) as shop:
            yield shop, crm
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """For `flows apply`, which looks whether they are set."""
    monkeypatch.setenv("FLOW_CRM_KEY", "sesame")
    monkeypatch.setenv("FLOW_FAR", "https://127.0.0.1:1/")


async def _writes(shop: Machine, text: str, who: str = "9001") -> None:
    await shop.deliver(events.talk(events.message(who, text)))
    await shop.works()


def _said(shop: Machine) -> list[str]:
    rows = shop.reader.connection.execute("SELECT content FROM outbox WHERE kind='message' ORDER BY seq")
    return [json.loads(content)["text"] for (content,) in rows]


GOOD = {"customer": {"guests": 12.50, "day": "2026-12-24T09:00:00Z"}, "sizes": ["large"], "discount": "5%"}


async def test_it_asks_saves_and_goes_on(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(201, GOOD)]
        await _writes(shop, "ask")
        assert _said(shop) == ["12.5 2026-12-24 Large 5%"]
        [(line, headers, body)] = crm.asked
        assert line == "POST /crm"
        sent = json.loads(body)
        assert (sent["flow"], sent["connection"]) == ("ask", "shop")
        assert sent["contact"] == {"username": None, "igsid": "9001", "name": None, "tags": []}
        assert sent["fields"] == {"guests": "3", "day": None, "size": None, "note": None}
        assert {"event_id", "run"} <= set(sent)
        assert headers["Pamosnik-Signature"].startswith("t=")
        [item] = [item for item in shop.queue() if item["kind"] == "call"]
        assert headers["Pamosnik-Id"] == item["id"]
        assert item["status"] == "sent"
        await shop.later(hours=1)
        assert _said(shop)[-1] == "Still 5%", "a variable lasts as long as the run"


async def test_a_call_that_fails_counts_its_run(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(404, {})]
        await _writes(shop, "ask")
        assert _said(shop) == ["Later."]
        conn = shop.reader.connection
        (counted,) = numbers.by_flow(conn, accounts.every(conn)[0], flow="ask")
        assert counted.counts["failed"] == 1


async def test_what_send_says_and_where_it_goes(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        await _writes(shop, "own")
        put, get, post = crm.asked
        assert put[0] == "PUT /crm"
        assert json.loads(put[2]) == {"n": 4, "yes": True, "who": "?", "all": ["own"]}
        assert (get[0], get[2]) == ("GET /crm?text=own", "")
        assert json.loads(post[2])["fields"] == {"note": None, "text": "own"}
        assert _said(shop) == ["Done."]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}), "it answers 404"),
        ((302, {}), "it answers 302, a redirect, which is not followed"),
        ((200, "no json"), "its answer is no JSON"),
        ((200, "[" * 100_000), "its answer is no JSON"),
        ((200, {**GOOD, "discount": [1]}), "`discount` in its answer is no single value"),
    ],
)
async def test_what_cannot_be_used_fails_at_once(
    tmp_path: Path, answer: tuple[int, object], reason: str
) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [answer]
        await _writes(shop, "ask")
        assert _said(shop) == ["Later."]
        assert len(crm.asked) == 1
        assert shop.reasons()["call"] == reason


@pytest.mark.parametrize(
    "wrong",
    [
        {**GOOD, "customer": {"guests": "many", "day": "2026-12-24"}},
        {**GOOD, "customer": {"guests": 1e30, "day": "2026-12-24"}},
        {**GOOD, "customer": {"guests": 1, "day": "24.12.2026"}},
        {**GOOD, "customer": {"guests": "\u0661\u0662", "day": "2026-12-24"}},
        {**GOOD, "customer": {"guests": 1, "day": "٢٠٢٦-12-24"}},
        {**GOOD, "sizes": ["huge"]},
        {**GOOD, "discount": "x" * 1001},
    ],
)
async def test_what_does_not_fit_saves_nothing(tmp_path: Path, wrong: object) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(200, wrong)]
        await _writes(shop, "ask")
        assert _said(shop) == ["Later."]
        conn = shop.reader.connection
        [person] = [contacts.load(conn, one) for one in people.newest(conn, _account(shop), limit=None)]
        assert person is not None
        assert person.fields == {"guests": "3"}


def _account(shop: Machine) -> str:
    ((account_id,),) = shop.reader.connection.execute("SELECT account_id FROM accounts").fetchall()
    return str(account_id)


async def test_halves_of_letters_and_nul_do_not_break_it(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(200, json.dumps({"discount": "5\ud800\x00%"}))]
        await _writes(shop, "ask")
        assert _said(shop) == ["? ? ? 5?\ufffd%"]


async def test_what_is_not_there_empties_the_field(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(200, {"customer": {"guests": None}})]
        await _writes(shop, "ask")
        assert _said(shop) == ["? ? ? none"]


async def test_it_is_repeated_three_times_with_the_same_id(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(500, {}), (503, {}), (500, {}), (200, GOOD)]
        await _writes(shop, "ask")
        assert (len(crm.asked), _said(shop)) == (1, [])
        await shop.later(seconds=30)
        assert len(crm.asked) == 4
        assert len({headers["Pamosnik-Id"] for _, headers, _ in crm.asked}) == 1
        assert len({body for _, _, body in crm.asked}) == 1
        assert _said(shop) == ["12.5 2026-12-24 Large 5%"]
        assert shop.problems_of("webhook_failing") == []


async def test_the_owner_hears_of_a_service_that_is_down_until_it_answers(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(500, {})] * 4
        await _writes(shop, "ask")
        await shop.later(seconds=30)
        assert _said(shop) == ["Later."]
        assert shop.problems_of("webhook_failing") == ["The webhook crm fails: it answers 500."]
        await _writes(shop, "own", "9002")
        assert shop.problems_of("webhook_failing") == []


async def test_private_addresses_and_missing_variables(tmp_path: Path) -> None:
    for value, reason in (
        ("https://127.0.0.1:1/", "its address is in a private network, and `allow_private` is not set"),
        (" ", "FLOW_FAR is not set in the environment of `pamosnik serve`"),
    ):
        async with shop_with_crm(tmp_path / str(len(value)), FLOW_FAR=value) as (shop, _):
            await _writes(shop, "far")
            assert _said(shop) == ["Nobody there."]
            assert shop.reasons()["call"] == reason
            assert shop.problems_of("webhook_failing") == [f"The webhook far fails: {reason}."]


async def test_after_a_crash_it_asks_again_with_the_same_id(tmp_path: Path) -> None:
    async with shop_with_crm(tmp_path) as (shop, crm):
        crm.answers = [(200, GOOD), (200, GOOD)]
        await shop.deliver(events.talk(events.message("9001", "ask")))
        await shop.runner.round()
        now = shop.clock.now()
        claim = partial(errands.claim, kind=ItemKind.CALL, limit=9, now=now)
        (item,) = await shop.writer.write(lambda conn: claim(conn))
        reached = Outside(environ={"FLOW_CRM_KEY": "sesame"}.get)
        [doer] = [one for one in doers(shop.tools, reached) if one.kind is ItemKind.CALL]
        await doer.do(item)  # it has answered, and the process ends before that is stored
        await shop.writer.write(partial(sending.found_after_crash, now=now))
        await shop.works()
        assert [headers["Pamosnik-Id"] for _, headers, _ in crm.asked] == [item.id, item.id]
        assert _said(shop) == ["12.5 2026-12-24 Large 5%"]


async def test_what_is_sent_and_answered_is_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with shop_with_crm(tmp_path, FLOW_FAR="https://hidden.invalid/path") as (shop, crm):
        crm.answers = [(200, {**GOOD, "discount": "Żółw"}), *[(500, {})] * 4]
        await _writes(shop, "ask")
        await _writes(shop, "far", "9002")
        await asyncio.sleep(0)
        for word in ("Żółw", "sesame", "hidden.invalid"):
            assert word not in caplog.text
