"""The pages of the flows over real HTTP: their numbers, the picture, versions, pausing; and flows over the API."""

import asyncio
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.visitors import CSRF_FIELD, csrf_token
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.services import flows as flow_services
from pamosnik.services.reading import flow_steps
from pamosnik.services.reading.flow_steps import FlowSteps
from pamosnik.store import accounts, api_tokens, connections, migrations, outbox, sessions, stats
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import open_database
from pamosnik.store.sessions import Session
from tests.daemon import events
from tests.daemon.front_desk import front_desk
from tests.daemon.machine import home_and_fake, running
from tests.daemon.site import Answer, Site, open_site
from tests.daemon.talk import Talk

pytestmark = pytest.mark.anyio
TOKEN, SESSION = "pamo_of-this-test", "session-of-this-test"
FLOWS = """
version: 1
disclosure: false
flows:
  list:
    title: "Send the <list> & ask"
    when: [dm: list]
    do:
      - send:
          text: "Shall I send it?"
          buttons:
            - label: "Yes <please>"
              do:
                - ask: { question: "For which day?" }
                - send: "Noted."
            - label: "Later"
              do: [{ run: other }]
  other:
    when: [dm: other]
    limits: { per_person: once }
    do: [send: "Hello"]
"""
CHANGED = FLOWS.replace("Shall I send it?", "May I send it?")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Five came into the flow: two tapped, one of them answered. Somebody is logged in, and has a token."""

    async def fill(folder: Path) -> Config:
        async with home_and_fake(folder, FLOWS) as (settings, fake), running(settings, fake) as shop:
            for number in range(5):
                await shop.deliver(events.talk(events.message(f"90{number}", "list")))
                await shop.works()
                if number < 2:
                    payload = fake.sent[-1].buttons["Yes <please>"]
                    await shop.deliver(events.talk(events.button_tap(f"90{number}", "Yes <please>", payload)))
                    await shop.works()
            await shop.deliver(events.talk(events.message("900", "Monday")))
            await shop.works()
            return settings

    settings = asyncio.run(fill(tmp_path_factory.mktemp("flows")))
    with open_database(settings.database) as database:
        now, conn = datetime.now(UTC), database.connection
        account_id = accounts.every(conn)[0].id
        token = ApiToken(new_id(now), account_id, "test", now, None)
        api_tokens.insert(conn, token, tokens.token_hash(TOKEN))
        session = Session(new_id(now), account_id, "", now, now, now + timedelta(days=1))
        sessions.open_session(conn, tokens.token_hash(SESSION), session)
    return settings


@pytest.fixture
def own(settings: Config, tmp_path: Path) -> Config:
    """A copy of that home, for what changes its numbers or flows."""
    shutil.copytree(settings.home, tmp_path / "home")
    return config.load({"home": str(tmp_path / "home"), "meta_url": settings.meta_url}, environ={})


def _site(settings: Config) -> Any:
    return open_site(settings, VirtualClock(datetime.now(UTC)))


async def _page(site: Site, path: str, status: int = 200) -> str:
    answer = await site.ask("GET", path, {"cookie": f"pamosnik_session={SESSION}"})
    assert answer.status == status, answer
    return answer.body.decode()


async def _send(site: Site, path: str, **form: str) -> Answer:
    sent = {CSRF_FIELD: csrf_token(SESSION), **form}
    return await site.ask("POST", path, {"cookie": f"pamosnik_session={SESSION}"}, form=sent)


async def _api(site: Site, method: str, path: str, body: object = None) -> tuple[int, Any]:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    answer = await site.ask(method, f"/api/v1/flows{path}", bearer, body=body)
    return answer.status, json.loads(answer.body)


def _steps(settings: Config, flow: str = "list") -> FlowSteps:
    with open_database(settings.database) as database:
        conn = database.connection
        account = accounts.every(conn)[0]
        version = conn.execute("SELECT version FROM flows WHERE flow_id=?", (flow,)).fetchone()[0]
        return flow_steps.of_version(conn, account, flow, version)


def _said(text: str) -> str:
    """What a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


# --- numbers ---------------------------------------------------------------------------------------------


