"""The page of an account: its holder changes name, e-mail and password, ends sessions, and makes tokens for the API.

Each form leads back to the page, which says what was done; a form that was refused is shown again with what was
typed, but never with a password. What would let a stranger stay who found the browser open asks for the password once
more.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.login_pages import again_in
from pamosnik.daemon.password_checks import PasswordChecks
from pamosnik.daemon.reached import Reached
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.told_once import Done, ToldOnce
from pamosnik.daemon.visitors import Form, FormTooLate, Visitor, Visitors
from pamosnik.errors import HomeError, PamosnikError
from pamosnik.mail import MailFailed
from pamosnik.security import passwords, tokens
from pamosnik.services import (
    account_overview,
    account_words,
    accounts,
    api_tokens,
    holder_links,
    throttle,
    visits,
)
from pamosnik.services.throttle import TooOften
from pamosnik.store import sessions
from pamosnik.store.database import Database
from pamosnik.store.walls import Walled, write_for
from pamosnik.store.writer import GroupWriter

PATH = "/account"
_ACTOR = "page"
_NEVER_SHOWN_AGAIN = ("csrf", "present", "new", "again")
_DONE = {
    "details": Done("details", "Saved."),
    "email": Done("email", "The mail is on its way. Open the link in it to confirm the new address."),
    "email-kept": Done("email", "Taken back: the address stays as it is."),
    "password": Done("password", "Your password is changed. Every other browser is logged out."),
    "session": Done("sessions", "The session is ended."),
    "sessions": Done("sessions", "All other sessions are ended."),
    "no-sessions": Done("sessions", "There was no other session."),
    "token": Done("tokens", "The token is revoked: it opens nothing any more."),
    "mail": Done(
        "mail", "The mail server took the test mail. Look into your mailbox, and into the spam folder."
    ),
}

Handler = Callable[[Request, Visitor, Form], Awaitable[Response]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the page is made with."""

    pages: Pages
    visitors: Visitors
    reached: Reached
    checks: PasswordChecks
    mails: AccountMails
    writer: GroupWriter
    reader: Database
    own: Walled
    clock: Clock
    operator_email: str | None


