"""Tracked links on a real daemon: who clicks is led on and counted, and nobody else learns anything."""

import re
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from pamosnik._sqlite import Connection
from pamosnik.privacy import erase
from pamosnik.services import clicks
from pamosnik.store import links
from pamosnik.store.database import open_database
from pamosnik.store.deletions import Cause
from tests.daemon import events
from tests.daemon.machine import machine
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
facts: { prices: "https://shop.example/prices?a=1&b=ż" }
flows:
  price:
    when: [dm: price]
    do:
      - send:
          text: "Here: {prices}"
          buttons: [{ label: Shop, url: "https://shop.example/", name: shop }]
      - goal: sent
"""
PUBLIC = "https://rose.example/pamosnik"
PERSON = {"User-Agent": "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Instagram 300.0"}
MACHINES = (
    {"User-Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"},
    {"User-Agent": "meta-externalfetcher/1.1"},
    {"User-Agent": "Mozilla/5.0 (compatible; Twitterbot/1.0)"},
    {**PERSON, "Sec-Purpose": "prefetch;prerender"},
)


async def _ask(shop: Shop, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    address = f"http://127.0.0.1:{shop.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, address, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("location", ""), await answer.text()


async def _sent(shop: Shop, igsid: str) -> tuple[str, str]:
    """Paths of the link in the text and of the button's."""
    await shop.write(igsid, "price")
    await shop.settles(igsid, 1)
    message = shop.fake.last(igsid)
    assert message.text.startswith(f"Here: {PUBLIC}/l/"), message
    button = next(iter(message.buttons.values()))
    assert re.fullmatch(rf"{PUBLIC}/l/[\w-]{{16}}", button)
    return message.text.removeprefix(f"Here: {PUBLIC}"), button.removeprefix(PUBLIC)


async def test_who_clicks_is_led_on_and_counted(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS, PAMOSNIK_PUBLIC_URL=f"{PUBLIC}/") as shop:
        text, button = await _sent(shop, "9001")
        await _sent(shop, "9002")
        # Previews and HEAD are led on, too.
        for method, headers in (("HEAD", PERSON), *(("GET", machine) for machine in MACHINES)):
            assert (await _ask(shop, button, method, **headers))[:2] == (302, "https://shop.example/")
        [counts] = (await shop.read("stats"))["flows"]
        assert (counts["started"], counts["clicked"]) == (2, 0)
        for path in (text, button, button):
            assert (await _ask(shop, path, **PERSON))[0] == 302
        assert (await _ask(shop, text))[1] == "https://shop.example/prices?a=1&b=%C5%BC"
        [counts] = (await shop.read("stats"))["flows"]
        assert (counts["clicked"], counts["completed"], counts["replied"]) == (1, 2, 0), "runs, not clicks"
        shown = await shop.read("runs", "show", "9001")
        told = [(link["name"], link["address"], link["step"], link["clicks"]) for link in shown["links"]]
        assert told == [
            ("shop", "https://shop.example/", "do.0", 2),
            (None, "https://shop.example/prices?a=1&b=ż", "do.0", 2),
        ]
        why = await shop.read("why", "9002")
        assert [(link["clicks"], link["last_click_at"]) for link in why["links"]] == [(0, None)] * 2
        said = await shop.command("why", "9001")
        assert "link shop to https://shop.example/: clicked 2 times, last " in said
        assert text.removeprefix("/l/") not in shop.log.read_text()


async def test_unknown_links_lead_nowhere(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS, PAMOSNIK_PUBLIC_URL=PUBLIC) as shop:
        for path in ("/l/nothing", "/l/https:%2F%2Fevil.example", "/l/x?to=https://evil.example", "/l/"):
            status, location, page = await _ask(shop, path)
            assert (status, location) == (404, "")
            assert "evil" not in page
        _, button = await _sent(shop, "9001")
        assert (await _ask(shop, f"{button}?to=https://evil.example"))[1] == "https://shop.example/"
        assert (await _ask(shop, button, "POST"))[0] == 405
        for path in (f"{button}/", "/webhooks/instagram/", "/healthz/"):
            # It would lead to whatever host the request names.
            assert (await _ask(shop, path, Host="evil.example"))[:2] == (404, "")


