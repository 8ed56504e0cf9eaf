"""Every address of the daemon, asked for one account with everything that the other one has: each answer is, byte for
byte, the one of a home in which the other account never was."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.config import Config
from pamosnik.daemon.api_reads import READS
from pamosnik.daemon.api_writes import WRITES
from pamosnik.daemon.visitors import CSRF_FIELD, csrf_token
from pamosnik.model.contact import PausedBy
from pamosnik.security import passwords, tokens
from pamosnik.store import accounts, api_tokens, contacts, instagram_logins, mailed_links, sessions
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.consents import How
from pamosnik.store.database import open_database
from pamosnik.store.exports import FOLDER
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.sessions import Session
from pamosnik.store.times import ms
from tests.daemon.site import Answer, Site, open_site
from tests.isolation import world
from tests.isolation.world import MINE, OTHERS, Side

pytestmark = pytest.mark.anyio
NOW = world.NOW + timedelta(minutes=30)
PASSWORD = "three random words"
MAIL = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "pamosnik@home.example"}
"""Nobody is there to take mails; but what is done before one goes is done."""
HASH = passwords.hash_password(PASSWORD)

ANYBODYS = {
    "GET /api/v1/openapi.json",
    "GET /confirm/{token}",
    "GET /connect/instagram/callback",
    "GET /connect/instagram/done",
    "GET /connect/instagram/{token}",
    "GET /deletion/{code}",
    "GET /data-deletion",
    "GET /data-deletion/{key}",
    "GET /flow.css",
    "GET /forgot",
    "GET /healthz",
    "GET /help/errors",
    "GET /icon.svg",
    "GET /l/{token}",
    "GET /live.js",
    "GET /login",
    "GET /privacy",
    "GET /privacy/{key}",
    "GET /readyz",
    "GET /reset/{token}",
    "GET /style.css",
    "GET /terms",
    "GET /terms/{key}",
    "GET /webhooks/instagram",
    "POST /confirm/{token}",
    "POST /forgot",
    "POST /login",
    "POST /reset/{token}",
    "POST /webhooks/instagram",
    "POST /webhooks/instagram/data-deletion",
    "POST /webhooks/instagram/deauthorize",
}
PAGES = {
    "GET /",
    "GET /account",
    "GET /account/data",
    "GET /account/data/connections/{id}",
    "GET /account/data/delete",
    "GET /account/data/exports/{name}",
    "GET /account/data/people/{id}",
    "GET /account/data/progress",
    "GET /account/legal",
    "GET /account/legal/{name}",
    "GET /account/tokens/{token_id}",
    "GET /connect/instagram",
    "GET /days.csv",
    "GET /events",
    "GET /events.csv",
    "GET /flows",
    "GET /flows/{id}",
    "GET /flows/{id}/pause",
    "GET /flows/{id}/versions/{version}",
    "GET /events/missed",
    "GET /events/missed/answer",
    "GET /events/{id}",
    "GET /links.csv",
    "GET /month.html",
    "GET /people",
    "GET /people.csv",
    "GET /posts",
    "GET /posts.csv",
    "GET /queue",
    "GET /queue.csv",
    "GET /queue/{id}",
    "GET /runs.csv",
    "GET /runs/{id}",
    "GET /people/waiting",
    "GET /people/{id}",
    "GET /stats.csv",
    "GET /steps.csv",
}
"""For whoever is logged in."""
PROGRAMS = {f"GET /api/v1/{read.path}" for read in READS} | {"GET /metrics"}
"""For whoever brings an API token."""
FILES = {"new.yaml": "version: 1\nflows: { new: { when: [dm: new], do: [send: New] } }\n"}
BODIES: Mapping[str, object] = {
    "POST /api/v1/contacts/{id}/forget": {},
    "POST /api/v1/contacts/{id}/pause": {"for": "2h"},
    "POST /api/v1/contacts/{id}/resume": {},
    "POST /api/v1/contacts/{id}/set": {"field": "size", "value": "XL"},
    "POST /api/v1/contacts/{id}/tag": {"tags": ["vip"]},
    "POST /api/v1/contacts/{id}/untag": {"tags": ["vip"]},
    "POST /api/v1/events/{id}/replay": {},
    "POST /api/v1/flows/apply": {"files": FILES, "revision": "of another plan"},
    "POST /api/v1/flows/plan": {"files": FILES, "prune": True},
    "POST /api/v1/flows/{id}/pause": {},
    "POST /api/v1/flows/{id}/resume": {},
    "POST /api/v1/flows/{id}/start": {"contact": world.ANNA},
    "POST /api/v1/queue/{id}/cancel": {},
    "POST /api/v1/queue/{id}/retry": {},
    "POST /api/v1/queue/{id}/settle": {"fate": "sent"},
    "POST /api/v1/runs/{id}/cancel": {},
}
"""Likewise: what is sent as JSON."""

FORMS: Mapping[str, Mapping[str, str]] = {
    "POST /account/data/connections/{id}": {"present": PASSWORD},
    "POST /account/data/delete": {"email": "ID", "present": PASSWORD},
    "POST /account/data/export": {"present": "wrong all over", "about": "ID"},
    "POST /account/data/people": {"who": "ID"},
    "POST /account/data/people/{id}/export": {"present": PASSWORD},
    "POST /account/data/people/{id}/forget": {"present": PASSWORD},
    "POST /account/details": {"name": "ID", "timezone": "Europe/Warsaw"},
    "POST /account/email": {"email": "ID", "present": PASSWORD},
    "POST /account/email/keep": {"id": "ID"},
    "POST /account/legal/{name}": {"body": "ID", "do": "publish"},
    "POST /account/mail": {"email": "ID"},
    "POST /account/password": {"present": PASSWORD, "new": "ID", "again": "ID"},
    "POST /account/sessions/end": {"session": "ID"},
    "POST /account/sessions/end-others": {"session": "ID"},
    "POST /account/tokens": {"name": "ID", "present": PASSWORD},
    "POST /account/tokens/{token_id}": {"token": "ID"},
    "POST /flows/{id}/pause": {},
    "POST /flows/{id}/resume": {},
    "POST /events/{id}/message": {"text": "Hello", "key": "k"},
    "POST /events/{id}/private": {"text": "Hello", "key": "k"},
    "POST /events/{id}/public": {"text": "Hello", "key": "k"},
    "POST /events/{id}/replay": {},
    "POST /events/missed/answer": {"events": "ID"},
    "POST /logout": {"session": "ID"},
    "POST /queue/{id}/cancel": {"seen": "queued-0"},
    "POST /queue/{id}/retry": {"seen": "failed-1"},
    "POST /queue/{id}/settle": {"seen": "unknown-1", "fate": "sent"},
    "POST /runs/{id}/cancel": {},
    "POST /people": {"text": "ID"},
    "POST /people/{id}/note": {"note": "ID"},
    "POST /people/{id}/pause": {"for": "2h"},
    "POST /people/{id}/private-reply": {"event": "ID", "text": "ID", "key": "ID"},
    "POST /people/{id}/reply": {"text": "ID", "key": "ID"},
    "POST /people/{id}/resume": {"for": "ID"},
    "POST /people/{id}/set": {"field": "size", "value": "XL"},
    "POST /people/{id}/tag": {"tag": "vip"},
    "POST /people/{id}/unset": {"field": "size"},
    "POST /people/{id}/untag": {"tag": "vip"},
}
"""For whoever is logged in: what is sent beside the form's own token; ID: something of the other account's."""
LEAD_BACK = {form.replace("POST", "GET") for form in FORMS if form.startswith("POST /account/")} - PAGES
"""Asked for by browsers that open a refused form anew."""
NAMES_A_ROW = {"POST /account/data/people", "POST /account/sessions/end", "POST /people"}
HOLDERS = PAGES | LEAD_BACK | set(FORMS)
OF_TWO_NAMES = {"/flows/{id}/versions/{version}"}
"""Nothing is named by the same name twice."""
STREAMS = {"GET /live"}
"""Its answer does not end; tests/daemon/test_live.py reads it."""
NAME_NOTHING = {"/api/v1/account/history", "/api/v1/retention", "/days.csv"}
"""They tell numbers, times and ids of rows."""
_NAMING = ("before", "flow", "connection")
PARAMETERS = {
    f"/api/v1/{read.path}": [word for word in _NAMING if word in read.parameters]
    for read in READS
    if set(_NAMING) & set(read.parameters)
} | {
    "/month.html": ["connection"],
    "/events.csv": ["connection", "flow", "person", "post", "q"],
    "/steps.csv": ["flow"],
}
"""Where something is named behind the question mark."""
LAST = ["POST /account/tokens", "POST /account/password", "POST /logout"]
"""They change what the others show, or end the session."""
BY_KNOWING_IT = {
    "GET /l/{token}": "links.token",
    "GET /confirm/{token}": "link to confirm",
    "GET /connect/instagram/{token}": "login with Instagram",
    "GET /deletion/{code}": "deletion_requests.code",
    "POST /confirm/{token}": "link to confirm",
    "GET /reset/{token}": "link to reset",
    "POST /reset/{token}": "link to reset",
}
"""Whoever has this token is the person it was made for, logged in or not."""


def _of(side: Side, who: str) -> str:
    """The session or API token of an account."""
    return f"pamo_{who}-of-{side.mark}"


def _as(side: Side | None, who: str) -> Mapping[str, str]:
    text = "pamo_made-up" if side is None else _of(side, who)
    return {"cookie": f"pamosnik_session={text}"} if who == "session" else {"authorization": f"Bearer {text}"}


CALLERS: Mapping[str, Mapping[str, str]] = {
    "nobody": {},
    "a made-up session": _as(None, "session"),
    "a made-up token": _as(None, "token"),
    "my session": _as(MINE, "session"),
    "my token": _as(MINE, "token"),
    "both of mine": {**_as(MINE, "session"), **_as(MINE, "token")},
}


@dataclass(frozen=True, slots=True)
class Homes:
    both: Config
    alone: Config
    """The same without the other account."""
    theirs: Mapping[str, str]
    """What the other account has: what it is → an id or name that mine has not."""
    mine: Mapping[str, str]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    folder = tmp_path_factory.mktemp("routes")
    path = world.make(folder / "both")
    with open_database(path) as database:
        for side in (MINE, OTHERS):
            database.write(lambda conn, side=side: may_come_in(conn, side))  # type: ignore[misc]
        theirs, mine = _known(database.connection, OTHERS), _known(database.connection, MINE)
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (folder / "both" / FOLDER).mkdir()
    for side in (MINE, OTHERS):
        (folder / "both" / FOLDER / export_of(side)).write_text(f"Everything of {side.mark}", "utf-8")
    world.without(folder / "both", OTHERS, folder / "alone")
    (folder / "alone" / FOLDER / export_of(OTHERS)).unlink()
    both, alone = (
        config.load({"home": str(folder / name), **MAIL}, environ={}) for name in ("both", "alone")
    )
    return Homes(both, alone, theirs, mine)


def may_come_in(conn: Connection, side: Side) -> None:
    later = NOW + timedelta(days=14)
    session = Session(f"login-{side.mark}", side.account, "", NOW, NOW, later)
    sessions.open_session(conn, tokens.token_hash(_of(side, "session")), session)
    token = ApiToken(f"api-{side.mark}", side.account, f"api of {side.mark}", NOW, NOW)
    api_tokens.insert(conn, token, tokens.token_hash(_of(side, "token")))
    accounts.set_password_hash(conn, side.account, HASH)
    (fan,) = contacts.find(conn, side.account, side.fan)
    contacts.pause(conn, fan, later, PausedBy.HAND_OVER, f"asks for {side.mark}")
    # An export that is older than the end of a deletion is given to nobody.
    conn.execute("UPDATE deletions SET ended_at=began_at WHERE account_id=?", (side.account,))
    for purpose in Purpose:
        link = MailedLink(side.account, purpose, f"new.{side.email}")
        mailed_links.add(conn, tokens.token_hash(_of(side, purpose.value)), link, now=NOW, expires_at=later)
    login = tokens.token_hash(_of(side, "instagram"))
    instagram_logins.add(conn, login, side.account, How.COMMAND, now=NOW, expires_at=later)


def export_of(side: Side) -> str:
    """A file that was made for the page."""
    return f"{side.account}-all-{ms(NOW)}-{side.mark:-<22}.zip"


def _known(conn: Connection, side: Side) -> dict[str, str]:
    """One of everything that has a name."""

    def one(columns: str, table: str, where: str = "1") -> Iterator[tuple[str, str]]:
        for column in columns.split():
            row = conn.execute(
                f"SELECT {column} FROM {table} WHERE account_id=? AND {column} IS NOT NULL AND {where}",
                (side.account,),
            ).fetchone()
            yield f"{table}.{column}", str(row[0])

    return dict(
        [
            ("account", side.account),
            ("e-mail", side.email),
            ("export", export_of(side)),
            ("flow", f"only-{side.mark}"),
            ("username", f"@fan.{side.mark}"),
            ("link to confirm", _of(side, Purpose.CONFIRM_EMAIL.value)),
            ("link to reset", _of(side, Purpose.RESET_PASSWORD.value)),
            ("login with Instagram", _of(side, "instagram")),
            ("session", f"login-{side.mark}"),
            ("API token", f"api-{side.mark}"),
            ("name of an API token", f"api of {side.mark}"),
            *one("connection_id ig_id username", "connections"),
            *one("event_id mid", "events", "mid IS NOT NULL"),
            *one("comment_id", "events"),
            *one("run_id", "runs"),
            *one("item_id message_id", "outbox", "status='sent'"),
            *one("contact_id igsid", "contacts", f"igsid='{side.fan}'"),
            *one("token", "links"),
            *one("session_id", "sessions"),
            *one("token_id", "api_tokens"),
            *one("broadcast_id", "broadcasts"),
            *one("deletion_id", "deletions"),
            *one("code", "deletion_requests"),
            *one("code", "given_codes"),
            *one("first_id", "flow_names"),
            *one("media_id", "posts"),
        ]
    )


@asynccontextmanager
async def _sites(homes: Homes) -> AsyncIterator[tuple[Site, Site]]:
    async with (
        open_site(homes.both, VirtualClock(NOW)) as both,
        open_site(homes.alone, VirtualClock(NOW)) as alone,
    ):
        yield both, alone


# --- the routes --------------------------------------------------------------------------------------------


def routes(site: Site) -> dict[str, Route]:
    """`GET /path/{id}` → the route, of the whole application."""
    app: object = site.app
    while not isinstance(app, Starlette):
        app = app._app  # type: ignore[attr-defined]
    found = {}
    for route in app.routes:
        assert isinstance(route, Route), f"{route} may have routes of its own: look into it here"
        for method in (route.methods or set()) - {"HEAD"}:
            found[f"{method} {route.path}"] = route
    return found


def _address(route: str, name: str) -> str:
    """The route's address, with this wherever something can be named."""
    path, named = route.split()[1], quote(name, safe="")
    if "{" in path:
        return re.sub(r"\{\w+\}", named, path)
    words = PARAMETERS.get(path, ("id", "account", "flow", "before"))
    return f"{path}?{'&'.join(f'{word}={named}' for word in words)}"


