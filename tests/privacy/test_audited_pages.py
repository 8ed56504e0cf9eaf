"""Whoever changes something on a page or over the API is in the audit, as whoever does it by command
(`test_audited`): who, what, when, and no name."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from pamosnik._sqlite import Connection
from pamosnik.security import tokens
from pamosnik.services import api_tokens
from pamosnik.store import contacts, mailed_links, sessions
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.sessions import Session
from tests.daemon.front_desk import Browser, FrontDesk, front_desk
from tests.daemon.shop import EMAIL, PASSWORD
from tests.daemon.test_data_pages import open_shop, until_ended
from tests.isolation.test_routes import ANYBODYS, BODIES, FORMS

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "horse battery staple correct"
NEW_EMAIL = "new@shop.example"

READ = {
    "POST /account/data/people": "looks for a person",
    "POST /people": "likewise",
    "POST /api/v1/flows/plan": "looks what would be applied",
}
"""Sent like a change, so that no name stands in an address."""

ELSEWHERE = {
    "POST /account/data/delete": "its audit goes with it: tests/daemon/test_data_pages.py",
    "POST /account/mail": "a test mail changes nothing",
    **{
        f"POST /queue/{{id}}/{verb}": "tests/daemon/test_queue_page.py"
        for verb in ("cancel", "retry", "settle")
    },
    **{
        f"POST /api/v1/queue/{{id}}/{verb}": "tests/daemon/test_queue_page.py"
        for verb in ("cancel", "retry", "settle")
    },
    "POST /runs/{id}/cancel": "tests/daemon/test_queue_page.py",
    "POST /api/v1/runs/{id}/cancel": "tests/daemon/test_queue_page.py",
    **{f"POST /flows/{{id}}/{verb}": "tests/daemon/test_flow_pages.py" for verb in ("pause", "resume")},
    **{
        f"POST /api/v1/flows/{{id}}/{verb}": "tests/daemon/test_flow_pages.py"
        for verb in ("pause", "resume", "start")
    },
    "POST /api/v1/flows/apply": "tests/daemon/test_flow_pages.py",
    **{
        f"POST /events/{{id}}/{verb}": "tests/daemon/test_event_pages.py"
        for verb in ("message", "private", "public")
    },
    **{
        f"POST {address}": "tests/daemon/test_trying_again.py"
        for address in ("/events/{id}/replay", "/events/missed/answer", "/api/v1/events/{id}/replay")
    },
    "POST /people/{id}/private-reply": "tests/daemon/test_people_pages.py",
    "POST /people/{id}/reply": "tests/daemon/test_people_pages.py",
    "POST /people/{id}/set": "tests/daemon/test_people_pages.py",
    "POST /people/{id}/unset": "tests/daemon/test_people_pages.py",
    "POST /forgot": "a mail changes nothing; the new password is noted",
    "POST /webhooks/instagram": "events are their own record",
    "POST /webhooks/instagram/data-deletion": "tests/daemon/test_meta_callbacks.py",
    "POST /webhooks/instagram/deauthorize": "tests/daemon/test_meta_callbacks.py",
}

CHANGES: Mapping[str, tuple[Mapping[str, object], str, str]] = {
    "POST /login": ({"email": EMAIL, "password": PASSWORD}, "page", "login"),
    "POST /people/{id}/note": ({"note": "buys often"}, "page", "contacts note"),
    "POST /people/{id}/pause": ({"for": "2h"}, "page", "contacts pause"),
    "POST /people/{id}/resume": ({}, "page", "contacts resume"),
    "POST /people/{id}/tag": ({"tag": "new"}, "page", "contacts tag"),
    "POST /people/{id}/untag": ({"tag": "new"}, "page", "contacts untag"),
    "POST /account/details": ({"name": "Another", "timezone": "UTC"}, "page", "account changed"),
    "POST /account/email": ({"email": NEW_EMAIL, "present": PASSWORD}, "page", "another e-mail asked for"),
    "POST /account/email/keep": ({}, "page", "another e-mail taken back"),
    "POST /account/legal/{name}": ({"body": "## Ours", "do": "publish"}, "page", "legal text published"),
    "POST /account/sessions/end": ({"session": "ANOTHER"}, "page", "session ended"),
    "POST /account/sessions/end-others": ({}, "page", "sessions ended"),
    "POST /account/tokens": ({"name": "script", "present": PASSWORD}, "page", "api token made"),
    "POST /account/tokens/{token_id}": ({}, "page", "api token revoked"),
    "POST /account/password": (
        {"present": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD},
        "page",
        "password changed",
    ),
    "POST /api/v1/contacts/{id}/pause": ({"for": "2h"}, "api", "contacts pause"),
    "POST /api/v1/contacts/{id}/resume": ({}, "api", "contacts resume"),
    "POST /api/v1/contacts/{id}/tag": ({"tags": ["new"]}, "api", "contacts tag"),
    "POST /api/v1/contacts/{id}/untag": ({"tags": ["new"]}, "api", "contacts untag"),
    "POST /api/v1/contacts/{id}/set": ({"field": "size", "value": None}, "api", "contacts unset"),
    "POST /account/data/export": ({"present": NEW_PASSWORD}, "page", "export asked for"),
    "POST /account/data/people/{id}/export": ({"present": NEW_PASSWORD}, "page", "export asked for"),
    "POST /account/data/people/{id}/forget": ({"present": NEW_PASSWORD}, "page", "deletion: page"),
    "POST /api/v1/contacts/{id}/forget": ({}, "api", "deletion: api"),
    "POST /account/data/connections/{id}": ({"present": NEW_PASSWORD}, "page", "deletion: page"),
    "POST /logout": ({}, "page", "logout"),
    "POST /confirm/{token}": ({}, "page", "account changed"),
    "POST /reset/{token}": ({"new": PASSWORD, "again": PASSWORD}, "page", "password changed"),
}
"""What is sent, in the order in which it can be done; then who the audit names, and how the action begins."""


def test_every_address_that_changes_something_is_known_here() -> None:
    sent = {route for route in (*ANYBODYS, *FORMS, *BODIES) if route.startswith("POST ")}
    assert sent == {*READ, *ELSEWHERE, *CHANGES}


async def test_whatever_a_page_or_a_program_changes_is_in_the_audit(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        places = desk.database.write(lambda conn: _furnish(conn, desk))
        browser, program = desk.browser(), desk.browser(Authorization=f"Bearer {places['API TOKEN']}")
        for route, (sent, actor, action) in CHANGES.items():
            if route in ("POST /confirm/{token}", "POST /reset/{token}"):
                desk.database.write(lambda conn: _mail_links(conn, desk))
            # What was taken away at this very moment would be in no export.
            desk.clock.move_to(desk.clock.now() + timedelta(seconds=1))
            before, address = len(_noted(desk)), _address(desk, places, route)
            if route in BODIES:
                status = await _call(program, address, sent)
            else:
                status = await _send(browser, address, sent)
            assert status in (200, 202, 303), (route, status)
            noted = _noted(desk)[before:]
            assert [(by, what.startswith(action)) for by, what, _ in noted] == [(actor, True)], (route, noted)
            assert all(_names_nobody(subject) for _, _, subject in noted), noted
            if route.endswith("/export"):
                await until_ended(desk, browser)


def _furnish(conn: Connection, desk: FrontDesk) -> Mapping[str, str]:
    """Two shops that know somebody, two logins elsewhere, an API token: what stands in addresses for each."""
    account, now = desk.account, desk.clock.now()
    _, first = open_shop(conn, desk, account, "shop")
    connection_id, second = open_shop(conn, desk, account, "tulip")
    contact = contacts.load(conn, second)
    assert contact is not None
    contacts.set_field(conn, contact, "size", "M", now, counted=True)
    for name in ("ANOTHER", "YET-ANOTHER"):
        one = Session(name, account.id, "", now, now, now + timedelta(days=1))
        sessions.open_session(conn, tokens.token_hash(name), one)
    _, text = api_tokens.create(conn, account.id, "of-this-test", actor="command", now=now)
    return {
        "API TOKEN": text,
        "/api/v1/contacts/{id}": second,
        "/people/{id}": second,
        "/account/data/people/{id}": first,
        "/account/data/connections/{id}": connection_id,
        "/account/legal/{name}": "terms",
        "/confirm/{token}": "to-confirm",
        "/reset/{token}": "to-reset",
    }


def _mail_links(conn: Connection, desk: FrontDesk) -> None:
    """A new password voids those of before."""
    now = desk.clock.now()
    for purpose, token in ((Purpose.CONFIRM_EMAIL, "to-confirm"), (Purpose.RESET_PASSWORD, "to-reset")):
        mailed_links.drop(conn, desk.account.id, purpose)
        link = MailedLink(desk.account.id, purpose, NEW_EMAIL)
        mailed_links.add(conn, tokens.token_hash(token), link, now=now, expires_at=now + timedelta(hours=1))


def _address(desk: FrontDesk, places: Mapping[str, str], route: str) -> str:
    path = route.removeprefix("POST ")
    (newest_token,) = desk.conn.execute("SELECT max(token_id) FROM api_tokens").fetchone()
    named = {**places, "/account/tokens/{token_id}": newest_token}
    for place, name in named.items():
        if path.startswith(place):
            return path.replace(place[place.index("{") :], name)
    return path


async def _send(browser: Browser, address: str, sent: Mapping[str, object]) -> int:
    inside = address.startswith(("/account", "/logout", "/people"))
    form = {**sent, "csrf": await browser.csrf("/account")} if inside else sent
    return (await browser.post(address, None, **{name: str(value) for name, value in form.items()})).status


async def _call(program: Browser, address: str, sent: Mapping[str, object]) -> int:
    async with (
        aiohttp.ClientSession(headers=program.headers) as session,
        session.post(f"{program.address}{address}", json=sent) as answer,
    ):
        return answer.status


def _noted(desk: FrontDesk) -> list[tuple[str, str, str | None]]:
    """By whoever is at a page, or a program: the daemon, and the export's own process, note what they do as well."""
    asked = "SELECT actor, action, subject FROM audit WHERE actor IN ('page', 'api') ORDER BY id"
    return [(actor, action, subject) for actor, action, subject in desk.conn.execute(asked)]


def _names_nobody(subject: str | None) -> bool:
    """None, an id of ours, or a word of ours."""
    return subject is None or re.fullmatch(r"[0-9A-Za-z_ -]{1,64}", subject) is not None
