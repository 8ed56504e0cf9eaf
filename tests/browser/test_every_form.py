"""Every form of every page, sent in Debian's Chromium at desk and phone size, and what is said of what cannot be had.

Forms and pages are those that the router has an address for: one that no line of `FORMS` sends, or no link leads to,
fails here. At the desk forms are sent without JavaScript, which pages need for keeping themselves up to date alone.
"""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.daemon.visitors import SESSION_COOKIE
from pamosnik.instagram import webhook
from pamosnik.model.event import Verdict
from pamosnik.security import keyring, tokens, vault
from pamosnik.security.vault import MasterKeys
from pamosnik.services import answering, intake
from pamosnik.services.library import Library
from pamosnik.store import accounts, inbox, mailed_links, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.database import open_database
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.sessions import Session
from tests.browser.lived_in import DESK, PHONE
from tests.daemon import events
from tests.daemon.site import Site, open_site
from tests.isolation import world
from tests.isolation.test_routes import LEAD_BACK, MAIL, NOW, PASSWORD, may_come_in, routes
from tests.isolation.world import MINE

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OF_PROGRAMS = ("/api/", "/webhooks/")
NO_PAGES = {"/healthz", "/readyz", "/metrics", "/live", "/l/{token}", "/account/data/exports/{name}"}
"""Beside files, whose names have a dot."""
OLD_TEXTS = {"/privacy/{key}", "/terms/{key}", "/data-deletion/{key}"}
"""There are none here; tests/browser/test_legal_pages.py has some."""
TO_INSTAGRAM = {f"/connect/instagram{rest}" for rest in ("", "/callback", "/done", "/{token}")}
"""They lead there and back: tests/browser/test_connect_page.py."""
UNLINKED = (
    *("/confirm/{confirm}", "/reset/{reset}", "/deletion/{code}"),
    *("/forgot", "/login?password-changed", "/account/data/progress", "/events/missed/answer"),
    "/help/errors",
)
"""Mailed, for whoever is not logged in, or about what is not under way or did not happen."""
EMPTY = 4
"""The browser of an account that nothing has happened to."""
AFTER = "quite another three words"
"""The password, once it is changed."""
LAST = "and one more password of all"


@dataclass(frozen=True, slots=True)
class Sent:
    """A form, as somebody fills it in."""

    page: str
    """Where it stands; `{…}`: an id of `_ids`."""
    says: str
    """What stands on the page that it leads to."""
    filled: Mapping[str, str] = field(default_factory=dict)
    button: str | None = None
    """None: its first one."""


