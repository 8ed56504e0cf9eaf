"""What is reached without a login: asking for a new password, and the links that are mailed to holders.

Mail programs open links by themselves to look at them: a GET shows, and changes nothing. What a link is for happens
when its form is sent.
"""

from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.login_pages import PASSWORD_CHANGED, again_in, typed_email
from pamosnik.daemon.password_checks import PasswordChecks
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.visitors import Form, Visitors
from pamosnik.errors import UsageError
from pamosnik.security import passwords, tokens
from pamosnik.services import holder_links, visits
from pamosnik.services.holder_links import CONFIRM_PATH, RESET_PATH
from pamosnik.services.throttle import TooOften
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.walls import write_for
from pamosnik.store.writer import GroupWriter

FORGOT_PATH = "/forgot"
_ASKED = "asked"


class Forgotten:
    def __init__(
        self,
        pages: Pages,
        visitors: Visitors,
        checks: PasswordChecks,
        mails: AccountMails,
        writer: GroupWriter,
        reader: Database,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._visitors = visitors
        self._checks = checks
        self._mails = mails
        self._writer = writer
        self._reader = reader
        self._clock = clock

    def routes(self) -> list[Route]:
        reset, confirm = f"{RESET_PATH}{{token}}", f"{CONFIRM_PATH}{{token}}"
        return [
            Route(FORGOT_PATH, self.forgot_form, methods=["GET"]),
            Route(FORGOT_PATH, self.forgot, methods=["POST"]),
            Route(reset, self.reset_form, methods=["GET"]),
            Route(reset, self.reset, methods=["POST"]),
            Route(confirm, self.confirm_form, methods=["GET"]),
            Route(confirm, self.confirm, methods=["POST"]),
        ]

    # --- asking for a link ---------------------------------------------------------------------------

    async def forgot_form(self, request: Request) -> Response:
        return self._forgot(asked=_ASKED in request.query_params)

    async def forgot(self, request: Request) -> Response:
        """The same answer, as soon, whether or not anybody has this e-mail."""
        form = await self._visitors.open_form(request)
        email = typed_email(form)
        if not self._mails.possible:
            return self._forgot()
        if not email:
            return self._forgot(problem="Type your e-mail address.", status=422)
        ask = partial(visits.ask_for_link, email=email, browser=self._visitors.browser(request))
        refused = await self._writer.write(partial(ask, now=self._clock.now()))
        if isinstance(refused, TooOften):
            again = again_in(refused, self._clock.now())
            problem = f"Links were asked for too often. Try again in {again.words}."
            page = self._forgot(email=email, problem=problem, status=429)
            page.headers.update(again.headers)
            return page
        self._mails.asked_to_reset(email)
        return RedirectResponse(f"{FORGOT_PATH}?{_ASKED}", 303)

    def _forgot(
        self, *, email: str = "", problem: str | None = None, asked: bool = False, status: int = 200
    ) -> Response:
        values = {"email": email, "problem": problem, "asked": asked, "possible": self._mails.possible}
        return self._pages.page("forgot.html", values, status)

    # --- a new password ------------------------------------------------------------------------------

    async def reset_form(self, request: Request) -> Response:
        account = self._account_of(request, Purpose.RESET_PASSWORD)
        return self._useless_reset() if account is None else self._reset(account)

    async def reset(self, request: Request) -> Response:
        form = await self._visitors.open_form(request)
        account = self._account_of(request, Purpose.RESET_PASSWORD)
        if account is None:
            return self._useless_reset()
        problem = _problem_of(form, account)
        if problem is not None:
            return self._reset(account, problem, 422)
        hashed = await self._checks.hashed(form.get("new", ""))
        browser = tokens.new_token()
        use = partial(
            holder_links.reset_password,
            account=account,
            token_hash=tokens.token_hash(request.path_params["token"]),
            password_hash=hashed,
            browser=browser,
            now=self._clock.now(),
        )
        if not await self._writer.write(write_for(account.id, use)):
            return self._useless_reset()
        self._mails.password_changed(account)
        response = RedirectResponse(f"/login?{PASSWORD_CHANGED}", 303)
        self._visitors.know(request, response, browser)
        return response

    def _reset(self, account: Account, problem: str | None = None, status: int = 200) -> Response:
        return self._pages.page("reset.html", {"email": account.email, "problem": problem}, status)

    def _useless_reset(self) -> Response:
        return self._pages.page("useless_link.html", {"reset": True}, 404)

    # --- another e-mail ------------------------------------------------------------------------------

    async def confirm_form(self, request: Request) -> Response:
        found = self._meant(request, Purpose.CONFIRM_EMAIL)
        if found is None:
            return self._useless_confirmation()
        link, account = found
        return self._pages.page("confirm.html", {"name": account.name, "email": link.email, "done": False})

    async def confirm(self, request: Request) -> Response:
        await self._visitors.open_form(request)
        before = self._account_of(request, Purpose.CONFIRM_EMAIL)
        if before is None:
            return self._useless_confirmation()
        use = partial(
            holder_links.confirm_email,
            account=before,
            token_hash=tokens.token_hash(request.path_params["token"]),
            now=self._clock.now(),
        )
        after = await self._writer.write(write_for(before.id, use))
        if after is None:
            return self._useless_confirmation()
        if after.email != before.email:
            self._mails.email_changed(before, after.email)
        return self._pages.page("confirm.html", {"name": after.name, "email": after.email, "done": True})

    def _useless_confirmation(self) -> Response:
        return self._pages.page("useless_link.html", {"reset": False}, 404)

    # --- links ---------------------------------------------------------------------------------------

    def _meant(self, request: Request, purpose: Purpose) -> tuple[MailedLink, Account] | None:
        conn, token = self._reader.connection, request.path_params["token"]
        return holder_links.meant(conn, token, purpose, self._clock.now())

    def _account_of(self, request: Request, purpose: Purpose) -> Account | None:
        found = self._meant(request, purpose)
        return None if found is None else found[1]


def _problem_of(form: Form, account: Account) -> str | None:
    """What is wrong with the new password."""
    new = form.get("new", "")
    try:
        passwords.require_good(new, (account.name, account.email))
    except UsageError as error:
        return f"{error.message} {error.hint or ''}".strip()
    return None if new == form.get("again", "") else "The two passwords are not the same."
