"""Logging in and out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.daemon.password_checks import PasswordChecks
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.visitors import FormTooLate, Visitors
from pamosnik.services.throttle import TooOften

PASSWORD_CHANGED = "password-changed"  # noqa: S105 - no password
_FORM_TOO_LATE = "form-too-late"
_TOLD = {
    PASSWORD_CHANGED: "Your password is changed. Log in with the new one.",
    _FORM_TOO_LATE: "You were logged out, or the password was changed, before what you sent last came in: it was not"
    " taken. Log in, and see what is missing.",
}
"""What is told by whatever led here, which puts the word in the address."""
_WRONG = "E-mail or password is wrong."
_BEING_DELETED = "This account is being deleted, with everything in it. Nobody can log in to it any more."
_EMAIL_CHARS_AT_MOST = 320
_BACK = "back"
_OF_STATUS = re.compile(r"/(?:flows|events|people|posts|queue|runs)(?:/[A-Za-z0-9_-]{1,64})?")
"""Pages of the status page: whoever follows a link to one has it after the login."""
_LEADS_BACK = ("/account/data/progress", "/account/data", "/account/legal", "/account", "/connect/instagram")
"""Where a login leads whoever wanted a page at or below one of these: to the first that fits, and nowhere else."""


class LoginPages:
    def __init__(self, pages: Pages, visitors: Visitors, checks: PasswordChecks, clock: Clock) -> None:
        self._pages = pages
        self._visitors = visitors
        self._checks = checks
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.login_form, methods=["GET"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
        ]

    async def login_form(self, request: Request) -> Response:
        changed = PASSWORD_CHANGED in request.query_params
        # Whoever is logged in to another account wants to log in to the one whose password is new.
        if not changed and await self._visitors.of(request) is not None:
            return RedirectResponse(_back(request), 303)
        told = next((words for why, words in _TOLD.items() if why in request.query_params), None)
        values = {"email": "", "problem": None, "told": told, "code": None, "back": _back(request)}
        return self._pages.page("login.html", values)

    async def login(self, request: Request) -> Response:
        form = await self._visitors.open_form(request)
        email, password = typed_email(form), form.get("password", "")
        if not email or not password:
            # No guess: programs that only knock at doors use nobody's tries up.
            return self._refused(request, email, _WRONG, 401, {})
        outcome = await self._checks.login(email, password, self._visitors.browser(request))
        if isinstance(outcome, TooOften):
            again = again_in(outcome, self._clock.now())
            problem = f"Too many failed attempts. Try again in {again.words}."
            return self._refused(request, email, problem, 429, again.headers)
        if outcome is None:
            return self._refused(request, email, _WRONG, 401, {})
        if self._visitors.is_leaving(outcome.account):
            code = self._visitors.code_of(outcome.account)
            return self._refused(request, email, _BEING_DELETED, 403, {}, code)
        response = await self._visitors.let_in(request, outcome, to=_back(request))
        if response is None:
            return self._refused(request, email, _WRONG, 401, {})
        # Nobody waits for it.
        response.background = BackgroundTask(self._checks.hash_anew, outcome, password)
        return response

    async def logout(self, request: Request) -> Response:
        return await self._visitors.see_out(request)

    async def not_logged_in(self, request: Request, error: Exception) -> Response:
        """To any request that wants somebody who is. The login leads back to its page."""
        back = _page_of(request.url.path)
        words = [_FORM_TOO_LATE] if isinstance(error, FormTooLate) else []
        words += [f"{_BACK}={back}"] if back != "/" else []
        return RedirectResponse(f"/login?{'&'.join(words)}" if words else "/login", 303)

    async def form_refused(self, _: Request, __: Exception) -> Response:
        """To any form that was not sent from our own page."""
        return self._pages.page("form_refused.html", {}, 403)

    def _refused(
        self,
        request: Request,
        email: str,
        problem: str,
        status: int,
        headers: Mapping[str, str],
        code: str | None = None,
    ) -> Response:
        """`code`: of the deletion of this account."""
        values = {"email": email, "problem": problem, "told": None, "code": code, "back": _back(request)}
        page = self._pages.page("login.html", values, status)
        page.headers.update(headers)
        return page


def _back(request: Request) -> str:
    """Where this login leads to."""
    return _page_of(request.query_params.get(_BACK, ""))


def _page_of(wanted: str) -> str:
    """The one of our pages to show to whoever wanted this address."""
    if _OF_STATUS.fullmatch(wanted):
        return wanted
    fitting = (page for page in _LEADS_BACK if wanted == page or wanted.startswith(f"{page}/"))
    return next(fitting, "/")


@dataclass(frozen=True, slots=True)
class Again:
    """When something may be tried again."""

    words: str
    headers: Mapping[str, str]


def again_in(refused: TooOften, now: datetime) -> Again:
    left_s = max(1, ceil((refused.until - now).total_seconds()))
    minutes = ceil(left_s / 60)
    return Again("a minute" if minutes == 1 else f"{minutes} minutes", {"Retry-After": str(left_s)})


def typed_email(form: Mapping[str, str]) -> str:
    return form.get("email", "")[:_EMAIL_CHARS_AT_MOST].strip()
