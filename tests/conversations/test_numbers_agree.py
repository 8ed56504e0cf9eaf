"""After whatever has happened, the numbers that are shown are those that can be counted from the rows; wherever they
are shown they are the same; and they stay when the rows are gone."""

import asyncio
import csv
import io
import json
import random
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik import cli
from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.retainer import Retainer
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.services.reading import numbers, statistics
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, api_tokens
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import open_database
from tests import recount
from tests.daemon.machine import home_and_fake, running
from tests.daemon.site import logged_in, open_site
from tests.examples import TIMES
from tests.shop_life import FLOWS, PUBLIC_URL, Life

pytestmark = pytest.mark.anyio
TOKEN = "pamo_of-this-test"
DAYS = 3


@dataclass(frozen=True, slots=True)
class Lived:
    """A home where something has happened."""

    settings: Config
    now: datetime
    before: Mapping[str, object]
    """All numbers, before what is too old was deleted."""


@pytest.fixture(scope="module", params=range(TIMES))
def lived(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Lived:
    return asyncio.run(_live(tmp_path_factory.mktemp("life"), random.Random(request.param)))


async def _live(folder: Path, chance: random.Random) -> Lived:
    begin = datetime.now(UTC).replace(hour=1) - timedelta(days=DAYS + 1)
    async with (
        home_and_fake(folder, FLOWS, PUBLIC_URL) as (settings, fake),
        running(settings, fake, VirtualClock(begin)) as shop,
    ):
        life = Life(shop, chance)
        await life.begins()
        await life.lives(DAYS, 60)
        await shop.later(days=8)  # what waited has ended
        conn, now = shop.reader.connection, shop.clock.now()
        recount.require_equal(conn, now)
        before = _all(conn)
        shop.move_to(now + timedelta(days=500))
        await Retainer(shop.tools, Ages()).round()
        assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM events").fetchone() == (0,)
        account = accounts.every(conn)[0].id
        token = ApiToken(new_id(now), account, "test", now, None)
        await shop.writer.write(lambda conn: api_tokens.insert(conn, token, tokens.token_hash(TOKEN)))
    return Lived(settings, now, before)


def _all(conn: Connection) -> dict[str, object]:
    account = accounts.every(conn)[0]
    flows = numbers.by_flow(conn, account)
    return {
        "stats": numbers.shape(flows),
        "posts": _shapes(statistics.by_post(conn, account)),
        "links": _shapes(statistics.by_link(conn, account)),
        "steps": [
            _shapes(statistics.by_step(conn, account, flow)) for flow in sorted({one.flow for one in flows})
        ],
        "days": _shapes(statistics.by_day(conn, account, statistics.Days("2020-01-01", "2035-01-01"))),
    }


def _shapes(rows: Iterable[object]) -> list[Shape]:
    return [row.shape() for row in rows]  # type: ignore[attr-defined]


def test_numbers_stay_when_everything_they_were_counted_from_is_gone(lived: Lived) -> None:
    with open_database(lived.settings.database) as database:
        after = _all(database.connection)
    # What a post says is no number: it goes with the post.
    for row in (*after["posts"], *lived.before["posts"]):  # type: ignore[misc]
        for told in ("caption", "permalink", "posted_at"):
            row[told] = None
    assert after == lived.before


async def test_they_are_the_same_wherever_they_are_shown(
    lived: Lived, monkeypatch: pytest.MonkeyPatch
) -> None:
    stats = lived.before["stats"]
    assert isinstance(stats, dict)
    monkeypatch.setenv("PAMOSNIK_HOME", str(lived.settings.home))
    with redirect_stdout(io.StringIO()) as out:
        assert await asyncio.to_thread(cli.run, ["stats", "--json"]) == 0
    assert json.loads(out.getvalue()) == stats
    async with open_site(lived.settings, VirtualClock(lived.now)) as site:
        api = await site.ask("GET", "/api/v1/stats", {"authorization": f"Bearer {TOKEN}"})
        sheet = await site.ask("GET", "/stats.csv", {"cookie": await logged_in(site)})
    assert json.loads(api.body) == stats
    rows = list(csv.DictReader(io.StringIO(sheet.body.decode("utf-8-sig"))))
    assert [
        (row["flow"], row["connection"], *(int(row[word]) for word in numbers.WORDS)) for row in rows
    ] == [(row["flow"], row["connection"], *(row[word] for word in numbers.WORDS)) for row in stats["flows"]]