async def test_every_route_is_known_here(homes: Homes) -> None:
    """Whoever adds one says for whom it is; the tests below ask it then."""
    async with open_site(homes.both, VirtualClock(NOW)) as site:
        assert set(routes(site)) == ANYBODYS | HOLDERS | PROGRAMS | set(BODIES) | STREAMS
        assert set(BODIES) == {f"POST /api/v1/{write.path}" for write in WRITES}


# --- what they answer --------------------------------------------------------------------------------------


async def test_each_answer_is_as_if_the_other_account_had_never_been(homes: Homes) -> None:
    asked = 0
    async with _sites(homes) as (both, alone):
        before = world.rows_of(both.reader.connection, OTHERS)
        for route in sorted(
            set(routes(both)) - STREAMS, key=lambda one: (one in LAST and LAST.index(one) + 1, one)
        ):
            for caller, how, what in _askings(homes, route):
                name, headers = homes.theirs[what], CALLERS[caller]
                address = _address(route, name)
                form = _form(route, headers, name) if how == "POST" and route not in BODIES else None
                body = BODIES.get(route) if how == "POST" else None
                here, there = await asyncio.gather(
                    *(_ask(one, how, address, headers, form, body) for one in (both, alone))
                )
                assert here == there, (how, address, caller, what)
                said = _text(here)
                # What was asked for may be said again; and some forms keep it.
                for known in homes.theirs.values() if route in LAST else (name, quote(name)):
                    said = said.replace(known, "")
                assert OTHERS.mark not in said, (how, address, caller)
                asked += 1
        after = world.rows_of(both.reader.connection, OTHERS)
    assert asked > 700
    # A wrong password is counted for the address that was tried.
    changed = {table for table in before if before[table] != after[table]} - {"login_attempts"}
    assert changed == set()


