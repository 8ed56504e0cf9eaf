"""Login with Instagram: `/connect/instagram` leads there, `/connect/instagram/callback` is where it leads back to.

A login can be begun at the page, or by `pamosnik connect`, which prints an address with a token. It is used up by the
connection that it makes; until then the same browser or another may try again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik.config import Config
from pamosnik.daemon.account_forms import Parts, words
from pamosnik.errors import HomeError, PamosnikError
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.login import authorize_address, came_back
from pamosnik.security import tokens
from pamosnik.security.vault import MasterKeys
from pamosnik.services import instagram_login
from pamosnik.services import keys as machine_keys
from pamosnik.services.instagram_login import CALLBACK, PATH
from pamosnik.store import accounts, connections, instagram_logins
from pamosnik.store.connections import Connected
from pamosnik.store.consents import How
from pamosnik.store.instagram_logins import InstagramLogin
from pamosnik.store.walls import write_for

COOKIE = "pamosnik_connect"
DONE = f"{PATH}/done"
_DENIED = "You did not allow it at Instagram. Nothing was connected."
_NOT_BEGUN = "This login was not begun in this browser, or more than half an hour ago. Nothing was connected."
_USED = "This address has connected an account already, and is good for one. Nothing more was connected."
_OVER = "This address has served its purpose, or its half hour is over."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A login, and the token of this browser for it."""

    token: str = field(repr=False)
    login: InstagramLogin


class ConnectPages:
    def __init__(
        self, parts: Parts, settings: Config, instagram: Instagram, on_change: Callable[[], None]
    ) -> None:
        """`on_change`: somebody has connected an account."""
        self._parts = parts
        self._settings = settings
        self._instagram = instagram
        self._on_change = on_change

    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.begin, methods=["GET"]),
            Route(CALLBACK, self.callback, methods=["GET"]),
            Route(DONE, self.done, methods=["GET"]),
            Route(f"{PATH}/{{token}}", self.begun, methods=["GET"]),
        ]

    # --- to Instagram --------------------------------------------------------------------------------

    async def begin(self, request: Request) -> Response:
        """For whoever is logged in here."""
        visitor = await self._parts.visitors.known(request)
        token, now = tokens.new_token(), self._parts.clock.now()
        begin = partial(instagram_login.begin, account_id=visitor.account.id, token=token, now=now)
        await self._parts.writer.write(partial(begin, how=How.PAGE))
        if not self._parts.reached.at_public_address(request):
            # Cookies belong to a host: the browser has to have ours where Instagram leads it back to.
            return RedirectResponse(f"{self._address(request)}{PATH}/{token}", 303)
        return self._to_instagram(request, token)

    async def begun(self, request: Request) -> Response:
        """The address that the command printed."""
        token = request.path_params["token"]
        login = self._find(token)
        if login is None or login.connection_id is not None:
            return self._problem(_OVER, status=404)
        return self._to_instagram(request, token)

    def _to_instagram(self, request: Request, token: str) -> Response:
        address = self._address(request)
        try:
            app = instagram_login.app(self._settings)
            instagram_login.require_encrypted(self._settings, address)
        except PamosnikError as error:
            return self._problem(words(error))
        leads_back = instagram_login.redirect_uri(address)
        state = instagram_login.state_of(token)
        response = RedirectResponse(authorize_address(self._settings.meta_url, app, leads_back, state), 302)
        self._parts.visitors.give(request, response, COOKIE, token, instagram_login.LASTS)
        return response

    # --- and back ------------------------------------------------------------------------------------

    async def callback(self, request: Request) -> Response:
        begun = self._begun(request)
        if begun is None or not instagram_login.is_state(request.query_params.get("state", ""), begun.token):
            return self._problem(_NOT_BEGUN, status=403)
        if begun.login.connection_id is not None:
            # Perhaps by another browser, for another account than the one that comes back here.
            return self._problem(_USED, status=409)
        back = came_back(request.query_params)
        if back.code is None:
            problem = _DENIED if back.denied else f"Instagram led back without a login: {back.problem}."
            return await self._failed(begun, problem)
        try:
            await self._connect(begun, back.code, self._address(request))
        except HomeError:
            raise
        except PamosnikError as error:
            return await self._failed(begun, words(error))
        return RedirectResponse(DONE, 303)

    async def done(self, request: Request) -> Response:
        """Says what was connected, as often as it is opened; the callback's address works once."""
        begun = self._begun(request)
        connected = None if begun is None else self._connected(begun.login)
        if connected is None:
            return RedirectResponse("/", 303)
        holder = accounts.load(self._parts.reader.connection, connected.account_id)
        values = {
            "username": connected.username,
            "holder": "" if holder is None else holder.name,
            "problem": None,
            "hears": bool(self._settings.webhook_secrets),
            "from_command": begun is not None and begun.login.how is How.COMMAND,
        }
        return self._parts.pages.page("connect.html", values)

    async def _connect(self, begun: _Begun, code: str, address: str) -> None:
        app = instagram_login.app(self._settings)
        found = await instagram_login.look_up(self._instagram, app, code, address)
        account_id, token_hash = begun.login.account_id, tokens.token_hash(begun.token)
        async with self._wrapping() as keys:
            keep = partial(
                instagram_login.keep,
                keys=keys,
                token_hash=token_hash,
                found=found,
                now=self._parts.clock.now(),
            )
            await self._parts.writer.write(write_for(account_id, keep))
        log.info("An Instagram account was connected", extra={"action": "connect", "account": account_id})
        self._on_change()

    async def _failed(self, begun: _Begun, problem: str) -> Response:
        note = partial(instagram_logins.failed, token_hash=tokens.token_hash(begun.token), problem=problem)
        await self._parts.writer.write(note)
        return self._problem(problem, again=f"{PATH}/{begun.token}")

    # --- what they share -----------------------------------------------------------------------------

    def _begun(self, request: Request) -> _Begun | None:
        token = self._parts.visitors.given(request, COOKIE)
        login = None if token is None else self._find(token)
        return None if token is None or login is None else _Begun(token, login)

    def _find(self, token: str) -> InstagramLogin | None:
        conn = self._parts.reader.connection
        login = instagram_logins.find(conn, tokens.token_hash(token), self._parts.clock.now())
        if login is None or accounts.is_deleting(conn, login.account_id):
            return None
        return login

    def _connected(self, login: InstagramLogin) -> Connected | None:
        conn, connection_id = self._parts.reader.connection, login.connection_id
        if connection_id is None or not connections.exists(conn, connection_id):
            return None
        return connections.load(conn, connection_id)

    def _address(self, request: Request) -> str:
        return self._parts.reached.address(request)

    @asynccontextmanager
    async def _wrapping(self) -> AsyncIterator[MasterKeys]:
        """As `keys.wrapping`; waiting for another program's rotation holds nobody up."""
        wrapping = machine_keys.wrapping(self._settings)
        keys = await asyncio.to_thread(wrapping.__enter__)
        try:
            yield keys
        finally:
            wrapping.__exit__(None, None, None)

    def _problem(self, problem: str, *, status: int = 422, again: str | None = None) -> Response:
        values = {"username": None, "problem": problem, "again": again}
        return self._parts.pages.page("connect.html", values, status)
