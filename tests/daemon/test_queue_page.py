"""The pages of the queue and of runs: they say why something waits, and a form does once what it says."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pamosnik.clock import VirtualClock, local_minute
from pamosnik.daemon.status.queue import STATES
from pamosnik.model.outbox import ItemStatus
from pamosnik.services.reading import backlog as backlog_reading
from pamosnik.services.reading import forecast, queue, standing
from pamosnik.services.reading.holding import Holds
from pamosnik.store import reads
from pamosnik.store.database import open_database
from pamosnik.store.reads import QueueFilter
from pamosnik.store.walls import Walled
from tests.daemon import busy_shop
from tests.daemon.busy_shop import BEARER, COOKIE, NOW, WAITING, Busy
from tests.daemon.site import Answer, Site, open_site

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Busy:
    return busy_shop.make(tmp_path_factory.mktemp("queue"))


@dataclass(frozen=True, slots=True)
class Visit:
    site: Site
    cookie: Mapping[str, str]

    async def page(self, path: str) -> str:
        answer = await self.site.ask("GET", path, self.cookie)
        assert answer.status == 200, (path, answer)
        return answer.body.decode()

    async def send(self, page: str, verb: str, **more: str) -> Answer:
        """The form of this verb, as it stands on a page that was shown."""
        found = re.search(rf'action="([^"]+/{verb})">(.*?)</form>', page, re.DOTALL)
        assert found is not None, verb
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[2]))
        return await self.site.ask("POST", found[1], self.cookie, {**fields, **more})

    def items(self, status: str) -> list[str]:
        found = self.site.reader.connection.execute(
            "SELECT item_id FROM outbox WHERE status=? ORDER BY seq", (status,)
        )
        return [item for (item,) in found]

    def status(self, item: str) -> str:
        found = self.site.reader.connection.execute("SELECT status FROM outbox WHERE item_id=?", (item,))
        return str(found.fetchone()[0])

    def audited(self) -> list[tuple[str, str]]:
        found = self.site.reader.connection.execute("SELECT actor, action FROM audit ORDER BY id")
        return [row for row in found.fetchall() if row[0] in ("page", "api") and row[1] != "login"]


@asynccontextmanager
async def visit(made: Busy, folder: Path) -> AsyncIterator[Visit]:
    """On a copy of the home."""
    home = Path(shutil.copytree(made.settings.home, folder / "home"))
    async with open_site(replace(made.settings, home=home), VirtualClock(NOW)) as site:
        yield Visit(site, COOKIE)


async def test_the_page_says_why_the_queue_is_long(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:
        page = await at.page("/queue")
        assert f"{WAITING} waiting for Meta’s limit of 750 private replies an hour" in page
        assert f"{WAITING} waiting for the private message they announce" in page
        assert "the last one leaves at about " in page
        assert "none will be too late" in page
        whole = await at.page(f"/queue?why={Holds.HOUR}")
        assert whole.count("waits for Meta&#39;s limit") == WAITING
        assert "Nothing waits for this now" in await at.page(f"/queue?why={Holds.LOGIN}")


async def test_what_the_page_counts_is_what_the_forecast_counts(made: Busy) -> None:
    with open_database(made.settings.database) as database:
        conn, now = database.connection, NOW
        items = queue.newest(conn, made.account, QueueFilter(open_only=True), now=now)
        waiting = standing.placed(conn, made.account, standing.outside(conn, made.account, now), now)
        assert [(one.id, one.connection, one.holds, one.too_late) for one in waiting] == [
            (item.id, item.connection, item.holds, item.too_late) for item in items
        ]
        whole = backlog_reading.of(waiting)
        assert whole.waiting == sum(reads.queue_counts(conn, made.account.id).values())
        parts = backlog_reading.by_connection(waiting)
        assert sum(backlog.waiting for _, backlog in parts) == whole.waiting
        every = queue.newest(conn, made.account, now=now)
        assert [item for item in every if item.holds is not None] == items
        said = forecast.prospects(conn, made.account, now) or ""
        assert whole.last_out is not None
        # In the account's time zone it may be the next day already.
        assert local_minute(whole.last_out, made.account.timezone) in said
        assert whole.too_late == 0
        assert "none will be too late" in said


async def test_every_list_is_there(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:
        for word, (_, status) in STATES.items():
            page = await at.page(f"/queue?show={word}")
            found = set(re.findall(r'href="/queue/([0-9A-Z]{26})"', page))
            wanted = (
                at.items(status.value) if status is not None else [i for s in ItemStatus for i in at.items(s)]
            )
            assert found == set(wanted), word
        assert "Nothing waits" not in await at.page("/queue?show=made-up")


async def test_an_item_is_called_off_once_and_tried_again_once(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:
        item = at.items("queued")[0]
        shown = await at.page(f"/queue/{item}")
        assert "Here it is." in shown
        done = await at.send(shown, "cancel")
        assert (done.status, done.headers["location"]) == (303, f"/queue/{item}?told=cancel")
        again = await at.send(shown, "cancel")
        assert (again.status, at.status(item)) == (422, "cancelled")
        assert "it is cancelled now" in again.body.decode()

        shown = await at.page(f"/queue/{item}?told=cancel")
        assert "It was called off." in shown
        assert (await at.send(shown, "retry")).status == 303
        assert (await at.send(shown, "retry")).status == 422
        assert at.status(item) == "queued"
        assert at.audited() == [("page", "queue cancel"), ("page", "queue retry")]


@pytest.mark.parametrize(("fate", "status"), [("sent", "sent"), ("resend", "queued"), ("drop", "cancelled")])
async def test_the_owner_says_what_became_of_a_message(
    made: Busy, tmp_path: Path, fate: str, status: str
) -> None:
    async with visit(made, tmp_path) as at:
        item = at.items("queued")[0]
        await at.site.writer.write(
            lambda conn: conn.execute(
                "UPDATE outbox SET status='unknown', attempts=1, first_attempt_at=due_at WHERE item_id=?",
                (item,),
            )
        )
        assert "1 of unknown fate" in await at.page("/queue")
        shown = await at.page(f"/queue/{item}")
        assert (await at.send(shown, "settle", fate="made up")).status == 422
        assert (await at.send(shown, "settle", fate=fate)).status == 303
        assert at.status(item) == status
        assert (await at.send(shown, "settle", fate=fate)).status == 422
        assert at.audited() == [("page", f"queue settle --{fate}")]


async def test_what_is_not_there_is_not_found(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:
        for path in ("/queue/nothing", "/runs/nothing"):
            assert (await at.site.ask("GET", path, at.cookie)).status == 404


async def test_a_run_is_shown_turn_by_turn_and_ended_once(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:
        conn = at.site.reader.connection
        (run,) = conn.execute("SELECT run_id FROM runs WHERE flow_id='size'").fetchone()
        shown = await at.page(f"/runs/{run}")
        assert "The flow began" in shown
        assert "waits for an answer until" in shown
        assert "Which size?" in shown
        assert (await at.send(shown, "cancel")).headers["location"] == f"/runs/{run}?told=cancel"
        assert (await at.send(shown, "cancel")).status == 422
        after = await at.page(f"/runs/{run}?told=cancel")
        assert "cancelled by the owner" in after
        assert "waits for an answer" not in after
        assert conn.execute("SELECT count(*) FROM waits WHERE run_id=?", (run,)).fetchone() == (0,)

        (run,) = conn.execute("SELECT run_id FROM outbox WHERE status='queued'").fetchone()
        before = [i for i in at.items("queued") + at.items("held") if _run_of(at, i) == run]
        assert (await at.send(await at.page(f"/runs/{run}"), "cancel")).status == 303
        assert {at.status(item) for item in before} == {"cancelled"}
        assert at.audited() == [("page", "runs cancel")] * 2


def _run_of(at: Visit, item: str) -> str:
    found = at.site.reader.connection.execute("SELECT run_id FROM outbox WHERE item_id=?", (item,))
    return str(found.fetchone()[0])


async def test_programs_change_the_queue_and_end_runs(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:

        async def post(path: str, body: object = None) -> tuple[int, Mapping[str, object]]:
            answer = await at.site.ask("POST", f"/api/v1/{path}", BEARER, body=body)
            return answer.status, json.loads(answer.body)

        item = at.items("queued")[0]
        status, told = await post(f"queue/{item}/cancel")
        assert (status, told["status"]) == (200, "cancelled")
        assert (await post(f"queue/{item}/cancel"))[0] == 409
        status, told = await post(f"queue/{item}/retry")
        assert (status, told["status"], told["id"]) == (200, "queued", item)
        assert (await post(f"queue/{item}/settle", {"fate": "sent"}))[0] == 409
        assert (await post(f"queue/{item}/settle", {"fate": "lost"}))[0] == 400
        assert (await post("queue/nothing/retry"))[0] == 404
        run = _run_of(at, item)
        status, told = await post(f"runs/{run}/cancel")
        assert (status, told["status"]) == (200, "stopped")
        assert (await post(f"runs/{run}/cancel"))[0] == 409
        done = [("api", action) for action in ("queue cancel", "queue retry", "runs cancel")]
        assert at.audited() == done


async def test_a_rare_state_is_looked_for_in_parts(made: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many items there are, a page reads no more of them than so many."""
    monkeypatch.setattr(queue, "LOOKS_THROUGH", 5)
    with open_database(made.settings.database) as database:
        conn, before, seen = database.connection, None, []
        while True:
            part = queue.in_state(conn, made.account, ItemStatus.SENT, now=NOW, limit=2, before=before)
            seen += [item.id for item in part.items]
            before = part.before
            if before is None:
                break
        rows = conn.execute("SELECT item_id FROM outbox WHERE status='sent' ORDER BY seq DESC").fetchall()
        assert seen == [item for (item,) in rows]