def _askings(homes: Homes, route: str) -> Iterator[tuple[str, str, str]]:
    """(caller, method, what is named): everything by whoever the route is for, one thing by everybody."""
    (method, path), own = route.split(), "my token" if route in PROGRAMS | set(BODIES) else "my session"
    if route in ("POST /login", "POST /forgot"):
        yield "nobody", method, "e-mail"
        return
    # What names nothing of mine is refused before a password is compared.
    asks_the_password = "present" in FORMS.get(route, {}) and "{id}" not in path
    if asks_the_password:
        # Each right one takes its time.
        yield from ((own, method, what) for what in ("name of an API token", "e-mail"))
    elif "{" in path or path in PARAMETERS or route in NAMES_A_ROW:
        yield from ((own, method, what) for what in homes.theirs if what != BY_KNOWING_IT.get(route))
    methods = {method, "HEAD"} if f"POST {path}" in ANYBODYS else {method, "HEAD", "POST"}
    for caller, headers in CALLERS.items():
        if not (asks_the_password and headers.get("cookie") == _as(MINE, "session")["cookie"]):
            yield from ((caller, how, "events.event_id") for how in sorted(methods))


def _form(route: str, headers: Mapping[str, str], name: str) -> Mapping[str, str]:
    fields = FORMS.get(route, {"id": "ID", "email": "ID", "password": "wrong all over", "new": PASSWORD})
    session = headers.get("cookie", "").partition("=")[2]
    sent = {field: value.replace("ID", name) for field, value in fields.items()}
    return {**sent, CSRF_FIELD: csrf_token(session)}


