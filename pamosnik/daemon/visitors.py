"""Who a request comes from: the session behind its cookie, and whether a form was sent from our own page.

A session ends when it was not used for 14 days, and after 90 days in any case. The rows decide that; the cookie only
lasts long enough. A form of somebody who is logged in carries a token that is derived from the session's cookie:
another page can send a form in our visitor's name, but cannot know it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pamosnik.clock import Clock
from pamosnik.daemon import browsers
from pamosnik.daemon.password_checks import Right
from pamosnik.daemon.reached import Reached
from pamosnik.security import tokens
from pamosnik.services import visits
from pamosnik.store import accounts, deletions, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.sessions import Session
from pamosnik.store.writer import GroupWriter

SESSION_COOKIE = "pamosnik_session"
BROWSER_COOKIE = "pamosnik_browser"
_OVER_HTTPS = "__Host-"
"""With this before its name no other host, and no page without encryption, can set a cookie for us."""
_TOKEN_CHARS_AT_MOST = 100

CSRF_FIELD = "csrf"
_CSRF_LABEL = b"pamosnik: a form of this session"
_FIELDS_AT_MOST = 50

Form = Mapping[str, str]


class FormRefused(Exception):
    """It was not sent from our own page, or from one that is out of date. Nothing was done."""


class NotLoggedIn(Exception):
    """It leads to the login."""


class FormTooLate(NotLoggedIn):
    """A form came when its sender's login had ended. Nothing was done, and the login says so."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in."""

    account: Account
    session: Session
    token_hash: bytes = field(repr=False)
    csrf: str = field(repr=False)
    """For the hidden field `csrf` of every form that they are shown."""
    mark: str | None = None
    """What was true of the account before the page that they are shown was read (`status.live`)."""


class Visitors:
    """Sessions are rows: ending one ends it at once."""

    def __init__(self, writer: GroupWriter, reader: Database, clock: Clock, reached: Reached) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._reached = reached

    # --- who it is -----------------------------------------------------------------------------------

    async def of(self, request: Request) -> Visitor | None:
        """None: nobody that is known."""
        token = self.given(request, SESSION_COOKIE)
        if token is None:
            return None
        conn, now = self._reader.connection, self._clock.now()
        session = sessions.by_token(conn, tokens.token_hash(token), now)
        account = None if session is None else accounts.load(conn, session.account_id)
        if session is None or account is None:
            return None
        if visits.is_news(session, now) and self._writer.storage.problem is None:
            # Not while storage refuses: the page that tells so must not wait for it.
            await self._writer.note(partial(visits.seen, session=session, now=now))
        return Visitor(account, session, tokens.token_hash(token), csrf_token(token))

    async def known(self, request: Request) -> Visitor:
        """Raises `NotLoggedIn`."""
        visitor = await self.of(request)
        if visitor is None:
            raise NotLoggedIn
        return visitor

    def browser(self, request: Request) -> str | None:
        """The token that this browser was given when somebody logged in with it; None: nobody did."""
        return self.given(request, BROWSER_COOKIE)

    # --- what they send ------------------------------------------------------------------------------

    async def form(self, request: Request) -> tuple[Visitor, Form]:
        """For every POST behind the login, but leaving: who sends it, and what. Raises `FormRefused` and
        `FormTooLate`."""
        form = await self.open_form(request)
        visitor = await self.of(request)
        if visitor is None:
            raise FormTooLate
        given = form.get(CSRF_FIELD, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, visitor.csrf.encode()):
            raise FormRefused
        return visitor, form

    async def open_form(self, request: Request) -> Form:
        """For every other POST of a page: what anybody sends. Raises `FormRefused`."""
        if not self._reached.same_site(request):
            raise FormRefused
        async with request.form(max_files=0, max_fields=_FIELDS_AT_MOST) as form:
            return {name: value for name, value in form.multi_items() if isinstance(value, str)}

    # --- coming and going ----------------------------------------------------------------------------

    def is_leaving(self, account: Account) -> bool:
        """Whether all of it is being deleted: nobody comes in any more."""
        return accounts.is_deleting(self._reader.connection, account.id)

    def code_of(self, leaving: Account) -> str | None:
        """By which its holder can read how far its deletion is; None: it was not begun on the page."""
        return deletions.code_of(self._reader.connection, leaving.id)

    async def let_in(self, request: Request, right: Right, *, to: str = "/") -> Response | None:
        """Opens a new session in place of the one there was, and leads to this page of ours. None: the password was
        changed since it was compared."""
        token, browser = tokens.new_token(), self.browser(request) or tokens.new_token()
        before = self.given(request, SESSION_COOKIE)
        come = visits.Come(
            right.account.id,
            fitted=right.stored,
            token_hash=tokens.token_hash(token),
            browser=browser,
            before=None if before is None else tokens.token_hash(before),
            called=browsers.label(request.headers.get("user-agent")),
        )
        let_in = partial(visits.let_in, come=come, attempt=right.attempt, now=self._clock.now())
        if await self._writer.write(let_in, urgent=True) is None:
            return None
        response = RedirectResponse(to, 303)
        self.keep(request, response, token, browser)
        return response

    def keep(self, request: Request, response: Response, session: str, browser: str) -> None:
        """Gives this browser the tokens of its session, and of a browser that is known."""
        self.give(request, response, SESSION_COOKIE, session, visits.LASTS_AT_MOST)
        self.know(request, response, browser)

    def know(self, request: Request, response: Response, browser: str) -> None:
        """Gives this browser what tells it from strangers' ones. `browser`: the token."""
        self.give(request, response, BROWSER_COOKIE, browser, visits.BROWSER_KNOWN)

    async def see_out(self, request: Request) -> Response:
        """Ends the session and leads to the login. Without the form's token, too: a page that is out of date must
        still let its reader leave, and being logged out does nobody harm."""
        await self.open_form(request)
        visitor = await self.known(request)
        await self._writer.write(partial(visits.see_out, session=visitor.session, now=self._clock.now()))
        response = RedirectResponse("/login", 303)
        self.give(request, response, SESSION_COOKIE, "", timedelta())
        return response

    # --- cookies -------------------------------------------------------------------------------------

    def _name(self, request: Request, cookie: str) -> str:
        return f"{_OVER_HTTPS}{cookie}" if self._reached.by_https(request) else cookie

    def given(self, request: Request, cookie: str) -> str | None:
        """What this browser was given under the name; None: nothing."""
        value = request.cookies.get(self._name(request, cookie), "")
        return value if 0 < len(value) <= _TOKEN_CHARS_AT_MOST else None

    def give(self, request: Request, response: Response, cookie: str, value: str, lasts: timedelta) -> None:
        """For this browser to keep; for no time takes it away."""
        response.set_cookie(
            self._name(request, cookie),
            value,
            max_age=int(lasts.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._reached.by_https(request),
        )


def csrf_token(session_token: str) -> str:
    """Whoever knows it still cannot tell the session's token."""
    return hmac.new(session_token.encode("utf-8", "replace"), _CSRF_LABEL, hashlib.sha256).hexdigest()
