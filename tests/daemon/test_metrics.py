"""`/metrics`: in Prometheus's format, the numbers of the page, and nobody's name."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pamosnik.clock import VirtualClock
from pamosnik.services.reading import numbers
from pamosnik.store import backup_files, reads
from pamosnik.store.database import open_database
from tests.daemon import busy_shop
from tests.daemon.busy_shop import BEARER, NOW, SENT, WAITING, Busy
from tests.daemon.site import Site, open_site

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Busy:
    return busy_shop.make(tmp_path_factory.mktemp("metrics"))


async def _scraped(site: Site, headers: Mapping[str, str]) -> Mapping[tuple[str, frozenset[str]], float]:
    """(name, values of the labels) → number."""
    answer = await site.ask("GET", "/metrics", headers)
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.body.decode())
    return {(s.name, frozenset(s.labels.values())): s.value for family in families for s in family.samples}


async def test_a_token_opens_the_numbers_of_its_account(made: Busy) -> None:
    async with open_site(made.settings, VirtualClock(NOW)) as site:
        assert (await site.ask("GET", "/metrics")).status == 401
        assert (await site.ask("POST", "/webhooks/instagram", form={"a": "stranger's"})).status == 403
        found = await _scraped(site, BEARER)
        conn = site.reader.connection
        assert found["pamosnik_events_received_total", frozenset({"comment"})] == SENT + WAITING + 1
        assert found["pamosnik_events_answered_total", frozenset({"comment"})] == SENT + WAITING
        for flow in numbers.by_flow(conn, made.account):
            for word, n in flow.counts.items():
                assert found["pamosnik_runs_total", frozenset({flow.flow, flow.connection, word})] == n
        for status, n in reads.queue_counts(conn, made.account.id).items():
            assert found["pamosnik_queue_items", frozenset({status})] == n
        assert found["pamosnik_connection_up", frozenset({"shop"})] == 1
        assert found["pamosnik_private_replies_last_hour", frozenset({"shop"})] >= 750
        assert found["pamosnik_webhook_deliveries_total", frozenset({"bad_signature"})] == 1
        assert not any(name.startswith(("process_", "pamosnik_commit")) for name, _ in found)


async def test_nobody_is_named(made: Busy) -> None:
    async with open_site(made.settings, VirtualClock(NOW)) as site:
        text = (await site.ask("GET", "/metrics", BEARER)).body.decode()
        with open_database(made.settings.database) as database:
            people = database.connection.execute(
                "SELECT username, igsid, contact_id FROM contacts"
            ).fetchall()
        assert people
        assert [word for person in people for word in person if word and f'"{word}"' in text] == []


async def test_where_it_is_open_nobody_needs_a_token(made: Busy) -> None:
    async with open_site(replace(made.settings, metrics="open"), VirtualClock(NOW)) as site:
        found = await _scraped(site, {})
        assert found["pamosnik_events_received_total", frozenset({"comment"})] == SENT + WAITING + 1
        assert ("process_cpu_seconds_total", frozenset()) in found
        assert ("pamosnik_webhook_deliveries_total", frozenset({"accepted"})) in found
        assert ("pamosnik_commit_seconds_count", frozenset()) in found


async def test_where_it_is_open_it_tells_of_the_machine(made: Busy) -> None:
    home = made.settings.home
    folder = backup_files.folder_of(home)
    folder.mkdir(exist_ok=True)
    backup = folder / backup_files.name_for(NOW)
    backup.touch()
    try:
        async with open_site(replace(made.settings, metrics="open"), VirtualClock(NOW)) as site:
            found = await _scraped(site, {})
            assert found["pamosnik_last_backup_timestamp_seconds", frozenset()] == NOW.timestamp()
            assert found["pamosnik_disk_free_bytes", frozenset()] > 0
            size = made.settings.database.stat().st_size
            assert found["pamosnik_database_bytes", frozenset()] == size
            assert _told_by_docs() <= {name for name, _ in found}
    finally:
        backup.unlink()
    async with open_site(made.settings, VirtualClock(NOW)) as site:
        alone = {name for name, _ in await _scraped(site, BEARER)}
        assert not {"pamosnik_database_bytes", "pamosnik_disk_free_bytes"} & alone


def _told_by_docs() -> set[str]:
    """What the rules in the documentation ask for."""
    rules = re.search(
        r"```yaml\ngroups:.*?```",
        (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8"),
        re.DOTALL,
    )
    assert rules is not None
    named = set(re.findall(r"pamosnik_\w+", rules[0]))
    assert len(named) >= 7
    return named
