"""The page of an account: its holder changes name, e-mail and password, ends sessions, and makes tokens for the API.

Each form leads back to the page, which says what was done; a form that was refused is shown again with what was
typed, but never with a password. What would let a stranger stay who found the browser open asks for the password once
more.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon.account_forms import AccountForms, Parts, Refused, refusals_of, typed, words
from pamosnik.daemon.told_once import Done, ToldOnce
from pamosnik.daemon.visitors import Form, Visitor
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

PATH = "/account"
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


class AccountPages:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._forms = AccountForms(parts)
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
                return self._shown(visitor, refused=refused, typed=typed(form))

        return answer

    async def _details(self, request: Request, visitor: Visitor, form: Form) -> Response:
        with refusals_of("details", "name"):
            name = account_words.name(form.get("name", ""))
        with refusals_of("details", "timezone"):
            timezone = account_words.timezone(form.get("timezone", ""))
        await self._forms.write(visitor, partial(accounts.change, name=name, timezone=timezone))
        return self._done(request, "details")

    async def _email(self, request: Request, visitor: Visitor, form: Form) -> Response:
        """Nothing changes until the link that is mailed to the new address is used. Whether another account has that
        address does not show."""
        if not self._parts.mails.possible:
            raise Refused(
                "email", "No mail server is set, so no address can be confirmed. Nothing was changed."
            )
        with refusals_of("email", "email"):
            email = account_words.email(form.get("email", ""))
        if email.casefold() == visitor.account.email.casefold():
            raise Refused("email", "This is your address already.", field="email")
        await self._forms.require_present(visitor, form, "email")
        await self._take_mail(visitor, "email")
        await self._parts.mails.asked_to_change_email(visitor.account, email)
        return self._done(request, "email")

    async def _keep_email(self, request: Request, visitor: Visitor, _: Form) -> Response:
        await self._forms.write(visitor, holder_links.withdraw_email)
        return self._done(request, "email-kept")

    async def _password(self, request: Request, visitor: Visitor, form: Form) -> Response:
        parts, new = self._parts, form.get("new", "")
        with refusals_of("password", "new"):
            passwords.require_good(new, (visitor.account.name, visitor.account.email))
        if new != form.get("again", ""):
            raise Refused("password", "The two new passwords are not the same.", field="again")
        await self._forms.require_present(visitor, form, "password")
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
        await self._forms.write(visitor, change)
        parts.mails.password_changed(visitor.account)
        response = self._done(request, "password")
        parts.visitors.keep(request, response, session, browser)
        return response

    async def _end_session(self, request: Request, visitor: Visitor, form: Form) -> Response:
        end = partial(accounts.end_session, session_id=form.get("session", ""))
        if not await self._forms.write(visitor, end):
            raise Refused("sessions", "There is no such session, or not any more.", status=404)
        return self._done(request, "session")

    async def _end_other_sessions(self, request: Request, visitor: Visitor, _: Form) -> Response:
        ended = await self._forms.write(
            visitor, partial(accounts.end_all_sessions, but_session=visitor.session.id)
        )
        return self._done(request, "sessions" if ended else "no-sessions")

    async def _make_token(self, _: Request, visitor: Visitor, form: Form) -> Response:
        """The one answer that is no redirect: the token is on this page and nowhere else."""
        await self._forms.require_present(visitor, form, "tokens")
        with refusals_of("tokens", "name"):
            token, text = await self._forms.write(
                visitor, partial(api_tokens.create, name=form.get("name", ""))
            )
        made = {"token": account_overview.token_row(token, visitor.account.timezone), "text": text}
        return self._parts.pages.page("account_new_token.html", {**_header(visitor), **made})

    async def _revoke_token(self, request: Request, visitor: Visitor, _: Form) -> Response:
        token = self._own_token(request, visitor)
        with refusals_of("tokens"):
            await self._forms.write(visitor, partial(api_tokens.revoke, id_or_name=token.id))
        return self._done(request, "token")

    async def _test_mail(self, request: Request, visitor: Visitor, _: Form) -> Response:
        if not self._parts.mails.possible:
            raise Refused("mail", "No mail server is set: nothing was sent.")
        await self._take_mail(visitor, "mail")
        try:
            await self._parts.mails.try_now(visitor.account)
        except MailFailed as error:
            # No 5xx: a proxy may put a page of its own in place of what is told here.
            raise Refused("mail", words(error), status=422) from None
        return self._done(request, "mail")

    # --- what they share -----------------------------------------------------------------------------

    def _done(self, request: Request, word: str) -> Response:
        return self._told.lead_back(word, secure=self._secure(request))

    def _secure(self, request: Request) -> bool:
        return self._parts.reached.by_https(request)

    async def _take_mail(self, visitor: Visitor, section: str) -> None:
        """Counts a mail that the holder asks for."""
        take = partial(throttle.take, limit=throttle.OWN_MAIL, subject=visitor.account.id)
        taken = await self._forms.write_while_in(visitor, take)
        if isinstance(taken, TooOften):
            raise self._forms.too_often(section, "Enough mails for now.", taken)


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