async def test_a_link_goes_with_the_message_that_is_taken_back(tmp_path: Path) -> None:
    flows = """
version: 1
disclosure: false
flows:
  find:
    when: [dm: { words: find, match: starts_with }]
    do: [send: { text: "Found", buttons: [{ label: Open, url: "https://shop.example/?q={text|x}" }] }]
"""
    async with machine(tmp_path, flows, public_url=PUBLIC) as shop:
        said = events.message("9001", "find me a present")
        await shop.deliver(events.talk(said))
        await shop.works()
        conn = shop.reader.connection
        [(token,)] = conn.execute("SELECT token FROM links").fetchall()
        assert links.address_of(conn, token) == "https://shop.example/?q=find%20me%20a%20present"
        gone = {**said, "message": {"mid": said["message"]["mid"], "is_deleted": True}}
        await shop.deliver(events.talk(gone))
        await shop.works()
        assert links.address_of(conn, token) is None
        clicked = partial(clicks.clicked, token=token, now=shop.clock.now())
        assert await shop.writer.write(clicked) is False


async def test_counting_ends_with_the_connection(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS, public_url=PUBLIC) as shop:
        await shop.deliver(events.talk(events.message("9001", "price")))
        await shop.works()
        conn = shop.reader.connection
        token, connection = conn.execute("SELECT token, connection_id FROM links LIMIT 1").fetchone()
        begin = partial(
            erase.begin_connection, connection_id=connection, cause=Cause.APP_REMOVED, actor="test"
        )
        await shop.writer.write(partial(begin, now=shop.clock.now()))
        clicked = partial(clicks.clicked, token=token, now=shop.clock.now())
        assert await shop.writer.write(clicked) is False


async def test_a_click_wakes_the_run_that_waits_for_it(tmp_path: Path) -> None:
    flows = FLOWS.replace(
        "- goal: sent", '- wait_for: { click: shop, up_to: 2h }\n      - send: "Thank you for looking."'
    )
    async with open_shop(tmp_path, flows, PAMOSNIK_PUBLIC_URL=PUBLIC) as shop:
        _, button = await _sent(shop, "9001")
        assert (await _ask(shop, button, **MACHINES[0]))[0] == 302
        assert (await _ask(shop, button, **PERSON))[0] == 302
        thread = await shop.settles("9001", 2, within_s=5)
        assert thread[1] == "Thank you for looking."
        await shop.quiet()
        [run] = await shop.read("runs", "list")
        assert run["status"] == "completed"


HOSTILE = """
version: 1
disclosure: false
flows:
  price:
    when: [dm: { words: go, match: starts_with }]
    do:
      - send:
          text: "Here: https://shop.example/?q={text|x}"
          buttons:
            - { label: A, url: "https://shop.example/\\r\\nLocation: https://evil.example/\\r\\n\\r\\n<script>" }
            - { label: B, url: "https://shop.example/{text|x}" }
            - { label: C, url: "https://{text|x}" }
"""


async def test_an_address_is_one_line_and_its_host_is_the_flows(tmp_path: Path) -> None:
    said = "go \r\nSet-Cookie: x=y\r\n\r\n//evil.example @evil.example"
    async with open_shop(tmp_path, HOSTILE, PAMOSNIK_PUBLIC_URL=PUBLIC) as shop:
        await shop.write("9001", said)
        await shop.settles("9001", 1)
        message = shop.fake.last("9001")
        assert not message.buttons["C"].startswith(PUBLIC), (
            "what people write is never reached under our name"
        )
        found = re.findall(rf"{PUBLIC}(/l/[\w-]+)", " ".join([message.text, *message.buttons.values()]))
        assert len(found) == 3
        for path in found:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{shop.port}{path}", allow_redirects=False) as answer,
            ):
                assert answer.status == 302
                assert "Set-Cookie" not in answer.headers
                (location,) = answer.headers.getall("Location")
                assert urlsplit(location).hostname == "shop.example"


async def test_only_the_web_is_led_on_to(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS, PAMOSNIK_PUBLIC_URL=PUBLIC) as shop:
        _, path = await _sent(shop, "9001")
        for address in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "/login", ""):
            with open_database(shop.home / "pamosnik.db") as database:
                database.write(partial(_lead_to, address=address))
            assert (await _ask(shop, path))[:2] == (404, ""), address


def _lead_to(conn: Connection, address: str) -> None:
    conn.execute("UPDATE links SET address=?", (address,))