class Refused(Exception):
    """A form that is shown again, with what is wrong."""

    def __init__(
        self,
        section: str,
        message: str,
        *,
        field: str | None = None,
        status: int = 422,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`field`: which one of the section's is wrong."""
        super().__init__(message)
        self.section = section
        self.message = message
        self.field = field
        self.status = status
        self.headers = headers or {}


class AccountPages:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._told = ToldOnce(PATH, _DONE)

    def routes(self) -> list[Route]:
        forms: Mapping[str, Handler] = {
            "details": self._details,
            "email": self._email,
            "email/keep": self._keep_email,
            "password": self._password,
            "sessions/end": self._end_session,
            "sessions/end-others": self._end_other_sessions,
            "tokens": self._make_token,
            "tokens/{token_id}": self._revoke_token,
            "mail": self._test_mail,
        }
        asks = f"{PATH}/tokens/{{token_id}}"
        return [
            Route(PATH, self.page, methods=["GET"]),
            Route(asks, self.token, methods=["GET"]),
            *(Route(f"{PATH}/{path}", self._form(do), methods=["POST"]) for path, do in forms.items()),
            *(
                Route(f"{PATH}/{path}", self.back, methods=["GET"])
                for path in forms
                if f"{PATH}/{path}" != asks
            ),
        ]

    # --- what is shown -------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        visitor = await self._parts.visitors.known(request)
        done = self._told.heard(request)
        response = self._shown(visitor, done=done)
        if done is not None:
            self._told.forget(response, secure=self._secure(request))
        return response

    async def back(self, request: Request) -> Response:
        """Browsers ask for a form's address when they open a page anew that showed what was refused."""
        await self._parts.visitors.known(request)
        return RedirectResponse(PATH, 303)

    async def token(self, request: Request) -> Response:
        """Asks before one is revoked."""
        visitor = await self._parts.visitors.known(request)
        try:
            token = self._own_token(request, visitor)
        except Refused as refused:
            return self._shown(visitor, refused=refused)
        return self._parts.pages.page("account_token.html", {**_header(visitor), "token": token})

    def _shown(
        self,
        visitor: Visitor,
        *,
        done: Done | None = None,
        refused: Refused | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        parts, account = self._parts, visitor.account
        read = partial(
            account_overview.overview, account=account, session=visitor.session, now=parts.clock.now()
        )
        values = {
            "view": parts.own.read(account.id, read),
            "zones": account_overview.zones(account.timezone),
            "others_go": account_overview.where_others_go(
                parts.reader.connection, account, parts.operator_email
            ),
            "mail_possible": parts.mails.possible,
            "shortest_password": passwords.SHORTEST,
            "done": done,
            "refused": refused,
            "typed": typed or {},
        }
        status, headers = (200, {}) if refused is None else (refused.status, refused.headers)
        response = parts.pages.page("account.html", {**_header(visitor), **values}, status)
        response.headers.update(headers)
        return response

    def _own_token(self, request: Request, visitor: Visitor) -> account_overview.TokenRow:
        """The one that the address names. Raises `Refused`."""
        read = partial(
            account_overview.token, account=visitor.account, token_id=request.path_params["token_id"]
        )
        token = self._parts.own.read(visitor.account.id, read)
        if token is None:
            raise Refused("tokens", "There is no such token, or not any more.", status=404)
        return token

    # --- forms ---------------------------------------------------------------------------------------

    def _form(self, do: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visitor, form = await self._parts.visitors.form(request)
            try:
                return await do(request, visitor, form)
            except Refused as refused:
                typed = {name: value for name, value in form.items() if name not in _NEVER_SHOWN_AGAIN}
                return self._shown(visitor, refused=refused, typed=typed)

        return answer

    async def _details(self, request: Request, visitor: Visitor, form: Form) -> Response:
        with _refusals_of("details", "name"):
            name = account_words.name(form.get("name", ""))
        with _refusals_of("details", "timezone"):
            timezone = account_words.timezone(form.get("timezone", ""))
        await self._write(visitor, partial(accounts.change, name=name, timezone=timezone))
        return self._done(request, "details")

    async def _email(self, request: Request, visitor: Visitor, form: Form) -> Response:
        """Nothing changes until the link that is mailed to the new address is used. Whether another account has that
        address does not show."""
        if not self._parts.mails.possible:
            raise Refused(
                "email", "No mail server is set, so no address can be confirmed. Nothing was changed."
            )
        with _refusals_of("email", "email"):
            email = account_words.email(form.get("email", ""))
        if email.casefold() == visitor.account.email.casefold():
            raise Refused("email", "This is your address already.", field="email")
        await self._require_present(visitor, form, "email")
        await self._take_mail(visitor, "email")
        await self._parts.mails.asked_to_change_email(visitor.account, email)
        return self._done(request, "email")

    async def _keep_email(self, request: Request, visitor: Visitor, _: Form) -> Response:
        await self._write(visitor, holder_links.withdraw_email)
        return self._done(request, "email-kept")

    async def _password(self, request: Request, visitor: Visitor, form: Form) -> Response:
        parts, new = self._parts, form.get("new", "")
        with _refusals_of("password", "new"):
            passwords.require_good(new, (visitor.account.name, visitor.account.email))
        if new != form.get("again", ""):
            raise Refused("password", "The two new passwords are not the same.", field="again")
        await self._require_present(visitor, form, "password")
        if new == form.get("present"):
            raise Refused("password", "The account has this password already.", field="new")
        session, browser = tokens.new_token(), tokens.new_token()
        change = partial(
            _set_password,
            password_hash=await parts.checks.hashed(new),
            session_id=visitor.session.id,
            session_hash=tokens.token_hash(session),
            browser=browser,
        )
        await self._write(visitor, change)
        parts.mails.password_changed(visitor.account)
        response = self._done(request, "password")
        parts.visitors.keep(request, response, session, browser)
        return response

    async def _end_session(self, request: Request, visitor: Visitor, form: Form) -> Response:
        end = partial(accounts.end_session, session_id=form.get("session", ""))
        if not await self._write(visitor, end):
            raise Refused("sessions", "There is no such session, or not any more.", status=404)
        return self._done(request, "session")

    async def _end_other_sessions(self, request: Request, visitor: Visitor, _: Form) -> Response:
        ended = await self._write(visitor, partial(accounts.end_all_sessions, but_session=visitor.session.id))
        return self._done(request, "sessions" if ended else "no-sessions")

    async def _make_token(self, _: Request, visitor: Visitor, form: Form) -> Response:
        """The one answer that is no redirect: the token is on this page and nowhere else."""
        await self._require_present(visitor, form, "tokens")
        with _refusals_of("tokens", "name"):
            token, text = await self._write(visitor, partial(api_tokens.create, name=form.get("name", "")))
        made = {"token": account_overview.token_row(token, visitor.account.timezone), "text": text}
        return self._parts.pages.page("account_new_token.html", {**_header(visitor), **made})

    async def _revoke_token(self, request: Request, visitor: Visitor, _: Form) -> Response:
        token = self._own_token(request, visitor)
        with _refusals_of("tokens"):
            await self._write(visitor, partial(api_tokens.revoke, id_or_name=token.id))
        return self._done(request, "token")

    async def _test_mail(self, request: Request, visitor: Visitor, _: Form) -> Response:
        if not self._parts.mails.possible:
            raise Refused("mail", "No mail server is set: nothing was sent.")
        await self._take_mail(visitor, "mail")
        try:
            await self._parts.mails.try_now(visitor.account)
        except MailFailed as error:
            # No 5xx: a proxy may put a page of its own in place of what is told here.
            raise Refused("mail", _words(error), status=422) from None
        return self._done(request, "mail")

    # --- what they share -----------------------------------------------------------------------------

    def _done(self, request: Request, word: str) -> Response:
        return self._told.lead_back(word, secure=self._secure(request))

    def _secure(self, request: Request) -> bool:
        return self._parts.reached.by_https(request)

    async def _write(self, visitor: Visitor, verb: Callable[..., T]) -> T:
        """One of the services' verbs, as `_write_while_in`."""
        return await self._write_while_in(visitor, partial(verb, actor=_ACTOR))

    async def _write_while_in(self, visitor: Visitor, fn: Callable[..., T]) -> T:
        """For this account, now and within its walls. Raises `FormTooLate` when the session was ended, or got another
        token, since the request came: comparing a password takes its time."""
        account_id, now = visitor.account.id, self._parts.clock.now()

        def while_in(conn: Connection) -> T:
            if sessions.by_token(conn, visitor.token_hash, now) is None:
                raise FormTooLate
            return fn(conn, account_id=account_id, now=now)

        return await self._parts.writer.write(write_for(account_id, while_in))

    async def _require_present(self, visitor: Visitor, form: Form, section: str) -> None:
        outcome = await self._parts.checks.is_present(visitor.account.id, form.get("present", ""))
        if isinstance(outcome, TooOften):
            raise self._too_often(section, "Too many wrong passwords.", outcome)
        if not outcome:
            raise Refused(section, "The present password is wrong.", field="present")

    async def _take_mail(self, visitor: Visitor, section: str) -> None:
        """Counts a mail that the holder asks for."""
        take = partial(throttle.take, limit=throttle.OWN_MAIL, subject=visitor.account.id)
        taken = await self._write_while_in(visitor, take)
        if isinstance(taken, TooOften):
            raise self._too_often(section, "Enough mails for now.", taken)

    def _too_often(self, section: str, what: str, outcome: TooOften) -> Refused:
        again = again_in(outcome, self._parts.clock.now())
        return Refused(section, f"{what} Try again in {again.words}.", status=429, headers=again.headers)


def _set_password(
    conn: Connection,
    account_id: str,
    *,
    password_hash: str,
    session_id: str,
    session_hash: bytes,
    browser: str,
    actor: str,
    now: datetime,
) -> None:
    """This session goes on and this browser stays known, with other tokens: somebody may have copied the old ones."""
    accounts.set_password(conn, account_id, password_hash, but_session=session_id, actor=actor, now=now)
    sessions.renew(conn, account_id, session_id, session_hash)
    visits.know_browser(conn, browser, account_id, now)


def _header(visitor: Visitor) -> Mapping[str, object]:
    return {"account": visitor.account, "csrf": visitor.csrf, "page": PATH}


@contextmanager
def _refusals_of(section: str, field: str | None = None) -> Iterator[None]:
    """What a service refuses is told in the section; what storage refuses is no mistake of the visitor's."""
    try:
        yield
    except HomeError:
        raise
    except PamosnikError as error:
        raise Refused(section, _words(error), field=field) from None


def _words(error: PamosnikError) -> str:
    return error.message if error.hint is None else f"{error.message} {error.hint}"