FORMS: Mapping[str, Sent] = {
    "/people": Sent("/people", "with “new.here”", {"text": "new.here"}),
    "/people/{id}/note": Sent("/people/{fan}", "The note is kept.", {"note": "Likes <b>tulips</b>"}),
    "/people/{id}/tag": Sent("/people/{fan}", "The tag is given.", {"tag": "vip"}),
    "/people/{id}/untag": Sent("/people/{fan}", "The tag is taken away."),
    "/people/{id}/set": Sent("/people/{fan}", "The value is kept.", {"field": "size", "value": "XL"}),
    "/people/{id}/unset": Sent("/people/{fan}", "The value is taken away."),
    "/people/{id}/resume": Sent("/people/{fan}", "Automation goes on for this person."),
    "/people/{id}/pause": Sent("/people/{fan}", "Automation rests for this person.", {"for": "3d"}),
    "/people/{id}/reply": Sent("/people/{fan}", "It is on its way.", {"text": "Hello, Rosa here."}),
    "/people/{id}/private-reply": Sent("/people/{newcomer}", "It is on its way.", {"text": "Hello!"}),
    "/events/{id}/message": Sent("/events/{unanswered}", "Your message is on its way.", {"text": "Yes!"}),
    "/events/{id}/private": Sent(
        "/events/{comment}", "Your private reply is on its way.", {"text": "Hello!"}
    ),
    "/events/{id}/public": Sent(
        "/events/{comment}", "Your public reply is on its way.", {"text": "Thank you!"}
    ),
    "/events/{id}/replay": Sent("/events/{earlier}", "It was tried again"),
    "/events/missed/answer": Sent("/events/missed/answer?kind=comment&words=price", "1 person is answered."),
    "/flows/{id}/pause": Sent("/flows/price/pause", "The flow is paused"),
    "/flows/{id}/resume": Sent("/flows/price", "The flow is live again."),
    "/queue/{id}/retry": Sent("/queue/{failed}", "It is in the queue again."),
    "/queue/{id}/cancel": Sent("/queue/{queued}", "called off"),
    "/queue/{id}/settle": Sent("/queue/{unknown}", "sent"),
    "/runs/{id}/cancel": Sent("/runs/{run}", "cancelled"),
    "/account/details": Sent("/account", "Saved.", {"name": "Rose & <b>Söhne</b>"}),
    "/account/email": Sent(
        "/account", "The mail is on its way.", {"email": "other@shop.example", "present": PASSWORD}
    ),
    "/account/email/keep": Sent("/account", "Taken back: the address stays as it is."),
    "/account/mail": Sent("/account", "mail server"),
    "/account/sessions/end": Sent("/account", "The session is ended."),
    "/account/sessions/end-others": Sent("/account", "All other sessions are ended."),
    "/account/tokens": Sent("/account", "pamo_", {"name": "spreadsheet", "present": PASSWORD}),
    "/account/tokens/{token_id}": Sent("/account/tokens/token-zqrose", "The token is revoked"),
    "/account/password": Sent(
        "/account",
        "Your password is changed.",
        {"present": PASSWORD, "new": AFTER, "again": AFTER},
    ),
    "/account/legal/{name}": Sent(
        "/account/legal/terms", "Published.", {"body": "## Ours\n\nBe kind."}, "Publish"
    ),
    "/account/data/people": Sent("/account/data", "fan.zqrose", {"who": "fan.zqrose"}),
    # What an export holds is for tests/daemon/test_page_exports.py.
    "/account/data/export": Sent("/account/data", "The present password is wrong.", {"present": "wrong"}),
    "/account/data/people/{id}/export": Sent(
        "/account/data/people/{fan}", "The present password is wrong.", {"present": "wrong"}
    ),
    "/account/data/people/{id}/forget": Sent("/account/data/people/{fan}", "Under way", {"present": AFTER}),
    "/logout": Sent("/", "Log in"),
    "/forgot": Sent("/forgot", "If an account has this e-mail address", {"email": MINE.email}),
    "/reset/{token}": Sent(
        "/reset/{reset}", "Your password is changed. Log in with the new one.", {"new": LAST, "again": LAST}
    ),
    "/login": Sent("/login?back=/people", "People", {"email": MINE.email, "password": LAST}),
    "/confirm/{token}": Sent("/confirm/{confirm}", "Your e-mail address is changed"),
    "/account/data/connections/{id}": Sent(
        "/account/data/connections/{connection}", "Under way", {"present": LAST}
    ),
    "/account/data/delete": Sent(
        "/account/data/delete", "being deleted", {"email": f"new.{MINE.email}", "present": LAST}
    ),
}
"""In the order in which they are sent; by the addresses that they are sent to."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("forms") / "home"
    with open_database(world.make(home)) as database:
        database.write(partial(_happens_besides, keys=keyring.load(home / "master.key", None)))
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return home


def _happens_besides(conn: Connection, keys: MasterKeys) -> None:
    may_come_in(conn, MINE)
    new = Account("AEMPTY", "Somebody new", "new@shop.example", "UTC", NOW)
    wrapped = keys.wrap(new.id, vault.new_data_key())
    accounts.insert(conn, new, password_hash="none", wrapped_key=wrapped, adult_stated_at=NOW)
    for number in range(EMPTY + 1):
        whose = new.id if number == EMPTY else MINE.account
        session = Session(f"browser-{number}", whose, "Firefox", NOW, NOW, NOW + timedelta(days=14))
        sessions.open_session(conn, tokens.token_hash(_token(number)), session)
    for igsid, username, text in (
        ("900000000000777", "new.here", "so pretty"),
        ("900000000000778", "lena", "so pretty"),
        ("900000000000779", "mila", "price"),
        ("900000000000780", "nora", "price"),
    ):
        said = events.change(events.comment(igsid, text, username=username), ig_id=MINE.ig_id)
        items = webhook.parse(events.encode(events.envelope({**said, "time": int(NOW.timestamp())}))).items
        intake.store(conn, items, NOW)
    for (early,) in conn.execute("SELECT event_id FROM events WHERE username IN ('mila', 'nora')").fetchall():
        inbox.decide(conn, early, Verdict.NO_MATCH, now=NOW, reason="no flow has a trigger for it")
    for event in inbox.pending(conn, 10):
        answering.take_event(conn, Library(), event, NOW)


def _token(number: int) -> str:
    return f"the-session-of-browser-{number}"


@pytest.fixture
async def site(made: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """On a home of its own."""
    home = shutil.copytree(made, tmp_path / "home")
    async with open_site(config.load({"home": str(home), **MAIL}, environ={}), VirtualClock(NOW)) as running:
        yield running


@asynccontextmanager
async def _window(
    site: Site, chromium: Browser, size: tuple[int, int], *, script: bool, number: int = 0
) -> AsyncIterator[Page]:
    """Logged in. It complains about whatever a page must not do."""
    context = await chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, java_script_enabled=script
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": _token(number), "url": site.address}])
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda one: None if one.url.startswith(site.address) else complaints.append(one.url))
    yield page
    await context.close()
    # Chromium notes each page that is not a 200, too.
    assert [one for one in complaints if "the server responded with a status of" not in one] == []


def _ids(conn: Connection) -> dict[str, str]:
    asked = {
        "fan": f"SELECT contact_id FROM contacts WHERE igsid='{MINE.fan}'",
        "newcomer": "SELECT contact_id FROM contacts WHERE username='new.here'",
        "comment": "SELECT event_id FROM events WHERE username='lena'",
        "earlier": "SELECT event_id FROM events WHERE username='mila'",
        "unanswered": f"SELECT event_id FROM events WHERE text='nothing for {MINE.mark}'",
        "run": f"SELECT run_id FROM runs WHERE account_id='{MINE.account}' AND finished_at IS NULL LIMIT 1",
        **{
            status: f"SELECT item_id FROM outbox WHERE account_id='{MINE.account}' AND status='{status}'"
            for status in ("failed", "queued", "unknown")
        },
    }
    found = {name: str(conn.execute(query).fetchone()[0]) for name, query in asked.items()}
    return {
        **found,
        "connection": MINE.connection,
        "code": f"code-{MINE.mark}",
        "reset": "a-link-to-reset_password",
        "confirm": "a-link-to-confirm_email",
    }


def _of_browsers(site: Site) -> dict[str, Route]:
    """Address → the route of a form."""
    found = {name.partition(" ")[2]: route for name, route in routes(site).items() if name.startswith("POST")}
    return {path: route for path, route in found.items() if not path.startswith(OF_PROGRAMS)}


async def _form_of(page: Page, route: Route) -> Locator:
    forms = page.locator("form[method=post]")
    for number in range(await forms.count()):
        if route.path_regex.match(await forms.nth(number).evaluate("one => new URL(one.action).pathname")):
            return forms.nth(number)
    raise AssertionError(f"{page.url} has no form for {route.path}")


async def _sends(page: Page, route: Route, form: Sent) -> None:
    """Leaves the page that it leads to."""
    found = await _form_of(page, route)
    for folded in await page.locator("details:not([open]):has(form) > summary").all():
        await folded.click()
    for name, value in form.filled.items():
        control = found.locator(f"[name='{name}']")
        if await control.evaluate("one => one.localName") == "select":
            await control.select_option(value)
        else:
            await control.fill(value)
    button = (
        found.get_by_role("button") if form.button is None else found.get_by_role("button", name=form.button)
    )
    async with page.expect_event("response", lambda answer: answer.request.method == "POST") as answered:
        await button.first.click()
    assert (await answered.value).status < 500, page.url
    await page.wait_for_load_state()


async def _looks_right(page: Page, *, engine: bool) -> None:
    assert await page.evaluate(WIDER) == 0, page.url
    assert await page.locator("h1").count() == 1, page.url
    assert await page.title(), page.url
    if engine:
        found = await Axe().run(page)
        wrong = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]
        assert wrong == [], page.url


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_every_form_does_what_it_says(site: Site, chromium: Browser, size: tuple[int, int]) -> None:
    known, ids = _of_browsers(site), _ids(site.reader.connection)
    assert set(known) == set(FORMS)
    async with _window(site, chromium, size, script=size == PHONE) as page:
        for path, form in FORMS.items():
            if "{token}" in path:
                await _mails_links(site)
            await page.goto(f"{site.address}{form.page.format(**ids)}")
            await _sends(page, known[path], form)
            await expect(page.locator("body"), path).to_contain_text(form.says)
            await _looks_right(page, engine=False)


async def _mails_links(site: Site) -> None:
    """Those that were mailed before may be of no use any more."""

    def mails(conn: Connection) -> None:
        for purpose in Purpose:
            mailed_links.drop(conn, MINE.account, purpose)
            token = tokens.token_hash(f"a-link-to-{purpose.value}")
            link = MailedLink(MINE.account, purpose, f"new.{MINE.email}")
            mailed_links.add(conn, token, link, now=NOW, expires_at=NOW + timedelta(hours=1))

    await site.writer.write(mails)


# --- all pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [False, True], ids=["lived in", "empty"])
async def test_every_page_is_found_and_fits(site: Site, chromium: Browser, empty: bool) -> None:
    """At the width of the smallest phones, which is that of a desk at 400 %, too."""
    pages = {path: route for path, route in _pages(site).items() if not empty or "{" not in path}
    ids = _ids(site.reader.connection)
    left = [f"{site.address}{path.format(**ids)}" for path in ("/", *UNLINKED)]
    seen, found = set(left), set[str]()
    await _mails_links(site)
    async with _window(site, chromium, PHONE, script=True, number=EMPTY if empty else 0) as page:
        while left:
            url = left.pop(0)
            path = urlsplit(url).path
            kind = next((one for one, route in pages.items() if route.path_regex.match(path)), None)
            if kind is None or kind in found:
                continue
            found.add(kind)
            answer = await page.goto(url)
            assert answer is not None
            assert answer.status == 200, path
            await _looks_right(page, engine=empty)
            for width in (DESK[0], 320):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await page.evaluate(WIDER) == 0, f"{path} at {width}"
            hrefs = await page.eval_on_selector_all(
                "a[href]", "all => all.map(one => one.getAttribute('href'))"
            )
            further = {urljoin(url, href).partition("#")[0] for href in hrefs} - seen
            seen |= further
            left += sorted(one for one in further if one.startswith(f"{site.address}/"))
    assert found == set(pages)


def _pages(site: Site) -> dict[str, Route]:
    """Address → the route of a page that links lead to, or `UNLINKED`."""
    shown = {name.partition(" ")[2]: route for name, route in routes(site).items() if name.startswith("GET")}
    lead_back = {one.partition(" ")[2] for one in LEAD_BACK}
    return {
        path: route
        for path, route in sorted(shown.items(), key=lambda one: "{" in one[0])
        if path not in NO_PAGES | OLD_TEXTS | TO_INSTAGRAM | lead_back
        and not path.startswith(OF_PROGRAMS)
        and "." not in path
    }


# --- what cannot be had ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_what_cannot_be_had_is_said_on_a_page(
    site: Site, chromium: Browser, size: tuple[int, int]
) -> None:
    _breaks(site)
    async with _window(site, chromium, size, script=True) as page:
        for path, status, heading in (
            ("/people/nobody", 404, "There is nothing here"),
            ("/nowhere", 404, "There is nothing here"),
            ("/logout", 405, "That does not work at this address"),
            ("/breaks", 500, "Something went wrong in Pamosnik"),
            (f"/reset/{'x' * 43}", 404, "This link is of no use any more"),
        ):
            answer = await page.goto(f"{site.address}{path}")
            assert answer is not None
            assert answer.status == status, path
            await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
            await _looks_right(page, engine=size == PHONE)
        await _sends_what_is_not_taken(site, page, engine=size == PHONE)


def _breaks(site: Site) -> None:
    """A page of which nobody knows why it fails."""

    async def breaks(_: Request) -> Response:
        raise RuntimeError("on purpose")

    app: object = site.app
    while not isinstance(app, Starlette):
        app = app._app  # type: ignore[attr-defined]
    app.router.routes.append(Route("/breaks", breaks))


async def _sends_what_is_not_taken(site: Site, page: Page, *, engine: bool) -> None:
    """Too much; not from our own page; after its session has ended; a password too often."""
    known, fan = _of_browsers(site), _ids(site.reader.connection)["fan"]
    note, form = known["/people/{id}/note"], FORMS["/people/{id}/note"]

    async def sends(before: str, heading: str) -> None:
        await page.goto(f"{site.address}/people/{fan}")
        await page.evaluate(before)
        await _sends(page, note, form)
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        await _looks_right(page, engine=engine)

    large = "document.querySelector('form[action$=\"/note\"] [name=csrf]').value = 'x'.repeat(70000)"
    await sends(large, "That is too large")
    made_up = "document.querySelector('form[action$=\"/note\"] [name=csrf]').value = 'made up'"
    await sends(made_up, "This form was not taken")
    await page.goto(f"{site.address}/people/{fan}")
    await page.context.clear_cookies()
    await _sends(page, note, form)
    await expect(page.get_by_role("status")).to_contain_text("log in", ignore_case=True)
    await _looks_right(page, engine=engine)
    wrong = Sent("/login", "", {"email": MINE.email, "password": "not the password"})
    for _ in range(20):
        await _sends(page, known["/login"], wrong)
        if "Too many" in await page.get_by_role("alert").inner_text():
            break
    await expect(page.get_by_role("alert")).to_contain_text("Too many failed attempts. Try again in")
    await _looks_right(page, engine=engine)
