"""Names and messages that are programs stay names and messages, in a real browser, on every page that shows them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import connecting
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.browser.hostile import Watched, chromium
from tests.daemon import events, wire

pytestmark = pytest.mark.browser

SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "' autofocus onfocus=alert(4) x='",
    "</td></table></main><iframe srcdoc='<script>parent.alert(5)</script>'>",
    "{{ 7 * 191 }}{% include 'login.html' %}",
    "<base href=//evil.example><style>*{display:none}</style>",
    "javascript:alert(6)",
    "<!--",
)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """[...document.querySelectorAll('main *')].filter(one =>
  ['hidden', 'clip'].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1 &&
  !one.closest('.people, .unseen, input')).map(one => one.outerHTML.slice(0, 150))"""
"""What nobody can read to its end; but lists of people show a line of what was said."""
FLOWS = """
version: 1
disclosure: false
flows:
  price:
    title: "<script>alert('title')</script>"
    when: [anything_else]
    do: [{ set: { said: "{text|x}" } }, { tag: seen }]
fields: { said: text }
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    wire.make_home(folder, name="<script>alert('shop')</script> & Söhne")
    _connect(folder, "<b onmouseover=alert('handle')>shop</b>")
    (folder / "flows.yaml").write_text(FLOWS, "utf-8")
    assert wire.command(folder, "flows", "apply", str(folder / "flows.yaml"), "--yes") == 0
    with wire.a_daemon(folder) as port:
        for number, script in enumerate(SCRIPTS):
            comment = events.comment(f"80{number}", script, username=script)
            said = events.message(f"81{number}", script)
            body = events.encode(events.envelope(events.change(comment), events.talk(said)))
            assert wire.ask(port, wire.delivery(body)).status == 200
        yield f"http://127.0.0.1:{port}"


def _connect(folder: Path, username: str) -> None:
    settings = config.load({"home": str(folder / "home")}, environ={})
    found = connecting.Found("IGAAtoken", events.IG_ID, None, username, ())
    with open_database(settings.database) as database:
        (account,) = accounts.every(database.connection)
        keys = HeldKeys(settings.key_file, None)
        keep = partial(connecting.keep, keys=keys, account_id=account.id, found=found)
        database.write(partial(keep, now=datetime.now(UTC)))


def test_no_name_and_no_message_becomes_a_part_of_a_page(address: str) -> None:
    with chromium() as browser:
        seen = Watched(browser.new_page())
        seen.log_in(address)
        shown, wrong = set(), list[str]()
        for path in seen.every_page(address):
            page = seen.page
            script = "script:not([src='/live.js'])"
            assert page.locator(f"{script}, iframe, base, style, main img, main svg[onload]").count() == 0, (
                path
            )
            text = page.locator("body").inner_text()
            shown |= {script for script in SCRIPTS if script in text}
            for width in (320, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                if page.evaluate(WIDER) != 0:
                    wrong.append(f"{path} is wider than {width} px")
                wrong += [f"{path}: {one}" for one in page.evaluate(CUT)]
            page.mouse.move(200, 300)
        assert shown == set(SCRIPTS)
        assert wrong == []
        assert seen.complaints == []