async def test_the_list_has_the_numbers_of_each_flow(settings: Config) -> None:
    async with _site(settings) as site:
        text = await _page(site, "/flows?days=all")
        assert "Send the &lt;list&gt; &amp; ask" in text
        (row,) = re.findall(r"<tr><td><a href=\"/flows/list.*?</tr>", text, re.DOTALL)
        assert re.findall(r"<td data-label=\"([^\"]+)\">([^<]*)</td>", row) == [
            ("in it now", "4"),
            *(("started", "5"), ("sent", "5"), ("clicked", "2"), ("replied", "2"), ("completed", "1")),
            ("share", "20 %"),
        ]


def test_each_step_knows_who_came_who_waits_and_who_went_no_further(settings: Config) -> None:
    found = _steps(settings)
    (first,) = found.steps
    assert (found.came_in, first.reached, first.share, first.here) == (5, 5, 1.0, 3)
    # Two have tapped, and the others may still.
    assert first.lost == 0
    ask, noted = first.ways[0].steps
    assert [(one.reached, one.share, one.here, one.lost) for one in (ask, noted)] == [
        (2, 0.4, 1, 0),
        (1, 0.2, 0, None),
    ]
    assert first.ways[1].steps[0].leads_to == "other"


async def test_a_flow_is_drawn_with_the_numbers_of_its_steps(settings: Config) -> None:
    async with _site(settings) as site:
        text = await _page(site, "/flows/list?days=all")
        drawn = text[text.index('<svg xmlns="http://www.w3.org/2000/svg" class="pamosnik-flow"') :]
        drawn = drawn[: drawn.index("</svg>")]
        assert "5 · 100 % · 3 here now" in drawn
        assert "2 · 40 % · 1 here now" in drawn
        assert "Yes &lt;please&gt;" in drawn
        said = _said(text)
        assert "5 came here, 100 % · 3 here now" in said
        assert "style=" not in text
        assert "<style" not in text
        assert re.findall("<script[^>]*>", text) == ['<script src="/live.js" defer>']
        assert (await site.ask("GET", "/flow.css")).headers["content-type"].startswith("text/css")
        assert "Nobody came into this version on these days." not in said
        # On another day nothing was counted.
        other = _said(await _page(site, "/flows/other?days=1"))
        assert "Nobody came into this version on these days." in other


async def test_what_is_no_flow_or_version_is_no_page(settings: Config) -> None:
    async with _site(settings) as site:
        for path in (
            "/flows/nothing",
            "/flows/list/versions/0000",
            "/flows/nothing/pause",
            "/flows/list/versions/",
        ):
            await _page(site, path, 404)
        assert (await _send(site, "/flows/nothing/pause")).status == 404


# --- pausing ---------------------------------------------------------------------------------------------


async def test_a_flow_is_paused_and_resumed_on_its_page(settings: Config) -> None:
    async with _site(settings) as site:
        before = _said(await _page(site, "/flows/other/pause"))
        assert "Nobody is in it now." in before
        assert "Other flows lead to it: list." in before
        assert "4 people are in it now" in _said(await _page(site, "/flows/list/pause"))
        for _ in range(2):
            done = await _send(site, "/flows/other/pause")
            assert (done.status, done.headers["location"]) == (303, "/flows/other?told=paused")
        after = _said(await _page(site, "/flows/other?told=paused"))
        assert "The flow is paused" in after
        assert "paused on this page" in after
        assert "paused on this page" in _said(await _page(site, "/flows"))
        done = await _send(site, "/flows/other/resume")
        assert done.headers["location"] == "/flows/other?told=resumed"
        assert "paused on this page" not in _said(await _page(site, "/flows/other"))
        assert _noted(site, "page") == [("flows pause", "other"), ("flows resume", "other")]


def _noted(site: Any, actor: str) -> list[tuple[str, str | None]]:
    """(action, subject) of what the audit has of this actor."""
    rows = site.reader.connection.execute("SELECT action, subject FROM audit WHERE actor=?", (actor,))
    return list(rows.fetchall())


# --- the API ---------------------------------------------------------------------------------------------


async def test_steps_and_history_over_the_api(settings: Config) -> None:
    async with _site(settings) as site:
        status, steps = await _api(site, "GET", "/list/steps")
        assert (status, steps["came_in"]) == (200, 5)
        assert steps["steps"][1] == {
            "step": "do.0.buttons.0.do.0",
            "what": "Question: For which day?",
            "reached": 2,
            "share": 0.4,
            "here": 1,
            "lost": 0,
        }
        assert (await _api(site, "GET", "/list/steps?version=00"))[0] == 404
        status, history = await _api(site, "GET", "/list/history")
        assert [one["change"] for one in history] == ["added"]


