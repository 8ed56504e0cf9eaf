"""Logging in and out."""

import asyncio
import hashlib
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.visitors import Visitors
from pamosnik.security import passwords
from pamosnik.store import accounts, login_attempts
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

THROTTLE_WINDOW = timedelta(minutes=15)
FAILURES_PER_EMAIL = 5
FAILURES_IN_ALL = 100
"""Behind a tunnel everybody comes from 127.0.0.1: no address is ever counted."""


class LoginPages:
    def __init__(
        self, pages: Pages, visitors: Visitors, writer: GroupWriter, reader: Database, clock: Clock
    ) -> None:
        self._pages = pages
        self._visitors = visitors
        self._writer = writer
        self._reader = reader
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.login_form, methods=["GET"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
        ]

    async def login_form(self, request: Request) -> Response:
        if self._visitors.of(request) is not None:
            return RedirectResponse("/", 303)
        return self._pages.page("login.html", {"email": "", "problem": None})

    async def login(self, request: Request) -> Response:
        if not self._visitors.reached.same_site(request):
            problem = "Please log in from this page."
            return self._pages.page("login.html", {"email": "", "problem": problem}, 403)
        form = await request.form()
        email, password = str(form.get("email", ""))[:320].strip(), str(form.get("password", ""))[:1000]
        email_hash = hashlib.sha256(email.casefold().encode("utf-8", "replace")).digest()
        conn, now = self._reader.connection, self._clock.now()
        mine, all_ = login_attempts.count(conn, login_attempts.LOGIN, email_hash, now - THROTTLE_WINDOW)
        if mine >= FAILURES_PER_EMAIL or all_ >= FAILURES_IN_ALL:
            problem = "Too many failed attempts. Wait a quarter of an hour and try again."
            return self._pages.page("login.html", {"email": email, "problem": problem}, 429)
        account = accounts.by_email(conn, email)
        stored = passwords.NOBODY if account is None else accounts.password_hash(conn, account.id)
        right = await asyncio.to_thread(passwords.check_password, password, stored)
        if account is None or not right:
            owner = "" if account is None else account.id
            note = partial(login_attempts.note, what=login_attempts.LOGIN, subject=email_hash)
            await self._writer.write(partial(note, now=now, account_id=owner))
            problem = "E-mail or password is wrong."
            return self._pages.page("login.html", {"email": email, "problem": problem}, 401)
        return await self._visitors.let_in(request, account)

    async def logout(self, request: Request) -> Response:
        return await self._visitors.see_out(request)
