"""People who have only commented, on the page "Your data"."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from pamosnik.model.event import EventKind, Incoming, Verdict
from pamosnik.store import inbox
from tests.daemon.front_desk import FrontDesk, front_desk
from tests.daemon.shop import PASSWORD
from tests.daemon.test_data_pages import DATA, holder, open_shop, until_ended

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path, mail=False) as running:
        running.database.write(lambda conn: open_shop(conn, running, running.account, "shop"))
        yield running


@pytest.mark.parametrize("igsid", ["90077", None], ids=["with an id", "by name alone"])
async def test_somebody_who_has_only_commented_is_found_and_forgotten(
    desk: FrontDesk, igsid: str | None
) -> None:
    comment = Incoming(
        ig_id="1784",
        key="c:c77",
        kind=EventKind.COMMENT,
        occurred_at=desk.clock.now(),
        igsid=igsid,
        username="quiet.rita",
        text="nice",
        comment_id="c77",
    )
    add = partial(inbox.add, account_id=desk.account.id, connection_id="CSHOP", incoming=comment)
    event_id, _ = desk.database.write(lambda conn: add(conn, now=desk.clock.now())) or ("", False)
    desk.database.write(lambda conn: inbox.decide(conn, event_id, Verdict.NO_MATCH, now=desk.clock.now()))
    browser, csrf = await holder(desk)
    found = await browser.post(f"{DATA}/people", csrf=csrf, who="Rita")
    assert f'href="{DATA}/people/{event_id}"' in found.text
    shown = await browser.get(f"{DATA}/people/{event_id}")
    assert (shown.status, "@quiet.rita" in shown.text) == (200, True)
    assert ("Prepare the export" in shown.text) == (igsid is not None)
    begun = await browser.post(f"{DATA}/people/{event_id}/forget", csrf=csrf, present=PASSWORD)
    assert begun.leads_to == f"{DATA}/progress"
    await until_ended(desk, browser)
    assert desk.conn.execute("SELECT count(*) FROM events WHERE comment_id='c77'").fetchone() == (0,)
    assert (await browser.get(f"{DATA}/people/{event_id}")).status == 404