async def test_a_program_pauses_and_resumes(settings: Config) -> None:
    async with _site(settings) as site:
        status, paused = await _api(site, "POST", "/other/pause")
        assert (status, paused["state"], paused["paused_by"], paused["changed"]) == (
            200,
            "paused",
            "api",
            True,
        )
        assert not (await _api(site, "POST", "/other/pause"))[1]["changed"]
        status, refused = await _api(site, "POST", "/other/start", {"contact": "903"})
        assert (status, "the flow is paused" in refused["error"]["message"]) == (409, True)
        assert (await _api(site, "POST", "/other/resume"))[1]["state"] == "live"
        assert (await _api(site, "POST", "/nothing/pause"))[0] == 404
        assert _noted(site, "api") == [("flows pause", "other"), ("flows resume", "other")]


async def test_a_program_starts_a_flow_for_one_person(own: Config) -> None:
    async with _site(own) as site:
        status, run = await _api(site, "POST", "/other/start", {"contact": "904"})
        assert (status, run["flow"], run["status"], run["contact"]["igsid"]) == (
            201,
            "other",
            "completed",
            "904",
        )
        assert _noted(site, "api")[-1] == ("flows start", "other")
        status, refused = await _api(site, "POST", "/other/start", {"contact": "904"})
        assert (status, "per_person once" in refused["error"]["message"]) == (409, True)
        status, refused = await _api(site, "POST", "/list/start", {"contact": "901"})
        assert (status, "already in it" in refused["error"]["message"]) == (409, True)
        assert (await _api(site, "POST", "/other/start", {"contact": "nobody"}))[0] == 409
        assert (await _api(site, "POST", "/nothing/start", {"contact": "904"}))[0] == 404
        assert (await _api(site, "POST", "/other/start"))[0] == 400
        await site.writer.write(
            lambda conn: conn.execute("UPDATE contacts SET window_open_until=1 WHERE igsid='902'")
        )
        status, refused = await _api(site, "POST", "/other/start", {"contact": "902"})
        assert (status, "in the last 24 hours" in refused["error"]["message"]) == (409, True)


async def test_where_most_go_no_further_is_said_and_drawn(own: Config) -> None:
    steps = _steps(own)
    async with _site(own) as site:
        account = accounts.every(site.reader.connection)[0].id
        whose = account, connections.of_account(site.reader.connection, account)[0].id
        count = partial(stats.count, day="2026-01-01", version=steps.version, flow_id="list")
        # Long ago ten more came, of whom six tapped, and one answered.
        for step, came, went_on in (
            ("do.0", 10, 6),
            ("do.0.buttons.0.do.0", 6, 1),
            ("do.0.buttons.0.do.1", 1, 0),
        ):
            for what, n in ((stats.REACHED, came), (stats.ONWARD, went_on)):
                write = partial(count, account_id=whose[0], connection_id=whose[1], step=step, what=what, n=n)
                await site.writer.write(write)
        text = await _page(site, "/flows/list?days=all")
        assert "“For which day?”: 5 of the 8 who came there went no further" in _said(text)
        assert re.findall(r'class="node (\w+) lost-most" id="f-list\.([^"]+)"', text) == [
            ("question", "do.0.buttons.0.do.0")
        ]
        # On the days since then, nobody is missing.
        assert "went no further" not in _said(await _page(site, "/flows/list?days=30"))


# --- versions --------------------------------------------------------------------------------------------