async def _ask(
    site: Site,
    method: str,
    address: str,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None,
    body: object = None,
) -> Answer:
    """Without what differs each time."""
    answer = await site.ask(method, address, headers, form, body)
    kept = {name: value for name, value in answer.headers.items() if name != "date"}
    if "set-cookie" in kept:
        kept["set-cookie"] = re.sub(r"=[^;]{20,}", "=…", kept["set-cookie"])
    # A token that was just made, and its id where it is listed.
    new = rb"pamo_[\w-]{40,}|(?<=/account/tokens/)[0-9A-Z]{26}" if method == "POST" else rb"$^"
    return Answer(answer.status, kept, re.sub(new, b"...", answer.body))


def _text(answer: Answer) -> str:
    return f"{answer.headers} {answer.body.decode()}"


async def test_what_the_other_account_has_is_there_for_itself(homes: Homes) -> None:
    """Otherwise the test above would ask for nothing."""
    reached = set()
    async with open_site(homes.both, VirtualClock(NOW)) as site:
        for route in PROGRAMS | PAGES:
            path = route.split()[1]
            who = _as(OTHERS, "token" if route in PROGRAMS else "session")
            for what, name in homes.theirs.items():
                answer = await site.ask("GET", _address(route, name) if "{" in path else path, who)
                if answer.status == 200 and OTHERS.mark in _text(answer):
                    reached.add((path, what))
                    assert MINE.mark not in _text(answer), route
    # The legal texts are edited by the operator, whose account is the oldest one: mine. A login with Instagram
    # shows nothing: it leads there.
    told = {route.split()[1] for route in PROGRAMS | PAGES} - {
        "/account/legal/{name}",
        "/connect/instagram",
        *NAME_NOTHING,
        *OF_TWO_NAMES,
    }
    assert {path for path, _ in reached} == told
    by_name = {what for path, what in reached if "{" in path}
    assert by_name >= {
        *("flow", "username", "connections.username", "connections.ig_id", "events.event_id", "events.mid"),
        *("events.comment_id", "runs.run_id", "outbox.item_id", "outbox.message_id", "contacts.contact_id"),
        "contacts.igsid",
    }