async def test_what_is_open_is_found_by_its_own_index(made: Busy) -> None:
    """Not by looking through everything that has ever left."""
    statements: list[str] = []
    with open_database(made.settings.database) as database:
        database.connection.set_trace_callback(statements.append)
        asked = QueueFilter(open_only=True)
        Walled(database).read(
            made.account.id, lambda conn: reads.queue(conn, made.account.id, asked, limit=50, now=NOW)
        )
        database.connection.set_trace_callback(None)
        (sql,) = [one for one in statements if one.startswith("SELECT o.item_id")]
        plan = [row[3] for row in database.connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any("outbox_open (" in step for step in plan), plan


async def test_a_run_is_ended_on_the_page_of_its_person(made: Busy, tmp_path: Path) -> None:
    async with visit(made, tmp_path) as at:
        conn = at.site.reader.connection
        run, person = conn.execute("SELECT run_id, contact_id FROM runs WHERE flow_id='size'").fetchone()
        page = await at.page(f"/people/{person}")
        form = re.search(rf'<form method="post" action="/runs/{run}/cancel">.*?</form>', page, re.DOTALL)
        assert form is not None
        done = await at.send(form[0], "cancel")
        assert done.headers["location"] == f"/people/{person}?told=cancel#about"
        after = await at.page(f"/people/{person}?told=cancel")
        assert "The run has ended." in after
        assert f"/runs/{run}/cancel" not in after
        assert at.audited() == [("page", "runs cancel")]
