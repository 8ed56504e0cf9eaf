"""Who a request comes from: the session behind its cookie."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pamosnik.clock import Clock
from pamosnik.daemon.reached import Reached
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.store import accounts, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.sessions import Session
from pamosnik.store.writer import GroupWriter

COOKIE = "pamosnik_session"
SESSION_LASTS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in."""

    account: Account
    session: Session


class Visitors:
    """Sessions are rows: ending one ends it at once."""

    def __init__(self, writer: GroupWriter, reader: Database, clock: Clock, reached: Reached) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self.reached = reached

    def of(self, request: Request) -> Visitor | None:
        """None: nobody that is known."""
        token = request.cookies.get(COOKIE)
        if token is None:
            return None
        conn = self._reader.connection
        session = sessions.by_token(conn, tokens.token_hash(token), self._clock.now())
        account = None if session is None else accounts.load(conn, session.account_id)
        return None if session is None or account is None else Visitor(account, session)

    async def let_in(self, request: Request, account: Account) -> Response:
        """Opens a session and leads to the first page."""
        token, now = tokens.new_token(), self._clock.now()
        session = Session(new_id(now), account.id, "", now, now, now + SESSION_LASTS)
        await self._writer.write(
            partial(sessions.open_session, token_hash=tokens.token_hash(token), session=session)
        )
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LASTS.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self.reached.by_https(request),
        )
        return response

    async def see_out(self, request: Request) -> Response:
        """Ends the session and leads to the login."""
        visitor = self.of(request)
        if visitor is not None and self.reached.same_site(request):
            ended, account_id = visitor.session.id, visitor.account.id
            await self._writer.write(partial(sessions.close, account_id=account_id, session_id=ended))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response