async def test_only_the_plan_that_was_shown_is_applied(own: Config) -> None:
    files = {"flows.yaml": CHANGED}
    async with _site(own) as site:
        status, bad = await _api(site, "POST", "/plan", {"files": {"flows.yaml": "version: 1\nflow: {}\n"}})
        assert (status, bad["problems"][0]["line"]) == (422, 2)
        status, plan = await _api(site, "POST", "/plan", {"files": files})
        assert status == 200
        assert {one["flow"]: one["change"] for one in plan["changes"]} == {
            "list": "changed",
            "other": "unchanged",
        }
        apply = {"files": files, "revision": plan["revision"], "note": "friendlier"}
        others: list[dict[str, object]] = [
            {"files": {"flows.yaml": CHANGED + "\n"}},
            {"files": {"other.yaml": CHANGED}},
            {"prune": True},
            {"revision": "7-0"},
        ]
        for changed in others:
            status, refused = await _api(site, "POST", "/apply", {**apply, **changed})
            assert (status, "of another plan" in refused["error"]["message"]) == (409, True)
        assert (await _api(site, "POST", "/apply", {"files": files}))[0] == 400
        status, done = await _api(site, "POST", "/apply", apply)
        assert (status, done["applied"]) == (200, True)
        assert _noted(site, "api")[-1][0] == "flows apply"
        # What was shown is applied: the same again is another plan.
        assert (await _api(site, "POST", "/apply", apply))[0] == 409

        text = await _page(site, "/flows/list")
        before, after = re.findall(r"/flows/list/versions/([0-9a-f]{8})", text)[::-1]
        assert "friendlier" in text
        newer = _said(await _page(site, f"/flows/list/versions/{after}"))
        assert "Shall I send it?" in newer
        assert "Nobody came into this version" in newer
        older = _said(await _page(site, f"/flows/list/versions/{before}?days=all"))
        assert "It is the first version." in older
        assert "came here, 100 %" in older
        assert f"pamosnik flows rollback list {before}" in older


