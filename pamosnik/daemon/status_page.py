"""The status page: login, and one plain page of health, counts and the last events. No script needed."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from importlib import resources
from urllib.parse import urlsplit

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.security import passwords, tokens
from pamosnik.services import reading
from pamosnik.store import accounts
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

COOKIE = "pamosnik_session"
SESSION_LASTS = timedelta(days=14)
THROTTLE_WINDOW = timedelta(minutes=15)
FAILURES_PER_EMAIL = 5
FAILURES_IN_ALL = 100
"""Behind a tunnel everybody comes from 127.0.0.1: no address is ever counted."""
EVENTS_SHOWN = 50


class StatusPage:
    """Pages behind login. Sessions are rows: ending one ends it at once."""

    def __init__(self, writer: GroupWriter, reader: Database, clock: Clock, *, secure: bool) -> None:
        """`secure`: the page is reached over https, so the cookie must not travel without it."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._secure = secure
        self._pages = jinja2.Environment(
            loader=jinja2.PackageLoader("pamosnik.daemon", "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._style = resources.files("pamosnik.daemon").joinpath("pages", "style.css").read_text("utf-8")

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home),
            Route("/login", self.login_form, methods=["GET"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/style.css", self.style),
        ]

    async def style(self, _: Request) -> Response:
        return Response(self._style, media_type="text/css")

    async def home(self, request: Request) -> Response:
        account = self._account(request)
        if account is None:
            return RedirectResponse("/login", 303)
        now = self._clock.now()
        problem = self._writer.storage.problem
        refused = None if problem is None else (problem.message, problem.hint or "")
        storage = reading.storage(refused, self._reader.wal_bytes())
        view = self._reader.read(
            partial(reading.overview, account=account, events=EVENTS_SHOWN, now=now, storage=storage)
        )
        return self._page("home.html", {"account": account, "view": view})

    async def login_form(self, request: Request) -> Response:
        if self._account(request) is not None:
            return RedirectResponse("/", 303)
        return self._page("login.html", {"email": "", "problem": None})

    async def login(self, request: Request) -> Response:
        if not _same_site(request):
            return self._page("login.html", {"email": "", "problem": "Please log in from this page."}, 403)
        form = await request.form()
        email, password = str(form.get("email", ""))[:320].strip(), str(form.get("password", ""))[:1000]
        email_hash = hashlib.sha256(email.casefold().encode("utf-8", "replace")).digest()
        now = self._clock.now()
        mine, all_ = accounts.failed_logins(self._reader.connection, email_hash, now - THROTTLE_WINDOW)
        if mine >= FAILURES_PER_EMAIL or all_ >= FAILURES_IN_ALL:
            problem = "Too many failed attempts. Wait a quarter of an hour and try again."
            return self._page("login.html", {"email": email, "problem": problem}, 429)
        account = accounts.by_email(self._reader.connection, email)
        stored = passwords.NOBODY
        if account is not None:
            stored = accounts.password_hash(self._reader.connection, account.id)
        right = await asyncio.to_thread(passwords.check_password, password, stored)
        if account is None or not right:
            owner = "" if account is None else account.id
            await self._writer.write(
                partial(accounts.note_failed_login, account_id=owner, email_hash=email_hash, now=now)
            )
            problem = "E-mail or password is wrong."
            return self._page("login.html", {"email": email, "problem": problem}, 401)
        return await self._open_session(account)

    async def _open_session(self, account: Account) -> Response:
        token = tokens.new_token()
        await self._writer.write(
            partial(
                accounts.open_session,
                token_hash=tokens.token_hash(token),
                account_id=account.id,
                now=self._clock.now(),
                lasts=SESSION_LASTS,
            )
        )
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LASTS.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )
        return response

    async def logout(self, request: Request) -> Response:
        token = request.cookies.get(COOKIE)
        if token is not None and _same_site(request):
            await self._writer.write(partial(accounts.close_session, token_hash=tokens.token_hash(token)))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    def _account(self, request: Request) -> Account | None:
        token = request.cookies.get(COOKIE)
        if token is None:
            return None
        conn = self._reader.connection
        account_id = accounts.session_account(conn, tokens.token_hash(token), self._clock.now())
        return None if account_id is None else accounts.load(conn, account_id)

    def _page(self, name: str, values: Mapping[str, object], status: int = 200) -> Response:
        return HTMLResponse(self._pages.get_template(name).render(values), status)


def _same_site(request: Request) -> bool:
    """Whether a form was sent from our own page. Browsers say so; what says nothing is no browser."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