async def test_nobody_and_the_wrong_key_are_sent_away(homes: Homes) -> None:
    async with open_site(homes.both, VirtualClock(NOW)) as site:
        for caller, headers in CALLERS.items():
            keyless = "token" not in caller or caller == "a made-up token"
            for route in PROGRAMS | set(BODIES) if keyless else ():
                if caller != "both of mine":
                    method, path = route.split()
                    answer = await site.ask(method, path, headers)
                    assert answer.status == 401, (route, caller)
                    assert answer.headers["www-authenticate"].startswith("Bearer ")
            for route in HOLDERS if caller in ("nobody", "a made-up session", "my token") else ():
                method, path = route.split()
                answer = await site.ask(method, path, headers)
                told = (answer.status, answer.headers.get("location", "").partition("?")[0])
                assert told in ((303, "/login"), (403, "")), route


async def test_my_numbers_stay_when_the_other_account_gets_a_thousand_events_more(homes: Homes) -> None:
    async with open_site(homes.both, VirtualClock(NOW)) as site:
        addresses = [route.split()[1] for route in PROGRAMS if "{" not in route]
        addresses += ["/readyz", "/month.html", "/"]
        addresses += [route.split()[1] for route in PAGES if route.endswith(".csv")]

        async def said(side: Side) -> list[bytes]:
            who = {**_as(side, "session"), **_as(side, "token")}
            return [(await site.ask("GET", address, who)).body for address in addresses]

        mine, theirs = await said(MINE), await said(OTHERS)
        await site.writer.write(_a_thousand_more)
        assert await said(MINE) == mine
        assert await said(OTHERS) != theirs


def _a_thousand_more(conn: Connection) -> None:
    at = ms(NOW)
    conn.executemany(
        "INSERT INTO events (event_id, account_id, connection_id, kind, dedup_key, igsid, text, occurred_at,"
        " received_at, verdict) VALUES (?,?,?,'message',?,?,'more',?,?,'pending')",
        [
            (
                f"7ZZZZZZZZZZZZZZZZZZZZ{n:05}",
                OTHERS.account,
                OTHERS.connection,
                f"more-{n}",
                OTHERS.fan,
                at,
                at,
            )
            for n in range(1000)
        ],
    )


async def test_a_tracked_link_counts_for_its_own_account(homes: Homes) -> None:
    async with open_site(homes.both, VirtualClock(NOW)) as site:
        before = world.rows_of(site.reader.connection, MINE)
        answer = await site.ask("GET", f"/l/{homes.theirs['links.token']}", _as(MINE, "session"))
        assert (answer.status, MINE.mark in _text(answer)) == (302, False)
        assert world.rows_of(site.reader.connection, MINE) == before