async def test_flow_files_from_elsewhere_read_no_file_of_this_machine(
    settings: Config, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden-1\nhidden-2\n")
    named = f"version: 1\ncodes: {{ gift: {{ file: {json.dumps(str(secret))} }} }}\n{FLOWS.split('version: 1', 1)[1]}"
    async with _site(settings) as site:
        status, plan = await _api(site, "POST", "/plan", {"files": {"flows.yaml": named}})
        assert (status, plan["codes"]) == (200, [])
        assert [one["code"] for one in plan["problems"]] == ["codes-missing", "no-disclosure"]
        assert "hidden" not in json.dumps(plan)


async def test_no_program_opens_the_network_of_the_machine(settings: Config) -> None:
    """Of a token's holder nobody knows where they are; what is applied on the machine may."""
    private = 'webhooks: { till: { url: "http://192.168.1.20:8080/x", allow_private: true } }'
    async with _site(settings) as site:
        status, refused = await _api(
            site, "POST", "/plan", {"files": {"flows.yaml": f"version: 1\n{private}\n"}}
        )
        assert (status, "The webhook till says `allow_private`" in refused["error"]["message"]) == (409, True)


async def test_the_address_of_a_former_id_leads_to_the_flow(own: Config) -> None:
    """Links that were kept or sent along were pages that do not exist once the file had renamed the flow."""
    with open_database(own.database) as database:
        account_id = accounts.every(database.connection)[0].id
        renamed = FLOWS.replace("  list:\n", "  catalogue:\n    was: list\n", 1)

        def apply(conn: Connection) -> None:
            now = datetime.now(UTC)
            proposal = flow_services.propose(conn, account_id, [("f.yaml", renamed)], prune=False, now=now)
            assert not proposal.loaded.has_errors, proposal.loaded.problems
            flow_services.apply(conn, account_id, proposal, note=None, actor="command", now=now)

        database.write(apply)
    async with _site(own) as site:
        answer = await site.ask("GET", "/flows/list?days=7", {"cookie": f"pamosnik_session={SESSION}"})
        assert (answer.status, answer.headers["location"]) == (303, "/flows/catalogue?days=7")
        await _page(site, "/flows/catalogue?days=7")
        await _page(site, "/flows/nothing", 404)


async def test_a_flow_on_several_accounts_shows_the_numbers_of_each(own: Config) -> None:
    async with _site(own) as site:
        assert "By account" not in await _page(site, "/flows/list")
    with open_database(own.database) as database:
        conn = database.connection
        (account_id,) = conn.execute("SELECT account_id FROM connections").fetchone()
        conn.execute(
            "INSERT INTO connections (connection_id, account_id, ig_id, username, status, connected_at, scopes)"
            " SELECT 'second', account_id, '4711', 'second.shop', status, connected_at, scopes FROM connections"
        )
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        stats.count(conn, account_id, "second", "list", stats.STARTED, today, n=41)
    async with _site(own) as site:
        page = await _page(site, "/flows/list?days=all")
        rows = re.findall(r"<tr><td>@([^<]*)</td><td[^>]*>(\d+)</td>", page)
        assert dict(rows) == {"shop": "5", "second.shop": "41"}
        assert "46" in _said(page)


# --- who went no further ---------------------------------------------------------------------------------


async def test_whoever_went_back_to_an_earlier_step_is_no_loss_and_hides_none(tmp_path: Path) -> None:
    """Somebody who waited at a question again was taken from those who had stayed behind there."""
    ask = "{ ask: { question: Well? } }"
    two = f"version: 1\nflows: {{ two: {{ when: [dm: two], do: [{ask}, {ask}] }} }}"
    async with front_desk(tmp_path, mail=False) as desk:
        talk = Talk.begin(desk, two)
        for igsid in ("900000000000001", "900000000000002", "900000000000003"):
            talk.writes(igsid, "two")
        talk.leaves()
        talk.writes("900000000000002", "an answer")

        def changes(conn: Connection) -> None:
            # The second is at the first question again, the third has left.
            conn.execute("UPDATE waits SET path='do.0' WHERE path='do.1'")
            conn.execute(
                "UPDATE runs SET status='stopped', live=0, finished_at=started_at WHERE contact_id=?",
                (talk.id_of("900000000000003"),),
            )
            conn.execute("DELETE FROM waits WHERE contact_id=?", (talk.id_of("900000000000003"),))

        desk.database.write(changes)
        version = desk.conn.execute("SELECT version FROM flow_versions WHERE flow_id='two'").fetchone()[0]
        first, second = flow_steps.of_version(desk.conn, desk.account, "two", version).steps
        assert (first.reached, first.here, first.lost) == (3, 2, 1)
        assert (second.reached, second.here) == (1, 0)


async def test_whoever_taps_two_buttons_has_gone_further_once(tmp_path: Path) -> None:
    """They were taken from those who had tapped none."""
    flows = """
version: 1
flows:
  menu:
    when: [dm: menu]
    do: [{ send: { text: Well?, buttons: [{ label: One, do: [send: 1.] }, { label: Two, do: [send: 2.] }] } }]
"""
    async with front_desk(tmp_path, mail=False) as desk:
        talk = Talk.begin(desk, flows)
        for igsid in ("900000000000001", "900000000000002", "900000000000003"):
            talk.writes(igsid, "menu")
        talk.leaves()
        (item_id,) = desk.conn.execute("SELECT item_id FROM outbox ORDER BY seq LIMIT 1").fetchone()
        item = outbox.load(desk.conn, item_id)
        assert item is not None
        for button in item.content.buttons:
            tap = events.button_tap("900000000000001", button.label, button.payload or "")
            talk.happens(events.talk(tap))
        (version,) = desk.conn.execute("SELECT version FROM flow_versions WHERE flow_id='menu'").fetchone()
        (message,) = flow_steps.of_version(desk.conn, desk.account, "menu", version).steps
        assert (message.reached, message.here, message.lost) == (3, 2, 0)
        desk.database.write(lambda conn: conn.execute("DELETE FROM waits"))
        (message,) = flow_steps.of_version(desk.conn, desk.account, "menu", version).steps
        assert (message.reached, message.here, message.lost) == (3, 0, 2)


async def test_what_kept_runs_went_on_from_is_counted_when_a_home_is_brought_up_to_date(
    tmp_path: Path,
) -> None:
    """One tapped, one did nothing, one answered a question."""
    marks = {
        "a": " started  at:do.0  at:do.0.buttons.1.do.0  sent ",
        "b": " started  at:do.0  sent ",
        "c": " at:do.0  at:do.1 ",
    }
    async with front_desk(tmp_path, mail=False) as desk:
        Talk.begin(desk).writes("900000000000001", "price")
        conn = desk.conn
        columns = [row[1] for row in conn.execute("PRAGMA table_info(runs)")]
        same = ", ".join(name for name in columns if name not in ("run_id", "counted"))

        def as_before(conn: Connection) -> None:
            conn.execute("DELETE FROM totals")
            conn.execute("UPDATE runs SET counted=''")
            for run, counted in marks.items():
                conn.execute(
                    f"INSERT INTO runs (run_id, counted, {same}) SELECT ?, ?, {same} FROM runs WHERE counted=''",
                    (run, counted),
                )
            migrations.m0027_onward(conn)

        desk.database.write(as_before)
        assert conn.execute("SELECT step, what, n FROM totals").fetchall() == [("do.0", stats.ONWARD, 2)]
        kept = dict(conn.execute("SELECT run_id, counted FROM runs WHERE counted<>''").fetchall())
        assert kept == {"a": f"{marks['a']} on:do.0 ", "b": marks["b"], "c": f"{marks['c']} on:do.0 "}
